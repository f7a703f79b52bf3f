//! SUBSCRIBE and UNSUBSCRIBE with their answers.

use super::state::{Answer, Connection, Output, Phase};
use crate::NotSendable;
use model::packet::{
    Packet, PacketId, PacketType, ProtocolVersion, ReasonCode, Suback, Subscribe, SubscribeProperties,
    SubscriptionRequest, Unsuback, Unsubscribe, UnsubscribeProperties, Utf8String,
};
use std::time::Duration;

/// A SUBSCRIBE or UNSUBSCRIBE that awaits its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    pub(super) packet: PacketType,
    filters: usize,
    pub(super) sent_at: Duration,
}

impl Connection {
    /// Whether a SUBSCRIBE or UNSUBSCRIBE would be sent now.
    #[must_use]
    pub fn can_request(&self) -> bool {
        self.phase == Phase::Open && self.requests.len() < usize::from(self.options.maximum_in_flight.get())
    }

    /// Sends SUBSCRIBE; [`Output::Answered`] brings its SUBACK.
    ///
    /// # Errors
    /// When a filter is malformed, the Server does not offer what it needs, or too many requests are unanswered.
    pub fn subscribe(
        &mut self,
        requests: Vec<SubscriptionRequest>,
        properties: SubscribeProperties,
        now: Duration,
    ) -> Result<PacketId, NotSendable> {
        self.offer.check_subscriptions(&requests, &properties)?;
        let filters = requests.len();
        self.request(filters, now, |packet_id| Packet::Subscribe(Subscribe { packet_id, properties, requests }))
    }

    /// Sends UNSUBSCRIBE; [`Output::Answered`] brings its UNSUBACK.
    ///
    /// # Errors
    /// When a filter is malformed, or too many requests are unanswered.
    pub fn unsubscribe(
        &mut self,
        filters: Vec<Utf8String>,
        properties: UnsubscribeProperties,
        now: Duration,
    ) -> Result<PacketId, NotSendable> {
        self.offer.check_filters(filters.iter())?;
        let count = filters.len();
        self.request(count, now, |packet_id| Packet::Unsubscribe(Unsubscribe { packet_id, properties, filters }))
    }

    fn request(
        &mut self,
        filters: usize,
        now: Duration,
        packet: impl FnOnce(PacketId) -> Packet,
    ) -> Result<PacketId, NotSendable> {
        if self.phase != Phase::Open {
            return Err(NotSendable::NotConnected);
        }
        if !self.can_request() {
            return Err(NotSendable::NoQuota);
        }
        let requests = &self.requests;
        let packet_id = self.session.unused_id(|id| requests.contains_key(&id)).ok_or(NotSendable::NoQuota)?;
        let packet = packet(packet_id);
        let bytes = self.offer.encode(&packet)?;
        self.send(bytes, now);
        self.requests.insert(packet_id, Request { packet: packet.packet_type(), filters, sent_at: now });
        Ok(packet_id)
    }

    pub(super) fn take_suback(&mut self, suback: Suback) {
        self.take_answer(PacketType::Suback, PacketType::Subscribe, suback.packet_id, suback.codes);
    }

    pub(super) fn take_unsuback(&mut self, unsuback: Unsuback) {
        let mut codes = unsuback.codes;
        if self.options.version != ProtocolVersion::V5_0 {
            let filters = self.requests.get(&unsuback.packet_id).map_or(0, |request| request.filters);
            codes = vec![ReasonCode::Success; filters];
        }
        self.take_answer(PacketType::Unsuback, PacketType::Unsubscribe, unsuback.packet_id, codes);
    }

    fn take_answer(&mut self, answer: PacketType, request: PacketType, packet_id: PacketId, codes: Vec<ReasonCode>) {
        match self.requests.remove(&packet_id) {
            Some(asked) if asked.packet != request => {
                let what = format!("{answer} has identifier {packet_id}, which belongs to {}", asked.packet);
                self.violation(ReasonCode::ProtocolError, what);
            }
            // MQTT-3.9.3-1, MQTT-3.11.3-1; 3.1.1: MQTT-3.8.4-5.
            Some(asked) if asked.filters != codes.len() => {
                let what = format!("{answer} has {} codes for {} filters", codes.len(), asked.filters);
                self.violation(ReasonCode::ProtocolError, what);
            }
            Some(_) => self.outputs.push_back(Output::Answered(Answer { packet_id, codes })),
            // MQTT-3.8.4-2, MQTT-3.10.4-4 and their likes of 3.1.1: the identifier of the request comes back.
            None => {
                let what = format!("{answer} has identifier {packet_id}, under which nothing awaits it");
                self.violation(ReasonCode::ProtocolError, what);
            }
        }
    }
}
