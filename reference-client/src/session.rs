//! Session State: what outlives a connection.

use crate::Message;
use model::packet::{PacketId, ProtocolVersion, Utf8String};
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// The state of a session on the Client's side: the messages that the Server has not acknowledged, and the QoS 2 messages
/// that it has not released. [`Ended`](crate::Ended) hands it out, [`ConnectOptions::resuming`] takes it back.
///
/// [`ConnectOptions::resuming`]: crate::ConnectOptions::resuming
#[derive(Debug, Clone)]
pub struct Session {
    version: ProtocolVersion,
    client_id: Utf8String,
    /// In the order of their first PUBLISH (MQTT-4.6.0-1). What is sent on the present connection is sent in this order,
    /// so those sent stand before those not sent, and the first has waited longest. So it is with `released`.
    pub(crate) published: VecDeque<InFlight>,
    /// QoS 2 with PUBREC received, in the order of the PUBRECs (MQTT-4.6.0-4).
    pub(crate) released: VecDeque<InFlight>,
    /// QoS 2 received, PUBREL still to come.
    pub(crate) received: BTreeSet<PacketId>,
    /// Where the search for a free identifier begins.
    next_id: PacketId,
}

/// A message above QoS 0 on its way to the Server.
#[derive(Debug, Clone)]
pub(crate) struct InFlight {
    pub(crate) packet_id: PacketId,
    pub(crate) message: Message,
    /// When its latest packet was sent on the present connection; `None`: not yet sent on this one.
    pub(crate) sent_at: Option<Duration>,
    /// Whether it came from an earlier connection, so that nobody awaits its end any more.
    pub(crate) resumed: bool,
}

impl InFlight {
    pub(crate) fn is_sent(&self) -> bool {
        self.sent_at.is_some()
    }
}

impl Session {
    pub(crate) fn new(version: ProtocolVersion, client_id: Utf8String) -> Session {
        Session {
            version,
            client_id,
            published: VecDeque::new(),
            released: VecDeque::new(),
            received: BTreeSet::new(),
            next_id: PacketId::FIRST,
        }
    }

    /// Whose session it is; what the Server assigned, if it did.
    #[must_use]
    pub fn client_id(&self) -> &Utf8String {
        &self.client_id
    }

    /// The version it was begun under.
    #[must_use]
    pub fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// The messages that the Server has not acknowledged, in the order of publishing.
    pub fn unacknowledged(&self) -> impl Iterator<Item = &Message> {
        self.published.iter().map(|in_flight| &in_flight.message)
    }

    pub(crate) fn assign(&mut self, client_id: Utf8String) {
        self.client_id = client_id;
    }

    /// Marks everything as not sent on the connection that begins now.
    pub(crate) fn carry_over(&mut self) {
        for in_flight in self.published.iter_mut().chain(&mut self.released) {
            in_flight.sent_at = None;
            in_flight.resumed = true;
        }
    }

    /// How many messages of the present connection occupy the send quota. A released QoS 2 message counts until its
    /// PUBCOMP, also when its PUBLISH was sent on an earlier connection: fewer than allowed, never more.
    pub(crate) fn in_flight(&self) -> usize {
        self.published.partition_point(InFlight::is_sent) + self.released.len()
    }

    /// Whether something of an earlier connection has yet to be sent on this one.
    pub(crate) fn must_resend(&self) -> bool {
        [&self.published, &self.released].into_iter().filter_map(|queue| queue.back()).any(|last| !last.is_sent())
    }

    /// A Packet Identifier that neither a message nor one of `requests` uses (MQTT-2.2.1-3), the longest unused first.
    pub(crate) fn unused_id(&mut self, is_requested: impl Fn(PacketId) -> bool) -> Option<PacketId> {
        let mut candidate = self.next_id;
        for _ in 0..u16::MAX {
            let used = self.published.iter().chain(&self.released).any(|in_flight| in_flight.packet_id == candidate);
            if !used && !is_requested(candidate) {
                self.next_id = candidate.next();
                return Some(candidate);
            }
            candidate = candidate.next();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_in_use_are_passed_over_once_around() {
        let id = |value| PacketId::new(value).unwrap();
        let mut session = Session::new(ProtocolVersion::V3_1_1, Utf8String::default());
        for (packet_id, queue) in [(id(1), &mut session.published), (id(3), &mut session.released)] {
            let message = Message::new("t", "").unwrap();
            queue.push_back(InFlight { packet_id, message, sent_at: None, resumed: false });
        }
        session.next_id = id(u16::MAX);
        let mut next = || session.unused_id(|candidate| candidate == id(2)).map(PacketId::value);
        assert_eq!([next(), next(), next()], [Some(u16::MAX), Some(4), Some(5)]);
    }

    #[test]
    fn without_a_free_identifier_there_is_none() {
        let mut session = Session::new(ProtocolVersion::V3_1_1, Utf8String::default());
        assert_eq!(session.unused_id(|_| true), None);
    }
}
