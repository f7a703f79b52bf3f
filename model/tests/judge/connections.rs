//! Connections that break, and several of one client.

use crate::trace::{Trace, V5, V311, connack, connect, lasting, pair, puback, qos1, unsubscribe};
use model::judge::{Judgement, Observation};
use model::packet::{Disconnect, Packet, ReasonCode};

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
fn too_many_states_give_no_verdict() {
    // Which of its connections the server has taken so far, and which of them last, nobody can tell.
    let opened = (1..=16).fold(Trace::new("standard", V311), |trace, connection| {
        trace.see(connection, Observation::Opened).send(connection, &Packet::Connect(lasting("same", V311)))
    });
    let told = opened.receive(1, &connack(V311, false));
    assert!(matches!(told.verdict(), Judgement::Inconclusive(why) if why.contains("states of the model")));
}
