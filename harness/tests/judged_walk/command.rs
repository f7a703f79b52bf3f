//! What a client can do in a walk.
//!
//! Commands are concrete, and one that does not apply any more is skipped: so a failing list of them can be shortened.

use model::packet::{PacketType, ProtocolVersion, Qos, SubscriptionOptions};

/// A whole walk: so many clients, and what they do one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) clients: usize,
    pub(crate) commands: Vec<Command>,
}

/// One thing that happens. `client` counts modulo the number of clients, `which` modulo what there is to choose from.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    /// Held: CONNECT does not arrive, and nothing is read, until it flows.
    Connect {
        client: usize,
        terms: Terms,
        held: bool,
    },
    SecondConnect {
        client: usize,
        terms: Terms,
    },
    Subscribe {
        client: usize,
        requests: Vec<Request>,
        /// Subscription Identifier, in 5.0.
        identifier: Option<u32>,
    },
    Unsubscribe {
        client: usize,
        filters: Vec<&'static str>,
    },
    Publish {
        client: usize,
        message: Content,
    },
    /// A message that waits for PUBACK or PUBREC is sent again with DUP; one that waits for PUBCOMP is released again.
    Resend {
        client: usize,
        which: usize,
    },
    /// PUBREL for one of the messages whose PUBREC came, in any order.
    Release {
        client: usize,
        which: usize,
    },
    /// The next acknowledgement for one of the deliveries of this connection, in any order.
    Acknowledge {
        client: usize,
        which: usize,
        /// With a Reason Code that refuses it, in 5.0.
        refused: bool,
    },
    /// An acknowledgement that one of the deliveries of this connection does not await.
    Misacknowledge {
        client: usize,
        which: usize,
        packet: PacketType,
    },
    /// An acknowledgement of nothing.
    AcknowledgeUnknown {
        client: usize,
        packet: PacketType,
    },
    /// AUTH that begins a re-authentication, in 5.0.
    Reauthenticate {
        client: usize,
    },
    Ping {
        client: usize,
    },
    Disconnect {
        client: usize,
        session_expiry: Option<u32>,
        /// With Reason Code 0x04, in 5.0.
        with_will: bool,
    },
    Cut {
        client: usize,
    },
    /// Some bytes of a PUBLISH, then the connection breaks.
    CutWithin {
        client: usize,
        bytes: usize,
    },
    /// Bytes that are no packet; on a connection of their own if the client has none.
    Malformed {
        client: usize,
        bytes: &'static [u8],
    },
    /// From now on the client does not read what comes.
    StopReading {
        client: usize,
    },
    /// From now on what the client sends does not arrive.
    Stall {
        client: usize,
    },
    /// Both directions flow again.
    Resume {
        client: usize,
    },
    /// Time passes; all that was held back flows before.
    Elapse {
        milliseconds: u64,
    },
}

/// What CONNECT says.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) version: ProtocolVersion,
    pub(crate) client_id: &'static str,
    pub(crate) clean_start: bool,
    pub(crate) keep_alive: u16,
    pub(crate) will: Option<WillTerms>,
    /// 5.0 only, as all below.
    pub(crate) session_expiry: Option<u32>,
    pub(crate) receive_maximum: Option<u16>,
    pub(crate) maximum_packet_size: Option<u32>,
    pub(crate) topic_alias_maximum: Option<u16>,
    pub(crate) problem_information: Option<bool>,
    pub(crate) authentication: Authentication,
}

/// A Will.
#[derive(Debug, Clone)]
pub(crate) struct WillTerms {
    pub(crate) topic: &'static str,
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    pub(crate) payload: Payload,
    /// 5.0 only, as all below.
    pub(crate) delay: Option<u32>,
    pub(crate) expiry: Option<u32>,
    pub(crate) extras: Extras,
}

/// The Authentication Method that CONNECT names, and what the client answers to a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authentication {
    None,
    /// A method that no server has.
    Foreign,
    Right,
    Wrong,
    Silent,
}

/// A filter of a SUBSCRIBE. The options of 5.0 are left out in 3.x.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) filter: &'static str,
    pub(crate) options: SubscriptionOptions,
}

/// What is published.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    pub(crate) topic: &'static str,
    pub(crate) qos: Qos,
    pub(crate) dup: bool,
    pub(crate) retain: bool,
    pub(crate) payload: Payload,
    /// 5.0 only, as all below.
    pub(crate) expiry: Option<u32>,
    pub(crate) alias: Alias,
    pub(crate) extras: Extras,
}

/// A payload.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Payload {
    /// One that no other message has.
    Own,
    /// One that messages share: only their order tells them apart.
    Shared,
    /// None: it clears a retained message.
    Empty,
    /// More than some clients take.
    Large,
}

/// What a PUBLISH does with a Topic Alias.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Alias {
    None,
    Set(u16),
    /// The topic is left to the alias.
    Use(u16),
}

/// Properties that go on to the subscribers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Extras {
    None,
    UserProperties,
    Request,
    /// A Response Topic that no response can be published to.
    WildcardResponseTopic,
    /// A name that the IoT Platform reserves.
    ReservedName,
}
