//! Which message a PUBLISH is: several may look alike, and where it makes no difference which of them has come, the first one
//! stands for all.

use super::delivery::{Delivery, Floating, Kind, Progress, Routing};
use super::order::{keeps_order, precedes, same_lane};
use super::rule::Context;
use super::session::{Connection, Kept, Session};
use super::vocabulary::{ContentKey, MessageKey};
use crate::packet::Qos;
use crate::profile::Feature;

/// A delivery that a PUBLISH may be.
pub(super) struct Candidate<'a> {
    pub(super) delivery: Delivery,
    /// What is on its way: what the session makes of that is still open. None if the delivery is bound.
    floating: Option<&'a Floating>,
    /// Whether a rule is broken if it does not come: it is owed, or certainly will be.
    must_come: bool,
}

impl Session {
    /// Deliveries with this content, in the order of their messages: bound ones, then those that still float.
    pub(super) fn candidates<'a>(
        &'a self,
        context: &Context<'_>,
        link: &Connection,
        kept: &Kept,
        content: ContentKey,
    ) -> Vec<Candidate<'a>> {
        let has_content = |message: MessageKey| context.vocabulary.of(message).content(link.version) == content;
        let floating = self.floating.iter().filter(|floating| floating.routing.may_come());
        let floating = floating.filter(|floating| has_content(floating.message)).flat_map(|floating| {
            let will_be_owed = floating.will_be_owed(context, link);
            let Routing { due, further, further_copies, shares, .. } = floating.routing.clone();
            let copy = |forms, kind| Candidate {
                delivery: Delivery {
                    message: floating.message,
                    forms,
                    owed: false,
                    kind,
                    shares: shares.clone(),
                    progress: floating.progress(),
                    undecided: None,
                },
                floating: Some(floating),
                must_come: kind == Kind::Live && will_be_owed,
            };
            let due = (!due.qos.is_empty()).then(|| copy(due, Kind::Live));
            let further = (further_copies > 0).then(|| copy(further, Kind::Further));
            due.into_iter().chain(further)
        });
        let bound = kept.deliveries.iter().filter(|delivery| has_content(delivery.message));
        let bound =
            bound.map(|delivery| Candidate { must_come: delivery.owed, delivery: delivery.clone(), floating: None });
        let mut candidates: Vec<Candidate<'_>> = bound.chain(floating).collect();
        // The copy that is due before further ones, and one whose DUP is certain before others.
        candidates.sort_by_key(|Candidate { delivery, .. }| {
            let place = context.vocabulary.place(delivery.message);
            (place, delivery.kind, !delivery.owed, delivery.progress != Progress::Waiting)
        });
        candidates
    }
}

impl Candidate<'_> {
    /// Whether a copy of the same message that may be one or the other can be taken for this one. What the session will make of a
    /// message that still floats is open: then it may stand for no other.
    pub(super) fn is_copy_for(&self, other: &Candidate<'_>) -> bool {
        self.floating.is_some() <= other.floating.is_some() && self.delivery.stands_for(&other.delivery)
    }

    /// Whether a PUBLISH that may be this message or another one that looks alike can be taken for this one, which comes first:
    /// what remains then explains no less. Further copies do not come in order, nor does a message that was taken twice.
    pub(super) fn comes_before(&self, context: &Context<'_>, link: &Connection, other: &Candidate<'_>) -> bool {
        let (first, second) = (&self.delivery, &other.delivery);
        let (published, others) = (context.vocabulary.of(first.message), context.vocabulary.of(second.message));
        let are_comparable = first.kind == Kind::Live
            && second.kind == Kind::Live
            && first.message != second.message
            && same_lane(published, others);
        if !are_comparable {
            return false;
        }
        let are_equal = || first.stands_beside(second) && published.expiry == others.expiry;
        if !second.shares.is_empty() {
            // Without an order, and where neither must come, one is as good as the other.
            let is_free = !self.must_come && !other.must_come && published.qos < Qos::ExactlyOnce;
            return is_free && first.shares == second.shares && self.floats_like(other) && are_equal();
        }
        // One that need not come may have been left out, with consequences for the next where that must come.
        let may_be_lost = published.qos == Qos::AtMostOnce && !context.profile.promises(Feature::Qos0Arrives);
        let is_meant = first.owed || may_be_lost;
        if !keeps_order(context, link) {
            return is_meant && are_equal();
        }
        // Connections that are open at once are read in any order: then each may be what a third message comes behind.
        if !precedes(context.vocabulary, first.message, second.message) {
            return false;
        }
        // Where the second one has overtaken the first one, that breaks a rule unless the first one need not come. It may need
        // not where a connection between them was lost, or where it may come again.
        let is_broken = self.must_come && published.connection == others.connection;
        let is_for_good = published.qos < Qos::ExactlyOnce && first.shares.is_empty() && are_equal();
        is_meant || (is_for_good && (is_broken || !other.must_come))
    }

    /// Whether the session makes the same of both, or will.
    fn floats_like(&self, other: &Candidate<'_>) -> bool {
        match (self.floating, other.floating) {
            (Some(one), Some(another)) => {
                (&one.routing, one.times, one.perhaps_sent) == (&another.routing, another.times, another.perhaps_sent)
            }
            (one, another) => one.is_none() && another.is_none(),
        }
    }
}
