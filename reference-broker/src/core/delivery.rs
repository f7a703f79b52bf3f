//! QoS 1 messages on their way to one session: waiting, in flight, and sent again after a connection broke.

use super::broker::Milliseconds;
use super::message::Message;
use crate::settings::Limits;
use model::packet::{self, PacketId, ProtocolVersion, Publish};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A message for one session.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    pub(super) message: Arc<Message>,
    /// RETAIN of the PUBLISH that delivers it.
    pub(super) retain: bool,
}

/// The QoS 1 deliveries of a session.
///
/// A message takes a Packet Identifier when it is first sent, and keeps it until its PUBACK. When the connection breaks,
/// what is in flight moves to `again`, and goes out first on the next connection, in its old order.
#[derive(Debug)]
pub(super) struct Delivery {
    waiting: VecDeque<Copy>,
    waiting_bytes: usize,
    /// Sent on an earlier connection, not yet on this one.
    again: VecDeque<(PacketId, Copy)>,
    /// Sent on this connection.
    in_flight: BTreeMap<PacketId, InFlight>,
    /// Deliveries so far: their order.
    begun: u64,
    next_id: PacketId,
    /// How many may be in flight.
    window: usize,
}

#[derive(Debug)]
struct InFlight {
    order: u64,
    copy: Copy,
}

impl Default for Delivery {
    fn default() -> Self {
        Delivery {
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            again: VecDeque::new(),
            in_flight: BTreeMap::new(),
            begun: 0,
            next_id: PacketId::FIRST,
            window: 0,
        }
    }
}

impl Delivery {
    /// Appends a message. If too much waits, the oldest make room.
    pub(super) fn enqueue(&mut self, copy: Copy, limits: &Limits) {
        self.waiting_bytes += copy.message.size();
        self.waiting.push_back(copy);
        while self.waiting.len() > limits.queued_messages || self.waiting_bytes > limits.queued_bytes {
            self.next_waiting();
        }
    }

    /// A connection takes the session over: at most `window` messages may be in flight.
    pub(super) fn begin(&mut self, window: u16) {
        self.window = usize::from(window);
    }

    /// The connection has ended.
    pub(super) fn interrupt(&mut self) {
        let mut sent: Vec<(PacketId, InFlight)> = std::mem::take(&mut self.in_flight).into_iter().collect();
        sent.sort_by_key(|(_, in_flight)| in_flight.order);
        // What was not sent again yet is younger than what was.
        for (id, in_flight) in sent.into_iter().rev() {
            self.again.push_front((id, in_flight.copy));
        }
    }

    /// The next message to send, now in flight; `None` if there is none or no room for it.
    pub(super) fn next(&mut self, now: Milliseconds, version: ProtocolVersion, limits: &Limits) -> Option<Publish> {
        if self.in_flight.len() >= self.window {
            return None;
        }
        let (packet_id, dup, copy) = match self.again.pop_front() {
            Some((packet_id, copy)) => (packet_id, true, copy),
            None => loop {
                let copy = self.next_waiting()?;
                if !copy.message.has_expired(now, limits.queued_seconds) {
                    break (self.unused_id(), false, copy);
                }
            },
        };
        let delivery = packet::Delivery::AtLeastOnce { packet_id, dup };
        let publish = copy.message.to_publish(delivery, copy.retain, version, now);
        self.begun += 1;
        self.in_flight.insert(packet_id, InFlight { order: self.begun, copy });
        Some(publish)
    }

    /// The Client has the message with this identifier; `false` if none is in flight under it.
    pub(super) fn acknowledge(&mut self, id: PacketId) -> bool {
        self.in_flight.remove(&id).is_some()
    }

    /// Whether a message with this identifier awaits its PUBACK.
    pub(super) fn is_in_flight(&self, id: PacketId) -> bool {
        self.in_flight.contains_key(&id)
    }

    fn next_waiting(&mut self) -> Option<Copy> {
        let copy = self.waiting.pop_front()?;
        self.waiting_bytes -= copy.message.size();
        Some(copy)
    }

    /// An identifier that no unacknowledged message has. The window is smaller than the number of identifiers, and
    /// nothing new is sent while there is something to send again, so there always is one.
    fn unused_id(&mut self) -> PacketId {
        while self.in_flight.contains_key(&self.next_id) {
            self.next_id = self.next_id.next();
        }
        let id = self.next_id;
        self.next_id = id.next();
        id
    }
}
