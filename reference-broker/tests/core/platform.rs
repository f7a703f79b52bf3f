//! What `platform` does otherwise.

use crate::world::{V3_1, V3_1_1, V5_0, World, clean, lasting, packet_id, publish, text, will};
use model::packet::Qos::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use model::packet::{
    Connect, ConnectProperties, Packet, PublishProperties, Qos, Subscribe, SubscribeProperties, SubscriptionOptions,
    SubscriptionRequest, Will,
};
use std::num::{NonZeroU16, NonZeroU32};

#[test]
fn keep_alive_is_30_to_1200() {
    for (keep_alive, accepted) in [(0, false), (29, false), (30, true), (1200, true), (1201, false)] {
        for (version, refusal) in [(V3_1, "CONNACK 0x02"), (V3_1_1, "CONNACK 0x02"), (V5_0, "CONNACK 0x80")] {
            let mut world = World::platform();
            let client = world.connect(version, Connect { keep_alive, ..clean("c") });
            let expected: &[&str] = if accepted { &["CONNACK 0x00"] } else { &[refusal, "closed"] };
            assert_eq!(world.seen(client), expected, "{keep_alive} {version}");
        }
    }
}

#[test]
fn the_connack_of_5_0_tells_everything() {
    let mut world = World::platform();
    let properties = ConnectProperties {
        session_expiry_interval: Some(3600),
        receive_maximum: NonZeroU16::new(5),
        maximum_packet_size: NonZeroU32::new(1024),
        topic_alias_maximum: Some(20),
        user_properties: vec![(text("key1"), text("value1"))],
        ..ConnectProperties::default()
    };
    let connack = world.connack(V5_0, Connect { clean_start: false, keep_alive: 300, properties, ..clean("c") });
    // W4 of the platform's facts: the order of properties is free, and this one sorts them.
    let w4 = "201d00001a1100000e1013012c22001424012500270004000028012900 2a00".replace(' ', "");
    assert_eq!(connack, w4);
}

#[test]
fn the_connack_of_the_newer_pages_offers_retained_messages_and_sharing() {
    let mut world = World::new(crate::world::settings("platform-2026"));
    let properties = ConnectProperties { session_expiry_interval: Some(3600), ..ConnectProperties::default() };
    let connack = world.connack(V5_0, Connect { clean_start: false, keep_alive: 300, properties, ..clean("c") });
    // W5, sorted as W4 is.
    assert_eq!(connack, "201d00001a1100000e1013012c220014240125012700040000280129002a01");
}

#[test]
fn the_publisher_decides_the_qos_and_suback_says_1() {
    for (published, requested, delivered) in [
        (AtMostOnce, AtMostOnce, "qos0"),
        (AtMostOnce, ExactlyOnce, "qos0"),
        (AtLeastOnce, AtMostOnce, "qos1 id1"),
        (AtLeastOnce, AtLeastOnce, "qos1 id1"),
    ] {
        let mut world = World::platform();
        let subscriber = world.client(V3_1_1, "s");
        world.subscribe(subscriber, &[("t", requested)]);
        assert_eq!(world.seen(subscriber), ["SUBACK 1 01"]);
        let publisher = world.client(V3_1_1, "p");
        world.publish(publisher, "t", published, "m");
        assert_eq!(world.seen(subscriber), [format!("PUBLISH t m {delivered}")]);
    }
}

#[test]
fn wills_are_accepted_and_never_published() {
    let mut world = World::platform();
    let watcher = world.subscriber(V3_1_1, "w", "w", AtLeastOnce);
    let client = world.connect(V3_1_1, Connect { will: Some(will("w", AtLeastOnce, None)), ..clean("c") });
    assert_eq!(world.seen(client), ["CONNACK 0x00"]);
    world.cut(client);
    assert!(world.seen(watcher).is_empty());
    let retained = Will { retain: true, ..will("w", AtMostOnce, None) };
    let client = world.connect(V5_0, Connect { will: Some(retained), ..clean("c") });
    assert_eq!(world.seen(client), ["CONNACK 0x9A", "closed"]);
}

#[test]
fn filters_beyond_the_limits_are_refused_one_by_one() {
    let nine: Vec<String> = (1..=9).map(|number| format!("t/{number}")).collect();
    let nine: Vec<(&str, Qos)> = nine.iter().map(|filter| (filter.as_str(), AtMostOnce)).collect();
    let long = "x".repeat(129);
    let limit = "x".repeat(128);
    let topics =
        [(long.as_str(), AtMostOnce), (&limit, AtMostOnce), ("/1/2/3/4/5/6/8", AtMostOnce), ("////////", AtMostOnce)];
    for (version, filters, seen) in [
        (V3_1_1, &nine[..], "SUBACK 1 01 01 01 01 01 01 01 01 80"),
        (V5_0, &nine, "SUBACK 1 01 01 01 01 01 01 01 01 97"),
        (V3_1, &nine, "closed"),
        (V3_1_1, &topics, "SUBACK 1 80 01 01 80"),
        (V5_0, &topics, "SUBACK 1 8F 01 01 8F"),
        (V3_1_1, &[("$share/g/t", AtMostOnce)], "SUBACK 1 80"),
        (V5_0, &[("$share/g/t", AtMostOnce)], "SUBACK 1 9E"),
    ] {
        let mut world = World::platform();
        let client = world.client(version, "c");
        world.subscribe(client, filters);
        assert_eq!(world.seen(client), [seen], "{version} {filters:?}");
    }
}

#[test]
fn the_101st_subscription_is_refused_and_an_old_one_can_still_be_replaced() {
    for (version, refusal) in [(V3_1_1, "SUBACK 1 80 01"), (V5_0, "SUBACK 1 97 01")] {
        let mut world = World::platform();
        let client = world.client(version, "c");
        for number in 1..=100 {
            world.subscribe(client, &[(&format!("t/{number}"), AtMostOnce)]);
        }
        assert_eq!(world.seen(client), vec!["SUBACK 1 01"; 100]);
        world.subscribe(client, &[("t/101", AtMostOnce), ("t/1", AtMostOnce)]);
        assert_eq!(world.seen(client), [refusal]);
    }
}

#[test]
fn publishes_beyond_the_limits_go_nowhere() {
    let pair = |name: &str, value: &str| (text(name), text(value));
    let with = |properties| model::packet::Publish { properties, ..publish("t", AtLeastOnce, "m") };
    let users = |user_properties| with(PublishProperties { user_properties, ..PublishProperties::default() });
    let response = |length: usize| {
        let response_topic = Some(text(&"r".repeat(length)));
        with(PublishProperties { response_topic, ..PublishProperties::default() })
    };
    let correlation = |length: usize| {
        with(PublishProperties { correlation_data: Some(vec![1; length]), ..PublishProperties::default() })
    };
    for (message, code) in [
        (users(vec![pair("a", "b"); 20]), "00"),
        (users(vec![pair("a", "b"); 21]), "97"),
        (users(vec![pair("_a", "b")]), "99"),
        (users(vec![pair("a", &"b".repeat(127))]), "00"),
        (users(vec![pair("a", &"b".repeat(128))]), "99"),
        (response(128), "00"),
        (response(129), "97"),
        (correlation(128), "00"),
        (correlation(129), "97"),
        (publish(&"t".repeat(129), AtLeastOnce, "m"), "90"),
        (publish("////////", AtLeastOnce, "m"), "90"),
    ] {
        let mut world = World::platform();
        let watcher = world.subscriber(V5_0, "w", "#", AtLeastOnce);
        let client = world.client(V5_0, "c");
        let shown = format!("{message:?}");
        world.send(client, Packet::Publish(message));
        assert_eq!(world.seen(client), [format!("PUBACK 1 0x{code}")], "{shown}");
        assert_eq!(world.seen(watcher).len(), usize::from(code == "00"), "{shown}");
    }
    let mut world = World::platform();
    let watcher = world.subscriber(V3_1_1, "w", "#", AtLeastOnce);
    let client = world.client(V3_1_1, "c");
    world.send(client, Packet::Publish(publish("////////", AtLeastOnce, "m")));
    assert_eq!(world.seen(client), ["PUBACK 1 0x00"], "3.x has no code for it");
    assert!(world.seen(watcher).is_empty());
}

#[test]
fn a_connect_with_too_many_user_properties_is_refused() {
    for (count, seen) in [(20, vec!["CONNACK 0x00"]), (21, vec!["CONNACK 0x97", "closed"])] {
        let mut world = World::platform();
        let user_properties = vec![(text("a"), text("b")); count];
        let properties = ConnectProperties { user_properties, ..ConnectProperties::default() };
        let client = world.connect(V5_0, Connect { properties, ..clean("c") });
        assert_eq!(world.seen(client), seen);
    }
}

#[test]
fn stored_messages_are_kept_for_seven_days() {
    const SEVEN_DAYS: u64 = 7 * 24 * 60 * 60 * 1_000;
    for (waited, received) in [(SEVEN_DAYS - 1, true), (SEVEN_DAYS, false)] {
        let mut world = World::platform();
        let subscriber = world.connect(V3_1_1, lasting(V3_1_1, "s"));
        world.subscribe(subscriber, &[("t", AtLeastOnce)]);
        world.cut(subscriber);
        let publisher = world.client(V3_1_1, "p");
        world.publish(publisher, "t", AtLeastOnce, "m");
        world.elapse(waited);
        let subscriber = world.connect(V3_1_1, lasting(V3_1_1, "s"));
        assert_eq!(world.seen(subscriber).len(), 1 + usize::from(received));
    }
}

#[test]
fn retain_of_3_x_is_delivered_without_the_flag_and_refused_in_5_0() {
    let retained = model::packet::Publish { retain: true, ..publish("t", AtLeastOnce, "m") };
    for (version, seen, delivered) in
        [(V3_1_1, vec!["PUBACK 1 0x00"], true), (V5_0, vec!["DISCONNECT 0x9A", "closed"], false)]
    {
        let mut world = World::platform();
        let watcher = world.client(V5_0, "w");
        let options = SubscriptionOptions { retain_as_published: true, ..SubscriptionOptions::default() };
        let requests = vec![SubscriptionRequest { filter: text("#"), options }];
        let subscribe = Subscribe { packet_id: packet_id(1), properties: SubscribeProperties::default(), requests };
        world.send(watcher, Packet::Subscribe(subscribe));
        world.seen(watcher);
        let client = world.client(version, "c");
        world.send(client, Packet::Publish(retained.clone()));
        assert_eq!(world.seen(client), seen);
        let expected: &[&str] = if delivered { &["PUBLISH t m qos1 id1"] } else { &[] };
        assert_eq!(world.seen(watcher), expected);
    }
}
