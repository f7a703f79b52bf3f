//! Shared Subscriptions: a group of sessions of which one gets each message (section 4.8.2).

use super::broker::Core;
use super::delivery::{Copy, Delivery};
use super::session::SessionId;
use super::subscriptions::Subscription;
use crate::switch::Switch;
use model::packet::Qos;
use model::topic::TopicFilter;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The sessions with the same ShareName and Topic Filter. They take turns in the order of their sessions.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) filter: Arc<TopicFilter>,
    members: BTreeMap<SessionId, Subscription>,
    /// Whose turn it was last.
    last: SessionId,
}

impl Group {
    pub(super) fn new(filter: &TopicFilter) -> Group {
        Group { filter: Arc::new(filter.clone()), members: BTreeMap::new(), last: SessionId(0) }
    }

    pub(super) fn insert(&mut self, session: SessionId, subscription: Subscription) {
        self.members.insert(session, subscription);
    }

    /// `false` if the session is no member.
    pub(super) fn remove(&mut self, session: SessionId) -> bool {
        self.members.remove(&session).is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The member whose turn it is: those who are connected come first. `None` if there is no member.
    pub(super) fn choose(&mut self, is_connected: impl Fn(SessionId) -> bool) -> Option<(SessionId, Subscription)> {
        let mut turns = self.members.range(SessionId(self.last.0 + 1)..).chain(self.members.range(..=self.last));
        let connected = turns.clone().find(|(session, _)| is_connected(**session));
        let (&session, &subscription) = connected.or_else(|| turns.next())?;
        self.last = session;
        Some((session, subscription))
    }
}

impl Core {
    /// Gives what an ended session had to deliver for its Shared Subscriptions to other members. A message of QoS 2 was
    /// its own: nobody else may get it (MQTT-4.8.2-5).
    pub(super) fn hand_on(&mut self, delivery: Delivery) {
        let hands_on_all = self.settings.misbehaves(Switch::SharedQos2HandedOn);
        let highest = if hands_on_all { Qos::ExactlyOnce } else { Qos::AtLeastOnce };
        // To another member its delivery has not begun (MQTT-3.3.2-5).
        let now = self.now;
        for copy in delivery.into_shared(highest).filter(|copy| !copy.message.has_expired(now)) {
            let Some(filter) = &copy.share else { continue };
            let sessions = &self.sessions;
            let chosen = self.subscriptions.choose(filter, |session| sessions.is_connected(session));
            if let Some((session, subscription)) = chosen {
                let qos = self.delivered_qos(&copy.message, subscription.qos);
                let retain = copy.message.retain && subscription.retain_as_published;
                let identifiers = subscription.identifier.into_iter().collect();
                self.deliver(session, Copy { qos, retain, identifiers, ..copy });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_take_turns_and_the_connected_come_first() {
        let subscription =
            Subscription { qos: Qos::AtMostOnce, no_local: false, retain_as_published: false, identifier: None };
        let mut group = Group::new(&"$share/g/t".parse().unwrap());
        let turns = |group: &mut Group, connected: &[u64], count: usize| -> Vec<u64> {
            let chosen = (0..count).filter_map(|_| group.choose(|session| connected.contains(&session.0)));
            chosen.map(|(session, _)| session.0).collect()
        };
        assert!(turns(&mut group, &[1], 1).is_empty());
        for session in [3, 5, 8] {
            group.insert(SessionId(session), subscription);
        }
        assert_eq!(turns(&mut group, &[3, 5, 8], 5), [3, 5, 8, 3, 5]);
        assert_eq!(turns(&mut group, &[3, 5], 3), [3, 5, 3]);
        assert_eq!(turns(&mut group, &[], 4), [5, 8, 3, 5]);
        assert!(group.remove(SessionId(5)) && !group.remove(SessionId(5)));
        assert_eq!(turns(&mut group, &[3, 8], 2), [8, 3]);
    }
}
