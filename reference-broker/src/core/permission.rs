//! Whose topics: a device publishes and subscribes to those of its classes, and to no other device's (P-TOP-5, P-TOP-6).
//! Clients that are no devices may use every topic.

use super::broker::Core;
use super::login::Owner;
use crate::switch::Switch;
use model::profile::TopicPattern;
use model::topic::TopicFilter;

impl Core {
    /// Whether the owner of a session may publish to a topic.
    pub(super) fn may_publish(&self, owner: &Owner, topic: &str) -> bool {
        // P-TOP-17: vendor clients append the number of their request.
        let topic = topic.split_once("?_rid=").map_or(topic, |(topic, _)| topic);
        if self.settings.misbehaves(Switch::CustomTopicsRefused) && owner.device().is_some() && topic.contains("/user/")
        {
            return false;
        }
        covers(&self.settings.topic_classes.publish, owner, topic)
            || self.settings.misbehaves(Switch::ForeignTopicPublished)
    }

    /// Whether the owner of a session may subscribe to a filter.
    pub(super) fn may_subscribe(&self, owner: &Owner, filter: &TopicFilter) -> bool {
        if self.settings.misbehaves(Switch::SystemTopicsRefused) && !filter.pattern().contains("/user/") {
            return false;
        }
        covers(&self.settings.topic_classes.subscribe, owner, filter.pattern())
            || self.settings.misbehaves(Switch::ForeignFilterGranted)
    }
}

fn covers(patterns: &[TopicPattern], owner: &Owner, filter: &str) -> bool {
    match owner {
        Owner::Client(_) => true,
        Owner::Device(device) => {
            patterns.iter().any(|pattern| pattern.covers(device.product_key(), device.name(), filter))
        }
        // It is there for its answer only.
        Owner::Nobody(_) => false,
    }
}
