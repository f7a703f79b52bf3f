//! Keep Alive and answers that do not come.

use crate::scripted::{ALL, V3_1_1, V5_0, connected, connected_to, message, options, publish, qos1, received};
use model::packet::{ConnackProperties, Packet, PacketType, Qos, ReasonCode};
use reference_client::{Cause, ConnectOptions};
use std::num::NonZeroU16;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

#[tokio::test(start_paused = true)]
async fn pingreq_comes_before_keep_alive_runs_out() {
    for version in ALL {
        let (_client, _events, mut server) = connected(ConnectOptions { keep_alive: 10, ..options(version) }).await;
        for _ in 0..3 {
            let silent_since = Instant::now();
            assert_eq!(server.expect().await, Packet::Pingreq);
            let silence = silent_since.elapsed();
            assert!(Duration::from_secs(5) < silence && silence < Duration::from_secs(10), "{silence:?}");
            server.send(&Packet::Pingresp).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn any_packet_puts_off_pingreq() {
    let (client, _events, mut server) = connected(ConnectOptions { keep_alive: 10, ..options(V3_1_1) }).await;
    for _ in 0..5 {
        sleep(Duration::from_secs(5)).await;
        client.publish(message("m", Qos::AtMostOnce)).await.unwrap();
        server.publish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn keep_alive_0_means_none() {
    let (_client, _events, mut server) = connected(ConnectOptions { keep_alive: 0, ..options(V3_1_1) }).await;
    server.silence(Duration::from_secs(9_999)).await;
}

#[tokio::test(start_paused = true)]
async fn server_keep_alive_takes_the_place_of_the_clients() {
    for (own, servers) in [(600, 4), (2, 40)] {
        let properties = ConnackProperties { server_keep_alive: Some(servers), ..ConnackProperties::default() };
        let (_client, _events, mut server) =
            connected_to(ConnectOptions { keep_alive: own, ..options(V5_0) }, false, properties).await;
        let silent_since = Instant::now();
        assert_eq!(server.expect().await, Packet::Pingreq);
        let silence = silent_since.elapsed().as_secs_f32();
        assert!(f32::from(servers) / 2.0 < silence && silence < f32::from(servers), "{silence}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_pingresp_the_connection_is_dead_after_one_keep_alive() {
    for version in ALL {
        let (_client, events, mut server) = connected(ConnectOptions { keep_alive: 2, ..options(version) }).await;
        assert_eq!(server.expect().await, Packet::Pingreq);
        let pinged = Instant::now();
        // Another PINGREQ may be due meanwhile.
        while let Some(packet) = server.next().await {
            assert_eq!(packet, Packet::Pingreq);
            assert!(pinged.elapsed() < Duration::from_secs(60), "pings for ever");
        }
        assert_eq!(pinged.elapsed().as_secs(), 2);
        assert!(matches!(events.ended().await.cause, Cause::Unanswered { packet: PacketType::Pingreq, .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_message_ends_it_in_bounded_time() {
    for version in ALL {
        let response_timeout = Duration::from_secs(20);
        let (client, events, mut server) =
            connected(ConnectOptions { keep_alive: 0, response_timeout, ..options(version) }).await;
        let published = tokio::spawn(async move { client.publish(message("m", Qos::AtLeastOnce)).await });
        server.publish().await;
        server.closed_because(ReasonCode::UnspecifiedError).await;
        assert!(published.await.unwrap().is_err());
        let cause = events.ended().await.cause.to_string();
        assert_eq!(cause, "the server did not answer PUBLISH within 20s");
    }
}

#[tokio::test(start_paused = true)]
async fn an_application_that_takes_no_events_while_it_awaits_an_answer_is_told_so() {
    let event_capacity = NonZeroU16::new(1).unwrap();
    let (client, mut events, mut server) =
        connected(ConnectOptions { event_capacity, keep_alive: 0, ..options(V5_0) }).await;
    for id in 1..=3 {
        server.send(&Packet::Publish(publish("m", qos1(id, false)))).await;
    }
    assert!(client.subscribe("t", Qos::AtMostOnce).await.is_err());
    received(&mut events).await;
    assert!(matches!(events.ended().await.cause, Cause::EventsNotTaken(_)));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_no_bytes_is_given_up() {
    let (client, events, _server) = connected(ConnectOptions { keep_alive: 0, ..options(V3_1_1) }).await;
    let payload = "x".repeat(60_000);
    let begun = Instant::now();
    // Far more than pipe and buffers hold; nobody reads.
    let mut sent = 0;
    let publish = || timeout(Duration::from_secs(60), client.publish(message(&payload, Qos::AtMostOnce)));
    while publish().await.expect("no publish waits for ever").is_ok() {
        sent += 1;
        assert!(sent < 100, "queued without bound");
    }
    assert!(begun.elapsed() < Duration::from_secs(40));
    assert!(matches!(events.ended().await.cause, Cause::Transport(_)));
}
