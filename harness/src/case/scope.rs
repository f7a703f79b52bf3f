//! The variables of a script while it is played.

use model::packet::{Packet, PacketId, PacketType};
use std::collections::{BTreeMap, VecDeque};

/// How an actor presents itself when its CONNECT does not say otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Client Identifier.
    pub client_id: String,
    /// User Name.
    pub user_name: Option<String>,
    /// Password.
    pub password: Option<Vec<u8>>,
}

/// User name and password for all connections of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User Name; none for a target that wants none.
    pub user_name: Option<String>,
    /// Password.
    pub password: Option<Vec<u8>>,
}

impl Default for Credentials {
    /// `mqttspec` and `mqttspec`.
    fn default() -> Self {
        Credentials { user_name: Some("mqttspec".to_owned()), password: Some(b"mqttspec".to_vec()) }
    }
}

/// The values of variables, and what an actor fills in by itself.
#[derive(Debug, Clone)]
pub struct Scope {
    topic_prefix: String,
    client_prefix: String,
    credentials: Credentials,
    identities: BTreeMap<String, Identity>,
    bindings: BTreeMap<String, Packet>,
    actors: BTreeMap<String, Memory>,
}

/// What an actor remembers.
#[derive(Debug, Clone, Default)]
struct Memory {
    last_id: Option<PacketId>,
    /// Identifiers that wait for an answer of this type, oldest first.
    owed: BTreeMap<PacketType, VecDeque<PacketId>>,
}

impl Scope {
    /// A scope for one variant: `$t`, `$c`, and the credentials of the target.
    #[must_use]
    pub fn new(topic_prefix: impl Into<String>, client_prefix: impl Into<String>, credentials: Credentials) -> Scope {
        Scope {
            topic_prefix: topic_prefix.into(),
            client_prefix: client_prefix.into(),
            credentials,
            identities: BTreeMap::new(),
            bindings: BTreeMap::new(),
            actors: BTreeMap::new(),
        }
    }

    /// Gives an actor an identity of its own, instead of the derived client id and the credentials of the target.
    pub fn identify(&mut self, actor: &str, identity: Identity) {
        self.identities.insert(actor.to_owned(), identity);
    }

    /// How an actor presents itself.
    #[must_use]
    pub fn identity(&self, actor: &str) -> Identity {
        self.identities.get(actor).cloned().unwrap_or_else(|| Identity {
            client_id: format!("{}{actor}", self.client_prefix),
            user_name: self.credentials.user_name.clone(),
            password: self.credentials.password.clone(),
        })
    }

    /// Binds a packet to a variable, for the `as:` of an expectation.
    pub fn bind(&mut self, name: &str, packet: &Packet) {
        self.bindings.insert(name.to_owned(), packet.clone());
    }

    /// Takes note of a packet that came in on an actor's connection. Call it for each packet, in order, as it arrives.
    pub fn received(&mut self, actor: &str, packet: &Packet) {
        let _ = (actor, packet, &self.topic_prefix, &self.actors);
    }
}
