//! Messages on their way to one session: waiting, in flight, and sent again after a connection broke.

use super::broker::Milliseconds;
use super::message::Message;
use crate::settings::Limits;
use model::packet::{self, PacketId, ProtocolVersion, Publish, Qos};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A message for one session.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    pub(super) message: Arc<Message>,
    /// QoS of the delivery.
    pub(super) qos: Qos,
    /// RETAIN of the PUBLISH that delivers it.
    pub(super) retain: bool,
}

impl Copy {
    /// The PUBLISH that delivers it.
    pub(super) fn to_publish(&self, how: packet::Delivery, version: ProtocolVersion, now: Milliseconds) -> Publish {
        self.message.to_publish(how, self.retain, version, now)
    }
}

/// The deliveries of a session.
///
/// A message of QoS 1 takes a Packet Identifier when it is first sent, and keeps it until its PUBACK. When the connection breaks,
/// what is in flight moves to `again`, and goes out first on the next connection, in its old order.
#[derive(Debug)]
pub(super) struct Delivery {
    waiting: VecDeque<Copy>,
    waiting_bytes: usize,
    /// Sent on an earlier connection, not yet on this one.
    again: VecDeque<(PacketId, Copy)>,
    /// Sent on this connection.
    in_flight: BTreeMap<PacketId, InFlight>,
    in_flight_bytes: usize,
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
            in_flight_bytes: 0,
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

    /// The connection has ended: what is delivered at QoS 0 does not wait for another one.
    pub(super) fn interrupt(&mut self) {
        self.waiting.retain(|copy| copy.qos > Qos::AtMostOnce);
        self.waiting_bytes = self.waiting.iter().map(|copy| copy.message.size()).sum();
        let mut sent: Vec<(PacketId, InFlight)> = std::mem::take(&mut self.in_flight).into_iter().collect();
        self.in_flight_bytes = 0;
        sent.sort_by_key(|(_, in_flight)| in_flight.order);
        // What was not sent again yet is younger than what was.
        for (id, in_flight) in sent.into_iter().rev() {
            self.again.push_front((id, in_flight.copy));
        }
    }

    /// Whether nothing is held back: a message may go out without overtaking another one.
    pub(super) fn is_idle(&self) -> bool {
        self.again.is_empty() && self.waiting.is_empty()
    }

    /// The next message to send, in flight from now on; `None` if there is none or no room for it.
    pub(super) fn next(&mut self, now: Milliseconds, version: ProtocolVersion, limits: &Limits) -> Option<Publish> {
        let has_room = self.in_flight.len() < self.window && self.in_flight_bytes < limits.queued_bytes;
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
            if copy.message.has_expired(now, limits.queued_seconds) {
                continue;
            }
            if copy.qos == Qos::AtMostOnce {
                return Some(copy.to_publish(packet::Delivery::AtMostOnce, version, now));
            }
            let packet_id = self.unused_id();
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
        let publish = copy.to_publish(packet::Delivery::AtLeastOnce { packet_id, dup }, version, now);
        self.begun += 1;
        self.in_flight_bytes += copy.message.size();
        self.in_flight.insert(packet_id, InFlight { order: self.begun, copy });
        publish
    }

    /// The Client has the message with this identifier; `false` if none is in flight under it.
    pub(super) fn acknowledge(&mut self, id: PacketId) -> bool {
        let Some(in_flight) = self.in_flight.remove(&id) else { return false };
        self.in_flight_bytes -= in_flight.copy.message.size();
        true
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

    /// An identifier that no unacknowledged message has. The window is no larger than the number of identifiers, and
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
