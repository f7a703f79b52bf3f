//! PUBLISH and the acknowledgements from Clients.

use super::broker::Core;
use super::connection::{Connection, Established, reason_properties};
use super::disconnect::Violation;
use super::limits::{self, Exceeded};
use super::message::Message;
use model::packet::{Acknowledgement, Packet, ProtocolVersion, Publish, Qos, ReasonCode, Utf8String};
use model::topic::TopicName;

impl Core {
    pub(super) fn publish(&mut self, from: Established, publish: Publish) -> Result<(), Violation> {
        if publish.qos() == Qos::ExactlyOnce {
            return Err(Violation::new(ReasonCode::QosNotSupported, "maximum qos is 1"));
        }
        // 3.x has no word for it: there the message is delivered to those who listen, and not kept.
        if publish.retain && from.version == ProtocolVersion::V5_0 {
            return Err(Violation::new(ReasonCode::RetainNotSupported, "retain is not available"));
        }
        let topic = self.topic_of(from, &publish)?;
        if publish.properties.response_topic.as_ref().is_some_and(|topic| topic.contains(['+', '#'])) {
            return Err(Violation::new(ReasonCode::ProtocolError, "response topic with wildcard")); // MQTT-3.3.2-14
        }
        let packet_id = publish.packet_id();
        let outcome = self.check_publish_limits(&topic, &publish);
        if outcome.is_ok() {
            self.route(Message::from_publish(publish, topic, self.now), from.session);
        }
        if let Some(packet_id) = packet_id {
            let puback = match outcome {
                Err(exceeded) if from.version == ProtocolVersion::V5_0 => Acknowledgement {
                    packet_id,
                    reason: exceeded.reason,
                    properties: reason_properties(from.version, &exceeded.says),
                },
                _ => Acknowledgement::success(packet_id),
            };
            self.send(from.connection, Packet::Puback(puback));
        }
        Ok(())
    }

    /// The Topic Name of a PUBLISH: its own, or the one behind its Topic Alias.
    fn topic_of(&mut self, from: Established, publish: &Publish) -> Result<Utf8String, Violation> {
        let Some(Connection::Established(link)) = self.connections.get_mut(&from.connection) else {
            return Ok(publish.topic.clone());
        };
        let alias = publish.properties.topic_alias;
        if alias.is_some_and(|alias| alias.get() > self.settings.topic_alias_maximum) {
            let says = format!("topic alias maximum is {}", self.settings.topic_alias_maximum);
            return Err(Violation::new(ReasonCode::TopicAliasInvalid, says));
        }
        if let Some(alias) = alias
            && publish.topic.is_empty()
        {
            let unset = || Violation::new(ReasonCode::ProtocolError, format!("topic alias {alias} is not set"));
            return link.aliases.get(&alias).cloned().ok_or_else(unset);
        }
        if let Err(error) = publish.topic.parse::<TopicName>() {
            return Err(Violation::new(ReasonCode::TopicNameInvalid, error.to_string()));
        }
        if let Some(alias) = alias {
            link.aliases.insert(alias, publish.topic.clone());
        }
        Ok(publish.topic.clone())
    }

    fn check_publish_limits(&self, topic: &str, publish: &Publish) -> Result<(), Exceeded> {
        let limits = &self.settings.limits;
        if !limits::admits_topic(limits, topic) {
            return Err(Exceeded::new(ReasonCode::TopicNameInvalid, "topic too long"));
        }
        limits::check_publish(limits, &publish.properties)
    }

    /// A delivery arrived. An identifier that is not in flight is ignored.
    pub(super) fn puback(&mut self, from: Established, puback: &Acknowledgement) -> Result<(), Violation> {
        if let Some(session) = self.sessions.find_mut(from.session)
            && session.delivery.acknowledge(puback.packet_id)
        {
            self.send_waiting(from.session);
        }
        Ok(())
    }

    /// No delivery of this broker has QoS 2: PUBREC is either about a QoS 1 delivery, or about none.
    pub(super) fn pubrec(&mut self, from: Established, pubrec: &Acknowledgement) -> Result<(), Violation> {
        let in_flight =
            self.sessions.find(from.session).is_some_and(|session| session.delivery.is_in_flight(pubrec.packet_id));
        if in_flight {
            return Err(Violation::new(ReasonCode::ProtocolError, "PUBREC for a QoS 1 message"));
        }
        self.send(from.connection, Packet::Pubrel(not_found(from.version, pubrec)));
        Ok(())
    }

    /// No QoS 2 message was ever taken, so none is released. The Client can forget it all the same.
    pub(super) fn pubrel(&mut self, from: Established, pubrel: &Acknowledgement) -> Result<(), Violation> {
        self.send(from.connection, Packet::Pubcomp(not_found(from.version, pubrel)));
        Ok(())
    }
}

fn not_found(version: ProtocolVersion, received: &Acknowledgement) -> Acknowledgement {
    match version {
        ProtocolVersion::V5_0 => Acknowledgement {
            reason: ReasonCode::PacketIdentifierNotFound,
            ..Acknowledgement::success(received.packet_id)
        },
        _ => Acknowledgement::success(received.packet_id),
    }
}
