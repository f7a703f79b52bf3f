//! What a client has sent and the server may not have taken yet.
//!
//! The inputs of one session have numbers, counted over all of its connections. The queue holds those that some hypothesis
//! has still to take, in the order in which they count.

use crate::server::{ConnectionId, Input, Millis};
use std::collections::VecDeque;

/// One input that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) at: Millis,
    pub(super) connection: ConnectionId,
    pub(super) input: Input,
}

/// The inputs of a session that wait to be taken.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    /// The number of the first one.
    first: usize,
}

impl Queue {
    /// The number that the next input gets: one that has taken all has taken so many.
    pub(super) fn end(&self) -> usize {
        self.first + self.waiting.len()
    }

    /// The input of this number.
    pub(super) fn get(&self, number: usize) -> Option<&Waiting> {
        self.waiting.get(number.checked_sub(self.first)?)
    }

    /// All from this number on.
    pub(super) fn since(&self, number: usize) -> impl Iterator<Item = &Waiting> {
        self.waiting.range(number.saturating_sub(self.first).min(self.waiting.len())..)
    }

    /// All of them.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Waiting> {
        self.waiting.iter_mut()
    }

    /// The number of the first input that is like this.
    pub(super) fn position(&self, is_meant: impl FnMut(&Waiting) -> bool) -> Option<usize> {
        self.waiting.iter().position(is_meant).map(|position| self.first + position)
    }

    /// One more input, which gets `number`; those from there on move up.
    pub(super) fn insert(&mut self, number: usize, waiting: Waiting) {
        self.waiting.insert((number - self.first).min(self.waiting.len()), waiting);
    }

    /// Forgets all before `number`.
    pub(super) fn forget_before(&mut self, number: usize) {
        while self.first < number && self.waiting.pop_front().is_some() {
            self.first += 1;
        }
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}

impl Waiting {
    /// Whether it is the CONNECT of this connection.
    pub(super) fn opens(&self, connection: ConnectionId) -> bool {
        self.is_connect() && self.connection == connection
    }

    pub(super) fn is_connect(&self) -> bool {
        matches!(self.input, Input::Connect(_))
    }
}
