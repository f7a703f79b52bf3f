//! The judge alone finds what a server does wrong, and nothing else.
#![expect(clippy::unwrap_used, reason = "a test may panic, helpers of tests too")]

use model::judge::{ConnectionId, Judge, Judgement, Observation, Timing, Violation};
use model::packet::{
    Acknowledgement, Connack, ConnackCode, ConnackProperties, Connect, ConnectReturnCode, Delivery, Disconnect, Packet,
    PacketId, ProtocolVersion, Publish, PublishProperties, Qos, ReasonCode, ReasonProperties, Suback, Subscribe,
    SubscribeProperties, SubscriptionOptions, SubscriptionRequest, Unsuback, Unsubscribe, UnsubscribeProperties,
};
use model::profile::Profile;
use model::wire::{Crafted, encode};

const V311: ProtocolVersion = ProtocolVersion::V3_1_1;
const V5: ProtocolVersion = ProtocolVersion::V5_0;

/// A trace that is written down packet by packet, a millisecond each.
struct Trace {
    judge: Judge,
    version: ProtocolVersion,
    now: u64,
}

fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

impl Trace {
    fn new(profile: &str, version: ProtocolVersion) -> Trace {
        let profile = Profile::builtin(profile).unwrap();
        Trace { judge: Judge::new(profile, Timing::virtual_time()), version, now: 0 }
    }

    fn see(mut self, connection: u32, what: Observation<'_>) -> Trace {
        self.now += 1;
        self.judge.observe(self.now, ConnectionId(connection), what);
        self
    }

    fn later(mut self, milliseconds: u64) -> Trace {
        self.now += milliseconds;
        self
    }

    fn send(self, connection: u32, packet: &Packet) -> Trace {
        let bytes = encode(packet, self.version).unwrap();
        self.see(connection, Observation::Sent(&bytes))
    }

    fn receive(self, connection: u32, packet: &Packet) -> Trace {
        let bytes = encode(packet, self.version).unwrap();
        self.see(connection, Observation::Received(&bytes))
    }

    fn connected_with(self, connection: u32, connect: Connect, session_present: bool) -> Trace {
        let connack = connack(self.version, session_present);
        self.see(connection, Observation::Opened)
            .send(connection, &Packet::Connect(connect))
            .receive(connection, &connack)
    }

    fn connected(self, connection: u32, client_id: &str) -> Trace {
        self.connected_with(connection, connect(client_id), false)
    }

    fn subscribed(self, connection: u32, packet_id: u16, filter: &str, qos: Qos) -> Trace {
        let code = ReasonCode::from_value(qos.value()).unwrap();
        self.send(connection, &subscribe(packet_id, filter, qos)).receive(connection, &suback(packet_id, &[code]))
    }

    fn verdict(self) -> Judgement {
        self.judge.finish(self.now + 1)
    }

    fn conforms(self) {
        assert_eq!(self.verdict(), Judgement::Conforms);
    }

    fn violates(self, rule: &str, statement: &str) -> Violation {
        let Judgement::Violates(violations) = self.verdict() else { panic!("no violation of {rule}") };
        assert_eq!(violations[0].rule, rule, "{violations:#?}");
        assert!(statement.is_empty() || violations[0].statements.contains(&statement), "{violations:#?}");
        violations.into_iter().next().unwrap()
    }
}

fn connect(client_id: &str) -> Connect {
    Connect { client_id: client_id.try_into().unwrap(), clean_start: true, keep_alive: 60, ..Connect::default() }
}

/// A session that outlives its connection.
fn lasting(client_id: &str, version: ProtocolVersion) -> Connect {
    let mut connect = Connect { clean_start: false, ..connect(client_id) };
    connect.properties.session_expiry_interval = (version == V5).then_some(100);
    connect
}

fn connack(version: ProtocolVersion, session_present: bool) -> Packet {
    let code = match version {
        V5 => ConnackCode::Reason(ReasonCode::Success),
        _ => ConnackCode::Return(ConnectReturnCode::Accepted),
    };
    Packet::Connack(Connack { session_present, code, properties: ConnackProperties::default() })
}

fn subscribe(packet_id: u16, filter: &str, qos: Qos) -> Packet {
    let options = SubscriptionOptions { qos, ..SubscriptionOptions::default() };
    Packet::Subscribe(Subscribe {
        packet_id: id(packet_id),
        properties: SubscribeProperties::default(),
        requests: vec![SubscriptionRequest { filter: filter.try_into().unwrap(), options }],
    })
}

fn suback(packet_id: u16, codes: &[ReasonCode]) -> Packet {
    Packet::Suback(Suback { packet_id: id(packet_id), properties: ReasonProperties::default(), codes: codes.to_vec() })
}

fn unsubscribe(packet_id: u16, filter: &str) -> Packet {
    Packet::Unsubscribe(Unsubscribe {
        packet_id: id(packet_id),
        properties: UnsubscribeProperties::default(),
        filters: vec![filter.try_into().unwrap()],
    })
}

fn unsuback(packet_id: u16, codes: &[ReasonCode]) -> Packet {
    Packet::Unsuback(Unsuback {
        packet_id: id(packet_id),
        properties: ReasonProperties::default(),
        codes: codes.to_vec(),
    })
}

fn message(topic: &str, payload: &str, delivery: Delivery) -> Packet {
    Packet::Publish(Publish {
        delivery,
        retain: false,
        topic: topic.try_into().unwrap(),
        properties: PublishProperties::default(),
        payload: payload.as_bytes().to_vec(),
    })
}

fn qos0(topic: &str, payload: &str) -> Packet {
    message(topic, payload, Delivery::AtMostOnce)
}

fn qos1(topic: &str, payload: &str, packet_id: u16, dup: bool) -> Packet {
    message(topic, payload, Delivery::AtLeastOnce { packet_id: id(packet_id), dup })
}

fn puback(packet_id: u16) -> Packet {
    Packet::Puback(Acknowledgement::success(id(packet_id)))
}

/// `sub` (connection 1) holds a subscription at QoS 1, `pub` (connection 2) is connected.
fn pair(version: ProtocolVersion) -> Trace {
    Trace::new("standard", version)
        .connected_with(1, lasting("sub", version), false)
        .subscribed(1, 1, "t/+", Qos::AtLeastOnce)
        .connected(2, "pub")
}

#[test]
fn an_exchange_without_fault_conforms() {
    for version in ProtocolVersion::ALL {
        pair(version)
            .send(2, &qos1("t/a", "m1", 1, false))
            .receive(2, &puback(1))
            .receive(1, &qos1("t/a", "m1", 7, false))
            .send(1, &puback(7))
            .send(1, &Packet::Pingreq)
            .receive(1, &Packet::Pingresp)
            .send(1, &unsubscribe(2, "t/+"))
            .receive(1, &unsuback(2, if version == V5 { &[ReasonCode::Success] } else { &[] }))
            .send(1, &Packet::Disconnect(Disconnect::normal()))
            .see(1, Observation::ClosedByServer)
            .see(2, Observation::ClosedByClient)
            .conforms();
    }
}

#[test]
fn dup_on_a_first_delivery_is_found() {
    let violation = pair(V311)
        .send(2, &qos1("t/a", "m1", 1, true))
        .receive(2, &puback(1))
        .receive(1, &qos1("t/a", "m1", 7, true))
        .violates("first-delivery-has-no-dup", "MQTT-3.3.1-3");
    assert_eq!(violation.seen, "PUBLISH t/a \"m1\" qos1 id7 dup");
    assert_eq!(violation.expected, "DUP 0");
}

#[test]
fn an_identifier_in_flight_is_not_used_again() {
    let busy = |version| {
        pair(version)
            .send(2, &qos1("t/a", "m1", 1, false))
            .send(2, &qos1("t/a", "m2", 2, false))
            .receive(1, &qos1("t/a", "m1", 7, false))
    };
    busy(V5).receive(1, &qos1("t/a", "m2", 7, false)).violates("identifier-is-free", "MQTT-2.2.1-4");
    busy(V311).receive(1, &qos1("t/a", "m2", 7, false)).violates("identifier-is-free", "MQTT-2.3.1-4");
    // After the PUBACK it is free again.
    busy(V5)
        .send(1, &puback(7))
        .receive(1, &qos1("t/a", "m2", 7, false))
        .receive(2, &puback(1))
        .receive(2, &puback(2))
        .conforms();
}

#[test]
fn a_delivery_before_suback_or_puback_is_right() {
    Trace::new("standard", V311)
        .connected(1, "sub")
        .connected(2, "pub")
        .send(1, &subscribe(1, "t/a", Qos::AtLeastOnce))
        .send(2, &qos1("t/a", "m1", 1, false))
        .receive(1, &qos1("t/a", "m1", 1, false))
        .receive(1, &suback(1, &[ReasonCode::GrantedQos1]))
        .receive(2, &puback(1))
        .conforms();
}

#[test]
fn a_message_between_subscribe_and_suback_may_come_or_not() {
    Trace::new("standard", V311)
        .connected(1, "sub")
        .connected(2, "pub")
        .send(1, &subscribe(1, "t/a", Qos::AtLeastOnce))
        .send(2, &qos1("t/a", "m1", 1, false))
        .receive(2, &puback(1))
        .receive(1, &suback(1, &[ReasonCode::GrantedQos1]))
        .conforms();
}

#[test]
fn a_missing_delivery_is_found_at_the_end() {
    pair(V5).send(2, &qos1("t/a", "m1", 1, false)).receive(2, &puback(1)).violates("delivery-is-made", "MQTT-4.5.0-1");
    // At QoS 0 it may be lost.
    pair(V5).send(2, &qos0("t/a", "m1")).conforms();
}

#[test]
fn missing_answers_are_found_at_the_end() {
    pair(V311).send(1, &Packet::Pingreq).violates("pingreq-is-answered", "MQTT-3.12.4-1");
    pair(V311).send(1, &subscribe(5, "x", Qos::AtMostOnce)).violates("subscribe-is-answered", "MQTT-3.8.4-1");
    pair(V5).send(1, &unsubscribe(5, "x")).violates("unsubscribe-is-answered", "MQTT-3.10.4-4");
    pair(V5).send(2, &qos1("x", "m", 1, false)).violates("publish-is-answered", "MQTT-4.3.2-4");
    Trace::new("standard", V5)
        .see(1, Observation::Opened)
        .send(1, &Packet::Connect(connect("sub")))
        .violates("connect-is-accepted", "MQTT-3.1.4-5");
}

#[test]
fn answers_to_nothing_are_found() {
    pair(V311).receive(1, &Packet::Pingresp).violates("pingresp-answers", "MQTT-3.12.4-1");
    pair(V311).receive(1, &puback(9)).violates("puback-names-its-publish", "MQTT-2.3.1-6");
    pair(V311)
        .send(1, &subscribe(5, "x", Qos::AtMostOnce))
        .receive(1, &suback(6, &[ReasonCode::Success]))
        .violates("suback-names-its-subscribe", "MQTT-3.8.4-2");
    pair(V5)
        .send(1, &subscribe(5, "x", Qos::AtMostOnce))
        .receive(1, &suback(5, &[ReasonCode::Success, ReasonCode::Success]))
        .violates("suback-has-a-code-a-filter", "MQTT-3.8.4-6");
    pair(V311).receive(1, &connack(V311, false)).violates("connack-comes-once", "MQTT-3.1.4-4");
}

#[test]
fn nothing_comes_for_what_was_not_subscribed() {
    pair(V311)
        .send(2, &qos0("x/a", "m1"))
        .receive(1, &qos0("x/a", "m1"))
        .violates("delivery-was-subscribed", "MQTT-3.3.2-3");
    pair(V311)
        .send(1, &unsubscribe(2, "t/+"))
        .receive(1, &unsuback(2, &[]))
        .send(2, &qos1("t/a", "m1", 1, false))
        .receive(1, &qos1("t/a", "m1", 1, false))
        .violates("delivery-was-subscribed", "MQTT-3.10.4-2");
}

#[test]
fn a_changed_message_names_the_field() {
    let violation = pair(V311)
        .send(2, &qos0("t/a", "m1"))
        .receive(1, &qos0("t/a", "m2"))
        .violates("delivery-is-unchanged", "MQTT-3.3.2-3");
    assert_eq!(violation.expected, "payload \"m1\"");
}

#[test]
fn qos_is_the_lower_one_in_the_standard_and_the_publishers_on_the_platform() {
    let subscribed = |profile, granted: Qos| {
        Trace::new(profile, V311)
            .connected(1, "device")
            .send(1, &subscribe(1, "t/a", Qos::AtMostOnce))
            .receive(1, &suback(1, &[ReasonCode::from_value(granted.value()).unwrap()]))
            .send(1, &qos1("t/a", "m1", 1, false))
            .receive(1, &puback(1))
    };
    subscribed("standard", Qos::AtMostOnce)
        .receive(1, &qos1("t/a", "m1", 1, false))
        .violates("delivery-qos", "MQTT-3.8.4-6");
    subscribed("standard", Qos::AtMostOnce).receive(1, &qos0("t/a", "m1")).conforms();
    subscribed("platform", Qos::AtLeastOnce).receive(1, &qos1("t/a", "m1", 1, false)).conforms();
    subscribed("platform", Qos::AtLeastOnce).receive(1, &qos0("t/a", "m1")).violates("delivery-qos", "");
    subscribed("standard", Qos::AtLeastOnce).violates("suback-grants", "MQTT-3.9.3-1");
}

#[test]
fn order_is_kept_in_a_lane() {
    let sent = || {
        pair(V5)
            .send(2, &qos1("t/a", "m1", 1, false))
            .send(2, &qos1("t/a", "m2", 2, false))
            .send(2, &qos1("t/b", "m3", 3, false))
    };
    sent().receive(1, &qos1("t/a", "m2", 1, false)).violates("order-is-kept", "MQTT-4.6.0-5");
    sent()
        .receive(1, &qos1("t/b", "m3", 1, false))
        .receive(1, &qos1("t/a", "m1", 2, false))
        .receive(1, &qos1("t/a", "m2", 3, false))
        .receive(2, &puback(3))
        .receive(2, &puback(1))
        .receive(2, &puback(2))
        .conforms();
}

#[test]
fn receive_maximum_holds_deliveries_back() {
    let mut narrow = connect("sub");
    narrow.properties.receive_maximum = std::num::NonZeroU16::new(1);
    let sent = || {
        Trace::new("standard", V5)
            .connected_with(1, narrow.clone(), false)
            .subscribed(1, 1, "t/a", Qos::AtLeastOnce)
            .connected(2, "pub")
            .send(2, &qos1("t/a", "m1", 1, false))
            .send(2, &qos1("t/a", "m2", 2, false))
            .receive(2, &puback(1))
            .receive(2, &puback(2))
            .receive(1, &qos1("t/a", "m1", 1, false))
    };
    sent().receive(1, &qos1("t/a", "m2", 2, false)).violates("receive-maximum-is-obeyed", "MQTT-3.3.4-9");
    sent().conforms();
    sent().send(1, &puback(1)).violates("delivery-is-made", "");
    sent().send(1, &puback(1)).receive(1, &qos1("t/a", "m2", 2, false)).conforms();
}

#[test]
fn unacknowledged_deliveries_come_again_on_resume() {
    for version in [V311, V5] {
        let broken = || {
            pair(version)
                .send(2, &qos1("t/a", "m1", 1, false))
                .receive(2, &puback(1))
                .receive(1, &qos1("t/a", "m1", 7, false))
                .see(1, Observation::ClosedByClient)
                .connected_with(3, lasting("sub", version), true)
        };
        broken().receive(3, &qos1("t/a", "m1", 7, true)).send(3, &puback(7)).conforms();
        broken().receive(3, &qos1("t/a", "m1", 7, false)).violates("repeated-delivery-has-dup", "MQTT-3.3.1-1");
        broken().receive(3, &qos1("t/a", "m1", 8, true)).violates("repeated-delivery-keeps-its-id", "MQTT-4.4.0-1");
        broken().violates("unacknowledged-is-repeated", "MQTT-4.4.0-1");
    }
}

#[test]
fn a_puback_that_was_on_its_way_leaves_both_open() {
    let broken = || {
        pair(V5)
            .send(2, &qos1("t/a", "m1", 1, false))
            .receive(2, &puback(1))
            .receive(1, &qos1("t/a", "m1", 7, false))
            .send(1, &puback(7))
            .see(1, Observation::ClosedByClient)
            .connected_with(3, lasting("sub", V5), true)
    };
    broken().conforms();
    broken().receive(3, &qos1("t/a", "m1", 7, true)).send(3, &puback(7)).conforms();
}

#[test]
fn session_present_tells_the_truth() {
    let again =
        |connect: Connect, present| pair(V311).see(1, Observation::ClosedByClient).connected_with(3, connect, present);
    again(lasting("sub", V311), true).conforms();
    again(lasting("sub", V311), false).violates("stored-session-is-present", "MQTT-3.2.2-2");
    again(connect("sub"), true).violates("clean-start-has-no-session", "MQTT-3.2.2-1");
    again(lasting("other", V311), true).violates("no-session-is-absent", "MQTT-3.2.2-3");
}

#[test]
fn an_assigned_client_identifier_names_its_session() {
    let Packet::Connack(mut assigned) = connack(V5, false) else { unreachable!() };
    assigned.properties.assigned_client_identifier = Some("made-up".try_into().unwrap());
    let back = |client_id: &str, present| {
        Trace::new("standard", V5)
            .see(1, Observation::Opened)
            .send(1, &Packet::Connect(lasting("", V5)))
            .receive(1, &Packet::Connack(assigned.clone()))
            .see(1, Observation::ClosedByClient)
            .connected_with(2, lasting(client_id, V5), present)
    };
    back("made-up", true).conforms();
    back("made-up", false).violates("stored-session-is-present", "MQTT-3.2.2-3");
    back("other", true).violates("no-session-is-absent", "MQTT-3.2.2-3");
}

#[test]
fn a_session_ends_when_its_interval_is_over() {
    let back_after = |milliseconds, present| {
        pair(V5)
            .see(1, Observation::ClosedByClient)
            .see(2, Observation::ClosedByClient)
            .later(milliseconds)
            .connected_with(3, lasting("sub", V5), present)
    };
    back_after(50_000, true).conforms();
    back_after(50_000, false).violates("stored-session-is-present", "MQTT-3.2.2-3");
    back_after(102_000, true).conforms(); // a server may be late
    back_after(102_000, false).conforms();
    back_after(106_000, true).violates("no-session-is-absent", "MQTT-3.2.2-3");
}

#[test]
fn an_older_connection_is_closed() {
    let taken_over = || pair(V5).connected_with(3, lasting("sub", V5), true);
    taken_over().violates("older-connection-closes", "MQTT-3.1.4-3");
    taken_over()
        .receive(1, &Packet::Disconnect(Disconnect::because(ReasonCode::SessionTakenOver)))
        .see(1, Observation::ClosedByServer)
        .conforms();
    // The close may be seen first as well.
    pair(V5)
        .see(3, Observation::Opened)
        .send(3, &Packet::Connect(lasting("sub", V5)))
        .see(1, Observation::ClosedByServer)
        .receive(3, &connack(V5, true))
        .conforms();
}

#[test]
fn what_comes_on_a_replaced_connection_has_no_effect() {
    let left_behind = || {
        pair(V5)
            .connected_with(3, lasting("sub", V5), true)
            .send(1, &unsubscribe(2, "t/+"))
            .see(1, Observation::ClosedByClient)
            .send(2, &qos1("t/a", "m1", 1, false))
            .receive(2, &puback(1))
    };
    left_behind().receive(3, &qos1("t/a", "m1", 1, false)).conforms();
    left_behind().violates("delivery-is-made", "MQTT-4.5.0-1");
}

#[test]
fn a_connect_may_be_read_before_what_the_older_connection_sent() {
    let raced = |late: bool| {
        let both = pair(V5);
        let both = if late { both } else { both.send(1, &unsubscribe(2, "t/+")) };
        let both = both.see(3, Observation::Opened).send(3, &Packet::Connect(lasting("sub", V5)));
        let both = if late { both.send(1, &unsubscribe(2, "t/+")) } else { both };
        both.see(1, Observation::ClosedByServer)
            .receive(3, &connack(V5, true))
            .send(2, &qos1("t/a", "m1", 1, false))
            .receive(2, &puback(1))
    };
    for late in [false, true] {
        raced(late).receive(3, &qos1("t/a", "m1", 1, false)).conforms();
        raced(late).conforms();
    }
}

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
fn a_message_under_way_may_meet_a_client_that_comes_later() {
    let later = |again: bool| {
        let sent = Trace::new("standard", V311).connected(2, "pub").send(2, &qos1("t/a", "m1", 1, false));
        let sent = if again { sent.send(2, &qos1("t/a", "m1", 1, true)) } else { sent };
        sent.connected(1, "sub").subscribed(1, 1, "t/a", Qos::AtLeastOnce).receive(1, &qos1("t/a", "m1", 1, false))
    };
    later(false).receive(2, &puback(1)).conforms();
    let twice = later(true).receive(1, &qos1("t/a", "m1", 2, false));
    twice.receive(2, &puback(1)).receive(2, &puback(1)).conforms();
    later(false).receive(1, &qos1("t/a", "m1", 2, false)).violates("delivery-once", "");
}

#[test]
fn a_first_delivery_that_broke_off_unseen_is_a_repetition() {
    for dup in [false, true] {
        pair(V5)
            .send(2, &qos1("t/a", "m1", 1, false))
            .see(1, Observation::ClosedByClient)
            .connected_with(3, lasting("sub", V5), true)
            .receive(3, &qos1("t/a", "m1", 7, dup))
            .receive(2, &puback(1))
            .conforms();
    }
}

#[test]
fn a_message_that_went_down_with_its_connection_holds_nothing_up() {
    pair(V5)
        .send(2, &qos1("t/a", "m1", 1, false))
        .see(2, Observation::ClosedByClient)
        .connected(3, "pub")
        .send(3, &qos1("t/a", "m2", 2, false))
        .receive(1, &qos1("t/a", "m2", 1, false))
        .receive(3, &puback(2))
        .conforms();
}

#[test]
fn a_refused_request_may_leave_the_subscription_that_it_would_replace() {
    let request = |filter: &str| SubscriptionRequest {
        filter: filter.try_into().unwrap(),
        options: SubscriptionOptions::default(),
    };
    let refused = || {
        let too_many = Subscribe {
            packet_id: id(2),
            properties: SubscribeProperties::default(),
            requests: "12345678t".chars().map(|filter| request(&filter.to_string())).collect(),
        };
        let mut codes = vec![ReasonCode::Success; 8];
        codes.push(ReasonCode::UnspecifiedError);
        Trace::new("platform", V311)
            .connected(1, "sub")
            .subscribed(1, 1, "t", Qos::AtLeastOnce)
            .send(1, &Packet::Subscribe(too_many))
            .receive(1, &suback(2, &codes))
            .send(1, &qos1("t", "m1", 3, false))
            .receive(1, &puback(3))
    };
    refused().receive(1, &qos1("t", "m1", 1, false)).conforms();
    refused().conforms();
}

#[test]
fn of_messages_alike_one_that_need_not_come_may_be_left_out() {
    pair(V311)
        .send(2, &qos1("x", "same", 1, false))
        .send(1, &subscribe(2, "x", Qos::AtLeastOnce))
        .receive(2, &puback(1))
        .receive(1, &suback(2, &[ReasonCode::GrantedQos1]))
        .send(2, &qos1("x", "same", 2, false))
        .receive(1, &qos1("x", "same", 1, false))
        .send(1, &puback(1))
        .receive(2, &puback(2))
        .conforms();
}

#[test]
fn an_older_connection_may_be_read_before_a_newer_one() {
    let sent = || {
        pair(V5)
            .see(3, Observation::Opened)
            .send(3, &Packet::Connect(connect("pub")))
            .send(3, &qos1("t/a", "m1", 1, false))
            .send(2, &qos1("t/a", "m2", 2, false))
    };
    sent()
        .receive(1, &qos1("t/a", "m2", 1, false))
        .see(2, Observation::ClosedByServer)
        .receive(3, &connack(V5, false))
        .receive(1, &qos1("t/a", "m1", 2, false))
        .receive(3, &puback(1))
        .conforms();
}

#[test]
fn what_was_sent_before_the_server_closed_may_have_been_read() {
    let closed = || {
        pair(V311)
            .send(2, &qos1("t/a", "m1", 1, false))
            .receive(2, &puback(1))
            .receive(1, &qos1("t/a", "m1", 7, false))
            .send(1, &puback(7))
            .later(93_000)
            .see(1, Observation::ClosedByServer)
            .see(2, Observation::ClosedByServer)
            .connected_with(3, lasting("sub", V311), true)
    };
    closed().conforms();
    closed().receive(3, &qos1("t/a", "m1", 7, true)).conforms();
}

#[test]
fn keep_alive_closes_in_time_and_not_before() {
    pair(V311).later(93_000).see(1, Observation::ClosedByServer).see(2, Observation::ClosedByServer).conforms();
    pair(V311).later(80_000).see(1, Observation::ClosedByServer).violates("unprovoked-close", "");
    pair(V311).later(96_000).violates("keep-alive-closes", "MQTT-3.1.2-24");
    pair(V5)
        .later(91_000)
        .receive(1, &Packet::Disconnect(Disconnect::because(ReasonCode::KeepAliveTimeout)))
        .see(1, Observation::ClosedByServer)
        .see(2, Observation::ClosedByServer)
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
        .violates("refusal-closes", "MQTT-3.2.2-7");
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
fn bytes_that_are_no_packet_are_found() {
    let violation =
        pair(V311).see(1, Observation::Received(&[0xD1, 0])).violates("packet-is-well-formed", "MQTT-2.2.2-1");
    assert!(violation.seen.contains("found 0001"), "{violation:?}");
}

#[test]
fn overlapping_subscriptions_give_one_copy_or_several() {
    let overlapping = || {
        pair(V311).subscribed(1, 2, "t/#", Qos::AtMostOnce).send(2, &qos1("t/a", "m1", 1, false)).receive(2, &puback(1))
    };
    overlapping().receive(1, &qos1("t/a", "m1", 1, false)).conforms();
    overlapping().receive(1, &qos1("t/a", "m1", 1, false)).receive(1, &qos0("t/a", "m1")).conforms();
    overlapping().receive(1, &qos0("t/a", "m1")).receive(1, &qos1("t/a", "m1", 1, false)).conforms();
    overlapping().receive(1, &qos0("t/a", "m1")).violates("delivery-is-made", "MQTT-3.3.5-1");
    overlapping()
        .receive(1, &qos1("t/a", "m1", 1, false))
        .receive(1, &qos0("t/a", "m1"))
        .receive(1, &qos0("t/a", "m1"))
        .violates("delivery-once", "MQTT-4.3.2-1");
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
