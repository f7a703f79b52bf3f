//! What a client has sent and the server may not have taken yet.
//!
//! Connections of one client have no common order: each has a lane of its own, and the server takes from whichever it
//! likes. Within a lane inputs have numbers; the first is CONNECT, the last the end of the connection.

use crate::server::{ConnectionId, Input, Millis};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};

/// How long the server may need to notice that a client has ended its connection, and read from it, in milliseconds. The
/// standard has no such number; a judge without one would have to reckon with everything that was under way for ever.
const NOTICED_WITHIN: Millis = 5_000;

/// One input that waits.
#[derive(Debug, Clone, Hash)]
pub(super) struct Waiting {
    pub(super) at: Millis,
    /// When the client sent what came before it.
    pub(super) heard: Millis,
    pub(super) input: Input,
}

/// What waits on one connection.
#[derive(Debug, Clone, Default, Hash)]
pub(super) struct Lane {
    /// Which of the client's connections it is, in the order of their CONNECT packets.
    ordinal: u32,
    waiting: VecDeque<Waiting>,
    /// The number of the first one.
    first: usize,
    /// When the client sent the last one.
    heard: Millis,
    /// When the client ended the connection.
    lost: Option<Millis>,
}

/// The inputs of a session that wait to be taken.
#[derive(Debug, Clone, Default, Hash)]
pub(super) struct Queue {
    lanes: BTreeMap<ConnectionId, Lane>,
    /// How many lanes there have been.
    opened: u32,
    /// Of those that may be gone, the ones that somebody asks for: their ordinals.
    asked_for: BTreeSet<u32>,
    now: Now,
}

/// When the latest event was. It tells no queue from another: the next event brings its own time.
#[derive(Debug, Clone, Copy, Default)]
struct Now(Millis);

impl Hash for Now {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Queue {
    /// A connection on which CONNECT, or what stood for it, has been taken already.
    pub(super) fn begun(&mut self, connection: ConnectionId) {
        self.lanes.insert(connection, Lane { first: 1, ..Lane::default() });
    }

    /// One more input, and its number. CONNECT opens a lane; nothing follows the end of a connection.
    pub(super) fn push(&mut self, connection: ConnectionId, at: Millis, input: Input) -> Option<usize> {
        if matches!(input, Input::Connect(_)) {
            self.opened += 1;
            let lane = || Lane { ordinal: self.opened, heard: at, ..Lane::default() };
            self.lanes.entry(connection).or_insert_with(lane);
        }
        let lane = self.lanes.get_mut(&connection).filter(|lane| lane.lost.is_none())?;
        lane.lost = (input == Input::Lost).then_some(at);
        lane.waiting.push_back(Waiting { at, heard: lane.heard, input });
        lane.heard = at;
        Some(lane.end() - 1)
    }

    /// Time has come to `now`.
    pub(super) fn pass_time(&mut self, now: Millis) {
        self.now = Now(now);
    }

    /// When the latest event was: what waits may have been read by then.
    pub(super) fn now(&self) -> Millis {
        self.now.0
    }

    pub(super) fn lanes(&self) -> impl Iterator<Item = (ConnectionId, &Lane)> {
        self.lanes.iter().map(|(connection, lane)| (*connection, lane))
    }

    /// Which of the client's connections the latest is, in the order of their CONNECT packets.
    pub(super) fn latest(&self) -> u32 {
        self.opened
    }

    /// Somebody asks for these connections, though their lanes may be gone.
    pub(super) fn ask_for(&mut self, ordinals: BTreeSet<u32>) {
        self.asked_for = ordinals;
    }

    /// The connections that have a lane, and those that somebody asks for, in the order of their CONNECT packets.
    pub(super) fn connections(&self) -> BTreeSet<u32> {
        self.lanes.values().map(Lane::ordinal).chain(self.asked_for.iter().copied()).collect()
    }

    pub(super) fn lane(&self, connection: ConnectionId) -> Option<&Lane> {
        self.lanes.get(&connection)
    }

    /// Every input that waits.
    pub(super) fn inputs_mut(&mut self) -> impl Iterator<Item = &mut Input> {
        self.lanes.values_mut().flat_map(|lane| &mut lane.waiting).map(|waiting| &mut waiting.input)
    }

    /// The server has ended a connection: it takes nothing more from it.
    pub(super) fn end(&mut self, connection: ConnectionId) {
        self.lanes.remove(&connection);
    }

    /// The server has noticed the end of what the client ended long ago.
    pub(super) fn end_stale(&mut self, now: Millis) {
        self.lanes.retain(|_, lane| !lane.is_stale(now));
    }

    /// Drops the lanes that are not wanted any more, and of the others what is taken: `taken` says up to which number.
    pub(super) fn trim(&mut self, taken: impl Fn(ConnectionId, &Lane) -> Option<usize>) {
        self.lanes.retain(|connection, lane| match taken(*connection, lane) {
            Some(number) => {
                lane.forget_before(number);
                true
            }
            None => false,
        });
    }

    pub(super) fn clear(&mut self) {
        self.lanes.clear();
    }
}

impl Lane {
    /// Which of the client's connections it is, in the order of their CONNECT packets.
    pub(super) fn ordinal(&self) -> u32 {
        self.ordinal
    }

    /// The input of this number.
    pub(super) fn get(&self, number: usize) -> Option<&Waiting> {
        self.waiting.get(number.checked_sub(self.first)?)
    }

    /// The number of the first input from this number on that is wanted.
    pub(super) fn first_of(&self, number: usize, is_wanted: impl Fn(&Input) -> bool) -> Option<usize> {
        self.since(number).position(is_wanted).map(|distance| number + distance)
    }

    /// All from this number on.
    pub(super) fn since(&self, number: usize) -> impl Iterator<Item = &Input> {
        let start = number.saturating_sub(self.first).min(self.waiting.len());
        self.waiting.range(start..).map(|waiting| &waiting.input)
    }

    /// The number that the next input would get.
    pub(super) fn end(&self) -> usize {
        self.first + self.waiting.len()
    }

    /// The number of the end of the connection, once the client has ended it.
    pub(super) fn lost(&self) -> Option<usize> {
        self.lost.map(|_| self.end() - 1)
    }

    /// Whether the client has ended it so long ago that the server has noticed.
    pub(super) fn is_stale(&self, now: Millis) -> bool {
        self.lost.is_some_and(|at| now > at + NOTICED_WITHIN)
    }

    fn forget_before(&mut self, number: usize) {
        while self.first < number && self.waiting.pop_front().is_some() {
            self.first += 1;
        }
    }
}
