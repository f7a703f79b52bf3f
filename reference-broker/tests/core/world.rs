//! Clients around a core, with a clock of their own.

use model::device::{Device, Transport};
use model::packet::{
    Acknowledgement, Connect, ConnectProperties, Delivery, Disconnect, DisconnectProperties, Packet, PacketId,
    ProtocolVersion, Publish, PublishProperties, Qos, ReasonCode, Subscribe, SubscribeProperties, SubscriptionOptions,
    SubscriptionRequest, Unsubscribe, UnsubscribeProperties, Utf8String, Will, WillProperties,
};
use model::profile::Profile;
use model::wire::{Decoder, encode};
use reference_broker::Settings;
use reference_broker::core::{Action, ConnectionId, Core, Input};
use std::collections::BTreeMap;

pub(crate) use ProtocolVersion::{V3_1, V3_1_1, V5_0};

/// A core, its clock, and what its Clients have seen so far.
pub(crate) struct World {
    core: Core,
    maximum_packet_size: u32,
    now: u64,
    opened: u64,
    clients: BTreeMap<ConnectionId, Peer>,
}

struct Peer {
    version: ProtocolVersion,
    decoder: Decoder,
    seen: Vec<String>,
    last: Option<Packet>,
}

impl World {
    pub(crate) fn new(settings: Settings) -> World {
        let maximum_packet_size = settings.limits.maximum_packet_size.get();
        World { core: Core::new(settings), maximum_packet_size, now: 0, opened: 0, clients: BTreeMap::new() }
    }

    pub(crate) fn standard() -> World {
        World::new(settings("standard"))
    }

    pub(crate) fn platform() -> World {
        World::new(settings("platform"))
    }

    /// Opens a connection of a Client that speaks `version`.
    pub(crate) fn open(&mut self, version: ProtocolVersion) -> ConnectionId {
        self.open_over(Transport::Plain, version)
    }

    /// Opens a connection over a stream of this kind.
    pub(crate) fn open_over(&mut self, transport: Transport, version: ProtocolVersion) -> ConnectionId {
        self.opened += 1;
        let id = ConnectionId(self.opened);
        let mut decoder = Decoder::from_client();
        decoder.set_maximum_packet_size(self.maximum_packet_size);
        self.clients.insert(id, Peer { version, decoder, seen: Vec::new(), last: None });
        self.core.handle(self.now, id, Input::Opened(transport));
        id
    }

    /// Opens a connection and sends CONNECT.
    pub(crate) fn connect(&mut self, version: ProtocolVersion, connect: Connect) -> ConnectionId {
        let id = self.open(version);
        self.send(id, Packet::Connect(connect));
        id
    }

    /// A Client with a clean session whose CONNACK has been read.
    pub(crate) fn client(&mut self, version: ProtocolVersion, client_id: &str) -> ConnectionId {
        let id = self.connect(version, clean(client_id));
        let seen = self.seen(id);
        assert!(seen.len() == 1 && seen[0].starts_with("CONNACK 0x00"), "{seen:?}");
        id
    }

    /// A client subscribed to one filter.
    pub(crate) fn subscriber(&mut self, version: ProtocolVersion, id: &str, filter: &str, qos: Qos) -> ConnectionId {
        let client = self.client(version, id);
        self.subscribe(client, &[(filter, qos)]);
        self.seen(client);
        client
    }

    /// Sends a packet as the bytes it has in the Client's version.
    pub(crate) fn send(&mut self, id: ConnectionId, packet: Packet) {
        let bytes = encode(&packet, self.clients[&id].version).unwrap();
        self.send_bytes(id, &bytes);
    }

    pub(crate) fn send_bytes(&mut self, id: ConnectionId, bytes: &[u8]) {
        let client = self.clients.get_mut(&id).unwrap();
        client.decoder.feed(bytes);
        loop {
            let client = self.clients.get_mut(&id).unwrap();
            let input = match client.decoder.next_packet() {
                Ok(None) => break,
                Ok(Some(decoded)) => Input::Packet(client.decoder.version().unwrap(), decoded.packet),
                Err(refusal) => Input::Refused(refusal),
            };
            let refused = matches!(input, Input::Refused(_));
            self.core.handle(self.now, id, input);
            if refused {
                break;
            }
        }
        self.collect();
    }

    pub(crate) fn subscribe(&mut self, id: ConnectionId, filters: &[(&str, Qos)]) {
        let requests = filters.iter().map(|(filter, qos)| request(filter, *qos)).collect();
        self.send(id, Packet::Subscribe(Subscribe { packet_id: packet_id(1), properties: none(), requests }));
    }

    /// Subscribes to a filter with options.
    pub(crate) fn subscribe_with(&mut self, id: ConnectionId, filter: &str, options: SubscriptionOptions) {
        let requests = vec![SubscriptionRequest { filter: text(filter), options }];
        self.send(id, Packet::Subscribe(Subscribe { packet_id: packet_id(1), properties: none(), requests }));
    }

    pub(crate) fn unsubscribe(&mut self, id: ConnectionId, filters: &[&str]) {
        let filters = filters.iter().map(|filter| text(filter)).collect();
        let properties = UnsubscribeProperties::default();
        self.send(id, Packet::Unsubscribe(Unsubscribe { packet_id: packet_id(1), properties, filters }));
    }

    /// Publishes and takes the PUBACK away.
    pub(crate) fn publish(&mut self, id: ConnectionId, topic: &str, qos: Qos, payload: &str) {
        let before = self.clients[&id].seen.len();
        self.send(id, Packet::Publish(publish(topic, qos, payload)));
        self.clients.get_mut(&id).unwrap().seen.retain({
            let mut index = 0;
            move |line| {
                index += 1;
                index <= before || !line.starts_with("PUBACK 1")
            }
        });
    }

    pub(crate) fn puback(&mut self, id: ConnectionId, packet: u16) {
        self.send(id, Packet::Puback(Acknowledgement::success(packet_id(packet))));
    }

    pub(crate) fn pubrec(&mut self, id: ConnectionId, packet: u16, reason: ReasonCode) {
        self.send(id, Packet::Pubrec(Acknowledgement { reason, ..Acknowledgement::success(packet_id(packet)) }));
    }

    pub(crate) fn pubrel(&mut self, id: ConnectionId, packet: u16) {
        self.send(id, Packet::Pubrel(Acknowledgement::success(packet_id(packet))));
    }

    pub(crate) fn pubcomp(&mut self, id: ConnectionId, packet: u16) {
        self.send(id, Packet::Pubcomp(Acknowledgement::success(packet_id(packet))));
    }

    pub(crate) fn disconnect(&mut self, id: ConnectionId) {
        self.send(id, Packet::Disconnect(Disconnect::normal()));
        assert_eq!(self.seen(id).last().map(String::as_str), Some("closed"));
    }

    /// Takes the right to log in from a device, or gives it back.
    pub(crate) fn disable(&mut self, device: &Device, is_disabled: bool) {
        if is_disabled {
            self.core.disable(device);
        } else {
            self.core.enable(device);
        }
        self.collect();
    }

    /// The network breaks.
    pub(crate) fn cut(&mut self, id: ConnectionId) {
        self.core.handle(self.now, id, Input::Closed);
        self.collect();
    }

    /// Time passes, from deadline to deadline.
    pub(crate) fn elapse(&mut self, milliseconds: u64) {
        let until = self.now + milliseconds;
        while let Some(deadline) = self.core.next_deadline().filter(|&deadline| deadline <= until) {
            assert!(deadline > self.now, "a deadline at {deadline} stays behind at {}", self.now);
            self.now = deadline;
            self.core.advance(self.now);
            self.collect();
        }
        self.now = until;
    }

    /// What the Client has seen since the last call.
    pub(crate) fn seen(&mut self, id: ConnectionId) -> Vec<String> {
        std::mem::take(&mut self.clients.get_mut(&id).unwrap().seen)
    }

    /// Publishes, and returns the PUBLISH that the receiver sees.
    pub(crate) fn forwarded(&mut self, from: ConnectionId, message: Publish, to: ConnectionId) -> Option<Publish> {
        self.clients.get_mut(&to).unwrap().last = None;
        self.send(from, Packet::Publish(message));
        self.last_publish(to)
    }

    /// The last packet that a Client saw, if it is a PUBLISH.
    pub(crate) fn last_publish(&mut self, id: ConnectionId) -> Option<Publish> {
        match self.clients.get_mut(&id).unwrap().last.take() {
            Some(Packet::Publish(publish)) => Some(publish),
            _ => None,
        }
    }

    /// Connects, and returns the bytes of CONNACK in hex.
    pub(crate) fn connack(&mut self, version: ProtocolVersion, connect: Connect) -> String {
        let id = self.connect(version, connect);
        let bytes = encode(self.clients[&id].last.as_ref().unwrap(), version).unwrap();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Connects, and returns the Assigned Client Identifier.
    pub(crate) fn assigned(&mut self, connect: Connect) -> Option<Utf8String> {
        let id = self.connect(V5_0, connect);
        match &self.clients[&id].last {
            Some(Packet::Connack(connack)) => connack.properties.assigned_client_identifier.clone(),
            other => panic!("expected CONNACK, found {other:?}"),
        }
    }

    /// The packet that the Client saw last.
    pub(crate) fn last(&self, id: ConnectionId) -> Option<Packet> {
        self.clients[&id].last.clone()
    }

    /// The Reason String of the SUBACK that the Client saw last.
    pub(crate) fn last_reason_string(&self, id: ConnectionId) -> Option<Utf8String> {
        match &self.clients[&id].last {
            Some(Packet::Suback(suback)) => suback.properties.reason_string.clone(),
            other => panic!("expected SUBACK, found {other:?}"),
        }
    }

    /// What the cloud does, at this moment.
    pub(crate) fn cloud<T>(&mut self, act: impl FnOnce(&mut Core, u64) -> T) -> T {
        let done = act(&mut self.core, self.now);
        self.collect();
        done
    }

    fn collect(&mut self) {
        while let Some(output) = self.core.next_output() {
            let client = self.clients.get_mut(&output.connection).unwrap();
            assert_ne!(client.seen.last().map(String::as_str), Some("closed"), "an output after the close");
            client.seen.push(match output.action {
                Action::Close => "closed".to_owned(),
                Action::Send(version, packet) => {
                    // What cannot be encoded was never sent.
                    encode(&packet, version).unwrap();
                    let line = line(&packet);
                    client.last = Some(packet);
                    line
                }
            });
        }
    }
}

pub(crate) fn settings(profile: &str) -> Settings {
    Settings::from_profile(Profile::builtin(profile).unwrap())
}

pub(crate) fn text(text: &str) -> Utf8String {
    Utf8String::new(text).unwrap()
}

pub(crate) fn packet_id(id: u16) -> PacketId {
    PacketId::new(id).unwrap()
}

fn none() -> SubscribeProperties {
    SubscribeProperties::default()
}

/// CONNECT with Clean Start and Keep Alive 60.
pub(crate) fn clean(client_id: &str) -> Connect {
    Connect { clean_start: true, keep_alive: 60, client_id: text(client_id), ..Connect::default() }
}

/// CONNECT without Clean Start; the session lasts for a minute in 5.0 (for ever in 3.x).
pub(crate) fn lasting(version: ProtocolVersion, client_id: &str) -> Connect {
    let session_expiry_interval = (version == V5_0).then_some(60);
    let properties = ConnectProperties { session_expiry_interval, ..ConnectProperties::default() };
    Connect { clean_start: false, properties, ..clean(client_id) }
}

pub(crate) fn will(topic: &str, qos: Qos, delay: Option<u32>) -> Will {
    let properties = WillProperties { will_delay_interval: delay, ..WillProperties::default() };
    Will { topic: text(topic), payload: b"will".to_vec(), qos, retain: false, properties }
}

pub(crate) fn request(filter: &str, qos: Qos) -> SubscriptionRequest {
    SubscriptionRequest { filter: text(filter), options: SubscriptionOptions { qos, ..SubscriptionOptions::default() } }
}

/// PUBLISH with Packet Identifier 1.
pub(crate) fn publish(topic: &str, qos: Qos, payload: &str) -> Publish {
    let packet_id = packet_id(1);
    Publish {
        delivery: match qos {
            Qos::AtMostOnce => Delivery::AtMostOnce,
            Qos::AtLeastOnce => Delivery::AtLeastOnce { packet_id, dup: false },
            Qos::ExactlyOnce => Delivery::ExactlyOnce { packet_id, dup: false },
        },
        retain: false,
        topic: text(topic),
        properties: PublishProperties::default(),
        payload: payload.as_bytes().to_vec(),
    }
}

/// DISCONNECT of a Client of 5.0.
pub(crate) fn leaving(reason: ReasonCode, session_expiry_interval: Option<u32>) -> Packet {
    let properties = DisconnectProperties { session_expiry_interval, ..DisconnectProperties::default() };
    Packet::Disconnect(Disconnect { reason, properties })
}

/// A packet from the broker in one line: what tests look at.
fn line(packet: &Packet) -> String {
    match packet {
        Packet::Connack(connack) => {
            let present = if connack.session_present { " session-present" } else { "" };
            format!("CONNACK 0x{:02X}{present}", connack.code.value())
        }
        Packet::Publish(publish) => {
            let id = publish.packet_id().map_or(String::new(), |id| format!(" id{id}"));
            let dup = if publish.dup() { " dup" } else { "" };
            let retain = if publish.retain { " retain" } else { "" };
            let expiry = publish.properties.message_expiry_interval.map_or(String::new(), |s| format!(" expiry{s}"));
            let payload = String::from_utf8_lossy(&publish.payload);
            format!("PUBLISH {} {payload} qos{}{id}{dup}{retain}{expiry}", publish.topic, publish.qos())
        }
        Packet::Puback(a) | Packet::Pubrec(a) | Packet::Pubrel(a) | Packet::Pubcomp(a) => {
            format!("{} {} 0x{:02X}", packet.packet_type(), a.packet_id, a.reason.value())
        }
        Packet::Suback(suback) => format!("SUBACK {} {}", suback.packet_id, codes(&suback.codes)),
        Packet::Unsuback(unsuback) => {
            format!("UNSUBACK {} {}", unsuback.packet_id, codes(&unsuback.codes)).trim_end().to_owned()
        }
        Packet::Auth(auth) => format!("AUTH 0x{:02X}", auth.reason.value()),
        Packet::Disconnect(disconnect) => format!("DISCONNECT 0x{:02X}", disconnect.reason.value()),
        packet => packet.packet_type().to_string(),
    }
}

fn codes(codes: &[ReasonCode]) -> String {
    codes.iter().map(|code| format!("{:02X}", code.value())).collect::<Vec<_>>().join(" ")
}
