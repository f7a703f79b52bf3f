//! Bytes that wait to be put on their way.

use std::collections::VecDeque;
use tokio::time::Instant;

/// What goes out on one side of a connection, in order.
#[derive(Debug, Default)]
pub(super) struct Outlet {
    parcels: VecDeque<(Instant, Parcel)>,
}

/// A piece of what goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Parcel {
    /// Bytes.
    Bytes(Vec<u8>),
    /// This direction ends.
    End,
    /// The connection ends at once, in both directions.
    Cut,
}

impl Outlet {
    /// Puts a parcel behind all others; it leaves at `due`, or later if those do.
    pub(super) fn put(&mut self, due: Instant, parcel: Parcel) {
        self.parcels.push_back((due, parcel));
    }

    /// The next parcel that may leave now.
    pub(super) fn take(&mut self, now: Instant) -> Option<Parcel> {
        if self.due()? > now {
            return None;
        }
        self.parcels.pop_front().map(|(_, parcel)| parcel)
    }

    /// When the next parcel may leave.
    pub(super) fn due(&self) -> Option<Instant> {
        self.parcels.front().map(|(due, _)| *due)
    }
}
