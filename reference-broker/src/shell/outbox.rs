//! Bytes that wait to be written to one connection.

use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What waits to be written, and whether more may come. The core's side puts, the writing task takes.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    content: Mutex<Content>,
    changed: Notify,
    closed: Notify,
}

#[derive(Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    /// Bytes the writer has taken and not yet written.
    being_written: usize,
    end: Option<End>,
}

/// How a connection is to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// When everything is written.
    Flush,
    /// At once.
    Abort,
}

impl Outbox {
    /// Appends bytes. `false` if more than `limit` would then be unread: nothing is appended.
    pub(super) fn put(&self, bytes: &[u8], limit: usize) -> bool {
        let mut content = self.lock();
        if content.end.is_some() {
            return true; // The connection is closing: nobody misses them.
        }
        if content.bytes.len() + content.being_written + bytes.len() > limit {
            return false;
        }
        content.bytes.extend_from_slice(bytes);
        self.changed.notify_one();
        true
    }

    /// No more bytes will come. The first caller decides how it ends, except that an abort overrides a flush.
    pub(super) fn close(&self, end: End) {
        let mut content = self.lock();
        if content.end.is_none() || end == End::Abort {
            content.end = Some(end);
        }
        self.changed.notify_one();
        self.closed.notify_one();
    }

    /// Resolves when it is closed. For one waiting task: the reading one.
    pub(super) async fn closed(&self) {
        while self.lock().end.is_none() {
            self.closed.notified().await;
        }
    }

    /// Resolves when it is aborted. For one waiting task: the writing one.
    pub(super) async fn aborted(&self) {
        while self.lock().end != Some(End::Abort) {
            self.changed.notified().await;
        }
    }

    /// Everything there is to write, as soon as there is something; `None` when there will be nothing more. For one
    /// waiting task: the writing one. What it took before counts as written.
    pub(super) async fn take(&self) -> Option<Vec<u8>> {
        loop {
            {
                let mut content = self.lock();
                content.being_written = 0;
                match content.end {
                    Some(End::Abort) => return None,
                    Some(End::Flush) if content.bytes.is_empty() => return None,
                    _ => {}
                }
                if !content.bytes.is_empty() {
                    content.being_written = content.bytes.len();
                    return Some(std::mem::take(&mut content.bytes));
                }
            }
            self.changed.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        // Nothing panics while it is held.
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
