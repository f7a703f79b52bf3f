//! The set of model states that explain what was seen of one session.
//!
//! What a client has sent is taken by the server at a time that nobody sees. So inputs wait in a queue, and a hypothesis
//! takes the next one only when an output cannot be explained without it: taking later never explains less, because an
//! input changes only what may come after it. Only where a connection breaks must the set fork at once, over how much of the
//! queue the server has still taken.

use crate::packet::PacketId;
use crate::server::session::{Moment, Routing};
use crate::server::{Breach, ConnectionId, Context, Input, MessageKey, Millis, Output, Rule, Session};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Above this many hypotheses the judge gives no verdict: some freedom of the server is not folded well enough.
const CAP: usize = 2000;

/// One explanation of what was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Hypothesis {
    session: Session,
    /// How many inputs of the session the server has taken.
    taken: usize,
}

/// What is known of one session.
#[derive(Debug)]
pub(super) struct Track {
    hypotheses: BTreeSet<Hypothesis>,
    /// Inputs that some hypothesis has not taken; the first one has the number `first`.
    waiting: VecDeque<(Millis, Input)>,
    first: usize,
    /// QoS 1 messages of this client that wait for PUBACK, on whatever connection they were sent.
    pub(super) open: BTreeMap<PacketId, MessageKey>,
    /// QoS 0 messages of this client, with the number of their input: on their way until the server has taken it.
    unsettled: Vec<(usize, MessageKey)>,
    abandoned: bool,
    overflow: bool,
}

impl Track {
    /// A session that nothing is known of: it has no state.
    pub(super) fn new() -> Track {
        Track {
            hypotheses: BTreeSet::from([Hypothesis { session: Session::default(), taken: 0 }]),
            waiting: VecDeque::new(),
            first: 0,
            open: BTreeMap::new(),
            unsettled: Vec::new(),
            abandoned: false,
            overflow: false,
        }
    }

    /// A connection that never became a session: the model's state is given.
    pub(super) fn starting_with(sessions: Vec<Session>) -> Track {
        let hypotheses = sessions.into_iter().map(|session| Hypothesis { session, taken: 0 }).collect();
        Track { hypotheses, ..Track::new() }
    }

    /// Stops judging: after a violation no state explains this session any more.
    pub(super) fn abandon(&mut self) {
        self.abandoned = true;
        self.hypotheses.clear();
        self.waiting.clear();
    }

    /// Why there is no verdict, if there is none.
    pub(super) fn overflow(&self) -> Option<String> {
        self.overflow
            .then(|| format!("more than {CAP} states of the model explain a session; the judge follows no more"))
    }

    /// Whether a CONNECT of the client waits for its CONNACK.
    pub(super) fn is_connecting(&self) -> bool {
        let waits = self.waiting.iter().any(|(_, input)| matches!(input, Input::Connect(_)));
        waits
            && self.hypotheses.iter().any(|hypothesis| {
                let rest = self.waiting.iter().skip(hypothesis.taken - self.first);
                rest.fold(false, |connecting, (_, input)| match input {
                    Input::Connect(_) => true,
                    Input::Lost => false,
                    _ => connecting,
                })
            })
    }

    /// The client has sent something that the server will take.
    pub(super) fn push(&mut self, context: &Context<'_>, at: Millis, input: Input) {
        if self.abandoned {
            return;
        }
        if let Input::Publish { message, id: None, .. } = input {
            self.unsettled.push((self.first + self.waiting.len(), message));
        }
        let breaks = input == Input::Lost;
        let reroutes = matches!(
            input,
            Input::Connect(_)
                | Input::Subscribe { .. }
                | Input::Unsubscribe { .. }
                | Input::Disconnect { .. }
                | Input::Lost
        );
        self.waiting.push_back((at, input));
        if breaks {
            self.break_connection(context);
        }
        if reroutes {
            self.reroute(context);
        }
        self.trim();
    }

    /// The connection broke: the server has taken some of the queue, and the rest is gone with the connection.
    fn break_connection(&mut self, context: &Context<'_>) {
        let end = self.first + self.waiting.len();
        let Some((at, lost)) = self.waiting.pop_back() else { return };
        let mut after = BTreeSet::new();
        for hypothesis in &self.hypotheses {
            for reached in self.reachable(context, hypothesis) {
                let sessions = reached.session.input(context, at, &lost);
                after.extend(sessions.into_iter().map(|session| Hypothesis { session, taken: end }));
            }
        }
        self.waiting.push_back((at, lost));
        self.replace(after);
    }

    /// Messages on their way may meet what the client has just asked for.
    fn reroute(&mut self, context: &Context<'_>) {
        let updated = self
            .hypotheses
            .iter()
            .map(|hypothesis| {
                let floating: Vec<MessageKey> = hypothesis.session.floating.iter().map(|f| f.message).collect();
                let mut session = hypothesis.session.clone();
                if !floating.is_empty() {
                    let reached = self.reachable(context, hypothesis);
                    for message in floating {
                        session = session.float(message, routing(context, &reached, message, false));
                    }
                }
                Hypothesis { session, ..hypothesis.clone() }
            })
            .collect();
        self.replace(updated);
    }

    /// A message is on its way to this session. `again` says that it was sent before, so that this may be a repetition of
    /// one that has arrived already.
    pub(super) fn float(&mut self, context: &Context<'_>, message: MessageKey, own: bool, again: bool) {
        let updated = self
            .hypotheses
            .iter()
            .map(|hypothesis| {
                let mut routing = routing(context, &self.reachable(context, hypothesis), message, own);
                if again {
                    let known = hypothesis.session.floating.iter().any(|floating| floating.message == message);
                    routing.missed |= !known;
                    routing.further = routing.further.union(routing.qos);
                    routing.further_copies = routing.further_copies.saturating_add(u8::from(known));
                }
                Hypothesis { session: hypothesis.session.float(message, routing), ..hypothesis.clone() }
            })
            .collect();
        self.replace(updated);
    }

    /// The server may take this message or leave it: it is never owed.
    pub(super) fn doubt(&mut self, message: MessageKey) {
        let missed = Routing { missed: true, ..Routing::default() };
        self.change_each(|session| session.float(message, missed));
    }

    /// The server has taken a message over.
    pub(super) fn settle(&mut self, context: &Context<'_>, message: MessageKey) {
        self.change_each(|session| session.settle(context, message));
    }

    /// The server has refused a message.
    pub(super) fn discard(&mut self, message: MessageKey) {
        self.change_each(|session| session.discard(message));
    }

    /// An output came. Each hypothesis takes as few inputs as explain it.
    pub(super) fn accept(
        &mut self,
        context: &Context<'_>,
        moment: Moment,
        connection: ConnectionId,
        output: &Output,
    ) -> Result<(), Breach> {
        if self.abandoned {
            return Ok(());
        }
        let mut explained = BTreeSet::new();
        let mut nearest = None;
        for hypothesis in &self.hypotheses {
            let mut attempts = vec![hypothesis.clone()];
            // An attempt that explains the output stops; one that does not goes on by taking one more input.
            while let Some(attempt) = attempts.pop() {
                match attempt.session.accept(context, moment, connection, output) {
                    Ok(sessions) => {
                        explained
                            .extend(sessions.into_iter().map(|session| Hypothesis { session, taken: attempt.taken }));
                    }
                    Err(breach) => {
                        // The attempt that has taken most knows most; among equals, one in which the server goes on says more
                        // about this output than one that only waits for the end.
                        let rank = (attempt.taken, breach.rule != Rule::OffenceIsRefused);
                        if nearest.as_ref().is_none_or(|(known, _)| *known <= rank) {
                            nearest = Some((rank, breach));
                        }
                        attempts.extend(self.taking_one(context, &attempt));
                    }
                }
            }
        }
        match nearest {
            Some((_, breach)) if explained.is_empty() => Err(breach),
            _ => {
                self.replace(explained);
                self.trim();
                Ok(())
            }
        }
    }

    /// QoS 0 messages that every hypothesis has seen the server take.
    pub(super) fn taken_messages(&mut self) -> Vec<MessageKey> {
        let taken = self.hypotheses.iter().map(|hypothesis| hypothesis.taken).min().unwrap_or(0);
        let (settled, unsettled) = self.unsettled.iter().partition(|(input, _)| *input < taken);
        self.unsettled = unsettled;
        let settled: Vec<(usize, MessageKey)> = settled;
        settled.into_iter().map(|(_, message)| message).collect()
    }

    /// Everything has come to rest: what would silence break in every hypothesis?
    pub(super) fn rest(&mut self, context: &Context<'_>) -> Option<(ConnectionId, Breach)> {
        let end = self.first + self.waiting.len();
        let mut nearest = None;
        for hypothesis in &self.hypotheses {
            for settled in self.reachable(context, hypothesis).into_iter().filter(|reached| reached.taken == end) {
                let owed = settled.session.owed(context)?;
                let connection = settled.session.link.as_ref().map(|link| link.id);
                nearest = nearest.or(connection.or(settled.session.older.first().copied()).map(|id| (id, owed)));
            }
        }
        nearest
    }

    /// The silence that no hypothesis permits on this connection.
    pub(super) fn silence_limit(&self, context: &Context<'_>, connection: ConnectionId) -> Option<Millis> {
        let mut limits = self.hypotheses.iter().map(|hypothesis| {
            hypothesis.session.link.as_ref().filter(|link| link.id == connection)?;
            hypothesis.session.silence_limit(context)
        });
        let first = limits.next()??;
        limits.try_fold(first, |longest, limit| limit.map(|limit| longest.max(limit)))
    }

    /// A hypothesis and all that follow from it as the server takes the queue.
    fn reachable(&self, context: &Context<'_>, hypothesis: &Hypothesis) -> Vec<Hypothesis> {
        let mut all = vec![hypothesis.clone()];
        let mut last = all.clone();
        while !last.is_empty() && all.len() <= CAP {
            last = last.iter().flat_map(|one| self.taking_one(context, one)).collect();
            last.sort();
            last.dedup();
            all.extend(last.iter().cloned());
        }
        all
    }

    /// The hypothesis after the server has taken one more input; none if there is no more.
    fn taking_one(&self, context: &Context<'_>, hypothesis: &Hypothesis) -> Vec<Hypothesis> {
        let Some((at, input)) = self.waiting.get(hypothesis.taken - self.first) else { return Vec::new() };
        let sessions = hypothesis.session.input(context, *at, input);
        sessions.into_iter().map(|session| Hypothesis { session, taken: hypothesis.taken + 1 }).collect()
    }

    fn change_each(&mut self, change: impl Fn(&Session) -> Session) {
        let changed = self
            .hypotheses
            .iter()
            .map(|hypothesis| Hypothesis { session: change(&hypothesis.session), taken: hypothesis.taken })
            .collect();
        self.replace(changed);
    }

    fn replace(&mut self, hypotheses: BTreeSet<Hypothesis>) {
        self.hypotheses = hypotheses;
        if self.hypotheses.len() > CAP {
            self.overflow = true;
            self.abandon();
        }
    }

    /// Forgets inputs that every hypothesis has taken.
    fn trim(&mut self) {
        let taken = self.hypotheses.iter().map(|hypothesis| hypothesis.taken).min().unwrap_or(self.first);
        while self.first < taken && self.waiting.pop_front().is_some() {
            self.first += 1;
        }
    }
}

/// What a message may meet in any of these states.
fn routing(context: &Context<'_>, states: &[Hypothesis], message: MessageKey, own: bool) -> Routing {
    let published = context.vocabulary.of(message);
    states
        .iter()
        .map(|state| state.session.routing(context, published, own))
        .reduce(Routing::or)
        .unwrap_or(Routing { missed: true, ..Routing::default() })
}
