//! How long things may take, and waiting for them.

use super::Player;
use crate::case::{Action, Step};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// How late something may come in real time after its window: the machine, not the peer, is to blame then.
pub(in crate::run) const LATE: Duration = Duration::from_millis(500);

/// How early: clocks count in steps. MQTT's timers count whole seconds.
pub(in crate::run) const EARLY: Duration = Duration::from_millis(100);

impl Player<'_> {
    /// More time than a step can take if all of its waits use up their own: a net that nothing should fall into.
    pub(super) fn bound(&self, step: &Step) -> Duration {
        // A silence is the longest of all: two rounds of other connections, a fresh one and its own.
        let waits = 8 * self.timeout;
        match &step.action {
            Action::Elapse(elapse) => elapse.duration(self.keep_alive) + waits,
            Action::Expect { within: Some(window), .. } => window.latest + LATE + waits,
            Action::AnyOrder(steps) => steps.iter().map(|step| self.bound(step)).sum::<Duration>() + waits,
            Action::Either(branches) => {
                branches.iter().flatten().map(|step| self.bound(step)).sum::<Duration>() + waits
            }
            _ => waits,
        }
    }

    /// Waits until `look` finds something, at most until `deadline`.
    pub(in crate::run) async fn wait<T>(
        &mut self,
        deadline: Instant,
        mut look: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let changed = Arc::clone(&self.changed);
        loop {
            let mut notified = pin!(changed.notified());
            // From here on nothing is missed, also what comes while we look.
            notified.as_mut().enable();
            self.note();
            let found = look(self);
            if found.is_some() || Instant::now() >= deadline {
                return found;
            }
            // When time is up we look once more: time passes in the middle of events.
            let _ = timeout_at(deadline, notified).await;
        }
    }

    /// What is notified when something comes in.
    pub(in crate::run) fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }

    /// The time since the start.
    pub(in crate::run) fn elapsed(&self) -> Duration {
        self.recorder.elapsed()
    }

    /// The moment from which windows count.
    pub(in crate::run) fn mark(&self) -> Instant {
        self.mark
    }

    /// The same for what must not come too early. In real time nobody knows how long an answer was under way, while a clock of
    /// the peer was running already.
    pub(in crate::run) fn earliest_mark(&self) -> Instant {
        if self.is_virtual() { self.mark } else { self.deed }
    }

    /// Whether time is virtual, so that it goes on only when nothing is under way any more.
    pub(in crate::run) fn is_virtual(&self) -> bool {
        self.peer.is_virtual() && !self.delays
    }
}
