//! Foreign clients: mosquitto_pub and mosquitto_sub talk through the broker in all three versions.
//!
//! Without them installed there is nothing to test: then the test says so, and fails only where `CI` is `true`.
//! mosquitto_sub keeps its lines back when it writes to a pipe; stdbuf (of coreutils) makes it write each at once.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// No step takes longer, except on a machine that stands still.
const LONG: Duration = Duration::from_secs(30);

const BROKER: &str = env!("CARGO_BIN_EXE_mqttspec-broker");

/// A started program; it does not outlive the test.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(program: &str, arguments: &str) -> Running {
        let mut command = Command::new(program);
        command.args(arguments.split_whitespace());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let also = sender.clone();
        // Each ends with its pipe.
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| also.send(line)));
        Running { child, lines }
    }

    /// Waits for a line that begins like this.
    fn line(&self, begin: &str) -> String {
        let mut before = Vec::new();
        loop {
            match self.lines.recv_timeout(LONG) {
                Ok(line) if line.starts_with(begin) => return line,
                Ok(line) => before.push(line),
                Err(error) => panic!("no line `{begin}..` ({error}); before: {before:#?}"),
            }
        }
    }

    /// Waits for the end of all output, and with it of the program.
    fn ends_well(mut self) {
        let mut last = Vec::new();
        loop {
            match self.lines.recv_timeout(LONG) {
                Ok(line) => last.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end; its last lines: {last:#?}"),
            }
        }
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {last:#?}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn installed(program: &str) -> bool {
    Command::new(program).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

#[test]
fn mosquitto_clients_exchange_messages_in_all_versions() {
    if let Some(missing) = ["mosquitto_pub", "mosquitto_sub", "stdbuf"].into_iter().find(|program| !installed(program))
    {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{missing} is not installed");
        eprintln!("skipped: {missing} is not installed");
        return;
    }
    let broker = Running::start(BROKER, "--listen 127.0.0.1:0");
    let ready = broker.line("listening on 127.0.0.1:");
    assert!(ready.ends_with(", profile standard"), "{ready}");
    let port = ready.trim_start_matches("listening on 127.0.0.1:").trim_end_matches(", profile standard");

    const VERSIONS: [&str; 3] = ["mqttv31", "mqttv311", "mqttv5"];
    for subscribing in VERSIONS {
        for publishing in VERSIONS {
            for qos in ["0", "1", "2"] {
                let topic = format!("{subscribing}/{publishing}/{qos}");
                let subscriber = Running::start(
                    "stdbuf",
                    &format!(
                        "-oL mosquitto_sub -d -p {port} -V {subscribing} -t +/+/# -q {qos} -C 1 -F received:%t:%q:%p"
                    ),
                );
                subscriber.line("Subscribed");
                let publisher = Running::start(
                    "mosquitto_pub",
                    &format!("-d -p {port} -V {publishing} -t {topic} -q {qos} -m hello"),
                );
                publisher.ends_well();
                assert_eq!(subscriber.line("received"), format!("received:{topic}:{qos}:hello"));
                subscriber.ends_well();
            }
        }
    }
}

#[test]
fn the_binary_says_what_is_wrong_and_ends_with_its_codes() {
    let run = |arguments: &[&str]| {
        let output = Command::new(BROKER).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, message) = run(&["--profile", "nope"]);
    assert_eq!(code, Some(2));
    assert!(message.contains("nope") && message.contains("standard, platform, platform-2026"), "{message}");
    let (code, message) = run(&["--listen", "here"]);
    assert_eq!(code, Some(2));
    assert!(message.contains("here"), "{message}");
    let (code, message) = run(&["--without", "qos-2,nothing"]);
    assert_eq!(code, Some(2));
    assert!(message.contains("nothing") && message.contains("retained-messages"), "{message}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, message) = run(&["--listen", &address]);
    assert_eq!(code, Some(3));
    assert!(message.contains(&address), "{message}");
}

#[cfg(unix)]
#[test]
fn signals_end_the_binary_gently() {
    for signal in ["INT", "TERM"] {
        let broker = Running::start(BROKER, "--listen 127.0.0.1:0 --profile platform");
        broker.line("listening on");
        let pid = broker.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        broker.ends_well();
    }
}
