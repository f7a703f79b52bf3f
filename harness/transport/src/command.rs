//! A command whose standard input and output carry the bytes, as ssh's ProxyCommand does.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;
use tokio::time::timeout;

/// How much of the end of its standard error a message shows.
const COMPLAINT: usize = 400;

/// How long the last word may take from the end of the connection.
const LAST_WORD_WITHIN: Duration = Duration::from_millis(500);

/// Words that mean something to a shell, and that no program expects.
const SHELL_OPERATORS: [&str; 10] = ["|", "||", "&&", ";", "&", ">", ">>", "<", "2>", "2>&1"];

/// A command line as a person wrote it, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    text: String,
    words: Vec<String>,
}

impl CommandLine {
    /// Splits a command line into words as a shell does, without a shell. `option` and `example` are for messages.
    ///
    /// # Errors
    /// When quotes are open, nothing is there, or only a shell could understand it.
    pub fn parse(text: &str, option: &str, example: &str) -> Result<CommandLine, String> {
        let words = shlex::split(text).ok_or_else(|| format!("`{text}` has an open quote or ends in a backslash"))?;
        if words.is_empty() {
            return Err(format!("the command is empty: write e.g. {option} '{example}'"));
        }
        if let Some(operator) = words.iter().find(|word| SHELL_OPERATORS.contains(&word.as_str())) {
            return Err(format!(
                "`{operator}` is for a shell, and the command is started without one: write {option} \"sh -c '...'\""
            ));
        }
        Ok(CommandLine { text: text.to_owned(), words })
    }

    /// Whether this stands in it somewhere.
    #[must_use]
    pub fn mentions(&self, placeholder: &str) -> bool {
        self.words.iter().any(|word| word.contains(placeholder))
    }

    /// The words, with values in the place of placeholders.
    #[must_use]
    pub fn words(&self, values: &[(&str, &str)]) -> Vec<String> {
        let filled = |word: &String| values.iter().fold(word.clone(), |word, (name, value)| word.replace(name, value));
        self.words.iter().map(filled).collect()
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A command that carries a connection; `{host}` and `{port}` stand for where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportCommand(CommandLine);

impl TransportCommand {
    /// Reads a command line.
    ///
    /// # Errors
    /// When it is none that can be started without a shell.
    pub fn parse(text: &str) -> Result<TransportCommand, String> {
        CommandLine::parse(text, "--transport-command", "socat - TCP:{host}:{port}").map(TransportCommand)
    }

    /// Starts it. It is ended when the stream is dropped, if it does not end by itself when its input does.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self, host: &str, port: u16) -> io::Result<CommandStream> {
        let port = port.to_string();
        let mut words = self.0.words(&[("{host}", host), ("{port}", &port)]).into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // A group of its own: what a shell script starts is ended with it, and a Ctrl-C at the terminal reaches only us, so
        // that reports come first.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn()?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::Error::other("it has no standard input, output and error"));
        };
        let (ends, ended) = watch::channel(());
        let complaint = Complaint { said: Arc::default(), ended };
        tokio::spawn(listen(stderr, Arc::clone(&complaint.said), ends));
        Ok(CommandStream {
            stdin: Some(stdin),
            stdout,
            complaint,
            #[cfg(unix)]
            group: child.id().and_then(|id| i32::try_from(id).ok()),
            _child: child,
        })
    }
}

impl fmt::Display for TransportCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The end of what a command says on its standard error.
#[derive(Debug, Clone)]
pub struct Complaint {
    said: Arc<Mutex<VecDeque<u8>>>,
    /// Its other end goes with the last word.
    ended: watch::Receiver<()>,
}

/// Ends with the command and all that it has started.
async fn listen(mut stderr: ChildStderr, said: Arc<Mutex<VecDeque<u8>>>, _ends: watch::Sender<()>) {
    let mut piece = [0; 1024];
    while let Ok(length @ 1..) = stderr.read(&mut piece).await {
        let mut said = lock(&said);
        said.extend(&piece[..length]);
        let surplus = said.len().saturating_sub(COMPLAINT);
        said.drain(..surplus);
    }
}

fn lock(said: &Mutex<VecDeque<u8>>) -> MutexGuard<'_, VecDeque<u8>> {
    // Every change leaves it whole.
    said.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Complaint {
    /// Waits for the last word, at most a moment.
    pub async fn settle(&self) {
        let mut ended = self.ended.clone();
        let last_word = async { while ended.changed().await.is_ok() {} };
        // What is there by then has to do.
        let _ = timeout(LAST_WORD_WITHIN, last_word).await;
    }
}

/// What it said, in one harmless line; nothing if it said nothing.
impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said: Vec<u8> = lock(&self.said).iter().copied().collect();
        let text = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let line: String = lines.join(" / ").chars().filter(|character| !character.is_control()).collect();
        f.write_str(&line)
    }
}

/// The bytes of a running command.
#[derive(Debug)]
pub struct CommandStream {
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    complaint: Complaint,
    #[cfg(unix)]
    group: Option<i32>,
    /// Killed when it is dropped, and waited for by tokio.
    _child: Child,
}

impl CommandStream {
    /// What it says on its standard error, now and later.
    #[must_use]
    pub fn complaint(&self) -> Complaint {
        self.complaint.clone()
    }
}

impl Drop for CommandStream {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self.group.and_then(rustix::process::Pid::from_raw) {
            // It may have ended already. Its number is not given away before its parent, which is us, has taken note.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

impl AsyncRead for CommandStream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdout).poll_read(context, into)
    }
}

impl AsyncWrite for CommandStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.stdin {
            Some(stdin) => Pin::new(stdin).poll_write(context, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stdin {
            Some(stdin) => Pin::new(stdin).poll_flush(context),
            None => Poll::Ready(Ok(())),
        }
    }

    /// The end of a pipe is that it is dropped.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(stdin) = &mut self.stdin {
            std::task::ready!(Pin::new(stdin).poll_flush(context))?;
        }
        self.stdin = None;
        Poll::Ready(Ok(()))
    }
}
