//! One explanation of what was seen of a session, and how it goes on as the server takes what waits.

use super::queue::{Queue, Waiting};
use crate::server::{ConnectionId, Context, Input, MessageKey, Routing, Session, Shares};
use std::collections::BTreeSet;

/// Above this many hypotheses the judge gives no verdict: some freedom of the server is not folded well enough.
pub(super) const CAP: usize = 2000;

/// One explanation of what was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hypothesis {
    pub(super) session: Session,
    /// How many inputs of the session the server has taken.
    pub(super) taken: usize,
    /// Connections whose CONNECT waits and never counts: the server refuses it, or they broke before it was read.
    pub(super) ignored: BTreeSet<ConnectionId>,
}

impl Hypothesis {
    pub(super) fn begin(session: Session) -> Hypothesis {
        Hypothesis { session, taken: 0, ignored: BTreeSet::new() }
    }

    /// The same after the server has taken all before `taken`.
    pub(super) fn after(&self, session: Session, taken: usize) -> Hypothesis {
        Hypothesis { session, taken, ignored: self.ignored.clone() }
    }

    /// The same with another session: nothing was taken.
    pub(super) fn with(&self, session: Session) -> Hypothesis {
        self.after(session, self.taken)
    }

    pub(super) fn is_link(&self, connection: ConnectionId) -> bool {
        self.session.link.as_ref().is_some_and(|link| link.id == connection)
    }

    /// Whether the server will take this as a CONNECT.
    pub(super) fn counts_as_connect(&self, waiting: &Waiting) -> bool {
        waiting.is_connect() && !self.ignored.contains(&waiting.connection)
    }

    /// What follows when the server takes an input. Connections that the session has left behind only end.
    pub(super) fn take(&self, context: &Context<'_>, waiting: &Waiting) -> Vec<Session> {
        let Waiting { at, connection, input } = waiting;
        match input {
            Input::Connect(_) if self.ignored.contains(connection) => vec![self.session.clone()],
            Input::Connect(terms) => {
                let mut sessions = self.session.input(context, *at, input);
                // That the server refuses it is another hypothesis.
                sessions.retain(|session| session.link.as_ref().is_some_and(|link| link.id == terms.connection));
                sessions
            }
            _ if self.is_link(*connection) => self.session.input(context, *at, input),
            Input::Lost => vec![self.session.without(*connection)],
            _ => vec![self.session.clone()],
        }
    }

    /// The hypotheses after the server has taken one more input; none if there is no more. A CONNECT on another connection
    /// may be taken before what came on the older one, which then has no effect but for its end.
    pub(super) fn taking_one(&self, context: &Context<'_>, queue: &Queue) -> Vec<Hypothesis> {
        let Some(waiting) = queue.get(self.taken) else { return Vec::new() };
        let sessions = self.take(context, waiting).into_iter();
        let mut taken: Vec<Hypothesis> = sessions.map(|session| self.after(session, self.taken + 1)).collect();
        let next_connect = queue.since(self.taken).position(|waiting| self.counts_as_connect(waiting));
        if let Some(distance) = next_connect.filter(|distance| *distance > 0) {
            let mut reached = vec![self.clone()];
            for waiting in queue.since(self.taken).take(distance + 1) {
                if waiting.input == Input::Lost || self.counts_as_connect(waiting) {
                    let take = |one: &Hypothesis| {
                        let sessions = one.take(context, waiting);
                        sessions.into_iter().map(|session| one.with(session)).collect::<Vec<_>>()
                    };
                    reached = reached.iter().flat_map(take).collect();
                }
            }
            let taken_then = self.taken + distance + 1;
            taken.extend(reached.into_iter().map(|one| Hypothesis { taken: taken_then, ..one }));
        }
        taken
    }

    /// This one and all that follow from it as the server takes the queue.
    pub(super) fn reachable(&self, context: &Context<'_>, queue: &Queue) -> Vec<Hypothesis> {
        let mut all = vec![self.clone()];
        let mut last = all.clone();
        while !last.is_empty() && all.len() <= CAP {
            last = last.iter().flat_map(|one| one.taking_one(context, queue)).collect();
            last.sort();
            last.dedup();
            all.extend(last.iter().cloned());
        }
        all
    }
}

/// What a message may meet in any of these states.
pub(super) fn routing(context: &Context<'_>, states: &[Hypothesis], message: MessageKey, own: bool) -> Routing {
    let published = context.vocabulary.of(message);
    states
        .iter()
        .map(|state| state.session.routing(context, published, own, Shares::Undecided))
        .reduce(Routing::or)
        .unwrap_or_else(Routing::none)
}
