use crate::world::{V3_1_1, V5_0, World, clean, lasting, leaving};
use model::packet::{
    Acknowledgement, Auth, AuthProperties, Connect, Packet, PublishProperties, Qos, ReasonCode, Subscribe,
    SubscribeProperties, SubscriptionIdentifier,
};

use crate::world::{packet_id, publish, request, settings, text};
use clap::ValueEnum;
use reference_broker::{Offer, Settings};

/// A broker that offers as little as it may, apart from Topic Aliases.
fn lean() -> Settings {
    let offers = Offer::value_variants().iter().filter(|offer| **offer != Offer::TopicAliases);
    offers.fold(settings("standard"), |settings, offer| settings.without(*offer))
}

#[test]
fn violations_end_the_connection_and_5_0_says_why() {
    let retained = model::packet::Publish { retain: true, ..publish("t", Qos::AtMostOnce, "m") };
    let aliased = model::packet::Publish {
        properties: PublishProperties { topic_alias: std::num::NonZeroU16::new(21), ..PublishProperties::default() },
        ..publish("t", Qos::AtMostOnce, "m")
    };
    let unset = model::packet::Publish {
        topic: text(""),
        properties: PublishProperties { topic_alias: std::num::NonZeroU16::new(1), ..PublishProperties::default() },
        ..publish("t", Qos::AtMostOnce, "m")
    };
    let answered = model::packet::Publish {
        properties: PublishProperties { response_topic: Some(text("a/+")), ..PublishProperties::default() },
        ..publish("t", Qos::AtMostOnce, "m")
    };
    let from_client = model::packet::Publish {
        properties: PublishProperties {
            subscription_identifiers: SubscriptionIdentifier::new(1).into_iter().collect(),
            ..PublishProperties::default()
        },
        ..publish("t", Qos::AtMostOnce, "m")
    };
    let identified = Subscribe {
        packet_id: packet_id(1),
        properties: SubscribeProperties {
            subscription_identifier: SubscriptionIdentifier::new(1),
            ..SubscribeProperties::default()
        },
        requests: vec![request("t", Qos::AtMostOnce)],
    };
    let auth = Auth {
        reason: ReasonCode::ReAuthenticate,
        properties: AuthProperties { authentication_method: Some(text("m")), ..AuthProperties::default() },
    };
    for (packet, seen) in [
        (Packet::Publish(publish("t", Qos::ExactlyOnce, "m")), "DISCONNECT 0x9B"),
        (Packet::Publish(publish("t/+", Qos::AtMostOnce, "m")), "DISCONNECT 0x90"),
        (Packet::Publish(retained), "DISCONNECT 0x9A"),
        (Packet::Publish(aliased), "DISCONNECT 0x94"),
        (Packet::Publish(unset), "DISCONNECT 0x82"),
        (Packet::Publish(answered), "DISCONNECT 0x82"),
        (Packet::Publish(from_client), "DISCONNECT 0x82"),
        (Packet::Subscribe(identified), "DISCONNECT 0xA1"),
        (Packet::Auth(auth), "DISCONNECT 0x82"),
    ] {
        let mut world = World::new(lean());
        let watcher = world.subscriber(V5_0, "w", "#", Qos::AtLeastOnce);
        let client = world.client(V5_0, "c");
        let shown = format!("{packet:?}");
        world.send(client, packet);
        assert_eq!(world.seen(client), [seen, "closed"], "{shown}");
        assert!(world.seen(watcher).is_empty(), "{shown}");
    }
    for packet in [publish("t", Qos::ExactlyOnce, "m"), publish("t/+", Qos::AtLeastOnce, "m")] {
        let mut world = World::new(lean());
        let watcher = world.subscriber(V3_1_1, "w", "#", Qos::AtLeastOnce);
        let client = world.client(V3_1_1, "c");
        world.send(client, Packet::Publish(packet));
        assert_eq!(world.seen(client), ["closed"]);
        assert!(world.seen(watcher).is_empty());
    }
}

#[test]
fn bytes_that_are_no_packet_end_the_connection() {
    for (bytes, code) in [
        (&b"\xC1\x00"[..], "81"),                     // flags of PINGREQ
        (b"\x36\x06\x00\x01t\x00\x01m", "81"),        // QoS 3
        (b"\x32\x07\x00\x01t\x00\x00\x00m", "81"),    // Packet Identifier 0
        (b"\x30\x07\x00\x01t\x03\x23\x00\x00", "94"), // Topic Alias 0
        (b"\x82\x03\x00\x01\x00", "82"),              // no filter
        (b"\x82\x07\x00\x01\x00\x00\x01t\x40", "81"), // reserved option bit
        (b"\x20\x03\x00\x00\x00", "82"),              // CONNACK from a Client
        (b"\xD0\x00", "82"),                          // PINGRESP from a Client
        (b"\x30\xFF\xFF\xFF\x7F", "95"),              // 256 MiB
        (b"\x30\xFF\xFF\xFF\xFF", "81"),              // Remaining Length without end
        (b"\x00\x00", "81"),                          // type 0
        (b"\x30\x05\x00\x02\xC3\x28\x00", "81"),      // no UTF-8
    ] {
        let mut world = World::standard();
        let client = world.client(V5_0, "c");
        world.send_bytes(client, bytes);
        assert_eq!(world.seen(client), [format!("DISCONNECT 0x{code}"), "closed".to_owned()], "{bytes:02x?}");
    }
    for bytes in [&b"\xC1\x00"[..], b"\xF0\x00", b"\x36\x05\x00\x01t\x00\x01", b"\xE1\x00"] {
        let mut world = World::standard();
        let client = world.client(V3_1_1, "c");
        world.send_bytes(client, bytes);
        assert_eq!(world.seen(client), ["closed"], "{bytes:02x?}");
    }
}

#[test]
fn acknowledgements_of_nothing_are_answered_or_ignored() {
    let acknowledgement = Acknowledgement::success(packet_id(7));
    for (version, code) in [(V3_1_1, "0x00"), (V5_0, "0x92")] {
        let mut world = World::standard();
        let client = world.client(version, "c");
        world.send(client, Packet::Puback(acknowledgement.clone()));
        world.send(client, Packet::Pubcomp(acknowledgement.clone()));
        assert!(world.seen(client).is_empty());
        world.send(client, Packet::Pubrec(acknowledgement.clone()));
        world.send(client, Packet::Pubrel(acknowledgement.clone()));
        assert_eq!(world.seen(client), [format!("PUBREL 7 {code}"), format!("PUBCOMP 7 {code}")]);
    }
}

#[test]
fn silence_of_one_and_a_half_keep_alives_ends_the_connection() {
    for (version, seen) in [(V3_1_1, vec!["closed"]), (V5_0, vec!["DISCONNECT 0x8D", "closed"])] {
        let mut world = World::standard();
        let client = world.connect(version, Connect { keep_alive: 10, ..clean("c") });
        world.seen(client);
        for _ in 0..3 {
            world.elapse(14_999);
            world.send(client, Packet::Pingreq);
            assert_eq!(world.seen(client), ["PINGRESP"]);
        }
        world.elapse(14_999);
        assert!(world.seen(client).is_empty());
        world.elapse(1);
        assert_eq!(world.seen(client), seen);
    }
}

#[test]
fn what_a_client_receives_does_not_count_as_heard_from_it() {
    let mut world = World::standard();
    let client = world.connect(V3_1_1, Connect { keep_alive: 10, ..clean("c") });
    world.subscribe(client, &[("t", Qos::AtMostOnce)]);
    let publisher = world.connect(V3_1_1, Connect { keep_alive: 0, ..clean("p") });
    world.elapse(14_000);
    world.publish(publisher, "t", Qos::AtMostOnce, "m");
    world.seen(client);
    world.elapse(1_000);
    assert_eq!(world.seen(client), ["closed"]);
    world.elapse(1_000_000_000);
    world.send(publisher, Packet::Pingreq);
    assert_eq!(world.seen(publisher), ["CONNACK 0x00", "PINGRESP"], "keep alive 0 is off");
}

#[test]
fn disconnect_may_change_the_session_expiry_but_not_raise_it_from_0() {
    let mut world = World::standard();
    let client = world.connect(V5_0, lasting(V5_0, "c"));
    world.send(client, leaving(ReasonCode::Success, Some(5)));
    assert_eq!(world.seen(client), ["CONNACK 0x00", "closed"]);
    world.elapse(4_999);
    let client = world.connect(V5_0, lasting(V5_0, "c"));
    assert_eq!(world.seen(client), ["CONNACK 0x00 session-present"]);
    world.send(client, leaving(ReasonCode::Success, Some(5)));
    world.elapse(5_000);
    let client = world.connect(V5_0, lasting(V5_0, "c"));
    assert_eq!(world.seen(client).last().unwrap(), "CONNACK 0x00");

    let client = world.client(V5_0, "d");
    world.send(client, leaving(ReasonCode::Success, Some(1)));
    assert_eq!(world.seen(client), ["DISCONNECT 0x82", "closed"]);
}
