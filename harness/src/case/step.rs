//! What a script consists of, ready to be played.

use super::answer::{AnswerPattern, MessagePattern};
use super::bytes::BytesTemplate;
use super::error::Location;
use super::pattern::PacketPattern;
use super::request::RequestTemplate;
use super::template::PacketTemplate;
use model::profile::Offence;
use std::fmt;
use std::time::Duration;

/// The actor that asks the platform's API.
pub const API: &str = "api";

/// The actor that gets the messages of devices over AMQP.
pub const AMQP: &str = "amqp";

/// One step of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where it stands.
    pub location: Location,
    /// The step as a person reads it, in one line: `sub <- PUBLISH {topic: $t/a, qos: 1}`.
    pub text: String,
    /// What to do.
    pub action: Action,
}

/// What a step does. Actors are the clients that the harness plays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Opens a connection without a CONNECT on it.
    Opens {
        /// Who.
        actor: String,
    },
    /// Breaks the connection without a DISCONNECT.
    Drops {
        /// Who.
        actor: String,
    },
    /// Sends a packet; opens a connection first if there is none.
    Send {
        /// Who.
        actor: String,
        /// What.
        template: Box<PacketTemplate>,
    },
    /// Sends bytes as they are; opens a connection first if there is none.
    SendBytes {
        /// Who.
        actor: String,
        /// What.
        bytes: BytesTemplate,
        /// In which kind of WebSocket frame, where there is one.
        frame: FrameKind,
    },
    /// Asks the platform's API for something; the answer is waited for elsewhere.
    Ask {
        /// What.
        template: Box<RequestTemplate>,
        /// The variable by which its answer names it.
        bind: Option<String>,
    },
    /// Says what became of a message that came over AMQP.
    Settle {
        /// The variable that it is bound to; the oldest that is not settled, if it has none.
        message: Option<String>,
        /// What.
        settlement: Settlement,
    },
    /// Waits for what the peer does on the actor's connection.
    Expect {
        /// On whose connection.
        actor: String,
        /// What must come.
        expectation: Expectation,
        /// When it must come, from the end of the step before.
        within: Option<Window>,
        /// The variable that the packet is bound to.
        bind: Option<String>,
    },
    /// Lets time pass.
    Elapse(Elapse),
    /// Expectations that hold in any order. Every step in it is an [`Action::Expect`] of a packet.
    AnyOrder(Vec<Step>),
    /// Alternatives: the first whose first expectation fits is taken. Every step in it is an [`Action::Expect`].
    Either(Vec<Vec<Step>>),
}

/// A kind of WebSocket frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// The one that carries MQTT.
    Binary,
    /// One that carries no MQTT (MQTT-6.0.0-1).
    Text,
}

/// What an actor expects on its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// A packet that fits: the first of its type that no expectation has taken yet.
    Packet(Box<PacketPattern>),
    /// No further packet.
    Silence,
    /// The peer closes; a DISCONNECT of 5.0 may come before.
    Closed,
    /// One of the reactions to this offence that the profile permits.
    Rejected(Offence),
    /// An answer of the API.
    Answer(Box<AnswerPattern>),
    /// A message over AMQP: the first that fits.
    Message(Box<MessagePattern>),
}

/// What becomes of a message that came over AMQP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Settlement {
    /// It is done with.
    Accepted,
    /// It has to come again.
    Released,
}

/// When something must come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// Not before.
    pub earliest: Duration,
    /// Not after.
    pub latest: Duration,
}

/// How much time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Elapse {
    /// This much.
    Time(Duration),
    /// A multiple of the Keep Alive in the last CONNECT of the script.
    KeepAlive {
        /// 1500 is one and a half times the Keep Alive.
        thousandths: u32,
    },
}

impl Elapse {
    /// The time in terms of a Keep Alive in seconds.
    #[must_use]
    pub fn duration(self, keep_alive: u16) -> Duration {
        match self {
            Elapse::Time(duration) => duration,
            Elapse::KeepAlive { thousandths } => Duration::from_millis(u64::from(keep_alive) * u64::from(thousandths)),
        }
    }
}

impl Action {
    /// The actor that the step is about; blocks and time have none.
    #[must_use]
    pub fn actor(&self) -> Option<&str> {
        match self {
            Action::Opens { actor }
            | Action::Drops { actor }
            | Action::Send { actor, .. }
            | Action::SendBytes { actor, .. }
            | Action::Expect { actor, .. } => Some(actor),
            Action::Ask { .. } => Some(API),
            Action::Settle { .. } => Some(AMQP),
            Action::Elapse(_) | Action::AnyOrder(_) | Action::Either(_) => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
