//! What a rule can do at the moment when it applies.

use super::link::{Link, LinkId};
use super::outlet::Parcel;
use super::scene::Scene;
use model::packet::{
    Acknowledgement, Connack, ConnackCode, ConnackProperties, ConnectReturnCode, Delivery, Packet, PacketId,
    ProtocolVersion, Publish, Qos, ReasonCode, ReasonProperties, Suback,
};
use model::wire::{Crafted, encode};
use std::time::Duration;
use tokio::time::Instant;

/// A moment at which a rule applies: a packet passes, or something else happens on a connection.
pub(super) struct Moment<'a> {
    pub(super) scene: &'a mut Scene,
    /// The connection.
    pub(super) link: LinkId,
    /// The packet that passes, if one does; a rule may change it.
    pub(super) packet: Option<Packet>,
    /// The bytes that came: those of the packet, or of the client that no server may accept.
    pub(super) bytes: Vec<u8>,
    pub(super) fate: Fate,
    /// What follows the packet, on its way in the same direction.
    pub(super) behind: Vec<Vec<u8>>,
    /// Whether a rule did something.
    pub(super) acted: bool,
}

/// What becomes of that which passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It passes.
    Passes,
    /// It ends here.
    Ends,
    /// These bytes pass in its place.
    Replaced(Vec<u8>),
}

impl<'a> Moment<'a> {
    pub(super) fn new(scene: &'a mut Scene, link: LinkId, packet: Option<Packet>) -> Moment<'a> {
        Moment { scene, link, packet, bytes: Vec::new(), fate: Fate::Passes, behind: Vec::new(), acted: false }
    }
}

impl Moment<'_> {
    /// The connection.
    pub(super) fn it(&mut self) -> &mut Link {
        &mut self.scene.links[self.link]
    }

    pub(super) fn version(&self) -> ProtocolVersion {
        self.scene.links[self.link].version
    }

    /// Whether the version is 5.0.
    pub(super) fn is_5_0(&self) -> bool {
        self.version() == ProtocolVersion::V5_0
    }

    /// The message that passes.
    pub(super) fn publish(&mut self) -> Option<&mut Publish> {
        match &mut self.packet {
            Some(Packet::Publish(publish)) => Some(publish),
            _ => None,
        }
    }

    /// The CONNACK that passes, if it accepts.
    pub(super) fn accepting(&mut self) -> Option<&mut Connack> {
        match &mut self.packet {
            Some(Packet::Connack(connack)) if connack.code.is_accepted() => Some(connack),
            _ => None,
        }
    }

    /// The packet, or the end of the connection, does not get through.
    pub(super) fn lose(&mut self) {
        self.acted = true;
        self.fate = Fate::Ends;
    }

    /// The packet comes twice.
    pub(super) fn twice(&mut self) {
        if let Some(packet) = self.packet.clone() {
            self.follow_with(&packet);
        }
    }

    /// Another packet follows this one.
    pub(super) fn follow_with(&mut self, packet: &Packet) {
        if let Ok(bytes) = encode(packet, self.version()) {
            self.acted = true;
            self.behind.push(bytes);
        }
    }

    /// The packet with wrong bytes.
    pub(super) fn craft(&mut self, craft: impl FnOnce(Crafted) -> Crafted) {
        let version = self.version();
        if let Some(crafted) = self.packet.as_ref().and_then(|packet| Crafted::of(packet, version).ok()) {
            self.acted = true;
            self.fate = Fate::Replaced(craft(crafted).to_bytes());
        }
    }

    /// The bytes of the packet as they are changed by hand.
    pub(super) fn rewrite(&mut self, rewrite: impl FnOnce(&mut Vec<u8>)) {
        let version = self.version();
        if let Some(mut bytes) = self.packet.as_ref().and_then(|packet| encode(packet, version).ok()) {
            rewrite(&mut bytes);
            self.acted = true;
            self.fate = Fate::Replaced(bytes);
        }
    }

    /// Sends a packet to the client of a connection, before the one that passes if that is on its way there too.
    pub(super) fn send_to_client_of(&mut self, link: LinkId, packet: &Packet) {
        if let Ok(bytes) = encode(packet, self.scene.links[link].version) {
            self.acted = true;
            self.scene.links[link].note_to_client(packet);
            self.scene.send_to_client(link, Parcel::Bytes(bytes));
        }
    }

    /// Sends a packet to the client.
    pub(super) fn send_to_client(&mut self, packet: &Packet) {
        self.send_to_client_of(self.link, packet);
    }

    /// Sends bytes to the client of a connection.
    pub(super) fn send_bytes_to_client_of(&mut self, link: LinkId, bytes: Vec<u8>) {
        self.acted = true;
        self.scene.send_to_client(link, Parcel::Bytes(bytes));
    }

    /// Sends a packet to the server.
    pub(super) fn send_to_server(&mut self, packet: &Packet) {
        if let Ok(bytes) = encode(packet, self.version()) {
            self.acted = true;
            self.scene.send_to_server(self.link, Parcel::Bytes(bytes));
        }
    }

    /// Ends the connection as if the server had.
    pub(super) fn close(&mut self) {
        self.acted = true;
        self.it().is_over = true;
        self.scene.send_to_client(self.link, Parcel::End);
        self.scene.send_to_server(self.link, Parcel::Cut);
    }

    /// Delivers a message of the harness's own to a client, though the server does not know of it.
    pub(super) fn deliver(&mut self, link: LinkId, message: &Publish, qos: Qos) {
        let it = &mut self.scene.links[link];
        let packet_id = it.free_id();
        if qos != Qos::AtMostOnce {
            it.invented.insert(packet_id);
        }
        let mut publish = message.clone();
        publish.delivery = delivery(qos, packet_id);
        publish.properties.topic_alias = None;
        self.send_to_client_of(link, &Packet::Publish(publish));
    }

    /// Delivers a message at QoS 0 to every client with a subscription that matches, though the server does not.
    pub(super) fn deliver_to_subscribers(&mut self, message: &Publish) {
        for link in self.scene.served() {
            if !self.scene.matching(link, &message.topic).is_empty() {
                self.deliver(link, message, Qos::AtMostOnce);
            }
        }
    }

    /// The delivery that passes comes at QoS 0.
    pub(super) fn lower_to_qos_0(&mut self) {
        if self.publish().is_some_and(|publish| publish.qos() != Qos::AtMostOnce) {
            self.settle();
            if let Some(publish) = self.publish() {
                publish.delivery = Delivery::AtMostOnce;
            }
        }
    }

    /// Grants QoS 0 to so many filters of a SUBSCRIBE.
    pub(super) fn grant(&mut self, packet_id: PacketId, count: usize) {
        let codes = vec![ReasonCode::Success; count];
        self.send_to_client(&Packet::Suback(Suback { packet_id, properties: ReasonProperties::default(), codes }));
    }

    /// The delivery that passes gets lost, and the server believes that it arrived.
    pub(super) fn lose_delivery(&mut self) {
        self.lose();
        self.settle();
    }

    /// Acknowledges the delivery that passes in the client's place.
    pub(super) fn settle(&mut self) {
        let delivery = self.publish().map(|publish| publish.delivery);
        match delivery {
            Some(Delivery::AtLeastOnce { packet_id, .. }) => {
                self.send_to_server(&Packet::Puback(Acknowledgement::success(packet_id)));
            }
            Some(Delivery::ExactlyOnce { packet_id, .. }) => {
                // PUBREL will come, and goes to a client that knows nothing of it, so it is answered here as well.
                self.send_to_server(&Packet::Pubrec(Acknowledgement::success(packet_id)));
                self.send_to_server(&Packet::Pubcomp(Acknowledgement::success(packet_id)));
            }
            Some(Delivery::AtMostOnce) | None => {}
        }
    }

    /// The delivery that passes has another identifier for the client than for the server.
    pub(super) fn rename_delivery(&mut self, name: PacketId) {
        let Some(publish) = self.publish() else { return };
        let Some(old) = publish.packet_id() else { return };
        publish.delivery = with_id(publish.delivery, name);
        self.it().renamed.insert(name, old);
    }

    /// Answers the message of a client that passes as if all were well.
    pub(super) fn acknowledge(&mut self) {
        let answer = match self.publish().map(|publish| publish.delivery) {
            Some(Delivery::AtLeastOnce { packet_id, .. }) => Packet::Puback(Acknowledgement::success(packet_id)),
            Some(Delivery::ExactlyOnce { packet_id, .. }) => Packet::Pubrec(Acknowledgement::success(packet_id)),
            Some(Delivery::AtMostOnce) | None => return,
        };
        self.send_to_client(&answer);
    }

    /// Refuses the CONNECT that passes and ends the connection.
    pub(super) fn refuse(&mut self, code: ConnectReturnCode, reason: ReasonCode) {
        self.lose();
        let code = self.code(code, reason);
        let properties = ConnackProperties::default();
        self.send_to_client(&Packet::Connack(Connack { session_present: false, code, properties }));
        self.close();
    }

    /// A code of CONNACK in the terms of the version.
    pub(super) fn code(&self, code: ConnectReturnCode, reason: ReasonCode) -> ConnackCode {
        if self.is_5_0() { ConnackCode::Reason(reason) } else { ConnackCode::Return(code) }
    }

    /// Wakes the rule for alarms after this time; an earlier request is forgotten.
    pub(super) fn wake_after(&mut self, delay: Duration) {
        let at = Instant::now() + delay;
        let it = self.it();
        it.alarm = Some(at);
        it.changed.notify_one();
    }
}

/// What passes gets lost.
pub(super) fn lost(moment: &mut Moment<'_>) {
    moment.lose();
}

/// The packet that passes comes twice.
pub(super) fn twice(moment: &mut Moment<'_>) {
    moment.twice();
}

/// How a message of this QoS is delivered for the first time.
pub(super) fn delivery(qos: Qos, packet_id: PacketId) -> Delivery {
    match qos {
        Qos::AtMostOnce => Delivery::AtMostOnce,
        Qos::AtLeastOnce => Delivery::AtLeastOnce { packet_id, dup: false },
        Qos::ExactlyOnce => Delivery::ExactlyOnce { packet_id, dup: false },
    }
}

/// The same delivery under another identifier.
pub(super) fn with_id(delivery: Delivery, packet_id: PacketId) -> Delivery {
    match delivery {
        Delivery::AtMostOnce => Delivery::AtMostOnce,
        Delivery::AtLeastOnce { dup, .. } => Delivery::AtLeastOnce { packet_id, dup },
        Delivery::ExactlyOnce { dup, .. } => Delivery::ExactlyOnce { packet_id, dup },
    }
}

/// The same delivery with another DUP flag.
pub(super) fn with_dup(delivery: Delivery, dup: bool) -> Delivery {
    match delivery {
        Delivery::AtMostOnce => Delivery::AtMostOnce,
        Delivery::AtLeastOnce { packet_id, .. } => Delivery::AtLeastOnce { packet_id, dup },
        Delivery::ExactlyOnce { packet_id, .. } => Delivery::ExactlyOnce { packet_id, dup },
    }
}
