//! All deadlines in order.

use super::broker::{ConnectionId, Milliseconds};
use super::cloud::MessageId;
use super::session::SessionId;
use std::collections::BTreeSet;

/// What a deadline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// CONNECT has to be there, with its authentication.
    Connect(ConnectionId),
    /// Something has to have come from the Client.
    KeepAlive(ConnectionId),
    /// The Will Delay Interval is over. Before `SessionExpiry`, so that a Will due at the same time keeps its place.
    Will(SessionId),
    /// The Session Expiry Interval is over.
    SessionExpiry(SessionId),
    /// The time of a call is over.
    Call(MessageId),
}

/// All deadlines in order. An owner remembers the time it set, and cancels what it no longer needs.
#[derive(Debug, Default)]
pub(super) struct Timers(BTreeSet<(Milliseconds, Timer)>);

impl Timers {
    pub(super) fn set(&mut self, at: Milliseconds, timer: Timer) {
        self.0.insert((at, timer));
    }

    pub(super) fn cancel(&mut self, at: Milliseconds, timer: Timer) {
        self.0.remove(&(at, timer));
    }

    pub(super) fn next_deadline(&self) -> Option<Milliseconds> {
        self.0.first().map(|&(at, _)| at)
    }

    /// Removes and returns the first timer due by `now`.
    pub(super) fn next_due(&mut self, now: Milliseconds) -> Option<Timer> {
        match self.0.first() {
            Some(&(at, _)) if at <= now => self.0.pop_first().map(|(_, timer)| timer),
            _ => None,
        }
    }
}
