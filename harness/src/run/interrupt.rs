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
    /// An interrupt that is raised by Ctrl-C, and on Unix by SIGTERM and SIGHUP; under `nohup` the last stays ignored.
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
struct Signals {
    watched: [tokio::signal::unix::Signal; 3],
    ignores_hangup: bool,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        let ignores_hangup = ignores_hangup();
        let watched =
            [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?];
        Ok(Signals { watched, ignores_hangup })
    }

    async fn any(self) {
        let [mut interrupt, mut terminate, mut hangup] = self.watched;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            Some(()) = hangup.recv(), if !self.ignores_hangup => {}
        }
    }
}

/// Whether who started us wants SIGHUP ignored. To watch a signal replaces that wish, so it is asked before; where the
/// system does not tell, SIGHUP counts.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("SigIgn:")).is_some_and(is_hangup_in)
}

/// Whether a mask of signals, in hexadecimal digits, holds the first one, SIGHUP.
#[cfg(unix)]
fn is_hangup_in(mask: &str) -> bool {
    u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 1 == 1)
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

#[cfg(all(test, unix))]
mod tests {
    use super::is_hangup_in;

    #[test]
    fn the_first_signal_of_a_mask_is_sighup() {
        assert!(is_hangup_in("\t0000000000001001"));
        assert!(!is_hangup_in("\t0000000000001000"));
        assert!(!is_hangup_in(""));
    }
}
