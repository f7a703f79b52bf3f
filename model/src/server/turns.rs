//! When time alone changes what a session permits or demands.

use super::delivery::{Delivery, Progress};
use super::session::Session;
use super::will::PendingWill;
use super::{Context, Millis};

/// How long before it would be late a server is asked to do something.
pub(crate) const MOMENT: Millis = 2;

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
        let wills = self.wills.iter().flat_map(|will| [will.due, will.overdue_from() - MOMENT]);
        silences.chain(ends).chain(wills).collect()
    }

    /// The moments from which on a Will may have been published, or must have been.
    pub(crate) fn turns_of_wills(&self, heard: Millis, early: Millis) -> Vec<Millis> {
        let patience = self.link.as_ref().and_then(|link| link.patience());
        let wills = self.wills.iter().flat_map(|will| [will.due.saturating_sub(early), will.overdue_from()]);
        patience.into_iter().map(|silence| heard + silence).chain(wills).collect()
    }
}

impl Session {
    /// Whether something is owed that may have expired by `now`.
    fn owes_expired(&self, context: &Context<'_>, now: Millis) -> bool {
        let kept = self.kept.iter().flat_map(|kept| &kept.deliveries);
        kept.into_iter().any(|delivery| delivery.owed && delivery.may_have_expired(context, now))
    }

    /// What may have expired by `now` is not owed any more; none if nothing changes.
    pub(crate) fn after_expiries(&self, context: &Context<'_>, now: Millis) -> Option<Session> {
        self.owes_expired(context, now).then(|| {
            let mut next = self.clone();
            for delivery in next.kept.iter_mut().flat_map(|kept| &mut kept.deliveries) {
                delivery.owed &= !delivery.may_have_expired(context, now);
            }
            next.kept.iter_mut().for_each(|kept| kept.deliveries.sort());
            next
        })
    }
}

impl Delivery {
    /// Whether its message may have expired before it was sent for the first time.
    fn may_have_expired(&self, context: &Context<'_>, now: Millis) -> bool {
        let expiry = context.vocabulary.of(self.message).expiry;
        let is_unsent = matches!(self.progress, Progress::Waiting | Progress::PerhapsSent);
        is_unsent && expiry.is_some_and(|expiry| expiry.may_have_ended(now))
    }
}

impl PendingWill {
    /// The first moment at which it is late.
    fn overdue_from(self) -> Millis {
        self.due.saturating_add(super::will::LATENESS + 1)
    }
}
