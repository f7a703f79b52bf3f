//! Messages to the Server.

use super::state::{Connection, Event, Output, Phase, Settled};
use crate::session::InFlight;
use crate::{Message, NotSendable, PublishError};
use model::packet::{Acknowledgement, Delivery, Packet, PacketId, ProtocolVersion, Qos, ReasonCode, ReasonProperties};
use std::time::Duration;

impl Connection {
    /// Whether a message above QoS 0 would be sent now: the send quota is not used up (MQTT-4.9.0-2), and nothing of an
    /// earlier connection waits to be sent before it (MQTT-4.6.0-1).
    #[must_use]
    pub fn can_publish(&self) -> bool {
        self.phase == Phase::Open && self.has_quota() && !self.session.must_resend()
    }

    /// Publishes a message: sends it and, above QoS 0, keeps it until it is acknowledged. The identifier tells which
    /// [`Output::Settled`] is its end; QoS 0 has neither.
    ///
    /// # Errors
    /// When the message is malformed, the Server does not offer what it needs, or the send quota is used up.
    pub fn publish(&mut self, message: Message, now: Duration) -> Result<Option<PacketId>, NotSendable> {
        if self.phase != Phase::Open {
            return Err(NotSendable::NotConnected);
        }
        self.offer.check_message(&message)?;
        if message.qos == Qos::AtMostOnce {
            let bytes = self.offer.encode(&Packet::Publish(message.publish(Delivery::AtMostOnce)))?;
            self.send(bytes, now);
            return Ok(None);
        }
        if !self.can_publish() {
            return Err(NotSendable::NoQuota);
        }
        let requests = &self.requests;
        let packet_id = self.session.unused_id(|id| requests.contains_key(&id)).ok_or(NotSendable::NoQuota)?;
        let bytes = self.offer.encode(&Packet::Publish(message.publish(message.delivery(packet_id, false))))?;
        self.send(bytes, now);
        self.session.published.push_back(InFlight { packet_id, message, sent_at: Some(now), resumed: false });
        Ok(Some(packet_id))
    }

    fn has_quota(&self) -> bool {
        let quota = self.offer.receive_maximum.min(self.options.maximum_in_flight.get());
        self.session.in_flight() < usize::from(quota)
    }

    /// Sends the next packet of the resumed session again (MQTT-4.4.0-1), as far as the quota goes: first PUBREL in the
    /// order of the PUBRECs, then PUBLISH in the original order, with DUP and the same identifiers.
    pub(super) fn resend_next(&mut self, now: Duration) -> bool {
        if self.phase != Phase::Open || !self.session.must_resend() {
            return false;
        }
        let at = self.session.released.partition_point(InFlight::is_sent);
        if let Some(in_flight) = self.session.released.get_mut(at) {
            in_flight.sent_at = Some(now);
            let pubrel = Packet::Pubrel(Acknowledgement::success(in_flight.packet_id));
            self.answer(&pubrel, now);
            return true;
        }
        if !self.has_quota() {
            return false;
        }
        let at = self.session.published.partition_point(InFlight::is_sent);
        let Some(in_flight) = self.session.published.get_mut(at) else { return false };
        let message = &in_flight.message;
        let packet = Packet::Publish(message.publish(message.delivery(in_flight.packet_id, true)));
        match self.offer.check_message(message).and_then(|()| self.offer.encode(&packet)) {
            Ok(bytes) => {
                in_flight.sent_at = Some(now);
                self.send(bytes, now);
            }
            Err(error) => {
                let packet_id = in_flight.packet_id;
                self.session.published.remove(at);
                self.hand_over(Event::ResentSettled { packet_id, outcome: Err(error.into()) }, None, now);
            }
        }
        true
    }

    pub(super) fn take_puback(&mut self, puback: Acknowledgement, now: Duration) {
        match self.sent(puback.packet_id, Qos::AtLeastOnce) {
            Some(in_flight) => self.settle(&in_flight, puback.reason, puback.properties, now),
            None => self.unasked("PUBACK", puback.packet_id),
        }
    }

    /// PUBREC below 0x80 is answered by PUBREL (MQTT-4.3.3-4); above, it is the end of the message (MQTT-4.4.0-2).
    pub(super) fn take_pubrec(&mut self, pubrec: Acknowledgement, now: Duration) {
        let packet_id = pubrec.packet_id;
        let mut reason = ReasonCode::Success;
        match self.sent(packet_id, Qos::ExactlyOnce) {
            Some(in_flight) if pubrec.reason.is_error() => {
                self.settle(&in_flight, pubrec.reason, pubrec.properties, now);
                return;
            }
            Some(in_flight) => self.session.released.push_back(InFlight { sent_at: Some(now), ..in_flight }),
            None if self.session.released.iter().any(|in_flight| in_flight.packet_id == packet_id) => {}
            None if self.session.published.iter().any(|in_flight| in_flight.packet_id == packet_id) => {
                self.unasked("PUBREC", packet_id);
                return;
            }
            // The Server still has what this side has not: 5.0 section 3.6.2.1 names the code that ends it.
            None if self.options.version == ProtocolVersion::V5_0 => reason = ReasonCode::PacketIdentifierNotFound,
            None => {}
        }
        self.answer(&Packet::Pubrel(Acknowledgement { reason, ..Acknowledgement::success(packet_id) }), now);
    }

    /// An unknown PUBCOMP is let pass: it answers the PUBREL to an unknown PUBREC.
    pub(super) fn take_pubcomp(&mut self, pubcomp: Acknowledgement, now: Duration) {
        let at = self.session.released.iter().position(|in_flight| in_flight.packet_id == pubcomp.packet_id);
        if let Some(in_flight) = at.and_then(|at| self.session.released.remove(at)) {
            // "Packet Identifier not found" is no failure of the message: the Server has released it already.
            self.settle(&in_flight, ReasonCode::Success, pubcomp.properties, now);
        }
    }

    /// Takes out the message that was sent on this connection under this identifier and QoS.
    fn sent(&mut self, packet_id: PacketId, qos: Qos) -> Option<InFlight> {
        let at = self.session.published.iter().position(|in_flight| {
            in_flight.packet_id == packet_id && in_flight.message.qos == qos && in_flight.is_sent()
        })?;
        self.session.published.remove(at)
    }

    fn settle(&mut self, in_flight: &InFlight, reason: ReasonCode, properties: ReasonProperties, now: Duration) {
        let packet_id = in_flight.packet_id;
        let outcome = match reason.is_error() {
            true => Err(PublishError::Rejected { reason, reason_string: properties.reason_string }),
            false => Ok(reason),
        };
        match in_flight.resumed {
            true => self.hand_over(Event::ResentSettled { packet_id, outcome }, None, now),
            false => self.outputs.push_back(Output::Settled(Settled { packet_id, outcome })),
        }
    }

    /// An acknowledgement of nothing that was sent (MQTT-2.2.1-5; 3.1.1: MQTT-2.3.1-6).
    fn unasked(&mut self, packet: &str, packet_id: PacketId) {
        let what = format!("{packet} has identifier {packet_id}, under which nothing awaits it");
        self.violation(ReasonCode::ProtocolError, what);
    }
}
