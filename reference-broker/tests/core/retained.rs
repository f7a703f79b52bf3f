//! Retained messages.

use crate::world::{V3_1, V3_1_1, V5_0, World, clean, lasting, publish, settings, text, will};
use model::packet::Qos::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use model::packet::{Connect, Packet, PublishProperties, Qos, RetainHandling, SubscriptionOptions, Will};
use reference_broker::core::ConnectionId;
use std::collections::BTreeSet;

fn retain(world: &mut World, client: ConnectionId, topic: &str, qos: Qos, payload: &str) {
    world.send(client, Packet::Publish(model::packet::Publish { retain: true, ..publish(topic, qos, payload) }));
}

fn handling(retain_handling: RetainHandling) -> SubscriptionOptions {
    SubscriptionOptions { retain_handling, ..SubscriptionOptions::default() }
}

#[test]
fn a_later_subscriber_gets_the_last_message_of_each_topic_with_retain() {
    for version in [V3_1, V3_1_1, V5_0] {
        let mut world = World::standard();
        let publisher = world.client(version, "p");
        for (topic, payload) in [("t/a", "old"), ("t/a", "new"), ("t/b", "b"), ("t/c", "c"), ("t/c", ""), ("u", "u")] {
            retain(&mut world, publisher, topic, AtLeastOnce, payload);
        }
        let late = world.client(version, "l");
        world.subscribe(late, &[("t/#", AtLeastOnce)]);
        let expected = ["SUBACK 1 01", "PUBLISH t/a new qos1 id1 retain", "PUBLISH t/b b qos1 id2 retain"];
        assert_eq!(world.seen(late), expected);
        // A message that is not retained changes nothing.
        world.publish(publisher, "t/a", AtMostOnce, "live");
        assert_eq!(world.seen(late), ["PUBLISH t/a live qos0"]);
        world.subscribe(late, &[("t/a", AtMostOnce)]);
        assert_eq!(world.seen(late), ["SUBACK 1 00", "PUBLISH t/a new qos0 retain"]);
    }
}

#[test]
fn live_deliveries_have_retain_only_for_who_asked_for_it_as_published() {
    let mut world = World::standard();
    let old = world.subscriber(V3_1_1, "o", "t", AtMostOnce);
    let plain = world.subscriber(V5_0, "a", "t", AtMostOnce);
    let as_published = world.client(V5_0, "b");
    let options = SubscriptionOptions { retain_as_published: true, ..SubscriptionOptions::default() };
    world.subscribe_with(as_published, "t", options);
    world.seen(as_published);
    let publisher = world.client(V3_1_1, "p");
    retain(&mut world, publisher, "t", AtMostOnce, "m");
    retain(&mut world, publisher, "t", AtMostOnce, "");
    world.publish(publisher, "t", AtMostOnce, "n");
    for client in [old, plain] {
        assert_eq!(world.seen(client), ["PUBLISH t m qos0", "PUBLISH t  qos0", "PUBLISH t n qos0"]);
    }
    let expected = ["PUBLISH t m qos0 retain", "PUBLISH t  qos0 retain", "PUBLISH t n qos0"];
    assert_eq!(world.seen(as_published), expected);
}

#[test]
fn retain_handling_decides_what_a_subscribe_gets() {
    use RetainHandling::{DoNotSend, Send, SendIfNew};
    // First, again, and again after UNSUBSCRIBE.
    for (option, expected) in
        [(Send, [true, true, true]), (SendIfNew, [true, false, true]), (DoNotSend, [false, false, false])]
    {
        let mut world = World::standard();
        let publisher = world.client(V5_0, "p");
        retain(&mut world, publisher, "t", AtMostOnce, "m");
        let client = world.client(V5_0, "c");
        for (step, expected) in expected.into_iter().enumerate() {
            if step == 2 {
                world.unsubscribe(client, &["t"]);
                world.seen(client);
            }
            world.subscribe_with(client, "t", handling(option));
            assert_eq!(world.seen(client).len(), 1 + usize::from(expected), "{option:?}, {step}");
        }
    }
    // The subscription may stand since an earlier connection.
    let mut world = World::standard();
    let publisher = world.client(V5_0, "p");
    let client = world.connect(V5_0, lasting(V5_0, "c"));
    world.subscribe_with(client, "t", handling(SendIfNew));
    world.cut(client);
    retain(&mut world, publisher, "t", AtMostOnce, "m");
    let client = world.connect(V5_0, lasting(V5_0, "c"));
    world.subscribe_with(client, "t", handling(SendIfNew));
    assert_eq!(world.seen(client), ["CONNACK 0x00 session-present", "SUBACK 1 00"]);
}

#[test]
fn a_retained_message_comes_at_the_lower_qos_of_both() {
    for (published, requested, delivered) in [
        (AtMostOnce, ExactlyOnce, "qos0"),
        (AtLeastOnce, AtMostOnce, "qos0"),
        (ExactlyOnce, AtLeastOnce, "qos1 id1"),
        (ExactlyOnce, ExactlyOnce, "qos2 id1"),
    ] {
        let mut world = World::standard();
        let publisher = world.client(V5_0, "p");
        retain(&mut world, publisher, "t", published, "m");
        let client = world.client(V5_0, "c");
        world.subscribe(client, &[("t", requested)]);
        assert_eq!(world.seen(client)[1..], [format!("PUBLISH t m {delivered} retain")]);
    }
}

#[test]
fn the_expiry_of_a_retained_message_counts_down_until_it_is_gone() {
    let mut world = World::standard();
    let publisher = world.connect(V5_0, Connect { keep_alive: 0, ..clean("p") });
    let properties = PublishProperties { message_expiry_interval: Some(10), ..PublishProperties::default() };
    let message = model::packet::Publish { retain: true, properties, ..publish("t", AtMostOnce, "m") };
    world.send(publisher, Packet::Publish(message));
    for (milliseconds, seen) in [(0, Some(10)), (4_000, Some(6)), (5_999, Some(1)), (1, None)] {
        world.elapse(milliseconds);
        let client = world.client(V5_0, "c");
        world.subscribe(client, &[("t", AtMostOnce)]);
        let expected: Vec<String> =
            seen.map(|seconds| format!("PUBLISH t m qos0 retain expiry{seconds}")).into_iter().collect();
        assert_eq!(world.seen(client)[1..], expected);
    }
}

#[test]
fn retained_messages_outlive_the_session_of_their_publisher() {
    let mut world = World::standard();
    let publisher = world.client(V5_0, "p");
    retain(&mut world, publisher, "t", AtMostOnce, "m");
    world.disconnect(publisher);
    let client = world.client(V5_0, "c");
    world.subscribe(client, &[("t", AtMostOnce)]);
    assert_eq!(world.seen(client), ["SUBACK 1 00", "PUBLISH t m qos0 retain"]);
}

#[test]
fn no_local_holds_for_ones_own_retained_message_too() {
    let mut world = World::standard();
    let client = world.client(V5_0, "c");
    let other = world.client(V5_0, "o");
    retain(&mut world, client, "t/own", AtMostOnce, "m");
    retain(&mut world, other, "t/theirs", AtMostOnce, "m");
    world.subscribe_with(client, "t/+", SubscriptionOptions { no_local: true, ..SubscriptionOptions::default() });
    assert_eq!(world.seen(client), ["SUBACK 1 00", "PUBLISH t/theirs m qos0 retain"]);
}

#[test]
fn a_will_can_be_retained() {
    for version in [V3_1_1, V5_0] {
        let mut world = World::standard();
        let retained = Will { retain: true, ..will("w", AtLeastOnce, None) };
        let client = world.connect(version, Connect { will: Some(retained), ..clean("c") });
        world.cut(client);
        let late = world.client(version, "l");
        world.subscribe(late, &[("w", AtMostOnce)]);
        assert_eq!(world.seen(late)[1..], ["PUBLISH w will qos0 retain"]);
    }
}

#[test]
fn what_finds_no_room_is_refused_and_expired_messages_make_room() {
    let mut settings = settings("standard");
    settings.limits.retained_messages = 1;
    let mut world = World::new(settings);
    let publisher = world.connect(V5_0, Connect { keep_alive: 0, ..clean("p") });
    world.seen(publisher);
    let properties = PublishProperties { message_expiry_interval: Some(10), ..PublishProperties::default() };
    let message = model::packet::Publish { retain: true, properties, ..publish("t", AtLeastOnce, "m") };
    world.send(publisher, Packet::Publish(message));
    for (topic, payload, code) in [("u", "m", "97"), ("u", "", "00"), ("t", "n", "00")] {
        world.seen(publisher);
        retain(&mut world, publisher, topic, AtLeastOnce, payload);
        assert_eq!(world.seen(publisher), [format!("PUBACK 1 0x{code}")], "{topic} {payload}");
    }
    let properties = PublishProperties { message_expiry_interval: Some(1), ..PublishProperties::default() };
    let message = model::packet::Publish { retain: true, properties, ..publish("t", AtLeastOnce, "m") };
    world.send(publisher, Packet::Publish(message));
    world.elapse(1_000);
    world.seen(publisher);
    retain(&mut world, publisher, "u", AtLeastOnce, "m");
    assert_eq!(world.seen(publisher), ["PUBACK 1 0x00"]);
}

#[test]
fn in_the_platform_of_2026_retained_messages_and_wills_are_for_5_0() {
    let mut world = World::new(settings("platform-2026"));
    let watcher = world.client(V5_0, "watcher");
    let options = SubscriptionOptions { retain_as_published: true, ..SubscriptionOptions::default() };
    world.subscribe_with(watcher, "#", options);
    world.seen(watcher);
    for (version, topic) in [(V3_1_1, "old"), (V5_0, "new")] {
        let client = world.connect(version, Connect { will: Some(will("w", AtMostOnce, None)), ..clean("c") });
        retain(&mut world, client, topic, AtMostOnce, "m");
        world.cut(client);
    }
    let expected = ["PUBLISH old m qos0", "PUBLISH new m qos0 retain", "PUBLISH w will qos0"];
    assert_eq!(world.seen(watcher), expected);
    for (version, seen) in [(V3_1_1, &[][..]), (V5_0, &["PUBLISH new m qos0 retain"])] {
        let late = world.client(version, "l");
        world.subscribe(late, &[("#", AtMostOnce)]);
        assert_eq!(world.seen(late)[1..], *seen);
    }
}

#[test]
fn without_retained_messages_retain_of_3_x_is_delivered_and_not_stored() {
    let mut settings = settings("standard");
    settings.retained_messages = BTreeSet::new();
    let mut world = World::new(settings);
    let watcher = world.client(V5_0, "w");
    let options = SubscriptionOptions { retain_as_published: true, ..SubscriptionOptions::default() };
    world.subscribe_with(watcher, "t", options);
    let publisher = world.client(V3_1_1, "p");
    retain(&mut world, publisher, "t", AtMostOnce, "m");
    world.subscribe_with(watcher, "t", options);
    assert_eq!(world.seen(watcher), ["SUBACK 1 00", "PUBLISH t m qos0", "SUBACK 1 00"]);
}

#[test]
fn what_is_said_about_a_retained_message_is_kept() {
    let mut world = World::standard();
    let publisher = world.client(V5_0, "p");
    let user_properties = vec![(text("k"), text("2")), (text("k"), text("1"))];
    let properties =
        PublishProperties { user_properties, content_type: Some(text("c")), ..PublishProperties::default() };
    let message = model::packet::Publish { retain: true, properties, ..publish("t", AtMostOnce, "m") };
    world.send(publisher, Packet::Publish(message.clone()));
    let late = world.client(V5_0, "l");
    world.subscribe(late, &[("t", AtMostOnce)]);
    assert_eq!(world.last(late), Some(Packet::Publish(message)));
}
