use crate::world::{V3_1, V3_1_1, V5_0, World, clean, lasting, packet_id, publish, settings};
use model::packet::Qos::{AtLeastOnce, AtMostOnce};
use model::packet::{Acknowledgement, Connect, ConnectProperties, Packet, PublishProperties, ReasonCode};
use std::num::{NonZeroU16, NonZeroU32};

fn with_receive_maximum(client_id: &str, receive_maximum: u16) -> Connect {
    let mut connect = lasting(V5_0, client_id);
    connect.properties.receive_maximum = NonZeroU16::new(receive_maximum);
    connect
}

#[test]
fn receive_maximum_holds_qos_1_back_and_nothing_else() {
    let mut world = World::standard();
    let subscriber = world.connect(V5_0, with_receive_maximum("s", 2));
    world.subscribe(subscriber, &[("t", AtLeastOnce)]);
    world.seen(subscriber);
    let publisher = world.client(V5_0, "p");
    for payload in ["1", "2", "3", "4"] {
        world.publish(publisher, "t", AtLeastOnce, payload);
    }
    assert_eq!(world.seen(subscriber), ["PUBLISH t 1 qos1 id1", "PUBLISH t 2 qos1 id2"]);
    world.publish(publisher, "t", AtMostOnce, "0");
    world.send(subscriber, Packet::Pingreq);
    world.send(subscriber, Packet::Publish(publish("u", AtLeastOnce, "own")));
    assert_eq!(world.seen(subscriber), ["PUBLISH t 0 qos0", "PINGRESP", "PUBACK 1 0x00"]);
    world.puback(subscriber, 2);
    assert_eq!(world.seen(subscriber), ["PUBLISH t 3 qos1 id3"]);
    // A PUBACK with an error ends the delivery as well.
    let refused = Acknowledgement { reason: ReasonCode::UnspecifiedError, ..Acknowledgement::success(packet_id(1)) };
    world.send(subscriber, Packet::Puback(refused));
    assert_eq!(world.seen(subscriber), ["PUBLISH t 4 qos1 id4"]);
}

#[test]
fn unacknowledged_messages_come_again_in_order_with_dup_and_their_identifiers() {
    for version in [V3_1, V3_1_1, V5_0] {
        let mut world = World::standard();
        let subscriber = world.connect(version, lasting(version, "s"));
        world.subscribe(subscriber, &[("t", AtLeastOnce)]);
        let publisher = world.client(version, "p");
        for payload in ["1", "2", "3"] {
            world.publish(publisher, "t", AtLeastOnce, payload);
        }
        world.puback(subscriber, 2);
        world.cut(subscriber);
        world.publish(publisher, "t", AtLeastOnce, "4");
        let subscriber = world.connect(version, lasting(version, "s"));
        let expected = ["PUBLISH t 1 qos1 id1 dup", "PUBLISH t 3 qos1 id3 dup", "PUBLISH t 4 qos1 id4"];
        assert_eq!(world.seen(subscriber)[1..], expected);
        for id in [1, 3, 4] {
            world.puback(subscriber, id);
        }
        world.cut(subscriber);
        let subscriber = world.connect(version, lasting(version, "s"));
        assert_eq!(world.seen(subscriber).len(), 1, "only CONNACK");
    }
}

#[test]
fn a_smaller_receive_maximum_on_return_holds_for_what_comes_again() {
    let mut world = World::standard();
    let subscriber = world.connect(V5_0, with_receive_maximum("s", 3));
    world.subscribe(subscriber, &[("t", AtLeastOnce)]);
    let publisher = world.client(V5_0, "p");
    for payload in ["1", "2", "3", "4"] {
        world.publish(publisher, "t", AtLeastOnce, payload);
    }
    world.cut(subscriber);
    let subscriber = world.connect(V5_0, with_receive_maximum("s", 1));
    assert_eq!(world.seen(subscriber)[1..], ["PUBLISH t 1 qos1 id1 dup"]);
    // Broken again: what was not sent again stays behind what was.
    world.cut(subscriber);
    let subscriber = world.connect(V5_0, with_receive_maximum("s", 1));
    assert_eq!(world.seen(subscriber)[1..], ["PUBLISH t 1 qos1 id1 dup"]);
    for (id, next) in [(1, "PUBLISH t 2 qos1 id2 dup"), (2, "PUBLISH t 3 qos1 id3 dup"), (3, "PUBLISH t 4 qos1 id4")] {
        world.puback(subscriber, id);
        assert_eq!(world.seen(subscriber), [next]);
    }
}

#[test]
fn identifiers_come_round_skip_those_in_flight_and_do_not_decide_the_order() {
    let mut world = World::standard();
    let subscriber = world.connect(V3_1_1, lasting(V3_1_1, "s"));
    world.subscribe(subscriber, &[("t", AtLeastOnce)]);
    let publisher = world.client(V3_1_1, "p");
    for number in 1..=65_535_u16 {
        world.publish(publisher, "t", AtLeastOnce, "m");
        if number != 2 && number != 65_535 {
            world.puback(subscriber, number);
        }
    }
    world.seen(subscriber);
    for payload in ["x", "y"] {
        world.publish(publisher, "t", AtLeastOnce, payload);
    }
    assert_eq!(world.seen(subscriber), ["PUBLISH t x qos1 id1", "PUBLISH t y qos1 id3"]);
    world.cut(subscriber);
    let subscriber = world.connect(V3_1_1, lasting(V3_1_1, "s"));
    let expected = ["m qos1 id2 dup", "m qos1 id65535 dup", "x qos1 id1 dup", "y qos1 id3 dup"];
    assert_eq!(world.seen(subscriber)[1..], expected.map(|rest| format!("PUBLISH t {rest}")));
}

#[test]
fn a_message_too_large_for_the_client_counts_as_delivered() {
    let mut world = World::standard();
    let mut connect = with_receive_maximum("s", 1);
    connect.properties.maximum_packet_size = NonZeroU32::new(64);
    let subscriber = world.connect(V5_0, connect.clone());
    world.subscribe(subscriber, &[("t", AtLeastOnce)]);
    world.seen(subscriber);
    let publisher = world.client(V5_0, "p");
    let large = "x".repeat(100);
    world.publish(publisher, "t", AtMostOnce, &large);
    world.publish(publisher, "t", AtLeastOnce, &large);
    world.publish(publisher, "t", AtLeastOnce, "small");
    assert_eq!(world.seen(subscriber), ["PUBLISH t small qos1 id2"]);
    world.cut(subscriber);
    connect.properties.maximum_packet_size = None;
    let subscriber = world.connect(V5_0, connect);
    assert_eq!(world.seen(subscriber)[1..], ["PUBLISH t small qos1 id2 dup"]);
}

#[test]
fn expiry_counts_down_while_a_message_waits_and_drops_it_at_the_end() {
    let mut world = World::standard();
    let subscriber = world.connect(V5_0, lasting(V5_0, "s"));
    world.subscribe(subscriber, &[("t", AtLeastOnce)]);
    world.seen(subscriber);
    let publisher = world.connect(V5_0, Connect { keep_alive: 0, ..clean("p") });
    let send = |world: &mut World, seconds: u32| {
        let properties = PublishProperties { message_expiry_interval: Some(seconds), ..PublishProperties::default() };
        let message = model::packet::Publish { properties, ..publish("t", AtLeastOnce, "m") };
        world.send(publisher, Packet::Publish(message));
    };
    send(&mut world, 0);
    send(&mut world, 10);
    assert_eq!(world.seen(subscriber), ["PUBLISH t m qos1 id1 expiry0", "PUBLISH t m qos1 id2 expiry10"]);
    world.puback(subscriber, 1);
    world.cut(subscriber);
    send(&mut world, 10);
    send(&mut world, 3);
    world.elapse(3_000);
    let subscriber = world.connect(V5_0, lasting(V5_0, "s"));
    let expected = ["PUBLISH t m qos1 id2 dup expiry7", "PUBLISH t m qos1 id3 expiry7"];
    assert_eq!(world.seen(subscriber)[1..], expected);
}

#[test]
fn a_full_queue_drops_its_oldest_messages() {
    for by_bytes in [false, true] {
        let mut settings = settings("standard");
        if by_bytes {
            settings.limits.queued_bytes = 3 * "t1".len();
        } else {
            settings.limits.queued_messages = 3;
        }
        let mut world = World::new(settings);
        let subscriber = world.connect(V3_1_1, lasting(V3_1_1, "s"));
        world.subscribe(subscriber, &[("t", AtLeastOnce)]);
        world.cut(subscriber);
        let publisher = world.client(V3_1_1, "p");
        for payload in ["1", "2", "3", "4", "5"] {
            world.publish(publisher, "t", AtLeastOnce, payload);
        }
        let subscriber = world.connect(V3_1_1, lasting(V3_1_1, "s"));
        let expected = ["PUBLISH t 3 qos1 id1", "PUBLISH t 4 qos1 id2", "PUBLISH t 5 qos1 id3"];
        assert_eq!(world.seen(subscriber)[1..], expected);
    }
}

#[test]
fn reason_strings_come_only_to_those_who_want_them_and_can_take_them() {
    for (wanted, size, has_string) in
        [(None, None, true), (Some(true), None, true), (Some(false), None, false), (None, Some(70), false)]
    {
        let mut world = World::standard();
        let properties = ConnectProperties {
            request_problem_information: wanted,
            maximum_packet_size: size.and_then(NonZeroU32::new),
            ..ConnectProperties::default()
        };
        let client = world.connect(V5_0, Connect { properties, ..clean("c") });
        world.seen(client);
        let filters: Vec<_> = (0..50).map(|_| ("a#", AtMostOnce)).collect();
        world.subscribe(client, &filters);
        assert_eq!(world.last_reason_string(client).is_some(), has_string, "{wanted:?} {size:?}");
    }
}

#[test]
fn unacknowledged_bytes_are_bounded_too() {
    let mut settings = settings("standard");
    settings.limits.queued_bytes = 2 * "t1".len();
    let mut world = World::new(settings);
    let subscriber = world.subscriber(V3_1_1, "s", "t", AtLeastOnce);
    let publisher = world.client(V3_1_1, "p");
    for payload in ["1", "2", "3", "4"] {
        world.publish(publisher, "t", AtLeastOnce, payload);
    }
    assert_eq!(world.seen(subscriber), ["PUBLISH t 1 qos1 id1", "PUBLISH t 2 qos1 id2"]);
    world.puback(subscriber, 1);
    assert_eq!(world.seen(subscriber), ["PUBLISH t 3 qos1 id3"]);
}

#[test]
fn what_was_published_at_qos_1_keeps_its_order_when_the_subscription_falls_to_qos_0() {
    let mut world = World::standard();
    let subscriber = world.connect(V5_0, with_receive_maximum("s", 1));
    world.subscribe(subscriber, &[("t", AtLeastOnce)]);
    let publisher = world.client(V5_0, "p");
    world.publish(publisher, "t", AtLeastOnce, "1");
    world.publish(publisher, "t", AtLeastOnce, "2");
    world.subscribe(subscriber, &[("t", AtMostOnce)]);
    world.seen(subscriber);
    world.publish(publisher, "t", AtLeastOnce, "3");
    world.publish(publisher, "t", AtMostOnce, "0");
    assert_eq!(world.seen(subscriber), ["PUBLISH t 0 qos0"]);
    world.puback(subscriber, 1);
    assert_eq!(world.seen(subscriber), ["PUBLISH t 2 qos1 id2", "PUBLISH t 3 qos0"]);
    world.publish(publisher, "t", AtLeastOnce, "4");
    assert_eq!(world.seen(subscriber), ["PUBLISH t 4 qos0"], "nothing is held back: it goes at once");
    // What still waits for QoS 0 does not outlive the connection.
    world.subscribe(subscriber, &[("t", AtLeastOnce)]);
    world.publish(publisher, "t", AtLeastOnce, "5");
    world.subscribe(subscriber, &[("t", AtMostOnce)]);
    world.publish(publisher, "t", AtLeastOnce, "6");
    world.cut(subscriber);
    let subscriber = world.connect(V5_0, with_receive_maximum("s", 10));
    let expected = ["PUBLISH t 2 qos1 id2 dup", "PUBLISH t 5 qos1 id3"];
    assert_eq!(world.seen(subscriber)[1..], expected);
}

#[test]
fn topics_become_aliases_as_far_as_the_client_allows_them() {
    let mut world = World::standard();
    let with_aliases = |maximum, size| {
        let mut connect = lasting(V5_0, "s");
        connect.properties.topic_alias_maximum = Some(maximum);
        connect.properties.maximum_packet_size = NonZeroU32::new(size);
        connect
    };
    let subscriber = world.connect(V5_0, with_aliases(2, 100));
    world.subscribe(subscriber, &[("#", AtLeastOnce)]);
    let publisher = world.client(V5_0, "p");
    let send = |world: &mut World, subscriber, topic: &str, payload: &str| {
        let seen = world.forwarded(publisher, publish(topic, AtLeastOnce, payload), subscriber)?;
        Some((seen.topic.to_string(), seen.properties.topic_alias.map_or(0, NonZeroU16::get)))
    };
    for (topic, seen, alias) in
        [("a", "a", 1), ("b/long", "b/long", 2), ("a", "", 1), ("c", "c", 0), ("b/long", "", 2), ("a", "", 1)]
    {
        assert_eq!(send(&mut world, subscriber, topic, "m"), Some((seen.to_owned(), alias)), "{topic}");
    }
    // Another connection begins anew, and what comes again takes part. One that is too large with its new alias goes
    // without; one that is too large with its topic goes with the alias alone.
    world.cut(subscriber);
    let subscriber = world.connect(V5_0, with_aliases(2, 20));
    let aliases = world.seen(subscriber);
    assert_eq!(aliases[1], "PUBLISH a m qos1 id1 dup");
    assert_eq!(aliases[2], "PUBLISH b/long m qos1 id2 dup");
    assert_eq!(aliases[3], "PUBLISH  m qos1 id3 dup");
    for id in 1..=6 {
        world.puback(subscriber, id);
    }
    assert_eq!(send(&mut world, subscriber, "b/long", "12345678"), Some((String::new(), 2)));
    assert_eq!(send(&mut world, subscriber, "b/longer", "12345678"), None);
}

#[test]
fn no_aliases_are_set_where_none_are_allowed() {
    for (profile, maximum) in [("standard", None), ("standard", Some(0)), ("platform", Some(20))] {
        let mut world = World::new(settings(profile));
        let mut connect = lasting(V5_0, "s");
        connect.properties.topic_alias_maximum = maximum;
        let subscriber = world.connect(V5_0, connect);
        world.subscribe(subscriber, &[("t", AtMostOnce)]);
        let publisher = world.client(V5_0, "p");
        for _ in 0..2 {
            let seen = world.forwarded(publisher, publish("t", AtMostOnce, "m"), subscriber).unwrap();
            assert_eq!((seen.topic.as_str(), seen.properties.topic_alias), ("t", None));
        }
    }
}
