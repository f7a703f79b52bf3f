//! Brokers that a command starts: they are started again when they die, and never stay behind.
#![cfg(unix)]

use crate::fake_peer::{Answer, broker};
use crate::program::{file, finish, folder, mqttspec, start};
use model::packet::Packet;
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PORT: &str = "MQTTSPEC_TEST_PORT";
const DIARY: &str = "MQTTSPEC_TEST_DIARY";

/// Not a test but a broker: the tests below start this program again with this "test" alone. It writes its number into the
/// diary, and `connected` at each CONNECT; a payload `die` ends it.
#[test]
#[ignore = "the broker that other tests start"]
fn acts_as_broker() {
    let (Ok(port), Ok(diary)) = (std::env::var(PORT), std::env::var(DIARY)) else {
        return;
    };
    let note = move |text: &str| {
        let mut file = OpenOptions::new().create(true).append(true).open(&diary).expect("the diary can be written");
        writeln!(file, "{text}").expect("the diary can be written");
    };
    note(&std::process::id().to_string());
    let port = port.parse().expect("the port is a number");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the port is free");
    for stream in listener.incoming() {
        let note = note.clone();
        thread::spawn(move || {
            broker(stream.expect("a connection"), move |packet| {
                match packet {
                    Packet::Connect(_) => note("connected"),
                    Packet::Publish(publish) if publish.payload == b"die" => std::process::exit(3),
                    _ => {}
                }
                Answer::Properly
            });
        });
    }
}

/// The command that starts the broker above.
fn command(diary: &Path) -> String {
    let program = std::env::current_exe().expect("this program has a name");
    format!(
        "env {PORT}={{port}} {DIARY}='{}' '{}' --exact started::acts_as_broker --ignored",
        diary.display(),
        program.display()
    )
}

/// The numbers of all brokers that were started.
fn brokers(diary: &Path) -> Vec<String> {
    let text = fs::read_to_string(diary).unwrap_or_default();
    text.lines().filter(|line| line.parse::<u32>().is_ok()).map(str::to_owned).collect()
}

fn is_alive(process: &str) -> bool {
    let kill = Command::new("kill").args(["-0", process]).stderr(Stdio::null()).status();
    kill.expect("kill is there").success()
}

const DEADLY: &str = r#"suite: deadly
about: A case that the broker does not survive, among others.
target: broker
profiles: [standard]
cases:
  - id: before
    about: The server accepts a connection.
    cites: [MQTT-3.2.0-1]
    mqtt: ["3.1.1"]
    steps:
      - sub -> CONNECT
      - sub <- CONNACK
  - id: kills
    about: The server takes a message.
    cites: [MQTT-3.2.0-1]
    mqtt: ["3.1.1"]
    steps:
      - sub -> CONNECT
      - sub <- CONNACK
      - sub -> PUBLISH: {topic: $t/a, payload: die}
      - sub <- silence
      - sub -> PINGREQ
      - sub <- PINGRESP
  - id: after
    about: The server accepts a connection once more.
    cites: [MQTT-3.2.0-1]
    mqtt: ["3.1.1"]
    steps:
      - sub -> CONNECT
      - sub <- CONNACK
"#;

#[test]
fn the_case_that_kills_is_named_and_the_rest_goes_on() {
    let folder = folder();
    let (diary, json) = (folder.join("diary"), folder.join("report.json"));
    let cases = file("deadly.yaml", DEADLY);
    let finished = mqttspec(&[
        "run",
        "--start",
        &command(&diary),
        "--cases",
        &cases,
        "--json",
        &json.display().to_string(),
        "--timeout",
        "2",
    ]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert_eq!(finished.last_line(), "2 passed, 1 failed, 0 skipped", "{finished:?}");
    assert!(finished.stdout.contains("FAIL standard/deadly/kills/mqtt:3.1.1"), "{}", finished.stdout);
    assert!(finished.stdout.contains("the peer does not survive this case"), "{}", finished.stdout);
    assert!(finished.stdout.contains("the start command ended with exit status: 3"), "{}", finished.stdout);
    let report: Value = serde_json::from_str(&fs::read_to_string(json).expect("it is written")).expect("it is JSON");
    let log = report["log"].as_str().expect("a failure names the log");
    assert!(fs::read_to_string(log).expect("the log is kept").contains("running 1 test"));
    fs::remove_file(log).expect("the log is ours");
    let brokers = brokers(&diary);
    assert!(brokers.len() >= 2, "it was started again: {brokers:?}");
    assert!(brokers.iter().all(|broker| !is_alive(broker)), "none stays behind: {brokers:?}");
}

#[test]
fn success_leaves_neither_process_nor_log() {
    let diary = folder().join("diary");
    let cases = file("deadly.yaml", DEADLY);
    let finished =
        mqttspec(&["run", "--start", &command(&diary), "--cases", &cases, "--skip", "**/kills/**", "--timeout", "5"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(!finished.stdout.contains(".log"), "{}", finished.stdout);
    let brokers = brokers(&diary);
    assert_eq!(brokers.len(), 1);
    assert!(!is_alive(&brokers[0]));
}

#[test]
fn an_interrupt_keeps_results_and_stops_the_broker() {
    let folder = folder();
    let (diary, json) = (folder.join("diary"), folder.join("report.json"));
    let patient =
        DEADLY.replace("      - sub <- silence\n", "      - elapse: 600s\n").replace("payload: die", "payload: x");
    let cases = file("patient.yaml", &patient);
    let json_path = json.display().to_string();
    let child = start(&["run", "--start", &command(&diary), "--cases", &cases, "--json", &json_path, "--jobs", "1"]);
    // The pre-flight, the first case, and the one that waits.
    let deadline = Instant::now() + Duration::from_secs(30);
    while fs::read_to_string(&diary).unwrap_or_default().matches("connected").count() < 3 {
        assert!(Instant::now() < deadline, "the broker was not asked");
        thread::sleep(Duration::from_millis(5));
    }
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.expect("kill is there").success());
    let finished = finish(child);
    finished.fails_with(harness::exit_code::NO_JUDGEMENT, "the run was interrupted");
    assert_eq!(finished.last_line(), "1 passed, 0 failed, 2 skipped", "{finished:?}");
    let report: Value = serde_json::from_str(&fs::read_to_string(json).expect("it is written")).expect("it is JSON");
    assert_eq!(report["variants"].as_array().map(Vec::len), Some(3));
    assert_eq!(report["variants"][1]["reason"], "the run was interrupted");
    fs::remove_file(report["log"].as_str().expect("the log is named")).expect("the log is kept, and ours");
    let brokers = brokers(&diary);
    assert!(!brokers.is_empty() && brokers.iter().all(|broker| !is_alive(broker)), "{brokers:?}");
}
