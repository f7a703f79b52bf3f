//! What a client must not send, and what a server may do about it.

use crate::trace::{
    Trace, V5, V311, connack, connect, id, lasting, pair, puback, pubcomp, pubrec, pubrel, qos0, qos1, qos2, suback,
    subscribe, unsuback, unsubscribe,
};
use model::judge::Observation;
use model::packet::{
    Acknowledgement, Connack, ConnackCode, ConnackProperties, Connect, ConnectReturnCode, Disconnect, Packet,
    ProtocolVersion, Publish, Qos, ReasonCode, Subscribe, SubscriptionOptions, SubscriptionRequest, Unsubscribe,
};
use model::wire::Crafted;

#[test]
fn a_refused_connect_leaves_the_older_connection_alone() {
    let mut unknown = lasting("sub", V5);
    unknown.properties.authentication_method = Some("magic".try_into().unwrap());
    let rejection = Packet::Connack(Connack {
        session_present: false,
        code: ConnackCode::Reason(ReasonCode::BadAuthenticationMethod),
        properties: ConnackProperties::default(),
    });
    let refused = || {
        pair(V5)
            .see(3, Observation::Opened)
            .send(3, &Packet::Connect(unknown.clone()))
            .receive(3, &rejection)
            .see(3, Observation::ClosedByServer)
            .send(2, &qos1("t/a", "m1", 1, false))
            .receive(2, &puback(1))
    };
    refused().receive(1, &qos1("t/a", "m1", 1, false)).send(1, &puback(1)).conforms();
    refused().violates("delivery-is-made", "MQTT-4.5.0-1");
    refused().see(1, Observation::ClosedByServer).violates("unprovoked-close", "");
}

#[test]
fn an_empty_request_of_3_1_may_be_granted_nothing() {
    let empty = [0x82, 2, 0, 1];
    let granted = |version: ProtocolVersion| {
        pair(version).see(1, Observation::Sent(&empty)).see(1, Observation::Received(&[0x90, 2, 0, 1]))
    };
    granted(ProtocolVersion::V3_1).conforms();
    granted(V311).violates("packet-is-well-formed", "MQTT-3.8.4-5");
}

#[test]
fn what_3_1_does_not_rule_on_may_have_any_effect() {
    // Requested QoS 3: a server of 3.1 should end the connection, and may go on.
    let bad = [0x82, 8, 0, 1, 0, 3, b't', b'/', b'b', 3];
    let goes_on = |version: ProtocolVersion| {
        pair(version)
            .see(1, Observation::Sent(&bad))
            .send(1, &Packet::Pingreq)
            .receive(1, &Packet::Pingresp)
            .send(1, &qos1("t/a", "m1", 2, false))
            .receive(1, &puback(2))
            .receive(1, &qos1("t/a", "m1", 1, false))
    };
    goes_on(ProtocolVersion::V3_1).send(1, &puback(1)).conforms();
    goes_on(ProtocolVersion::V3_1).receive(1, &suback(1, &[ReasonCode::GrantedQos2])).conforms();
    goes_on(V311).violates("offence-is-refused", "MQTT-3.8.3-4");
    // Others hear what comes behind it, and are held to what they have asked for.
    let heard = || goes_on(ProtocolVersion::V3_1).send(1, &qos1("t/c", "m2", 3, false)).receive(1, &puback(3));
    heard().receive(2, &qos1("t/c", "m2", 1, false)).violates("delivery-was-subscribed", "");
}

#[test]
fn a_second_connect_of_3_1_may_end_its_session() {
    let refused = |version: ProtocolVersion| {
        Trace::new("standard", version)
            .connected_with(1, lasting("sub", version), false)
            .subscribed(1, 1, "t/a", Qos::AtLeastOnce)
            .send(1, &Packet::Connect(connect("sub")))
            .see(1, Observation::ClosedByServer)
            .connected_with(2, lasting("sub", version), version == V311)
            .connected(3, "pub")
            .send(3, &qos1("t/a", "m1", 1, false))
            .receive(3, &puback(1))
    };
    refused(ProtocolVersion::V3_1).conforms();
    refused(V311).violates("delivery-is-made", "MQTT-4.5.0-1");
    // Of a session that may be any nothing is known any more; what its client publishes others hear all the same.
    refused(ProtocolVersion::V3_1)
        .receive(2, &suback(9, &[ReasonCode::Success]))
        .subscribed(3, 2, "t/b", Qos::AtMostOnce)
        .send(2, &qos0("t/b", "m2"))
        .receive(3, &qos0("t/b", "m2"))
        .conforms();
}

#[test]
fn a_malformed_packet_must_be_refused() {
    let bad = Crafted::of(&Packet::Pingreq, V311).unwrap().flags(1).to_bytes();
    let offended = |version: ProtocolVersion| pair(version).see(1, Observation::Sent(&bad));
    offended(V311).see(1, Observation::ClosedByServer).conforms();
    offended(V311).violates("offence-is-refused", "MQTT-4.8.0-1");
    offended(V311).receive(1, &Packet::Pingresp).violates("offence-is-refused", "MQTT-4.8.0-1");
    offended(V5)
        .receive(1, &Packet::Disconnect(Disconnect::because(ReasonCode::MalformedPacket)))
        .see(1, Observation::ClosedByServer)
        .conforms();
    offended(V5)
        .receive(1, &Packet::Disconnect(Disconnect::because(ReasonCode::MalformedPacket)))
        .violates("nothing-after-disconnect", "MQTT-3.14.4-2");
    // 3.1 asks for no such thing.
    offended(ProtocolVersion::V3_1).receive(1, &Packet::Pingresp).conforms();
}

#[test]
fn an_offence_may_be_answered_in_its_own_packet() {
    let wildcard = || pair(V5).send(2, &qos1("t/+", "m1", 1, false));
    let refused =
        Packet::Puback(Acknowledgement { reason: ReasonCode::TopicNameInvalid, ..Acknowledgement::success(id(1)) });
    wildcard().receive(2, &refused).conforms();
    wildcard().see(2, Observation::ClosedByServer).conforms();
    wildcard().receive(2, &puback(1)).violates("offence-is-refused", "MQTT-4.13.1-1");
    let filter = || pair(V5).send(2, &subscribe(1, "a#", Qos::AtMostOnce));
    filter().receive(2, &suback(1, &[ReasonCode::TopicFilterInvalid])).conforms();
    filter().receive(2, &suback(1, &[ReasonCode::Success])).violates("suback-grants", "MQTT-3.8.4-7");
}

#[test]
fn an_unsubscribe_of_what_is_no_filter_may_end_a_connection() {
    let unsubscribes = |version, filter| pair(version).send(2, &unsubscribe(1, filter));
    for version in [ProtocolVersion::V3_1, V311, V5] {
        unsubscribes(version, "a#").see(2, Observation::ClosedByServer).conforms();
        unsubscribes(version, "a/#").see(2, Observation::ClosedByServer).violates("unprovoked-close", "");
    }
    let refused = Packet::Disconnect(Disconnect::because(ReasonCode::TopicFilterInvalid));
    unsubscribes(V5, "a#").receive(2, &refused).see(2, Observation::ClosedByServer).conforms();
    unsubscribes(V5, "a#").receive(2, &unsuback(1, &[ReasonCode::TopicFilterInvalid])).conforms();
    unsubscribes(V311, "a#").receive(2, &unsuback(1, &[])).conforms();
}

#[test]
fn what_a_server_keeps_to_itself_may_end_a_connection() {
    // 3.1.1: MQTT-3.3.5-2; 3.1 has no such way out (V31-15).
    let kept = |version| pair(version).send(2, &qos1("$SYS/a", "m1", 1, false));
    kept(V311).see(2, Observation::ClosedByServer).conforms();
    kept(V311).receive(2, &puback(1)).conforms();
    kept(ProtocolVersion::V3_1).see(2, Observation::ClosedByServer).violates("unprovoked-close", "");
    let refused = Packet::Disconnect(Disconnect::because(ReasonCode::NotAuthorized));
    kept(V5).receive(2, &refused).see(2, Observation::ClosedByServer).conforms();
    let other = pair(V311).send(2, &qos1("t/a", "m1", 1, false));
    other.see(2, Observation::ClosedByServer).violates("unprovoked-close", "");
}

#[test]
fn a_payload_that_is_not_what_it_says_may_be_refused() {
    // 5.0, section 3.3.2.3.2.
    let sent = |payload: &[u8]| {
        let Packet::Publish(mut publish) = qos1("t/x", "", 1, false) else { panic!("it is a PUBLISH") };
        publish.payload = payload.to_vec();
        publish.properties.payload_format_indicator = Some(true);
        pair(V5).send(2, &Packet::Publish(publish))
    };
    let refused = Packet::Disconnect(Disconnect::because(ReasonCode::PayloadFormatInvalid));
    sent(&[0xff]).receive(2, &refused).see(2, Observation::ClosedByServer).conforms();
    sent(&[0xff]).receive(2, &puback(1)).conforms();
    sent(b"m").receive(2, &refused).violates("disconnect-has-a-reason", "MQTT-3.14.2-1");
}

#[test]
fn a_client_without_a_name_may_be_refused() {
    let refused = Packet::Connack(Connack {
        session_present: false,
        code: ConnackCode::Return(ConnectReturnCode::NotAuthorized),
        properties: ConnackProperties::default(),
    });
    let login = |user_name: Option<&str>| {
        let user_name = user_name.map(|name| name.try_into().unwrap());
        Trace::new("standard", V311)
            .see(1, Observation::Opened)
            .send(1, &Packet::Connect(Connect { user_name, ..connect("a") }))
            .receive(1, &refused)
            .see(1, Observation::ClosedByServer)
    };
    login(None).conforms();
    login(Some("mqttspec")).violates("connect-is-accepted", "MQTT-3.1.4-4");
}

#[test]
fn a_refused_connect_is_followed_by_nothing() {
    let refused = || {
        Trace::new("standard", V311)
            .see(1, Observation::Opened)
            .send(1, &Packet::Connect(Connect { clean_start: false, ..connect("") }))
    };
    let rejection = Packet::Connack(Connack {
        session_present: false,
        code: ConnackCode::Return(ConnectReturnCode::IdentifierRejected),
        properties: ConnackProperties::default(),
    });
    refused().receive(1, &rejection).see(1, Observation::ClosedByServer).conforms();
    refused().receive(1, &rejection).violates("refusal-closes", "MQTT-3.2.2-5");
    refused().receive(1, &connack(V311, false)).violates("offence-is-refused", "MQTT-4.8.0-1");
}

#[test]
fn an_unknown_protocol_may_be_refused_in_any_version() {
    let strange = || {
        Trace::new("standard", V311)
            .see(1, Observation::Opened)
            .see(1, Observation::Sent(b"\x10\x0d\x00\x04MQTT\x09\x02\x00\x3c\x00\x01a"))
    };
    strange().see(1, Observation::Received(&[0x20, 2, 0, 1])).see(1, Observation::ClosedByServer).conforms();
    strange().see(1, Observation::Received(&[0x20, 3, 0, 0x84, 0])).see(1, Observation::ClosedByServer).conforms();
    strange().see(1, Observation::Received(&[0x20, 2, 0, 0])).violates("offence-is-refused", "MQTT-4.8.0-1");
    Trace::new("standard", V311)
        .see(1, Observation::Opened)
        .see(1, Observation::Sent(&[0xC0, 0]))
        .see(1, Observation::ClosedByServer)
        .conforms();
}

#[test]
fn a_server_may_close_at_the_header_of_a_packet_that_is_too_large() {
    let Packet::Connack(mut limited) = connack(V5, false) else { unreachable!() };
    limited.properties.maximum_packet_size = std::num::NonZeroU32::new(20);
    let header = [0x30, 0x64, 0, 1, b'a', 0];
    let offended = || {
        Trace::new("standard", V5)
            .see(1, Observation::Opened)
            .send(1, &Packet::Connect(connect("pub")))
            .receive(1, &Packet::Connack(limited.clone()))
            .see(1, Observation::Sent(&header))
    };
    offended().see(1, Observation::ClosedByServer).conforms();
    offended().violates("offence-is-refused", "MQTT-4.13.1-1");
}

#[test]
fn what_stands_in_front_of_an_invalid_filter_may_be_done_before_the_connection_ends() {
    // 3.1.1: MQTT-3.8.4-4: each filter as if it came in a SUBSCRIBE of its own.
    let ended = |version, packet: Packet| {
        Trace::new("standard", version)
            .connected_with(1, lasting("sub", version), false)
            .subscribed(1, 1, "t/a", Qos::AtLeastOnce)
            .send(1, &packet)
            .see(1, Observation::ClosedByServer)
            .connected(2, "pub")
            .send(2, &qos1("t/a", "m1", 1, false))
            .receive(2, &puback(1))
            .send(2, &qos1("t/b", "m2", 2, false))
            .receive(2, &puback(2))
            .connected_with(3, lasting("sub", version), true)
    };
    let both = |filters: [&str; 2]| {
        let requests = filters.map(|filter| SubscriptionRequest {
            filter: filter.try_into().unwrap(),
            options: SubscriptionOptions { qos: Qos::AtLeastOnce, ..Default::default() },
        });
        Packet::Subscribe(Subscribe { packet_id: id(2), properties: Default::default(), requests: requests.into() })
    };
    for version in [V311, V5] {
        let subscribed = |filters| ended(version, both(filters)).receive(3, &qos1("t/a", "m1", 1, false));
        subscribed(["t/b", "a#"]).conforms();
        subscribed(["t/b", "a#"]).receive(3, &qos1("t/b", "m2", 2, false)).conforms();
        // What stands behind it is not done.
        let after = subscribed(["a#", "t/b"]).receive(3, &qos1("t/b", "m2", 2, false));
        after.violates("delivery-was-subscribed", "");

        let neither = |filters: [&str; 2]| {
            let filters = filters.map(|filter| filter.try_into().unwrap()).into();
            ended(
                version,
                Packet::Unsubscribe(Unsubscribe { packet_id: id(2), properties: Default::default(), filters }),
            )
        };
        neither(["t/a", "a#"]).conforms();
        neither(["t/a", "a#"]).receive(3, &qos1("t/a", "m1", 1, false)).send(3, &puback(1)).conforms();
        neither(["a#", "t/a"]).violates("delivery-is-made", "");
    }
}

#[test]
fn what_is_sent_before_an_unexplained_answer_of_3_1_may_still_be_passed_on() {
    let version = ProtocolVersion::V3_1;
    let empty = Observation::Sent(&[0x82, 2, 0, 9]);
    let answered = Observation::Received(&[0x90, 2, 0, 9]);
    let heard = |trace: Trace| {
        trace
            .connected(1, "sub")
            .subscribed(1, 1, "t/a", Qos::AtMostOnce)
            .send(2, &pubrel(7))
            .receive(1, &qos0("t/a", "m1"))
            .receive(2, &pubcomp(7, ReasonCode::Success))
    };
    let begun = |trace: Trace| trace.send(2, &qos2("t/a", "m1", 7, false)).receive(2, &pubrec(7));
    let goes_on = |trace: Trace| trace.see(2, empty).see(2, answered);
    let connected = || Trace::new("standard", version).connected(2, "pub");
    // Whoever subscribes before PUBREL may get it, whatever the SUBACK was.
    heard(goes_on(begun(connected()))).conforms();
    heard(begun(goes_on(connected()))).conforms();
    let already_there = begun(connected()).connected(3, "other");
    heard(goes_on(already_there)).conforms();
}

#[test]
fn what_a_filter_before_an_invalid_one_has_met_may_come_before_the_end() {
    let retained = |packet: Packet| match packet {
        Packet::Publish(publish) => Packet::Publish(Publish { retain: true, ..publish }),
        other => other,
    };
    for version in [V311, V5] {
        let subscribing = |filters: [&str; 2]| {
            let requests = filters.map(|filter| SubscriptionRequest {
                filter: filter.try_into().unwrap(),
                options: SubscriptionOptions { qos: Qos::AtLeastOnce, ..Default::default() },
            });
            let requests = requests.into();
            pair(version)
                .send(2, &retained(qos1("r", "m1", 1, false)))
                .receive(2, &puback(1))
                .send(1, &Packet::Subscribe(Subscribe { packet_id: id(2), properties: Default::default(), requests }))
        };
        let met = retained(qos1("r", "m1", 1, false));
        subscribing(["r", "a#"]).see(1, Observation::ClosedByServer).conforms();
        subscribing(["r", "a#"]).receive(1, &met).see(1, Observation::ClosedByServer).conforms();
        subscribing(["r", "a#"]).receive(1, &met).receive(1, &met).violates("delivery-once", "");
        // What stands behind it meets nothing, if the connection ends.
        subscribing(["a#", "r"]).receive(1, &met).see(1, Observation::ClosedByServer).violates("unprovoked-close", "");
    }
}

#[test]
fn what_a_client_could_not_know_to_be_too_large_may_be_refused() {
    let sent = |size: usize| {
        let Packet::Connack(mut connack) = connack(V5, false) else { panic!("no CONNACK") };
        connack.properties.maximum_packet_size = std::num::NonZeroU32::new(100);
        Trace::new("standard", V5)
            .see(1, Observation::Opened)
            .send(1, &Packet::Connect(connect("dev")))
            .send(1, &qos1("t/a", &"x".repeat(size), 1, false))
            .receive(1, &Packet::Connack(connack))
    };
    let refused = |trace: Trace| {
        let too_large = Disconnect::because(ReasonCode::PacketTooLarge);
        trace.receive(1, &Packet::Disconnect(too_large)).see(1, Observation::ClosedByServer)
    };
    refused(sent(200)).conforms();
    sent(200).receive(1, &puback(1)).conforms();
    refused(sent(10)).violates("disconnect-has-a-reason", "");
}
