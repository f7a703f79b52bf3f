use crate::world::{V3_1_1, V5_0, World, clean, lasting, leaving, publish, text, will};
use model::packet::Qos::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use model::packet::{Connect, Packet, PublishProperties, ReasonCode, SubscriptionOptions, WillProperties};
use reference_broker::core::ConnectionId;

fn willing(connect: Connect, delay: Option<u32>) -> Connect {
    Connect { will: Some(will("w", AtLeastOnce, delay)), ..connect }
}

/// A watcher of the Will Topic that needs no Keep Alive.
fn watcher(world: &mut World) -> ConnectionId {
    let watcher = world.connect(V5_0, Connect { keep_alive: 0, ..clean("watcher") });
    world.subscribe(watcher, &[("w", AtLeastOnce)]);
    world.seen(watcher);
    watcher
}

#[test]
fn a_will_is_published_unless_the_client_says_goodbye() {
    type Leaving = fn(&mut World, ConnectionId);
    let cases: [(&str, Leaving, bool); 6] = [
        ("cut", |world, client| world.cut(client), true),
        ("keep alive", |world, _| world.elapse(90_000), true),
        ("violation", |world, client| world.send_bytes(client, b"\xC1\x00"), true),
        ("0x04", |world, client| world.send(client, leaving(ReasonCode::DisconnectWithWillMessage, None)), true),
        ("0x00", |world, client| world.send(client, leaving(ReasonCode::Success, None)), false),
        (
            "0x00 that raises the session expiry",
            |world, client| world.send(client, leaving(ReasonCode::Success, Some(9))),
            true,
        ),
    ];
    for (name, leave, published) in cases {
        let mut world = World::standard();
        let watcher = watcher(&mut world);
        let client = world.connect(V5_0, willing(clean("c"), None));
        leave(&mut world, client);
        let expected: &[&str] = if published { &["PUBLISH w will qos1 id1"] } else { &[] };
        assert_eq!(world.seen(watcher), expected, "{name}");
        world.elapse(1_000_000);
        assert!(world.seen(watcher).is_empty(), "{name}: a second time");
    }
}

#[test]
fn disconnect_of_3_1_1_deletes_the_will_and_a_takeover_publishes_it() {
    let mut world = World::standard();
    let watcher = watcher(&mut world);
    let client = world.connect(V3_1_1, willing(lasting(V3_1_1, "c"), None));
    world.send(client, Packet::Disconnect(model::packet::Disconnect::normal()));
    assert!(world.seen(watcher).is_empty());
    world.connect(V3_1_1, willing(lasting(V3_1_1, "c"), None));
    let last = world.connect(V3_1_1, lasting(V3_1_1, "c"));
    assert_eq!(world.seen(watcher), ["PUBLISH w will qos1 id1"]);
    world.cut(last);
    assert!(world.seen(watcher).is_empty(), "the last CONNECT had no will");
}

#[test]
fn a_delayed_will_waits_for_its_delay_or_the_end_of_the_session() {
    // The session of a lasting CONNECT ends after 60 s.
    for (delay, published) in [(5, 5_000), (60, 60_000), (100, 60_000)] {
        let mut world = World::standard();
        let watcher = watcher(&mut world);
        let client = world.connect(V5_0, willing(lasting(V5_0, "c"), Some(delay)));
        world.cut(client);
        world.elapse(published - 1);
        assert!(world.seen(watcher).is_empty(), "{delay}");
        world.elapse(1);
        assert_eq!(world.seen(watcher), ["PUBLISH w will qos1 id1"], "{delay}");
    }
}

#[test]
fn coming_back_in_time_deletes_a_delayed_will_and_a_clean_start_publishes_it() {
    for (connect, published) in [(lasting(V5_0, "c"), false), (clean("c"), true)] {
        for takeover in [false, true] {
            let mut world = World::standard();
            let watcher = watcher(&mut world);
            let client = world.connect(V5_0, willing(lasting(V5_0, "c"), Some(5)));
            if !takeover {
                world.cut(client);
                world.elapse(4_999);
            }
            // The one who comes back has a Will as well, which has nothing to do with the delay of the old one.
            world.connect(V5_0, willing(connect.clone(), Some(5)));
            assert_eq!(world.seen(watcher).len(), usize::from(published), "{takeover} {connect:?}");
            world.elapse(10_000);
            assert!(world.seen(watcher).is_empty(), "{takeover} {connect:?}");
        }
    }
}

#[test]
fn the_properties_of_a_will_are_those_of_its_publish_and_its_expiry_begins_then() {
    let mut world = World::standard();
    let watcher = watcher(&mut world);
    let pair = |name, value| (text(name), text(value));
    let user_properties = vec![pair("b", "1"), pair("a", "2"), pair("b", "")];
    let properties = WillProperties {
        payload_format_indicator: Some(true),
        message_expiry_interval: Some(9),
        content_type: Some(text("text/plain")),
        response_topic: Some(text("answers")),
        correlation_data: Some(vec![0, 255]),
        will_delay_interval: Some(5),
        user_properties: user_properties.clone(),
    };
    let will = model::packet::Will { properties, ..will("w", AtMostOnce, None) };
    let client = world.connect(V5_0, Connect { will: Some(will), ..lasting(V5_0, "c") });
    world.cut(client);
    world.elapse(5_000);
    let properties = PublishProperties {
        payload_format_indicator: Some(true),
        message_expiry_interval: Some(9),
        content_type: Some(text("text/plain")),
        response_topic: Some(text("answers")),
        correlation_data: Some(vec![0, 255]),
        user_properties,
        ..PublishProperties::default()
    };
    let expected = model::packet::Publish { properties, ..publish("w", AtMostOnce, "will") };
    assert_eq!(world.last(watcher), Some(Packet::Publish(expected)));
}

#[test]
fn a_will_is_delivered_at_qos_2() {
    let mut world = World::standard();
    let watcher = world.subscriber(V5_0, "w", "w", ExactlyOnce);
    let client = world.connect(V3_1_1, Connect { will: Some(will("w", ExactlyOnce, None)), ..clean("c") });
    world.cut(client);
    assert_eq!(world.seen(watcher), ["PUBLISH w will qos2 id1"]);
}

#[test]
fn no_local_holds_for_ones_own_will() {
    let mut world = World::standard();
    let client = world.connect(V5_0, willing(lasting(V5_0, "c"), Some(5)));
    world.subscribe_with(client, "w", SubscriptionOptions { no_local: true, ..SubscriptionOptions::default() });
    world.cut(client);
    world.elapse(5_000);
    let client = world.connect(V5_0, lasting(V5_0, "c"));
    assert_eq!(world.seen(client), ["CONNACK 0x00 session-present"]);
}
