//! The Will: what is published when a connection ends and nobody has taken it back.

use super::Millis;
use super::alphabet::{Lifetime, Will};
use super::rule::{Context, SeededBug};
use super::session::{Connection, Moment, Phase, Session};
use super::vocabulary::MessageKey;
use crate::packet::ProtocolVersion;
use crate::profile::Feature;

/// A Will whose connection is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PendingWill {
    /// What is published.
    pub message: MessageKey,
    /// When Will Delay Interval or session is over: not before (3.1.1: MQTT-3.1.2-8; 5.0: MQTT-3.1.2-8).
    pub due: Millis,
    /// Whether it must be published then. It need not when a connection has come back at about that time.
    pub certain: bool,
}

/// How exactly a server keeps the time of a Will, in milliseconds: the text says nothing of it, and counts in seconds.
pub(super) const LATENESS: Millis = 5_000;

impl Connection {
    /// The Will after the connection has ended at `now`; none if it was taken back (3.1.1: MQTT-3.14.4-3; 5.0: MQTT-3.14.4-3) or there is none.
    pub(super) fn will_after(&self, now: Millis) -> Option<PendingWill> {
        let Will { message, delay } = self.will?;
        // V31-12: 3.1 names I/O errors and Keep Alive, and no other end.
        let certain = self.version != ProtocolVersion::V3_1 || matches!(self.phase, Phase::Connected);
        Some(PendingWill { message, due: now + delay.min(longest(self.lifetime)), certain })
    }
}

/// How long a session can outlive its connection.
fn longest(lifetime: Lifetime) -> Millis {
    match lifetime {
        Lifetime::Connection => 0,
        Lifetime::For(duration) => duration,
        Lifetime::Forever => Millis::MAX,
    }
}

impl Session {
    /// The client has connected again at `now`. A Will that is not due yet is not published, if the session goes on
    /// (5.0: MQTT-3.1.3-9); if it does not, it is due at once.
    pub(super) fn take_back_wills(&mut self, context: &Context<'_>, now: Millis, session_goes_on: bool) {
        if !session_goes_on {
            self.wills.iter_mut().for_each(|will| will.due = will.due.min(now));
        } else if !context.has_bug(SeededBug::PublishesWillAfterReturn) {
            self.wills.retain(|will| will.due <= now + LATENESS);
            for will in self.wills.iter_mut().filter(|will| will.due > now || will.due + LATENESS >= now) {
                // It came back just then. Without delay there was nothing to be in time for.
                will.certain &= will.due == now;
            }
        }
    }

    /// Wills that the server may have published by now.
    pub fn possible_wills(&self, moment: Moment, early: Millis) -> impl Iterator<Item = MessageKey> {
        let ended = self.link.as_ref().filter(|link| match link.phase {
            // Its CONNACK may be on its way, and more behind it.
            Phase::Condemned { .. } => true,
            // With DISCONNECT 0x04 the Will stands (5.0: MQTT-3.14.4-3): with any other it is gone by now.
            Phase::Ending { .. } | Phase::Left => true,
            Phase::Connected => link.is_overdue(moment.silence) || self.may_fail_authentication(),
            Phase::Connecting { .. } => false,
        });
        let at_once = ended.and_then(|link| link.will_after(moment.now));
        let due = self.wills.iter().copied().chain(at_once);
        due.filter(move |will| will.due <= moment.now + early).map(|will| will.message)
    }

    /// Wills that the server must have published by now.
    pub fn overdue_wills(&self, now: Millis) -> impl Iterator<Item = MessageKey> {
        self.wills.iter().filter(move |will| will.certain && will.due + LATENESS < now).map(|will| will.message)
    }

    /// Whether this Will is still to be published or taken back.
    #[must_use]
    pub fn holds_will(&self, message: MessageKey) -> bool {
        let is_it = |will: Will| will.message == message;
        let armed = self.link.as_ref().and_then(|link| link.will).is_some_and(is_it);
        armed || self.wills.iter().any(|will| will.message == message)
    }

    /// The router has published a Will.
    #[must_use]
    pub fn without_will(&self, message: MessageKey) -> Session {
        let mut next = self.clone();
        next.wills.retain(|will| will.message != message);
        if let Some(link) = next.link.as_mut().filter(|link| link.will.is_some_and(|will| will.message == message)) {
            link.will = None;
        }
        next
    }
}

/// The Will that a server holds for a connection: none in a dialect that has none (P-WR-1).
pub(super) fn held(context: &Context<'_>, version: ProtocolVersion, will: Option<Will>) -> Option<Will> {
    will.filter(|_| {
        context.profile.has_in(Feature::Will, version) || context.has_bug(SeededBug::PublishesForbiddenWill)
    })
}
