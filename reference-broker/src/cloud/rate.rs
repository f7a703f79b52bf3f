//! How often an action may be asked for (P-API-5 to P-API-8, P-RPC-15).

use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// An action with a limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Limited {
    Publish,
    PublishToMany,
    BroadcastToTopic,
    BroadcastToAll,
    Call,
}

impl Limited {
    /// How many in which time.
    fn limit(self) -> (u32, Duration) {
        let second = Duration::from_secs(1);
        match self {
            Limited::Publish => (1_600, second),
            Limited::PublishToMany => (50, second),
            Limited::BroadcastToTopic => (1, second),
            Limited::BroadcastToAll => (1, 60 * second),
            Limited::Call => (1_000, second),
        }
    }
}

/// What has been asked for of late.
#[derive(Debug, Default)]
pub(super) struct Rates(BTreeMap<Limited, (Instant, u32)>);

impl Rates {
    /// Counts one more. False if it is one too many.
    pub(super) fn count(&mut self, action: Limited) -> bool {
        let (most, period) = action.limit();
        let now = Instant::now();
        let (began, count) = self.0.entry(action).or_insert((now, 0));
        if now.duration_since(*began) >= period {
            (*began, *count) = (now, 0);
        }
        *count += 1;
        *count <= most
    }
}
