//! QoS 2 in both directions.

use crate::trace::*;
use model::judge::Observation;
use model::packet::{Acknowledgement, Packet, ProtocolVersion, Qos, ReasonCode};

/// The publisher sends `m1` at QoS 2 and the exchange is completed.
fn published(trace: Trace) -> Trace {
    trace
        .send(2, &qos2("t/a", "m1", 7, false))
        .receive(2, &pubrec(7))
        .send(2, &pubrel(7))
        .receive(2, &pubcomp(7, ReasonCode::Success))
}

fn subscriber(version: ProtocolVersion) -> Trace {
    Trace::new("standard", version).connected(1, "sub").subscribed(1, 1, "t/a", Qos::ExactlyOnce).connected(2, "pub")
}

#[test]
fn a_message_goes_through_both_exchanges() {
    for version in [V311, V5] {
        published(subscriber(version))
            .receive(1, &qos2("t/a", "m1", 1, false))
            .send(1, &pubrec(1))
            .receive(1, &pubrel(1))
            .send(1, &pubcomp(1, ReasonCode::Success))
            .conforms();
    }
    published(subscriber(V5)).violates("delivery-is-made", "MQTT-4.5.0-1");
}

#[test]
fn each_step_of_the_server_is_owed() {
    subscriber(V5).send(2, &qos2("t/a", "m1", 7, false)).violates("publish-is-received", "MQTT-4.3.3-8");
    let received = || subscriber(V5).send(2, &qos2("t/a", "m1", 7, false)).receive(2, &pubrec(7));
    received().conforms();
    received().send(2, &pubrel(7)).violates("pubrel-is-answered", "MQTT-4.3.3-11");
    let delivered = || published(subscriber(V5)).receive(1, &qos2("t/a", "m1", 1, false));
    delivered().conforms();
    delivered().send(1, &pubrec(1)).violates("pubrec-is-answered", "MQTT-4.3.3-4");
    delivered().receive(1, &pubrel(1)).violates("pubrel-names-its-pubrec", "MQTT-2.2.1-5");
}

#[test]
fn a_message_that_comes_again_is_delivered_once() {
    let again = || {
        subscriber(V311)
            .send(2, &qos2("t/a", "m1", 7, false))
            .receive(2, &pubrec(7))
            .send(2, &qos2("t/a", "m1", 7, true))
            .receive(2, &pubrec(7))
            .send(2, &pubrel(7))
            .receive(2, &pubcomp(7, ReasonCode::Success))
            .receive(1, &qos2("t/a", "m1", 1, false))
    };
    again().conforms();
    again().receive(1, &qos2("t/a", "m1", 2, false)).violates("delivery-once", "");
    // After PUBCOMP the same identifier is a new message.
    published(again()).receive(1, &qos2("t/a", "m1", 2, false)).conforms();
}

#[test]
fn after_pubrec_the_publish_does_not_come_again() {
    let lasting_subscriber = |version| {
        Trace::new("standard", version)
            .connected_with(1, lasting("sub", version), false)
            .connected(2, "pub")
            .subscribed(1, 1, "t/a", Qos::ExactlyOnce)
    };
    for version in [V311, V5] {
        let broken = || {
            published(lasting_subscriber(version))
                .receive(1, &qos2("t/a", "m1", 1, false))
                .send(1, &pubrec(1))
                .receive(1, &pubrel(1))
                .see(1, Observation::ClosedByClient)
                .connected_with(3, lasting("sub", version), true)
        };
        broken().receive(3, &pubrel(1)).send(3, &pubcomp(1, ReasonCode::Success)).conforms();
        broken().receive(3, &qos2("t/a", "m1", 1, true)).violates("received-is-not-repeated", "");
        broken().violates("unacknowledged-is-repeated", "MQTT-4.4.0-1");
    }
}

#[test]
fn an_unknown_identifier_is_answered() {
    pair(V5).send(2, &pubrel(9)).receive(2, &pubcomp(9, ReasonCode::PacketIdentifierNotFound)).conforms();
    pair(V5).send(2, &pubrel(9)).receive(2, &pubcomp(9, ReasonCode::Success)).conforms();
    pair(V5).send(2, &pubrel(9)).violates("pubrel-is-answered", "MQTT-4.3.3-11");
    let known = subscriber(V5).send(2, &qos2("t/a", "m1", 7, false)).receive(2, &pubrec(7)).send(2, &pubrel(7));
    known.receive(2, &pubcomp(7, ReasonCode::PacketIdentifierNotFound)).violates("pubrel-is-answered", "");
}

#[test]
fn an_open_exchange_counts_until_pubcomp() {
    let mut narrow = connect("sub");
    narrow.properties.receive_maximum = std::num::NonZeroU16::new(1);
    let first = Trace::new("standard", V5).connected_with(1, narrow, false).connected(2, "pub").subscribed(
        1,
        1,
        "t/a",
        Qos::ExactlyOnce,
    );
    let first = published(first).send(2, &qos2("t/a", "m2", 8, false)).receive(2, &pubrec(8));
    let first = first.receive(1, &qos2("t/a", "m1", 1, false)).send(1, &pubrec(1)).receive(1, &pubrel(1));
    first.receive(1, &qos2("t/a", "m2", 2, false)).violates("receive-maximum-is-obeyed", "MQTT-3.3.4-9");
}

#[test]
fn a_refused_message_goes_nowhere() {
    let refusal =
        Packet::Pubrec(Acknowledgement { reason: ReasonCode::QuotaExceeded, ..Acknowledgement::success(id(7)) });
    let refused = || subscriber(V5).send(2, &qos2("t/a", "m1", 7, false)).receive(2, &refusal);
    refused().conforms();
    refused().receive(1, &qos2("t/a", "m1", 1, false)).violates("delivery-was-subscribed", "");
}

/// `pub` breaks off and comes back on another connection, to the session that it had.
fn comes_back(trace: Trace, from: u32, to: u32) -> Trace {
    trace.see(from, Observation::ClosedByClient).connected_with(to, lasting("pub", V5), true)
}

/// The publisher's session ends after a second, and it connects again on connection 4, before its CONNACK.
fn ends_and_begins(trace: Trace) -> Trace {
    let mut short = lasting("pub", V5);
    short.properties.session_expiry_interval = Some(1);
    trace
        .see(2, Observation::ClosedByClient)
        .see(3, Observation::Opened)
        .send(3, &Packet::Connect(short))
        .see(3, Observation::ClosedByClient)
        .later(20_000)
        .see(4, Observation::Opened)
        .send(4, &Packet::Connect(lasting("pub", V5)))
}

fn lasting_pair(granted: Qos) -> Trace {
    Trace::new("standard", V5).connected(1, "sub").subscribed(1, 1, "t/a", granted).connected_with(
        2,
        lasting("pub", V5),
        false,
    )
}

#[test]
fn a_message_that_was_refused_once_has_no_place_in_the_order() {
    let overtaken = lasting_pair(Qos::AtMostOnce)
        .send(2, &qos2("t/a", "m1", 7, false))
        .send(2, &qos2("t/a", "m2", 8, false))
        .receive(1, &qos0("t/a", "m2"));
    // The PUBREC that refused `m1` was lost with the connection.
    comes_back(overtaken, 2, 3)
        .send(3, &qos2("t/a", "m1", 7, true))
        .send(3, &qos2("t/a", "m2", 8, true))
        .receive(3, &pubrec(7))
        .receive(3, &pubrec(8))
        .receive(1, &qos0("t/a", "m1"))
        .conforms();
}

#[test]
fn a_server_may_hold_what_its_client_has_forgotten() {
    let version = ProtocolVersion::V3_1;
    let clean = || Packet::Connect(connect("pub"));
    let forgotten = Trace::new("standard", version)
        .connected(1, "sub")
        .subscribed(1, 1, "t/a", Qos::ExactlyOnce)
        .connected_with(2, lasting("pub", version), false)
        .send(2, &qos2("t/b", "m1", 7, false))
        .receive(2, &pubrec(7))
        .see(2, Observation::ClosedByClient)
        // The server never reads this one: its client has forgotten `m1`, the server has not.
        .see(3, Observation::Opened)
        .send(3, &clean())
        .see(3, Observation::ClosedByClient)
        .connected_with(4, lasting("pub", version), false)
        .send(4, &qos1("t/b", "m2", 7, false))
        .receive(4, &puback(7));
    forgotten
        .send(4, &qos2("t/a", "m3", 7, false))
        .receive(4, &pubrec(7))
        .send(4, &pubrel(7))
        .receive(4, &pubcomp(7, ReasonCode::Success))
        .conforms();
}

#[test]
fn a_session_that_has_ended_unseen_knows_no_message() {
    let delivered = || {
        lasting_pair(Qos::ExactlyOnce).send(2, &qos2("t/a", "m1", 7, false)).receive(1, &qos2("t/a", "m1", 1, false))
    };
    let again = |trace: Trace, connection: u32| {
        trace
            .send(connection, &qos2("t/a", "m1", 7, true))
            .receive(connection, &pubrec(7))
            .receive(1, &qos2("t/a", "m1", 2, false))
            .send(1, &pubrec(1))
            .receive(1, &pubrel(1))
    };
    again(comes_back(delivered(), 2, 3), 3).violates("delivery-once", "");
    let ended = ends_and_begins(delivered());
    again(comes_back(ended, 4, 5), 5).conforms();
}

#[test]
fn what_was_not_released_may_be_lost_with_its_session() {
    let received = || lasting_pair(Qos::ExactlyOnce).send(2, &qos2("t/a", "m1", 7, false)).receive(2, &pubrec(7));
    let released = |trace: Trace, connection: u32, reason: ReasonCode| {
        trace.send(connection, &pubrel(7)).receive(connection, &pubcomp(7, reason))
    };
    released(comes_back(received(), 2, 3), 3, ReasonCode::Success).violates("delivery-is-made", "MQTT-4.5.0-1");
    let ended = ends_and_begins(received());
    released(comes_back(ended, 4, 5), 5, ReasonCode::PacketIdentifierNotFound).conforms();
}

#[test]
fn what_is_released_first_may_be_passed_on_first() {
    let received = |version: ProtocolVersion| {
        subscriber(version)
            .send(2, &qos2("t/a", "m1", 7, false))
            .receive(2, &pubrec(7))
            .send(2, &qos2("t/a", "m2", 8, false))
            .receive(2, &pubrec(8))
    };
    let released = |trace: Trace, id: u16| trace.send(2, &pubrel(id)).receive(2, &pubcomp(id, ReasonCode::Success));
    let delivered = |trace: Trace, payload: &str, id: u16| {
        trace
            .receive(1, &qos2("t/a", payload, id, false))
            .send(1, &pubrec(id))
            .receive(1, &pubrel(id))
            .send(1, &pubcomp(id, ReasonCode::Success))
    };
    for version in [V311, V5] {
        let as_released = |trace: Trace| delivered(released(trace, 8), "m2", 1);
        delivered(released(as_released(received(version)), 7), "m1", 2).conforms();
        let as_published = delivered(delivered(received(version), "m1", 1), "m2", 2);
        released(released(as_published, 8), 7).conforms();
        let in_order = released(released(received(version), 7), 8);
        let statement = if version == V5 { "MQTT-4.6.0-5" } else { "MQTT-4.6.0-6" };
        in_order.receive(1, &qos2("t/a", "m2", 1, false)).violates("order-is-kept", statement);
    }
}

#[test]
fn what_is_published_before_connack_is_released_like_any_other() {
    Trace::new("standard", V311)
        .see(1, Observation::Opened)
        .send(1, &Packet::Connect(connect("one")))
        .send(1, &qos2("t/a", "m1", 7, false))
        .send(1, &qos2("t/a", "m2", 8, false))
        .send(1, &subscribe(1, "t/a", Qos::ExactlyOnce))
        .receive(1, &connack(V311, false))
        .receive(1, &pubrec(7))
        .receive(1, &pubrec(8))
        .receive(1, &suback(1, &[ReasonCode::GrantedQos2]))
        .send(1, &pubrel(8))
        .receive(1, &qos2("t/a", "m2", 1, false))
        .receive(1, &pubcomp(8, ReasonCode::Success))
        .send(1, &pubrel(7))
        .receive(1, &qos2("t/a", "m1", 2, false))
        .receive(1, &pubcomp(7, ReasonCode::Success))
        .conforms();
}

#[test]
fn what_a_connection_did_not_take_the_next_one_need_not_get() {
    let mut small = lasting("sub", V5);
    small.properties.maximum_packet_size = std::num::NonZeroU32::new(40);
    Trace::new("standard", V5)
        .connected_with(1, small, false)
        .subscribed(1, 1, "t/a", Qos::AtLeastOnce)
        .connected(2, "pub")
        .send(2, &qos2("t/a", &"L".repeat(100), 7, false))
        .receive(2, &pubrec(7))
        .see(1, Observation::ClosedByClient)
        .connected_with(3, lasting("sub", V5), true)
        .send(2, &pubrel(7))
        .receive(2, &pubcomp(7, ReasonCode::Success))
        .conforms();
}

#[test]
fn a_second_pubrec_is_no_answer() {
    let refusal =
        Packet::Pubrec(Acknowledgement { reason: ReasonCode::UnspecifiedError, ..Acknowledgement::success(id(1)) });
    lasting_pair(Qos::ExactlyOnce)
        .send(2, &qos2("t/a", "m1", 7, false))
        .receive(1, &qos2("t/a", "m1", 1, false))
        .send(1, &pubrec(1))
        .receive(1, &pubrel(1))
        .send(1, &refusal)
        .receive(1, &goodbye(ReasonCode::ProtocolError))
        .see(1, Observation::ClosedByServer)
        .receive(2, &pubrec(7))
        .conforms();
}

#[test]
fn a_copy_on_another_connection_is_new_when_the_exchange_is_over() {
    Trace::new("standard", V311)
        .connected(1, "pub")
        .connected(3, "sub")
        .see(2, Observation::Opened)
        .send(2, &Packet::Connect(connect("pub")))
        .send(2, &qos2("t/a", "m1", 7, false))
        .send(1, &qos2("t/a", "m1", 7, true))
        .receive(1, &pubrec(7))
        .send(1, &pubrel(7))
        .receive(1, &pubcomp(7, ReasonCode::Success))
        .subscribed(3, 1, "t/a", Qos::ExactlyOnce)
        .see(1, Observation::ClosedByServer)
        .receive(2, &connack(V311, false))
        .receive(2, &pubrec(7))
        .receive(3, &qos2("t/a", "m1", 1, false))
        .conforms();
}

#[test]
fn a_message_that_is_not_released_goes_with_its_session() {
    for version in [V311, V5] {
        let ends = |trace: Trace| {
            let released = trace.send(3, &pubrel(7)).receive(3, &pubcomp(7, ReasonCode::Success));
            released.conforms();
        };
        let received = |trace: Trace| trace.send(2, &qos2("t/a", "m1", 7, false)).receive(2, &pubrec(7));
        let clean = Packet::Connect(connect("pub"));
        let begins = |trace: Trace| trace.see(3, Observation::Opened).send(3, &clean);
        let taken_over = |trace: Trace| trace.see(2, Observation::ClosedByServer).receive(3, &connack(version, false));
        ends(taken_over(begins(received(subscriber(version)))));
        // The CONNECT that ends it was sent first.
        let first = Trace::new("standard", version).connected(1, "sub").subscribed(1, 1, "t/a", Qos::ExactlyOnce);
        ends(taken_over(received(begins(first).connected(2, "pub"))));
    }
}

#[test]
fn a_puback_says_nothing_of_a_message_of_qos_2_with_its_identifier() {
    for version in [V311, V5] {
        // Its client has said CONNECT with Clean Session elsewhere, and takes the identifier for free.
        let reused = subscriber(version)
            .send(2, &qos2("t/a", "m1", 7, false))
            .receive(2, &pubrec(7))
            .send(2, &qos1("t/b", "m2", 7, false))
            .receive(2, &puback(7));
        reused.conforms();
    }
}
