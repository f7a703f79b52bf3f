//! How connections end: DISCONNECT from either side, what Clients may not do, lost links.

use super::broker::{Action, ConnectionId, Core};
use super::cloud::Departure;
use super::connect::Refused;
use super::connection::{Connection, Established, Peer, reason_string};
use super::session::Expiry;
use crate::switch::Switch;
use model::packet::{Disconnect, DisconnectProperties, Packet, PacketType, ProtocolVersion, ReasonCode};
use model::wire::{Fault, Refusal};

/// Why the broker ends an accepted connection.
#[derive(Debug)]
pub(super) struct Violation {
    reason: ReasonCode,
    says: String,
}

impl Violation {
    pub(super) fn new(reason: ReasonCode, says: impl Into<String>) -> Violation {
        Violation { reason, says: says.into() }
    }
}

/// What happens to a Will when its connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WillFate {
    /// The Client said goodbye: deleted.
    Deleted,
    /// Published, now or after its delay.
    Due,
}

impl Core {
    /// Ends a connection for cause: 5.0 says why, 3.x just closes. Its Will is due.
    pub(super) fn disconnect(&mut self, id: ConnectionId, violation: &Violation) {
        if let Some(Connection::Established(link)) = self.connections.get(&id)
            && link.peer.version.has_properties()
        {
            let reason_string = reason_string(link.peer.version, &violation.says);
            let properties = DisconnectProperties { reason_string, ..DisconnectProperties::default() };
            self.send(id, Packet::Disconnect(Disconnect { reason: violation.reason, properties }));
        }
        self.output(id, Action::Close);
        self.ended(id, WillFate::Due, Departure::for_cause(violation.reason));
    }

    /// Closes a connection. If it was accepted, its Will is due.
    pub(super) fn close(&mut self, id: ConnectionId) {
        self.output(id, Action::Close);
        self.ended(id, WillFate::Due, Departure::Broken);
    }

    /// The Client closed, or the network broke.
    pub(super) fn lost(&mut self, id: ConnectionId) {
        self.ended(id, WillFate::Due, Departure::Lost);
    }

    /// No CONNECT came in time, or its authentication takes too long.
    pub(super) fn connect_is_due(&mut self, id: ConnectionId) {
        if !matches!(self.connections.get(&id), None | Some(Connection::Established(_))) {
            self.close(id);
        }
    }

    /// Bytes came that are no packet.
    pub(super) fn refused(&mut self, id: ConnectionId, refusal: Refusal) {
        match self.connections.get(&id) {
            None => {}
            Some(Connection::Established(_)) => {
                let reason = refusal.fault.reason_code();
                // A second CONNECT may be refused with a code that only a CONNACK has.
                let reason =
                    if reason.is_permitted_in(PacketType::Disconnect) { reason } else { ReasonCode::ProtocolError };
                self.disconnect(id, &Violation::new(reason, refusal.what));
            }
            Some(Connection::Authenticating(candidate)) => {
                let reason = refusal.fault.reason_code();
                let reason =
                    if reason.is_permitted_in(PacketType::Connack) { reason } else { ReasonCode::ProtocolError };
                let peer = candidate.peer;
                self.refuse_connect(id, peer, &Refused::silently_in_3x(reason, refusal.what));
            }
            Some(Connection::AwaitingConnect { .. }) => self.connect_refused(id, &refusal),
        }
    }

    /// The first packet is no CONNECT that can be read.
    fn connect_refused(&mut self, id: ConnectionId, refusal: &Refusal) {
        let reason = refusal.fault.reason_code();
        match (refusal.fault, refusal.version) {
            // The answer of 3.x, which every Client since 3.1 reads: nothing is known of the version asked for.
            (Fault::UnsupportedProtocolVersion, version) => {
                let version = version.unwrap_or(ProtocolVersion::V3_1_1);
                let peer = Peer { version, maximum_packet_size: None, problem_information: true };
                self.refuse_connect(id, peer, &Refused::version());
            }
            (_, Some(version @ ProtocolVersion::V5_0)) => {
                let peer = Peer { version, maximum_packet_size: None, problem_information: true };
                self.refuse_connect(id, peer, &Refused::silently_in_3x(reason, refusal.what.clone()));
            }
            // 3.x has no code for it (MQTT-3.1.4-1 of 3.1.1); without version there is nobody to answer.
            (_, _) => self.close(id),
        }
    }

    /// The Client's DISCONNECT.
    pub(super) fn client_disconnects(&mut self, from: Established, disconnect: &Disconnect) -> Result<(), Violation> {
        if let Some(seconds) = disconnect.properties.session_expiry_interval
            && let Some(session) = self.sessions.find_mut(from.session)
        {
            if session.expiry == Expiry::AtClose && seconds > 0 {
                return Err(Violation::new(ReasonCode::ProtocolError, "session expiry interval was 0 in CONNECT"));
            }
            session.expiry = Expiry::from_seconds(seconds);
        }
        // Whoever says why it leaves abnormally wants its Will published (MQTT-3.1.2-8, MQTT-3.14.4-3).
        let leaves_well = disconnect.reason == ReasonCode::Success;
        let leaves_well = leaves_well && !self.settings.misbehaves(Switch::WillAfterDisconnect);
        let will = if leaves_well { WillFate::Deleted } else { WillFate::Due };
        self.output(from.connection, Action::Close);
        self.ended(from.connection, will, Departure::Left);
        Ok(())
    }

    fn ended(&mut self, id: ConnectionId, will: WillFate, departure: Departure) {
        if let Some(Connection::Established(link)) = self.forget_connection(id) {
            self.departs(&link, id, departure);
            self.leave_session(link.session, will);
        }
    }
}
