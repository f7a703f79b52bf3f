//! How a device logs in: as the case language writes it, right or wrong in one thing.

use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::sample::select;

/// How a CONNECT presents itself beyond what all CONNECT packets say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// Fields of `login`, beside the device.
    pub login: &'static str,
    /// Fields beside `login`.
    pub beside: &'static str,
    /// What comes of it.
    pub purpose: Purpose,
}

/// What comes of a CONNECT, if the platform is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The device is online.
    Login,
    /// It is refused.
    Attempt,
    /// A secret or a token is sent to whoever asked.
    Registration,
    /// The device is online with what a registration brought.
    WithAnswer,
}

impl Manner {
    /// Nothing is special.
    pub const PLAIN: Manner = right("");

    /// Whether the connection is that of a session.
    pub(in crate::fuzz) fn is_of_a_session(self) -> bool {
        matches!(self.purpose, Purpose::Login | Purpose::WithAnswer)
    }
}

const fn right(login: &'static str) -> Manner {
    Manner { login, beside: "", purpose: Purpose::Login }
}

const fn wrong(login: &'static str) -> Manner {
    Manner { login, beside: "", purpose: Purpose::Attempt }
}

const fn wrong_beside(login: &'static str, beside: &'static str) -> Manner {
    Manner { login, beside, purpose: Purpose::Attempt }
}

const fn registers(login: &'static str) -> Manner {
    Manner { login, beside: "", purpose: Purpose::Registration }
}

const fn with_answer(login: &'static str) -> Manner {
    Manner { login, beside: "", purpose: Purpose::WithAnswer }
}

/// Logins that are signed as the documents say.
const RIGHT: &[Manner] = &[
    right("signmethod: hmacsha1"),
    right("signmethod: hmacmd5"),
    right("signmethod: null"),
    right("letters: upper"),
    right("timestamp: \"2524608000000\""),
    right("timestamp: \"789\""),
    right("over: tcp, securemode: null, parameters: [\"lan=C\", \"securemode=3\"]"),
    right("parameters: [\"ext=1\", \"_v=mqttspec\", \"lan=Rust\"]"),
    right("parameters: [\"\"]"),
    right("signed: {client_id: null}"),
    right("name: \"gw:01@_-.\""),
    right("over: tls"),
];

/// A login for calls on custom topics.
const TAKES_CUSTOM_CALLS: Manner = right("parameters: [\"ext=1\"]");

/// One name for all devices.
const SAME_NAME: Manner = right("name: gate");

const WRONG: &[Manner] = &[
    wrong("signed: {secret: another}"),
    wrong("signed: {signmethod: hmacsha1}"),
    wrong("signed: {client_id: another}"),
    wrong("timestamp: \"2524608000000\", signed: {timestamp: \"2524608000001\"}"),
    wrong("timestamp: \"2524608000000\", signed: {timestamp: null}"),
    wrong("signed: {timestamp: \"2524608000000\"}"),
    wrong("signed: {device: unknown}"),
    wrong("signmethod: sha256"),
    wrong("signmethod: hmacsha512"),
    wrong("name: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
    wrong_beside("name: gate", "client_id: \"gate|securemode=3,signmethod=hmacsha256\""),
    wrong_beside("name: gate", "client_id: \"gate|securemode=3|signmethod=hmacsha256|\""),
    wrong_beside("name: gate", "client_id: \"gate|securemode,signmethod=hmacsha256|\""),
    wrong_beside("", "password: null"),
    wrong_beside("", "password: \"\""),
];

/// Who asks for a secret of a device that has none, or for a token of one that nobody knows.
const REGISTERS: &[(&str, Manner)] = &[
    ("$unregistered", registers("registers: secret, over: tls")),
    ("$unregistered", registers("registers: secret, over: tls")),
    ("$unregistered", registers("registers: secret, over: tls, signmethod: hmacsha1")),
    ("$unknown", registers("registers: token, over: tls")),
    ("$unregistered", wrong("registers: secret, over: tls, signed: {secret: another}")),
    ("$unregistered", wrong("registers: secret, over: tls, signed: {random: \"567346\"}")),
    ("$unknown", wrong("registers: token, over: tls, signed: {secret: another}")),
    ("$unknown", wrong("registers: secret, over: tls")),
];

/// Who logs in with what was brought: `$answer` is the last that came to the actor. A token is good for nobody else.
const WITH_ANSWER: &[(&str, Manner)] = &[
    ("$unregistered", with_answer("answer: $answer.payload")),
    ("$unknown", with_answer("answer: $answer.payload, over: tls")),
    (
        "$unknown",
        Manner {
            login: "answer: $answer.payload, over: tls",
            beside: "client_id: \"another|securemode=-2,authType=connwl|\"",
            purpose: Purpose::Attempt,
        },
    ),
];

/// Whose device logs in, and how. `own` is that of the client.
pub(super) fn manners(own: &'static str, all: Vec<&'static str>) -> impl Strategy<Value = (&'static str, Manner)> {
    let others = (select(all), Just(Manner::PLAIN));
    prop_oneof![
        40 => Just((own, Manner::PLAIN)),
        14 => select(RIGHT).prop_map(move |manner| (own, manner)),
        30 => Just((own, TAKES_CUSTOM_CALLS)),
        6 => Just((own, SAME_NAME)),
        10 => others,
        16 => select(WRONG).prop_map(move |manner| (own, manner)),
        3 => select(&["$unknown", "$disabled"][..]).prop_map(|device| (device, wrong(""))),
        10 => select(REGISTERS),
    ]
}

/// The same for a client to which a registration has brought something.
pub(super) fn manners_with_answer() -> impl Strategy<Value = (&'static str, Manner)> {
    select(WITH_ANSWER)
}
