use crate::world::{V3_1, V3_1_1, V5_0, World, packet_id, publish, request, text};
use model::packet::{
    Packet, PublishProperties, Qos, Subscribe, SubscribeProperties, SubscriptionIdentifier, SubscriptionOptions,
    SubscriptionRequest,
};
use std::num::NonZeroU16;

#[test]
fn delivered_qos_is_the_lower_of_published_and_granted() {
    for (published, requested, delivered) in [
        (Qos::AtMostOnce, Qos::AtMostOnce, "qos0"),
        (Qos::AtMostOnce, Qos::AtLeastOnce, "qos0"),
        (Qos::AtLeastOnce, Qos::AtMostOnce, "qos0"),
        (Qos::AtLeastOnce, Qos::AtLeastOnce, "qos1 id1"),
        (Qos::AtLeastOnce, Qos::ExactlyOnce, "qos1 id1"),
        (Qos::ExactlyOnce, Qos::AtMostOnce, "qos0"),
        (Qos::ExactlyOnce, Qos::AtLeastOnce, "qos1 id1"),
        (Qos::ExactlyOnce, Qos::ExactlyOnce, "qos2 id1"),
    ] {
        for version in [V3_1, V3_1_1, V5_0] {
            let mut world = World::standard();
            let subscriber = world.subscriber(version, "s", "t/+", requested);
            let publisher = world.client(version, "p");
            world.send(publisher, Packet::Publish(publish("t/a", published, "m")));
            assert_eq!(world.seen(subscriber), [format!("PUBLISH t/a m {delivered}")]);
            let acknowledged: &[&str] = match published {
                Qos::AtMostOnce => &[],
                Qos::AtLeastOnce => &["PUBACK 1 0x00"],
                Qos::ExactlyOnce => &["PUBREC 1 0x00"],
            };
            assert_eq!(world.seen(publisher), acknowledged);
        }
    }
}

#[test]
fn overlapping_subscriptions_get_one_copy_at_the_highest_qos() {
    let mut world = World::standard();
    let subscriber = world.subscriber(V5_0, "s", "t/#", Qos::AtMostOnce);
    world.subscribe(subscriber, &[("t/+", Qos::AtLeastOnce), ("t/a", Qos::AtMostOnce)]);
    assert_eq!(world.seen(subscriber), ["SUBACK 1 01 00"]);
    let publisher = world.client(V5_0, "p");
    world.publish(publisher, "t/a", Qos::AtLeastOnce, "m");
    assert_eq!(world.seen(subscriber), ["PUBLISH t/a m qos1 id1"]);
}

#[test]
fn what_the_publisher_says_about_a_message_reaches_5_0_unchanged_and_3_x_not_at_all() {
    let mut world = World::standard();
    let new = world.subscriber(V5_0, "s", "t", Qos::AtMostOnce);
    let old = world.subscriber(V3_1_1, "o", "t", Qos::AtMostOnce);
    let publisher = world.client(V5_0, "p");
    let pair = |name, value| (text(name), text(value));
    let properties = PublishProperties {
        payload_format_indicator: Some(true),
        message_expiry_interval: Some(9),
        content_type: Some(text("text/plain")),
        response_topic: Some(text("answers")),
        correlation_data: Some(vec![0, 255]),
        user_properties: vec![pair("a", "1"), pair("b", ""), pair("a", "3")],
        ..PublishProperties::default()
    };
    let message = model::packet::Publish { properties, ..publish("t", Qos::AtMostOnce, "m") };
    assert_eq!(world.forwarded(publisher, message.clone(), new), Some(message));
    assert_eq!(world.seen(old), ["PUBLISH t m qos0"]);
}

#[test]
fn a_payload_that_is_not_what_its_indicator_says_is_refused_and_its_identifier_free() {
    let mut world = World::standard();
    let subscriber = world.subscriber(V5_0, "s", "t", Qos::AtMostOnce);
    let publisher = world.client(V5_0, "p");
    let with_payload = |qos, payload: &[u8]| {
        let mut publish = publish("t", qos, "");
        publish.payload = payload.to_vec();
        publish.properties.payload_format_indicator = Some(true);
        Packet::Publish(publish)
    };
    for (qos, answer) in [(Qos::AtLeastOnce, "PUBACK 1 0x99"), (Qos::ExactlyOnce, "PUBREC 1 0x99")] {
        world.send(publisher, with_payload(qos, &[0xFF]));
        assert_eq!(world.seen(publisher), [answer]);
    }
    world.send(publisher, with_payload(Qos::AtMostOnce, &[0xFF]));
    assert!(world.seen(subscriber).is_empty());
    world.send(publisher, with_payload(Qos::ExactlyOnce, "ü".as_bytes()));
    assert_eq!(world.seen(publisher), ["PUBREC 1 0x00"]);
    assert_eq!(world.seen(subscriber).len(), 1);
}

#[test]
fn no_local_keeps_own_messages_away_and_others_not() {
    let mut world = World::standard();
    let client = world.client(V5_0, "c");
    let other = world.client(V5_0, "o");
    let options = SubscriptionOptions { no_local: true, ..SubscriptionOptions::default() };
    let requests = vec![SubscriptionRequest { filter: text("t"), options }, request("u", Qos::AtMostOnce)];
    let subscribe = Subscribe { packet_id: packet_id(1), properties: SubscribeProperties::default(), requests };
    world.send(client, Packet::Subscribe(subscribe));
    world.seen(client);
    world.publish(client, "t", Qos::AtMostOnce, "own");
    world.publish(other, "t", Qos::AtMostOnce, "theirs");
    world.publish(client, "u", Qos::AtMostOnce, "own");
    assert_eq!(world.seen(client), ["PUBLISH t theirs qos0", "PUBLISH u own qos0"]);
}

#[test]
fn topic_aliases_stand_for_topics_until_they_are_set_anew() {
    let mut world = World::standard();
    let subscriber = world.subscriber(V5_0, "s", "#", Qos::AtMostOnce);
    let publisher = world.client(V5_0, "p");
    let mut send = |topic: &str, alias: u16| {
        let properties = PublishProperties { topic_alias: NonZeroU16::new(alias), ..PublishProperties::default() };
        let message = model::packet::Publish { topic: text(topic), properties, ..publish("-", Qos::AtMostOnce, "m") };
        world.forwarded(publisher, message, subscriber).map(|seen| (seen.topic, seen.properties.topic_alias))
    };
    for (topic, alias, delivered) in
        [("a", 1, "a"), ("b", 20, "b"), ("", 1, "a"), ("", 20, "b"), ("c", 1, "c"), ("", 1, "c")]
    {
        assert_eq!(send(topic, alias), Some((text(delivered), None)), "{topic} {alias}");
    }
}

#[test]
fn messages_of_one_publisher_keep_their_order() {
    let mut world = World::standard();
    let subscriber = world.subscriber(V3_1_1, "s", "t/#", Qos::AtLeastOnce);
    let publisher = world.client(V5_0, "p");
    for number in 1..=100 {
        world.publish(publisher, "t/a", Qos::AtLeastOnce, &number.to_string());
    }
    let expected: Vec<String> = (1..=100).map(|number| format!("PUBLISH t/a {number} qos1 id{number}")).collect();
    assert_eq!(world.seen(subscriber), expected);
}

#[test]
fn one_copy_has_the_identifiers_of_all_subscriptions_that_match() {
    let mut world = World::standard();
    let client = world.client(V5_0, "c");
    let identified = |filter: &str, identifier| Subscribe {
        packet_id: packet_id(1),
        properties: SubscribeProperties {
            subscription_identifier: SubscriptionIdentifier::new(identifier),
            ..SubscribeProperties::default()
        },
        requests: vec![request(filter, Qos::AtMostOnce)],
    };
    // 0 is no identifier.
    for (filter, identifier) in [("t/#", 7), ("t/+", 0), ("t/a", 268_435_455), ("t/a/#", 7), ("u", 1)] {
        world.send(client, Packet::Subscribe(identified(filter, identifier)));
    }
    let publisher = world.client(V3_1_1, "p");
    let identifiers = |world: &mut World, topic| {
        let seen = world.forwarded(publisher, publish(topic, Qos::AtMostOnce, "m"), client).unwrap();
        let mut identifiers: Vec<u32> =
            seen.properties.subscription_identifiers.iter().map(|identifier| identifier.value()).collect();
        identifiers.sort_unstable();
        identifiers
    };
    assert_eq!(identifiers(&mut world, "t/a"), [7, 7, 268_435_455]);
    assert_eq!(identifiers(&mut world, "u"), [1]);
    // Subscribing again without one takes it away, with another one changes it.
    world.send(client, Packet::Subscribe(identified("t/a", 0)));
    world.send(client, Packet::Subscribe(identified("t/#", 8)));
    assert_eq!(identifiers(&mut world, "t/a"), [7, 8]);
    // A retained message comes with the one of its subscription.
    world.send(
        publisher,
        Packet::Publish(model::packet::Publish { retain: true, ..publish("u", Qos::AtMostOnce, "r") }),
    );
    world.send(client, Packet::Subscribe(identified("u", 2)));
    let Some(Packet::Publish(seen)) = world.last(client) else { panic!("no PUBLISH") };
    assert_eq!(seen.properties.subscription_identifiers, [SubscriptionIdentifier::new(2).unwrap()]);
}
