//! An Application Message inside the broker: shared by all sessions that get it.

use super::broker::Milliseconds;
use model::packet::{Delivery, ProtocolVersion, Publish, PublishProperties, Qos, Utf8String, Will};

/// An Application Message as its publisher sent it.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) topic: Utf8String,
    pub(super) payload: Vec<u8>,
    pub(super) qos: Qos,
    pub(super) retain: bool,
    /// What goes on to subscribers: no Topic Alias.
    properties: PublishProperties,
    arrived: Milliseconds,
}

impl Message {
    /// The message in a PUBLISH, whose Topic Alias has been replaced by `topic`.
    pub(super) fn from_publish(publish: Publish, topic: Utf8String, arrived: Milliseconds) -> Message {
        let qos = publish.qos();
        let properties = PublishProperties { topic_alias: None, ..publish.properties };
        Message { topic, payload: publish.payload, qos, retain: publish.retain, properties, arrived }
    }

    /// The message in a Will that is published now.
    pub(super) fn from_will(will: Will, now: Milliseconds) -> Message {
        let properties = PublishProperties {
            payload_format_indicator: will.properties.payload_format_indicator,
            message_expiry_interval: will.properties.message_expiry_interval,
            content_type: will.properties.content_type,
            response_topic: will.properties.response_topic,
            correlation_data: will.properties.correlation_data,
            user_properties: will.properties.user_properties,
            ..PublishProperties::default()
        };
        Message {
            topic: will.topic,
            payload: will.payload,
            qos: will.qos,
            retain: will.retain,
            properties,
            arrived: now,
        }
    }

    /// Bytes of topic and payload.
    pub(super) fn size(&self) -> usize {
        self.topic.len() + self.payload.len()
    }

    /// Whether it has waited for longer than it may: as its publisher says (MQTT-3.3.2-5), and at most `seconds`.
    pub(super) fn has_expired(&self, now: Milliseconds, seconds: Option<u32>) -> bool {
        let own = self.properties.message_expiry_interval;
        let waited = now.saturating_sub(self.arrived);
        // What did not wait at all is delivered even if it may not wait at all.
        let limit = own.into_iter().chain(seconds).min().filter(|_| waited > 0);
        limit.is_some_and(|seconds| waited >= Milliseconds::from(seconds) * 1_000)
    }

    /// The PUBLISH that delivers it now; its expiry is counted down by the time it waited (MQTT-3.3.2-6).
    pub(super) fn to_publish(
        &self,
        delivery: Delivery,
        retain: bool,
        version: ProtocolVersion,
        now: Milliseconds,
    ) -> Publish {
        let properties = if version.has_properties() {
            let waited = u32::try_from(now.saturating_sub(self.arrived) / 1_000).unwrap_or(u32::MAX);
            let mut properties = self.properties.clone();
            if let Some(interval) = &mut properties.message_expiry_interval {
                *interval = interval.saturating_sub(waited);
            }
            properties
        } else {
            PublishProperties::default()
        };
        Publish { delivery, retain, topic: self.topic.clone(), properties, payload: self.payload.clone() }
    }
}
