//! What an all-seeing watcher notes of one client identifier: the past that properties ask about.

use crate::packet::{PacketId, Qos};
use crate::server::{Input, Lifetime, MessageKey};

/// Something that the watcher hears of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Event {
    /// A client publishes a message.
    Published(MessageKey),
    /// A client publishes messages once more, on a new connection.
    Republished(Vec<MessageKey>),
    /// A publisher has its PUBACK.
    Acknowledged(MessageKey),
    /// The client sends UNSUBSCRIBE.
    Unsubscribes,
    /// The server takes a CONNECT of the client.
    Connects { clean_start: bool, stored: bool },
    /// The client has its CONNACK.
    Connected { session_present: bool },
    /// The client has its SUBACK.
    Subscribed,
    /// The client has its UNSUBACK.
    Unsubscribed,
    /// The client has a message.
    Delivered(Delivered),
}

/// A delivery as the client sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Delivered {
    pub(super) message: MessageKey,
    pub(super) qos: Qos,
    pub(super) id: Option<PacketId>,
    pub(super) dup: bool,
    /// Deliveries that it has not acknowledged on this connection.
    pub(super) open: Vec<(PacketId, MessageKey)>,
    pub(super) receive_maximum: u16,
    /// The QoS that publisher and grant allow.
    pub(super) permitted: Qos,
    /// The QoS that it has asked for.
    pub(super) asked: Qos,
}

impl Event {
    /// What sending these packets means.
    pub(super) fn of_sending(inputs: &[Input]) -> Option<Event> {
        match inputs {
            [Input::Publish { message, .. }] => Some(Event::Published(*message)),
            [Input::Unsubscribe { .. }] => Some(Event::Unsubscribes),
            [Input::Connect(_), again @ ..] if !again.is_empty() => {
                let messages = again.iter().filter_map(|input| match input {
                    Input::Publish { message, .. } => Some(*message),
                    _ => None,
                });
                Some(Event::Republished(messages.collect()))
            }
            _ => None,
        }
    }

    /// What it means that the server takes this packet.
    pub(super) fn of_taking(input: &Input) -> Option<Event> {
        match input {
            Input::Connect(terms) => {
                let stored = terms.lifetime != Lifetime::Connection;
                Some(Event::Connects { clean_start: terms.clean_start, stored })
            }
            _ => None,
        }
    }

    /// Whether it concerns every client, not only the one to whom it happens.
    pub(super) fn concerns_all(&self) -> bool {
        matches!(self, Event::Published(_) | Event::Republished(_) | Event::Acknowledged(_))
    }
}

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
    stored: bool,
    /// What Session Present of the latest CONNECT has to say, where the version has it.
    present: bool,
    /// Whether SUBACK was seen and no UNSUBSCRIBE sent since.
    subscribed: bool,
    /// Whether UNSUBACK was seen.
    unsubscribed: bool,
    /// Messages published while it was subscribed, those of them that were acknowledged, those that came, and those that must
    /// never come: bit sets over messages.
    eligible: u8,
    pub(super) must: u8,
    pub(super) got: u8,
    never: u8,
    /// Messages that their publisher has sent again: they may come again as new ones.
    sent_again: u8,
    /// The identifier with which each message came first.
    first: Vec<(MessageKey, PacketId)>,
    /// Faults seen, a bit each.
    faults: u8,
    /// Witnesses: has it happened at all?
    pub(super) repeated: bool,
    pub(super) resumed: bool,
    pub(super) window_full: bool,
    pub(super) late_message: bool,
    pub(super) raised_qos: bool,
}

/// The bit of a message: scenarios have no more than eight.
fn bit(message: MessageKey) -> u8 {
    1 << message.0
}

impl Ghost {
    pub(super) fn has(&self, fault: Fault) -> bool {
        self.faults & fault as u8 != 0
    }

    fn note(&mut self, fault: Fault, seen: bool) {
        if seen {
            self.faults |= fault as u8;
        }
    }

    /// The notes after an event. `has_session_present`: whether the version has Session Present.
    pub(super) fn after(&self, event: &Event, has_session_present: bool) -> Ghost {
        let mut next = self.clone();
        match event {
            Event::Published(message) => {
                next.eligible |= if self.subscribed { bit(*message) } else { 0 };
                next.never |= if self.unsubscribed && !self.subscribed { bit(*message) } else { 0 };
            }
            Event::Republished(messages) => messages.iter().for_each(|message| next.sent_again |= bit(*message)),
            Event::Acknowledged(message) => {
                next.must |= if self.subscribed { self.eligible & bit(*message) } else { 0 };
            }
            Event::Unsubscribes => {
                next.subscribed = false;
                next.must &= self.got;
            }
            Event::Connects { clean_start, stored } => {
                next.present = !clean_start && self.stored;
                next.stored = *stored;
            }
            Event::Connected { session_present } => {
                let truth = self.present && has_session_present;
                next.note(Fault::SessionPresentLies, *session_present != truth);
                next.resumed |= *session_present;
            }
            Event::Subscribed => next.subscribed = true,
            Event::Unsubscribed => next.unsubscribed = true,
            Event::Delivered(delivered) => next.see(delivered),
        }
        next
    }

    fn see(&mut self, delivered: &Delivered) {
        let Delivered { message, qos, id, dup, open, .. } = delivered;
        self.note(Fault::WrongQos, *qos != delivered.permitted);
        self.note(Fault::AfterUnsubscribe, self.never & bit(*message) != 0);
        self.raised_qos |= *qos > delivered.asked;
        self.late_message |= !self.subscribed && self.unsubscribed;
        let earlier = self.eligible & (bit(*message) - 1);
        let is_new = self.got & bit(*message) == 0;
        self.note(Fault::OutOfOrder, is_new && *qos > Qos::AtMostOnce && earlier & self.must & !self.got != 0);
        self.got |= bit(*message);
        let Some(id) = id else { return };
        let window = usize::from(delivered.receive_maximum);
        self.note(Fault::IdentifierInUse, open.iter().any(|(used, other)| used == id && other != message));
        self.note(Fault::WindowOverrun, open.len() >= window);
        self.window_full |= open.len() + 1 == window;
        match self.first.iter().find(|(known, _)| known == message) {
            Some((_, first)) => {
                self.repeated |= dup;
                let another = self.sent_again & bit(*message) != 0;
                self.note(Fault::RepeatedWrongly, (!dup || first != id) && !another);
            }
            None => {
                self.first.push((*message, *id));
                self.first.sort();
            }
        }
    }
}
