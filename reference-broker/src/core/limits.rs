//! The dialect's bounds on topics and properties.

use super::broker::Core;
use crate::settings::Limits;
use crate::switch::Switch;
use model::packet::{PublishProperties, ReasonCode, UserProperty};
use model::profile::called_topic;

/// A bound that a packet exceeds.
#[derive(Debug)]
pub(super) struct Exceeded {
    pub(super) reason: ReasonCode,
    pub(super) says: String,
}

impl Exceeded {
    pub(super) fn new(reason: ReasonCode, says: impl Into<String>) -> Exceeded {
        Exceeded { reason, says: says.into() }
    }
}

impl Core {
    /// Whether a Topic Name or Topic Filter is within the bounds.
    pub(super) fn admits_topic(&self, topic: &str) -> bool {
        let limits = &self.settings.limits;
        let topic = called_topic(topic);
        let is_within = topic.len() <= limits.topic_bytes && separators(topic) <= limits.topic_separators;
        is_within || self.settings.misbehaves(Switch::TopicLengthNotChecked)
    }
}

/// Slashes in a Topic Name or Topic Filter.
pub(super) fn separators(topic: &str) -> usize {
    topic.bytes().filter(|&byte| byte == b'/').count()
}

/// The properties of a PUBLISH.
pub(super) fn check_publish(limits: &Limits, properties: &PublishProperties) -> Result<(), Exceeded> {
    check_user_properties(limits, &properties.user_properties)?;
    let response_topic = properties.response_topic.as_ref().map_or(0, |topic| topic.chars().count());
    if response_topic > limits.response_topic_characters {
        let says = format!("response topic is limited to {} characters", limits.response_topic_characters);
        return Err(Exceeded::new(ReasonCode::QuotaExceeded, says));
    }
    let correlation_data = properties.correlation_data.as_ref().map_or(0, Vec::len);
    if correlation_data > limits.correlation_data_bytes {
        let says = format!("correlation data is limited to {} bytes", limits.correlation_data_bytes);
        return Err(Exceeded::new(ReasonCode::QuotaExceeded, says));
    }
    Ok(())
}

/// The User Properties of a CONNECT or PUBLISH.
pub(super) fn check_user_properties(limits: &Limits, properties: &[UserProperty]) -> Result<(), Exceeded> {
    if properties.len() > limits.user_properties {
        let says = format!("user properties are limited to {}", limits.user_properties);
        return Err(Exceeded::new(ReasonCode::QuotaExceeded, says));
    }
    for (name, value) in properties {
        if let Some(prefix) = limits.reserved_name_prefix.filter(|&prefix| name.starts_with(prefix)) {
            let says = format!("user property names beginning with {prefix} are reserved");
            return Err(Exceeded::new(ReasonCode::PayloadFormatInvalid, says));
        }
        if name.chars().count() + value.chars().count() > limits.user_property_characters {
            let says = format!("user property is limited to {} characters", limits.user_property_characters);
            return Err(Exceeded::new(ReasonCode::PayloadFormatInvalid, says));
        }
    }
    Ok(())
}
