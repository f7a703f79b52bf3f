//! Shared Subscriptions.

use crate::world::{V3_1_1, V5_0, World, clean, lasting, publish, settings};
use model::packet::Qos::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use model::packet::{Acknowledgement, Connect, Packet, Qos, ReasonCode, SubscriptionOptions};
use reference_broker::core::ConnectionId;
use std::num::NonZeroU16;

/// A member of the group, connected with these terms.
fn member(world: &mut World, connect: Connect, qos: Qos) -> ConnectionId {
    let client = world.connect(V5_0, connect);
    world.subscribe(client, &[("$share/g/t", qos)]);
    world.seen(client);
    client
}

#[test]
fn members_take_turns_and_others_get_everything() {
    let mut world = World::standard();
    let first = member(&mut world, clean("a"), AtMostOnce);
    let second = member(&mut world, clean("b"), AtMostOnce);
    let alone = world.client(V5_0, "c");
    world.subscribe(alone, &[("$share/h/t", AtMostOnce), ("t", AtMostOnce)]);
    world.seen(alone);
    let publisher = world.client(V3_1_1, "p");
    for payload in ["1", "2", "3"] {
        world.publish(publisher, "t", AtMostOnce, payload);
    }
    assert_eq!(world.seen(first), ["PUBLISH t 1 qos0", "PUBLISH t 3 qos0"]);
    assert_eq!(world.seen(second), ["PUBLISH t 2 qos0"]);
    // A group of its own, and a subscription beside it: one copy for each.
    assert_eq!(world.seen(alone).len(), 6);
    world.unsubscribe(first, &["$share/g/t"]);
    world.seen(first);
    world.publish(publisher, "t", AtMostOnce, "4");
    world.publish(publisher, "t", AtMostOnce, "5");
    assert!(world.seen(first).is_empty());
    assert_eq!(world.seen(second), ["PUBLISH t 4 qos0", "PUBLISH t 5 qos0"]);
}

#[test]
fn each_member_gets_its_share_at_its_own_qos() {
    let mut world = World::standard();
    let first = member(&mut world, clean("a"), AtMostOnce);
    let second = member(&mut world, clean("b"), AtLeastOnce);
    let publisher = world.client(V5_0, "p");
    world.publish(publisher, "t", AtLeastOnce, "1");
    world.publish(publisher, "t", AtLeastOnce, "2");
    assert_eq!(world.seen(first), ["PUBLISH t 1 qos0"]);
    assert_eq!(world.seen(second), ["PUBLISH t 2 qos1 id1"]);
}

#[test]
fn who_is_connected_comes_first_and_without_any_a_session_keeps_it() {
    let mut world = World::standard();
    let away = member(&mut world, lasting(V5_0, "a"), AtLeastOnce);
    let here = member(&mut world, lasting(V5_0, "b"), AtLeastOnce);
    world.cut(away);
    let publisher = world.client(V5_0, "p");
    world.publish(publisher, "t", AtLeastOnce, "1");
    world.publish(publisher, "t", AtLeastOnce, "2");
    assert_eq!(world.seen(here), ["PUBLISH t 1 qos1 id1", "PUBLISH t 2 qos1 id2"]);
    world.cut(here);
    world.publish(publisher, "t", AtLeastOnce, "3");
    let away = world.connect(V5_0, lasting(V5_0, "a"));
    assert_eq!(world.seen(away), ["CONNACK 0x00 session-present", "PUBLISH t 3 qos1 id1"]);
}

#[test]
fn qos_1_goes_to_another_member_when_a_session_ends_and_qos_2_does_not() {
    for (qos, handed_on) in [
        (AtLeastOnce, vec!["PUBLISH t 1 qos1 id1", "PUBLISH t 2 qos1 id2", "PUBLISH t 3 qos1 id3"]),
        (ExactlyOnce, vec![]),
    ] {
        let mut world = World::standard();
        let mut connect = lasting(V5_0, "a");
        connect.properties.receive_maximum = NonZeroU16::new(2);
        let leaving = member(&mut world, connect, qos);
        let publisher = world.client(V5_0, "p");
        for payload in ["1", "2", "3"] {
            world.publish(publisher, "t", qos, payload);
            world.pubrel(publisher, 1);
        }
        let staying = member(&mut world, clean("b"), qos);
        world.cut(leaving);
        assert!(world.seen(staying).is_empty(), "the session may come back");
        world.elapse(60_000);
        assert_eq!(world.seen(staying), handed_on);
    }
}

#[test]
fn what_has_expired_goes_to_no_other_member() {
    let mut world = World::standard();
    let leaving = member(&mut world, lasting(V5_0, "a"), AtLeastOnce);
    let publisher = world.client(V5_0, "p");
    for (payload, expiry) in [("1", Some(1)), ("2", None)] {
        let mut message = publish("t", AtLeastOnce, payload);
        message.properties.message_expiry_interval = expiry;
        world.send(publisher, Packet::Publish(message));
    }
    let staying = member(&mut world, clean("b"), AtMostOnce);
    world.cut(leaving);
    world.elapse(60_000);
    assert_eq!(world.seen(staying), ["PUBLISH t 2 qos0"]);
}

#[test]
fn what_a_member_refuses_is_dropped() {
    let mut world = World::standard();
    let first = member(&mut world, clean("a"), AtLeastOnce);
    let second = member(&mut world, clean("b"), AtLeastOnce);
    let publisher = world.client(V5_0, "p");
    world.publish(publisher, "t", AtLeastOnce, "1");
    let refused = Acknowledgement {
        reason: ReasonCode::UnspecifiedError,
        ..Acknowledgement::success(crate::world::packet_id(1))
    };
    world.send(first, Packet::Puback(refused));
    world.disconnect(first);
    assert!(world.seen(second).is_empty());
}

#[test]
fn no_retained_message_comes_for_a_shared_subscription() {
    let mut world = World::standard();
    let publisher = world.client(V5_0, "p");
    let retained = model::packet::Publish { retain: true, ..publish("t", AtMostOnce, "m") };
    world.send(publisher, Packet::Publish(retained));
    let client = world.client(V5_0, "c");
    world.subscribe(client, &[("$share/g/t", AtMostOnce)]);
    assert_eq!(world.seen(client), ["SUBACK 1 00"]);
}

#[test]
fn no_local_on_a_shared_subscription_ends_the_connection() {
    let mut world = World::standard();
    let client = world.client(V5_0, "c");
    let options = SubscriptionOptions { no_local: true, ..SubscriptionOptions::default() };
    world.subscribe_with(client, "$share/g/t", options);
    assert_eq!(world.seen(client), ["DISCONNECT 0x82", "closed"]);
}

#[test]
fn what_is_shared_in_5_0_is_another_subscription_than_the_same_text_in_3_1_1() {
    let mut world = World::standard();
    let client = member(&mut world, lasting(V5_0, "c"), AtMostOnce);
    world.cut(client);
    let client = world.connect(V3_1_1, lasting(V3_1_1, "c"));
    world.unsubscribe(client, &["$share/g/t"]);
    world.seen(client);
    let publisher = world.client(V5_0, "p");
    world.publish(publisher, "t", AtMostOnce, "m");
    assert_eq!(world.seen(client), ["PUBLISH t m qos0"]);
    world.subscribe(client, &[("$share/g/t", AtMostOnce)]);
    world.publish(publisher, "$share/g/t", AtMostOnce, "n");
    assert_eq!(world.seen(client), ["SUBACK 1 00", "PUBLISH $share/g/t n qos0"]);
}

#[test]
fn in_the_platform_of_2026_sharing_is_for_5_0() {
    for (version, seen) in [(V3_1_1, "SUBACK 1 80"), (V5_0, "SUBACK 1 01")] {
        let mut world = World::new(settings("platform-2026"));
        let client = world.client(version, "c");
        world.subscribe(client, &[("$share/g/t", AtMostOnce)]);
        assert_eq!(world.seen(client), [seen]);
    }
}
