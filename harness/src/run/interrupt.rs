//! Ctrl-C and SIGTERM: stop playing, report what is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// Tells all parts of a run that it is to end.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    raised: AtomicBool,
    changed: Notify,
}

impl Interrupt {
    /// An interrupt that is raised by Ctrl-C, and on Unix by SIGTERM and SIGHUP.
    ///
    /// # Errors
    /// When the system gives no thread or no signals.
    pub fn on_signals() -> std::io::Result<Interrupt> {
        let interrupt = Interrupt::default();
        let raised = interrupt.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let signals = {
            // Signal handlers belong to the runtime in whose context they are made.
            let _context = runtime.enter();
            Signals::new()?
        };
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(signals.any());
            raised.raise();
        })?;
        Ok(interrupt)
    }

    /// Raises it.
    pub fn raise(&self) {
        self.state.raised.store(true, Ordering::SeqCst);
        self.state.changed.notify_waiters();
    }

    /// Whether it was raised.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.state.raised.load(Ordering::SeqCst)
    }

    /// Ends when it is raised.
    pub async fn raised(&self) {
        let mut notified = std::pin::pin!(self.state.changed.notified());
        notified.as_mut().enable();
        if !self.is_raised() {
            notified.await;
        }
    }
}

#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?]))
    }

    async fn any(self) {
        let Signals([mut interrupt, mut terminate, mut hangup]) = self;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Signals> {
        Ok(Signals)
    }

    async fn any(self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without signals nobody can interrupt.
            std::future::pending::<()>().await;
        }
    }
}
