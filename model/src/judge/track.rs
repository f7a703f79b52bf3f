//! The set of model states that explain what was seen of one session.
//!
//! What a client has sent is taken by the server at a time that nobody sees. So inputs wait in a queue, and a hypothesis
//! takes the next one only when an output cannot be explained without it: taking later never explains less, because an
//! input changes only what may come after it. Only where a connection breaks must the set fork at once, over how much of the
//! queue the server has still taken.
//!
//! The queue holds what came on all connections of the session. A CONNECT may overtake what the client has sent on an older
//! connection, and ends its effect; one that is refused, or that breaks before it is read, leaves the older one as it was.

use super::hypothesis::{CAP, Hypothesis, routing};
use super::queue::{Queue, Waiting};
use crate::packet::{PacketId, Qos};
use crate::server::delivery::Forms;
use crate::server::qos_set::QosSet;
use crate::server::retained::Met;
use crate::server::{
    Breach, ConnectTerms, ConnectionId, Context, FilterKey, Input, MessageKey, Millis, Moment, Output, Routing, Rule,
    Session,
};
use std::collections::{BTreeMap, BTreeSet};

/// A message above QoS 0 whose exchange is not complete.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unanswered {
    pub(super) message: MessageKey,
    /// How often it was sent, and may be taken for a new one each time.
    pub(super) times: u8,
    /// Whether PUBREC has come.
    pub(super) received: bool,
}

/// What is known of one session.
#[derive(Debug)]
pub(super) struct Track {
    hypotheses: BTreeSet<Hypothesis>,
    /// Inputs that some hypothesis has not taken.
    queue: Queue,
    /// Messages of this client that wait for PUBACK or PUBCOMP, on whatever connection they were sent.
    pub(super) open: BTreeMap<PacketId, Unanswered>,
    /// QoS 0 messages of this client, with the number of their input: on their way until the server has taken it.
    unsettled: Vec<(usize, MessageKey)>,
    /// How many connections it has had and lost, both counted.
    connections: u32,
    abandoned: bool,
    overflow: bool,
}

impl Track {
    /// A session that nothing is known of: it has no state.
    pub(super) fn new() -> Track {
        Track {
            hypotheses: BTreeSet::from([Hypothesis::begin(Session::default())]),
            queue: Queue::default(),
            open: BTreeMap::new(),
            unsettled: Vec::new(),
            connections: 0,
            abandoned: false,
            overflow: false,
        }
    }

    /// A connection that never became a session: the model's state is given.
    pub(super) fn starting_with(sessions: Vec<Session>) -> Track {
        let hypotheses = sessions.into_iter().map(Hypothesis::begin).collect();
        Track { hypotheses, ..Track::new() }
    }

    /// Stops judging: after a violation no state explains this session any more.
    pub(super) fn abandon(&mut self) {
        self.abandoned = true;
        self.hypotheses.clear();
        self.queue.clear();
    }

    /// Why there is no verdict, if there is none.
    pub(super) fn overflow(&self) -> Option<String> {
        self.overflow
            .then(|| format!("more than {CAP} states of the model explain a session; the judge follows no more"))
    }

    /// Whether a CONNECT of the client waits for its CONNACK.
    pub(super) fn is_connecting(&self) -> bool {
        self.hypotheses.iter().any(|hypothesis| {
            self.queue.since(hypothesis.taken).fold(false, |connecting, waiting| match waiting.input {
                Input::Connect(_) => hypothesis.counts_as_connect(waiting),
                Input::Lost => false,
                _ => connecting,
            })
        })
    }

    /// Whether nothing that comes on this connection can reach the session any more: it has been replaced or refused.
    pub(super) fn is_out(&self, connection: ConnectionId) -> bool {
        self.takeover().is_none() && !self.hypotheses.iter().any(|hypothesis| hypothesis.is_link(connection))
    }

    /// The number of the first CONNECT in the queue that may still count.
    fn takeover(&self) -> Option<usize> {
        self.queue.position(|waiting| {
            waiting.is_connect() && self.hypotheses.iter().any(|hypothesis| hypothesis.counts_as_connect(waiting))
        })
    }

    /// Messages that may not have reached other sessions yet.
    pub(super) fn under_way(&self) -> impl Iterator<Item = Unanswered> {
        let once = |(_, message): &(usize, MessageKey)| Unanswered { message: *message, times: 1, received: false };
        self.open.values().copied().chain(self.unsettled.iter().map(once))
    }

    /// The client has sent something that the server will take.
    pub(super) fn push(&mut self, context: &Context<'_>, at: Millis, connection: ConnectionId, input: Input) {
        if self.abandoned {
            return;
        }
        let breaks = input == Input::Lost;
        self.connections += u32::from(matches!(input, Input::Connect(_) | Input::Disconnect { .. } | Input::Lost));
        let reroutes = matches!(
            input,
            Input::Connect(_)
                | Input::Subscribe { .. }
                | Input::Unsubscribe { .. }
                | Input::Disconnect { .. }
                | Input::Lost
        );
        let other = |number: &usize| self.queue.get(*number).is_some_and(|waiting| waiting.connection != connection);
        let takeover = self.takeover().filter(other);
        let number = takeover.unwrap_or(self.queue.end());
        if let Input::Publish { message, id: None, .. } = input {
            self.unsettled.push((number, message));
        }
        if let Input::Connect(terms) = &input {
            self.refuse(context, terms);
        }
        let waiting = Waiting { at, connection, input };
        match takeover {
            Some(number) => self.insert(context, number, waiting),
            None if breaks => self.break_connection(context, waiting),
            None => self.queue.insert(number, waiting),
        }
        if reroutes {
            self.reroute(context);
        }
        self.trim();
    }

    /// Something comes on a connection after its client has sent CONNECT on a newer one. The server may have read it before
    /// that CONNECT; what it reads later counts only if it refuses the newer one.
    fn insert(&mut self, context: &Context<'_>, number: usize, waiting: Waiting) {
        let last = self.unsettled.len();
        for (index, (input, _)) in self.unsettled.iter_mut().enumerate() {
            let is_own = index + 1 == last && matches!(waiting.input, Input::Publish { id: None, .. });
            *input += usize::from(*input >= number && !is_own);
        }
        let mut shifted = BTreeSet::new();
        for hypothesis in &self.hypotheses {
            if hypothesis.taken > number {
                let sessions = hypothesis.take(context, &waiting);
                shifted.extend(sessions.into_iter().map(|session| hypothesis.after(session, hypothesis.taken + 1)));
            } else {
                shifted.insert(hypothesis.clone());
            }
        }
        self.queue.insert(number, waiting);
        self.replace(shifted);
    }

    /// Where the server may or must refuse a CONNECT, the session goes on without it.
    fn refuse(&mut self, context: &Context<'_>, terms: &ConnectTerms) {
        let mut after = BTreeSet::new();
        for hypothesis in &self.hypotheses {
            if terms.may_be_accepted(context) {
                after.insert(hypothesis.clone());
            }
            if let Some(session) = hypothesis.session.refuse(context, terms) {
                let mut refused = hypothesis.with(session);
                refused.ignored.insert(terms.connection);
                after.insert(refused);
            }
        }
        self.replace(after);
    }

    /// The connection broke: the server has taken some of the queue, and the rest is gone with the connection.
    fn break_connection(&mut self, context: &Context<'_>, lost: Waiting) {
        let mut after = BTreeSet::new();
        for hypothesis in &self.hypotheses {
            for reached in hypothesis.reachable(context, &self.queue) {
                if reached.is_link(lost.connection) {
                    let sessions = reached.take(context, &lost);
                    after.extend(sessions.into_iter().map(|session| reached.after(session, self.queue.end() + 1)));
                }
            }
            if !hypothesis.is_link(lost.connection) {
                let session = hypothesis.session.without(lost.connection);
                let mut unread = hypothesis.with(session);
                unread.ignored.insert(lost.connection);
                after.insert(unread);
            }
        }
        self.queue.insert(self.queue.end(), lost);
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
                    let reached = hypothesis.reachable(context, &self.queue);
                    for message in floating {
                        session = session.float(message, routing(context, &reached, message, false));
                    }
                }
                hypothesis.with(session)
            })
            .collect();
        self.replace(updated);
    }

    /// A message is on its way to this session. `again` says that it was sent before, so that this may be a repetition of
    /// one that has arrived already.
    pub(super) fn float(&mut self, context: &Context<'_>, message: MessageKey, own: bool, again: bool) {
        let exactly_once = context.vocabulary.of(message).qos == Qos::ExactlyOnce;
        let updated = self
            .hypotheses
            .iter()
            .map(|hypothesis| {
                let is_known = hypothesis.session.floating.iter().any(|floating| floating.message == message);
                if again && exactly_once && !is_known {
                    // It has arrived, and its repetition is no new message.
                    return hypothesis.clone();
                }
                let mut routing = routing(context, &hypothesis.reachable(context, &self.queue), message, own);
                routing.missed |= again && !is_known;
                let floating = hypothesis.session.float(message, routing);
                let session = if again && is_known && !exactly_once { floating.repeat(message) } else { floating };
                hypothesis.with(session)
            })
            .collect();
        self.replace(updated);
    }

    /// The server has a message of its own for this session, and may send it at this level.
    pub(super) fn offer(&mut self, message: MessageKey, qos: Qos) {
        let due = Forms { qos: QosSet::only(qos), ..Forms::default() };
        self.change_each(|session| session.float(message, Routing { due: due.clone(), ..Routing::none() }));
    }

    /// The server may take this message or leave it: it is never owed.
    pub(super) fn doubt(&mut self, message: MessageKey) {
        self.change_each(|session| session.float(message, Routing::none()));
    }

    /// A message of another client was under way before this session was known: what it meets here is open.
    pub(super) fn meet(&mut self, under_way: Unanswered) {
        self.doubt(under_way.message);
        for _ in 1..under_way.times {
            self.change_each(|session| session.repeat(under_way.message));
        }
    }

    /// A message with RETAIN is on its way: a SUBSCRIBE that waits may meet it, in place of another one.
    pub(super) fn retain(&mut self, context: &Context<'_>, message: MessageKey) {
        let topic = context.vocabulary.of(message).topic;
        for waiting in self.queue.all_mut() {
            let Input::Subscribe { requests, .. } = &mut waiting.input else { continue };
            for request in requests.iter_mut().filter(|request| context.vocabulary.matches(request.filter, topic)) {
                for met in &mut request.retained {
                    met.certain &= context.vocabulary.of(met.message).topic != topic;
                }
                request.retained.push(Met { message, certain: false });
            }
        }
    }

    /// How often a connection of this client has come or gone.
    pub(super) fn connections(&self) -> u32 {
        self.connections
    }

    /// The Shared Subscription that a message can only have met in this session.
    pub(super) fn only_share(&self, context: &Context<'_>, message: MessageKey) -> Option<FilterKey> {
        let topic = context.vocabulary.of(message).topic;
        let reached = self.hypotheses.iter().flat_map(|hypothesis| hypothesis.reachable(context, &self.queue));
        let held = reached.flat_map(|one| one.session.kept).flat_map(|kept| kept.subscriptions);
        let met: BTreeSet<FilterKey> =
            held.map(|held| held.filter).filter(|filter| context.vocabulary.matches(*filter, topic)).collect();
        let mut met = met.into_iter();
        met.next().filter(|filter| met.next().is_none() && context.vocabulary.is_shared(*filter))
    }

    /// Whether a Will of this client may have been published by now.
    pub(super) fn may_publish_will(
        &self,
        context: &Context<'_>,
        message: MessageKey,
        moment: Moment,
        early: Millis,
    ) -> bool {
        let possible = |session: &Session| session.possible_wills(moment, early).any(|will| will == message);
        self.abandoned || self.in_some_future(context, possible)
    }

    /// Whether a Will of this client must have been published by now.
    pub(super) fn must_publish_will(&self, context: &Context<'_>, message: MessageKey, now: Millis) -> bool {
        let end = self.queue.end();
        !self.hypotheses.is_empty()
            && self.hypotheses.iter().all(|hypothesis| {
                let reached = hypothesis.reachable(context, &self.queue);
                let mut ends = reached.into_iter().filter(|reached| reached.taken == end);
                ends.all(|one| one.session.overdue_wills(now).any(|will| will == message))
            })
    }

    /// Whether a Will may still be published at some time.
    pub(super) fn holds_will(&self, context: &Context<'_>, message: MessageKey) -> bool {
        self.in_some_future(context, |session| session.holds_will(message))
    }

    /// Whether this is so in a state that explains what was seen, or in one that follows as the server takes the queue.
    fn in_some_future(&self, context: &Context<'_>, holds: impl Fn(&Session) -> bool) -> bool {
        let reached = self.hypotheses.iter().flat_map(|hypothesis| hypothesis.reachable(context, &self.queue));
        reached.into_iter().any(|one| holds(&one.session))
    }

    /// The server has published a Will.
    pub(super) fn publish_will(&mut self, message: MessageKey) {
        self.change_each(|session| session.without_will(message));
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
        self.connections += u32::from(matches!(output, Output::Close));
        // After its last word on a connection the server takes nothing more from it: then how much it has taken matters.
        let ends = matches!(output, Output::Close | Output::Disconnect { .. });
        let mut explained = BTreeSet::new();
        let mut nearest = None;
        for hypothesis in &self.hypotheses {
            let mut attempts = vec![hypothesis.clone()];
            // An attempt that explains the output stops; one that does not goes on by taking one more input.
            while let Some(attempt) = attempts.pop() {
                match attempt.session.accept(context, moment, connection, output) {
                    Ok(sessions) => {
                        if ends && attempt.is_link(connection) {
                            attempts.extend(attempt.taking_one(context, &self.queue));
                        }
                        explained.extend(sessions.into_iter().map(|session| attempt.with(session)));
                    }
                    Err(breach) => {
                        // The attempt that has taken most knows most; among equals, one in which the server goes on says more
                        // about this output than one that only waits for the end.
                        let rank = (attempt.taken, breach.rule != Rule::OffenceIsRefused);
                        if nearest.as_ref().is_none_or(|(known, _)| *known <= rank) {
                            nearest = Some((rank, breach));
                        }
                        attempts.extend(attempt.taking_one(context, &self.queue));
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
        let end = self.queue.end();
        let mut nearest = None;
        for hypothesis in &self.hypotheses {
            for settled in hypothesis.reachable(context, &self.queue).into_iter().filter(|reached| reached.taken == end)
            {
                let owed = settled.session.owed(context)?;
                let session = &settled.session;
                let refused = session.refused.first().or(session.link.as_ref()).map(|link| link.id);
                nearest = nearest.or(session.older.first().copied().or(refused).map(|id| (id, owed)));
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

    fn change_each(&mut self, change: impl Fn(&Session) -> Session) {
        let changed = self.hypotheses.iter().map(|hypothesis| hypothesis.with(change(&hypothesis.session))).collect();
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
        if let Some(taken) = self.hypotheses.iter().map(|hypothesis| hypothesis.taken).min() {
            self.queue.forget_before(taken);
        }
        let waits = |connection: &ConnectionId| self.queue.position(|waiting| waiting.opens(*connection)).is_some();
        if self.hypotheses.iter().any(|hypothesis| !hypothesis.ignored.iter().all(waits)) {
            let forgetting = |mut hypothesis: Hypothesis| {
                hypothesis.ignored.retain(waits);
                hypothesis
            };
            self.hypotheses = std::mem::take(&mut self.hypotheses).into_iter().map(forgetting).collect();
        }
    }
}
