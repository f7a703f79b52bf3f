//! What is seen of a session, event by event: inputs wait, outputs are explained, silence leaves what owes nothing.

use super::Track;
use super::hypothesis::{Hypothesis, REACH_CAP, is_last_word};
use super::states::folded;
use super::under_way::Sent;
use crate::server::session::Phase;
use crate::server::shared::Shared;
use crate::server::{Breach, ConnectionId, Context, Input, Millis, Moment, Output, Rule, Session};
use std::collections::BTreeSet;

/// So few attempts are not worth a look for equal ones.
const FEW: usize = 32;

impl Track {
    /// The client has sent something that the server will take.
    pub(in crate::judge) fn push(&mut self, context: &Context<'_>, at: Millis, connection: ConnectionId, input: Input) {
        if self.is_left() {
            // Who connects later may still get what is not answered by then.
            if let Input::Publish { message, id: id @ Some(_), .. } = input {
                self.under_way.sent(Sent { message, id, connection, number: 0 });
            }
            return;
        }
        self.notice(context, at);
        self.connections += u32::from(matches!(input, Input::Connect(_) | Input::Disconnect { .. } | Input::Lost));
        let reroutes = input.changes_subscriptions();
        let published = match input {
            Input::Publish { message, id, .. } => Some((message, id)),
            _ => None,
        };
        let number = self.queue.push(connection, at, input);
        if let Some((number, (message, id))) = number.zip(published) {
            self.under_way.sent(Sent { message, id, connection, number });
        }
        self.trim();
        if reroutes {
            self.reroute(context);
        }
    }

    /// An output came. Each hypothesis takes as few inputs as explain it.
    pub(in crate::judge) fn accept(
        &mut self,
        context: &Context<'_>,
        moment: Moment,
        connection: ConnectionId,
        output: &Output,
    ) -> Result<(), Breach> {
        if self.is_left() {
            return Ok(());
        }
        self.notice(context, moment.now);
        self.connections += u32::from(matches!(output, Output::Close));
        // After its last word on a connection the server takes nothing more from it: then how much it has taken matters.
        let ends = is_last_word(output);
        let mut explained = BTreeSet::new();
        let (mut nearest, mut nearest_end) = (None, None);
        // An attempt that explains the output stops; one that does not goes on by taking one more input.
        let mut attempts: Vec<Hypothesis> = self.hypotheses.iter().cloned().collect();
        while !attempts.is_empty() {
            let mut further = Vec::new();
            for attempt in attempts {
                let moment = attempt.moment_on(&self.queue, connection, moment);
                match attempt.session.accept(context, moment, connection, output) {
                    Ok(sessions) => {
                        explained.extend(sessions.into_iter().map(|session| attempt.with(session)));
                        if ends || attempt.leaves_another_reading(context, &self.queue, connection, output) {
                            further.extend(attempt.taking_more_of(context, &self.queue, connection));
                        }
                    }
                    Err(breach) => {
                        // The attempt that has taken most knows most; among equals, one in which the server goes on says more
                        // about this output than one that only waits for the end.
                        let rank = (attempt.progress(), breach.rule != Rule::OffenceIsRefused);
                        let has_left = attempt.session.link.as_ref().is_some_and(|link| link.phase == Phase::Left);
                        let is_end = has_left || breach.rule == Rule::OffenceIsRefused;
                        let nearest = if is_end { &mut nearest_end } else { &mut nearest };
                        if nearest.as_ref().is_none_or(|(known, _)| *known < rank) {
                            *nearest = Some((rank, breach));
                        }
                        further.extend(attempt.taking_towards(context, &self.queue, connection, output));
                    }
                }
            }
            // Many ways lead to few states.
            attempts = if further.len() > FEW { each_once(further) } else { further };
            if attempts.len().max(explained.len()) > REACH_CAP {
                self.give_up();
                return Ok(());
            }
        }
        match nearer(output, nearest, nearest_end) {
            Some(breach) if explained.is_empty() => {
                if self.may_go_its_way() {
                    Ok(())
                } else {
                    Err(breach)
                }
            }
            _ => {
                self.replace(folded(context, explained));
                if *output == Output::Close {
                    self.queue.end(connection);
                }
                self.trim();
                Ok(())
            }
        }
    }

    /// Everything has come to rest: what would silence break in every hypothesis?
    pub(in crate::judge) fn rest(&mut self, context: &Context<'_>) -> Option<(ConnectionId, Breach)> {
        let mut nearest: Option<(bool, ConnectionId, Breach)> = None;
        for hypothesis in &self.hypotheses {
            let Some(settled) = self.at_rest(context, hypothesis) else {
                self.give_up();
                return None;
            };
            for settled in settled {
                let owed = settled.session.owed(context)?;
                let Session { link, older, refused, .. } = &settled.session;
                let refused = refused.first();
                let connection = older.first().copied().or(refused.or(link.as_ref()).map(|link| link.id));
                // One in which the server goes on says more than one in which it refuses the connection.
                if nearest.as_ref().is_none_or(|(was_refused, ..)| *was_refused && refused.is_none()) {
                    nearest = connection.map(|connection| (refused.is_some(), connection, owed)).or(nearest);
                }
            }
        }
        nearest.filter(|_| !self.may_go_its_way()).map(|(_, connection, owed)| (connection, owed))
    }

    /// Everything has come to rest: keeps the states in which nothing is owed. False, and nothing has changed, if there is none.
    pub(in crate::judge) fn come_to_rest(&mut self, context: &Context<'_>) -> bool {
        let is_calm = |settled: &Hypothesis| settled.session.owed(context).is_none();
        let settled = self.hypotheses.iter().map(|hypothesis| self.at_rest(context, hypothesis));
        let Some(settled) = settled.collect::<Option<Vec<_>>>() else {
            self.give_up();
            return true;
        };
        let calm: BTreeSet<Hypothesis> = settled.into_iter().flatten().filter(is_calm).collect();
        if calm.is_empty() {
            return self.is_left() || self.may_go_its_way();
        }
        self.replace(calm);
        self.trim();
        true
    }

    /// What may have expired by `now` is owed no more. Where nothing has, copies go on sharing the track.
    pub(in crate::judge) fn pass_time(track: &mut Shared<Track>, context: &Context<'_>, now: Millis) {
        let of = |hypothesis: &Hypothesis| hypothesis.session.after_expiries(context, now);
        let passed = |hypothesis: &Hypothesis| Some((hypothesis.clone(), of(hypothesis)?));
        let passed: Vec<(Hypothesis, Session)> = track.hypotheses.iter().filter_map(passed).collect();
        for (hypothesis, session) in passed {
            track.hypotheses.remove(&hypothesis);
            track.hypotheses.insert(hypothesis.with(session));
        }
    }

    /// The server has noticed by now that connections ended long ago.
    fn notice(&mut self, context: &Context<'_>, now: Millis) {
        self.queue.pass_time(now);
        if !self.queue.lanes().any(|(_, lane)| lane.is_stale(now)) {
            return;
        }
        let has_noticed = |reached: &Hypothesis| {
            let mut stale = self.queue.lanes().filter(|(_, lane)| lane.is_stale(now));
            stale.all(|(connection, lane)| reached.is_done_with(connection, lane))
        };
        let noticing = |hypothesis: &Hypothesis| hypothesis.reaching_where(context, &self.queue, has_noticed);
        let noticed = self.hypotheses.iter().map(noticing).collect::<Option<Vec<_>>>();
        let Some(noticed) = noticed else { return self.give_up() };
        let noticed = noticed.into_iter().flatten().collect();
        self.queue.end_stale(now);
        self.replace(noticed);
        self.skip();
    }
}

/// Each of them once, in another order. That is lost on the many alone: of few, the first is likelier to be meant.
fn each_once(mut hypotheses: Vec<Hypothesis>) -> Vec<Hypothesis> {
    hypotheses.sort_unstable();
    hypotheses.dedup();
    hypotheses
}

/// Of the nearest breach where the server goes on and that where it only waits for the end, the one that says more. A delivery
/// that could have come, only not like this, is told as that: the server need not have read what ends the connection. Of one
/// that nothing is known of, an offence may be the cause.
fn nearer<R: Ord>(output: &Output, going_on: Option<(R, Breach)>, end: Option<(R, Breach)>) -> Option<Breach> {
    let is_delivery = matches!(output, Output::Publish { .. });
    let (_, breach) = match (going_on, end) {
        (Some(going_on), Some(end)) => {
            let is_known = going_on.1.rule != Rule::DeliveryWasSubscribed;
            let may_be_caused = end.1.rule == Rule::OffenceIsRefused;
            let says_more = if is_delivery { is_known || !may_be_caused } else { going_on.0 > end.0 };
            if says_more { going_on } else { end }
        }
        (going_on, end) => going_on.or(end)?,
    };
    Some(breach)
}
