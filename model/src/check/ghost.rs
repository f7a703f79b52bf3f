//! What an all-seeing watcher notes of one client identifier: the past that properties ask about.

use super::party::TOLERANCE;
use crate::packet::{PacketId, Qos};
use crate::server::{Input, Lifetime, MessageKey, Millis};

/// Something that the watcher hears of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Event {
    /// A client publishes a message.
    Published(MessageKey),
    /// A client publishes messages once more, on a new connection.
    Republished(Vec<MessageKey>),
    /// A publisher has its PUBACK or PUBREC.
    Acknowledged(MessageKey),
    /// The client sends SUBSCRIBE.
    Subscribes,
    /// The client sends UNSUBSCRIBE.
    Unsubscribes,
    /// The server takes a CONNECT of the client; with the delay of its Will.
    Connects { clean_start: bool, stored: bool, will: Option<Millis>, now: Millis },
    /// The server notices that the connection is gone.
    Lost { now: Millis },
    /// The server takes a DISCONNECT of the client.
    Leaves,
    /// The server publishes the client's Will.
    WillPublished { now: Millis },
    /// The server takes a SUBSCRIBE that asks for retained messages, and holds these.
    Meets(Vec<MessageKey>),
    /// The client has its CONNACK.
    Connected { session_present: bool },
    /// The client has its SUBACK. What is excluded need not come: its own messages under No Local, and those for a group.
    Subscribed { excluded: u8 },
    /// The client has its UNSUBACK.
    Unsubscribed,
    /// The client has a message.
    Delivered(Delivered),
    /// The cloud makes a call.
    Calls { due: Millis },
    /// The device gets the request of a call.
    Called,
    /// The server takes the device's answer to a call.
    Answers { now: Millis },
    /// The cloud has the device's answer.
    CallSucceeds,
    /// The cloud learns that there is none.
    CallFails { by_timeout: bool, now: Millis },
    /// The server closes although the client has broken no rule and sent no DISCONNECT.
    ClosedWithoutReason,
}

/// A delivery as the client sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Delivered {
    pub(super) message: MessageKey,
    pub(super) qos: Qos,
    pub(super) id: Option<PacketId>,
    pub(super) dup: bool,
    pub(super) retain: bool,
    /// Deliveries that it has not acknowledged to the end on this connection.
    pub(super) open: Vec<(PacketId, MessageKey)>,
    pub(super) receive_maximum: u16,
    /// The QoS that publisher and grant allow.
    pub(super) permitted: Qos,
    /// The QoS that it has asked for.
    pub(super) asked: Qos,
    /// The messages among which it has its place in the order, as a bit set.
    pub(super) lane: u8,
    /// Whether it has a QoS 2 message under this identifier already.
    pub(super) is_known: bool,
    /// Whether it is its own message and it has asked not to get such.
    pub(super) is_unwanted: bool,
    /// Whether Message Expiry Interval is over.
    pub(super) is_expired: bool,
}

impl Event {
    /// What sending these packets means.
    pub(super) fn of_sending(inputs: &[Input]) -> Option<Event> {
        match inputs {
            [Input::Publish { message, .. }] => Some(Event::Published(*message)),
            [Input::Subscribe { .. }] => Some(Event::Subscribes),
            [Input::Unsubscribe { .. }] => Some(Event::Unsubscribes),
            [Input::Connect(_), again @ ..] => {
                let messages = again.iter().filter_map(|input| match input {
                    Input::Publish { message, .. } => Some(*message),
                    _ => None,
                });
                let messages: Vec<MessageKey> = messages.collect();
                (!messages.is_empty()).then_some(Event::Republished(messages))
            }
            _ => None,
        }
    }

    /// What it means that the server takes this packet at `now`.
    pub(super) fn of_taking(input: &Input, now: Millis) -> Option<Event> {
        match input {
            Input::Connect(terms) => Some(Event::Connects {
                clean_start: terms.clean_start,
                stored: terms.lifetime != Lifetime::Connection,
                will: terms.will.map(|will| will.delay),
                now,
            }),
            Input::Disconnect { .. } => Some(Event::Leaves),
            Input::Lost => Some(Event::Lost { now }),
            _ => None,
        }
    }

    /// Whether it concerns every client, not only the one to whom it happens.
    pub(super) fn concerns_all(&self) -> bool {
        matches!(self, Event::Published(_) | Event::Republished(_) | Event::Acknowledged(_))
    }
}

/// Faults that a client or the watcher can see; each is one property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub(super) enum Fault {
    IdentifierInUse = 1,
    WindowOverrun = 2,
    SessionPresentLies = 4,
    RepeatedWrongly = 8,
    OutOfOrder = 16,
    WrongQos = 32,
    AfterUnsubscribe = 64,
    DeliveredTwice = 128,
    Unwanted = 256,
    RetainedUnasked = 512,
    WillOutOfPlace = 1024,
    Expired = 2048,
    ClosedWithoutReason = 4096,
    CalledTwice = 8192,
    CallEndsTwice = 16_384,
    AnswerIgnored = 32_768,
    TimeoutTooEarly = 65_536,
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
    /// Whether UNSUBACK was seen and no SUBSCRIBE sent since.
    unsubscribed: bool,
    /// Messages published while it was subscribed, those of them that were acknowledged, those that came, and those that were
    /// published after the UNSUBACK: bit sets over messages.
    eligible: u8,
    pub(super) must: u8,
    pub(super) got: u8,
    pub(super) never: u8,
    /// Messages that need not come although it is subscribed.
    pub(super) excluded: u8,
    /// QoS 1 messages that their publisher has sent again: they may come again as new ones.
    sent_again: u8,
    /// Retained messages that a subscription has met, and those that came as such.
    pub(super) met: u8,
    pub(super) got_retained: u8,
    /// The identifier with which each message came first.
    first: Vec<(MessageKey, PacketId)>,
    /// What is known of its Will.
    pub(super) will: WillNote,
    /// What is known of a call to the device.
    pub(super) call: CallNote,
    /// Faults seen, a bit each.
    faults: u32,
    /// Witnesses: has it happened at all?
    pub(super) repeated: bool,
    pub(super) resumed: bool,
    pub(super) window_full: bool,
    pub(super) late_message: bool,
    pub(super) raised_qos: bool,
}

/// What is known of a Will.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct WillNote {
    /// Its delay, while the connection that brought it is there.
    armed: Option<Millis>,
    /// When it is due, while its client stays away.
    pub(super) due: Option<Millis>,
    /// Whether its client has come back too late to take it back for certain.
    lingers: bool,
    pub(super) published: bool,
}

/// What is known of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct CallNote {
    /// When its time is over.
    due: Millis,
    /// Whether the device has its request.
    pub(super) requested: bool,
    /// Whether the server has taken an answer in time.
    answered: bool,
    pub(super) succeeded: bool,
    pub(super) failed: bool,
}

/// The bit of a message: scenarios have no more than eight.
pub(super) fn bit(message: MessageKey) -> u8 {
    1 << message.0
}

impl Ghost {
    pub(super) fn has(&self, fault: Fault) -> bool {
        self.faults & fault as u32 != 0
    }

    fn note(&mut self, fault: Fault, seen: bool) {
        if seen {
            self.faults |= fault as u32;
        }
    }

    /// The notes after an event. `has_session_present`: whether the version has Session Present.
    pub(super) fn after(&self, event: &Event, has_session_present: bool) -> Ghost {
        let mut next = self.clone();
        match event {
            Event::Published(message) => {
                next.eligible |= if self.subscribed { bit(*message) } else { 0 };
                next.never |= if self.unsubscribed { bit(*message) } else { 0 };
            }
            Event::Republished(messages) => messages.iter().for_each(|message| next.sent_again |= bit(*message)),
            Event::Acknowledged(message) => {
                next.must |= if self.subscribed { self.eligible & bit(*message) } else { 0 };
            }
            Event::Subscribes => next.unsubscribed = false,
            Event::Unsubscribes => {
                next.subscribed = false;
                next.must &= self.got;
            }
            Event::Connects { clean_start, stored, will, now } => {
                next.present = !clean_start && self.stored;
                next.stored = *stored;
                next.will = self.will.after_connect(next.present, *will, *now);
            }
            Event::Lost { now } => next.will.due = self.will.armed.map(|delay| now + delay),
            Event::Leaves => {
                next.will.armed = None;
                // It may have left for good: nothing need reach it any more.
                next.subscribed = false;
                next.must &= self.got;
            }
            Event::WillPublished { now } => {
                let is_due = self.will.lingers || self.will.due.is_some_and(|due| due <= *now);
                next.note(Fault::WillOutOfPlace, !is_due);
                next.will = WillNote { due: None, lingers: false, published: true, ..self.will };
            }
            Event::Meets(messages) => messages.iter().for_each(|message| next.met |= bit(*message)),
            Event::Connected { session_present } => {
                let truth = self.present && has_session_present;
                next.note(Fault::SessionPresentLies, *session_present != truth);
                next.resumed |= *session_present;
            }
            Event::Subscribed { excluded } => {
                next.subscribed = true;
                next.excluded |= excluded;
            }
            Event::Unsubscribed => next.unsubscribed = true,
            Event::Delivered(delivered) => next.see(delivered),
            Event::Calls { due } => next.call.due = *due,
            Event::Called => {
                next.note(Fault::CalledTwice, self.call.requested);
                next.call.requested = true;
            }
            Event::Answers { now } => {
                let is_over = self.call.succeeded || self.call.failed;
                next.call.answered |= *now < self.call.due && self.call.requested && !is_over;
            }
            Event::CallSucceeds => {
                next.note(Fault::CallEndsTwice, self.call.succeeded || self.call.failed);
                next.call.succeeded = true;
            }
            Event::CallFails { by_timeout, now } => {
                next.note(Fault::CallEndsTwice, self.call.succeeded || self.call.failed);
                next.note(Fault::AnswerIgnored, self.call.answered && !self.call.succeeded);
                next.note(Fault::TimeoutTooEarly, *by_timeout && *now < self.call.due);
                next.call.failed = true;
            }
            Event::ClosedWithoutReason => next.note(Fault::ClosedWithoutReason, true),
        }
        next
    }

    fn see(&mut self, delivered: &Delivered) {
        let message = delivered.message;
        self.note(Fault::WrongQos, delivered.qos != delivered.permitted);
        self.note(Fault::AfterUnsubscribe, self.unsubscribed && self.never & bit(message) != 0);
        self.note(Fault::Unwanted, delivered.is_unwanted);
        self.note(Fault::Expired, delivered.is_expired);
        self.raised_qos |= delivered.qos > delivered.asked;
        self.late_message |= self.unsubscribed;
        if delivered.retain {
            let is_asked = self.met & !self.got_retained & bit(message) != 0;
            self.note(Fault::RetainedUnasked, !is_asked && !delivered.dup);
            self.got_retained |= bit(message);
        } else {
            self.note(Fault::OutOfOrder, self.overtakes(delivered));
        }
        let is_live = delivered.qos == Qos::ExactlyOnce && !delivered.retain;
        let is_again = is_live && self.got & bit(message) != 0 && !delivered.is_known;
        self.note(Fault::DeliveredTwice, is_again);
        self.got |= bit(message);
        if let Some(id) = delivered.id {
            self.see_identifier(delivered, id);
        }
    }

    /// Whether an earlier message that must come has not come yet, and this one is new.
    fn overtakes(&self, delivered: &Delivered) -> bool {
        let earlier = self.eligible & delivered.lane & (bit(delivered.message) - 1);
        let is_new = self.got & bit(delivered.message) == 0;
        is_new && delivered.qos > Qos::AtMostOnce && earlier & self.must & !self.excluded & !self.got != 0
    }

    fn see_identifier(&mut self, delivered: &Delivered, id: PacketId) {
        let Delivered { message, open, dup, .. } = delivered;
        let window = usize::from(delivered.receive_maximum);
        self.note(Fault::IdentifierInUse, open.iter().any(|(used, other)| *used == id && other != message));
        self.note(Fault::WindowOverrun, open.len() >= window);
        self.window_full |= open.len() + 1 == window;
        if delivered.retain {
            return;
        }
        match self.first.iter().find(|(known, _)| known == message) {
            Some((_, first)) => {
                self.repeated |= dup;
                let another = self.sent_again & bit(*message) != 0;
                self.note(Fault::RepeatedWrongly, (!dup || *first != id) && !another);
            }
            None => {
                self.first.push((*message, id));
                self.first.sort();
            }
        }
    }
}

impl WillNote {
    /// A CONNECT is taken: a Will that is not due for long is taken back, if the session goes on.
    fn after_connect(self, session_goes_on: bool, delay: Option<Millis>, now: Millis) -> WillNote {
        let due = self.due.or(self.armed.map(|delay| now + delay));
        let is_late = due.is_some_and(|due| !session_goes_on || due <= now + TOLERANCE);
        WillNote { armed: delay, due: None, lingers: self.lingers || is_late, ..self }
    }
}
