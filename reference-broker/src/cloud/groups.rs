//! Consumer groups: what devices have published and no business server has taken yet.
//!
//! Every group gets every message; within a group each goes to whoever asks first. What is given back comes again after a
//! while (P-AMQ-9).

use crate::core::DeviceMessage;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// How long a message that was not accepted waits until it is tried again.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(60);

/// How many messages wait in a group; the oldest make room.
const BACKLOG: usize = 100_000;

/// The groups of a broker.
#[derive(Debug, Clone)]
pub(super) struct Groups(Arc<BTreeMap<String, Group>>);

/// One group.
#[derive(Debug, Default)]
pub(super) struct Group {
    waiting: Mutex<VecDeque<Waiting>>,
    changed: Notify,
}

/// A message with the moment before which it is not sent.
#[derive(Debug)]
struct Waiting {
    message: Arc<DeviceMessage>,
    not_before: Instant,
}

impl Groups {
    pub(super) fn new(names: impl IntoIterator<Item = String>) -> Groups {
        Groups(Arc::new(names.into_iter().map(|name| (name, Group::default())).collect()))
    }

    pub(super) fn find(&self, name: &str) -> Option<&Group> {
        self.0.get(name)
    }

    /// A device has published.
    pub(super) fn publish(&self, message: DeviceMessage) {
        let message = Arc::new(message);
        for group in self.0.values() {
            group.put(Arc::clone(&message), Instant::now());
        }
    }
}

impl Group {
    /// A message that is to be sent, not before some moment.
    pub(super) fn put(&self, message: Arc<DeviceMessage>, not_before: Instant) {
        let mut waiting = self.lock();
        if waiting.len() >= BACKLOG {
            waiting.pop_front();
        }
        waiting.push_back(Waiting { message, not_before });
        self.changed.notify_one();
    }

    /// The next message, as soon as there is one.
    pub(super) async fn take(&self) -> Arc<DeviceMessage> {
        loop {
            let next = {
                let mut waiting = self.lock();
                let now = Instant::now();
                if let Some(index) = waiting.iter().position(|waiting| waiting.not_before <= now)
                    && let Some(found) = waiting.remove(index)
                {
                    if !waiting.is_empty() {
                        // Somebody else may wait for the rest.
                        self.changed.notify_one();
                    }
                    return found.message;
                }
                waiting.iter().map(|waiting| waiting.not_before).min()
            };
            match next {
                None => self.changed.notified().await,
                Some(moment) => tokio::select! {
                    () = sleep_until(moment) => {}
                    () = self.changed.notified() => {}
                },
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        // Nothing panics while it is held.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
