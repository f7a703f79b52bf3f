//! A broker in a network for as long as walks go on.

use crate::case::Credentials;
use crate::run::{NetworkTarget, RunError, nonce};
use crate::target::{Log, Route, Started, probe};
use model::packet::ProtocolVersion;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// A broker that runs already, or one that was started and is stopped in the end.
#[derive(Debug)]
pub struct Host {
    route: Route,
    keeper: Option<Keeper>,
}

/// The thread that keeps a started command.
#[derive(Debug)]
struct Keeper {
    /// Says that it is over, and whether the log is worth keeping.
    stop: oneshot::Sender<bool>,
    thread: JoinHandle<Option<PathBuf>>,
}

impl Host {
    /// Starts the target if it is to be started, and makes sure that it speaks one of these versions.
    ///
    /// # Errors
    /// When there is no such target.
    pub fn find(
        target: &NetworkTarget,
        versions: &[ProtocolVersion],
        credentials: &Credentials,
        timeout: Duration,
    ) -> Result<Host, Box<RunError>> {
        let (found, finding) = mpsc::sync_channel(1);
        let (stop, stopped) = oneshot::channel();
        let (target, versions, credentials) = (target.clone(), versions.to_vec(), credentials.clone());
        let is_started = target.start.is_some();
        let thread = std::thread::spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    // Whoever asked waits for it.
                    let _ = found.send(Err(RunError::NoLog(error)));
                    return None;
                }
            };
            runtime.block_on(async {
                let mut log = None;
                let (route, process) = match find(&target, &versions, &credentials, timeout, &mut log).await {
                    Ok(it) => it,
                    Err(error) => {
                        let _ = found.send(Err(error));
                        return log.and_then(|log| log.keep_if(true));
                    }
                };
                let _ = found.send(Ok(route));
                let mut process = process?;
                let is_needed = stopped.await.unwrap_or(true);
                process.stop().await;
                log.and_then(|log| log.keep_if(is_needed))
            })
        });
        let route = finding.recv().unwrap_or(Err(RunError::NoTarget)).map_err(Box::new)?;
        Ok(Host { route, keeper: is_started.then_some(Keeper { stop, thread }) })
    }

    /// The way to it.
    #[must_use]
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// Stops what was started. Returns where its output is, if that is wanted and there is some.
    pub fn stop(self, keep_log: bool) -> Option<PathBuf> {
        let Keeper { stop, thread } = self.keeper?;
        // A keeper that is gone has stopped it.
        let _ = stop.send(keep_log);
        thread.join().ok().flatten()
    }
}

async fn find(
    target: &NetworkTarget,
    versions: &[ProtocolVersion],
    credentials: &Credentials,
    timeout: Duration,
    log: &mut Option<Log>,
) -> Result<(Route, Option<Started>), RunError> {
    target.check_free().await?;
    let client_id = format!("{}probe", nonce());
    let Some(start) = &target.start else {
        probe(&target.route, versions, &client_id, credentials, timeout).await?;
        return Ok((target.route.clone(), None));
    };
    let log = log.insert(Log::create().map_err(RunError::NoLog)?);
    let within = target.ready_within;
    let started = start
        .start(&target.route_to_start().map_err(RunError::NoPort)?, versions, &client_id, credentials, within, log)
        .await?;
    Ok((started.route().clone(), Some(started)))
}
