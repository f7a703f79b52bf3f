//! The set of states that explain a session: what all of them change to, and how it is kept small.

use super::Track;
use super::hypothesis::{CAP, Hypothesis, Reach};
use crate::server::{Context, MessageKey, Session};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

impl Track {
    /// What follows from a hypothesis when the server has taken all that waits; none if there are too many states.
    pub(super) fn at_rest(&self, context: &Context<'_>, hypothesis: &Hypothesis) -> Option<BTreeSet<Hypothesis>> {
        let is_done =
            |reached: &Hypothesis| self.queue.lanes().all(|(connection, lane)| reached.is_done_with(connection, lane));
        hypothesis.reaching_where(context, &self.queue, is_done)
    }

    /// The states that explain what was seen, and those that follow as the server takes the queue.
    pub(super) fn reached(&self, context: &Context<'_>) -> Reach {
        let mut all = Reach { states: BTreeSet::new(), is_whole: true };
        for hypothesis in &self.hypotheses {
            let Reach { states, is_whole } = hypothesis.reachable(context, &self.queue);
            all.states.extend(states);
            all.is_whole &= is_whole;
        }
        all
    }

    /// Changes every state.
    pub(super) fn change_each(&mut self, change: impl Fn(&Session) -> Session) {
        let changed = self.hypotheses.iter().map(|hypothesis| hypothesis.with(change(&hypothesis.session))).collect();
        self.replace(changed);
    }

    /// Changes those states in which a message is on its way.
    pub(super) fn change_floating(&mut self, message: MessageKey, change: impl Fn(Session) -> Session) {
        let floats = |hypothesis: &Hypothesis| hypothesis.session.floats(message);
        if self.hypotheses.iter().any(floats) {
            let changed =
                std::mem::take(&mut self.hypotheses).into_iter().map(|hypothesis| match floats(&hypothesis) {
                    true => hypothesis.change(&change),
                    false => hypothesis,
                });
            let changed = changed.collect();
            self.replace(changed);
        }
    }

    pub(super) fn replace(&mut self, hypotheses: BTreeSet<Hypothesis>) {
        self.hypotheses = hypotheses;
        if self.hypotheses.len() > CAP {
            self.give_up();
        }
    }

    /// Forgets what every hypothesis has taken.
    pub(super) fn trim(&mut self) {
        let Track { hypotheses, queue, .. } = self;
        queue.trim(|connection, lane| {
            let taken = hypotheses.iter().map(|hypothesis| hypothesis.taken(connection)).min().unwrap_or(0);
            let is_over = lane.lost().is_some() && taken == lane.end();
            (!is_over).then_some(taken)
        });
        self.skip();
        self.round_beginnings();
    }

    /// What comes on connections that a session has left behind has no effect on it.
    pub(super) fn skip(&mut self) {
        if self.hypotheses.iter().any(|hypothesis| hypothesis.has_to_skip(&self.queue)) {
            let skipping = |mut hypothesis: Hypothesis| {
                hypothesis.skip(&self.queue);
                hypothesis
            };
            let skipped = std::mem::take(&mut self.hypotheses).into_iter().map(skipping).collect();
            self.replace(skipped);
        }
    }

    /// When a session has begun matters only against the connections on which a message that is open was first sent, or may
    /// be now: states that differ in nothing else become one.
    fn round_beginnings(&mut self) {
        self.queue.ask_for(self.open.values().map(|unanswered| unanswered.first).collect());
        let connections = self.queue.connections();
        if self.hypotheses.iter().any(|hypothesis| hypothesis.has_to_round(&connections)) {
            let rounding = |mut hypothesis: Hypothesis| {
                hypothesis.round(&connections);
                hypothesis
            };
            let rounded = std::mem::take(&mut self.hypotheses).into_iter().map(rounding).collect();
            self.replace(rounded);
        }
    }
}

/// A large set without those states that another one covers.
pub(super) fn folded(context: &Context<'_>, hypotheses: BTreeSet<Hypothesis>) -> BTreeSet<Hypothesis> {
    /// To look for them in a smaller set costs more than it saves, and in a larger one, pair by pair, too much.
    const LARGE: RangeInclusive<usize> = 33..=256;
    if !LARGE.contains(&hypotheses.len()) {
        return hypotheses;
    }
    let mut kept: Vec<Hypothesis> = Vec::new();
    for one in hypotheses {
        if !kept.iter().any(|other| other.covers(context, &one)) {
            kept.retain(|other| !one.covers(context, other));
            kept.push(one);
        }
    }
    kept.into_iter().collect()
}
