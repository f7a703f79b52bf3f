//! Retained messages: one for each topic, sent to those who subscribe later.

use super::broker::{Core, Milliseconds};
use super::delivery::Copy;
use super::message::Message;
use super::session::SessionId;
use super::subscriptions::Subscription;
use crate::settings::Limits;
use crate::switch::Switch;
use model::packet::Utf8String;
use model::topic::TopicFilter;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// The retained message of each topic that has one.
#[derive(Debug, Default)]
pub(super) struct Retained {
    by_topic: BTreeMap<Utf8String, Arc<Message>>,
    bytes: usize,
}

impl Retained {
    /// Whether the message can become its topic's retained message within the bounds. One that clears always can.
    pub(super) fn has_room_for(&self, topic: &str, payload: &[u8], limits: &Limits) -> bool {
        let (count, bytes) = match self.by_topic.get(topic) {
            Some(replaced) => (self.by_topic.len() - 1, self.bytes - replaced.size()),
            None => (self.by_topic.len(), self.bytes),
        };
        let fits = count < limits.retained_messages && bytes + topic.len() + payload.len() <= limits.retained_bytes;
        payload.is_empty() || fits
    }

    /// Whether a topic has one.
    fn has(&self, topic: &str) -> bool {
        self.by_topic.contains_key(topic)
    }

    /// Replaces the topic's retained message (MQTT-3.3.1-5), or clears it if this one is empty (MQTT-3.3.1-6).
    fn store(&mut self, message: &Arc<Message>) {
        if let Some(replaced) = self.by_topic.remove(&message.topic) {
            self.bytes -= replaced.size();
        }
        if !message.payload.is_empty() {
            self.bytes += message.size();
            self.by_topic.insert(message.topic.clone(), Arc::clone(message));
        }
    }

    /// Lets go of the messages that have expired.
    pub(super) fn sweep(&mut self, now: Milliseconds) {
        self.by_topic.retain(|_, message| !message.has_expired(now));
        self.bytes = self.by_topic.values().map(|message| message.size()).sum();
    }

    /// The messages that a new subscriber gets, by topic.
    fn matching(&self, filter: &TopicFilter, now: Milliseconds) -> Vec<Arc<Message>> {
        // Topics that match begin with what stands before the first wildcard, except for the `/` of a final `/#`.
        let begin = filter.pattern().split(['+', '#']).next().unwrap_or_default().trim_end_matches('/');
        self.by_topic
            .range::<str, _>((Bound::Included(begin), Bound::Unbounded))
            .take_while(|(topic, _)| topic.starts_with(begin))
            .filter(|(topic, message)| filter.matches(topic) && !message.has_expired(now))
            .map(|(_, message)| Arc::clone(message))
            .collect()
    }
}

impl Core {
    /// Keeps a message that is to be retained, as far as there is room.
    pub(super) fn retain(&mut self, message: &Arc<Message>) {
        let keeps_old = match message.payload.is_empty() {
            true => self.settings.misbehaves(Switch::RetainedNotDeleted),
            false => self.settings.misbehaves(Switch::RetainedNotReplaced) && self.retained.has(&message.topic),
        };
        let has_room = self.retained.has_room_for(&message.topic, &message.payload, &self.settings.limits);
        if message.retain && has_room && !keeps_old {
            self.retained.store(message);
        }
    }

    /// Sends the retained messages that match a filter to the session that subscribed to it, with RETAIN 1
    /// (MQTT-3.3.1-8 of 3.1.1), whatever its Retain As Published.
    pub(super) fn send_retained(&mut self, id: SessionId, filter: &TopicFilter, subscription: Subscription) {
        for message in self.retained.matching(filter, self.now) {
            // MQTT-3.8.3-3 knows no difference between live and retained.
            let is_own = self.sessions.of_owner(&message.origin.owner) == Some(id);
            if !(subscription.no_local && is_own) {
                let qos = self.delivered_qos(&message, subscription.qos);
                let identifiers = subscription.identifier.into_iter().collect();
                self.deliver(id, Copy { message, qos, retain: true, identifiers, share: None, since: self.now });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::login::Owner;
    use crate::core::message::Origin;
    use model::packet::{Delivery, Publish, PublishProperties};

    fn message(topic: &str, payload: &str) -> Arc<Message> {
        let topic = Utf8String::new(topic).unwrap();
        let publish = Publish {
            delivery: Delivery::AtMostOnce,
            retain: true,
            topic: topic.clone(),
            properties: PublishProperties::default(),
            payload: payload.as_bytes().to_vec(),
        };
        Arc::new(Message::from_publish(publish, topic, Origin { owner: Owner::Client(Utf8String::default()), at: 0 }))
    }

    #[test]
    fn the_index_finds_exactly_what_matches() {
        let topics = ["a", "a/", "a/b", "a/b/c", "a0", "ab", "b/a", "/", "/a", "$SYS/a", "\u{e9}/a"];
        let mut retained = Retained::default();
        topics.iter().for_each(|topic| retained.store(&message(topic, "m")));
        for filter in ["a", "a/#", "a/+", "#", "+", "+/a", "/#", "/+", "a/b/#", "a/+/c", "$SYS/#", "\u{e9}/+", "x/#"] {
            let filter: TopicFilter = filter.parse().unwrap();
            let found: Vec<String> =
                retained.matching(&filter, 0).iter().map(|message| message.topic.to_string()).collect();
            let mut expected: Vec<&str> = topics.into_iter().filter(|topic| filter.matches(topic)).collect();
            expected.sort_unstable();
            assert_eq!(found, expected, "{filter}");
        }
    }

    #[test]
    fn replacing_and_clearing_keep_the_account_of_bytes() {
        let mut retained = Retained::default();
        for (topic, payload, bytes) in [("t", "1", 2), ("t", "123", 4), ("u", "", 4), ("u", "1", 6), ("t", "", 2)] {
            retained.store(&message(topic, payload));
            assert_eq!(retained.bytes, bytes, "{topic} {payload}");
        }
    }
}
