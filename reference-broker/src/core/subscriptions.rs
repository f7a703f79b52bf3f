//! The index of all subscriptions: a trie of topic levels.
//!
//! Nodes live in one vector and name each other by number: a filter of a thousand levels then costs no recursion, neither
//! to walk nor to drop.

use super::session::SessionId;
use super::share::Group;
use model::packet::{Qos, SubscriptionIdentifier};
use model::topic::TopicFilter;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a session was granted for one filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subscription {
    /// Granted QoS.
    pub(super) qos: Qos,
    /// No Local.
    pub(super) no_local: bool,
    /// Retain As Published.
    pub(super) retain_as_published: bool,
    /// Subscription Identifier.
    pub(super) identifier: Option<SubscriptionIdentifier>,
}

/// A subscription that matches a topic.
#[derive(Debug)]
pub(super) struct Match {
    pub(super) session: SessionId,
    pub(super) subscription: Subscription,
    /// The filter of the Shared Subscription whose turn it is.
    pub(super) share: Option<Arc<TopicFilter>>,
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
    /// Shared Subscriptions by ShareName.
    groups: BTreeMap<Box<str>, Group>,
}

const ROOT: usize = 0;

impl Default for Subscriptions {
    fn default() -> Self {
        Subscriptions { nodes: vec![Node::default()], free: Vec::new() }
    }
}

impl Subscriptions {
    /// Subscribes a session to a filter; a subscription it has with the same filter is replaced.
    pub(super) fn insert(&mut self, filter: &TopicFilter, session: SessionId, subscription: Subscription) {
        let mut node = ROOT;
        for level in filter.pattern().split('/') {
            node = match self.nodes[node].children.get(level) {
                Some(&child) => child,
                None => self.add_child(node, level),
            };
        }
        self.nodes[node].insert(filter, session, subscription);
    }

    /// Ends the session's subscription with exactly this filter; `false` if there is none.
    pub(super) fn remove(&mut self, filter: &TopicFilter, session: SessionId) -> bool {
        let mut path = Vec::new();
        let mut node = ROOT;
        for level in filter.pattern().split('/') {
            let Some(&child) = self.nodes[node].children.get(level) else { return false };
            path.push((node, level));
            node = child;
        }
        if !self.nodes[node].remove(filter, session) {
            return false;
        }
        while let Some((parent, level)) = path.pop() {
            if !self.nodes[node].is_empty() {
                break;
            }
            self.nodes[parent].children.remove(level);
            self.free.push(node);
            node = parent;
        }
        true
    }

    /// Visits every subscription whose filter matches the Topic Name; of Shared Subscriptions with the same filter the
    /// one whose turn it is. A session with overlapping subscriptions is visited once for each; the order is fixed, but
    /// means nothing.
    pub(super) fn matching(
        &mut self,
        topic: &str,
        is_connected: impl Fn(SessionId) -> bool,
        mut visit: impl FnMut(Match),
    ) {
        let levels: Vec<&str> = topic.split('/').collect();
        let mut open = vec![(ROOT, 0)];
        while let Some((node, depth)) = open.pop() {
            let children = &self.nodes[node].children;
            // A wildcard in front does not match topics of the server (MQTT-4.7.2-1).
            let wildcards_match = depth > 0 || !topic.starts_with('$');
            let rest = children.get("#").copied().filter(|_| wildcards_match);
            match levels.get(depth) {
                None => self.nodes[node].visit(&is_connected, &mut visit),
                Some(&level) => {
                    open.extend(children.get(level).map(|&child| (child, depth + 1)));
                    if wildcards_match {
                        open.extend(children.get("+").map(|&child| (child, depth + 1)));
                    }
                }
            }
            if let Some(rest) = rest {
                self.nodes[rest].visit(&is_connected, &mut visit);
            }
        }
    }

    /// The Shared Subscription with this filter whose turn it is.
    pub(super) fn choose(
        &mut self,
        filter: &TopicFilter,
        is_connected: impl Fn(SessionId) -> bool,
    ) -> Option<(SessionId, Subscription)> {
        let mut node = ROOT;
        for level in filter.pattern().split('/') {
            node = *self.nodes[node].children.get(level)?;
        }
        self.nodes[node].groups.get_mut(filter.share()?)?.choose(is_connected)
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

impl Node {
    fn insert(&mut self, filter: &TopicFilter, session: SessionId, subscription: Subscription) {
        match filter.share() {
            None => {
                self.subscribers.insert(session, subscription);
            }
            Some(name) => {
                self.groups.entry(name.into()).or_insert_with(|| Group::new(filter)).insert(session, subscription);
            }
        }
    }

    fn remove(&mut self, filter: &TopicFilter, session: SessionId) -> bool {
        let Some(name) = filter.share() else { return self.subscribers.remove(&session).is_some() };
        let Some(group) = self.groups.get_mut(name) else { return false };
        let removed = group.remove(session);
        if group.is_empty() {
            self.groups.remove(name);
        }
        removed
    }

    fn is_empty(&self) -> bool {
        self.children.is_empty() && self.subscribers.is_empty() && self.groups.is_empty()
    }

    fn visit(&mut self, is_connected: impl Fn(SessionId) -> bool, mut visit: impl FnMut(Match)) {
        for (&session, &subscription) in &self.subscribers {
            visit(Match { session, subscription, share: None });
        }
        for group in self.groups.values_mut() {
            if let Some((session, subscription)) = group.choose(&is_connected) {
                visit(Match { session, subscription, share: Some(Arc::clone(&group.filter)) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Subscription =
        Subscription { qos: Qos::AtMostOnce, no_local: false, retain_as_published: false, identifier: None };

    fn filter(text: &str) -> TopicFilter {
        text.parse().unwrap()
    }

    fn receivers(index: &mut Subscriptions, topic: &str) -> Vec<u64> {
        let mut seen = Vec::new();
        index.matching(topic, |_| true, |found| seen.push(found.session.0));
        seen
    }

    fn matches(pattern: &str, topic: &str) -> bool {
        let mut index = Subscriptions::default();
        index.insert(&filter(pattern), SessionId(1), ANY);
        let visits = receivers(&mut index, topic).len();
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
        let (deep, shallow, shared) = (filter("a/+/c"), filter("a"), filter("$share/g/a/+/c"));
        for round in 0..3 {
            for session in 1..=2 {
                for filter in [&deep, &shallow, &shared] {
                    index.insert(filter, SessionId(session), ANY);
                }
            }
            assert!(index.remove(&deep, SessionId(1)));
            assert!(!index.remove(&deep, SessionId(1)));
            assert!(!index.remove(&filter("a/+"), SessionId(1)), "an inner node is no subscription");
            assert!(!index.remove(&filter("$share/h/a/+/c"), SessionId(1)), "another ShareName is another group");
            assert_eq!(receivers(&mut index, "a/b/c"), [2, 1], "the turn of the group begins with its first member");
            assert_eq!(receivers(&mut index, "a/b/c"), [2, 2]);
            for session in 1..=2 {
                assert!(index.remove(&shallow, SessionId(session)) && index.remove(&shared, SessionId(session)));
            }
            assert!(index.remove(&deep, SessionId(2)));
            assert!(index.is_empty());
            assert_eq!(index.nodes.len(), 4, "nodes are used again in round {round}");
        }
    }

    #[test]
    fn the_deepest_filter_that_a_packet_can_carry_needs_no_stack() {
        let deep = "/".repeat(65_535);
        let mut index = Subscriptions::default();
        index.insert(&filter(&deep), SessionId(1), ANY);
        assert_eq!(receivers(&mut index, &deep), [1]);
        assert!(index.remove(&filter(&deep), SessionId(1)));
    }
}
