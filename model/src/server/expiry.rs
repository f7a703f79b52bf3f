//! Message Expiry Interval: how long a message may wait in the server, and what it says when it leaves.

use super::Millis;
use super::rule::{Breach, Context, Rule, SeededBug};

/// The expiry of a message (5.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Expiry {
    /// Message Expiry Interval in seconds.
    pub interval: u32,
    /// The server has not taken it before.
    pub earliest: Millis,
    /// The server has taken it by then; `None` as long as that is not known.
    pub latest: Option<Millis>,
}

/// How far two clocks that count in whole seconds may be apart, in milliseconds.
const SLACK: Millis = 2_000;

impl Expiry {
    /// Whether the delivery of the message may begin at `now`: what has expired is deleted (MQTT-3.3.2-5).
    pub(super) fn may_begin(&self, context: &Context<'_>, now: Millis) -> bool {
        let end = |taken: Millis| taken + Millis::from(self.interval) * 1000 + SLACK;
        self.latest.is_none_or(|taken| now <= end(taken)) || context.has_bug(SeededBug::DeliversExpired)
    }

    /// Whether it may have expired by `now`, on any clock.
    pub(crate) fn may_have_ended(&self, now: Millis) -> bool {
        now + SLACK >= self.earliest + Millis::from(self.interval) * 1000
    }

    /// When it may have expired, and when it has for certain, if it was taken at once.
    pub(crate) fn turns(&self) -> [Millis; 2] {
        let end = self.earliest + Millis::from(self.interval) * 1000;
        [end.saturating_sub(SLACK), end + SLACK + 1]
    }

    /// What a server that took the message at once says of it at `now`.
    pub(super) fn left(&self, now: Millis) -> u32 {
        let waited = now.saturating_sub(self.earliest) / 1000;
        self.interval.saturating_sub(u32::try_from(waited).unwrap_or(u32::MAX))
    }

    /// Checks what a delivery that begins at `now` says: the interval less the time that the message has waited
    /// (MQTT-3.3.2-6).
    pub(super) fn check_forwarded(&self, now: Millis, seen: Option<u32>) -> Result<(), Breach> {
        let longest_wait = (now.saturating_sub(self.earliest) + SLACK).div_ceil(1000);
        let shortest_wait = now.saturating_sub(self.latest.unwrap_or(now)).saturating_sub(SLACK) / 1000;
        let after = |wait: Millis| self.interval.saturating_sub(u32::try_from(wait).unwrap_or(u32::MAX));
        let permitted = after(longest_wait)..=after(shortest_wait);
        match seen.is_some_and(|seen| permitted.contains(&seen)) {
            true => Ok(()),
            false => Err(Breach::of(
                Rule::ExpiryIsForwarded,
                format!("Message Expiry Interval {} to {}", permitted.start(), permitted.end()),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_shrinks_by_the_time_waited() {
        let expiry = Expiry { interval: 60, earliest: 1_000, latest: Some(1_500) };
        assert!(expiry.check_forwarded(1_500, Some(60)).is_ok());
        assert!(expiry.check_forwarded(31_000, Some(30)).is_ok());
        assert!(expiry.check_forwarded(31_000, Some(60)).is_err(), "it has waited");
        assert!(expiry.check_forwarded(2_000, Some(20)).is_err(), "it has not waited so long");
        assert!(expiry.check_forwarded(2_000, None).is_err(), "it says nothing");
    }
}
