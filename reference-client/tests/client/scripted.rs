//! A server that does what the test says.

use model::packet::{
    Acknowledgement, Connack, ConnackCode, ConnackProperties, Connect, ConnectReturnCode, Delivery, Disconnect, Packet,
    PacketId, Publish, PublishProperties, Qos, ReasonCode, Utf8String,
};
use model::wire::{Decoder, encode};
use reference_client::{Client, ConnectError, ConnectOptions, Event, Events, Message, ProtocolVersion, Received};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than any deadline of the client in these tests, in virtual time.
const LONG: Duration = Duration::from_secs(10_000);

pub(crate) const ALL: [ProtocolVersion; 3] = ProtocolVersion::ALL;
pub(crate) const V3_1_1: ProtocolVersion = ProtocolVersion::V3_1_1;
pub(crate) const V5_0: ProtocolVersion = ProtocolVersion::V5_0;

/// A client that awaits CONNACK.
pub(crate) type Connecting = JoinHandle<Result<(Client, Events), ConnectError>>;

pub(crate) struct Server {
    stream: DuplexStream,
    decoder: Decoder,
    pub(crate) version: ProtocolVersion,
}

pub(crate) fn options(version: ProtocolVersion) -> ConnectOptions {
    ConnectOptions::new(version, "c1").unwrap()
}

/// Options of a session that outlives its connection.
pub(crate) fn keeping(version: ProtocolVersion) -> ConnectOptions {
    let session_expiry_interval = if version == V5_0 { 3600 } else { 0 };
    ConnectOptions { clean_start: false, session_expiry_interval, ..options(version) }
}

/// Begins to connect; the server has yet to read CONNECT.
pub(crate) fn connecting(options: ConnectOptions) -> (Connecting, Server) {
    let (here, stream) = duplex(1 << 20);
    let version = options.version;
    let server = Server { stream, decoder: Decoder::from_client(), version };
    (tokio::spawn(Client::connect(here, options)), server)
}

pub(crate) async fn connected(options: ConnectOptions) -> (Client, Events, Server) {
    connected_to(options, false, ConnackProperties::default()).await
}

pub(crate) async fn connected_to(
    options: ConnectOptions,
    session_present: bool,
    properties: ConnackProperties,
) -> (Client, Events, Server) {
    let (client, mut server) = connecting(options);
    server.connect().await;
    server.accept(session_present, properties).await;
    let (client, events) = client.await.unwrap().unwrap();
    (client, events, server)
}

impl Server {
    /// The next packet, or `None` if the client closed.
    pub(crate) async fn next(&mut self) -> Option<Packet> {
        let mut buffer = [0; 1024];
        loop {
            if let Some(decoded) = self.decoder.next_packet().expect("the client sends what can be decoded") {
                return Some(decoded.packet);
            }
            let count =
                timeout(LONG, self.stream.read(&mut buffer)).await.expect("the client neither sends nor closes");
            match count.unwrap() {
                0 => {
                    assert_eq!(self.decoder.pending(), 0, "closed within a packet");
                    return None;
                }
                count => self.decoder.feed(&buffer[..count]),
            }
        }
    }

    pub(crate) async fn expect(&mut self) -> Packet {
        self.next().await.expect("a packet, not the end")
    }

    pub(crate) async fn connect(&mut self) -> Connect {
        match self.expect().await {
            Packet::Connect(connect) => connect,
            other => panic!("CONNECT expected: {other:?}"),
        }
    }

    pub(crate) async fn publish(&mut self) -> Publish {
        match self.expect().await {
            Packet::Publish(publish) => publish,
            other => panic!("PUBLISH expected: {other:?}"),
        }
    }

    /// The client closes without another packet.
    pub(crate) async fn closed(&mut self) {
        assert_eq!(self.next().await, None);
    }

    /// The client says why and closes: in 5.0 by DISCONNECT, in 3.x not at all.
    pub(crate) async fn closed_because(&mut self, reason: ReasonCode) {
        if self.version == V5_0 {
            assert_eq!(self.expect().await, Packet::Disconnect(Disconnect::because(reason)));
        }
        self.closed().await;
    }

    /// Nothing comes for so long.
    pub(crate) async fn silence(&mut self, time: Duration) {
        if let Ok(packet) = timeout(time, self.next()).await {
            panic!("silence expected: {packet:?}");
        }
    }

    pub(crate) async fn send(&mut self, packet: &Packet) {
        let bytes = encode(packet, self.version).unwrap();
        self.send_bytes(&bytes).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub(crate) async fn connack(&mut self, session_present: bool, code: u8, properties: ConnackProperties) {
        let code = match self.version {
            ProtocolVersion::V5_0 => ConnackCode::Reason(ReasonCode::from_value(code).unwrap()),
            _ => ConnackCode::Return(ConnectReturnCode::from_value(code).unwrap()),
        };
        self.send(&Packet::Connack(Connack { session_present, code, properties })).await;
    }

    pub(crate) async fn accept(&mut self, session_present: bool, properties: ConnackProperties) {
        self.connack(session_present, 0, properties).await;
    }

    pub(crate) async fn puback(&mut self, id: u16) {
        self.send(&Packet::Puback(acknowledgement(id))).await;
    }
}

pub(crate) fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

pub(crate) fn text(text: &str) -> Utf8String {
    Utf8String::new(text).unwrap()
}

pub(crate) fn acknowledgement(value: u16) -> Acknowledgement {
    Acknowledgement::success(id(value))
}

pub(crate) fn message(payload: &str, qos: Qos) -> Message {
    Message::new("t/a", payload).unwrap().at(qos)
}

/// A PUBLISH of topic `t/a`.
pub(crate) fn publish(payload: &str, delivery: Delivery) -> Publish {
    Publish {
        delivery,
        retain: false,
        topic: text("t/a"),
        properties: PublishProperties::default(),
        payload: payload.into(),
    }
}

pub(crate) fn qos1(value: u16, dup: bool) -> Delivery {
    Delivery::AtLeastOnce { packet_id: id(value), dup }
}

pub(crate) fn qos2(value: u16, dup: bool) -> Delivery {
    Delivery::ExactlyOnce { packet_id: id(value), dup }
}

pub(crate) async fn received(events: &mut Events) -> Received {
    match events.next().await {
        Some(Event::Message(message)) => message,
        other => panic!("a message expected: {other:?}"),
    }
}
