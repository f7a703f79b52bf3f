//! Messages on their way to one session: waiting, in flight, and sent again after a connection broke.

use super::broker::Milliseconds;
use super::flight::{Effect, Flights};
use super::message::{Message, has_passed};
use crate::settings::{Limits, Settings};
use crate::switch::Switch;
use model::packet::{self, PacketId, ProtocolVersion, Publish, Qos, SubscriptionIdentifier};
use model::topic::TopicFilter;
use std::collections::VecDeque;
use std::sync::Arc;

/// A message for one session.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    pub(super) message: Arc<Message>,
    /// QoS of the delivery.
    pub(super) qos: Qos,
    /// RETAIN of the PUBLISH that delivers it.
    pub(super) retain: bool,
    /// Identifiers of all subscriptions that it is for.
    pub(super) identifiers: Vec<SubscriptionIdentifier>,
    /// The filter of the Shared Subscription that it is for.
    pub(super) share: Option<Arc<TopicFilter>>,
    /// When it was made.
    pub(super) since: Milliseconds,
}

impl Copy {
    /// Whether it has waited for longer than its publisher or the dialect allows.
    fn has_expired(&self, now: Milliseconds, limits: &Limits) -> bool {
        self.message.has_expired(now) || has_passed(limits.queued_seconds, self.since, now)
    }

    /// The PUBLISH that delivers it.
    pub(super) fn to_publish(&self, how: packet::Delivery, version: ProtocolVersion, now: Milliseconds) -> Publish {
        let mut publish = self.message.to_publish(how, self.retain, version, now);
        if version.has_properties() {
            publish.properties.subscription_identifiers.clone_from(&self.identifiers);
        }
        publish
    }
}

/// The deliveries of a session.
///
/// A message above QoS 0 takes a Packet Identifier when it is first sent, and keeps it until the Client's last
/// acknowledgement. When the connection breaks, what was published moves to `again`, and goes out first on the next
/// connection, in its old order; what was released stays in flight.
#[derive(Debug)]
pub(super) struct Delivery {
    waiting: VecDeque<Copy>,
    waiting_bytes: usize,
    /// Sent on an earlier connection, not yet on this one.
    again: VecDeque<(PacketId, Copy)>,
    /// Sent on this connection, or released on an earlier one.
    flights: Flights,
    next_id: PacketId,
    /// How many may be in flight.
    window: usize,
}

impl Default for Delivery {
    fn default() -> Self {
        Delivery {
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            again: VecDeque::new(),
            flights: Flights::default(),
            next_id: PacketId::FIRST,
            window: 0,
        }
    }
}

impl Delivery {
    /// Appends a message. If too much waits, the oldest make room.
    pub(super) fn enqueue(&mut self, copy: Copy, settings: &Settings) {
        let limits = &settings.limits;
        self.waiting_bytes += copy.message.size();
        self.waiting.push_back(copy);
        if self.waiting.len() > 1 && settings.misbehaves(Switch::OrderSwapped) {
            self.waiting.make_contiguous().rotate_right(1);
        }
        while self.waiting.len() > limits.queued_messages || self.waiting_bytes > limits.queued_bytes {
            self.next_waiting();
        }
    }

    /// A connection takes the session over: at most `window` messages may be in flight.
    pub(super) fn begin(&mut self, window: u16) {
        self.window = usize::from(window);
    }

    /// The connection has ended: what is delivered at QoS 0 does not wait for another one.
    pub(super) fn interrupt(&mut self) {
        self.waiting.retain(|copy| copy.qos > Qos::AtMostOnce);
        self.waiting_bytes = self.waiting.iter().map(|copy| copy.message.size()).sum();
        // What was not sent again yet is younger than what was.
        for sent in self.flights.take_published().into_iter().rev() {
            self.again.push_front(sent);
        }
    }

    /// Forgets what was sent on an earlier connection and is to be sent again.
    pub(super) fn forget_sent(&mut self) {
        self.again.clear();
    }

    /// Whether nothing is held back: a message may go out without overtaking another one.
    pub(super) fn is_idle(&self) -> bool {
        self.again.is_empty() && self.waiting.is_empty()
    }

    /// The next message to send, in flight from now on; `None` if there is none or no room for it.
    pub(super) fn next(&mut self, now: Milliseconds, version: ProtocolVersion, settings: &Settings) -> Option<Publish> {
        let limits = &settings.limits;
        let has_room = self.flights.len() < self.window && self.flights.bytes() < limits.queued_bytes;
        if has_room && let Some((packet_id, copy)) = self.again.pop_front() {
            return Some(self.begin_flight(packet_id, true, copy, now, version));
        }
        if !self.again.is_empty() {
            return None;
        }
        loop {
            let front = self.waiting.front()?;
            if !has_room && front.qos > Qos::AtMostOnce {
                return None;
            }
            let copy = self.next_waiting()?;
            if copy.has_expired(now, limits) && !settings.misbehaves(Switch::MessageExpiryIgnored) {
                continue;
            }
            if copy.qos == Qos::AtMostOnce {
                return Some(copy.to_publish(packet::Delivery::AtMostOnce, version, now));
            }
            let reused = settings.misbehaves(Switch::PacketIdentifierReused);
            let packet_id = if reused { PacketId::FIRST } else { self.unused_id() };
            return Some(self.begin_flight(packet_id, false, copy, now, version));
        }
    }

    fn begin_flight(
        &mut self,
        packet_id: PacketId,
        dup: bool,
        copy: Copy,
        now: Milliseconds,
        version: ProtocolVersion,
    ) -> Publish {
        let how = match copy.qos {
            Qos::AtMostOnce => packet::Delivery::AtMostOnce,
            Qos::AtLeastOnce => packet::Delivery::AtLeastOnce { packet_id, dup },
            Qos::ExactlyOnce => packet::Delivery::ExactlyOnce { packet_id, dup },
        };
        let publish = copy.to_publish(how, version, now);
        self.flights.publish(packet_id, copy);
        publish
    }

    pub(super) fn puback(&mut self, id: PacketId) -> Effect {
        self.recall(id);
        self.flights.puback(id)
    }

    pub(super) fn pubrec(&mut self, id: PacketId, is_error: bool) -> Effect {
        self.recall(id);
        self.flights.pubrec(id, is_error)
    }

    pub(super) fn pubcomp(&mut self, id: PacketId) -> Effect {
        self.recall(id);
        self.flights.pubcomp(id)
    }

    /// Ends the delivery with this identifier as if the Client had the message.
    pub(super) fn settle(&mut self, id: PacketId) {
        self.flights.settle(id);
    }

    /// Identifiers whose PUBCOMP is to come, in the order in which they were released.
    pub(super) fn released(&self) -> Vec<PacketId> {
        self.flights.released()
    }

    /// The Client may acknowledge what it got on an earlier connection before it is sent again.
    fn recall(&mut self, id: PacketId) {
        if let Some(position) = self.again.iter().position(|(sent, _)| *sent == id)
            && let Some((id, copy)) = self.again.remove(position)
        {
            self.flights.publish(id, copy);
        }
    }

    /// What is left for Shared Subscriptions at QoS 1 and up to `highest`, in its order.
    pub(super) fn into_shared(mut self, highest: Qos) -> impl Iterator<Item = Copy> {
        self.interrupt();
        let sent = self.again.into_iter().map(|(_, copy)| copy);
        sent.chain(self.waiting)
            .filter(move |copy| (Qos::AtLeastOnce..=highest).contains(&copy.qos) && copy.share.is_some())
    }

    fn next_waiting(&mut self) -> Option<Copy> {
        let copy = self.waiting.pop_front()?;
        self.waiting_bytes -= copy.message.size();
        Some(copy)
    }

    /// An identifier that no unacknowledged message has. The window is no larger than the number of identifiers, and
    /// nothing new is sent while there is something to send again, so there always is one.
    fn unused_id(&mut self) -> PacketId {
        while self.flights.contains(self.next_id) {
            self.next_id = self.next_id.next();
        }
        let id = self.next_id;
        self.next_id = id.next();
        id
    }
}
