//! Wills of this client: which may be published, which must have been.

use super::Track;
use super::hypothesis::Hypothesis;
use crate::server::{Context, MessageKey, Millis, Moment, Session};
use std::collections::BTreeSet;

impl Track {
    /// Whether a Will of this client may have been published by now.
    pub(in crate::judge) fn may_publish_will(
        &self,
        context: &Context<'_>,
        message: MessageKey,
        moment: Moment,
        early: Millis,
    ) -> bool {
        let possible = |session: &Session| session.possible_wills(moment, early).any(|will| will == message);
        self.is_left() || self.in_some_future(context, possible)
    }

    /// Whether a Will of this client must have been published by now.
    pub(in crate::judge) fn must_publish_will(&self, context: &Context<'_>, message: MessageKey, now: Millis) -> bool {
        !self.hypotheses.is_empty()
            && self.hypotheses.iter().all(|hypothesis| {
                let ends = self.at_rest(context, hypothesis);
                let is_overdue = |one: &Hypothesis| one.session.overdue_wills(now).any(|will| will == message);
                ends.is_some_and(|ends| ends.iter().all(is_overdue))
            })
    }

    /// Whether a Will may still be published at some time.
    pub(in crate::judge) fn holds_will(&self, context: &Context<'_>, message: MessageKey) -> bool {
        self.in_some_future(context, |session| session.holds_will(message))
    }

    /// The server has published a Will.
    pub(in crate::judge) fn publish_will(&mut self, message: MessageKey) {
        self.change_each(|session| session.without_will(message));
    }

    /// When time alone changes what is known of Wills, for what the server may still take too.
    pub(in crate::judge) fn turns_of_wills(
        &self,
        context: &Context<'_>,
        heard: Millis,
        early: Millis,
    ) -> BTreeSet<Millis> {
        let reached = self.reached(context).states;
        reached.iter().flat_map(|one| one.session.turns_of_wills(heard, early)).collect()
    }

    /// Whether this is so in a state that explains what was seen, or in one that follows as the server takes the queue.
    fn in_some_future(&self, context: &Context<'_>, holds: impl Fn(&Session) -> bool) -> bool {
        let reach = self.reached(context);
        !reach.is_whole || reach.states.iter().any(|one| holds(&one.session))
    }
}
