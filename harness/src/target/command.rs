//! A broker that a command starts, and that is always stopped again.

use super::log::{Log, LogTail};
use super::probe::Unreachable;
use super::{Address, Route, probe};
use crate::case::Credentials;
use model::packet::ProtocolVersion;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use transport::CommandLine;

/// How long it may take to end after SIGTERM.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// How long the end of a process may take from the end of its connections.
const END_SHOWS_WITHIN: Duration = Duration::from_millis(500);

/// The pause between two looks whether it listens.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A command line with `{port}` in it, or none if the address is known beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartCommand(CommandLine);

/// Why a command did not become a target.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It could not be started.
    #[error("cannot start `{command}`: {error}")]
    NotStarted {
        /// The program.
        command: String,
        /// What the system said.
        error: io::Error,
    },
    /// It ended before it answered.
    #[error("`{command}` ended with {status} before it answered{log}")]
    Ended {
        /// The command line.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        log: LogTail,
    },
    /// It runs, but nobody answers there.
    #[error(
        "`{command}` was not ready within {} s: {last}; --ready-within gives it more time{log}",
        within.as_secs_f64()
    )]
    NotReady {
        /// The command line.
        command: String,
        /// How long it had.
        within: Duration,
        /// What came of the last attempt.
        last: Unreachable,
        /// The end of its log.
        log: LogTail,
    },
}

impl StartCommand {
    /// Splits a command line into words as a shell does, without a shell.
    ///
    /// # Errors
    /// When quotes are open, nothing is there, or only a shell could understand it.
    pub fn parse(text: &str) -> Result<StartCommand, String> {
        CommandLine::parse(text, "--start", "mosquitto -p {port}").map(StartCommand)
    }

    /// Whether the command takes the port from us.
    #[must_use]
    pub fn takes_port(&self) -> bool {
        self.0.mentions("{port}")
    }

    /// Starts it and waits until it answers a CONNECT at the end of `route`. What it prints goes to `log`.
    ///
    /// # Errors
    /// When it cannot be started, ends, or does not answer in time. It is stopped then.
    pub async fn start(
        &self,
        route: &Route,
        versions: &[ProtocolVersion],
        client_id: &str,
        credentials: &Credentials,
        within: Duration,
        log: &Log,
    ) -> Result<Started, CommandError> {
        let not_started = |error| CommandError::NotStarted { command: self.0.to_string(), error };
        let port = route.address.port.to_string();
        let mut words = self.0.words(&[("{port}", &port)]).into_iter();
        let output = log.append().map_err(not_started)?;
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).stdin(Stdio::null()).kill_on_drop(true);
        command.stdout(output.try_clone().map_err(not_started)?).stderr(output);
        // A group of its own: a shell script and the broker that it starts are stopped together, and a Ctrl-C at the
        // terminal reaches only us, so that reports come first.
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn().map_err(not_started)?;
        let mut started = Started {
            command: self.0.to_string(),
            log_keeper: tokio::spawn(log.keep_small()),
            #[cfg(unix)]
            group: child.id().and_then(|id| i32::try_from(id).ok()),
            child,
            route: route.clone(),
            stopped: false,
        };
        match started.await_ready(versions, client_id, credentials, within, log).await {
            Ok(()) => Ok(started),
            Err(error) => {
                started.stop().await;
                Err(error)
            }
        }
    }
}

impl std::fmt::Display for StartCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A running command.
#[derive(Debug)]
pub struct Started {
    command: String,
    log_keeper: JoinHandle<()>,
    child: Child,
    #[cfg(unix)]
    group: Option<i32>,
    route: Route,
    stopped: bool,
}

impl Drop for Started {
    /// A start that was given up half way, or a panic: nothing stays behind.
    fn drop(&mut self) {
        self.log_keeper.abort();
        if !self.stopped {
            self.signal(Stop::Force);
        }
    }
}

impl Started {
    /// The way to it.
    #[must_use]
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// How it ended, if it did. A port is closed a moment before the process is gone: that moment is waited for.
    pub async fn end(&mut self) -> Option<ExitStatus> {
        timeout(END_SHOWS_WITHIN, self.child.wait()).await.ok()?.ok()
    }

    async fn await_ready(
        &mut self,
        versions: &[ProtocolVersion],
        client_id: &str,
        credentials: &Credentials,
        within: Duration,
        log: &Log,
    ) -> Result<(), CommandError> {
        let deadline = Instant::now() + within;
        loop {
            let patience = deadline.saturating_duration_since(Instant::now()).max(LOOK_EVERY);
            let probe = probe(&self.route, versions, client_id, credentials, patience);
            let last = tokio::select! {
                outcome = probe => match outcome {
                    Ok(()) => return Ok(()),
                    Err(last) => last,
                },
                Ok(status) = self.child.wait() => {
                    let (command, log) = (self.command.clone(), log.tail());
                    return Err(CommandError::Ended { command, status, log });
                }
            };
            if Instant::now() >= deadline {
                let (command, log) = (self.command.clone(), log.tail());
                return Err(CommandError::NotReady { command, within, last, log });
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Stops it: SIGTERM to its group, after a bound SIGKILL.
    pub async fn stop(&mut self) {
        if self.child.try_wait().ok().flatten().is_none() {
            self.signal(Stop::Ask);
            if timeout(STOP_WITHIN, self.child.wait()).await.is_err() {
                self.signal(Stop::Force);
                // SIGKILL cannot be refused; a process that hangs in the kernel is beyond us.
                let _ = timeout(STOP_WITHIN, self.child.kill()).await;
            }
        }
        // What it left behind in its group goes with it. The number of a group stays taken as long as it has a member, and
        // process numbers come around again much later than this.
        self.signal(Stop::Force);
        self.stopped = true;
    }
}

enum Stop {
    Ask,
    Force,
}

#[cfg(unix)]
impl Started {
    fn signal(&self, stop: Stop) {
        use rustix::process::{Pid, Signal, kill_process_group};
        let signal = match stop {
            Stop::Ask => Signal::TERM,
            Stop::Force => Signal::KILL,
        };
        if let Some(group) = self.group.and_then(Pid::from_raw) {
            // It may have ended in this moment.
            let _ = kill_process_group(group, signal);
        }
    }
}

#[cfg(not(unix))]
impl Started {
    fn signal(&mut self, _stop: Stop) {
        // It may have ended in this moment.
        let _ = self.child.start_kill();
    }
}

/// The same way to a port of this machine that nobody listens on. Another process may take it before a command does; then
/// the command says so.
///
/// # Errors
/// When there is no such port.
pub fn to_free_port(route: &Route) -> io::Result<Route> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    Ok(route.to(Address::loopback(route.address.scheme, port)))
}

#[cfg(test)]
mod tests {
    use super::StartCommand;

    #[test]
    fn a_command_is_split_as_a_shell_does() {
        let command = StartCommand::parse("env A='b c' broker -p {port}").expect("it is sound");
        assert_eq!(command.0.words(&[("{port}", "1")]), ["env", "A=b c", "broker", "-p", "1"]);
        assert!(command.takes_port());
    }

    #[test]
    fn what_needs_a_shell_is_refused() {
        for text in ["broker -p {port} | tee log", "broker {port} 2>&1", "cd x && broker {port}"] {
            let message = StartCommand::parse(text).expect_err(text);
            assert!(message.contains("is for a shell"), "{message}");
        }
        assert!(StartCommand::parse("sh -c 'cd x && broker {port} | tee log'").is_ok());
    }
}
