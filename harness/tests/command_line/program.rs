//! Runs `mqttspec`, and never longer than a bound.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Far beyond what any of these runs takes: hanging is the only way to get here.
const BOUND: Duration = Duration::from_secs(60);

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `mqttspec` with these arguments.
pub(crate) fn mqttspec(arguments: &[&str]) -> Finished {
    finish(start(arguments))
}

/// Starts `mqttspec` with these arguments.
pub(crate) fn start(arguments: &[&str]) -> Child {
    command(arguments).spawn().expect("the program was built for this test")
}

/// `mqttspec` with these arguments, to be started.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mqttspec"));
    command
        .args(arguments)
        // Logs of started commands stay behind where nobody minds.
        .env("TMPDIR", env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Waits for its end.
pub(crate) fn finish(mut child: Child) -> Finished {
    let stdout = collect(child.stdout.take().expect("stdout is piped"));
    let stderr = collect(child.stderr.take().expect("stderr is piped"));
    let deadline = Instant::now() + BOUND;
    let status = loop {
        if let Some(status) = child.try_wait().expect("the child is ours") {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().expect("the child is ours");
            child.wait().expect("the child is ours");
            panic!("mqttspec hangs: {}\n{}", stdout.join().unwrap_or_default(), stderr.join().unwrap_or_default());
        }
        thread::sleep(Duration::from_millis(5));
    };
    let text = |thread: thread::JoinHandle<String>| thread.join().expect("the reader does not panic");
    Finished { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

fn collect(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("a pipe can be read");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Finished {
    /// The last line of the results.
    pub(crate) fn last_line(&self) -> &str {
        self.stdout.lines().last().unwrap_or_default()
    }

    /// Asserts exit code and a part of what stderr says, as one clear message without a panic.
    #[track_caller]
    pub(crate) fn fails_with(&self, code: u8, message: &str) {
        assert_eq!(self.code, Some(i32::from(code)), "{self:?}");
        assert!(self.stderr.contains(message), "{message:?} is not in\n{}", self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }
}

/// A folder of its own for a test.
pub(crate) fn folder() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{count}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder for temporary files is ours");
    folder
}

/// A file of this content in a folder of its own; its path.
pub(crate) fn file(name: &str, content: &str) -> String {
    let path = folder().join(name);
    std::fs::write(&path, content).expect("the folder is ours");
    path.display().to_string()
}
