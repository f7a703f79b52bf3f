//! Retained messages: what a server holds for each topic, and which of it a new subscription meets.
//!
//! Who watches does not know in which order a server takes the messages of different clients. So each topic has a list of
//! candidates, each with the span in which the server has taken it over: one that has certainly been replaced is dropped.
//! The checker takes messages one by one, and the list has one entry.

use super::vocabulary::{MessageKey, TopicKey};
use std::collections::BTreeMap;

/// The retained messages of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RetainedMessages {
    topics: BTreeMap<TopicKey, Vec<Candidate>>,
    /// Counts what happens, so that spans can be compared.
    steps: u32,
}

/// A message with RETAIN that may be what the server holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Candidate {
    message: MessageKey,
    /// Whether its payload is empty: then nothing is held (5.0: MQTT-3.3.1-6, 3.1.1: MQTT-3.3.1-10).
    clears: bool,
    /// Whether the server may leave it: it is never relied upon.
    doubtful: bool,
    sent: u32,
    /// When it was certainly taken over.
    taken: Option<u32>,
}

/// A retained message that a subscription may meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Met {
    /// The message.
    pub message: MessageKey,
    /// Whether it is certainly the one that the server holds.
    pub certain: bool,
}

impl RetainedMessages {
    /// A message with RETAIN is on its way to the server.
    pub fn sent(&mut self, topic: TopicKey, message: MessageKey, clears: bool, doubtful: bool) {
        self.steps += 1;
        let candidates = self.topics.entry(topic).or_default();
        if !candidates.iter().any(|known| known.message == message) {
            candidates.push(Candidate { message, clears, doubtful, sent: self.steps, taken: None });
        }
    }

    /// The server has taken it over: it stands in place of any earlier one (3.1.1: MQTT-3.3.1-5; 5.0: MQTT-3.3.1-5).
    pub fn taken(&mut self, topic: TopicKey, message: MessageKey) {
        self.steps += 1;
        let now = self.steps;
        let Some(candidates) = self.topics.get_mut(&topic) else { return };
        let Some(candidate) = candidates.iter_mut().find(|known| known.message == message) else { return };
        candidate.taken = Some(now);
        if candidate.doubtful {
            return;
        }
        let sent = candidate.sent;
        candidates.retain(|known| known.taken.is_none_or(|taken| taken >= sent));
        if let [only] = &candidates[..]
            && only.clears
        {
            self.topics.remove(&topic);
        }
        self.restart_count();
    }

    /// The server may have taken it over.
    pub fn doubted(&mut self, topic: TopicKey, message: MessageKey) {
        let candidates = self.topics.get_mut(&topic).into_iter().flatten();
        candidates.filter(|known| known.message == message).for_each(|known| known.doubtful = true);
        self.taken(topic, message);
    }

    /// When nothing is on its way the count begins anew: so the checker sees that two worlds are the same.
    fn restart_count(&mut self) {
        let is_settled = |candidates: &Vec<Candidate>| matches!(&candidates[..], [only] if only.taken.is_some());
        if self.topics.values().all(is_settled) {
            self.steps = 0;
            for only in self.topics.values_mut().flatten() {
                only.sent = 0;
                only.taken = Some(0);
            }
        }
    }

    /// The server has refused it.
    pub fn refused(&mut self, topic: TopicKey, message: MessageKey) {
        if let Some(candidates) = self.topics.get_mut(&topic) {
            candidates.retain(|known| known.message != message);
            if candidates.is_empty() {
                self.topics.remove(&topic);
            }
        }
    }

    /// What a subscription meets on the topics that fit it.
    pub fn met_by(&self, fits: impl Fn(TopicKey) -> bool) -> Vec<Met> {
        let topics = self.topics.iter().filter(|(topic, _)| fits(**topic));
        let met = topics.flat_map(|(_, candidates)| {
            let certain = matches!(&candidates[..], [Candidate { taken: Some(_), doubtful: false, .. }]);
            let held = candidates.iter().filter(|candidate| !candidate.clears);
            held.map(move |candidate| Met { message: candidate.message, certain })
        });
        met.collect()
    }

    /// Every message that it may hold.
    pub fn messages(&self) -> impl Iterator<Item = MessageKey> {
        self.topics.values().flatten().map(|candidate| candidate.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: TopicKey = TopicKey(0);

    fn met(store: &RetainedMessages) -> Vec<(u32, bool)> {
        store.met_by(|_| true).iter().map(|met| (met.message.0, met.certain)).collect()
    }

    #[test]
    fn the_last_one_taken_is_held() {
        let mut store = RetainedMessages::default();
        store.sent(TOPIC, MessageKey(1), false, false);
        assert_eq!(met(&store), [(1, false)], "on its way");
        store.taken(TOPIC, MessageKey(1));
        assert_eq!(met(&store), [(1, true)]);
        store.sent(TOPIC, MessageKey(2), false, false);
        assert_eq!(met(&store), [(1, false), (2, false)]);
        store.taken(TOPIC, MessageKey(2));
        assert_eq!(met(&store), [(2, true)]);
        store.sent(TOPIC, MessageKey(3), true, false);
        store.taken(TOPIC, MessageKey(3));
        assert_eq!(met(&store), []);
    }

    #[test]
    fn two_at_once_leave_it_open_which_one_is_held() {
        let mut store = RetainedMessages::default();
        store.sent(TOPIC, MessageKey(1), false, false);
        store.sent(TOPIC, MessageKey(2), true, false);
        store.taken(TOPIC, MessageKey(1));
        store.taken(TOPIC, MessageKey(2));
        assert_eq!(met(&store), [(1, false)]);
        store.sent(TOPIC, MessageKey(4), false, true);
        store.taken(TOPIC, MessageKey(4));
        assert_eq!(met(&store), [(1, false), (4, false)], "one in doubt replaces nothing");
        store.refused(TOPIC, MessageKey(4));
        assert_eq!(met(&store), [(1, false)]);
    }
}
