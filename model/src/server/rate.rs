//! How often something has happened lately.

use super::Millis;
use std::collections::VecDeque;

/// The last times at which something happened, as many as a limit needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Rate {
    times: VecDeque<Millis>,
}

impl Rate {
    /// It happens at `now`. Whether that is more often than `limit` times within `window`, a span that ends now.
    pub fn exceeds(&mut self, now: Millis, limit: u16, window: Millis) -> bool {
        self.times.push_back(now);
        while self.times.len() > usize::from(limit) + 1 {
            self.times.pop_front();
        }
        let earliest = self.times.front().copied().unwrap_or(now);
        self.times.len() > usize::from(limit) && now.saturating_sub(earliest) < window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_ends_now() {
        let mut rate = Rate::default();
        let exceeded: Vec<bool> = [0, 10, 20, 30, 1009, 1015, 1030].map(|now| rate.exceeds(now, 3, 1000)).into();
        assert_eq!(exceeded, [false, false, false, true, true, true, false]);
    }

    #[test]
    fn no_more_is_kept_than_needed() {
        let mut rate = Rate::default();
        assert!((0..1000).filter(|now| rate.exceeds(*now, 5, 10)).count() == 995);
        assert_eq!(rate.times.len(), 6);
    }
}
