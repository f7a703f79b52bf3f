//! What this session is to others: its subscriptions, and what its Shared Subscriptions may take or leave.

use super::Track;
use super::hypothesis::{Hypothesis, Reach};
use crate::packet::Qos;
use crate::profile::Feature;
use crate::server::delivery::Delivery;
use crate::server::qos_set::QosSet;
use crate::server::session::{Phase, Subscription};
use crate::server::{Context, FilterKey, MessageKey, Session, TopicKey};
use std::collections::{BTreeMap, BTreeSet};

impl Track {
    /// Messages above QoS 0 that a server may give to another member of this Shared Subscription once this session ends, and
    /// how often it has each; none if there are too many states.
    pub(in crate::judge) fn may_leave(
        &self,
        context: &Context<'_>,
        filter: FilterKey,
    ) -> Option<BTreeMap<MessageKey, usize>> {
        let is_meant = |message: MessageKey| {
            let published = context.vocabulary.of(message);
            published.qos > Qos::AtMostOnce && context.vocabulary.matches(filter, published.topic)
        };
        // Of QoS 2 only what has not begun: the rest is for this client or for nobody (5.0: MQTT-4.8.2-4, MQTT-4.8.2-5).
        let may_go = |delivery: &&Delivery| {
            delivery.shares.contains(&filter)
                && (delivery.forms.qos != QosSet::only(Qos::ExactlyOnce) || delivery.progress.id().is_none())
        };
        let reach = self.reached(context);
        if !reach.is_whole {
            return None;
        }
        let mut most: BTreeMap<MessageKey, usize> = BTreeMap::new();
        for Session { kept, floating, .. } in reach.states.into_iter().map(|member| member.session) {
            // Whether it still is a member does not matter to what it was chosen for.
            let held = kept.iter().flat_map(|kept| &kept.deliveries).filter(may_go);
            let held = held.map(|delivery| (delivery.message, 1));
            // What is still on its way to the member may reach it, and then not stay with it.
            let coming = floating
                .iter()
                .filter(|floating| floating.routing.shares.contains(&filter) && floating.routing.may_come());
            let coming = coming.map(|floating| (floating.message, usize::from(floating.copies().further_copies) + 1));
            let mut copies: BTreeMap<MessageKey, usize> = BTreeMap::new();
            for (message, times) in held.chain(coming).filter(|(message, _)| is_meant(*message)) {
                *copies.entry(message).or_default() += times;
            }
            for (message, times) in copies {
                let known = most.entry(message).or_default();
                *known = times.max(*known);
            }
        }
        Some(most)
    }

    /// The Shared Subscription that a message can only have met in this session.
    pub(in crate::judge) fn only_share(&self, context: &Context<'_>, message: MessageKey) -> Option<FilterKey> {
        let topic = context.vocabulary.of(message).topic;
        let reach = self.reached(context);
        if !reach.is_whole {
            return None;
        }
        let held =
            reach.states.into_iter().flat_map(|one| one.session.kept).flat_map(|kept| kept.into_inner().subscriptions);
        let met: BTreeSet<FilterKey> =
            held.map(|held| held.filter).filter(|filter| context.vocabulary.matches(*filter, topic)).collect();
        let mut met = met.into_iter();
        met.next().filter(|filter| met.next().is_none() && context.vocabulary.is_shared(*filter))
    }

    /// The Shared Subscriptions that certainly meet a message in this session, and on terms on which it arrives.
    pub(in crate::judge) fn certain_shares(&self, context: &Context<'_>, message: MessageKey) -> BTreeSet<FilterKey> {
        let published = context.vocabulary.of(message);
        let arrives = |held: &Subscription| {
            let levels = held.terms.delivered_qos(context, published.qos);
            !levels.contains(Qos::AtMostOnce) || context.profile.promises(Feature::Qos0Arrives)
        };
        let meets = |held: &Subscription| {
            let fits = context.vocabulary.matches(held.filter, published.topic);
            context.vocabulary.is_shared(held.filter) && fits && held.pending.is_none() && arrives(held)
        };
        let groups = |hypothesis: &Hypothesis| -> BTreeSet<FilterKey> {
            let kept = hypothesis.session.kept.iter();
            kept.flat_map(|kept| &kept.subscriptions).filter(|held| meets(held)).map(|held| held.filter).collect()
        };
        let all = self.hypotheses.iter().map(groups);
        all.reduce(|one, other| one.intersection(&other).copied().collect()).unwrap_or_default()
    }

    /// Whether the client has certainly subscribed to a topic.
    pub(in crate::judge) fn is_certainly_subscribed(&self, context: &Context<'_>, topic: TopicKey) -> bool {
        let meets = |held: &Subscription| held.pending.is_none() && context.vocabulary.matches(held.filter, topic);
        let holds = |hypothesis: &Hypothesis| {
            hypothesis.session.kept.as_ref().is_some_and(|kept| kept.subscriptions.iter().any(meets))
        };
        !self.hypotheses.is_empty() && self.hypotheses.iter().all(holds)
    }

    /// Whether the server may have done with the client's connection, for what it has sent.
    pub(in crate::judge) fn may_be_gone(&self, context: &Context<'_>) -> bool {
        let is_served =
            |reached: &Hypothesis| reached.session.link.as_ref().is_some_and(|link| link.phase == Phase::Connected);
        let may_be = |reach: Reach| !reach.is_whole || reach.states.iter().any(|reached| !is_served(reached));
        self.is_left() || may_be(self.reached(context))
    }

    /// Whether this session is certainly a member of a group, connected, and has no delivery under way.
    pub(in crate::judge) fn is_ready_for(&self, context: &Context<'_>, filter: FilterKey) -> bool {
        let is_ready = |hypothesis: &Hypothesis| {
            let Session { link: Some(link), kept: Some(kept), .. } = &hypothesis.session else { return false };
            let is_member = kept.subscriptions.iter().any(|held| held.filter == filter);
            link.phase == Phase::Connected && is_member && kept.open_deliveries(context) == 0
        };
        !self.hypotheses.is_empty() && self.hypotheses.iter().all(is_ready)
    }
}
