//! The state of one session as a server keeps it.
//!
//! A value of [`Session`] is one hypothesis of what the server knows. Where the server has a free hand, or where the one
//! who watches cannot know, one input leads to several sessions; a grant that is not stated yet is a set of levels, and a
//! delivery that may have been lost with its connection says so. States are kept in a normal form (sorted lists), so that
//! two hypotheses that mean the same are equal.
//!
//! What is asked of a session stands in `questions.rs`.

use super::alias::AliasTable;
use super::alphabet::{Lifetime, Will};
use super::authenticate::Exchange;
use super::delivery::{Delivery, Floating};
use super::qos_set::QosSet;
use super::response::Response;
use super::shared::Shared;
use super::vocabulary::FilterKey;
use super::will::PendingWill;
use super::{ConnectionId, Millis};
use crate::packet::{PacketId, ProtocolVersion, Qos, SubscriptionIdentifier};
use crate::profile::Offence;

/// What a server holds for one client identifier.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session {
    /// The connection, if there is one.
    pub link: Option<Shared<Connection>>,
    /// Connections that a newer one has replaced and that are still open.
    pub older: Vec<ConnectionId>,
    /// Connections whose CONNECT the server refuses: they leave all else as it is (3.1.1: MQTT-3.1.4-5; 5.0: MQTT-3.1.4-6).
    pub refused: Vec<Shared<Connection>>,
    /// The session state, if there is any.
    pub kept: Option<Shared<Kept>>,
    /// Messages that others have sent and that may or may not have reached this session yet.
    pub floating: Shared<Vec<Floating>>,
    /// Wills of connections that are gone, not published yet.
    pub wills: Vec<PendingWill>,
}

/// The session state: what outlives a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kept {
    /// When it ends, once the connection is gone; `None`: not by itself.
    pub ends_at: Option<Millis>,
    /// The subscriptions, sorted by filter.
    pub subscriptions: Vec<Subscription>,
    /// Messages for the client, sorted.
    pub deliveries: Vec<Delivery>,
    /// Identifiers of QoS 2 messages of the client whose PUBREL has not come yet, sorted: such a message is no new one when
    /// it comes again (MQTT-4.3.3-10; 3.1.1: MQTT-4.3.3-2).
    pub incoming: Vec<PacketId>,
}

/// A connection that has sent CONNECT.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Connection {
    /// Which one.
    pub id: ConnectionId,
    /// Its protocol version.
    pub version: ProtocolVersion,
    /// How far it is.
    pub phase: Phase,
    /// How long the session outlives it.
    pub lifetime: Lifetime,
    /// Keep Alive in force; 0 is off.
    pub keep_alive: Millis,
    /// Deliveries above QoS 0 that may be open at once.
    pub receive_maximum: u16,
    /// The largest packet that the client takes, in bytes; `None`: no limit.
    pub maximum_packet_size: Option<u32>,
    /// The highest QoS that the server takes, as announced.
    pub maximum_qos: Qos,
    /// Answers that the server owes, sorted.
    pub responses: Vec<Response>,
    /// What is published if the connection ends without a DISCONNECT that takes it back.
    pub will: Option<Will>,
    /// Topic Aliases that the client has set.
    pub aliases: AliasTable,
    /// The exchange of AUTH packets, where CONNECT has named a method.
    pub exchange: Exchange,
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// CONNACK is owed.
    Connecting {
        /// Clean Start.
        clean_start: bool,
        /// Whether session state was there.
        session_present: bool,
    },
    /// CONNACK has accepted.
    Connected,
    /// The client has offended, and the server ends the connection.
    Condemned {
        /// How it has offended.
        offence: Offence,
        /// Whether an accepting CONNACK has been sent: before that there is no DISCONNECT (MQTT-3.14.0-1).
        greeted: bool,
    },
    /// The server has said its last word: only the close is missing.
    Ending {
        /// Whether that was a DISCONNECT; before an accepting CONNACK it is one that refuses.
        greeted: bool,
    },
    /// The client has sent DISCONNECT: the close may come, or is left to the client.
    Left,
}

/// A subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subscription {
    /// Its filter.
    pub filter: FilterKey,
    /// What it may have been granted, and how it marks what it delivers.
    pub terms: SubscriptionTerms,
    /// The SUBSCRIBE whose SUBACK has not been seen yet.
    pub pending: Option<PacketId>,
    /// What it replaces, as long as SUBACK may refuse it.
    pub before: Option<SubscriptionTerms>,
}

/// What a subscription says of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionTerms {
    /// What it may have been granted: one level once the SUBACK was seen.
    pub granted: QosSet,
    /// No Local.
    pub no_local: bool,
    /// Retain As Published.
    pub retain_as_published: bool,
    /// Subscription Identifier.
    pub identifier: Option<SubscriptionIdentifier>,
}

/// When an output comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moment {
    /// The time.
    pub now: Millis,
    /// How long the client has been silent on this connection.
    pub silence: Millis,
}

impl Session {
    /// Whether the server holds anything for this client identifier.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.link.is_none()
            && self.kept.is_none()
            && self.older.is_empty()
            && self.refused.is_empty()
            && self.floating.is_empty()
            && self.wills.is_empty()
    }

    /// A connection that was replaced or refused is gone.
    #[must_use]
    pub fn without(&self, connection: ConnectionId) -> Session {
        let mut next = self.clone();
        next.older.retain(|older| *older != connection);
        next.refused.retain(|refused| refused.id != connection);
        next
    }

    /// The same session with its connection changed.
    pub(super) fn with_link(&self, change: impl FnOnce(&mut Connection)) -> Session {
        let mut next = self.clone();
        if let Some(link) = &mut next.link {
            change(link);
        }
        next
    }

    /// The protocol version of the connection; the model asks only where there is one.
    pub(super) fn version(&self) -> ProtocolVersion {
        self.link.as_ref().map_or(ProtocolVersion::V5_0, |link| link.version)
    }
}

impl Connection {
    /// A connection whose first packets were condemned before there was a session.
    #[must_use]
    pub fn condemned(id: ConnectionId, version: ProtocolVersion, offence: Offence) -> Connection {
        Connection {
            id,
            version,
            phase: Phase::Condemned { offence, greeted: false },
            lifetime: Lifetime::Connection,
            keep_alive: 0,
            receive_maximum: u16::MAX,
            maximum_packet_size: None,
            maximum_qos: Qos::ExactlyOnce,
            responses: Vec::new(),
            will: None,
            aliases: AliasTable::default(),
            exchange: Exchange::None,
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Phase::Connecting { .. } => f.write_str("connecting"),
            Phase::Connected => f.write_str("connected"),
            Phase::Condemned { offence, .. } => write!(f, "condemned for {offence}"),
            Phase::Ending { .. } => f.write_str("ending"),
            Phase::Left => f.write_str("left by the client"),
        }
    }
}
