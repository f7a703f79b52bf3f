//! Sessions that outlive their connections.

use crate::scripted::{
    ALL, Server, V3_1_1, V5_0, acknowledgement, connected, connected_to, connecting, id, keeping, message, options,
    publish, qos1, qos2, received,
};
use model::packet::{ConnackProperties, Delivery, Disconnect, DisconnectProperties, Packet, Qos, ReasonCode};
use reference_client::{
    Cause, Client, ConnectFailure, ConnectOptions, Event, Events, NotSendable, OptionsError, ProtocolVersion,
    PublishError, Session,
};
use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

/// Publishes without waiting for the end.
async fn begin(client: &Client, server: &mut Server, payload: &'static str, qos: Qos) -> u16 {
    let client = client.clone();
    tokio::spawn(async move { client.publish(message(payload, qos)).await });
    server.publish().await.packet_id().unwrap().value()
}

/// A session of which these messages are unacknowledged, with identifiers from 1.
async fn interrupted(version: ProtocolVersion, payloads: &[&'static str]) -> Session {
    let (client, events, mut server) = connected(keeping(version)).await;
    for payload in payloads {
        begin(&client, &mut server, payload, Qos::AtLeastOnce).await;
    }
    drop(server);
    events.ended().await.session.unwrap()
}

async fn resumed(session: Session, properties: ConnackProperties) -> (Client, Events, Server) {
    let version = session.version();
    // 3.1 cannot say whether it has the session.
    connected_to(keeping(version).resuming(session), version != ProtocolVersion::V3_1, properties).await
}

#[tokio::test(start_paused = true)]
async fn unacknowledged_messages_are_sent_again_in_order_with_dup_and_the_same_id() {
    for version in ALL {
        let (client, events, mut server) = connected(keeping(version)).await;
        for payload in ["m1", "m2", "m3", "m4"] {
            begin(&client, &mut server, payload, Qos::AtLeastOnce).await;
        }
        server.puback(2).await;
        server.silence(Duration::from_secs(1)).await;
        drop(server);
        let session = events.ended().await.session.unwrap();
        let payloads: Vec<&[u8]> = session.unacknowledged().map(|message| message.payload.as_slice()).collect();
        assert_eq!(payloads, [b"m1", b"m3", b"m4"]);

        let (client, mut events, mut server) = resumed(session, ConnackProperties::default()).await;
        let new = tokio::spawn(async move { client.publish(message("m5", Qos::AtLeastOnce)).await });
        assert_eq!(server.publish().await, publish("m1", qos1(1, true)));
        assert_eq!(server.publish().await, publish("m3", qos1(3, true)));
        assert_eq!(server.publish().await, publish("m4", qos1(4, true)));
        assert_eq!(server.publish().await, publish("m5", qos1(5, false)));
        for packet_id in [1, 3, 4] {
            server.puback(packet_id).await;
            let outcome = Ok(ReasonCode::Success);
            assert_eq!(events.next().await, Some(Event::ResentSettled { packet_id: id(packet_id), outcome }));
        }
        server.puback(5).await;
        assert!(new.await.unwrap().is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn qos_2_goes_on_where_it_stood() {
    for version in ALL {
        let (client, events, mut server) = connected(keeping(version)).await;
        for payload in ["m1", "m2", "m3"] {
            begin(&client, &mut server, payload, Qos::ExactlyOnce).await;
        }
        for packet_id in [3, 1] {
            server.send(&Packet::Pubrec(acknowledgement(packet_id))).await;
            assert_eq!(server.expect().await, Packet::Pubrel(acknowledgement(packet_id)));
        }
        drop(server);
        let session = events.ended().await.session.unwrap();
        let (_client, _events, mut server) = resumed(session, ConnackProperties::default()).await;
        // PUBREL in the order of the PUBRECs, and no PUBLISH for them.
        assert_eq!(server.expect().await, Packet::Pubrel(acknowledgement(3)));
        assert_eq!(server.expect().await, Packet::Pubrel(acknowledgement(1)));
        assert_eq!(server.publish().await, publish("m2", qos2(2, true)));
        server.silence(Duration::from_secs(5)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn qos_2_received_before_is_not_handed_over_again() {
    for version in ALL {
        let (_client, mut events, mut server) = connected(keeping(version)).await;
        server.send(&Packet::Publish(publish("m1", qos2(9, false)))).await;
        assert_eq!(server.expect().await, Packet::Pubrec(acknowledgement(9)));
        received(&mut events).await;
        drop(server);
        let session = events.ended().await.session.unwrap();
        let (_client, mut events, mut server) = resumed(session, ConnackProperties::default()).await;
        server.send(&Packet::Publish(publish("m1", qos2(9, true)))).await;
        assert_eq!(server.expect().await, Packet::Pubrec(acknowledgement(9)));
        server.send(&Packet::Publish(publish("m2", Delivery::AtMostOnce))).await;
        assert_eq!(received(&mut events).await.payload, b"m2");
    }
}

#[tokio::test(start_paused = true)]
async fn a_resumed_session_keeps_to_the_new_receive_maximum() {
    let session = interrupted(V5_0, &["m1", "m2", "m3"]).await;
    let properties = ConnackProperties { receive_maximum: NonZeroU16::new(1), ..ConnackProperties::default() };
    let (_client, mut events, mut server) = resumed(session, properties).await;
    for packet_id in 1..=3 {
        assert_eq!(server.publish().await.packet_id(), Some(id(packet_id)));
        server.silence(Duration::from_secs(5)).await;
        server.puback(packet_id).await;
        assert!(matches!(events.next().await, Some(Event::ResentSettled { .. })));
    }
}

#[tokio::test(start_paused = true)]
async fn a_resumed_message_that_is_no_longer_offered_is_given_up_and_told() {
    let session = interrupted(V5_0, &["a message of some length", "m2"]).await;
    let properties = ConnackProperties { maximum_packet_size: NonZeroU32::new(20), ..ConnackProperties::default() };
    let (_client, mut events, mut server) = resumed(session, properties).await;
    assert_eq!(server.publish().await, publish("m2", qos1(2, true)));
    match events.next().await {
        Some(Event::ResentSettled { packet_id, outcome }) => {
            assert_eq!(packet_id, id(1));
            let error = NotSendable::PacketTooLarge { size: 34, maximum: 20 };
            assert_eq!(outcome, Err(PublishError::NotSendable(error)));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn session_present_0_drops_the_state() {
    for version in [V3_1_1, V5_0] {
        let session = interrupted(version, &["m1"]).await;
        let asked = keeping(version).resuming(session);
        let (client, events, mut server) = connected_to(asked, false, ConnackProperties::default()).await;
        let discarded = &client.accepted().discarded;
        assert_eq!(discarded.as_slice(), [message("m1", Qos::AtLeastOnce)]);
        server.silence(Duration::from_secs(5)).await;
        drop(server);
        assert_eq!(events.ended().await.session.unwrap().unacknowledged().count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn session_present_1_without_state_closes() {
    for version in [V3_1_1, V5_0] {
        for (asked, reason) in
            [(keeping(version), ReasonCode::UnspecifiedError), (options(version), ReasonCode::ProtocolError)]
        {
            let (client, mut server) = connecting(asked);
            server.connect().await;
            server.accept(true, ConnackProperties::default()).await;
            server.closed_because(reason).await;
            let failure = client.await.unwrap().unwrap_err().failure;
            assert!(matches!(failure, ConnectFailure::Ended(Cause::SessionStateMissing)), "{failure}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_attempt_hands_the_session_back() {
    let session = interrupted(V3_1_1, &["m1"]).await;
    let (client, mut server) = connecting(keeping(V3_1_1).resuming(session));
    assert!(!server.connect().await.clean_start);
    server.connack(false, 3, ConnackProperties::default()).await;
    let session = client.await.unwrap().unwrap_err().session.unwrap();
    assert_eq!(session.unacknowledged().count(), 1);

    let clean = ConnectOptions { clean_start: true, ..options(V3_1_1).resuming(*session) };
    let (client, _server) = connecting(clean);
    let error = client.await.unwrap().unwrap_err();
    assert!(matches!(error.failure, ConnectFailure::Options(OptionsError::CleanStartOfSession)));
    let foreign = options(V5_0).resuming(*error.session.unwrap());
    assert!(matches!(foreign.check(), Err(OptionsError::ForeignSession { .. })));
}

#[tokio::test(start_paused = true)]
async fn the_server_and_disconnect_decide_on_the_life_of_a_5_0_session() {
    let expiry = |seconds| ConnackProperties { session_expiry_interval: Some(seconds), ..ConnackProperties::default() };
    let disconnect = |seconds| Disconnect {
        properties: DisconnectProperties { session_expiry_interval: Some(seconds), ..DisconnectProperties::default() },
        ..Disconnect::normal()
    };
    let (client, events, _server) = connected_to(keeping(V5_0), false, expiry(0)).await;
    client.disconnect().await.unwrap();
    assert!(events.ended().await.session.is_none(), "CONNACK set it to 0");

    let (client, events, _server) = connected(keeping(V5_0)).await;
    client.disconnect_with(disconnect(0)).await.unwrap();
    assert!(events.ended().await.session.is_none(), "DISCONNECT set it to 0");

    let (client, events, _server) = connected(options(V5_0)).await;
    assert!(matches!(client.disconnect_with(disconnect(60)).await, Err(NotSendable::Disconnect(_))));
    client.disconnect().await.unwrap();
    assert!(events.ended().await.session.is_none(), "CONNECT had 0");
}
