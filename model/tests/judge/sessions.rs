//! How a session begins, is resumed and ends.

use crate::trace::{Trace, V5, V311, connack, connect, lasting, pair, puback, qos0, qos1};
use model::judge::Observation;
use model::packet::{Connect, Disconnect, Packet, Qos, ReasonCode};
use model::profile::Feature;

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
    // What the client sends at last may cross the close on its way; an answer shows that it has come in time.
    let late = || pair(V311).later(91_000).send(1, &Packet::Pingreq);
    late().see(1, Observation::ClosedByServer).see(2, Observation::ClosedByServer).conforms();
    late().receive(1, &Packet::Pingresp).see(1, Observation::ClosedByServer).violates("unprovoked-close", "");
    pair(V311)
        .later(80_000)
        .send(1, &Packet::Pingreq)
        .see(1, Observation::ClosedByServer)
        .violates("unprovoked-close", "");
}

#[test]
fn a_session_may_be_over_when_a_connect_is_read_that_was_sent_before() {
    let coming_back = || {
        Trace::new("standard", V5)
            .connected_with(1, lasting("sub", V5), false)
            .see(1, Observation::ClosedByClient)
            .later(99_500)
            .see(2, Observation::Opened)
            .send(2, &Packet::Connect(lasting("sub", V5)))
    };
    coming_back().receive(2, &connack(V5, true)).conforms();
    coming_back().receive(2, &connack(V5, false)).violates("stored-session-is-present", "");
    coming_back().later(1_000).receive(2, &connack(V5, true)).conforms();
    coming_back().later(1_000).receive(2, &connack(V5, false)).conforms();
}

#[test]
fn what_is_routed_before_its_receiver_is_back_need_not_be_stored_at_qos_0() {
    let sent_while_away = || {
        let away = Trace::counting_on(Feature::Qos0Arrives, V311).connected_with(1, lasting("sub", V311), false);
        let away = away.subscribed(1, 1, "t/#", Qos::AtMostOnce).see(1, Observation::ClosedByClient);
        away.connected(2, "pub").send(2, &qos0("t/a", "m1"))
    };
    let back = |away: Trace| away.connected_with(3, lasting("sub", V311), true);
    let alive = |trace: Trace| trace.send(2, &Packet::Pingreq).receive(2, &Packet::Pingresp);
    alive(back(sent_while_away())).conforms();
    back(alive(sent_while_away())).conforms();
}
