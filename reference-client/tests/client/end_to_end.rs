//! Reference client and reference broker: two sides, written apart, that have to understand each other.

use crate::scripted::{ALL, keeping, options, received, text};
use model::packet::{ReasonCode, Will, WillProperties};
use model::profile::Profile;
use reference_broker::{Broker, Settings};
use reference_client::{
    Cause, Client, ConnectOptions, Event, Events, Message, ProtocolVersion, PublishError, Published, Qos, Utf8String,
};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;

fn broker() -> Broker {
    Broker::new(Settings::from_profile(Profile::builtin("standard").unwrap()))
}

fn line(broker: &Broker) -> DuplexStream {
    let (here, there) = duplex(1 << 16);
    broker.attach(there);
    here
}

async fn join(broker: &Broker, client_id: &str, options: ConnectOptions) -> (Client, Events) {
    let client_id = Utf8String::new(client_id).unwrap();
    Client::connect(line(broker), ConnectOptions { client_id, ..options }).await.unwrap()
}

fn message(payload: &str, qos: Qos) -> Message {
    Message::new("t/a", payload).unwrap().at(qos)
}

#[tokio::test(start_paused = true)]
async fn messages_pass_between_all_versions() {
    for publisher in ALL {
        for subscriber in ALL {
            let broker = broker();
            let (sub, mut events) = join(&broker, "sub", options(subscriber)).await;
            assert_eq!(sub.subscribe("t/+", Qos::AtLeastOnce).await, Ok(Qos::AtLeastOnce));
            let (publ, _events) = join(&broker, "pub", options(publisher)).await;
            assert_eq!(publ.publish(message("m0", Qos::AtMostOnce)).await, Ok(Published::Unconfirmed));
            let acknowledged = publ.publish(message("m1", Qos::AtLeastOnce)).await.unwrap();
            assert_eq!(acknowledged, Published::Acknowledged(ReasonCode::Success));
            let (first, second) = (received(&mut events).await, received(&mut events).await);
            let mut seen = [(first.payload, first.qos), (second.payload, second.qos)];
            // Nothing orders QoS 0 and 1 against each other.
            seen.sort();
            let expected = [(b"m0".to_vec(), Qos::AtMostOnce), (b"m1".to_vec(), Qos::AtLeastOnce)];
            assert_eq!(seen, expected, "{publisher} to {subscriber}");
            sub.unsubscribe("t/+").await.unwrap();
            publ.publish(message("m2", Qos::AtLeastOnce)).await.unwrap();
            sub.disconnect().await.unwrap();
            assert_eq!(events.next().await, None, "unsubscribed");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn keep_alive_holds_an_idle_connection() {
    for version in ALL {
        let broker = broker();
        let (sub, mut events) = join(&broker, "sub", ConnectOptions { keep_alive: 10, ..options(version) }).await;
        sub.subscribe("t/a", Qos::AtMostOnce).await.unwrap();
        assert!(timeout(Duration::from_secs(3600), events.next()).await.is_err(), "an hour of pings");
        let (publ, _events) = join(&broker, "pub", options(version)).await;
        publ.publish(message("m1", Qos::AtMostOnce)).await.unwrap();
        assert_eq!(received(&mut events).await.payload, b"m1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_is_resumed_and_what_was_missed_arrives() {
    for version in ALL {
        let broker = broker();
        let (sub, events) = join(&broker, "sub", keeping(version)).await;
        sub.subscribe("t/a", Qos::AtLeastOnce).await.unwrap();
        sub.disconnect().await.unwrap();
        let session = events.ended().await.session.unwrap();
        let (publ, _events) = join(&broker, "pub", options(version)).await;
        for payload in ["m1", "m2"] {
            publ.publish(message(payload, Qos::AtLeastOnce)).await.unwrap();
        }
        let resumed = keeping(version).resuming(session);
        let (sub, mut events) = Client::connect(line(&broker), resumed).await.unwrap();
        assert_eq!(sub.accepted().session_present, version != ProtocolVersion::V3_1);
        assert_eq!(received(&mut events).await.payload, b"m1");
        assert_eq!(received(&mut events).await.payload, b"m2");
    }
}

/// A line to the broker that loses what the broker says once the client has published.
fn deaf_line(broker: &Broker) -> DuplexStream {
    let (here, mut client) = duplex(1 << 16);
    let mut server = line(broker);
    tokio::spawn(async move {
        let (mut up, mut down) = ([0; 4096], [0; 4096]);
        loop {
            tokio::select! {
                Ok(count @ 1..) = client.read(&mut up) => {
                    server.write_all(&up[..count]).await.unwrap();
                    if up[0] >> 4 == 3 {
                        // The broker has the message; its PUBACK is lost with the line.
                        let _ = server.read(&mut down).await;
                        return;
                    }
                }
                Ok(count @ 1..) = server.read(&mut down) => client.write_all(&down[..count]).await.unwrap(),
                else => return,
            }
        }
    });
    here
}

#[tokio::test(start_paused = true)]
async fn a_lost_puback_is_made_good_by_the_next_connection() {
    for version in ALL {
        let broker = broker();
        let (sub, mut messages) = join(&broker, "sub", options(version)).await;
        sub.subscribe("t/a", Qos::AtLeastOnce).await.unwrap();
        let (client, events) = Client::connect(deaf_line(&broker), keeping(version)).await.unwrap();
        let lost = client.publish(message("m1", Qos::AtLeastOnce)).await;
        assert_eq!(lost, Err(PublishError::Unacknowledged { kept: true }));
        let session = events.ended().await.session.unwrap();
        let (_client, mut events) = Client::connect(line(&broker), keeping(version).resuming(session)).await.unwrap();
        assert!(matches!(events.next().await, Some(Event::ResentSettled { outcome: Ok(_), .. })));
        // At least once: here, twice.
        assert_eq!(received(&mut messages).await.payload, b"m1");
        assert_eq!(received(&mut messages).await.payload, b"m1");
    }
}

#[tokio::test(start_paused = true)]
async fn the_will_is_published_when_the_line_breaks_and_not_after_disconnect() {
    for version in ALL {
        let will = Will {
            topic: text("t/will"),
            payload: b"gone".to_vec(),
            qos: Qos::AtMostOnce,
            retain: false,
            properties: WillProperties::default(),
        };
        let broker = broker();
        let (sub, mut events) = join(&broker, "sub", options(version)).await;
        sub.subscribe("t/will", Qos::AtMostOnce).await.unwrap();
        let mortal = || ConnectOptions { will: Some(will.clone()), ..options(version) };
        let (owner, _events) = join(&broker, "polite", mortal()).await;
        owner.disconnect().await.unwrap();
        assert!(timeout(Duration::from_secs(60), events.next()).await.is_err());
        let (client, _events) =
            Client::connect(deaf_line(&broker), ConnectOptions { client_id: text("abrupt"), ..mortal() })
                .await
                .unwrap();
        let _ = client.publish(message("last", Qos::AtMostOnce)).await;
        assert_eq!(received(&mut events).await.payload, b"gone", "{version}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_connects_again_takes_over() {
    for version in ALL {
        let broker = broker();
        let (_old, events) = join(&broker, "same", options(version)).await;
        let (new, _events) = join(&broker, "same", options(version)).await;
        match events.ended().await.cause {
            Cause::ServerDisconnected(disconnect) => assert_eq!(disconnect.reason, ReasonCode::SessionTakenOver),
            Cause::ServerClosed if version != ProtocolVersion::V5_0 => {}
            cause => panic!("{version}: {cause}"),
        }
        assert!(new.publish(message("m1", Qos::AtLeastOnce)).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn many_messages_arrive_in_order() {
    let broker = broker();
    let (sub, mut events) = join(&broker, "sub", options(ProtocolVersion::V5_0)).await;
    sub.subscribe("t/a", Qos::AtLeastOnce).await.unwrap();
    let (publ, _events) = join(&broker, "pub", options(ProtocolVersion::V3_1_1)).await;
    let publishing = tokio::spawn(async move {
        for number in 0..500 {
            publ.publish(message(&number.to_string(), Qos::AtLeastOnce)).await.unwrap();
        }
    });
    for number in 0..500 {
        assert_eq!(received(&mut events).await.payload, number.to_string().as_bytes());
    }
    publishing.await.unwrap();
}
