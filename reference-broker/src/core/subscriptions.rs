//! The index of all subscriptions: a trie of topic levels.
//!
//! Nodes live in one vector and name each other by number: a filter of a thousand levels then costs no recursion, neither
//! to walk nor to drop.

use super::session::SessionId;
use model::packet::Qos;
use std::collections::BTreeMap;

/// What a session was granted for one filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subscription {
    /// Granted QoS.
    pub(super) qos: Qos,
    /// No Local.
    pub(super) no_local: bool,
    /// Retain As Published.
    pub(super) retain_as_published: bool,
}

/// Subscriptions of all sessions by Topic Filter.
#[derive(Debug)]
pub(super) struct Subscriptions {
    nodes: Vec<Node>,
    free: Vec<usize>,
}

/// The filters that share a sequence of levels; wildcards are levels named `+` and `#`.
#[derive(Debug, Default)]
struct Node {
    children: BTreeMap<Box<str>, usize>,
    subscribers: BTreeMap<SessionId, Subscription>,
}

const ROOT: usize = 0;

impl Default for Subscriptions {
    fn default() -> Self {
        Subscriptions { nodes: vec![Node::default()], free: Vec::new() }
    }
}

impl Subscriptions {
    /// Subscribes a session to a valid filter; a subscription it has with the same filter is replaced.
    pub(super) fn insert(&mut self, filter: &str, session: SessionId, subscription: Subscription) {
        let mut node = ROOT;
        for level in filter.split('/') {
            node = match self.nodes[node].children.get(level) {
                Some(&child) => child,
                None => self.add_child(node, level),
            };
        }
        self.nodes[node].subscribers.insert(session, subscription);
    }

    /// Ends the session's subscription with exactly this filter; `false` if there is none.
    pub(super) fn remove(&mut self, filter: &str, session: SessionId) -> bool {
        let mut path = Vec::new();
        let mut node = ROOT;
        for level in filter.split('/') {
            let Some(&child) = self.nodes[node].children.get(level) else { return false };
            path.push((node, level));
            node = child;
        }
        if self.nodes[node].subscribers.remove(&session).is_none() {
            return false;
        }
        while let Some((parent, level)) = path.pop() {
            if !self.nodes[node].children.is_empty() || !self.nodes[node].subscribers.is_empty() {
                break;
            }
            self.nodes[parent].children.remove(level);
            self.free.push(node);
            node = parent;
        }
        true
    }

    /// Visits every subscription whose filter matches the Topic Name. A session with overlapping subscriptions is
    /// visited once for each; the order is fixed, but means nothing.
    pub(super) fn matching(&self, topic: &str, mut visit: impl FnMut(SessionId, Subscription)) {
        let levels: Vec<&str> = topic.split('/').collect();
        let mut visit_all = |node: usize| {
            for (&session, &subscription) in &self.nodes[node].subscribers {
                visit(session, subscription);
            }
        };
        let mut open = vec![(ROOT, 0)];
        while let Some((node, depth)) = open.pop() {
            let children = &self.nodes[node].children;
            // A wildcard in front does not match topics of the server (MQTT-4.7.2-1).
            let wildcards_match = depth > 0 || !topic.starts_with('$');
            if wildcards_match && let Some(&rest) = children.get("#") {
                visit_all(rest);
            }
            match levels.get(depth) {
                None => visit_all(node),
                Some(&level) => {
                    open.extend(children.get(level).map(|&child| (child, depth + 1)));
                    if wildcards_match {
                        open.extend(children.get("+").map(|&child| (child, depth + 1)));
                    }
                }
            }
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.len() == self.free.len() + 1 && self.nodes[ROOT].children.is_empty()
    }

    fn add_child(&mut self, parent: usize, level: &str) -> usize {
        let child = match self.free.pop() {
            Some(free) => free,
            None => {
                self.nodes.push(Node::default());
                self.nodes.len() - 1
            }
        };
        self.nodes[parent].children.insert(level.into(), child);
        child
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Subscription = Subscription { qos: Qos::AtMostOnce, no_local: false, retain_as_published: false };

    fn matches(filter: &str, topic: &str) -> bool {
        let mut index = Subscriptions::default();
        index.insert(filter, SessionId(1), ANY);
        let mut visits = 0;
        index.matching(topic, |_, _| visits += 1);
        assert!(visits < 2, "one subscription, visited {visits} times");
        visits == 1
    }

    #[test]
    fn filters_match_as_the_standard_says() {
        for (filter, topic) in [
            ("a", "a"),
            ("a/b", "a/b"),
            ("#", "a"),
            ("#", "a/b/c"),
            ("#", "/"),
            ("a/#", "a"),
            ("a/#", "a/b/c"),
            ("a/#", "a/"),
            ("+", "a"),
            ("+/+", "/a"),
            ("/+", "/a"),
            ("+/b/+", "a/b/"),
            ("+/b/#", "a/b"),
            ("a//b", "a//b"),
            ("$SYS/#", "$SYS"),
            ("$SYS/+", "$SYS/a"),
            ("a/+", "a/$b"),
        ] {
            assert!(matches(filter, topic), "{filter} must match {topic}");
        }
        for (filter, topic) in [
            ("a", "A"),
            ("a", "/a"),
            ("a", "a/"),
            ("a/b", "a"),
            ("+", "a/b"),
            ("+", "/a"),
            ("a/+", "a"),
            ("+/b/#", "a/c"),
            ("#", "$SYS/a"),
            ("+/a", "$SYS/a"),
            ("+", "$SYS"),
            ("\u{e9}", "e\u{301}"),
        ] {
            assert!(!matches(filter, topic), "{filter} must not match {topic}");
        }
    }

    #[test]
    fn removal_ends_one_subscription_and_frees_its_nodes() {
        let mut index = Subscriptions::default();
        for round in 0..3 {
            for session in 1..=2 {
                index.insert("a/+/c", SessionId(session), ANY);
                index.insert("a", SessionId(session), ANY);
            }
            assert!(index.remove("a/+/c", SessionId(1)));
            assert!(!index.remove("a/+/c", SessionId(1)));
            assert!(!index.remove("a/+", SessionId(1)), "an inner node is no subscription");
            let mut seen = Vec::new();
            index.matching("a/b/c", |session, _| seen.push(session));
            assert_eq!(seen, [SessionId(2)]);
            assert!(index.remove("a", SessionId(1)) && index.remove("a", SessionId(2)));
            assert!(index.remove("a/+/c", SessionId(2)));
            assert!(index.is_empty());
            assert_eq!(index.nodes.len(), 4, "nodes are used again in round {round}");
        }
    }

    #[test]
    fn the_deepest_filter_that_a_packet_can_carry_needs_no_stack() {
        let deep = "/".repeat(65_535);
        let mut index = Subscriptions::default();
        index.insert(&deep, SessionId(1), ANY);
        let mut seen = 0;
        index.matching(&deep, |_, _| seen += 1);
        assert_eq!(seen, 1);
        assert!(index.remove(&deep, SessionId(1)));
    }
}
