//! Messages from the server.

use crate::scripted::{
    ALL, V3_1_1, V5_0, acknowledgement, connected, keeping, options, publish, qos1, qos2, received, text,
};
use model::packet::{Delivery, Packet, Publish, PublishProperties, ReasonCode};
use reference_client::{Cause, ConnectOptions};
use std::num::NonZeroU16;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn pubacks_keep_the_order_of_the_messages() {
    for version in ALL {
        let (_client, mut events, mut server) = connected(options(version)).await;
        for (id, payload) in [(7, "m1"), (3, "m2"), (5, "m3")] {
            server.send(&Packet::Publish(publish(payload, qos1(id, false)))).await;
        }
        for id in [7, 3, 5] {
            assert_eq!(server.expect().await, Packet::Puback(acknowledgement(id)));
        }
        for payload in ["m1", "m2", "m3"] {
            assert_eq!(received(&mut events).await.payload, payload.as_bytes());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn qos_0_is_not_answered() {
    for version in ALL {
        let (_client, mut events, mut server) = connected(options(version)).await;
        server.send(&Packet::Publish(publish("m1", Delivery::AtMostOnce))).await;
        let message = received(&mut events).await;
        assert_eq!((message.topic, message.payload), (text("t/a"), b"m1".to_vec()));
        server.silence(Duration::from_secs(10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_nobody_takes_is_not_acknowledged_and_nothing_more_is_read() {
    let event_capacity = NonZeroU16::new(1).unwrap();
    let (_client, mut events, mut server) = connected(ConnectOptions { event_capacity, ..options(V3_1_1) }).await;
    for id in 1..=3 {
        server.send(&Packet::Publish(publish("m", qos1(id, false)))).await;
    }
    assert_eq!(server.expect().await, Packet::Puback(acknowledgement(1)));
    // The second is in hand, for the queue holds one; Keep Alive goes on meanwhile, PINGRESP unread.
    for _ in 0..5 {
        assert_eq!(server.expect().await, Packet::Pingreq);
        server.send(&Packet::Pingresp).await;
    }
    received(&mut events).await;
    assert_eq!(server.expect().await, Packet::Puback(acknowledgement(2)));
    received(&mut events).await;
    assert_eq!(server.expect().await, Packet::Puback(acknowledgement(3)));
}

#[tokio::test(start_paused = true)]
async fn without_receiver_messages_are_acknowledged_and_thrown_away() {
    let (_client, events, mut server) = connected(options(V3_1_1)).await;
    drop(events);
    for id in 1..=200 {
        server.send(&Packet::Publish(publish("m", qos1(id, false)))).await;
        assert_eq!(server.expect().await, Packet::Puback(acknowledgement(id)));
    }
}

#[tokio::test(start_paused = true)]
async fn qos_2_is_handed_over_once() {
    for version in ALL {
        let (_client, mut events, mut server) = connected(options(version)).await;
        for dup in [false, true] {
            server.send(&Packet::Publish(publish("m1", qos2(4, dup)))).await;
            assert_eq!(server.expect().await, Packet::Pubrec(acknowledgement(4)));
        }
        server.send(&Packet::Pubrel(acknowledgement(4))).await;
        assert_eq!(server.expect().await, Packet::Pubcomp(acknowledgement(4)));
        // The identifier is free again: a new message.
        server.send(&Packet::Publish(publish("m2", qos2(4, false)))).await;
        assert_eq!(received(&mut events).await.payload, b"m1");
        assert_eq!(received(&mut events).await.payload, b"m2");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_pubrel_is_answered() {
    for version in ALL {
        let (_client, _events, mut server) = connected(options(version)).await;
        server.send(&Packet::Pubrel(acknowledgement(4))).await;
        let Packet::Pubcomp(pubcomp) = server.expect().await else { panic!("PUBCOMP expected") };
        let expected = if version == V5_0 { ReasonCode::PacketIdentifierNotFound } else { ReasonCode::Success };
        assert_eq!(pubcomp.reason, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn more_than_the_announced_receive_maximum_ends_it() {
    let receive_maximum = NonZeroU16::new(2).unwrap();
    let (_client, events, mut server) = connected(ConnectOptions { receive_maximum, ..keeping(V5_0) }).await;
    for id in 1..=3 {
        server.send(&Packet::Publish(publish("m", qos2(id, false)))).await;
    }
    assert_eq!(server.expect().await, Packet::Pubrec(acknowledgement(1)));
    assert_eq!(server.expect().await, Packet::Pubrec(acknowledgement(2)));
    server.closed_because(ReasonCode::ReceiveMaximumExceeded).await;
    assert!(matches!(events.ended().await.cause, Cause::ProtocolError { .. }));
}

/// A PUBLISH with this topic and alias.
fn aliased(topic: &str, alias: u16) -> Packet {
    let properties = PublishProperties { topic_alias: NonZeroU16::new(alias), ..PublishProperties::default() };
    Packet::Publish(Publish { topic: text(topic), properties, ..publish("m", Delivery::AtMostOnce) })
}

#[tokio::test(start_paused = true)]
async fn topic_aliases_are_resolved_and_can_be_set_anew() {
    let (_client, mut events, mut server) = connected(ConnectOptions { topic_alias_maximum: 2, ..options(V5_0) }).await;
    for (topic, alias) in [("t/1", 1), ("t/2", 2), ("", 1), ("", 2), ("t/3", 1), ("", 1)] {
        server.send(&aliased(topic, alias)).await;
    }
    for expected in ["t/1", "t/2", "t/1", "t/2", "t/3", "t/3"] {
        let message = received(&mut events).await;
        assert_eq!((message.topic.as_str(), message.properties.topic_alias), (expected, None));
    }
}

#[tokio::test(start_paused = true)]
async fn wrong_topic_aliases_end_it() {
    for (packet, reason) in
        [(aliased("t/1", 3), ReasonCode::TopicAliasInvalid), (aliased("", 2), ReasonCode::ProtocolError)]
    {
        let (_client, _events, mut server) =
            connected(ConnectOptions { topic_alias_maximum: 2, ..options(V5_0) }).await;
        server.send(&packet).await;
        server.closed_because(reason).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_wildcard_in_a_topic_name_ends_it() {
    for version in ALL {
        let (_client, mut events, mut server) = connected(options(version)).await;
        let wrong = Publish { topic: text("t/#"), ..publish("m", qos1(1, false)) };
        server.send(&Packet::Publish(wrong)).await;
        server.closed_because(ReasonCode::TopicNameInvalid).await;
        assert_eq!(events.next().await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn what_came_before_the_end_is_delivered() {
    let (_client, mut events, mut server) = connected(options(V3_1_1)).await;
    server.send(&Packet::Publish(publish("last", Delivery::AtMostOnce))).await;
    drop(server);
    assert_eq!(received(&mut events).await.payload, b"last");
    assert_eq!(events.next().await, None);
    assert!(matches!(events.ended().await.cause, Cause::ServerClosed));
}
