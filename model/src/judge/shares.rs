//! Shared Subscriptions across sessions: a message goes to one member of the group.
//!
//! Each session by itself may be the one that is chosen. What no session can see, two deliveries of one message, is
//! counted here.

use super::Judge;
use crate::packet::Qos;
use crate::server::vocabulary::SenderKey;
use crate::server::{Breach, ConnectionId, Context, FilterKey, MessageKey, Output, Rule};
use std::collections::{BTreeMap, BTreeSet};
use std::iter::repeat_n;

/// Deliveries that are remembered: far more than are open at once.
const REMEMBERED: usize = 1024;

/// The deliveries of Shared Subscriptions.
#[derive(Debug, Clone, Default, Hash)]
pub(super) struct SharedDeliveries {
    /// Whether there ever was a Shared Subscription.
    pub(super) any: bool,
    chosen: BTreeMap<(MessageKey, FilterKey), Chosen>,
    /// Messages that the server has taken over while a group certainly had members.
    due: BTreeSet<(MessageKey, FilterKey)>,
}

/// The member that a message went to.
#[derive(Debug, Clone, Copy, Hash)]
struct Chosen {
    sender: SenderKey,
    /// Its connections until then: after one more the server may choose another (4.8.2).
    connections: u32,
    qos: Qos,
}

impl Judge {
    /// What the other members of a Shared Subscription may leave to one that joins.
    pub(super) fn inherited(&mut self, joining: SenderKey, filter: FilterKey) -> Vec<MessageKey> {
        if !self.vocabulary.is_shared(filter) {
            return Vec::new();
        }
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        let (mut inherited, mut too_wide) = (Vec::new(), Vec::new());
        for (member, track) in self.tracks.iter().filter(|(member, _)| **member != joining) {
            match track.may_leave(&context, filter) {
                Some(left) => inherited.extend(left.into_iter().flat_map(|(message, times)| repeat_n(message, times))),
                None => too_wide.push(*member),
            }
        }
        self.give_up(&too_wide);
        inherited
    }

    /// The server has taken a message over: one member of each group is to have it.
    pub(super) fn share_out(&mut self, message: MessageKey) {
        if !self.shared.any {
            return;
        }
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        let groups: BTreeSet<FilterKey> =
            self.tracks.values().flat_map(|track| track.certain_shares(&context, message)).collect();
        self.shared.due.extend(groups.into_iter().map(|filter| (message, filter)));
        while self.shared.due.len() > REMEMBERED {
            self.shared.due.pop_first();
        }
    }

    /// Whether a message still waits for a member of a group, and there is one that could have it.
    pub(super) fn owes_share(&self) -> bool {
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        let waits = |due: &&(MessageKey, FilterKey)| !self.shared.chosen.contains_key(due);
        self.shared
            .due
            .iter()
            .filter(waits)
            .any(|(_, filter)| self.tracks.values().any(|track| track.is_ready_for(&context, *filter)))
    }

    /// A delivery that a session may take: is its message one that another member of the group has?
    pub(super) fn check_share(&mut self, connection: ConnectionId, output: &Output) -> Result<(), Breach> {
        let Output::Publish { content, qos, dup: false, .. } = output else { return Ok(()) };
        if !self.shared.any {
            return Ok(());
        }
        let Some((sender, version)) =
            self.readings.get(&connection).and_then(|reading| Some((reading.sender?, reading.version()?)))
        else {
            return Ok(());
        };
        let mut fitting = self.vocabulary.messages().filter(|(_, message)| message.content(version) == *content);
        // Of messages alike nobody can tell which one it is.
        let (Some((message, _)), None) = (fitting.next(), fitting.next()) else { return Ok(()) };
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        let Some(filter) = self.tracks.get(&sender).and_then(|track| track.only_share(&context, message)) else {
            return Ok(());
        };
        let connections = |sender: SenderKey| self.tracks.get(&sender).map_or(0, |track| track.connections());
        if let Some(chosen) = self.shared.chosen.get(&(message, filter)) {
            // What ends a connection may not have been seen there by the time that its message comes elsewhere.
            let may_be_gone = || self.tracks.get(&chosen.sender).is_none_or(|track| track.may_be_gone(&context));
            let is_gone = connections(chosen.sender) != chosen.connections || may_be_gone();
            let gone = is_gone && chosen.qos < Qos::ExactlyOnce;
            if chosen.sender != sender && !gone {
                let (message, filter) = (self.vocabulary.describe(message), self.vocabulary.filter_text(filter));
                let expected = format!("no delivery of {message}: another member of `{filter}` has it");
                return Err(Breach::of(Rule::SharedDeliveryIsMadeOnce, expected));
            }
        }
        let chosen = Chosen { sender, connections: connections(sender), qos: *qos };
        self.shared.chosen.insert((message, filter), chosen);
        if self.shared.chosen.len() > REMEMBERED {
            self.shared.chosen.pop_first();
        }
        Ok(())
    }
}
