use crate::world::{V3_1, V3_1_1, V5_0, World, clean, lasting};
use model::packet::Qos::{AtLeastOnce, AtMostOnce};
use model::packet::{Connect, ConnectProperties};

#[test]
fn session_present_tells_the_truth_except_in_3_1_which_has_no_such_flag() {
    for (version, resumed) in
        [(V3_1, "CONNACK 0x00"), (V3_1_1, "CONNACK 0x00 session-present"), (V5_0, "CONNACK 0x00 session-present")]
    {
        let mut world = World::standard();
        for (connect, seen) in [
            (lasting(version, "c"), "CONNACK 0x00"),
            (lasting(version, "c"), resumed),
            (lasting(version, "d"), "CONNACK 0x00"),
            (clean("c"), "CONNACK 0x00"),
            (lasting(version, "c"), "CONNACK 0x00"),
            (lasting(version, "c"), resumed),
        ] {
            let client = world.connect(version, connect);
            assert_eq!(world.seen(client), [seen]);
            world.disconnect(client);
        }
    }
}

#[test]
fn subscriptions_and_qos_1_messages_wait_for_a_lasting_session() {
    for version in [V3_1, V3_1_1, V5_0] {
        let mut world = World::standard();
        let subscriber = world.connect(version, lasting(version, "s"));
        world.subscribe(subscriber, &[("t", AtLeastOnce)]);
        world.cut(subscriber);
        let publisher = world.client(version, "p");
        world.publish(publisher, "t", AtMostOnce, "lost");
        world.publish(publisher, "t", AtLeastOnce, "kept");
        let subscriber = world.connect(version, lasting(version, "s"));
        assert_eq!(world.seen(subscriber)[1..], ["PUBLISH t kept qos1 id1"]);
        world.publish(publisher, "t", AtMostOnce, "live");
        assert_eq!(world.seen(subscriber), ["PUBLISH t live qos0"]);
    }
}

#[test]
fn a_clean_session_takes_everything_with_it() {
    for version in [V3_1, V3_1_1, V5_0] {
        let mut world = World::standard();
        let subscriber = world.subscriber(version, "s", "t", AtLeastOnce);
        world.cut(subscriber);
        let publisher = world.client(version, "p");
        world.publish(publisher, "t", AtLeastOnce, "m");
        let subscriber = world.connect(version, lasting(version, "s"));
        assert_eq!(world.seen(subscriber), ["CONNACK 0x00"]);
        world.publish(publisher, "t", AtLeastOnce, "m");
        assert!(world.seen(subscriber).is_empty());
    }
}

#[test]
fn a_session_of_5_0_ends_when_its_expiry_interval_is_over() {
    for (interval, waited, present) in [
        (Some(2), 1_999, true),
        (Some(2), 2_000, false),
        (Some(u32::MAX), 1_000_000_000_000, true),
        (Some(0), 0, false),
        (None, 0, false),
    ] {
        let mut world = World::standard();
        let properties = ConnectProperties { session_expiry_interval: interval, ..ConnectProperties::default() };
        let connect = Connect { clean_start: false, properties, ..clean("c") };
        let client = world.connect(V5_0, connect.clone());
        world.elapse(5_000); // It does not run while connected.
        world.cut(client);
        world.elapse(waited);
        let client = world.connect(V5_0, connect);
        let seen = if present { "CONNACK 0x00 session-present" } else { "CONNACK 0x00" };
        assert_eq!(world.seen(client), [seen], "{interval:?} after {waited} ms");
    }
}

#[test]
fn coming_back_stops_the_expiry() {
    let mut world = World::standard();
    for _ in 0..3 {
        let client = world.connect(V5_0, lasting(V5_0, "c"));
        world.cut(client);
        world.elapse(59_999);
    }
    let client = world.connect(V5_0, lasting(V5_0, "c"));
    assert_eq!(world.seen(client), ["CONNACK 0x00 session-present"]);
    world.elapse(80_000);
    world.send(client, model::packet::Packet::Pingreq);
    assert_eq!(world.seen(client), ["PINGRESP"]);
}

#[test]
fn assigned_client_identifiers_are_unique_and_good_for_coming_back() {
    let mut world = World::standard();
    let first = world.assigned(lasting(V5_0, "")).unwrap();
    let second = world.assigned(lasting(V5_0, "")).unwrap();
    assert_ne!(first, second);
    assert!(first.len() <= 23 && first.chars().all(|c| c.is_ascii_alphanumeric()), "{first}");
    let again = world.connect(V5_0, lasting(V5_0, &first));
    assert_eq!(world.seen(again), ["CONNACK 0x00 session-present"]);
    assert_eq!(world.assigned(clean("own")), None);
}

#[test]
fn two_anonymous_clients_of_3_1_1_do_not_meet() {
    let mut world = World::standard();
    let one = world.client(V3_1_1, "");
    let two = world.client(V3_1_1, "");
    assert!(world.seen(one).is_empty() && world.seen(two).is_empty());
}
