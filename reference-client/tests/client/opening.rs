//! CONNECT, CONNACK, and what the options may be.

use crate::scripted::{ALL, V3_1_1, V5_0, connected, connected_to, connecting, keeping, options, text};
use model::packet::{ConnackProperties, Packet, Qos, ReasonCode, UserProperty, Will, WillProperties};
use reference_client::{Cause, ConnectFailure, ConnectOptions, OptionsError, ProtocolVersion};
use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn connect_carries_the_options() {
    for version in ALL {
        let will = Will {
            topic: text("t/will"),
            payload: b"gone".to_vec(),
            qos: Qos::AtLeastOnce,
            retain: true,
            properties: WillProperties::default(),
        };
        let (client, mut server) = connecting(ConnectOptions {
            keep_alive: 300,
            will: Some(will.clone()),
            user_name: Some(text("user")),
            password: Some(b"secret".to_vec()),
            ..options(version)
        });
        let connect = server.connect().await;
        assert_eq!(connect.client_id, text("c1"));
        assert!(connect.clean_start);
        assert_eq!(connect.keep_alive, 300);
        assert_eq!(connect.will, Some(will));
        assert_eq!((connect.user_name, connect.password), (Some(text("user")), Some(b"secret".to_vec())));
        server.accept(false, ConnackProperties::default()).await;
        let (client, events) = client.await.unwrap().unwrap();
        client.disconnect().await.unwrap();
        assert!(matches!(server.expect().await, Packet::Disconnect(_)), "{version}");
        server.closed().await;
        let ended = events.ended().await;
        assert!(matches!(ended.cause, Cause::Disconnected) && ended.session.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn connect_carries_the_properties_of_5_0() {
    let user_properties: Vec<UserProperty> = vec![(text("k"), text("v"))];
    let (_client, mut server) = connecting(ConnectOptions {
        session_expiry_interval: 60,
        receive_maximum: NonZeroU16::new(5).unwrap(),
        maximum_packet_size: NonZeroU32::new(1000).unwrap(),
        topic_alias_maximum: 7,
        request_response_information: true,
        request_problem_information: false,
        user_properties: user_properties.clone(),
        ..options(V5_0)
    });
    let properties = server.connect().await.properties;
    assert_eq!(properties.session_expiry_interval, Some(60));
    assert_eq!(properties.receive_maximum, NonZeroU16::new(5));
    assert_eq!(properties.maximum_packet_size, NonZeroU32::new(1000));
    assert_eq!(properties.topic_alias_maximum, Some(7));
    assert_eq!(properties.request_response_information, Some(true));
    assert_eq!(properties.request_problem_information, Some(false));
    assert_eq!(properties.user_properties, user_properties);
}

#[tokio::test(start_paused = true)]
async fn the_servers_answer_is_told() {
    let (client, _events, _server) = connected_to(
        ConnectOptions { keep_alive: 60, ..ConnectOptions::new(V5_0, "").unwrap() },
        false,
        ConnackProperties {
            assigned_client_identifier: Some(text("auto-7")),
            server_keep_alive: Some(20),
            maximum_qos: Some(Qos::AtLeastOnce),
            receive_maximum: NonZeroU16::new(3),
            ..ConnackProperties::default()
        },
    )
    .await;
    let accepted = client.accepted();
    assert_eq!(accepted.client_id, text("auto-7"));
    assert_eq!(accepted.keep_alive, 20);
    assert_eq!((accepted.offer.maximum_qos, accepted.offer.receive_maximum), (Qos::AtLeastOnce, 3));
    assert!(accepted.offer.retain_available);
}

#[tokio::test(start_paused = true)]
async fn an_assigned_client_id_names_the_session() {
    let asked = ConnectOptions { session_expiry_interval: 60, ..ConnectOptions::new(V5_0, "").unwrap() };
    let properties =
        ConnackProperties { assigned_client_identifier: Some(text("auto-7")), ..ConnackProperties::default() };
    let (client, events, _server) = connected_to(asked, false, properties).await;
    client.disconnect().await.unwrap();
    let session = events.ended().await.session.unwrap();
    assert_eq!(session.client_id(), &text("auto-7"));
    let again = ConnectOptions::new(V5_0, "").unwrap().resuming(session);
    assert_eq!((again.client_id.as_str(), again.check()), ("auto-7", Ok(())));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_assigns_no_client_id_breaks_the_protocol() {
    let (client, mut server) = connecting(ConnectOptions::new(V5_0, "").unwrap());
    server.connect().await;
    server.accept(false, ConnackProperties::default()).await;
    server.closed_because(ReasonCode::ProtocolError).await;
    assert!(client.await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_and_the_stream_closed() {
    for version in ALL {
        let (client, mut server) = connecting(options(version));
        server.connect().await;
        let code = if version == V5_0 { 0x87 } else { 5 };
        server.connack(false, code, ConnackProperties::default()).await;
        server.closed().await;
        match client.await.unwrap().unwrap_err().failure {
            ConnectFailure::Ended(Cause::Refused(connack)) => assert_eq!(connack.code.value(), code),
            other => panic!("{other}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up() {
    let begun = tokio::time::Instant::now();
    let (client, mut server) =
        connecting(ConnectOptions { response_timeout: Duration::from_secs(7), ..options(V3_1_1) });
    server.connect().await;
    server.closed().await;
    let failure = client.await.unwrap().unwrap_err().failure;
    assert_eq!(failure.to_string(), "the server did not answer CONNECT within 7s");
    assert!((7..9).contains(&begun.elapsed().as_secs()));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_at_once_is_told() {
    let (client, server) = connecting(options(V3_1_1));
    drop(server);
    let failure = client.await.unwrap().unwrap_err().failure;
    assert!(matches!(failure, ConnectFailure::Ended(Cause::ServerClosed | Cause::Transport(_))), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn dropping_the_connect_future_closes_the_stream() {
    let (client, mut server) = connecting(options(V3_1_1));
    server.connect().await;
    client.abort();
    server.closed().await;
}

#[tokio::test(start_paused = true)]
async fn another_packet_than_connack_ends_it() {
    for version in ALL {
        let (client, mut server) = connecting(options(version));
        server.connect().await;
        server.send(&Packet::Pingresp).await;
        server.closed_because(ReasonCode::ProtocolError).await;
        assert!(client.await.unwrap().is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_connack_ends_it() {
    for version in ALL {
        let (_client, events, mut server) = connected(options(version)).await;
        server.accept(false, ConnackProperties::default()).await;
        server.closed_because(ReasonCode::ProtocolError).await;
        assert!(matches!(events.ended().await.cause, Cause::ProtocolError { .. }));
    }
}

#[test]
fn options_are_checked_before_anything_is_sent() {
    use OptionsError as E;
    let v3_1 = |id: &str| ConnectOptions::new(ProtocolVersion::V3_1, id).unwrap();
    let will = |topic: &str, payload: &str| {
        Some(Will {
            topic: text(topic),
            payload: payload.into(),
            qos: Qos::AtMostOnce,
            retain: false,
            properties: WillProperties::default(),
        })
    };
    let long = "a".repeat(24);
    assert_eq!(v3_1("").check(), Err(E::ClientIdMissing { version: ProtocolVersion::V3_1 }));
    assert_eq!(v3_1(&long).check(), Err(E::ClientIdTooLong(24)));
    assert_eq!(ConnectOptions { long_client_id: true, ..v3_1(&long) }.check(), Ok(()));
    assert_eq!(ConnectOptions { client_id: text(""), ..options(V3_1_1) }.check(), Ok(()));
    assert_eq!(
        ConnectOptions { client_id: text(""), ..keeping(V3_1_1) }.check(),
        Err(E::ClientIdMissing { version: V3_1_1 })
    );
    assert_eq!(ConnectOptions { client_id: text(""), ..keeping(V5_0) }.check(), Ok(()));
    let password = |version| ConnectOptions { password: Some(vec![1]), ..options(version) };
    assert_eq!(password(V3_1_1).check(), Err(E::PasswordWithoutUserName(V3_1_1)));
    assert_eq!(password(V5_0).check(), Ok(()));
    assert!(matches!(ConnectOptions { will: will("t/#", ""), ..options(V5_0) }.check(), Err(E::WillTopic(_))));
    assert_eq!(ConnectOptions { will: will("t", "\u{e9}"), ..v3_1("c") }.check(), Err(E::WillNotAscii));
    assert_eq!(ConnectOptions { will: will("t", "\u{e9}"), ..options(V3_1_1) }.check(), Ok(()));
    for response_timeout in [Duration::ZERO, Duration::MAX] {
        let outcome = ConnectOptions { response_timeout, ..options(V5_0) }.check();
        assert_eq!(outcome, Err(E::ResponseTimeout(response_timeout)));
    }
    assert_eq!(
        ConnectOptions { session_expiry_interval: 1, ..options(V3_1_1) }.check(),
        Err(E::NotBeforeV5("Session Expiry Interval"))
    );
}
