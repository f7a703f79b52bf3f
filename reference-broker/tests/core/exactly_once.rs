//! QoS 2, in both directions.

use crate::world::{V3_1, V3_1_1, V5_0, World, lasting, packet_id, publish, settings, text};
use model::packet::Qos::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use model::packet::{Delivery, Packet, PublishProperties, ReasonCode};
use reference_broker::core::ConnectionId;
use std::num::NonZeroU16;

const SUCCESS: ReasonCode = ReasonCode::Success;

/// Sends a QoS 2 PUBLISH.
fn send(world: &mut World, client: ConnectionId, id: u16, payload: &str) {
    let delivery = Delivery::ExactlyOnce { packet_id: packet_id(id), dup: false };
    world.send(client, Packet::Publish(model::packet::Publish { delivery, ..publish("t", ExactlyOnce, payload) }));
}

#[test]
fn a_message_is_delivered_once_however_often_it_comes_before_its_pubrel() {
    for version in [V3_1, V3_1_1, V5_0] {
        let mut world = World::standard();
        let watcher = world.subscriber(V5_0, "w", "t", AtMostOnce);
        let client = world.connect(version, lasting(version, "c"));
        world.seen(client);
        send(&mut world, client, 7, "1");
        send(&mut world, client, 7, "1");
        assert_eq!(world.seen(client), ["PUBREC 7 0x00", "PUBREC 7 0x00"]);
        // It stays the same message on the next connection of the session.
        world.cut(client);
        let client = world.connect(version, lasting(version, "c"));
        send(&mut world, client, 7, "1");
        world.pubrel(client, 7);
        assert_eq!(world.seen(client)[1..], ["PUBREC 7 0x00", "PUBCOMP 7 0x00"]);
        assert_eq!(world.seen(watcher), ["PUBLISH t 1 qos0"]);
        send(&mut world, client, 7, "2");
        assert_eq!(world.seen(watcher), ["PUBLISH t 2 qos0"], "after PUBCOMP it is a new message");
    }
}

#[test]
fn a_session_that_ends_forgets_what_was_not_released() {
    let mut world = World::standard();
    let watcher = world.subscriber(V5_0, "w", "t", AtMostOnce);
    for _ in 0..2 {
        let client = world.client(V5_0, "c");
        send(&mut world, client, 7, "m");
        world.cut(client);
    }
    assert_eq!(world.seen(watcher), ["PUBLISH t m qos0", "PUBLISH t m qos0"]);
}

#[test]
fn pubrel_for_nothing_is_answered() {
    for (version, code) in [(V3_1, "00"), (V3_1_1, "00"), (V5_0, "92")] {
        let mut world = World::standard();
        let client = world.client(version, "c");
        world.pubrel(client, 9);
        assert_eq!(world.seen(client), [format!("PUBCOMP 9 0x{code}")]);
    }
}

#[test]
fn a_delivery_goes_through_pubrec_and_pubrel_and_is_finished_on_a_later_connection() {
    for version in [V3_1, V3_1_1, V5_0] {
        let mut world = World::standard();
        let subscriber = world.connect(version, lasting(version, "s"));
        world.subscribe(subscriber, &[("t", ExactlyOnce)]);
        world.seen(subscriber);
        let publisher = world.client(V5_0, "p");
        for (id, payload) in [(1, "a"), (2, "b"), (3, "c"), (4, "d")] {
            send(&mut world, publisher, id, payload);
        }
        world.seen(subscriber);
        for id in [4, 2, 1] {
            world.pubrec(subscriber, id, SUCCESS);
        }
        world.pubrec(subscriber, 4, SUCCESS);
        world.pubcomp(subscriber, 2);
        let released = ["PUBREL 4 0x00", "PUBREL 2 0x00", "PUBREL 1 0x00", "PUBREL 4 0x00"];
        assert_eq!(world.seen(subscriber), released);
        world.cut(subscriber);
        // PUBREL in the order of the PUBRECs, and no PUBLISH for what was released.
        let subscriber = world.connect(version, lasting(version, "s"));
        assert_eq!(world.seen(subscriber)[1..], ["PUBREL 4 0x00", "PUBREL 1 0x00", "PUBLISH t c qos2 id3 dup"]);
        world.pubcomp(subscriber, 1);
        world.pubcomp(subscriber, 4);
        world.pubrec(subscriber, 3, SUCCESS);
        world.pubcomp(subscriber, 3);
        assert_eq!(world.seen(subscriber), ["PUBREL 3 0x00"]);
        world.cut(subscriber);
        let subscriber = world.connect(version, lasting(version, "s"));
        assert_eq!(world.seen(subscriber).len(), 1, "only CONNACK");
    }
}

#[test]
fn a_pubrec_with_an_error_ends_the_delivery_and_frees_its_place() {
    let mut world = World::standard();
    let mut connect = lasting(V5_0, "s");
    connect.properties.receive_maximum = NonZeroU16::new(1);
    let subscriber = world.connect(V5_0, connect);
    world.subscribe(subscriber, &[("t", ExactlyOnce)]);
    world.seen(subscriber);
    let publisher = world.client(V5_0, "p");
    for (id, payload) in [(1, "a"), (2, "b"), (3, "c")] {
        send(&mut world, publisher, id, payload);
    }
    assert_eq!(world.seen(subscriber), ["PUBLISH t a qos2 id1"]);
    world.pubrec(subscriber, 1, ReasonCode::QuotaExceeded);
    assert_eq!(world.seen(subscriber), ["PUBLISH t b qos2 id2"]);
    world.pubrec(subscriber, 2, SUCCESS);
    assert_eq!(world.seen(subscriber), ["PUBREL 2 0x00"], "its place is free after PUBCOMP only");
    world.pubcomp(subscriber, 2);
    assert_eq!(world.seen(subscriber), ["PUBLISH t c qos2 id3"]);
}

#[test]
fn acknowledgements_that_do_not_fit_the_delivery_end_the_connection() {
    type Wrong = fn(&mut World, ConnectionId);
    let cases: [(&str, Wrong); 5] = [
        ("PUBACK for QoS 2", |world, client| world.puback(client, 2)),
        ("PUBREC for QoS 1", |world, client| world.pubrec(client, 1, SUCCESS)),
        ("PUBCOMP for QoS 1", |world, client| world.pubcomp(client, 1)),
        ("PUBCOMP before PUBREC", |world, client| world.pubcomp(client, 2)),
        ("an error after PUBREL", |world, client| {
            world.pubrec(client, 2, SUCCESS);
            world.pubrec(client, 2, ReasonCode::UnspecifiedError);
        }),
    ];
    for (name, wrong) in cases {
        let mut world = World::standard();
        let subscriber = world.subscriber(V5_0, "s", "t", ExactlyOnce);
        let publisher = world.client(V5_0, "p");
        world.publish(publisher, "t", AtLeastOnce, "1");
        send(&mut world, publisher, 2, "2");
        world.seen(subscriber);
        wrong(&mut world, subscriber);
        let seen = world.seen(subscriber);
        assert_eq!(seen[seen.len() - 2..], ["DISCONNECT 0x82", "closed"], "{name}");
    }
}

#[test]
fn an_acknowledgement_may_come_before_the_message_is_sent_again() {
    let mut world = World::standard();
    let with_window = |window| {
        let mut connect = lasting(V5_0, "s");
        connect.properties.receive_maximum = NonZeroU16::new(window);
        connect
    };
    let subscriber = world.connect(V5_0, with_window(9));
    world.subscribe(subscriber, &[("t", ExactlyOnce)]);
    let publisher = world.client(V5_0, "p");
    for (id, payload) in [(1, "a"), (2, "b"), (3, "c")] {
        send(&mut world, publisher, id, payload);
    }
    world.cut(subscriber);
    let subscriber = world.connect(V5_0, with_window(1));
    world.pubrec(subscriber, 3, SUCCESS);
    assert_eq!(world.seen(subscriber)[1..], ["PUBLISH t a qos2 id1 dup", "PUBREL 3 0x00"]);
}

#[test]
fn the_receive_maximum_of_the_server_counts_what_is_not_complete_on_this_connection() {
    let mut settings = settings("standard");
    settings.limits.receive_maximum = NonZeroU16::new(2).unwrap();
    let mut world = World::new(settings);
    let client = world.connect(V5_0, lasting(V5_0, "c"));
    world.seen(client);
    for id in [1, 2, 2] {
        send(&mut world, client, id, "m");
    }
    world.pubrel(client, 1);
    send(&mut world, client, 3, "m");
    assert_eq!(world.seen(client).len(), 5);
    world.cut(client);
    // What was published on an earlier connection does not count until it comes again.
    let client = world.connect(V5_0, lasting(V5_0, "c"));
    world.seen(client);
    send(&mut world, client, 4, "m");
    send(&mut world, client, 2, "m");
    assert_eq!(world.seen(client), ["PUBREC 4 0x00", "PUBREC 2 0x00"]);
    world.send(client, Packet::Publish(publish("t", AtLeastOnce, "one too many")));
    assert_eq!(world.seen(client), ["DISCONNECT 0x93", "closed"]);
}

#[test]
fn a_message_that_was_refused_does_not_keep_its_identifier() {
    let mut settings = settings("standard");
    settings.limits.user_properties = 0;
    let mut world = World::new(settings);
    let watcher = world.subscriber(V5_0, "w", "t", AtMostOnce);
    let client = world.client(V5_0, "c");
    let properties =
        PublishProperties { user_properties: vec![(text("a"), text("b"))], ..PublishProperties::default() };
    let refused = model::packet::Publish { properties, ..publish("t", ExactlyOnce, "refused") };
    world.send(client, Packet::Publish(refused));
    send(&mut world, client, 1, "good");
    assert_eq!(world.seen(client), ["PUBREC 1 0x97", "PUBREC 1 0x00"]);
    assert_eq!(world.seen(watcher), ["PUBLISH t good qos0"]);
}
