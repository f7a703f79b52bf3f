//! The clients: each does what its script says, acknowledges what it gets, and connects again when its connection breaks.

use crate::packet::PacketId;
use crate::server::{ConnectionId, Input, MessageKey};

/// A client and its connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Actor {
    /// Its connection, if it has one.
    pub(super) link: Option<ConnectionId>,
    /// Whether CONNACK has come on it.
    pub(super) connected: bool,
    /// How many connections it has opened.
    pub(super) attempts: u8,
    /// How often its connection has broken.
    pub(super) broken: u8,
    /// Whether the server has closed it for good.
    pub(super) dismissed: bool,
    /// Packets on their way to the server, in order.
    pub(super) sent: Vec<Input>,
    /// The next step of its script.
    pub(super) step: usize,
    /// A SUBSCRIBE or UNSUBSCRIBE that waits for its answer: the next step waits too.
    pub(super) asking: bool,
    /// Its messages that wait for PUBACK.
    pub(super) unanswered: Vec<(PacketId, MessageKey)>,
    /// Deliveries that it has not acknowledged on this connection.
    pub(super) open: Vec<(PacketId, MessageKey)>,
}

impl Actor {
    /// The connection is gone, with all that was on it.
    pub(super) fn lose_connection(&mut self) {
        self.link = None;
        self.connected = false;
        self.sent.clear();
        self.open.clear();
        if self.asking {
            self.asking = false;
            self.step -= 1;
        }
    }
}
