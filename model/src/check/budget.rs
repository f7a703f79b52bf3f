//! What a search may spend. stateright bounds neither the different states nor, with one thread, the time: the world itself
//! stops moving.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The states that may still be looked at, and until when.
#[derive(Debug)]
pub(super) struct Budget {
    states: AtomicUsize,
    deadline: Option<Instant>,
    is_spent: AtomicBool,
}

/// The clock is read once in so many states.
const STATES_A_LOOK: usize = 4096;

impl Default for Budget {
    fn default() -> Budget {
        Budget { states: AtomicUsize::new(usize::MAX), deadline: None, is_spent: AtomicBool::new(false) }
    }
}

impl Budget {
    pub(super) fn new(states: usize, time: Duration) -> Budget {
        Budget {
            states: AtomicUsize::new(states),
            deadline: Instant::now().checked_add(time),
            is_spent: AtomicBool::new(false),
        }
    }

    /// Whether one more state may be looked at; it is paid for.
    pub(super) fn allows_another(&self) -> bool {
        if self.is_spent.load(Ordering::Relaxed) {
            return false;
        }
        let left = self.states.fetch_sub(1, Ordering::Relaxed);
        let is_late = || self.deadline.is_some_and(|deadline| Instant::now() > deadline);
        let is_spent = left == 0 || (left.is_multiple_of(STATES_A_LOOK) && is_late());
        if is_spent {
            self.is_spent.store(true, Ordering::Relaxed);
        }
        !is_spent
    }

    /// Ends the bounds, so that paths can be followed again, and says whether the search had come to them.
    pub(super) fn lift(&self) -> bool {
        self.states.store(usize::MAX, Ordering::Relaxed);
        self.is_spent.swap(false, Ordering::Relaxed)
    }
}
