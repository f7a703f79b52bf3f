//! QoS 2 messages from the Client of a session, from PUBLISH to PUBREL.

use model::packet::PacketId;
use std::collections::BTreeSet;

/// The identifiers of the QoS 2 messages that were taken from a Client and not released yet: they outlive a connection with
/// the session.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    taken: BTreeSet<PacketId>,
    /// Those that came on this connection: they count towards the server's Receive Maximum (section 4.9).
    counted: BTreeSet<PacketId>,
}

impl Incoming {
    /// The connection has ended.
    pub(super) fn interrupt(&mut self) {
        self.counted.clear();
    }

    /// PUBLISH packets that would be unanswered on this connection, with the one that comes with this identifier.
    pub(super) fn unanswered_with(&self, id: PacketId) -> usize {
        self.counted.len() + usize::from(!self.counted.contains(&id))
    }

    /// Takes a QoS 2 message. `false` if it was taken before: a PUBLISH with its identifier is the same message until
    /// PUBREL comes (MQTT-4.3.3-10).
    pub(super) fn take(&mut self, id: PacketId) -> bool {
        self.counted.insert(id);
        self.taken.insert(id)
    }

    /// PUBREL came, or PUBREC refused the message: from now on the identifier means a new one. `false` if there was
    /// none.
    pub(super) fn release(&mut self, id: PacketId) -> bool {
        self.counted.remove(&id);
        self.taken.remove(&id)
    }
}
