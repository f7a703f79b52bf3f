//! What a client can do in a walk, and how often it does it.
//!
//! Commands are concrete, and one that does not apply any more is skipped: so a failing list of them can be shortened.
//! Nothing here that the model does not cover: QoS 2, retained messages, Wills, Shared Subscriptions, AUTH.

use model::packet::{ProtocolVersion, Qos};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

/// A whole walk: so many clients, and what they do one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) clients: usize,
    pub(crate) commands: Vec<Command>,
}

/// One thing that happens. `client` counts modulo the number of clients.
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
        requests: Vec<(&'static str, Qos, bool)>,
    },
    Unsubscribe {
        client: usize,
        filters: Vec<&'static str>,
    },
    Publish {
        client: usize,
        message: Content,
    },
    /// A message that waits for its PUBACK is sent again with DUP.
    Resend {
        client: usize,
        which: usize,
    },
    /// PUBACK for one of the deliveries of this connection, in any order.
    Acknowledge {
        client: usize,
        which: usize,
    },
    AcknowledgeUnknown {
        client: usize,
    },
    Ping {
        client: usize,
    },
    Disconnect {
        client: usize,
        session_expiry: Option<u32>,
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
    /// 5.0 only, as all below.
    pub(crate) session_expiry: Option<u32>,
    pub(crate) receive_maximum: Option<u16>,
    pub(crate) maximum_packet_size: Option<u32>,
    pub(crate) problem_information: Option<bool>,
}

/// What is published.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    pub(crate) topic: &'static str,
    pub(crate) qos: Qos,
    pub(crate) dup: bool,
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

const TOPICS: &[&str] = &["a", "a/b", "a/c", "b", "$x/y"];
const STRANGE_TOPICS: &[&str] = &["a/+", "#", "1/2/3/4/5/6/7/8/9"];
const FILTERS: &[&str] = &["a", "a/#", "a/+", "#", "+", "b", "$x/#", "+/b"];
const STRANGE_FILTERS: &[&str] = &["a#", "a/#/b", "b+", "1/2/3/4/5/6/7/8/#"];
const MALFORMED: &[&[u8]] = &[
    b"\xC1\x00",                      // PINGREQ with a flag
    b"\x80\x06\x00\x09\x00\x01a\x00", // SUBSCRIBE without its flag
    b"\x82\x02\x00\x09",              // SUBSCRIBE without filters
    b"\x36\x05\x00\x01a\x00\x09",     // PUBLISH at QoS 3
    b"\x32\x06\x00\x01a\x00\x00\x00", // PUBLISH with identifier 0
    b"\x30\x04\x00\x02\xC3\x28",      // PUBLISH to no UTF-8
    b"\x20\x02\x00\x00",              // CONNACK
    b"\xC0\x80\x80\x80\x80\x01",      // a length of five bytes
    b"\x00\x00",                      // no packet type
];

/// Walks of about 60 commands.
pub(crate) fn scripts() -> impl Strategy<Value = Script> {
    (1_usize..=5, vec(commands(), 55..=65)).prop_map(|(clients, commands)| Script { clients, commands })
}

fn commands() -> impl Strategy<Value = Command> {
    let client = || 0_usize..5;
    prop_oneof![
        14 => (client(), terms(), select(&[false, false, false, false, true][..]))
            .prop_map(|(client, terms, held)| Command::Connect { client, terms, held }),
        1 => (client(), terms()).prop_map(|(client, terms)| Command::SecondConnect { client, terms }),
        15 => (client(), vec(requests(), 1..=3)).prop_map(|(client, requests)| Command::Subscribe { client, requests }),
        1 => (client(), vec(requests(), 7..=10)).prop_map(|(client, requests)| Command::Subscribe { client, requests }),
        5 => (client(), vec(filters(), 1..=2)).prop_map(|(client, filters)| Command::Unsubscribe { client, filters }),
        30 => (client(), contents()).prop_map(|(client, message)| Command::Publish { client, message }),
        3 => (client(), any::<usize>()).prop_map(|(client, which)| Command::Resend { client, which }),
        15 => (client(), 0_usize..4).prop_map(|(client, which)| Command::Acknowledge { client, which }),
        1 => client().prop_map(|client| Command::AcknowledgeUnknown { client }),
        3 => client().prop_map(|client| Command::Ping { client }),
        3 => (client(), select(&[None, None, Some(0), Some(7), Some(u32::MAX)][..]))
            .prop_map(|(client, session_expiry)| Command::Disconnect { client, session_expiry }),
        3 => client().prop_map(|client| Command::Cut { client }),
        1 => (client(), 1_usize..12).prop_map(|(client, bytes)| Command::CutWithin { client, bytes }),
        1 => (client(), select(MALFORMED)).prop_map(|(client, bytes)| Command::Malformed { client, bytes }),
        3 => client().prop_map(|client| Command::StopReading { client }),
        3 => client().prop_map(|client| Command::Stall { client }),
        3 => client().prop_map(|client| Command::Resume { client }),
        5 => select(&[500, 1_500, 4_000, 12_500, 31_000, 46_000, 91_000][..])
            .prop_map(|milliseconds| Command::Elapse { milliseconds }),
    ]
}

fn terms() -> impl Strategy<Value = Terms> {
    (
        select(&ProtocolVersion::ALL[..]),
        select(&["x", "x", "y", "y", "z", "u-v", ""][..]),
        any::<bool>(),
        select(&[60, 60, 60, 30, 1_200, 10, 0][..]),
        select(&[None, Some(0), Some(5), Some(40), Some(u32::MAX)][..]),
        select(&[None, Some(1), Some(2), Some(3)][..]),
        select(&[None, None, Some(64), Some(100)][..]),
        select(&[None, Some(false), Some(true)][..]),
    )
        .prop_map(
            |(version, client_id, clean_start, keep_alive, session_expiry, receive_maximum, size, problem)| Terms {
                version,
                client_id,
                clean_start,
                keep_alive,
                session_expiry,
                receive_maximum,
                maximum_packet_size: size,
                problem_information: problem,
            },
        )
}

fn filters() -> impl Strategy<Value = &'static str> {
    prop_oneof![20 => select(FILTERS), 1 => select(STRANGE_FILTERS)]
}

fn requests() -> impl Strategy<Value = (&'static str, Qos, bool)> {
    let qos = prop_oneof![3 => Just(Qos::AtMostOnce), 6 => Just(Qos::AtLeastOnce), 1 => Just(Qos::ExactlyOnce)];
    (filters(), qos, select(&[false, false, true][..]))
}

fn contents() -> impl Strategy<Value = Content> {
    (
        prop_oneof![40 => select(TOPICS), 1 => select(STRANGE_TOPICS)],
        select(&[Qos::AtMostOnce, Qos::AtLeastOnce, Qos::AtLeastOnce][..]),
        select(&[false, false, false, true][..]),
        prop_oneof![7 => Just(Payload::Own), 2 => Just(Payload::Shared), 1 => Just(Payload::Large)],
        select(&[None, None, None, Some(1), Some(10)][..]),
        prop_oneof![
            6 => Just(Alias::None),
            1 => (1_u16..=2).prop_map(Alias::Set),
            1 => (1_u16..=2).prop_map(Alias::Use),
        ],
        prop_oneof![
            30 => Just(Extras::None),
            5 => Just(Extras::UserProperties),
            5 => Just(Extras::Request),
            1 => Just(Extras::WildcardResponseTopic),
            1 => Just(Extras::ReservedName),
        ],
    )
        .prop_map(|(topic, qos, dup, payload, expiry, alias, extras)| Content {
            topic,
            qos,
            dup,
            payload,
            expiry,
            alias,
            extras,
        })
}
