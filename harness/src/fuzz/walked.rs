//! What happened in a walk.

use super::command::{Client, Command};
use crate::trace::{ConnectionId, Trace, What};
use model::cloud::{Answer, PlatformMessage};
use model::judge::Violation;
use model::packet::Packet;
use std::time::Duration;

/// What happened in a walk.
#[derive(Debug)]
pub struct Walked {
    /// Every byte.
    pub trace: Trace,
    /// When the walk was over.
    pub end: Duration,
    /// Whether its time was virtual.
    pub is_virtual: bool,
    /// The commands that applied, each with the time at which it began.
    pub commands: Vec<(Duration, Command)>,
    /// What the clients did and got, in the order in which the peer could know it.
    pub(super) log: Vec<Logged>,
    /// What was wrong with the frames that carried it.
    pub(super) misframed: Vec<Violation>,
}

impl Walked {
    /// The commands that applied.
    #[must_use]
    pub fn applied(&self) -> Vec<Command> {
        self.commands.iter().map(|(_, command)| command.clone()).collect()
    }

    /// Those that may have a part in what the judge saw in this millisecond: later ones have none.
    pub(super) fn applied_until(&self, at: u64) -> Vec<Command> {
        let until = |began: &Duration| began.as_millis() <= u128::from(at);
        self.commands.iter().take_while(|(began, _)| until(began)).map(|(_, command)| command.clone()).collect()
    }

    /// Whose connection it was.
    pub(super) fn client_of(&self, connection: ConnectionId) -> Option<Client> {
        self.trace.events.iter().find_map(|event| match &event.what {
            What::Opened(actor) if event.connection == connection => {
                Client::first(Client::MOST).find(|client| client.actor() == actor)
            }
            _ => None,
        })
    }
}

/// One thing that a client or the cloud side did or got.
#[derive(Debug)]
pub(super) struct Logged {
    /// The command that was being played, counted from 0.
    pub(super) command: usize,
    /// None for the cloud side.
    pub(super) client: Option<Client>,
    pub(super) what: Did,
}

/// What clients and the cloud side can do and get.
#[derive(Debug)]
pub(super) enum Did {
    Open,
    Send(Box<Packet>),
    SendBytes(Vec<u8>),
    /// In a WebSocket text frame.
    SendText(Vec<u8>),
    Break,
    Receive(Box<Packet>),
    /// The peer closed the connection.
    BeClosed,
    /// The API is asked.
    Ask {
        number: u32,
        request: String,
    },
    BeAnswered {
        number: u32,
        answer: Box<Answer>,
    },
    Listen,
    Leave,
    /// A message came over AMQP.
    Hear(Box<PlatformMessage>),
    Settle {
        payload: Vec<u8>,
        is_accepted: bool,
    },
}
