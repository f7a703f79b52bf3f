//! What a proxy knows of one connection.

use super::outlet::Outlet;
use model::packet::{
    Acknowledgement, Connack, Connect, Packet, PacketId, PacketType, ProtocolVersion, Publish, Subscribe, Unsubscribe,
    Utf8String,
};
use model::topic::TopicFilter;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::time::Instant;

/// A connection, by its number in the order of opening.
pub(super) type LinkId = usize;

/// One connection as the proxy sees it from both sides.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) version: ProtocolVersion,
    /// The CONNECT of the client, as it sent it.
    pub(super) connect: Option<Connect>,
    /// The CONNACK that accepted it, as the server sent it.
    pub(super) connack: Option<Connack>,
    /// The CONNACK that refused it came.
    pub(super) is_refused: bool,
    /// The name of its session: the Client Identifier that was sent or assigned.
    pub(super) session: String,
    /// Requests that were not answered yet.
    pub(super) subscribes: BTreeMap<PacketId, Subscribe>,
    pub(super) unsubscribes: BTreeMap<PacketId, Unsubscribe>,
    /// All SUBSCRIBE packets so far; the last of an identifier.
    pub(super) asked: BTreeMap<PacketId, Subscribe>,
    /// Filters that the client gave up.
    pub(super) given_up: Vec<TopicFilter>,
    /// What the client published, with topics in full.
    pub(super) published: Vec<Publish>,
    /// The last delivery that the client acknowledged.
    pub(super) acknowledged: Option<Publish>,
    /// How many codes an UNSUBACK will lack, because the server got a part of the request only.
    pub(super) missing_codes: usize,
    /// A number that a rule counts.
    pub(super) counted: usize,
    /// Its last packet was an AUTH.
    pub(super) authenticates: bool,
    /// When the last PINGREQ came.
    pub(super) pinged: Option<Instant>,
    /// What the client published and the server has not acknowledged.
    pub(super) uploads: BTreeMap<PacketId, Publish>,
    /// Deliveries above QoS 0 that the client got and has not acknowledged.
    pub(super) in_flight: BTreeMap<PacketId, Publish>,
    /// Deliveries that the server does not know of: what the client says about them ends here.
    pub(super) invented: BTreeSet<PacketId>,
    /// Identifiers as the client knows them, and as the server does.
    pub(super) renamed: BTreeMap<PacketId, PacketId>,
    /// Topics behind the aliases of the client and of the server.
    pub(super) client_aliases: BTreeMap<u16, Utf8String>,
    pub(super) server_aliases: BTreeMap<u16, Utf8String>,
    /// How many messages the client got.
    pub(super) deliveries: usize,
    /// What a rule keeps for later.
    pub(super) kept: Vec<Packet>,
    /// How often a rule has acted on this connection.
    pub(super) acts: usize,
    /// When the client sent its last packet.
    pub(super) heard: Instant,
    /// When a rule wants to be woken.
    pub(super) alarm: Option<Instant>,
    pub(super) client_said_disconnect: bool,
    pub(super) server_said_disconnect: bool,
    /// Bytes of the client were refused as no packet of its version.
    pub(super) refused_rule: Option<&'static str>,
    /// The client or the server is gone.
    pub(super) is_over: bool,
    pub(super) to_client: Outlet,
    pub(super) to_server: Outlet,
    pub(super) changed: Arc<Notify>,
}

impl Link {
    pub(super) fn new(version: ProtocolVersion) -> Link {
        Link {
            version,
            connect: None,
            connack: None,
            is_refused: false,
            session: String::new(),
            subscribes: BTreeMap::new(),
            unsubscribes: BTreeMap::new(),
            asked: BTreeMap::new(),
            given_up: Vec::new(),
            published: Vec::new(),
            acknowledged: None,
            missing_codes: 0,
            counted: 0,
            authenticates: false,
            pinged: None,
            uploads: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            invented: BTreeSet::new(),
            renamed: BTreeMap::new(),
            client_aliases: BTreeMap::new(),
            server_aliases: BTreeMap::new(),
            deliveries: 0,
            kept: Vec::new(),
            acts: 0,
            heard: Instant::now(),
            alarm: None,
            client_said_disconnect: false,
            server_said_disconnect: false,
            refused_rule: None,
            is_over: false,
            to_client: Outlet::default(),
            to_server: Outlet::default(),
            changed: Arc::new(Notify::new()),
        }
    }

    /// Whether the client is connected: accepted, and neither side has gone.
    pub(super) fn is_served(&self) -> bool {
        self.connack.is_some() && !self.is_over && !self.client_said_disconnect && !self.server_said_disconnect
    }

    /// A Packet Identifier that no delivery to the client has, as far from those that servers take as can be.
    pub(super) fn free_id(&self) -> PacketId {
        let is_free = |id: &PacketId| !self.in_flight.contains_key(id) && !self.invented.contains(id);
        (1..=u16::MAX).rev().filter_map(PacketId::new).find(is_free).unwrap_or(PacketId::FIRST)
    }

    /// The topic of a message of the client, also where an alias stands for it.
    pub(super) fn topic_from_client(&self, publish: &Publish) -> Utf8String {
        topic(publish, &self.client_aliases)
    }

    /// Takes note of a packet that the client gets.
    pub(super) fn note_to_client(&mut self, packet: &Packet) {
        if let Packet::Publish(publish) = packet {
            self.deliveries += 1;
            if let Some(id) = publish.packet_id() {
                self.in_flight.insert(id, publish.clone());
            }
        }
    }

    /// Takes note of what the client acknowledges, and says how the server is to hear of it: not at all, if the delivery
    /// was invented.
    pub(super) fn translate(&mut self, packet: &Packet) -> Option<Packet> {
        let (acknowledgement, packet_type) = match packet {
            Packet::Puback(acknowledgement) => (acknowledgement, PacketType::Puback),
            Packet::Pubrec(acknowledgement) => (acknowledgement, PacketType::Pubrec),
            Packet::Pubcomp(acknowledgement) => (acknowledgement, PacketType::Pubcomp),
            _ => return Some(packet.clone()),
        };
        let id = acknowledgement.packet_id;
        if packet_type != PacketType::Pubrec || acknowledgement.reason.is_error() {
            self.acknowledged = self.in_flight.remove(&id).or(self.acknowledged.take());
        }
        if self.invented.contains(&id) {
            self.invented.remove(&id);
            return None;
        }
        let known = self.renamed.get(&id).copied().unwrap_or(id);
        let acknowledgement = Acknowledgement { packet_id: known, ..acknowledgement.clone() };
        Some(match packet_type {
            PacketType::Puback => Packet::Puback(acknowledgement),
            PacketType::Pubrec => Packet::Pubrec(acknowledgement),
            _ => Packet::Pubcomp(acknowledgement),
        })
    }
}

/// The topic of a message, also where an alias stands for it.
pub(super) fn topic(publish: &Publish, aliases: &BTreeMap<u16, Utf8String>) -> Utf8String {
    let alias = publish.properties.topic_alias.filter(|_| publish.topic.is_empty());
    alias.and_then(|alias| aliases.get(&alias.get())).cloned().unwrap_or_else(|| publish.topic.clone())
}
