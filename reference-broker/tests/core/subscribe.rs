use crate::world::{V3_1, V3_1_1, V5_0, World};
use model::packet::Qos::{AtLeastOnce, AtMostOnce, ExactlyOnce};

#[test]
fn suback_has_one_code_a_filter_in_their_order() {
    for (version, filters, seen) in [
        (V3_1, vec![("a", AtMostOnce), ("b", ExactlyOnce), ("c", AtLeastOnce)], vec!["SUBACK 1 00 02 01"]),
        (V3_1_1, vec![("a", AtMostOnce), ("b", ExactlyOnce), ("c", AtLeastOnce)], vec!["SUBACK 1 00 02 01"]),
        (V5_0, vec![("a", AtMostOnce), ("b", ExactlyOnce), ("c", AtLeastOnce)], vec!["SUBACK 1 00 02 01"]),
        (V3_1_1, vec![("a", AtLeastOnce), ("a#", AtLeastOnce), ("c", AtMostOnce)], vec!["SUBACK 1 01 80 00"]),
        (V5_0, vec![("a", AtLeastOnce), ("a#", AtLeastOnce), ("", AtMostOnce)], vec!["SUBACK 1 01 8F 8F"]),
        (V5_0, vec![("$share/g/t", AtLeastOnce), ("$share//t", AtLeastOnce)], vec!["SUBACK 1 01 8F"]),
        (V3_1_1, vec![("$share/g/t", AtLeastOnce)], vec!["SUBACK 1 01"]),
        (V3_1, vec![("a#", AtLeastOnce)], vec!["closed"]),
    ] {
        let mut world = World::standard();
        let client = world.client(version, "c");
        world.subscribe(client, &filters);
        assert_eq!(world.seen(client), seen, "{version} {filters:?}");
    }
}

#[test]
fn the_same_filter_again_replaces_the_subscription() {
    let mut world = World::standard();
    let subscriber = world.subscriber(V5_0, "s", "t", AtLeastOnce);
    world.subscribe(subscriber, &[("t", AtMostOnce)]);
    world.seen(subscriber);
    let publisher = world.client(V5_0, "p");
    world.publish(publisher, "t", AtLeastOnce, "m");
    assert_eq!(world.seen(subscriber), ["PUBLISH t m qos0"]);
    world.unsubscribe(subscriber, &["t"]);
    assert_eq!(world.seen(subscriber), ["UNSUBACK 1 00"]);
    world.publish(publisher, "t", AtLeastOnce, "m");
    assert!(world.seen(subscriber).is_empty());
}

#[test]
fn unsubscribe_compares_filters_character_by_character() {
    for (version, seen) in [(V3_1_1, "UNSUBACK 1"), (V5_0, "UNSUBACK 1 11 8F 00 11")] {
        let mut world = World::standard();
        let subscriber = world.subscriber(version, "s", "t/+", AtMostOnce);
        world.unsubscribe(subscriber, &["t/a", "t#", "t/+", "t/+"]);
        assert_eq!(world.seen(subscriber), [seen]);
        let publisher = world.client(version, "p");
        world.publish(publisher, "t/a", AtMostOnce, "m");
        assert!(world.seen(subscriber).is_empty());
    }
}

#[test]
fn a_delivery_in_flight_is_finished_after_unsubscribe() {
    let mut world = World::standard();
    let subscriber = world.connect(V3_1_1, crate::world::lasting(V3_1_1, "s"));
    world.subscribe(subscriber, &[("t", AtLeastOnce)]);
    let publisher = world.client(V3_1_1, "p");
    world.publish(publisher, "t", AtLeastOnce, "m");
    world.unsubscribe(subscriber, &["t"]);
    world.cut(subscriber);
    let again = world.connect(V3_1_1, crate::world::lasting(V3_1_1, "s"));
    assert_eq!(world.seen(again), ["CONNACK 0x00 session-present", "PUBLISH t m qos1 id1 dup"]);
}

#[test]
fn wildcards_in_front_do_not_match_topics_of_the_server() {
    let mut world = World::standard();
    let subscriber = world.client(V3_1_1, "s");
    world.subscribe(subscriber, &[("#", AtMostOnce), ("+/x", AtMostOnce), ("$t/+", AtMostOnce)]);
    world.seen(subscriber);
    let publisher = world.client(V3_1_1, "p");
    world.publish(publisher, "$u/x", AtMostOnce, "no");
    world.publish(publisher, "$t/x", AtMostOnce, "yes");
    assert_eq!(world.seen(subscriber), ["PUBLISH $t/x yes qos0"]);
}

#[test]
fn thousands_of_subscriptions_stay_apart() {
    let mut world = World::standard();
    let subscriber = world.client(V5_0, "s");
    let filters: Vec<String> = (0..5_000).map(|number| format!("t/{number}/+")).collect();
    for piece in filters.chunks(500) {
        let piece: Vec<_> = piece.iter().map(|filter| (filter.as_str(), AtMostOnce)).collect();
        world.subscribe(subscriber, &piece);
    }
    world.seen(subscriber);
    let publisher = world.client(V5_0, "p");
    for number in [0, 1, 2_500, 4_999] {
        world.publish(publisher, &format!("t/{number}/x"), AtMostOnce, "m");
        assert_eq!(world.seen(subscriber), [format!("PUBLISH t/{number}/x m qos0")]);
    }
    world.disconnect(subscriber);
    world.publish(publisher, "t/1/x", AtMostOnce, "m");
}

#[test]
fn a_filter_with_too_many_levels_is_refused() {
    let mut world = World::standard();
    let client = world.client(V5_0, "c");
    world.subscribe(client, &[(&"/".repeat(65_000), AtMostOnce), (&"/".repeat(199), AtMostOnce)]);
    assert_eq!(world.seen(client), ["SUBACK 1 97 00"]);
}

#[test]
fn a_subscribe_of_3_1_that_is_refused_grants_nothing() {
    let mut world = World::standard();
    let subscriber = world.connect(V3_1, crate::world::lasting(V3_1, "s"));
    world.subscribe(subscriber, &[("t", AtLeastOnce), ("a#", AtLeastOnce)]);
    assert_eq!(world.seen(subscriber), ["CONNACK 0x00", "closed"]);
    let publisher = world.client(V3_1, "p");
    world.publish(publisher, "t", AtLeastOnce, "m");
    let subscriber = world.connect(V3_1, crate::world::lasting(V3_1, "s"));
    assert_eq!(world.seen(subscriber), ["CONNACK 0x00"]);
}
