//! Which message comes to whom, how often, at which QoS and in which order.

use crate::trace::{
    Trace, V5, V311, connack, connect, id, lasting, pair, puback, qos0, qos1, suback, subscribe, unsuback, unsubscribe,
};
use model::judge::Observation;
use model::packet::{Acknowledgement, Packet, ProtocolVersion, Qos, ReasonCode};

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
fn a_missing_delivery_is_found_at_the_end() {
    pair(V5).send(2, &qos1("t/a", "m1", 1, false)).receive(2, &puback(1)).violates("delivery-is-made", "MQTT-4.5.0-1");
    // At QoS 0 it may be lost.
    pair(V5).send(2, &qos0("t/a", "m1")).conforms();
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
fn a_version_that_promises_no_order_is_held_to_none() {
    let reordered = |version: ProtocolVersion| {
        pair(version)
            .send(2, &qos1("t/a", "m1", 1, false))
            .receive(2, &puback(1))
            .send(2, &qos1("t/a", "m2", 2, false))
            .receive(2, &puback(2))
            .receive(1, &qos1("t/a", "m2", 1, false))
    };
    reordered(V311).violates("order-is-kept", "MQTT-4.6.0-6");
    reordered(ProtocolVersion::V3_1).receive(1, &qos1("t/a", "m1", 2, false)).conforms();
    reordered(ProtocolVersion::V3_1).send(1, &puback(1)).violates("delivery-is-made", "");
}

#[test]
fn order_is_kept_in_a_lane() {
    let sent = || {
        pair(V5)
            .send(2, &qos1("t/a", "m1", 1, false))
            .send(2, &qos1("t/a", "m2", 2, false))
            .send(2, &qos1("t/b", "m3", 3, false))
    };
    let answered = |trace: Trace, first: Packet| {
        trace.receive(2, &first).receive(2, &puback(2)).receive(2, &puback(3)).receive(1, &qos1("t/b", "m3", 9, false))
    };
    let overtaken = || sent().receive(1, &qos1("t/a", "m2", 1, false));
    answered(overtaken(), puback(1)).violates("order-is-kept", "MQTT-4.6.0-5");
    answered(overtaken(), puback(1)).receive(1, &qos1("t/a", "m1", 2, false)).violates("order-is-kept", "MQTT-4.6.0-5");
    answered(sent(), puback(1)).receive(1, &qos1("t/a", "m2", 1, false)).violates("order-is-kept", "MQTT-4.6.0-5");
    // A server of 5.0 may refuse the first one: then nothing is out of order.
    let refused = Acknowledgement { reason: ReasonCode::QuotaExceeded, ..Acknowledgement::success(id(1)) };
    answered(overtaken(), Packet::Puback(refused)).conforms();
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

/// A second connection of a client brings what was not acknowledged on its first one. The PUBACK that comes there late is
/// none for the copy: that may still be taken for a new message (4.3.2), and meet who subscribes only now.
#[test]
fn a_copy_on_a_later_connection_outlives_the_puback_of_the_first_one() {
    let acknowledged = |version| {
        Trace::new("standard", version)
            .connected(1, "sub")
            .connected_with(2, lasting("pub", version), false)
            .send(2, &qos1("t/a", "m1", 1, false))
            .connected_with(3, lasting("pub", version), true)
            .send(3, &qos1("t/a", "m1", 1, true))
            .receive(2, &puback(1))
            .see(2, Observation::ClosedByServer)
    };
    let delivered =
        |trace: Trace| trace.subscribed(1, 1, "t/a", Qos::AtLeastOnce).receive(1, &qos1("t/a", "m1", 1, false));
    for version in [V311, V5] {
        let late = delivered(acknowledged(version)).send(1, &puback(1)).receive(3, &puback(1));
        late.conforms();
        // With its own PUBACK it is done.
        let none_is_left = delivered(acknowledged(version).receive(3, &puback(1)));
        none_is_left.violates("delivery-was-subscribed", "");
    }
}

#[test]
fn a_message_that_is_taken_twice_meets_what_was_subscribed_meanwhile() {
    let delivered = Trace::new("standard", V5)
        .connected(1, "sub")
        .subscribed(1, 1, "t/a", Qos::AtMostOnce)
        .connected_with(2, lasting("pub", V5), false)
        .send(2, &qos1("t/a", "m1", 7, false))
        .see(2, Observation::ClosedByClient)
        .connected_with(3, lasting("pub", V5), true)
        .send(3, &qos1("t/a", "m1", 7, true))
        .receive(1, &qos0("t/a", "m1"))
        .subscribed(1, 2, "t/a", Qos::AtLeastOnce);
    delivered.receive(1, &qos1("t/a", "m1", 1, false)).receive(3, &puback(7)).conforms();
}

/// Who listens is heard on connection 1; what a publisher sends on connection 2, its CONNECT first, waits to be read.
fn heard_and_unread(version: ProtocolVersion) -> Trace {
    Trace::new("standard", version)
        .connected(1, "sub")
        .subscribed(1, 1, "t/a", Qos::AtLeastOnce)
        .see(2, Observation::Opened)
        .send(2, &Packet::Connect(lasting("pub", version)))
}

#[test]
fn a_copy_on_a_connection_that_is_read_first_comes_before_what_was_sent_earlier() {
    let raced = |is_gone: bool| {
        let first = heard_and_unread(V5).send(2, &qos1("t/a", "m1", 6, false)).send(2, &qos1("t/a", "m2", 7, false));
        let first = if is_gone { first.see(2, Observation::ClosedByClient) } else { first };
        first
            .connected_with(3, lasting("pub", V5), is_gone)
            .send(3, &qos1("t/a", "m2", 7, true))
            .receive(1, &qos1("t/a", "m2", 1, false))
            .receive(3, &puback(7))
            .receive(1, &qos1("t/a", "m1", 2, false))
            .receive(1, &qos1("t/a", "m2", 3, false))
    };
    let read_last = raced(false).see(3, Observation::ClosedByServer).receive(2, &connack(V5, true));
    read_last.receive(2, &puback(6)).receive(2, &puback(7)).conforms();
    raced(true).violates("delivery-was-subscribed", "");
}

#[test]
fn a_copy_that_waits_on_another_connection_may_come_behind_a_later_message() {
    for version in [V311, V5] {
        // The server reads the first connection last: it takes the second one over.
        heard_and_unread(version)
            .send(2, &qos1("t/a", "m1", 7, false))
            .connected_with(3, lasting("pub", version), false)
            .send(3, &qos1("t/a", "m1", 7, true))
            .receive(1, &qos1("t/a", "m1", 1, false))
            .receive(3, &puback(7))
            .send(3, &qos1("t/a", "m2", 8, false))
            .receive(1, &qos1("t/a", "m2", 2, false))
            .receive(3, &puback(8))
            .see(3, Observation::ClosedByServer)
            .receive(2, &connack(version, true))
            .receive(2, &puback(7))
            .receive(1, &qos1("t/a", "m1", 3, false))
            .conforms();
    }
}

#[test]
fn of_messages_alike_on_two_connections_the_one_of_the_connection_that_is_read_first_comes() {
    let takes = |trace: Trace, connection| {
        let opened = trace.see(connection, Observation::Opened);
        opened.send(connection, &Packet::Connect(connect("pub"))).receive(connection, &connack(V311, false))
    };
    let subscribed = Trace::new("standard", V311).connected(1, "sub").subscribed(1, 1, "t/#", Qos::AtMostOnce);
    let waiting = subscribed.see(2, Observation::Opened).send(2, &Packet::Connect(connect("pub")));
    takes(waiting.send(2, &qos0("t/a", "same")), 3)
        .send(3, &qos0("t/a", "same"))
        .receive(1, &qos0("t/a", "same"))
        .send(3, &qos0("t/a", "next"))
        .receive(1, &qos0("t/a", "next"))
        .see(3, Observation::ClosedByServer)
        .receive(2, &connack(V311, false))
        .receive(1, &qos0("t/a", "same"))
        .conforms();
}
