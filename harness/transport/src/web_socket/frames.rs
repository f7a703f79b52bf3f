//! What only frames tell and can do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A handle of one connection's frames; clones are handles of the same one.
#[derive(Debug, Clone)]
pub struct Frames(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    subprotocol: Option<String>,
    sends_text: AtomicBool,
    got_text: AtomicBool,
}

impl Frames {
    pub(super) fn new(subprotocol: Option<String>) -> Frames {
        let (sends_text, got_text) = (AtomicBool::new(false), AtomicBool::new(false));
        Frames(Arc::new(Shared { subprotocol, sends_text, got_text }))
    }

    /// The subprotocol that the server chose, if it named one.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.0.subprotocol.as_deref()
    }

    /// From now on this side sends text frames, as far as the bytes are UTF-8: against MQTT-6.0.0-1.
    pub fn send_text(&self) {
        self.0.sends_text.store(true, Ordering::Relaxed);
    }

    /// Whether the peer has sent a text frame.
    #[must_use]
    pub fn got_text(&self) -> bool {
        self.0.got_text.load(Ordering::Relaxed)
    }

    pub(super) fn sends_text(&self) -> bool {
        self.0.sends_text.load(Ordering::Relaxed)
    }

    pub(super) fn note_text(&self) {
        self.0.got_text.store(true, Ordering::Relaxed);
    }
}
