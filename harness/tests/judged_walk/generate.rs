//! How often clients do what.

use crate::command::{Alias, Authentication, Command, Content, Extras, Payload, Request, Script, Terms, WillTerms};
use model::packet::{PacketType, ProtocolVersion, Qos, RetainHandling, SubscriptionOptions};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

const TOPICS: &[&str] = &["a", "a/b", "a/c", "b", "$x/y"];
const STRANGE_TOPICS: &[&str] = &["a/+", "#", "1/2/3/4/5/6/7/8/9"];
const FILTERS: &[&str] = &["a", "a/#", "a/+", "#", "+", "b", "$x/#", "+/b"];
const SHARED_FILTERS: &[&str] = &["$share/g/a", "$share/g/#", "$share/h/#", "$share/g/a/+"];
const STRANGE_FILTERS: &[&str] = &["a#", "a/#/b", "b+", "1/2/3/4/5/6/7/8/#", "$share/g", "$share/+/a"];
const MALFORMED: &[&[u8]] = &[
    b"\xC1\x00",                      // PINGREQ with a flag
    b"\x80\x06\x00\x09\x00\x01a\x00", // SUBSCRIBE without its flag
    b"\x82\x02\x00\x09",              // SUBSCRIBE without filters
    b"\x36\x05\x00\x01a\x00\x09",     // PUBLISH at QoS 3
    b"\x32\x06\x00\x01a\x00\x00\x00", // PUBLISH with identifier 0
    b"\x30\x04\x00\x02\xC3\x28",      // PUBLISH to no UTF-8
    b"\x60\x02\x00\x09",              // PUBREL without its flag
    b"\x20\x02\x00\x00",              // CONNACK
    b"\xC0\x80\x80\x80\x80\x01",      // a length of five bytes
    b"\x00\x00",                      // no packet type
];
const ACKNOWLEDGEMENTS: &[PacketType] =
    &[PacketType::Puback, PacketType::Pubrec, PacketType::Pubrel, PacketType::Pubcomp];

/// Walks of about 60 commands.
pub(crate) fn scripts() -> impl Strategy<Value = Script> {
    // Of a failing walk each command is left out that is not needed.
    let commands = vec(weighted(0.95, commands()), 62..=66);
    (1_usize..=5, commands)
        .prop_map(|(clients, commands)| Script { clients, commands: commands.into_iter().flatten().collect() })
}

fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![45 => connections(), 20 => subscriptions(), 65 => exchanges(), 14 => transport()]
}

fn clients() -> impl Strategy<Value = usize> {
    0_usize..5
}

/// Where connections begin and end.
fn connections() -> impl Strategy<Value = Command> {
    let client = clients;
    prop_oneof![
        28 => (client(), terms(), weighted(0.07, Just(())))
            .prop_map(|(client, terms, held)| Command::Connect { client, terms, held: held.is_some() }),
        1 => (client(), terms()).prop_map(|(client, terms)| Command::SecondConnect { client, terms }),
        1 => client().prop_map(|client| Command::Reauthenticate { client }),
        6 => (client(), select(&[None, None, Some(0), Some(7), Some(u32::MAX)][..]), any::<bool>())
            .prop_map(|(client, session_expiry, with_will)| Command::Disconnect { client, session_expiry, with_will }),
        6 => client().prop_map(|client| Command::Cut { client }),
        2 => (client(), 1_usize..12).prop_map(|(client, bytes)| Command::CutWithin { client, bytes }),
        2 => (client(), select(MALFORMED)).prop_map(|(client, bytes)| Command::Malformed { client, bytes }),
    ]
}

fn subscriptions() -> impl Strategy<Value = Command> {
    let identifiers = || weighted(0.3, select(&[1, 2, 268_435_455][..]));
    let subscribe = |(client, requests, identifier)| Command::Subscribe { client, requests, identifier };
    prop_oneof![
        15 => (clients(), vec(requests(), 1..=3), identifiers()).prop_map(subscribe),
        1 => (clients(), vec(requests(), 7..=10), identifiers()).prop_map(subscribe),
        4 => (clients(), vec(filters(), 1..=2))
            .prop_map(|(client, filters)| Command::Unsubscribe { client, filters }),
    ]
}

/// Messages and what acknowledges them.
fn exchanges() -> impl Strategy<Value = Command> {
    let client = clients;
    prop_oneof![
        30 => (client(), contents()).prop_map(|(client, message)| Command::Publish { client, message }),
        4 => (client(), any::<usize>()).prop_map(|(client, which)| Command::Resend { client, which }),
        8 => (client(), 0_usize..4).prop_map(|(client, which)| Command::Release { client, which }),
        20 => (client(), 0_usize..4, select(&[false, false, false, false, false, false, false, true][..]))
            .prop_map(|(client, which, refused)| Command::Acknowledge { client, which, refused }),
        1 => (client(), 0_usize..4, select(ACKNOWLEDGEMENTS))
            .prop_map(|(client, which, packet)| Command::Misacknowledge { client, which, packet }),
        1 => (client(), select(ACKNOWLEDGEMENTS))
            .prop_map(|(client, packet)| Command::AcknowledgeUnknown { client, packet }),
        3 => client().prop_map(|client| Command::Ping { client }),
    ]
}

fn transport() -> impl Strategy<Value = Command> {
    let client = clients;
    prop_oneof![
        3 => client().prop_map(|client| Command::StopReading { client }),
        3 => client().prop_map(|client| Command::Stall { client }),
        3 => client().prop_map(|client| Command::Resume { client }),
        5 => select(&[500, 1_500, 4_000, 12_500, 31_000, 46_000, 91_000][..])
            .prop_map(|milliseconds| Command::Elapse { milliseconds }),
    ]
}

fn terms() -> impl Strategy<Value = Terms> {
    let of_all_versions = (
        select(&ProtocolVersion::ALL[..]),
        select(&["x", "x", "y", "y", "z", "u-v", ""][..]),
        any::<bool>(),
        select(&[60, 60, 60, 30, 1_200, 10, 0][..]),
        weighted(0.35, wills()),
    );
    let of_5_0 = (
        select(&[None, Some(0), Some(5), Some(40), Some(u32::MAX)][..]),
        select(&[None, Some(1), Some(2), Some(3)][..]),
        select(&[None, None, Some(64), Some(100)][..]),
        select(&[None, None, Some(0), Some(1), Some(2)][..]),
        select(&[None, Some(false), Some(true)][..]),
        authentications(),
    );
    (of_all_versions, of_5_0).prop_map(|(of_all_versions, of_5_0)| {
        let (version, client_id, clean_start, keep_alive, will) = of_all_versions;
        let (session_expiry, receive_maximum, maximum_packet_size, topic_alias_maximum, problem_information, method) =
            of_5_0;
        Terms {
            version,
            client_id,
            clean_start,
            keep_alive,
            will,
            session_expiry,
            receive_maximum,
            maximum_packet_size,
            topic_alias_maximum,
            problem_information,
            authentication: method,
        }
    })
}

fn wills() -> impl Strategy<Value = WillTerms> {
    // Nothing says what becomes of a Will that cannot be published: there is none here.
    let extras = select(&[Extras::None, Extras::None, Extras::UserProperties, Extras::Request][..]);
    (
        select(TOPICS),
        select(&Qos::ALL[..]),
        select(&[false, false, true][..]),
        payloads(),
        select(&[None, None, Some(0), Some(3), Some(20)][..]),
        select(&[None, None, None, Some(1), Some(10)][..]),
        extras,
    )
        .prop_map(|(topic, qos, retain, payload, delay, expiry, extras)| WillTerms {
            topic,
            qos,
            retain,
            payload,
            delay,
            expiry,
            extras,
        })
}

fn authentications() -> impl Strategy<Value = Authentication> {
    prop_oneof![
        30 => Just(Authentication::None),
        1 => Just(Authentication::Foreign),
        6 => Just(Authentication::Right),
        1 => Just(Authentication::Wrong),
        1 => Just(Authentication::Silent),
    ]
}

fn filters() -> impl Strategy<Value = &'static str> {
    prop_oneof![30 => select(FILTERS), 8 => select(SHARED_FILTERS), 2 => select(STRANGE_FILTERS)]
}

fn requests() -> impl Strategy<Value = Request> {
    let retain_handling = select(&[RetainHandling::Send, RetainHandling::SendIfNew, RetainHandling::DoNotSend][..]);
    (filters(), select(&Qos::ALL[..]), select(&[false, false, true][..]), any::<bool>(), retain_handling).prop_map(
        |(filter, qos, no_local, retain_as_published, retain_handling)| {
            // No Local ends the connection in a Shared Subscription: with one of the filters that is often enough.
            let no_local = no_local && (!filter.starts_with("$share/") || filter == "$share/g/a/+");
            Request { filter, options: SubscriptionOptions { qos, no_local, retain_as_published, retain_handling } }
        },
    )
}

fn contents() -> impl Strategy<Value = Content> {
    (
        topics(),
        select(&Qos::ALL[..]),
        select(&[false, false, false, true][..]),
        select(&[false, false, false, true][..]),
        payloads(),
        select(&[None, None, None, Some(1), Some(10)][..]),
        prop_oneof![
            6 => Just(Alias::None),
            1 => (1_u16..=2).prop_map(Alias::Set),
            1 => (1_u16..=2).prop_map(Alias::Use),
        ],
        extras(),
    )
        .prop_map(|(topic, qos, dup, retain, payload, expiry, alias, extras)| Content {
            topic,
            qos,
            dup,
            retain,
            payload,
            expiry,
            alias,
            extras,
        })
}

fn topics() -> impl Strategy<Value = &'static str> {
    prop_oneof![40 => select(TOPICS), 1 => select(STRANGE_TOPICS)]
}

fn payloads() -> impl Strategy<Value = Payload> {
    prop_oneof![
        14 => Just(Payload::Own),
        4 => Just(Payload::Shared),
        2 => Just(Payload::Empty),
        2 => Just(Payload::Large),
    ]
}

fn extras() -> impl Strategy<Value = Extras> {
    prop_oneof![
        30 => Just(Extras::None),
        5 => Just(Extras::UserProperties),
        5 => Just(Extras::Request),
        1 => Just(Extras::WildcardResponseTopic),
        1 => Just(Extras::ReservedName),
    ]
}
