//! What a client can do in a walk.
//!
//! Commands are concrete: they say which message, not which of those that there happen to be. One that does not apply any
//! more is skipped, so a failing list of them can be shortened.
//!
//! Topics, filters and client ids are written as in case files: `$t` is the topic prefix of the walk, `$ann` the client id
//! of the actor `ann`, and `$$` a dollar sign. Where clients are devices, `$bob.topics` is the prefix of another one's topics,
//! and `$me` the one that acts.

use super::cloud::CloudDeed;
use super::device::Manner;
use model::packet::{PacketId, PacketType, ProtocolVersion, Qos, SubscriptionOptions};

/// A client of a walk, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Client(pub usize);

/// The names of clients as actors of a case.
const ACTORS: [&str; Client::MOST] = ["ann", "bob", "eve", "dan"];

/// Their client ids, as cases write them.
const CLIENT_IDS: [&str; Client::MOST] = ["$ann", "$bob", "$eve", "$dan"];

impl Client {
    /// The most clients of one walk.
    pub const MOST: usize = 4;

    /// The first so many of them.
    pub fn first(count: usize) -> impl Iterator<Item = Client> {
        (0..count.min(Client::MOST)).map(Client)
    }

    /// Its name as an actor.
    #[must_use]
    pub fn actor(self) -> &'static str {
        ACTORS[self.0 % Client::MOST]
    }

    /// The client id that is its own, as cases write it.
    #[must_use]
    pub fn client_id(self) -> &'static str {
        CLIENT_IDS[self.0 % Client::MOST]
    }
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A client does something.
    Does(Client, Deed),
    /// The cloud side does something.
    Cloud(CloudDeed),
    /// Time passes, in milliseconds; all that was held back flows before.
    Elapse(u64),
}

/// What a client does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Opens a connection and says CONNECT; a device breaks off the one that it has. Held: CONNECT does not arrive, and nothing is read, until it flows.
    Connect {
        /// What CONNECT says.
        terms: Terms,
        /// Whether it is held.
        held: bool,
    },
    /// A CONNECT on an open connection.
    SecondConnect(Terms),
    /// SUBSCRIBE.
    Subscribe {
        /// Packet Identifier.
        id: PacketId,
        /// The filters.
        requests: Vec<Request>,
        /// Subscription Identifier, in 5.0.
        identifier: Option<u32>,
    },
    /// UNSUBSCRIBE.
    Unsubscribe {
        /// Packet Identifier.
        id: PacketId,
        /// The filters.
        filters: Vec<&'static str>,
    },
    /// PUBLISH.
    Publish {
        /// Packet Identifier; not sent at QoS 0.
        id: PacketId,
        /// What is published.
        content: Content,
    },
    /// A message that waits for PUBACK or PUBREC is sent again with DUP; one that waits for PUBCOMP is released again.
    Resend(PacketId),
    /// PUBREL for a message whose PUBREC came.
    Release(PacketId),
    /// The next acknowledgement for the oldest delivery on this connection with this payload that waits for the client.
    Acknowledge {
        /// Of the message.
        payload: Vec<u8>,
        /// With a Reason Code that refuses it, in 5.0.
        refused: bool,
    },
    /// An acknowledgement that the delivery with this payload does not await.
    Misacknowledge {
        /// Of the message.
        payload: Vec<u8>,
        /// The acknowledgement.
        packet: PacketType,
    },
    /// An acknowledgement of nothing.
    AcknowledgeUnknown(PacketType),
    /// AUTH that begins a re-authentication, in 5.0.
    Reauthenticate,
    /// PINGREQ.
    Ping,
    /// DISCONNECT.
    Disconnect {
        /// Session Expiry Interval, in 5.0.
        session_expiry: Option<u32>,
        /// With Reason Code 0x04, in 5.0.
        with_will: bool,
    },
    /// So many PUBLISH packets at once.
    PublishOften {
        /// How many.
        count: usize,
        /// What each of them says.
        content: Content,
    },
    /// SUBSCRIBE packets for so many topics, all at once.
    SubscribeToMany(usize),
    /// PUBLISH that answers a call of the cloud, by the device that was called or another one.
    Answer {
        /// What the request of the call says: no two say the same.
        request: Vec<u8>,
        /// What the answer says.
        payload: String,
        /// How it names the call.
        naming: Naming,
    },
    /// Packets in WebSocket frames that are not theirs.
    Frames(&'static [&'static [u8]]),
    /// Bytes in a WebSocket text frame.
    TextFrame(&'static [u8]),
    /// The connection breaks.
    Cut,
    /// Some bytes of a PUBLISH, then the connection breaks.
    CutWithin(usize),
    /// Bytes that are no packet; on a connection of their own if the client has none.
    Malformed(&'static [u8]),
    /// From now on the client does not read what comes.
    StopReading,
    /// From now on what the client sends does not arrive.
    Stall,
    /// Both directions flow again.
    Resume,
}

/// What CONNECT says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Protocol version.
    pub version: ProtocolVersion,
    /// Client Identifier.
    pub client_id: &'static str,
    /// Clean Start, or Clean Session.
    pub clean_start: bool,
    /// Keep Alive, in seconds.
    pub keep_alive: u16,
    /// Will.
    pub will: Option<WillTerms>,
    /// Session Expiry Interval, in seconds. 5.0 only, as all below.
    pub session_expiry: Option<u32>,
    /// Receive Maximum.
    pub receive_maximum: Option<u16>,
    /// Maximum Packet Size, in bytes.
    pub maximum_packet_size: Option<u32>,
    /// Topic Alias Maximum.
    pub topic_alias_maximum: Option<u16>,
    /// Request Problem Information.
    pub problem_information: Option<bool>,
    /// Authentication Method.
    pub authentication: Authentication,
    /// How a device logs in.
    pub manner: Manner,
}

/// How the answer to a call names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// By its number, at QoS 0.
    Right,
    /// The same at QoS 1.
    AtQos1,
    /// By a number that nobody gave out.
    Wrong,
}

/// A Will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WillTerms {
    /// What is published.
    pub content: Content,
    /// Will Delay Interval in seconds, in 5.0.
    pub delay: Option<u32>,
}

/// The Authentication Method that CONNECT names, and what the client answers to a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// No method.
    None,
    /// A method that no server has.
    Foreign,
    /// The reference broker's method, and the right answer.
    Right,
    /// The wrong answer.
    Wrong,
    /// No answer.
    Silent,
}

/// A filter of a SUBSCRIBE. The options of 5.0 are left out in 3.x.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Topic Filter.
    pub filter: &'static str,
    /// Subscription Options.
    pub options: SubscriptionOptions,
}

/// What is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Topic Name.
    pub topic: &'static str,
    /// QoS.
    pub qos: Qos,
    /// DUP, though it is sent for the first time.
    pub dup: bool,
    /// RETAIN.
    pub retain: bool,
    /// Payload.
    pub payload: Payload,
    /// Message Expiry Interval in seconds. 5.0 only, as all below.
    pub expiry: Option<u32>,
    /// Topic Alias.
    pub alias: Alias,
    /// Further properties.
    pub extras: Extras,
}

/// A payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// One that no other message has, by its number.
    Own(u32),
    /// One that messages share: only their order tells them apart.
    Shared,
    /// None: it clears a retained message.
    Empty,
    /// So many bytes: more than some clients take, or than servers of the dialect do.
    Filler(usize),
}

/// What a PUBLISH does with a Topic Alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alias {
    /// Nothing.
    None,
    /// Sets it.
    Set(u16),
    /// The topic is left to the alias.
    Use(u16),
}

/// Properties that go on to the subscribers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extras {
    /// None.
    None,
    /// User Properties and a Content Type.
    UserProperties,
    /// A Response Topic with Correlation Data, and a Payload Format Indicator.
    Request,
    /// A Response Topic that no response can be published to.
    WildcardResponseTopic,
    /// A name that the IoT Platform reserves.
    ReservedName,
}
