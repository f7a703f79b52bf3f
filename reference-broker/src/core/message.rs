//! An Application Message inside the broker: shared by all sessions that get it.

use super::broker::Milliseconds;
use super::login::Owner;
use model::packet::{Delivery, ProtocolVersion, Publish, PublishProperties, Qos, Utf8String, Will};
use std::num::NonZeroU16;

/// Whose message it is, and when the broker took it.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// The publisher.
    pub(super) owner: Owner,
    pub(super) at: Milliseconds,
}

/// An Application Message as its publisher sent it.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) topic: Utf8String,
    pub(super) payload: Vec<u8>,
    pub(super) qos: Qos,
    /// Whether it is to be retained.
    pub(super) retain: bool,
    pub(super) origin: Origin,
    /// The Topic Alias that the cloud asks for: those of clients mean something on their own connections alone.
    pub(super) topic_alias: Option<NonZeroU16>,
    /// What goes on to subscribers: no Topic Alias, no Subscription Identifier.
    properties: PublishProperties,
}

impl Message {
    /// The message in a PUBLISH, whose Topic Alias has been replaced by `topic`.
    pub(super) fn from_publish(publish: Publish, topic: Utf8String, origin: Origin) -> Message {
        let qos = publish.qos();
        let properties = PublishProperties { topic_alias: None, ..publish.properties };
        Message { topic, payload: publish.payload, qos, retain: publish.retain, origin, topic_alias: None, properties }
    }

    /// The message in a Will that is published now.
    pub(super) fn from_will(will: Will, origin: Origin) -> Message {
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
            origin,
            topic_alias: None,
            properties,
        }
    }

    /// Bytes of topic and payload.
    pub(super) fn size(&self) -> usize {
        self.topic.len() + self.payload.len()
    }

    /// Whether it has waited for longer than its publisher allows (MQTT-3.3.2-5).
    pub(super) fn has_expired(&self, now: Milliseconds) -> bool {
        has_passed(self.properties.message_expiry_interval, self.origin.at, now)
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
            let waited = u32::try_from(now.saturating_sub(self.origin.at) / 1_000).unwrap_or(u32::MAX);
            let mut properties = PublishProperties { topic_alias: self.topic_alias, ..self.properties.clone() };
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

/// Whether an interval of so many seconds is over. What did not wait at all is in time even if it may not wait at all.
pub(super) fn has_passed(seconds: Option<u32>, since: Milliseconds, now: Milliseconds) -> bool {
    let waited = now.saturating_sub(since);
    waited > 0 && seconds.is_some_and(|seconds| waited >= Milliseconds::from(seconds) * 1_000)
}
