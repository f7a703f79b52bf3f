//! PUBLISH from Clients.

use super::broker::Core;
use super::connection::{Connection, Established, reason_properties};
use super::disconnect::Violation;
use super::limits::{self, Exceeded};
use super::message::{Message, Origin};
use super::session::SessionId;
use crate::switch::Switch;
use model::packet::{Acknowledgement, Delivery, Packet, PacketId, ProtocolVersion, Publish, ReasonCode, Utf8String};

impl Core {
    pub(super) fn publish(&mut self, from: Established, mut publish: Publish) -> Result<(), Violation> {
        let topic = self.topic_of(from, &publish)?;
        self.check_flow(from, &publish)?;
        if has_wildcard(publish.properties.response_topic.as_ref()) {
            return Err(Violation::new(ReasonCode::ProtocolError, "response topic with wildcard"));
        }
        if !publish.properties.subscription_identifiers.is_empty() {
            let says = "subscription identifier from a client"; // MQTT-3.3.4-6
            return Err(Violation::new(ReasonCode::ProtocolError, says));
        }
        let delivery = publish.delivery;
        if let Delivery::ExactlyOnce { packet_id, .. } = delivery
            && !self.take_once(from.session, packet_id)
        {
            self.send(from.connection, Packet::Pubrec(Acknowledgement::success(packet_id)));
            return Ok(());
        }
        let outcome = self.check_publish_limits(from.session, &topic, &publish);
        if outcome.is_ok() && !self.keeps_rate(from, &publish) {
            self.refuses_uplink(from.session, &topic, "Rate limit");
            return Ok(());
        }
        match &outcome {
            Ok(()) => {
                // Where nothing is retained, 3.x has no word for it: the message is delivered to those who listen.
                publish.retain &= self.settings.retained_messages.contains(&from.version);
                let is_for_the_platform = self.hears(from.session, &publish, &topic);
                if let Some(origin) = self.origin(from.session).filter(|_| !is_for_the_platform) {
                    self.route(Message::from_publish(publish, topic, origin));
                }
            }
            Err(exceeded) => self.refuses_uplink(from.session, &topic, &exceeded.says),
        }
        self.answer(from, delivery, outcome);
        Ok(())
    }

    /// Whether the Client may send this PUBLISH now.
    fn check_flow(&self, from: Established, publish: &Publish) -> Result<(), Violation> {
        let maximum_qos = self.settings.maximum_qos;
        if publish.qos() > maximum_qos {
            return Err(Violation::new(ReasonCode::QosNotSupported, format!("maximum qos is {maximum_qos}")));
        }
        let available = self.settings.retained_messages.contains(&from.version);
        if publish.retain && !available && from.version == ProtocolVersion::V5_0 {
            return Err(Violation::new(ReasonCode::RetainNotSupported, "retain is not available"));
        }
        // Messages of QoS 1 are answered at once: only those of QoS 2 add up.
        let receive_maximum = self.settings.limits.receive_maximum;
        if from.version == ProtocolVersion::V5_0
            && let Some(packet_id) = publish.packet_id()
            && let Some(session) = self.sessions.find(from.session)
            && session.incoming.unanswered_with(packet_id) > usize::from(receive_maximum.get())
        {
            let says = format!("receive maximum is {receive_maximum}");
            return Err(Violation::new(ReasonCode::ReceiveMaximumExceeded, says));
        }
        Ok(())
    }

    /// Whether a device keeps within its uplink rate. If not, the message is dropped, and only 5.0 tells of it.
    fn keeps_rate(&mut self, from: Established, publish: &Publish) -> bool {
        let Some(owner) = self.sessions.find(from.session).map(|session| session.owner.clone()) else { return true };
        let admits = self.admits_uplink(&owner, publish.qos());
        if !admits && self.settings.misbehaves(Switch::RateEndsConnection) {
            self.close(from.connection);
        }
        if !admits && from.version.has_properties() {
            self.answer(from, publish.delivery, Err(Exceeded::new(ReasonCode::QuotaExceeded, "too many messages")));
        }
        admits
    }

    /// What a message that comes now keeps of its publisher.
    pub(super) fn origin(&self, id: SessionId) -> Option<Origin> {
        let session = self.sessions.find(id)?;
        Some(Origin { owner: session.owner.clone(), at: self.now })
    }

    /// Takes a QoS 2 message; `false` if it was taken before.
    fn take_once(&mut self, id: SessionId, packet_id: PacketId) -> bool {
        let is_new = self.sessions.find_mut(id).is_some_and(|session| session.incoming.take(packet_id));
        is_new || self.settings.misbehaves(Switch::Qos2DuplicatePassedOn)
    }

    /// PUBACK or PUBREC.
    fn answer(&mut self, from: Established, delivery: Delivery, outcome: Result<(), Exceeded>) {
        let answer = |packet_id| match outcome {
            // 3.x cannot say that a message was dropped.
            Err(exceeded) if from.version == ProtocolVersion::V5_0 => Acknowledgement {
                packet_id,
                reason: exceeded.reason,
                properties: reason_properties(from.version, &exceeded.says),
            },
            _ => Acknowledgement::success(packet_id),
        };
        match delivery {
            Delivery::AtMostOnce => {}
            Delivery::AtLeastOnce { packet_id, .. } => {
                self.send(from.connection, Packet::Puback(answer(packet_id)));
            }
            Delivery::ExactlyOnce { packet_id, .. } => {
                let pubrec = answer(packet_id);
                // Whoever is refused sends no PUBREL (MQTT-4.3.3-9).
                if pubrec.reason.is_error()
                    && let Some(session) = self.sessions.find_mut(from.session)
                {
                    session.incoming.release(packet_id);
                }
                self.send(from.connection, Packet::Pubrec(pubrec));
            }
        }
    }

    /// The Topic Name of a PUBLISH: its own, or the one behind its Topic Alias.
    fn topic_of(&mut self, from: Established, publish: &Publish) -> Result<Utf8String, Violation> {
        match self.connections.get_mut(&from.connection) {
            Some(Connection::Established(link)) => {
                link.received_aliases.topic_of(publish, self.settings.topic_alias_maximum)
            }
            _ => Ok(publish.topic.clone()),
        }
    }

    fn check_publish_limits(&mut self, from: SessionId, topic: &str, publish: &Publish) -> Result<(), Exceeded> {
        let is_permitted = self.sessions.find(from).is_some_and(|session| self.may_publish(&session.owner, topic));
        if !is_permitted {
            return Err(Exceeded::new(ReasonCode::NotAuthorized, "No authorization"));
        }
        let limits = &self.settings.limits;
        if publish.retain && !self.retained.has_room_for(topic, &publish.payload, limits) {
            self.retained.sweep(self.now);
            if !self.retained.has_room_for(topic, &publish.payload, limits) {
                return Err(Exceeded::new(ReasonCode::QuotaExceeded, "too many retained messages"));
            }
        }
        if !self.admits_topic(topic) {
            return Err(Exceeded::new(ReasonCode::TopicNameInvalid, "topic too long"));
        }
        let is_text = publish.properties.payload_format_indicator == Some(true);
        if is_text && std::str::from_utf8(&publish.payload).is_err() {
            // A server may look, and this one does: so there is one that refuses a message of its own accord.
            return Err(Exceeded::new(
                ReasonCode::PayloadFormatInvalid,
                "the payload is announced as UTF-8 and is none",
            ));
        }
        limits::check_publish(limits, &publish.properties)
    }
}

/// Whether a Response Topic is none that can be published to (MQTT-3.3.2-14).
pub(super) fn has_wildcard(response_topic: Option<&Utf8String>) -> bool {
    response_topic.is_some_and(|topic| topic.contains(['+', '#']))
}
