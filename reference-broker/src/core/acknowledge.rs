//! PUBACK, PUBREC, PUBREL and PUBCOMP from Clients.

use super::broker::Core;
use super::connection::Established;
use super::delivery::Delivery;
use super::disconnect::Violation;
use super::flight::Effect;
use super::session::{Session, SessionId};
use crate::switch::Switch;
use model::packet::{Acknowledgement, Packet, PacketId, PacketType, ProtocolVersion, ReasonCode};

impl Core {
    /// A QoS 1 delivery arrived, or was refused for good.
    pub(super) fn puback(&mut self, from: Established, puback: &Acknowledgement) -> Result<(), Violation> {
        let effect = self.acknowledged(from.session, |delivery| delivery.puback(puback.packet_id));
        self.after(from, PacketType::Puback, puback.packet_id, effect)
    }

    /// A QoS 2 delivery arrived: it can be released. Or it was refused for good.
    pub(super) fn pubrec(&mut self, from: Established, pubrec: &Acknowledgement) -> Result<(), Violation> {
        let is_error = pubrec.reason.is_error();
        let effect = self.acknowledged(from.session, |delivery| delivery.pubrec(pubrec.packet_id, is_error));
        if effect == Effect::Unknown && !is_error {
            // The Client can forget it.
            let pubrel = not_found(from.version, pubrec.packet_id);
            self.send(from.connection, Packet::Pubrel(pubrel));
        }
        self.after(from, PacketType::Pubrec, pubrec.packet_id, effect)
    }

    /// A QoS 2 delivery is complete, or the Client knows nothing of it.
    pub(super) fn pubcomp(&mut self, from: Established, pubcomp: &Acknowledgement) -> Result<(), Violation> {
        let effect = self.acknowledged(from.session, |delivery| delivery.pubcomp(pubcomp.packet_id));
        self.after(from, PacketType::Pubcomp, pubcomp.packet_id, effect)
    }

    /// The Client releases the identifier of a QoS 2 message of its own. Even if there is none, it can forget it.
    pub(super) fn pubrel(&mut self, from: Established, pubrel: &Acknowledgement) -> Result<(), Violation> {
        let never_frees = self.settings.misbehaves(Switch::Qos2IdentifierNeverFreed);
        let release = |session: &mut Session| never_frees || session.incoming.release(pubrel.packet_id);
        let released = self.sessions.find_mut(from.session).is_some_and(release);
        let pubcomp = match released {
            true => Acknowledgement::success(pubrel.packet_id),
            false => not_found(from.version, pubrel.packet_id),
        };
        self.send(from.connection, Packet::Pubcomp(pubcomp));
        Ok(())
    }

    /// Sends PUBREL again for all deliveries that were released on an earlier connection (MQTT-4.4.0-1).
    pub(super) fn release_again(&mut self, id: SessionId) {
        if self.settings.misbehaves(Switch::ReleasedNotSentAgain) {
            return;
        }
        let Some(session) = self.sessions.find(id) else { return };
        let Some(connection) = session.connection else { return };
        for packet_id in session.delivery.released() {
            self.send(connection, Packet::Pubrel(Acknowledgement::success(packet_id)));
        }
    }

    fn acknowledged(&mut self, id: SessionId, acknowledge: impl FnOnce(&mut Delivery) -> Effect) -> Effect {
        self.sessions.find_mut(id).map_or(Effect::Unknown, |session| acknowledge(&mut session.delivery))
    }

    fn after(
        &mut self,
        from: Established,
        packet: PacketType,
        packet_id: PacketId,
        effect: Effect,
    ) -> Result<(), Violation> {
        match effect {
            Effect::Unknown => Ok(()),
            Effect::Unexpected => {
                let says = format!("{packet} for message {packet_id}, which awaits another packet");
                Err(Violation::new(ReasonCode::ProtocolError, says))
            }
            Effect::Release => {
                self.send(from.connection, Packet::Pubrel(Acknowledgement::success(packet_id)));
                Ok(())
            }
            Effect::Settled if self.settings.misbehaves(Switch::WindowNotReopened) => Ok(()),
            Effect::Settled => {
                self.send_waiting(from.session);
                Ok(())
            }
        }
    }
}

/// What 5.0 says of an identifier that is not in use; 3.x has no word for it.
fn not_found(version: ProtocolVersion, packet_id: PacketId) -> Acknowledgement {
    let reason = match version {
        ProtocolVersion::V5_0 => ReasonCode::PacketIdentifierNotFound,
        _ => ReasonCode::Success,
    };
    Acknowledgement { reason, ..Acknowledgement::success(packet_id) }
}
