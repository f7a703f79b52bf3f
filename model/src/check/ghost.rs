//! What an all-seeing watcher notes of one client identifier: the past that properties ask about.

use crate::packet::{PacketId, Qos};
use crate::server::{MessageKey, Output};

/// Faults that a client can see; each is one property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(super) enum Fault {
    IdentifierInUse = 1,
    WindowOverrun = 2,
    SessionPresentLies = 4,
    RepeatedWrongly = 8,
    OutOfOrder = 16,
    WrongQos = 32,
    AfterUnsubscribe = 64,
}

/// Notes about one session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Ghost {
    /// Whether the server holds state for it that outlives a connection.
    pub(super) stored: bool,
    /// What Session Present of the latest CONNECT has to say.
    pub(super) present: bool,
    /// Whether SUBACK was seen and no UNSUBSCRIBE sent since.
    pub(super) subscribed: bool,
    /// Whether UNSUBACK was seen.
    pub(super) unsubscribed: bool,
    /// Messages published while it was subscribed, those of them that were acknowledged, those that came, and those that must
    /// never come: bit sets over messages.
    pub(super) eligible: u8,
    pub(super) must: u8,
    pub(super) got: u8,
    pub(super) never: u8,
    /// Messages that their publisher has sent again: they may come again as new ones.
    pub(super) sent_again: u8,
    /// The identifier with which each message came first.
    pub(super) first: Vec<(MessageKey, PacketId)>,
    /// Faults seen, a bit each.
    faults: u8,
    /// Witnesses: has it happened at all?
    pub(super) repeated: bool,
    pub(super) resumed: bool,
    pub(super) window_full: bool,
    pub(super) taken_over: bool,
    pub(super) late_message: bool,
    pub(super) raised_qos: bool,
}

/// The bit of a message: scenarios have fewer than eight.
pub(super) fn bit(message: MessageKey) -> u8 {
    1 << message.0
}

impl Ghost {
    pub(super) fn has(&self, fault: Fault) -> bool {
        self.faults & fault as u8 != 0
    }

    pub(super) fn note(&mut self, fault: Fault, seen: bool) {
        if seen {
            self.faults |= fault as u8;
        }
    }

    /// A delivery is seen by the client. `open` are those that it has not acknowledged on this connection.
    pub(super) fn see_delivery(
        &mut self,
        message: MessageKey,
        output: &Output,
        open: &[(PacketId, MessageKey)],
        receive_maximum: u16,
        permitted: Qos,
        asked: Qos,
    ) {
        let Output::Publish { qos, id, dup, .. } = output else { return };
        self.note(Fault::WrongQos, *qos != permitted);
        self.note(Fault::AfterUnsubscribe, self.never & bit(message) != 0);
        self.raised_qos |= *qos > asked;
        self.late_message |= !self.subscribed && self.unsubscribed;
        let earlier = self.eligible & (bit(message) - 1);
        let is_new = self.got & bit(message) == 0;
        self.note(Fault::OutOfOrder, is_new && *qos > Qos::AtMostOnce && earlier & self.must & !self.got != 0);
        self.got |= bit(message);
        let Some(id) = *id else { return };
        self.note(Fault::IdentifierInUse, open.iter().any(|(used, other)| *used == id && *other != message));
        self.note(Fault::WindowOverrun, open.len() >= usize::from(receive_maximum));
        self.window_full |= open.len() + 1 == usize::from(receive_maximum);
        match self.first.iter().find(|(known, _)| *known == message) {
            Some((_, first)) => {
                self.repeated |= *dup;
                let another = self.sent_again & bit(message) != 0;
                self.note(Fault::RepeatedWrongly, (!*dup || *first != id) && !another);
            }
            None => {
                self.first.push((message, id));
                self.first.sort();
            }
        }
    }
}
