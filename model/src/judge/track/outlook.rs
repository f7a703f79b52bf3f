//! What may come next, and when time alone changes it.

use super::Track;
use crate::server::{ConnectionId, Context, Millis, Moment, Representative, Session};
use std::collections::BTreeSet;

impl Track {
    /// What the server might send next in any of the states; none if there are too many of them.
    pub(in crate::judge) fn offers(&self, context: &Context<'_>, moment: Moment) -> Option<Vec<Representative>> {
        let reach = self.reached(context);
        if !reach.is_whole {
            return None;
        }
        let sessions: BTreeSet<Session> = reach.states.into_iter().map(|reached| reached.session).collect();
        let mut offers = Vec::new();
        for offer in sessions.iter().flat_map(|session| session.representatives(context, moment)) {
            if !offers.contains(&offer) {
                offers.push(offer);
            }
        }
        Some(offers)
    }

    /// When time alone changes what may come, given that the client was last heard at `heard` on its connection.
    pub(in crate::judge) fn turns(&self, context: &Context<'_>, heard: Millis) -> BTreeSet<Millis> {
        self.hypotheses.iter().flat_map(|hypothesis| hypothesis.session.turns(context, heard)).collect()
    }

    /// The silence that no hypothesis permits on this connection.
    pub(in crate::judge) fn silence_limit(&self, context: &Context<'_>, connection: ConnectionId) -> Option<Millis> {
        let mut limits = self.hypotheses.iter().map(|hypothesis| {
            hypothesis.session.link.as_ref().filter(|link| link.id == connection)?;
            hypothesis.session.silence_limit(context)
        });
        let first = limits.next()??;
        limits.try_fold(first, |longest, limit| limit.map(|limit| longest.max(limit)))
    }
}
