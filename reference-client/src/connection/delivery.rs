//! Messages from the Server.

use super::state::{Connection, Event};
use crate::Received;
use model::packet::{Acknowledgement, Packet, PacketId, ProtocolVersion, Publish, Qos, ReasonCode, Utf8String};
use model::topic::TopicName;
use std::time::Duration;

impl Connection {
    /// A message is handed over before it is acknowledged: who acknowledges has it (MQTT-4.3.2-4, MQTT-4.3.3-8). The next
    /// packet is taken after that, so acknowledgements keep the order of the messages (MQTT-4.6.0-2 and -3).
    pub(super) fn take_publish(&mut self, publish: Publish, now: Duration) {
        let Some(topic) = self.resolve(&publish) else { return };
        if let Some(packet_id) = publish.packet_id().filter(|_| publish.qos() == Qos::ExactlyOnce)
            && !self.receive_exactly_once(packet_id, now)
        {
            return;
        }
        let acknowledgement = publish.packet_id().map(|packet_id| match publish.qos() {
            Qos::AtMostOnce | Qos::AtLeastOnce => Packet::Puback(Acknowledgement::success(packet_id)),
            Qos::ExactlyOnce => Packet::Pubrec(Acknowledgement::success(packet_id)),
        });
        let (qos, dup, retain) = (publish.qos(), publish.dup(), publish.retain);
        let Publish { payload, mut properties, .. } = publish;
        // It belongs to this connection, not to the message.
        properties.topic_alias = None;
        let message = Received { topic, payload, qos, retain, dup, properties };
        self.hand_over(Event::Message(message), acknowledgement, now);
    }

    /// Whether a QoS 2 message is new; a repetition is answered and not handed over again (MQTT-4.3.3-10).
    fn receive_exactly_once(&mut self, packet_id: PacketId, now: Duration) -> bool {
        if self.session.received.contains(&packet_id) {
            self.answer(&Packet::Pubrec(Acknowledgement::success(packet_id)), now);
            return false;
        }
        let announced = usize::from(self.options.receive_maximum.get());
        if self.options.version == ProtocolVersion::V5_0 && self.session.received.len() >= announced {
            // MQTT-3.3.4-9. QoS 1 messages are acknowledged one by one and cannot exceed it.
            let what = format!("more than {announced} messages are unacknowledged, the Receive Maximum");
            self.violation(ReasonCode::ReceiveMaximumExceeded, what);
            return false;
        }
        self.session.received.insert(packet_id);
        true
    }

    /// The Topic Name, from the alias if need be; `None`: the Server broke a rule, and the connection is over.
    fn resolve(&mut self, publish: &Publish) -> Option<Utf8String> {
        let alias = publish.properties.topic_alias;
        if let Some(alias) = alias.filter(|alias| alias.get() > self.options.topic_alias_maximum) {
            let maximum = self.options.topic_alias_maximum;
            let what = format!("topic alias {alias} is above the Topic Alias Maximum {maximum}");
            self.violation(ReasonCode::TopicAliasInvalid, what);
            return None;
        }
        let topic = match (publish.topic.is_empty(), alias) {
            (false, _) => publish.topic.clone(),
            (true, Some(alias)) => match self.aliases.get(&alias) {
                Some(topic) => topic.clone(),
                None => {
                    self.violation(ReasonCode::ProtocolError, format!("topic alias {alias} stands for nothing yet"));
                    return None;
                }
            },
            (true, None) => {
                self.violation(ReasonCode::ProtocolError, "a PUBLISH has neither topic name nor topic alias");
                return None;
            }
        };
        if let Err(error) = topic.parse::<TopicName>() {
            self.violation(ReasonCode::TopicNameInvalid, format!("{:?} is no topic name: {error}", topic.as_str()));
            return None;
        }
        if let Some(response) = &publish.properties.response_topic
            && let Err(error) = response.parse::<TopicName>()
        {
            let what = format!("{:?} is no response topic: {error}", response.as_str());
            self.violation(ReasonCode::ProtocolError, what);
            return None;
        }
        if let Some(alias) = alias {
            self.aliases.insert(alias, topic.clone());
        }
        Some(topic)
    }

    /// PUBREL ends a QoS 2 delivery (MQTT-4.3.3-11). An unknown one is answered as well: after a lost PUBCOMP the Server
    /// repeats it.
    pub(super) fn take_pubrel(&mut self, pubrel: &Acknowledgement, now: Duration) {
        let known = self.session.received.remove(&pubrel.packet_id);
        let reason = match (known, self.options.version) {
            (false, ProtocolVersion::V5_0) => ReasonCode::PacketIdentifierNotFound,
            _ => ReasonCode::Success,
        };
        self.answer(&Packet::Pubcomp(Acknowledgement { reason, ..Acknowledgement::success(pubrel.packet_id) }), now);
    }
}
