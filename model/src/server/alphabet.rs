//! What goes into a session and what comes out of it, in tokens.

use super::retained::Met;
use super::{ConnectionId, ContentKey, FilterKey, MessageKey, Millis};
use crate::packet::{PacketId, ProtocolVersion, Qos, SubscriptionIdentifier, SubscriptionOptions};
use crate::profile::Offence;

/// What reaches the server for a session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Input {
    /// CONNECT on a new connection.
    Connect(ConnectTerms),
    /// SUBSCRIBE.
    Subscribe {
        /// Its identifier.
        id: PacketId,
        /// Its filters in order.
        requests: Vec<FilterRequest>,
    },
    /// UNSUBSCRIBE.
    Unsubscribe {
        /// Its identifier.
        id: PacketId,
        /// Its filters in order.
        filters: Vec<FilterKey>,
        /// The place of the first one that is no filter.
        invalid: Option<usize>,
    },
    /// PUBLISH of the client. Where the message goes is the router's business.
    Publish {
        /// The message.
        message: MessageKey,
        /// Its identifier above QoS 0.
        id: Option<PacketId>,
        /// Its Topic Alias, where that is left to the session.
        alias: Option<AliasUse>,
        /// What is wrong with it: the server may answer any of it.
        offences: Vec<Offence>,
    },
    /// PUBACK of the client.
    Puback {
        /// The identifier of the delivery.
        id: PacketId,
    },
    /// PUBREC of the client.
    Pubrec {
        /// The identifier of the delivery.
        id: PacketId,
        /// Whether its code reports a failure (5.0): then the exchange ends here.
        refused: bool,
    },
    /// PUBREL of the client.
    Pubrel {
        /// The identifier of its PUBLISH.
        id: PacketId,
    },
    /// PUBCOMP of the client.
    Pubcomp {
        /// The identifier of the delivery.
        id: PacketId,
    },
    /// AUTH of the client (5.0), with the method that its CONNECT has named.
    Auth,
    /// PINGREQ.
    Pingreq,
    /// DISCONNECT of the client.
    Disconnect {
        /// Session Expiry Interval, where the packet changes it.
        lifetime: Option<Lifetime>,
        /// Whether the Will is to be published all the same: Reason Code 0x04 (5.0), and any other than 0x00.
        with_will: bool,
    },
    /// Something that a client must not send.
    Offence(Offence),
    /// The connection ended without DISCONNECT.
    Lost,
}

impl Input {
    /// Whether a message may meet other subscriptions after it than before.
    #[must_use]
    pub fn changes_subscriptions(&self) -> bool {
        match self {
            Input::Connect(_)
            | Input::Subscribe { .. }
            | Input::Unsubscribe { .. }
            | Input::Disconnect { .. }
            | Input::Lost => true,
            Input::Publish { .. }
            | Input::Puback { .. }
            | Input::Pubrec { .. }
            | Input::Pubrel { .. }
            | Input::Pubcomp { .. }
            | Input::Auth
            | Input::Pingreq
            | Input::Offence(_) => false,
        }
    }
}

/// What CONNECT says, as far as the session is concerned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectTerms {
    /// The connection that it came on.
    pub connection: ConnectionId,
    /// Protocol version.
    pub version: ProtocolVersion,
    /// Clean Start, Clean Session.
    pub clean_start: bool,
    /// How long the session outlives the connection.
    pub lifetime: Lifetime,
    /// Keep Alive in milliseconds; 0 is off.
    pub keep_alive: Millis,
    /// Receive Maximum.
    pub receive_maximum: u16,
    /// Maximum Packet Size in bytes; `None`: no limit.
    pub maximum_packet_size: Option<u32>,
    /// The Will.
    pub will: Option<Will>,
    /// Whether it names an Authentication Method (5.0).
    pub authenticates: bool,
    /// What is wrong with it: of several things a server may name any.
    pub offences: Vec<Offence>,
}

/// A Will as a session holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Will {
    /// What is published.
    pub message: MessageKey,
    /// Will Delay Interval.
    pub delay: Millis,
}

/// How a PUBLISH uses a Topic Alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AliasUse {
    /// The alias.
    pub alias: u16,
    /// Whether the packet names the topic too, and so sets the alias.
    pub sets: bool,
}

/// How long a session outlives its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lifetime {
    /// Not at all.
    Connection,
    /// So many milliseconds.
    For(Millis),
    /// Without end.
    Forever,
}

impl Lifetime {
    /// A Session Expiry Interval in seconds; 0xFFFFFFFF never ends (3.1.2.11.2).
    #[must_use]
    pub fn of_interval(seconds: u32) -> Lifetime {
        match seconds {
            0 => Lifetime::Connection,
            u32::MAX => Lifetime::Forever,
            _ => Lifetime::For(Millis::from(seconds) * 1000),
        }
    }
}

/// One filter of a SUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FilterRequest {
    /// The filter.
    pub filter: FilterKey,
    /// What the client asks for.
    pub options: SubscriptionOptions,
    /// Subscription Identifier of the SUBSCRIBE.
    pub identifier: Option<SubscriptionIdentifier>,
    /// Retained messages that it may meet, as the router knows them.
    pub retained: Vec<Met>,
    /// Messages that another member of the Shared Subscription may leave to this one (4.8.2).
    pub inherited: Vec<MessageKey>,
    /// What is wrong with it, if something is: the server may answer either.
    pub offences: [Option<Offence>; 2],
}

/// What comes from the server for a session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Output {
    /// CONNACK.
    Connack {
        /// Session Present.
        session_present: bool,
        /// Return or Reason Code.
        code: u8,
        /// What the server announces in it.
        announced: Announcement,
    },
    /// SUBACK.
    Suback {
        /// Of which SUBSCRIBE.
        id: PacketId,
        /// One a filter.
        codes: Vec<u8>,
    },
    /// UNSUBACK.
    Unsuback {
        /// Of which UNSUBSCRIBE.
        id: PacketId,
        /// One a filter; none in 3.x.
        codes: Vec<u8>,
    },
    /// PUBACK.
    Puback {
        /// Of which PUBLISH.
        id: PacketId,
        /// Reason Code; 0 in 3.x.
        code: u8,
    },
    /// PUBREC.
    Pubrec {
        /// Of which PUBLISH.
        id: PacketId,
        /// Reason Code; 0 in 3.x.
        code: u8,
    },
    /// PUBREL.
    Pubrel {
        /// Of which delivery.
        id: PacketId,
        /// Reason Code; 0 in 3.x.
        code: u8,
    },
    /// PUBCOMP.
    Pubcomp {
        /// Of which PUBREL.
        id: PacketId,
        /// Reason Code; 0 in 3.x.
        code: u8,
    },
    /// PUBLISH to the client.
    Publish {
        /// Topic, payload and properties.
        content: ContentKey,
        /// Delivered QoS.
        qos: Qos,
        /// Above QoS 0.
        id: Option<PacketId>,
        /// DUP.
        dup: bool,
        /// RETAIN.
        retain: bool,
        /// Subscription Identifiers, sorted (5.0).
        identifiers: Vec<SubscriptionIdentifier>,
        /// Message Expiry Interval in seconds (5.0).
        expiry: Option<u32>,
    },
    /// PINGRESP.
    Pingresp,
    /// AUTH (5.0).
    Auth {
        /// Reason Code.
        code: u8,
    },
    /// DISCONNECT of the server (5.0).
    Disconnect {
        /// Reason Code.
        code: u8,
    },
    /// The end of the connection.
    Close,
}

/// What a CONNACK of 5.0 changes for the session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Announcement {
    /// Session Expiry Interval instead of the one asked for.
    pub lifetime: Option<Lifetime>,
    /// Server Keep Alive in milliseconds instead of the one asked for.
    pub keep_alive: Option<Millis>,
    /// Maximum QoS, if the server has one below 2.
    pub maximum_qos: Option<Qos>,
}
