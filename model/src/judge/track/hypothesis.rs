//! One explanation of what was seen of a session, and how it goes on as the server takes what waits.

use super::queue::{Lane, Queue, Waiting};
use crate::server::retained::Met;
use crate::server::routing::Hearing;
use crate::server::session::{Connection, Phase};
use crate::server::{ConnectionId, Context, Input, Moment, Output, Session};
use std::collections::BTreeSet;

/// Above this many hypotheses the judge gives no verdict: some freedom of the server is not folded well enough.
pub(super) const CAP: usize = 2000;

/// Nor does it if it had to look at more than so many on the way: most of those explain nothing.
pub(super) const REACH_CAP: usize = 10 * CAP;

/// How far one looks ahead at what a server may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// At everything.
    Everything,
    /// At what changes subscriptions alone.
    Subscriptions,
}

/// One explanation of what was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Hypothesis {
    pub(super) session: Session,
    /// How many inputs the server has taken of each lane that it has begun, sorted.
    taken: Vec<(ConnectionId, usize)>,
    /// The connections that the server had taken when it began the session, as far as somebody asks for them: their ordinals,
    /// sorted.
    before: Vec<u32>,
}

/// What follows as the server takes what waits.
pub(super) struct Reach {
    pub(super) states: BTreeSet<Hypothesis>,
    /// Whether these are all of them: there may be too many.
    pub(super) is_whole: bool,
}

impl Hypothesis {
    /// A session that nothing has been taken for; its connection, if it has one, has begun.
    pub(super) fn begin(session: Session) -> Hypothesis {
        let taken = session.link.iter().map(|link| (link.id, 1)).collect();
        Hypothesis { session, taken, before: Vec::new() }
    }

    /// The same with another session: nothing was taken.
    pub(super) fn with(&self, session: Session) -> Hypothesis {
        Hypothesis { session, taken: self.taken.clone(), before: self.before.clone() }
    }

    /// The same with its session changed.
    pub(super) fn change(self, change: impl FnOnce(Session) -> Session) -> Hypothesis {
        Hypothesis { session: change(self.session), ..self }
    }

    pub(super) fn is_link(&self, connection: ConnectionId) -> bool {
        self.session.link.as_ref().is_some_and(|link| link.id == connection)
    }

    /// How many inputs the server has taken from a lane.
    pub(super) fn taken(&self, connection: ConnectionId) -> usize {
        self.taken.iter().find(|(known, _)| *known == connection).map_or(0, |(_, number)| *number)
    }

    /// How many it has taken from all lanes: who has taken most knows most.
    pub(super) fn progress(&self) -> usize {
        self.taken.iter().map(|(_, number)| *number).sum()
    }

    /// This moment as the server knows it: what the client has sent meanwhile on the connection may not have come.
    pub(super) fn moment_on(&self, queue: &Queue, connection: ConnectionId, moment: Moment) -> Moment {
        let next = queue.lane(connection).and_then(|lane| lane.get(self.taken(connection)));
        let silence = next.map_or(0, |waiting| moment.now.saturating_sub(waiting.heard));
        Moment { silence: moment.silence.max(silence), ..moment }
    }

    /// Whether what comes on this connection may still have an effect.
    pub(super) fn may_hear(&self, connection: ConnectionId) -> bool {
        self.is_link(connection) || self.taken(connection) == 0
    }

    /// The same after the server has taken so many from a lane.
    fn after(&self, session: Session, connection: ConnectionId, number: usize, queue: &Queue) -> Hypothesis {
        let mut next = self.with(session);
        if number == 1 && next.begins_on(connection) {
            let waits =
                |ordinal: &u32| queue.lanes().any(|(other, lane)| lane.ordinal() == *ordinal && self.taken(other) == 0);
            next.before = queue.connections().into_iter().filter(|ordinal| !waits(ordinal)).collect();
        }
        next.note(connection, number);
        next.skip(queue);
        next
    }

    /// Whether the CONNECT of this connection begins a session, and is not answered yet.
    fn begins_on(&self, connection: ConnectionId) -> bool {
        let begins = |link: &Connection| {
            link.id == connection && matches!(link.phase, Phase::Connecting { session_present: false, .. })
        };
        self.session.link.as_deref().is_some_and(begins)
    }

    /// Whether the session has begun after this connection.
    pub(super) fn has_begun_after(&self, ordinal: u32) -> bool {
        self.before.binary_search(&ordinal).is_ok()
    }

    /// Whether the session has begun after this connection, or may do so as the server takes what waits.
    pub(super) fn may_begin_after(&self, context: &Context<'_>, queue: &Queue, ordinal: u32) -> bool {
        let may_begin = || {
            let reach = self.reachable(context, queue);
            !reach.is_whole || reach.states.iter().any(|one| one.has_begun_after(ordinal))
        };
        self.has_begun_after(ordinal) || may_begin()
    }

    /// Whether it remembers its beginning more exactly than whoever asks whether it has begun after one of these connections.
    pub(super) fn has_to_round(&self, connections: &BTreeSet<u32>) -> bool {
        !self.before.iter().all(|ordinal| connections.contains(ordinal))
    }

    /// Whether it differs from another one in nothing but messages that need not come, and has all those of the other:
    /// then it explains whatever the other does.
    pub(super) fn covers(&self, context: &Context<'_>, other: &Hypothesis) -> bool {
        self.before == other.before && self.taken == other.taken && self.session.covers(context, &other.session)
    }

    /// Remembers no more of its beginning than these connections need.
    pub(super) fn round(&mut self, connections: &BTreeSet<u32>) {
        self.before.retain(|ordinal| connections.contains(ordinal));
    }

    fn note(&mut self, connection: ConnectionId, number: usize) {
        match self.taken.binary_search_by_key(&connection, |(known, _)| *known) {
            Ok(place) => self.taken[place].1 = number,
            Err(place) => self.taken.insert(place, (connection, number)),
        }
    }

    /// Whether there is something to skip or to forget.
    pub(super) fn has_to_skip(&self, queue: &Queue) -> bool {
        self.taken.iter().any(|(connection, taken)| match queue.lane(*connection) {
            Some(lane) => *taken < lane.end() && !self.is_link(*connection),
            None => true,
        })
    }

    /// Connections that the session has left behind only end; those that are gone are forgotten.
    pub(super) fn skip(&mut self, queue: &Queue) {
        self.taken.retain(|(connection, _)| queue.lane(*connection).is_some());
        for (connection, lane) in queue.lanes() {
            let taken = self.taken(connection);
            if taken > 0 && taken < lane.end() && !self.is_link(connection) {
                self.note(connection, lane.end());
                if lane.lost().is_some() {
                    self.session = self.session.without(connection);
                }
            }
        }
    }

    /// Whether the server has done with a lane: it has taken all, or it never begins to read a connection that is gone.
    pub(super) fn is_done_with(&self, connection: ConnectionId, lane: &Lane) -> bool {
        let taken = self.taken(connection);
        taken == lane.end() || (taken == 0 && lane.lost().is_some())
    }

    /// What follows when the server takes one more input from a lane. Where its client has ended the connection, the server
    /// may notice that at once, and the rest is gone.
    fn take_from(
        &self,
        context: &Context<'_>,
        queue: &Queue,
        connection: ConnectionId,
        lane: &Lane,
        look: Look,
    ) -> Vec<Hypothesis> {
        let number = self.taken(connection);
        let mut taken = Vec::new();
        let mut take = |number: usize, Waiting { at, heard: _, input }: &Waiting| {
            let mut sessions = self.session.input(context, *at, input);
            if matches!(input, Input::Connect(_)) && self.session.ends_between(*at, queue.now()) {
                // Sent in time, and perhaps not read in time.
                sessions.extend(self.session.input(context, queue.now(), input));
            }
            taken.extend(sessions.into_iter().map(|session| self.after(session, connection, number + 1, queue)));
        };
        let next = match look {
            Look::Everything => Some(number),
            Look::Subscriptions => lane.first_of(number, Input::changes_subscriptions),
        };
        if let Some((next, waiting)) = next.and_then(|next| Some((next, lane.get(next)?))) {
            take(next, waiting);
        }
        if let Some((end, waiting)) =
            lane.lost().filter(|end| 0 < number && number < *end).and_then(|end| Some((end, lane.get(end)?)))
        {
            take(end, waiting);
        }
        taken
    }

    /// This one, and those in which the server has taken a CONNECT that waits and begun a session with it.
    pub(super) fn beginning(self, context: &Context<'_>, queue: &Queue) -> BTreeSet<Hypothesis> {
        let mut all = BTreeSet::new();
        let mut last = vec![self];
        while let Some(one) = last.pop() {
            let waiting = queue.lanes().filter(|(connection, _)| one.taken(*connection) == 0);
            let taken = waiting.flat_map(|(connection, lane)| {
                let next = one.take_from(context, queue, connection, lane, Look::Everything);
                next.into_iter().filter(move |next| next.begins_on(connection))
            });
            last.extend(taken.filter(|next| !all.contains(next)));
            all.insert(one);
        }
        all
    }

    /// The hypotheses after the server has taken one more input; none if there is no more.
    pub(super) fn taking_one(&self, context: &Context<'_>, queue: &Queue) -> Vec<Hypothesis> {
        self.taking(context, queue, Look::Everything)
    }

    fn taking(&self, context: &Context<'_>, queue: &Queue, look: Look) -> Vec<Hypothesis> {
        queue.lanes().flat_map(|(connection, lane)| self.take_from(context, queue, connection, lane, look)).collect()
    }

    /// Those of them that may help to explain an output. What comes on the session's connection has nothing to do with others,
    /// unless it is the end.
    pub(super) fn taking_towards(
        &self,
        context: &Context<'_>,
        queue: &Queue,
        connection: ConnectionId,
        output: &Output,
    ) -> Vec<Hypothesis> {
        if self.is_link(connection) && !is_last_word(output) {
            self.taking_more_of(context, queue, connection)
        } else if self.may_hear(connection) {
            self.taking_one(context, queue)
        } else {
            Vec::new()
        }
    }

    /// Those of them in which it has taken more of its own connection, if it is this one.
    pub(super) fn taking_more_of(
        &self,
        context: &Context<'_>,
        queue: &Queue,
        connection: ConnectionId,
    ) -> Vec<Hypothesis> {
        let lane = queue.lane(connection).filter(|_| self.is_link(connection));
        lane.map_or_else(Vec::new, |lane| self.take_from(context, queue, connection, lane, Look::Everything))
    }

    /// Whether something waits that gives this delivery another meaning, so that it matters whether the server has taken it: an
    /// answer to an earlier delivery with the same identifier, or a SUBSCRIBE that meets the same message as a retained one.
    pub(super) fn leaves_another_reading(
        &self,
        context: &Context<'_>,
        queue: &Queue,
        connection: ConnectionId,
        output: &Output,
    ) -> bool {
        let Output::Publish { id: used, content, .. } = output else { return false };
        let Some(link) = self.session.link.as_ref().filter(|link| link.id == connection) else { return false };
        let is_it = |met: &Met| context.vocabulary.of(met.message).content(link.version) == *content;
        let matters = |input: &Input| match input {
            Input::Puback { id } | Input::Pubrec { id, .. } | Input::Pubcomp { id } => Some(*id) == *used,
            Input::Subscribe { requests, .. } => requests.iter().flat_map(|request| &request.retained).any(is_it),
            _ => false,
        };
        queue.lane(connection).is_some_and(|lane| lane.since(self.taken(connection)).any(matters))
    }

    /// This one and all that follow from it as the server takes what waits.
    pub(super) fn reachable(&self, context: &Context<'_>, queue: &Queue) -> Reach {
        self.clone().reaching(context, queue, Look::Everything)
    }

    fn reaching(self, context: &Context<'_>, queue: &Queue, look: Look) -> Reach {
        let mut states = BTreeSet::new();
        let mut last = vec![self];
        while let Some(one) = last.pop() {
            if states.len() > REACH_CAP {
                return Reach { states, is_whole: false };
            }
            if !states.contains(&one) {
                last.extend(one.taking(context, queue, look));
                states.insert(one);
            }
        }
        Reach { states, is_whole: true }
    }

    /// Those of them in which this is so; none if there are too many states at a time. However much waits, what lies behind is
    /// not kept.
    pub(super) fn reaching_where(
        &self,
        context: &Context<'_>,
        queue: &Queue,
        is_so: impl Fn(&Hypothesis) -> bool,
    ) -> Option<BTreeSet<Hypothesis>> {
        let mut reached = BTreeSet::new();
        let mut last = BTreeSet::from([self.clone()]);
        while !last.is_empty() {
            let next = last.iter().flat_map(|one| one.taking_one(context, queue)).collect();
            reached.extend(last.into_iter().filter(&is_so));
            last = next;
            if last.len().max(reached.len()) > REACH_CAP {
                return None;
            }
        }
        Some(reached)
    }

    /// The same with nothing but what subscriptions depend on.
    pub(super) fn bare(&self) -> Hypothesis {
        self.with(self.session.bare())
    }

    /// What decides what a message meets, now and as the server takes what waits; none if there are too many states.
    pub(super) fn hearings(self, context: &Context<'_>, queue: &Queue) -> Option<BTreeSet<Hearing>> {
        let reach = self.reaching(context, queue, Look::Subscriptions);
        reach.is_whole.then(|| reach.states.into_iter().map(|one| one.session.hearing()).collect())
    }
}

/// Whether the server takes nothing more from a connection after this.
pub(super) fn is_last_word(output: &Output) -> bool {
    matches!(output, Output::Close | Output::Disconnect { .. })
}
