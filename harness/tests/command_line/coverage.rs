//! `mqttspec coverage`.

use crate::program::{file, folder, mqttspec};
use harness::exit_code::{NOTHING_SELECTED, USAGE};

/// A case that cites that PINGREQ is answered. On the way a CONNACK comes, which it does not cite.
const ONE_CASE: &str = "\
suite: one
about: One case.
target: broker
profiles: [standard]
cases:
  - id: answered
    about: PINGREQ is answered.
    cites: [MQTT-3.12.4-1]
    mqtt: [\"5.0\"]
    steps:
      - dev -> CONNECT
      - dev <- CONNACK
      - dev -> PINGREQ
      - dev <- PINGRESP
";

/// The numbers of a line of the table.
fn counts(stdout: &str, of: &str) -> Vec<String> {
    let line =
        stdout.lines().find_map(|line| line.strip_prefix(of)).unwrap_or_else(|| panic!("{of} is not in\n{stdout}"));
    line.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn what_a_case_covers_is_counted_and_the_rest_named() {
    let (cases, report) = (file("one.yaml", ONE_CASE), folder().join("coverage.json"));
    let report = report.to_str().expect("the path is text");
    let finished = mqttspec(&["coverage", "--profile", "standard", "--cases", &cases, "--json", report]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let [all, cited, exercised, guarded] = &counts(&finished.stdout, "5.0 server ")[..] else { panic!("{finished:?}") };
    assert_eq!((all.as_str(), cited.as_str(), guarded.as_str()), ("200", "1", "-"));
    // CONNACK, and the form of packets in general, but nothing about deliveries.
    let exercised: usize = exercised.parse().expect("a number");
    assert!((5..20).contains(&exercised), "{exercised}");
    assert_eq!(counts(&finished.stdout, "3.1.1 server "), ["100", "0", "0", "-"]);
    assert!(finished.stdout.contains("\n3.1 server: nothing covers any of the 16\n"), "{}", finished.stdout);
    let lines: Vec<&str> = finished.stdout.lines().collect();
    let heading = lines.iter().position(|line| line.starts_with("5.0 server, exercised by the judge alone"));
    let named = lines.iter().position(|line| line.starts_with("  MQTT-3.2.0-1 (MUST): "));
    let uncovered = lines.iter().position(|line| line.starts_with("  MQTT-3.3.1-1 (MUST): "));
    assert!(heading < named && uncovered < heading && uncovered.is_some(), "{}", finished.stdout);
    assert!(!finished.stdout.contains("MQTT-3.12.4-1 "), "it is covered: {}", finished.stdout);
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(report).expect("it was written")).expect("it is JSON");
    let statements = json["statements"].as_array().expect("a list");
    let find =
        |id: &str| statements.iter().find(|it| it["of"] == "5.0" && it["side"] == "server" && it["statement"] == id);
    assert_eq!(find("MQTT-3.12.4-1").expect("it is there")["exercised_by_cases"][0], "one/answered");
    let judged = find("MQTT-3.2.0-1").expect("it is there");
    assert_eq!(judged["exercised_by_judge_in"], "standard/one/answered/mqtt:5.0");
    assert_eq!(judged["cited_by"].as_array().map(Vec::len), Some(0));
    assert!(find("MQTT-3.3.1-1").expect("it is there")["exercised_by_judge_in"].is_null());
}

#[test]
fn a_case_that_fails_is_cited_and_exercises_nothing() {
    let cases = file("one.yaml", &ONE_CASE.replace("dev <- PINGRESP", "dev <- PUBACK"));
    let finished = mqttspec(&["coverage", "--profile", "standard", "--cases", &cases]);
    assert_eq!(counts(&finished.stdout, "5.0 server "), ["200", "1", "0", "-"]);
    assert!(finished.stderr.contains("standard/one/answered/mqtt:5.0 does not pass"), "{}", finished.stderr);
    assert!(finished.stdout.contains("5.0 server, cited, but no case that cites it passed: 1"), "{}", finished.stdout);
}

#[test]
fn a_statement_is_guarded_if_a_fault_that_breaks_it_fails_a_case_that_cites_it() {
    let cases = file("one.yaml", ONE_CASE);
    let finished = mqttspec(&["coverage", "--profile", "standard", "--cases", &cases, "--faults"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    // That PINGREQ is answered; the judge's other findings are not what the case cites.
    assert_eq!(counts(&finished.stdout, "5.0 server ")[3], "1", "{}", finished.stdout);
    assert_eq!(counts(&finished.stdout, "3.1.1 server ")[3], "0", "{}", finished.stdout);
    let blind = file("blind.yaml", &ONE_CASE.replace("MQTT-3.12.4-1", "MQTT-3.3.2-17"));
    let finished = mqttspec(&["coverage", "--profile", "standard", "--cases", &blind, "--faults"]);
    assert_eq!(counts(&finished.stdout, "5.0 server ")[3], "0", "nothing is delivered in it: {}", finished.stdout);
    assert!(finished.stdout.contains("5.0 server, cited and exercised, but not guarded: 1"), "{}", finished.stdout);
}

#[test]
fn what_cannot_be_told_is_an_error() {
    let cases = file("one.yaml", ONE_CASE);
    mqttspec(&["coverage", "--cases", &cases, "--run", "no/such"]).fails_with(NOTHING_SELECTED, "nothing is selected");
    mqttspec(&["coverage", "--cases", &cases, "--json", "-"]).fails_with(USAGE, "--json");
}
