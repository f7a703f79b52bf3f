//! Random walks as a user meets them.

use crate::fake_peer::FakePeer;
use crate::program::{file, folder, mqttspec};
use harness::exit_code::{AS_EXPECTED, NO_JUDGEMENT, NOT_AS_EXPECTED, USAGE};
use std::io::Write as _;

/// A walk in which this misbehaviour shows.
const FAULT: [&str; 6] = ["fuzz", "--fault", "no-local-ignored", "--seed", "2", "--runs"];

#[test]
fn a_finding_is_told_saved_and_played_again() {
    let folder = folder().join("findings");
    let save = folder.display().to_string();
    let arguments = [&FAULT[..], &["20", "--save", &save]].concat();
    let finished = mqttspec(&arguments);
    assert_eq!(finished.code, Some(i32::from(NOT_AS_EXPECTED)), "{finished:?}");
    let saved = folder.join("delivery-was-subscribed-2.yaml");
    let path = saved.display().to_string();
    for part in [
        "  statement MQTT-3.3.2-3 (MUST)",
        "  exchange\n",
        "-> CONNECT ",
        "found by    mqttspec fuzz --fault no-local-ignored --profile standard --seed 2 --runs 1\n",
        "shortened   from ",
        &format!("saved       {path}: it failed 3 times of 3; the reference broker passes it\n"),
        "known as    delivery-was-subscribed/MQTT-3.3.2-3/mqtt:5.0, ",
        "\nafter       no-local",
    ] {
        assert!(finished.stdout.contains(part), "{part:?} is not in\n{}", finished.stdout);
    }
    assert!(finished.last_line().starts_with("1 finding: "), "{}", finished.stdout);
    assert_eq!(finished.stderr, "seed 2\n");

    // The same again: the same case, beside the first one.
    let told = |stdout: &str| stdout.split("\n1 finding: ").next().unwrap_or_default().to_owned();
    assert_eq!(told(&mqttspec(&arguments).stdout), told(&finished.stdout).replace("-2.yaml", "-2-2.yaml"));
    let text = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
    assert_eq!(text(&saved), text(&folder.join("delivery-was-subscribed-2-2.yaml")));

    let passed = mqttspec(&["run", &path]);
    assert_eq!((passed.code, passed.last_line()), (Some(0), "1 passed, 0 failed, 0 skipped"), "{passed:?}");
    let linted = mqttspec(&["lint", &path]);
    assert_eq!(linted.code, Some(i32::from(AS_EXPECTED)), "{linted:?}");
}

#[test]
fn what_is_known_is_passed_by() {
    let known = file("known", "# a list\ndelivery-was-subscribed/**  # No Local is ignored\n");
    let finished = mqttspec(&[&FAULT[..], &["1", "--known-failing", &known]].concat());
    assert_eq!(finished.code, Some(i32::from(AS_EXPECTED)), "{finished:?}");
    assert!(finished.stdout.starts_with("known: 1 walks  # No Local is ignored\nnothing found: 1 walks of standard"));
}

#[test]
fn what_is_known_has_all_its_statements_named_and_has_come_behind_what_the_line_says() {
    let code_with = |line: &str| {
        let known = file("known", &format!("{line}  # No Local is ignored\n"));
        let save = folder().join("findings").display().to_string();
        mqttspec(&[&FAULT[..], &["1", "--known-failing", &known, "--save", &save]].concat()).code
    };
    let (known, found) = (Some(i32::from(AS_EXPECTED)), Some(i32::from(NOT_AS_EXPECTED)));
    assert_eq!(code_with("delivery-was-subscribed/*/mqtt:5.0"), known);
    assert_eq!(code_with("delivery-was-subscribed/MQTT-3.3.2-3/mqtt:5.0"), found, "one of its statements");
    assert_eq!(code_with("delivery-was-subscribed/*/mqtt:5.0/after:no-local"), known);
    assert_eq!(code_with("delivery-was-subscribed/*/mqtt:5.0/after:malformed-packets"), found, "there are none");
}

#[test]
fn nothing_is_found_with_the_embedded_broker() {
    let finished = mqttspec(&["fuzz", "--profile", "platform", "--seed", "1", "--runs", "40"]);
    assert_eq!(finished.code, Some(i32::from(AS_EXPECTED)), "{finished:?}");
    assert!(finished.stdout.starts_with("nothing found: 40 walks of platform with seeds from 1, "), "{finished:?}");
}

#[test]
fn faults_are_listed_and_misspelt_ones_refused() {
    let finished = mqttspec(&["fuzz", "--fault", "list"]);
    assert_eq!(finished.code, Some(i32::from(AS_EXPECTED)));
    assert!(finished.stdout.contains("no-local-ignored                 No Local has no meaning.\n"), "{finished:?}");
    mqttspec(&["fuzz", "--fault", "laziness"]).fails_with(USAGE, "there is no fault `laziness`");
    mqttspec(&["fuzz", "mqtt://localhost", "--fault", "will-lost"]).fails_with(USAGE, "--fault is for the embedded");
}

#[test]
fn wrong_command_lines_are_refused() {
    mqttspec(&["fuzz", "--clients", "5"]).fails_with(USAGE, "`5` is no number of clients from 1 to 4");
    mqttspec(&["fuzz", "--length", "0"]).fails_with(USAGE, "`0` is no number of commands from 1 to 10000");
    mqttspec(&["fuzz", "--time", "soon"]).fails_with(USAGE, "`soon` is no time");
    mqttspec(&["fuzz", "--profile", "nowhere"]).fails_with(USAGE, "there is no profile `nowhere`");
    let cases = file("cases.yaml", "");
    mqttspec(&["fuzz", &cases]).fails_with(USAGE, "cases are played with `mqttspec run`");
    mqttspec(&["run", "mqtt://a", "mqtt://b"]).fails_with(USAGE, "there is more than one URL");
}

#[test]
fn a_peer_that_is_no_broker_gives_no_judgement() {
    let peer = FakePeer::serve(|mut stream, _| {
        // Whoever asked may be gone.
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    mqttspec(&["fuzz", &peer.url(), "--time", "5s"]).fails_with(NO_JUDGEMENT, "is it an MQTT broker");
}
