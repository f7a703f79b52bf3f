//! What can be wrong outside of mqttspec: for each, one clear message and the documented exit code.

use crate::fake_peer::{Answer, FakePeer, broker, flood, listen_only};
use crate::mixed_bag::BAG;
use crate::program::{Finished, file, folder, mqttspec};
use harness::exit_code::{AS_EXPECTED, NO_JUDGEMENT, NOT_AS_EXPECTED, NOTHING_SELECTED, USAGE};
use model::packet::Packet;
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A suite of one case with `replaced` in it.
fn suite(steps: &str) -> String {
    format!(
        "suite: one\nabout: One case.\ntarget: broker\nprofiles: [standard]\ncases:\n  - id: only\n    about: It is \
         played.\n    cites: [MQTT-3.2.0-1]\n    mqtt: [\"3.1.1\"]\n    steps:\n{steps}"
    )
}

const CONNECTS: &str = "      - sub -> CONNECT\n      - sub <- CONNACK\n";

fn run_cases(text: &str) -> Finished {
    mqttspec(&["run", "--cases", &file("suite.yaml", text)])
}

#[test]
fn an_unknown_key_in_a_case() {
    let finished = run_cases(&suite(CONNECTS).replace("    about: It", "    abuot: It"));
    finished.fails_with(USAGE, "suite.yaml:7:");
    finished.fails_with(USAGE, "abuot");
}

#[test]
fn an_unknown_packet_in_a_case() {
    let finished = run_cases(&suite("      - sub -> CONECT\n"));
    finished.fails_with(USAGE, "suite.yaml:11:");
    finished.fails_with(USAGE, "CONECT");
}

#[test]
fn an_unknown_statement_in_a_case() {
    let finished = run_cases(&suite(CONNECTS).replace("MQTT-3.2.0-1", "MQTT-3.2.0-99"));
    finished.fails_with(USAGE, "suite.yaml:8:");
    finished.fails_with(USAGE, "MQTT-3.2.0-99");
}

#[test]
fn no_yaml() {
    run_cases("suite: [one\nabout: x\n").fails_with(USAGE, "suite.yaml:");
}

#[test]
fn a_folder_without_cases_and_a_file_that_is_not_there() {
    let empty = folder().display().to_string();
    let finished = mqttspec(&["run", "--cases", &empty]);
    assert!(matches!(finished.code, Some(2 | 4)), "{finished:?}");
    mqttspec(&["run", "--cases", "no/such/case.yaml"]).fails_with(USAGE, "no/such/case.yaml");
}

#[test]
fn an_unknown_profile() {
    mqttspec(&["run", "--profile", "standart"])
        .fails_with(USAGE, "there is no profile `standart`: the built-in ones are standard, platform, platform-2026");
}

#[test]
fn a_profile_that_contradicts_itself() {
    let profile = "name: mine\nabout: Wrong.\nextends: standard\nlimits:\n  keep-alive: [10, 5]\n";
    let finished = mqttspec(&["run", "--profile", &file("mine.yaml", profile)]);
    finished.fails_with(USAGE, "mine.yaml:5:3: the profile contradicts itself");
}

#[test]
fn a_wrong_command_line() {
    let long = "x".repeat(70_000);
    for (arguments, message) in [
        (vec!["rnu"], "`rnu` is no target"),
        (vec!["run", "http://localhost"], "`http://` is not supported"),
        (vec!["run", "--mqtt", "4"], "unknown MQTT version `4`"),
        (vec!["run", "--timeout", "0"], "is no time from 1ms to 3600s"),
        (vec!["run", "--timeout", "-1"], "`-1` is no time from 1ms to 3600s"),
        (vec!["run", "--jobs", "0"], "`0` is no number of variants: write 1 or more"),
        (vec!["run", "--run", "a//b"], "has an empty part"),
        (vec!["run", "--start", "broker 'open"], "open quote"),
        (vec!["run", "--start", "broker -p 1"], "--start needs `{port}`"),
        (vec!["run", "--start", "broker -p {port} | tee log"], "`|` is for a shell"),
        (vec!["run", "--json", "-"], "cannot write a report to -: `-` would mix it with the results"),
        (vec!["run", "--json", "report", "--junit", "report"], "--json and --junit name one file"),
        (vec!["run", "--user-name", &long], "the text has 70000 bytes, the limit is 65535"),
        (vec!["run", "--json", "/no/such/folder/x.json"], "cannot write a report to /no/such/folder/x.json"),
        (vec!["run", "--user-name", "me", "--password-env", "MQTTSPEC_NOT_SET"], "MQTTSPEC_NOT_SET"),
        (vec!["run", "--password-env", "X"], "--user-name"),
    ] {
        mqttspec(&arguments).fails_with(USAGE, message);
    }
}

#[cfg(unix)]
#[test]
fn lists_and_profiles_without_end() {
    for option in ["--known-failing", "--profile"] {
        mqttspec(&["run", option, "/dev/zero"])
            .fails_with(USAGE, "cannot read /dev/zero: it has more than 1048576 bytes");
    }
}

#[cfg(unix)]
#[test]
fn a_password_is_any_bytes_and_never_shown() {
    use std::os::unix::ffi::OsStrExt as _;

    let cases = file("bag.yaml", BAG);
    let child = crate::program::command(&["run", "--cases", &cases, "--run", "**/passes/**"])
        .args(["--user-name", "me", "--password-env", "MQTTSPEC_TEST_PASSWORD"])
        .env("MQTTSPEC_TEST_PASSWORD", std::ffi::OsStr::from_bytes(b"secret\xff"))
        .spawn();
    let finished = crate::program::finish(child.expect("the program was built for this test"));
    assert_eq!(finished.code, Some(i32::from(AS_EXPECTED)), "{finished:?}");
    assert!(!format!("{finished:?}").contains("secret"), "{finished:?}");
}

#[test]
fn a_glob_that_matches_nothing_beside_others() {
    let cases = file("bag.yaml", BAG);
    let finished =
        mqttspec(&["run", "--cases", &cases, "--run", "**/passes/**", "--run", "**/pases/**", "--skip", "x"]);
    finished.fails_with(AS_EXPECTED, "warning: --run `**/pases/**` matches no variant\n");
    finished.fails_with(AS_EXPECTED, "warning: --skip `x` matches no variant\n");
}

#[test]
fn a_list_with_a_stale_line_or_without_reasons() {
    let cases = file("bag.yaml", BAG);
    let list = file("known.txt", "standard/bag/fails/**  # known\nstandard/gone/**  # was mended\n");
    mqttspec(&["run", "--cases", &cases, "--known-failing", &list])
        .fails_with(USAGE, "known.txt:2: `standard/gone/**` matches no variant that applies");
    let list = file("known.txt", "standard/bag/fails/**\n");
    mqttspec(&["run", "--cases", &cases, "--known-failing", &list]).fails_with(USAGE, "known.txt:1: ");
}

#[test]
fn nothing_is_selected() {
    let finished = mqttspec(&["run", "--cases", &file("bag.yaml", BAG), "--run", "bag/**"]);
    finished
        .fails_with(NOTHING_SELECTED, "nothing is selected by --run `bag/**`: names look like `standard/bag/passes");
    assert_eq!(finished.last_line(), "0 passed, 0 failed, 6 skipped");
    let finished = mqttspec(&["run", "--cases", &file("bag.yaml", BAG), "--skip", "**"]);
    finished.fails_with(NOTHING_SELECTED, "or --skip and --mqtt leave it out");
}

/// Runs the bag against `peer`, and returns what JSON says about the variants.
fn run_bag(url: &str, more: &[&str]) -> (Finished, Vec<(String, String)>) {
    let (cases, json) = (file("bag.yaml", BAG), folder().join("report.json"));
    let (json_path, junit_path) = (json.display().to_string(), json.with_extension("xml"));
    let junit_text = junit_path.display().to_string();
    let mut arguments =
        vec!["run", "--cases", &cases, "--json", &json_path, "--junit", &junit_text, "--timeout", "500ms"];
    if !url.is_empty() {
        arguments.push(url);
    }
    arguments.extend(more);
    let finished = mqttspec(&arguments);
    let report: Value =
        serde_json::from_str(&fs::read_to_string(json).expect("it is written in any case")).expect("it is whole");
    let junit = fs::read_to_string(junit_path).expect("it is written in any case");
    assert!(junit.trim_end().ends_with("</testsuites>"), "{junit}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let variants = report["variants"].as_array().expect("it is a list");
    (finished, variants.iter().map(|variant| (text(&variant["verdict"]), text(&variant["reason"]))).collect())
}

/// The run ends before it began: one message, exit code 3, and every variant that applies is listed as not run.
#[track_caller]
fn preflight_fails(url: &str, more: &[&str], message: &str) {
    let (finished, variants) = run_bag(url, more);
    finished.fails_with(NO_JUDGEMENT, message);
    assert_eq!(finished.stderr.matches("error:").count(), 1, "{}", finished.stderr);
    assert_eq!(finished.last_line(), "0 passed, 0 failed, 6 skipped");
    assert_eq!(variants.len(), 6);
    let not_run = variants.iter().filter(|(verdict, reason)| verdict == "not-run" && !reason.is_empty()).count();
    assert_eq!(not_run, 5, "{variants:?}");
}

#[test]
fn a_dead_port() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let url = format!("mqtt://{}", listener.local_addr().expect("it is bound"));
    drop(listener);
    preflight_fails(&url, &[], &format!("cannot connect to {url}: Connection refused"));
    let finished = mqttspec(&["run", &url, "--run", "standard/readme/**"]);
    finished.fails_with(NO_JUDGEMENT, "is the broker running there?");
}

#[test]
fn a_peer_that_closes_at_once() {
    let peer = FakePeer::serve(|stream, _| drop(stream));
    preflight_fails(&peer.url(), &[], "closes the connection at once instead of answering a CONNECT of 3.1.1");
}

#[test]
fn a_peer_that_never_answers() {
    let peer = FakePeer::serve(|stream, _| listen_only(stream));
    preflight_fails(&peer.url(), &[], "does not answer a CONNECT of 3.1.1 within 0.5 s");
}

#[test]
fn a_peer_that_sends_garbage() {
    let peer = FakePeer::serve(|mut stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        listen_only(stream);
    });
    preflight_fails(&peer.url(), &[], "answers a CONNECT of 3.1.1 with bytes that are no MQTT, `48 54 54 50 2f");
}

#[test]
fn a_peer_that_sends_without_end() {
    // PUBLISH packets, one after the other; and the beginning of the longest packet that there can be.
    for bytes in [b"\x30\x03\x00\x01a".as_slice(), b"\x30\xff\xff\xff\x7f\x00\x01a"] {
        let bytes = bytes.to_vec();
        let peer = FakePeer::serve(move |stream, _| flood(stream, &bytes));
        preflight_fails(&peer.url(), &[], "instead of CONNACK: is it an MQTT broker?");
    }
}

#[test]
fn a_start_command_that_does_not_exist() {
    preflight_fails("", &["--start", "/no/such/broker {port}"], "cannot start `/no/such/broker {port}`");
}

#[test]
fn a_start_command_that_exits() {
    let command = "sh -c 'echo bad configuration >&2; exit 7' {port}";
    preflight_fails("", &["--start", command], "ended with exit status: 7 before it answered");
    let (finished, _) = run_bag("", &["--start", command]);
    finished.fails_with(NO_JUDGEMENT, "\n    bad configuration");
}

#[test]
fn a_start_command_that_never_listens() {
    let command = "sh -c 'echo waiting; exec sleep 60' {port}";
    preflight_fails("", &["--start", command, "--ready-within", "300ms"], "was not ready within 0.3 s: cannot connect");
}

#[test]
fn a_start_command_that_prints_without_end() {
    let command = "sh -c 'yes'  {port}";
    let (finished, _) = run_bag("", &["--start", command, "--ready-within", "300ms"]);
    finished.fails_with(NO_JUDGEMENT, "\n    y\n    y\n");
    let log = finished.stderr.split(['(', ')']).find(|part| part.ends_with(".log")).expect("the log is named");
    let length = fs::metadata(log).expect("the log is kept").len();
    fs::remove_file(log).expect("the log is ours");
    assert!(length <= 16 << 20, "{length}");
}

#[test]
fn somebody_else_listens_where_the_command_should() {
    let peer = FakePeer::serve(|stream, _| broker(stream, |_| Answer::Properly));
    preflight_fails(&peer.url(), &["--start", "sleep 60"], "accepts connections before --start was run");
}

/// The peer behaves in the pre-flight and ever after, but answers the CONNECT of the first case as `answer` says: that case
/// fails, and nothing else is touched.
#[track_caller]
fn first_case_fails(answer: impl Fn() -> Answer + Send + Sync + 'static, problem: &str) -> Finished {
    let answer = Arc::new(answer);
    let peer = FakePeer::serve(move |stream, number| {
        let answer = Arc::clone(&answer);
        broker(stream, move |packet| match packet {
            // With one job, connection 0 is the pre-flight and 1 the first case.
            Packet::Connect(_) if number == 1 => answer(),
            _ => Answer::Properly,
        });
    });
    let (finished, variants) = run_bag(&peer.url(), &["--jobs", "1"]);
    assert_eq!(finished.code, Some(i32::from(NOT_AS_EXPECTED)), "{finished:?}");
    let verdicts: Vec<&str> = variants.iter().map(|(verdict, _)| verdict.as_str()).collect();
    assert_eq!(verdicts, ["fail", "fail", "fail", "pass", "not-applicable", "pass"], "{finished:?}");
    assert!(variants[0].1.contains(problem), "{problem:?} is not in {:?}", variants[0].1);
    finished
}

#[test]
fn garbage_in_the_middle_of_a_run() {
    let finished = first_case_fails(|| Answer::Bytes(b"\xff\xfe\xfd".to_vec()), "bytes that are no MQTT");
    assert!(finished.stdout.contains("\n  bytes     ff fe fd\n"), "{}", finished.stdout);
    assert_eq!(finished.stdout.matches("problem   the peer sent bytes").count(), 1, "{}", finished.stdout);
}

#[test]
fn no_end_in_the_middle_of_a_run() {
    first_case_fails(|| Answer::Flood(b"\xd0\x00".to_vec()), "the peer sends without end");
    first_case_fails(|| Answer::Flood(b"\x30\xff\xff\xff\x7f\x00\x01a".to_vec()), "the peer sends without end");
}

#[test]
fn a_close_in_the_middle_of_a_run() {
    first_case_fails(|| Answer::Close, "the peer closed the connection");
}

#[test]
fn no_answer_in_the_middle_of_a_run() {
    first_case_fails(|| Answer::Nothing, "no CONNACK came");
}

#[test]
fn a_peer_that_dies_in_the_middle_of_a_run() {
    let dead = Arc::new(AtomicBool::new(false));
    let peer = FakePeer::serve(move |stream, number| {
        let dead = Arc::clone(&dead);
        broker(stream, move |_| {
            if number == 2 {
                dead.store(true, Ordering::SeqCst);
            }
            if dead.load(Ordering::SeqCst) { Answer::Nothing } else { Answer::Properly }
        });
    });
    let (finished, variants) = run_bag(&peer.url(), &["--jobs", "1"]);
    finished.fails_with(NO_JUDGEMENT, "the peer stopped answering");
    finished.fails_with(NO_JUDGEMENT, "during standard/bag/fails/mqtt:3.1.1; with --start it would be started again");
    let verdicts: Vec<&str> = variants.iter().map(|(verdict, _)| verdict.as_str()).collect();
    assert_eq!(verdicts, ["pass", "fail", "not-run", "not-run", "not-applicable", "not-run"], "{finished:?}");
    assert!(finished.stdout.contains("the peer does not survive this case"), "{}", finished.stdout);
    assert_eq!(finished.last_line(), "1 passed, 1 failed, 4 skipped");
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let cases = file("bag.yaml", BAG);
    let mut child = crate::program::start(&["list", "--cases", &cases]);
    drop(child.stdout.take());
    let mut errors = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().expect("stderr is piped"), &mut errors)
        .expect("a pipe can be read");
    let status = child.wait().expect("the child is ours");
    assert_eq!((status.code(), errors.as_str()), (Some(i32::from(AS_EXPECTED)), ""));
}
