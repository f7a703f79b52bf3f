use crate::world::{V3_1, V3_1_1, V5_0, World, clean, lasting, settings, text, will};
use clap::ValueEnum;
use model::packet::{ConnackProperties, Connect, ConnectProperties, Packet, Qos, WillProperties};
use reference_broker::{Offer, Settings};
use std::num::NonZeroU32;

fn with_properties(properties: ConnectProperties) -> Connect {
    Connect { properties, ..clean("c") }
}

#[test]
fn each_version_answers_connect_in_its_own_way() {
    let long = "x".repeat(100);
    let retained = model::packet::Will { retain: true, ..will("t", Qos::AtMostOnce, None) };
    let properties = WillProperties { response_topic: Some(text("#")), ..WillProperties::default() };
    let response_to_all = model::packet::Will { properties, ..will("t", Qos::AtMostOnce, None) };
    let with_will = |will| Connect { will: Some(will), ..clean("c") };
    let with_method = with_properties(ConnectProperties {
        authentication_method: Some(text("no-such-method")),
        ..ConnectProperties::default()
    });
    for (version, connect, seen) in [
        (V3_1, clean("c"), vec!["CONNACK 0x00"]),
        (V3_1_1, clean("c"), vec!["CONNACK 0x00"]),
        (V5_0, clean("c"), vec!["CONNACK 0x00"]),
        (V3_1, clean(&long), vec!["CONNACK 0x00"]),
        (V3_1, clean(""), vec!["CONNACK 0x02", "closed"]),
        (V3_1_1, clean(""), vec!["CONNACK 0x00"]),
        (V3_1_1, lasting(V3_1_1, ""), vec!["CONNACK 0x02", "closed"]),
        (V5_0, clean(""), vec!["CONNACK 0x00"]),
        (V5_0, lasting(V5_0, ""), vec!["CONNACK 0x00"]),
        (V5_0, with_method, vec!["CONNACK 0x8C", "closed"]),
        (V3_1_1, with_will(will("t", Qos::ExactlyOnce, None)), vec!["CONNACK 0x00"]),
        (V5_0, with_will(will("t", Qos::ExactlyOnce, None)), vec!["CONNACK 0x00"]),
        (V3_1_1, with_will(retained.clone()), vec!["CONNACK 0x00"]),
        (V5_0, with_will(retained), vec!["CONNACK 0x00"]),
        (V5_0, with_will(response_to_all), vec!["CONNACK 0x82", "closed"]),
        (V3_1_1, with_will(will("t/+", Qos::AtMostOnce, None)), vec!["closed"]),
        (V5_0, with_will(will("t/+", Qos::AtMostOnce, None)), vec!["CONNACK 0x90", "closed"]),
    ] {
        let mut world = World::standard();
        let shown = format!("{version} {connect:?}");
        let client = world.connect(version, connect);
        assert_eq!(world.seen(client), seen, "{shown}");
    }
}

#[test]
fn a_will_beyond_what_is_served_is_refused_in_5_0_and_delivered_as_far_as_possible_in_3_x() {
    let connect = Connect { will: Some(will("t", Qos::ExactlyOnce, None)), ..clean("c") };
    for (version, seen) in [(V3_1_1, vec!["CONNACK 0x00"]), (V5_0, vec!["CONNACK 0x9B", "closed"])] {
        let mut world = World::new(Settings { maximum_qos: Qos::AtLeastOnce, ..settings("standard") });
        let watcher = world.subscriber(V5_0, "w", "t", Qos::ExactlyOnce);
        let client = world.connect(version, connect.clone());
        assert_eq!(world.seen(client), seen);
        world.cut(client);
        let expected: &[&str] = if seen.len() == 1 { &["PUBLISH t will qos1 id1"] } else { &[] };
        assert_eq!(world.seen(watcher), expected);
    }
}

#[test]
fn connack_announces_what_is_left_out_and_nothing_else() {
    let announced = |settings: Settings| {
        let mut world = World::new(settings);
        let client = world.connect(V5_0, clean("c"));
        let Some(Packet::Connack(connack)) = world.last(client) else { panic!("no CONNACK") };
        connack.properties
    };
    let whole = ConnackProperties {
        topic_alias_maximum: Some(20),
        maximum_packet_size: NonZeroU32::new(1024 * 1024),
        ..ConnackProperties::default()
    };
    assert_eq!(announced(settings("standard")), whole);
    let lean = Offer::value_variants().iter().fold(settings("standard"), |settings, offer| settings.without(*offer));
    let expected = ConnackProperties {
        maximum_qos: Some(Qos::AtLeastOnce),
        retain_available: Some(false),
        subscription_identifier_available: Some(false),
        shared_subscription_available: Some(false),
        topic_alias_maximum: None,
        ..whole
    };
    assert_eq!(announced(lean), expected);
}

#[test]
fn what_is_no_connect_is_answered_as_far_as_its_version_is_known() {
    for (version, bytes, seen) in [
        // PINGREQ first
        (V5_0, &b"\xC0\x00"[..], vec!["closed"]),
        (V3_1_1, b"\xC0\x00", vec!["closed"]),
        // AUTH first
        (V5_0, b"\xF0\x00", vec!["closed"]),
        // level 9
        (V3_1_1, b"\x10\x0D\x00\x04MQTT\x09\x02\x00\x3C\x00\x01c", vec!["CONNACK 0x01", "closed"]),
        // protocol name MQTx
        (V3_1_1, b"\x10\x0D\x00\x04MQTx\x04\x02\x00\x3C\x00\x01c", vec!["closed"]),
        // Connect Flags bit 0
        (V3_1_1, b"\x10\x0D\x00\x04MQTT\x04\x03\x00\x3C\x00\x01c", vec!["closed"]),
        (V5_0, b"\x10\x0E\x00\x04MQTT\x05\x03\x00\x3C\x00\x00\x01c", vec!["CONNACK 0x81", "closed"]),
        // Receive Maximum 0
        (V5_0, b"\x10\x11\x00\x04MQTT\x05\x02\x00\x3C\x03\x21\x00\x00\x00\x01c", vec!["CONNACK 0x82", "closed"]),
    ] {
        let mut world = World::standard();
        let client = world.open(version);
        world.send_bytes(client, bytes);
        assert_eq!(world.seen(client), seen, "{version} {bytes:02x?}");
    }
}

#[test]
fn a_version_that_the_settings_leave_out_is_refused_in_its_own_words() {
    for (version, seen) in [(V3_1_1, "CONNACK 0x01"), (V5_0, "CONNACK 0x84")] {
        let mut settings = settings("standard");
        settings.versions.remove(&version);
        let mut world = World::new(settings);
        let client = world.connect(version, clean("c"));
        assert_eq!(world.seen(client), [seen, "closed"]);
    }
}

#[test]
fn a_connection_without_connect_is_closed_after_a_while() {
    let mut world = World::standard();
    let client = world.open(V5_0);
    world.elapse(29_999);
    assert!(world.seen(client).is_empty());
    world.elapse(1);
    assert_eq!(world.seen(client), ["closed"]);
}

#[test]
fn nothing_after_a_refused_connect_has_an_effect() {
    let mut world = World::standard();
    let watcher = world.subscriber(V3_1_1, "w", "#", Qos::AtMostOnce);
    let client = world.connect(V3_1_1, lasting(V3_1_1, ""));
    world.publish(client, "t", Qos::AtMostOnce, "m");
    assert_eq!(world.seen(client), ["CONNACK 0x02", "closed"]);
    assert!(world.seen(watcher).is_empty());
}

#[test]
fn a_second_connect_ends_the_connection() {
    for (version, seen) in [(V3_1_1, vec!["closed"]), (V5_0, vec!["DISCONNECT 0x82", "closed"])] {
        let mut world = World::standard();
        let client = world.client(version, "c");
        world.send(client, Packet::Connect(clean("c")));
        assert_eq!(world.seen(client), seen);
    }
}

#[test]
fn the_newer_connection_of_a_client_identifier_wins() {
    for (old_version, seen) in
        [(V3_1, vec!["closed"]), (V3_1_1, vec!["closed"]), (V5_0, vec!["DISCONNECT 0x8E", "closed"])]
    {
        let mut world = World::standard();
        let old = world.connect(old_version, lasting(old_version, "c"));
        world.seen(old);
        let new = world.connect(V5_0, lasting(V5_0, "c"));
        assert_eq!(world.seen(old), seen);
        assert_eq!(world.seen(new), ["CONNACK 0x00 session-present"]);
        world.send(new, Packet::Pingreq);
        assert_eq!(world.seen(new), ["PINGRESP"]);
    }
}

#[test]
fn a_refused_connect_does_not_disturb_the_one_connected() {
    let mut world = World::standard();
    let old = world.client(V5_0, "c");
    let refused = Connect { will: Some(will("t/#", Qos::AtMostOnce, None)), ..clean("c") };
    let new = world.connect(V5_0, refused);
    assert_eq!(world.seen(new), ["CONNACK 0x90", "closed"]);
    assert!(world.seen(old).is_empty());
    world.send(old, Packet::Pingreq);
    assert_eq!(world.seen(old), ["PINGRESP"]);
}

#[test]
fn a_connack_that_the_client_cannot_take_is_not_sent() {
    let mut world = World::standard();
    let size =
        |bytes| ConnectProperties { maximum_packet_size: NonZeroU32::new(bytes), ..ConnectProperties::default() };
    let client = world.connect(V5_0, with_properties(size(5)));
    assert_eq!(world.seen(client), ["closed"]);
    // A refusal fits without its Reason String.
    let method = ConnectProperties { authentication_method: Some(text("m")), ..size(5) };
    let client = world.connect(V5_0, with_properties(method));
    assert_eq!(world.seen(client), ["CONNACK 0x8C", "closed"]);
}
