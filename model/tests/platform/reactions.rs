//! Open points: the judge admits each reaction that the profile lists, and none that it does not.

use crate::trace::{Trace, at_qos1, connack, device, disconnect, id, login, puback, publish, qos1, suback, subscribe};
use model::judge::Judgement;
use model::packet::ProtocolVersion::{self, V3_1, V3_1_1, V5_0};
use model::packet::{Connect, Delivery, Packet, Publish, Qos, Will, WillProperties};
use model::profile::{Code, Feature, Offence, Profile, Reaction};

/// What the client has just sent, and how it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Connack,
    /// PUBLISH of QoS 1, identifier 999.
    Puback,
    /// SUBSCRIBE with so many filters, identifier 999, of which the last one offends.
    Suback(usize),
    /// None of its own.
    Nothing,
}

/// The way to an offence, up to and with the packet that offends on connection 9.
struct Way {
    name: &'static str,
    offence: Offence,
    versions: &'static [ProtocolVersion],
    answer: Answer,
    go: fn(Trace) -> Trace,
}

const ALL: &[ProtocolVersion] = &ProtocolVersion::ALL;
const FIVE: &[ProtocolVersion] = &[V5_0];
const OWN: &str = "/pk/lamp/user/get";

fn connects(trace: Trace, connect: Connect) -> Trace {
    trace.open(9).send(9, &Packet::Connect(connect))
}

fn with_keep_alive(trace: Trace, keep_alive: u16) -> Trace {
    connects(trace, Connect { keep_alive, ..device("lamp") })
}

fn publishes(trace: Trace, topic: &str) -> Trace {
    trace.connected(9, device("lamp")).send(9, &qos1(topic, "m", 999))
}

fn publishes_with(trace: Trace, change: impl FnOnce(&mut Publish)) -> Trace {
    let mut publish = at_qos1(OWN, "m", 999);
    change(&mut publish);
    trace.connected(9, device("lamp")).send(9, &Packet::Publish(publish))
}

fn subscribes(trace: Trace, filter: &str, qos: Qos) -> Trace {
    trace.connected(9, device("lamp")).send(9, &subscribe(999, &[filter], qos))
}

fn long_topic() -> String {
    format!("/pk/lamp/user/{}", "x".repeat(128))
}

fn connects_often(trace: Trace) -> Trace {
    let often = (1..=5).fold(trace, |trace, number| trace.connected(number, device("lamp")).left(number));
    connects(often, device("lamp"))
}

fn publishes_often(trace: Trace) -> Trace {
    let often = (1..=10).fold(trace.connected(9, device("lamp")), |trace, number| trace.published(9, number, OWN, "m"));
    often.send(9, &qos1(OWN, "m", 999))
}

fn leaves_unanswered(trace: Trace) -> Trace {
    let send = |trace: Trace, number| trace.later(150).send(9, &qos1(OWN, "m", number));
    (1..=100).fold(trace.connected(9, device("lamp")), send).later(150).send(9, &qos1(OWN, "m", 999))
}

fn subscribes_often(trace: Trace) -> Trace {
    let one = |trace: Trace, number: u16| trace.subscribed(9, number, &format!("{OWN}/{number}"));
    (1..=100).fold(trace.connected(9, device("lamp")), one).send(9, &subscribe(999, &[OWN], Qos::AtLeastOnce))
}

fn subscribes_to_nine(trace: Trace) -> Trace {
    let filters: Vec<String> = (1..=9).map(|number| format!("{OWN}/{number}")).collect();
    let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
    trace.connected(9, device("lamp")).send(9, &subscribe(999, &filters, Qos::AtLeastOnce))
}

fn remaps_an_alias(trace: Trace) -> Trace {
    let aliased = |topic: &str, packet_id| {
        let mut publish = at_qos1(topic, "m", packet_id);
        publish.properties.topic_alias = std::num::NonZeroU16::new(3);
        Packet::Publish(publish)
    };
    let first = trace.connected(9, device("lamp")).send(9, &aliased(OWN, 1)).receive(9, &puback(1, 0));
    first.send(9, &aliased("/pk/lamp/user/other", 999))
}

fn has_a_will(trace: Trace) -> Trace {
    let will = Will {
        topic: OWN.try_into().unwrap(),
        payload: b"gone".to_vec(),
        qos: Qos::AtMostOnce,
        retain: false,
        properties: WillProperties::default(),
    };
    connects(trace, Connect { will: Some(will), ..device("lamp") })
}

fn ways() -> Vec<Way> {
    let way = |name, offence, versions, answer, go| Way { name, offence, versions, answer, go };
    let (connack, puback, suback) = (Answer::Connack, Answer::Puback, Answer::Suback(1));
    vec![
        way("X-7", Offence::ClientIdentifierNotValid, ALL, connack, |t| connects(t, login("a|b", "lamp&pk"))),
        way("X-57", Offence::BadUserNameOrPassword, ALL, connack, |t| connects(t, login("a|securemode=3|", "lamp"))),
        way("X-56", Offence::SignMethodUnknown, ALL, connack, |t| connects(t, login("a|signmethod=md4|", "lamp&pk"))),
        way("X-55", Offence::SecureModeMismatch, ALL, connack, |t| connects(t, login("a|securemode=9|", "lamp&pk"))),
        way("X-8", Offence::ConnectRateExceeded, ALL, connack, connects_often),
        way("X-3", Offence::KeepAliveOff, ALL, connack, |t| with_keep_alive(t, 0)),
        way("X-1 low", Offence::KeepAliveTooLow, ALL, connack, |t| with_keep_alive(t, 29)),
        way("X-1 high", Offence::KeepAliveTooHigh, ALL, connack, |t| with_keep_alive(t, 1201)),
        way("X-9", Offence::WillNotSupported, ALL, connack, has_a_will),
        way("X-30 connect", Offence::PropertyLimitExceeded, FIVE, connack, |t| {
            let mut connect = device("lamp");
            connect.properties.user_properties = vec![("_k".try_into().unwrap(), "v".try_into().unwrap())];
            connects(t, connect)
        }),
        way("X-10", Offence::RetainNotSupported, ALL, puback, |t| publishes_with(t, |publish| publish.retain = true)),
        way("X-11", Offence::QosNotSupported, ALL, Answer::Nothing, |t| {
            let publish = publish(OWN, "m", Delivery::ExactlyOnce { packet_id: id(999), dup: false });
            t.connected(9, device("lamp")).send(9, &Packet::Publish(publish))
        }),
        way("X-12", Offence::SubscriptionQosNotSupported, ALL, suback, |t| subscribes(t, OWN, Qos::ExactlyOnce)),
        way("X-20", Offence::UplinkInFlightExceeded, ALL, puback, leaves_unanswered),
        way("X-21", Offence::TopicNotPermitted, ALL, puback, |t| publishes(t, "/pk/tv/user/get")),
        way("X-22", Offence::TopicNotPermitted, ALL, suback, |t| subscribes(t, "/pk/tv/user/get", Qos::AtLeastOnce)),
        way("X-23", Offence::TooManyFilters, ALL, Answer::Suback(9), subscribes_to_nine),
        way("X-24", Offence::TooManySubscriptions, ALL, suback, subscribes_often),
        way("X-25 publish", Offence::TopicTooLong, ALL, puback, |t| publishes(t, &long_topic())),
        way("X-25 subscribe", Offence::TopicTooLong, ALL, suback, |t| subscribes(t, &long_topic(), Qos::AtLeastOnce)),
        way("X-25 deep", Offence::TopicTooLong, ALL, puback, |t| publishes(t, "/pk/lamp/user/a/b/c/d/e")),
        way("X-26", Offence::TopicNameInvalid, ALL, Answer::Nothing, |t| publishes(t, "/pk/lamp/user/+")),
        way("X-27", Offence::UplinkRateExceeded, ALL, puback, publishes_often),
        way("X-28", Offence::PacketTooLarge, FIVE, Answer::Nothing, |t| {
            publishes_with(t, |publish| publish.payload = vec![0; 262_144])
        }),
        way("X-31", Offence::PropertyLimitExceeded, FIVE, puback, |t| {
            publishes_with(t, |publish| {
                publish.properties.user_properties = vec![("_k".try_into().unwrap(), "v".try_into().unwrap())];
            })
        }),
        way("X-33", Offence::PropertyLimitExceeded, FIVE, puback, |t| {
            publishes_with(t, |publish| publish.properties.correlation_data = Some(vec![0; 129]))
        }),
        way("X-34", Offence::TopicAliasInvalid, FIVE, Answer::Nothing, |t| {
            publishes_with(t, |publish| publish.properties.topic_alias = std::num::NonZeroU16::new(21))
        }),
        way("X-35", Offence::TopicAliasRemapped, FIVE, puback, remaps_an_alias),
        way("X-43", Offence::RrpcAnswerQos, ALL, puback, |t| publishes(t, "/sys/pk/lamp/rrpc/response/123")),
        way("$share", Offence::SharedSubscriptionNotSupported, ALL, suback, |t| {
            subscribes(t, "$share/g/t", Qos::AtLeastOnce)
        }),
    ]
}

/// A code that a reaction stands for.
fn value(code: Code, version: ProtocolVersion, answer: Answer) -> u8 {
    match code {
        Code::Exactly(value) => value,
        Code::AnyError if answer == Answer::Connack && version != V5_0 => 5,
        Code::AnyError => 0x80,
    }
}

/// The server reacts; `None` where the reaction is none to such a packet.
fn react(trace: Trace, answer: Answer, reaction: Reaction) -> Option<Trace> {
    let version = trace.version();
    let served = |trace: Trace| trace.alive(9);
    let suback_of = |filters: usize, code: u8| {
        let mut codes = vec![1; filters];
        codes[filters - 1] = code;
        suback(999, &codes)
    };
    match (reaction, answer) {
        (Reaction::Close, _) => Some(trace.closed(9)),
        // No DISCONNECT before an accepting CONNACK.
        (Reaction::Disconnect(_), Answer::Connack) => None,
        (Reaction::Disconnect(code), _) => Some(trace.receive(9, &disconnect(value(code, version, answer))).closed(9)),
        (Reaction::Connack(code), Answer::Connack) => {
            Some(trace.receive(9, &connack(version, value(code, version, answer))).closed(9))
        }
        (Reaction::Puback(code), Answer::Puback) => {
            Some(served(trace.receive(9, &puback(999, value(code, version, answer)))))
        }
        (Reaction::Suback(code), Answer::Suback(filters)) => {
            Some(served(trace.receive(9, &suback_of(filters, value(code, version, answer)))))
        }
        (Reaction::SubackThenClose(code), Answer::Suback(filters)) => {
            Some(trace.receive(9, &suback_of(filters, value(code, version, answer))).closed(9))
        }
        (Reaction::Ignore, _) => Some(served(trace)),
        (Reaction::Accept, Answer::Connack) => Some(served(trace.receive(9, &connack(version, 0)))),
        (Reaction::Accept, Answer::Puback) => Some(served(trace.receive(9, &puback(999, 0)))),
        (Reaction::Accept, Answer::Suback(filters)) => Some(served(trace.receive(9, &suback_of(filters, 1)))),
        _ => None,
    }
}

/// Answers of the uplinks that wait before the one in question.
fn settled(trace: Trace, way: &Way) -> Trace {
    match way.offence {
        Offence::UplinkInFlightExceeded => (1..=100).fold(trace, |trace, number| trace.receive(9, &puback(number, 0))),
        _ => trace,
    }
}

/// Whether the dialect has what the way takes for an offence: the newer one has retained messages and more in 5.0.
fn offends(profile: &Profile, way: &Way, version: ProtocolVersion) -> bool {
    let offered = match way.offence {
        Offence::WillNotSupported => Feature::Will,
        Offence::RetainNotSupported => Feature::RetainedMessages,
        Offence::SharedSubscriptionNotSupported => Feature::SharedSubscriptions,
        _ => return true,
    };
    !profile.has_in(offered, version)
}

#[test]
fn each_permitted_reaction_conforms() {
    let mut tried = 0;
    for profile in ["platform", "platform-2026"].map(|name| Profile::builtin(name).unwrap()) {
        for way in ways() {
            for version in way.versions.iter().filter(|version| offends(profile, &way, **version)) {
                for reaction in profile.reactions(way.offence, *version) {
                    let there = settled((way.go)(Trace::new(profile, *version)), &way);
                    let Some(trace) = react(there, way.answer, *reaction) else { continue };
                    let label = format!("{}, {version}, {}: {reaction}", profile.name, way.name);
                    assert_eq!(trace.verdict(), Judgement::Conforms, "{label}");
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 300, "only {tried} reactions were tried");
}

/// What a server could do in answer to such a packet.
fn conceivable(version: ProtocolVersion, answer: Answer) -> Vec<Reaction> {
    let codes: &[u8] = match (answer, version) {
        (Answer::Connack, V5_0) => &[0x80, 0x81, 0x82, 0x84, 0x86, 0x8A, 0x9C],
        (Answer::Connack, _) => &[1, 2, 3, 4, 5],
        (Answer::Puback, V5_0) => &[0x80, 0x83, 0x87, 0x90, 0x99],
        (Answer::Suback(_), V5_0) => &[0x80, 0x83, 0x87, 0x8F, 0x97],
        (Answer::Suback(_), V3_1_1) => &[0x80],
        (Answer::Puback | Answer::Suback(_) | Answer::Nothing, _) => &[],
    };
    let with_code = |code: &u8| match answer {
        Answer::Connack => Some(Reaction::Connack(Code::Exactly(*code))),
        Answer::Puback => Some(Reaction::Puback(Code::Exactly(*code))),
        Answer::Suback(_) => Some(Reaction::Suback(Code::Exactly(*code))),
        Answer::Nothing => None,
    };
    let plain = [Reaction::Close, Reaction::Accept, Reaction::Ignore];
    plain.into_iter().chain(codes.iter().filter_map(with_code)).collect()
}

/// Whether the profile permits it, or something that looks the same.
fn is_permitted(permitted: &[Reaction], reaction: Reaction) -> bool {
    let accepts = permitted.contains(&Reaction::Accept);
    let any = |packet: fn(Code) -> Reaction| permitted.contains(&packet(Code::AnyError));
    permitted.contains(&reaction)
        || match reaction {
            Reaction::Connack(_) => any(Reaction::Connack),
            // A message that is served may be refused for reasons of the server's own.
            Reaction::Puback(_) => any(Reaction::Puback) || accepts,
            Reaction::Suback(_) => any(Reaction::Suback),
            // Dropped behind a PUBACK that tells nothing; refused where SUBACK has no code for it.
            Reaction::Accept => [Reaction::Puback(Code::Exactly(0)), Reaction::Suback(Code::Exactly(1))]
                .iter()
                .any(|reports| permitted.contains(reports)),
            _ => false,
        }
}

#[test]
fn no_other_reaction_conforms() {
    let profile = Profile::builtin("platform").unwrap();
    let mut tried = 0;
    for way in ways() {
        for version in way.versions {
            let permitted = profile.reactions(way.offence, *version);
            for reaction in conceivable(*version, way.answer) {
                let there = settled((way.go)(Trace::new(profile, *version)), &way);
                let trace = react(there, way.answer, reaction).filter(|_| !is_permitted(permitted, reaction));
                let Some(trace) = trace else { continue };
                let verdict = trace.verdict();
                let label = format!("{version}, {}: {reaction}", way.name);
                assert!(matches!(verdict, Judgement::Violates(_)), "{label}: {verdict:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 150, "only {tried} reactions were tried");
}

#[test]
fn a_violation_names_the_rows_of_the_offence() {
    let trace = connects(Trace::platform(V3_1_1), login("a|b", "lamp&pk")).closed(9);
    let violation = trace.violates("offence-is-refused", "X-7");
    assert_eq!(violation.expected, "for client-identifier-not-valid: CONNACK 0x02 and close");
    let statements: Vec<_> = violation.statements.iter().filter(|id| !id.starts_with("MQTT-")).collect();
    assert_eq!(statements, [&"P-CID-1", &"P-CID-2", &"P-RC-3", &"X-7", &"P-RC-14"]);
}

#[test]
fn a_subscription_may_end_behind_its_refusal_in_the_newer_dialect() {
    // N-WIL-4.
    let refused = |profile: &str| {
        let trace =
            subscribes(Trace::new(Profile::builtin(profile).unwrap(), V5_0), "/pk/tv/user/get", Qos::AtLeastOnce);
        trace.receive(9, &suback(999, &[0x87])).receive(9, &disconnect(0x87)).closed(9)
    };
    refused("platform-2026").conforms();
    refused("platform").violates("disconnect-has-a-reason", "");
}

#[test]
fn too_high_a_keep_alive_counts_as_the_highest() {
    // never served beyond 1.5 times the highest value.
    let silent = |seconds: u64| {
        let accepted = with_keep_alive(Trace::platform(V3_1), 60_000).receive(9, &connack(V3_1, 0));
        accepted.later(seconds * 1000)
    };
    silent(1829).conforms();
    silent(1832).violates("keep-alive-closes", "P-KA-4");
    silent(1801).closed(9).conforms();
}
