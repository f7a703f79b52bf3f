//! What the Server sends, sorted by packet and phase.

use super::state::{Connection, Phase};
use crate::Cause;
use model::packet::{Packet, ReasonCode};
use std::time::Duration;

impl Connection {
    pub(super) fn take(&mut self, packet: Packet, now: Duration) {
        match (self.phase, packet) {
            (Phase::Over, _) => {}
            (Phase::Opening { .. }, Packet::Connack(connack)) => self.take_connack(connack, now),
            (Phase::Opening { .. }, packet) => self.violation(
                ReasonCode::ProtocolError,
                format!("the first packet has to be CONNACK, {} came", packet.packet_type()),
            ),
            (Phase::Open, packet) => self.take_open(packet, now),
        }
    }

    fn take_open(&mut self, packet: Packet, now: Duration) {
        match packet {
            Packet::Publish(publish) => self.take_publish(publish, now),
            Packet::Puback(puback) => self.take_puback(puback, now),
            Packet::Pubrec(pubrec) => self.take_pubrec(pubrec, now),
            Packet::Pubrel(pubrel) => self.take_pubrel(&pubrel, now),
            Packet::Pubcomp(pubcomp) => self.take_pubcomp(pubcomp, now),
            Packet::Suback(suback) => self.take_suback(suback),
            Packet::Unsuback(unsuback) => self.take_unsuback(unsuback),
            Packet::Pingresp => self.keep_alive.answered(),
            // The decoder lets it pass only in 5.0.
            Packet::Disconnect(disconnect) => self.end(Cause::ServerDisconnected(Box::new(disconnect)), None),
            Packet::Connack(_) => self.violation(ReasonCode::ProtocolError, "a second CONNACK came"),
            // MQTT-4.12.0-6: CONNECT named no Authentication Method.
            Packet::Auth(_) => {
                self.violation(ReasonCode::ProtocolError, "AUTH came, CONNECT asked for no authentication")
            }
            Packet::Connect(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::Pingreq => {
                self.violation(
                    ReasonCode::ProtocolError,
                    format!("{} is not the server's to send", packet.packet_type()),
                );
            }
        }
    }
}
