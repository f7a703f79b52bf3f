//! Retained messages: what a new subscription meets, and how it is marked.

use crate::trace::*;
use model::packet::{Packet, Qos, ReasonCode, RetainHandling, SubscriptionOptions};

fn retained(topic: &str, payload: &str, packet_id: u16) -> Packet {
    marked(qos1(topic, payload, packet_id, false))
}

fn marked(packet: Packet) -> Packet {
    let Packet::Publish(mut publish) = packet else { unreachable!("a PUBLISH is marked") };
    publish.retain = true;
    Packet::Publish(publish)
}

/// `m1` is retained on `t/a`.
fn store(version: model::packet::ProtocolVersion) -> Trace {
    Trace::new("standard", version)
        .connected(1, "sub")
        .connected(2, "pub")
        .send(2, &retained("t/a", "m1", 1))
        .receive(2, &puback(1))
}

fn handling(retain_handling: RetainHandling) -> Packet {
    let options = SubscriptionOptions { qos: Qos::AtLeastOnce, retain_handling, ..SubscriptionOptions::default() };
    subscribe_with(5, "t/#", options)
}

#[test]
fn a_new_subscription_meets_what_is_retained() {
    for version in [V311, V5] {
        let subscribed = || store(version).subscribed(1, 1, "t/+", Qos::AtLeastOnce);
        subscribed().receive(1, &retained("t/a", "m1", 1)).conforms();
        subscribed().violates("delivery-is-made", "");
        subscribed().receive(1, &qos1("t/a", "m1", 1, false)).violates("retained-delivery-is-marked", "");
    }
    // Before SUBACK too.
    store(V5)
        .send(1, &subscribe(1, "t/a", Qos::AtLeastOnce))
        .receive(1, &retained("t/a", "m1", 1))
        .receive(1, &suback(1, &[ReasonCode::GrantedQos1]))
        .conforms();
}

#[test]
fn the_latest_one_counts_and_an_empty_one_clears() {
    let replaced = |payload: &str| store(V311).send(2, &retained("t/a", payload, 2)).receive(2, &puback(2));
    let met = |payload: &str| replaced(payload).subscribed(1, 1, "t/a", Qos::AtLeastOnce);
    met("m2").receive(1, &retained("t/a", "m2", 1)).conforms();
    met("m2").receive(1, &retained("t/a", "m1", 1)).violates("delivery-was-subscribed", "");
    met("").conforms();
    met("").receive(1, &retained("t/a", "m1", 1)).violates("delivery-was-subscribed", "");
    // A message without RETAIN leaves it alone.
    let live = store(V311).send(2, &qos1("t/a", "m2", 2, false)).receive(2, &puback(2));
    live.subscribed(1, 1, "t/a", Qos::AtLeastOnce).receive(1, &retained("t/a", "m1", 1)).conforms();
}

#[test]
fn one_that_is_on_its_way_may_be_met_or_not() {
    let on_its_way = || {
        store(V5)
            .send(1, &subscribe(1, "t/a", Qos::AtLeastOnce))
            .send(2, &retained("t/a", "m2", 2))
            .receive(2, &puback(2))
            .receive(1, &suback(1, &[ReasonCode::GrantedQos1]))
    };
    on_its_way().receive(1, &retained("t/a", "m2", 1)).conforms();
    on_its_way().receive(1, &retained("t/a", "m1", 1)).receive(1, &qos1("t/a", "m2", 2, false)).conforms();
}

#[test]
fn retain_handling_says_when() {
    let granted = suback(5, &[ReasonCode::GrantedQos1]);
    let asked = |how| store(V5).send(1, &handling(how)).receive(1, &granted);
    let came = retained("t/a", "m1", 1);
    asked(RetainHandling::DoNotSend).conforms();
    asked(RetainHandling::DoNotSend).receive(1, &came).violates("delivery-was-subscribed", "");
    asked(RetainHandling::SendIfNew).receive(1, &came).conforms();
    let again = || {
        asked(RetainHandling::SendIfNew)
            .receive(1, &came)
            .send(1, &puback(1))
            .send(1, &handling(RetainHandling::SendIfNew))
    };
    again().receive(1, &granted).conforms();
    again().receive(1, &granted).receive(1, &came).violates("delivery-was-subscribed", "");
    let again =
        asked(RetainHandling::Send).receive(1, &came).send(1, &puback(1)).send(1, &handling(RetainHandling::Send));
    again.receive(1, &granted).violates("delivery-is-made", "");
}

#[test]
fn a_live_message_is_marked_where_the_subscription_asks_for_it() {
    let as_published = |retain_as_published| {
        let options =
            SubscriptionOptions { qos: Qos::AtLeastOnce, retain_as_published, ..SubscriptionOptions::default() };
        Trace::new("standard", V5)
            .connected(1, "sub")
            .connected(2, "pub")
            .send(1, &subscribe_with(1, "t/a", options))
            .receive(1, &suback(1, &[ReasonCode::GrantedQos1]))
            .send(2, &retained("t/a", "m1", 1))
            .receive(2, &puback(1))
    };
    as_published(true).receive(1, &retained("t/a", "m1", 1)).conforms();
    as_published(true).receive(1, &qos1("t/a", "m1", 1, false)).violates("retain-as-published", "MQTT-3.3.1-13");
    as_published(false).receive(1, &qos1("t/a", "m1", 1, false)).conforms();
    as_published(false)
        .receive(1, &retained("t/a", "m1", 1))
        .violates("live-delivery-is-not-retained", "MQTT-3.3.1-12");
}

#[test]
fn one_that_a_takeover_left_unread_replaces_nothing() {
    let taken_over = || {
        store(V311)
            .send(2, &marked(qos0("t/a", "m2")))
            .connected(3, "pub")
            .send(3, &subscribe(1, "t/a", Qos::AtLeastOnce))
            .receive(3, &suback(1, &[ReasonCode::GrantedQos1]))
            .see(2, model::judge::Observation::ClosedByServer)
    };
    taken_over().receive(3, &retained("t/a", "m1", 1)).conforms();
    taken_over().receive(3, &marked(qos0("t/a", "m2"))).conforms();
}

#[test]
fn a_live_message_may_come_behind_its_retained_copy() {
    let as_published =
        SubscriptionOptions { qos: Qos::AtMostOnce, retain_as_published: true, ..SubscriptionOptions::default() };
    Trace::new("standard", V5)
        .connected(1, "sub")
        .subscribed(1, 1, "t/+", Qos::AtMostOnce)
        .connected(2, "pub")
        .send(2, &marked(qos0("t/a", "m1")))
        .send(1, &subscribe_with(2, "t/+", as_published))
        // The first is the retained one that the SUBSCRIBE has met: the live one is marked differently.
        .receive(1, &marked(qos0("t/a", "m1")))
        .receive(1, &qos0("t/a", "m1"))
        .receive(1, &suback(2, &[ReasonCode::Success]))
        .conforms();
}

#[test]
fn each_suback_tells_of_its_own_subscribe() {
    let taken = || {
        store(V311)
            .send(1, &subscribe(5, "t/a", Qos::AtLeastOnce))
            .send(1, &subscribe(6, "t/a", Qos::AtMostOnce))
            .send(1, &Packet::Pingreq)
            .receive(1, &Packet::Pingresp)
            .receive(1, &suback(5, &[ReasonCode::GrantedQos1]))
    };
    let second = |trace: Trace| trace.receive(1, &suback(6, &[ReasonCode::Success]));
    second(taken().receive(1, &marked(qos0("t/a", "m1"))).receive(1, &retained("t/a", "m1", 1))).conforms();
    second(taken().receive(1, &retained("t/a", "m1", 1)))
        .receive(1, &retained("t/a", "m1", 2))
        .violates("delivery-once", "");
}
