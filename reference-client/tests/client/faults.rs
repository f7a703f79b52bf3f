//! Servers that break the protocol, and the end of connections.

use crate::scripted::{ALL, Server, V3_1_1, V5_0, connected, connected_to, connecting, keeping, options};
use model::packet::{
    Auth, AuthProperties, ConnackProperties, Disconnect, DisconnectProperties, Packet, PropertySet, ReasonCode,
    Utf8String,
};
use model::wire::encode;
use reference_client::{Cause, Client, ConnectFailure, ConnectOptions, Events, NotSendable};
use std::num::NonZeroU32;

#[tokio::test(start_paused = true)]
async fn garbage_ends_it() {
    let malformed = ReasonCode::MalformedPacket;
    for (bytes, reason) in [
        // A packet type that does not exist.
        (&[0x00, 0x00][..], malformed),
        // A Remaining Length without end.
        (&[0x30, 0xFF, 0xFF, 0xFF, 0xFF], malformed),
        // QoS 3.
        (&[0x36, 0x05, 0x00, 0x01, b't', 0x00, 0x01], malformed),
        // A topic longer than the packet.
        (&[0x30, 0x03, 0x00, 0x09, b't'], malformed),
        // A PUBACK that is too short for its identifier.
        (&[0x40, 0x01, 0x00], malformed),
    ] {
        for version in ALL {
            let (_client, events, mut server) = connected(options(version)).await;
            server.send_bytes(bytes).await;
            server.closed_because(reason).await;
            let cause = events.ended().await.cause;
            assert!(matches!(cause, Cause::Malformed(_)), "{version} {bytes:02x?}: {cause}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn garbage_in_place_of_connack_ends_it() {
    for version in ALL {
        let (client, mut server) = connecting(options(version));
        server.connect().await;
        // Read as a packet of 3.1, which has no rule for its flag bits, it is an overlong PUBACK of 84 bytes.
        server.send_bytes(format!("HTTP/1.1 400 Bad Request\r\n{:80}\r\n", "").as_bytes()).await;
        if version == V5_0 {
            assert!(matches!(server.expect().await, Packet::Disconnect(_)));
        }
        server.closed().await;
        let error = client.await.unwrap().unwrap_err();
        assert!(matches!(error.failure, ConnectFailure::Ended(Cause::Malformed(_))), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn any_bytes_end_in_an_answer_or_the_end() {
    // Every first byte, with every short body of one repeated value: the client neither panics nor hangs.
    for first in 0..=u8::MAX {
        for filler in [0x00, 0x01, 0x80, 0xFF] {
            let (client, events, mut server) = connected(options(V5_0)).await;
            server.send_bytes(&[first, 4, filler, filler, filler, filler]).await;
            drop(server);
            let ended = events.ended().await;
            assert!(!matches!(ended.cause, Cause::TaskStopped), "{first:02x} {filler:02x}");
            drop(client);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn packets_of_a_client_end_it() {
    for version in ALL {
        for bytes in [&[0xC0, 0x00][..], &[0x82, 0x06, 0x00, 0x01, 0x00, 0x01, b't', 0x00]] {
            let (_client, events, mut server) = connected(options(version)).await;
            server.send_bytes(bytes).await;
            server.closed_because(ReasonCode::ProtocolError).await;
            assert!(!matches!(events.ended().await.cause, Cause::Disconnected));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_packet_above_the_own_maximum_ends_it_before_it_is_read() {
    for version in ALL {
        let maximum_packet_size = NonZeroU32::new(100).unwrap();
        let (_client, events, mut server) = connected(ConnectOptions { maximum_packet_size, ..options(version) }).await;
        // A megabyte is announced; its first byte is enough.
        server.send_bytes(&[0x30, 0xC0, 0x84, 0x3D, 0x00]).await;
        server.closed_because(ReasonCode::PacketTooLarge).await;
        assert!(matches!(events.ended().await.cause, Cause::Malformed(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn unasked_auth_ends_it() {
    let (_client, _events, mut server) = connected(options(V5_0)).await;
    let properties =
        AuthProperties { authentication_method: Some(Utf8String::new("x").unwrap()), ..AuthProperties::default() };
    assert!(!properties.is_empty());
    server.send(&Packet::Auth(Auth { reason: ReasonCode::ContinueAuthentication, properties })).await;
    server.closed_because(ReasonCode::ProtocolError).await;
}

#[tokio::test(start_paused = true)]
async fn disconnect_of_the_server_is_told_and_not_answered() {
    let (_client, events, mut server) = connected(keeping(V5_0)).await;
    let sent = Disconnect {
        reason: ReasonCode::SessionTakenOver,
        properties: DisconnectProperties {
            reason_string: Some(Utf8String::new("elsewhere").unwrap()),
            ..DisconnectProperties::default()
        },
    };
    server.send(&Packet::Disconnect(sent.clone())).await;
    server.closed().await;
    let ended = events.ended().await;
    assert_eq!(ended.cause.to_string(), "the server disconnected: 0x8E Session taken over (\"elsewhere\")");
    assert!(matches!(ended.cause, Cause::ServerDisconnected(disconnect) if *disconnect == sent));
    assert!(ended.session.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_3_x_server_cannot_disconnect() {
    let (_client, events, mut server) = connected(options(V3_1_1)).await;
    server.send_bytes(&[0xE0, 0x00]).await;
    server.closed().await;
    assert!(!matches!(events.ended().await.cause, Cause::ServerClosed));
}

#[tokio::test(start_paused = true)]
async fn a_disconnect_that_does_not_fit_is_left_out() {
    // DISCONNECT with a reason code has three bytes at least.
    let properties = ConnackProperties { maximum_packet_size: NonZeroU32::new(2), ..ConnackProperties::default() };
    let (_client, _events, mut server) = connected_to(options(V5_0), false, properties).await;
    server.send_bytes(&[0x00, 0x00]).await;
    server.closed().await;
}

#[tokio::test(start_paused = true)]
async fn packets_may_come_in_any_pieces() {
    let (client, mut server) = connecting(options(V5_0));
    server.connect().await;
    for byte in [0x20, 0x03, 0x00, 0x00, 0x00] {
        server.send_bytes(&[byte]).await;
        tokio::task::yield_now().await;
    }
    assert!(client.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn only_a_clients_reasons_are_sent_in_disconnect() {
    let (client, _events, mut server) = connected(options(V5_0)).await;
    let wrong = Disconnect::because(ReasonCode::ServerShuttingDown);
    assert!(matches!(client.disconnect_with(wrong).await, Err(NotSendable::Disconnect(_))));
    let will = Disconnect::because(ReasonCode::DisconnectWithWillMessage);
    client.disconnect_with(will.clone()).await.unwrap();
    assert_eq!(server.expect().await, Packet::Disconnect(will));
    server.closed().await;
    assert_eq!(client.disconnect().await, Err(NotSendable::NotConnected));

    let (client, _events, _server) = connected(options(V3_1_1)).await;
    let will = Disconnect::because(ReasonCode::DisconnectWithWillMessage);
    assert!(matches!(client.disconnect_with(will).await, Err(NotSendable::Disconnect(_))));
}

#[tokio::test(start_paused = true)]
async fn dropping_all_handles_disconnects() {
    for version in ALL {
        let (client, events, mut server): (Client, Events, Server) = connected(options(version)).await;
        drop(client);
        let bytes = encode(&Packet::Pingresp, version).unwrap();
        server.send_bytes(&bytes).await;
        server.silence(std::time::Duration::from_secs(20)).await;
        drop(events);
        assert_eq!(server.expect().await, Packet::Disconnect(Disconnect::normal()));
        server.closed().await;
    }
}
