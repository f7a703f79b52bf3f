//! When time alone changes what a session permits or demands.

use super::session::Session;
use super::will::PendingWill;
use super::{Context, Millis};

impl Session {
    /// The moments at which Keep Alive, Session Expiry Interval and Will Delay Interval begin and cease to leave the server a
    /// choice, given that the client was last heard at `heard`.
    pub(crate) fn turns(&self, context: &Context<'_>, heard: Millis) -> Vec<Millis> {
        let lateness = Millis::from(context.profile.limits().session_expiry_lateness) * 1000;
        let patience = self.link.as_ref().and_then(|link| link.patience());
        // The last moment at which a close is in time.
        let limit = self.silence_limit(context).map(|limit| limit.saturating_sub(1));
        let silences = patience.into_iter().chain(limit).map(|silence| heard + silence);
        let end = self.kept.as_ref().and_then(|kept| kept.ends_at);
        let ends = end.into_iter().flat_map(|end| [end, end + lateness + 1]);
        let wills = self.wills.iter().flat_map(|will| [will.due, will.overdue_from()]);
        silences.chain(ends).chain(wills).collect()
    }
}

impl PendingWill {
    /// From when on it must have been published.
    fn overdue_from(self) -> Millis {
        self.due.saturating_add(super::will::LATENESS + 1)
    }
}
