//! A broker that a command starts, and that is always stopped again.

use super::probe::Unreachable;
use super::{Address, probe};
use crate::case::Credentials;
use model::packet::ProtocolVersion;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// How long it may take to end after SIGTERM.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// The pause between two looks whether it listens.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How much of the end of the log a message shows.
const LOG_LINES: usize = 5;
const LOG_BYTES: u64 = 4096;

/// A command line with `{port}` in it, or none if the address is known beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartCommand {
    text: String,
    words: Vec<String>,
}

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
    #[error("`{command}` was not ready within {} s: {last}{log}", within.as_secs_f64())]
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

/// The last lines of a log and where all of it is.
#[derive(Debug)]
pub struct LogTail {
    path: PathBuf,
    lines: Vec<String>,
}

impl std::fmt::Display for LogTail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.lines.is_empty() {
            return write!(f, "; it printed nothing");
        }
        write!(f, "; the end of its log ({}):", self.path.display())?;
        self.lines.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

impl StartCommand {
    /// Splits a command line into words as a shell does, without a shell.
    ///
    /// # Errors
    /// When quotes are open or nothing is there.
    pub fn parse(text: &str) -> Result<StartCommand, String> {
        let words = shlex::split(text).ok_or_else(|| format!("`{text}` has an open quote or ends in a backslash"))?;
        if words.is_empty() {
            return Err("the start command is empty: write e.g. --start 'mosquitto -p {port}'".to_owned());
        }
        Ok(StartCommand { text: text.to_owned(), words })
    }

    /// Whether the command takes the port from us.
    #[must_use]
    pub fn takes_port(&self) -> bool {
        self.words.iter().any(|word| word.contains("{port}"))
    }

    /// Starts it and waits until it answers a CONNECT at `address`, or at a free port of this machine.
    ///
    /// # Errors
    /// When it cannot be started, ends, or does not answer in time. It is stopped then.
    pub async fn start(
        &self,
        address: Option<Address>,
        versions: &[ProtocolVersion],
        client_id: &str,
        credentials: &Credentials,
        within: Duration,
    ) -> Result<Started, CommandError> {
        let not_started = |error| CommandError::NotStarted { command: self.text.clone(), error };
        let address = match address {
            Some(address) => address,
            None => Address::loopback(free_port().map_err(not_started)?),
        };
        let port = address.port.to_string();
        let mut words = self.words.iter().map(|word| word.replace("{port}", &port));
        let (log_path, log) = create_log().map_err(not_started)?;
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).stdin(Stdio::null()).kill_on_drop(true);
        command.stdout(log.try_clone().map_err(not_started)?).stderr(log);
        // A group of its own: a shell script and the broker that it starts are stopped together, and a Ctrl-C at the
        // terminal reaches only us, so that reports come first.
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn().map_err(|error| {
            // The log is empty: nothing ran.
            let _ = fs::remove_file(&log_path);
            not_started(error)
        })?;
        let mut started = Started {
            command: self.text.clone(),
            #[cfg(unix)]
            group: child.id().and_then(|id| i32::try_from(id).ok()),
            child,
            address,
            log: log_path,
            stopped: false,
        };
        match started.await_ready(versions, client_id, credentials, within).await {
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
        f.write_str(&self.text)
    }
}

/// A running command.
#[derive(Debug)]
pub struct Started {
    command: String,
    child: Child,
    #[cfg(unix)]
    group: Option<i32>,
    address: Address,
    log: PathBuf,
    stopped: bool,
}

impl Drop for Started {
    /// A start that was given up half way, or a panic: nothing stays behind.
    fn drop(&mut self) {
        if !self.stopped {
            self.signal(Stop::Force);
        }
    }
}

impl Started {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Where its output goes.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// How it ended, if it did.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    async fn await_ready(
        &mut self,
        versions: &[ProtocolVersion],
        client_id: &str,
        credentials: &Credentials,
        within: Duration,
    ) -> Result<(), CommandError> {
        let deadline = Instant::now() + within;
        loop {
            let patience = deadline.saturating_duration_since(Instant::now()).max(LOOK_EVERY);
            let probe = probe(&self.address, versions, client_id, credentials, patience);
            let last = tokio::select! {
                outcome = probe => match outcome {
                    Ok(()) => return Ok(()),
                    Err(last) => last,
                },
                Ok(status) = self.child.wait() => {
                    let (command, log) = (self.command.clone(), self.log_tail());
                    return Err(CommandError::Ended { command, status, log });
                }
            };
            if Instant::now() >= deadline {
                let (command, log) = (self.command.clone(), self.log_tail());
                return Err(CommandError::NotReady { command, within, last, log });
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// The last lines that it printed.
    #[must_use]
    pub fn log_tail(&self) -> LogTail {
        let lines = read_tail(&self.log).unwrap_or_default();
        LogTail { path: self.log.clone(), lines }
    }

    /// Stops it: SIGTERM to its group, after a bound SIGKILL.
    pub async fn stop(&mut self) {
        if self.exit_status().is_none() {
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

    /// Removes the log of a run that nobody needs to look into.
    pub fn remove_log(&self) {
        // A log that stays behind harms nobody.
        let _ = fs::remove_file(&self.log);
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

/// A port that nobody listens on. Another process may take it before the command does; then the command says so.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// A new file in the folder for temporary files.
fn create_log() -> io::Result<(PathBuf, File)> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    loop {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("mqttspec-{}-{count}.log", std::process::id()));
        // `create_new` never follows what somebody else put there.
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

fn read_tail(path: &Path) -> io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOG_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(LOG_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    Ok(lines[lines.len().saturating_sub(LOG_LINES)..].to_vec())
}
