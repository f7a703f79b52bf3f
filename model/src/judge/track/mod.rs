//! The set of model states that explain what was seen of one session.
//!
//! ```text
//!   sent ────push────► queue ──taken one by one──► hypotheses ◄──accept── received     `explaining`
//!   messages of others ─────────float────────────►    │  ▲                             `floating`
//!                                                     │  └── folded, trimmed           `states`
//!                                                     ▼
//!         what may come next?  which Will?  what may a member of a group leave?          `outlook`, `wills`, `shares`
//!         which of the client's own messages has the server decided on?                  `published`
//! ```
//!
//! What a client has sent is taken by the server at a time that nobody sees. So inputs wait in a [`queue`], and a
//! [`hypothesis`] takes the next one only when an output cannot be explained without it: taking later explains as much,
//! because an input changes only what may come after it. Where an input that waits gives an output another meaning, both
//! are followed. So is what the end of a connection leaves open: only what comes next shows how much of the queue the
//! server has still taken, and the set forks then. [`following`] tells when a session is followed no more.

mod explaining;
mod floating;
mod following;
mod hypothesis;
mod outlook;
mod published;
mod queue;
mod shares;
mod states;
mod under_way;
mod wills;

use crate::packet::PacketId;
use crate::server::mentions::Live;
use crate::server::vocabulary::SenderKey;
use crate::server::{ConnectionId, Session};
use following::Following;
use hypothesis::Hypothesis;
use queue::{Lane, Queue};
use std::collections::{BTreeMap, BTreeSet};
use under_way::UnderWay;

pub(super) use published::{Sending, Unanswered};
pub(super) use under_way::Decided;

/// What is known of one session.
#[derive(Debug, Clone, Hash)]
pub(super) struct Track {
    /// Whose it is.
    sender: SenderKey,
    hypotheses: BTreeSet<Hypothesis>,
    /// Inputs that some hypothesis has not taken.
    queue: Queue,
    /// Messages of this client that wait for PUBACK or PUBCOMP, on whatever connection they were sent.
    pub(super) open: BTreeMap<PacketId, Unanswered>,
    /// Messages of this client that the server may still take.
    under_way: UnderWay,
    /// How many connections it has had and lost, both counted.
    connections: u32,
    following: Following,
}

impl Track {
    /// The session of a client that nothing is known of: it has no state.
    pub(super) fn new(sender: SenderKey) -> Track {
        Track {
            sender,
            hypotheses: BTreeSet::from([Hypothesis::begin(Session::default())]),
            queue: Queue::default(),
            open: BTreeMap::new(),
            under_way: UnderWay::default(),
            connections: 0,
            following: Following::Strictly,
        }
    }

    /// A connection that never became a session: the model's state is given.
    pub(super) fn starting_with(sender: SenderKey, sessions: Vec<Session>) -> Track {
        let mut queue = Queue::default();
        sessions.iter().filter_map(|session| session.link.as_ref()).for_each(|link| queue.begun(link.id));
        let hypotheses = sessions.into_iter().map(Hypothesis::begin).collect();
        Track { hypotheses, queue, ..Track::new(sender) }
    }

    /// How many states explain what was seen.
    pub(super) fn states(&self) -> usize {
        self.hypotheses.len()
    }

    /// Whether nothing that comes on this connection can reach the session any more: it has been replaced or refused.
    pub(super) fn is_out(&self, connection: ConnectionId) -> bool {
        let may_hear = |hypothesis: &Hypothesis| hypothesis.may_hear(connection);
        !self.is_left() && (self.queue.lane(connection).is_none() || !self.hypotheses.iter().any(may_hear))
    }

    /// How often a connection of this client has come or gone.
    pub(super) fn connections(&self) -> u32 {
        self.connections
    }

    /// Which of the client's connections this is: its ordinal.
    pub(super) fn ordinal(&self, connection: ConnectionId) -> u32 {
        self.queue.lane(connection).map_or(self.queue.latest(), Lane::ordinal)
    }

    /// Adds the tokens that the track holds.
    pub(super) fn mention(&self, live: &mut Live) {
        self.hypotheses.iter().for_each(|hypothesis| hypothesis.session.mention(live));
        self.queue.lanes().flat_map(|(_, lane)| lane.since(0)).for_each(|input| input.mention(live));
        live.messages.extend(self.open.values().map(|unanswered| unanswered.message));
        live.messages.extend(self.under_way());
    }
}
