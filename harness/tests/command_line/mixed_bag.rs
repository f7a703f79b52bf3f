//! One run with each verdict, and all that is reported of it.

use crate::fake_peer::{Answer, FakePeer, broker};
use crate::program::{file, folder, mqttspec};
use model::packet::Packet;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) const BAG: &str = r#"suite: bag
about: One case for each verdict.
target: broker
profiles: [standard]
cases:
  - id: passes
    about: The server accepts a connection.
    cites: [MQTT-3.2.0-1]
    mqtt: ["3.1.1"]
    steps:
      - sub -> CONNECT
      - sub <- CONNACK: {session_present: false, code: 0}
      - sub <- silence
  - id: fails
    about: The server remembers a session that never was.
    cites: [MQTT-3.2.2-1]
    mqtt: ["3.1.1"]
    steps:
      - sub -> CONNECT
      - sub <- CONNACK: {session_present: true}
  - id: fails-as-known
    about: The server remembers another session that never was.
    cites: [MQTT-3.2.2-1]
    mqtt: ["3.1.1"]
    steps:
      - sub -> CONNECT
      - sub <- CONNACK: {session_present: true}
  - id: passes-by-surprise
    about: The server accepts a connection of which nobody thought it would.
    cites: [MQTT-3.2.0-1]
    mqtt: ["3.1.1"]
    steps:
      - sub -> CONNECT
      - sub <- CONNACK
  - id: needs-what-is-not-there
    about: The server calls a device.
    cites: [MQTT-3.2.0-1]
    mqtt: ["3.1.1"]
    needs: [rrpc]
    steps:
      - sub -> CONNECT
      - sub <- CONNACK
  - id: is-skipped
    about: The server is not asked.
    cites: [MQTT-3.2.0-1]
    mqtt: ["3.1.1"]
    steps:
      - sub -> CONNECT
      - sub <- CONNACK
"#;

const LIST: &str = "\
standard/bag/fails-as-known/*  # broker issue 12
standard/bag/passes-by-surprise/**  # broker issue 13
";

fn peer() -> FakePeer {
    FakePeer::serve(|stream, _| broker(stream, |_| Answer::Properly))
}

#[test]
fn each_verdict_is_told_everywhere() {
    let peer = peer();
    let (cases, list, folder) = (file("bag.yaml", BAG), file("known.txt", LIST), folder());
    let (json, junit) = (folder.join("report.json"), folder.join("report.xml"));
    let url = peer.url();
    let finished = mqttspec(&[
        "run",
        &url,
        "--cases",
        &cases,
        "--skip",
        "**/is-skipped/**",
        "--known-failing",
        &list,
        "--json",
        &json.display().to_string(),
        "--junit",
        &junit.display().to_string(),
        "--timeout",
        "2",
    ]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert_eq!(finished.stderr, "");
    assert_eq!(finished.last_line(), "2 passed, 2 failed, 2 skipped");
    let counts = "pass 1, fail 1, expected-fail 1, unexpected-pass 1, not-applicable 1, not-run 1";
    assert!(finished.stdout.lines().any(|line| line == counts), "{}", finished.stdout);
    check_failure_block(&finished.stdout, &url, &cases);
    check_json(&fs::read_to_string(json).expect("it was written"), &url, &cases);
    check_junit(&fs::read_to_string(junit).expect("it was written"));
    let left: Vec<_> = fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("it is there")).collect();
    assert_eq!(left.len(), 2, "nothing half written stays behind: {left:?}");
}

fn check_failure_block(stdout: &str, url: &str, cases: &str) {
    let block: Vec<&str> = stdout.lines().take_while(|line| !line.is_empty()).collect();
    let text = block.join("\n");
    for part in [
        "FAIL standard/bag/fails/mqtt:3.1.1".to_owned(),
        "  about     The server remembers a session that never was.".to_owned(),
        "  statement MQTT-3.2.2-1 (MUST): ".to_owned(),
        format!("  step      {cases}:20:"),
        "  problem   CONNACK is not as expected: session_present (after ".to_owned(),
        "  expected  session_present true".to_owned(),
        "  seen      session_present false, in CONNACK".to_owned(),
        "  bytes     20 02 00 00".to_owned(),
        " s  sub -> CONNECT ".to_owned(),
        " s  sub <- CONNACK ".to_owned(),
        format!(
            "  rerun     mqttspec run {url} --cases {cases} --timeout 2 --profile standard --run 'standard/bag/fails/mqtt:3.1.1'"
        ),
    ] {
        assert!(text.contains(&part), "{part:?} is not in\n{text}");
    }
    assert!(stdout.contains("UNEXPECTED-PASS standard/bag/passes-by-surprise/mqtt:3.1.1"), "{stdout}");
    for quiet in ["bag/passes/", "bag/fails-as-known/", "bag/is-skipped/", "bag/needs-what-is-not-there/"] {
        assert!(!stdout.contains(quiet), "{quiet} is not worth a line:\n{stdout}");
    }
}

fn check_json(text: &str, url: &str, cases: &str) {
    let report: Value = serde_json::from_str(text).expect("it is JSON");
    assert_eq!(report["tool"]["name"], "mqttspec");
    assert_eq!(report["target"], url);
    assert_eq!(report["profile"], "standard");
    assert_eq!(report["counts"], serde_json::json!({"passed": 2, "failed": 2, "skipped": 2}));
    let variants = report["variants"].as_array().expect("it is a list");
    let verdicts: Vec<(&str, &str)> = variants
        .iter()
        .map(|variant| (variant["case"].as_str().unwrap_or(""), variant["verdict"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(
        verdicts,
        [
            ("passes", "pass"),
            ("fails", "fail"),
            ("fails-as-known", "expected-fail"),
            ("passes-by-surprise", "unexpected-pass"),
            ("needs-what-is-not-there", "not-applicable"),
            ("is-skipped", "not-run"),
        ]
    );
    let by_case: BTreeMap<&str, &Value> =
        variants.iter().map(|variant| (variant["case"].as_str().unwrap_or(""), variant)).collect();
    let failed = by_case["fails"];
    assert_eq!(failed["name"], "standard/bag/fails/mqtt:3.1.1");
    assert_eq!(failed["statements"], serde_json::json!(["MQTT-3.2.2-1"]));
    assert_eq!((&failed["step"]["file"], &failed["step"]["line"]), (&Value::from(cases), &Value::from(20)));
    assert!(failed["duration_ms"].is_u64());
    assert!(failed["exchange"].as_array().is_some_and(|lines| lines.len() > 3), "{failed}");
    assert_eq!(by_case["passes"]["silence"], serde_json::json!(["ping"]));
    assert_eq!(by_case["is-skipped"]["reason"], "--skip **/is-skipped/**");
    assert!(by_case["fails-as-known"]["reason"].as_str().is_some_and(|reason| reason.contains("broker issue 12")));
    let reason = by_case["passes-by-surprise"]["reason"].as_str().unwrap_or("");
    assert!(reason.contains("known.txt:2") && reason.contains("remove the line"), "{reason}");
}

fn check_junit(text: &str) {
    assert!(text.starts_with("<?xml"), "{text}");
    for part in [
        r#"<testsuite name="standard/bag" tests="6" skipped="2" errors="0" failures="2">"#,
        r#"<testcase name="standard/bag/passes/mqtt:3.1.1" classname="standard/bag""#,
        r#"<failure message="CONNACK is not as expected: session_present" type="fail">"#,
        r#"type="unexpected-pass">"#,
        r#"<skipped message="--skip **/is-skipped/**" type="not-run"/>"#,
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn an_exclusive_case_is_alone() {
    let rows: String = (0..8).map(|row| format!("      - {{id: row-{row}}}\n")).collect();
    let suite = format!(
        r#"suite: exclusive
about: One case that wants to be alone among others.
target: broker
profiles: [standard]
cases:
  - id: alone
    about: The server accepts a connection.
    cites: [MQTT-3.2.0-1]
    mqtt: ["3.1.1"]
    exclusive: true
    steps:
      - solo -> CONNECT
      - solo <- CONNACK
      - solo <- silence
  - id: together
    about: The server accepts a connection among others.
    cites: [MQTT-3.2.0-1]
    mqtt: ["3.1.1"]
    rows:
{rows}    steps:
      - choir -> CONNECT
      - choir <- CONNACK
      - choir <- silence
"#
    );
    let open = Arc::new(AtomicUsize::new(0));
    let (most, beside_solo) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (most_seen, solo_seen) = (Arc::clone(&most), Arc::clone(&beside_solo));
    let peer = FakePeer::serve(move |stream, _| {
        let now = open.fetch_add(1, Ordering::SeqCst) + 1;
        most_seen.fetch_max(now, Ordering::SeqCst);
        // Holds the connection until it is counted as gone: the harness waits for that end.
        let held = stream.try_clone().expect("a socket has a second handle");
        broker(stream, |packet| {
            if matches!(packet, Packet::Connect(connect) if connect.client_id.ends_with("solo")) {
                solo_seen.store(open.load(Ordering::SeqCst), Ordering::SeqCst);
            }
            Answer::Properly
        });
        open.fetch_sub(1, Ordering::SeqCst);
        drop(held);
    });
    let finished = mqttspec(&["run", &peer.url(), "--cases", &file("exclusive.yaml", &suite)]);
    assert_eq!((finished.code, finished.last_line()), (Some(0), "9 passed, 0 failed, 0 skipped"), "{finished:?}");
    assert_eq!(beside_solo.load(Ordering::SeqCst), 1, "the exclusive case was alone");
    assert!(most.load(Ordering::SeqCst) > 1, "the others were played side by side");
}

#[test]
fn nothing_wrong_is_quiet() {
    let peer = peer();
    let cases = file("bag.yaml", BAG);
    let finished = mqttspec(&["run", &peer.url(), "--cases", &cases, "--run", "**/passes/**"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(finished.stdout, "pass 1, not-applicable 1, not-run 4\n1 passed, 0 failed, 5 skipped\n");
    assert_eq!(finished.stderr, "");
}

#[test]
fn verbose_has_a_line_for_each_variant_that_is_selected() {
    let peer = peer();
    let cases = file("bag.yaml", BAG);
    let finished = mqttspec(&["run", &peer.url(), "--cases", &cases, "--run", "**/passes/**", "-v"]);
    assert!(finished.stdout.contains("pass standard/bag/passes/mqtt:3.1.1\n"), "{}", finished.stdout);
    assert!(!finished.stdout.contains("not-run standard"), "{}", finished.stdout);
    let one = "not-applicable standard/bag/needs-what-is-not-there/mqtt:3.1.1  # standard lacks ";
    assert!(finished.stdout.contains(one), "{}", finished.stdout);
    assert!(finished.stderr.contains("standard: 6 variants, 1 of them to be played"), "{}", finished.stderr);
}

#[test]
fn what_does_not_apply_is_counted_by_reason() {
    let needs = |id: &str, versions: &str, needs: &str| {
        format!(
            "  - {{id: {id}, about: It is not there., cites: [MQTT-3.3.4-1], mqtt: [{versions}], needs: [{needs}], steps: [sub -> \
             CONNECT, sub <- CONNACK]}}\n"
        )
    };
    let cases = [
        needs("one", r#""3.1.1", "5.0""#, "rrpc"),
        needs("two", r#""3.1.1""#, "rrpc"),
        needs("three", r#""3.1.1", "5.0""#, "device-login"),
        needs("four", r#""5.0""#, "device-login-only"),
    ];
    let suite = format!("suite: bag\nabout: A bag.\ntarget: broker\nprofiles: [standard]\ncases:\n{}", cases.concat());
    let cases = file("needs.yaml", &suite);
    let finished = mqttspec(&["run", "--profile", "standard", "--cases", &cases, "-v"]);
    let expected = "\
not-applicable 3 variants of 2 cases  # standard lacks rrpc
not-applicable standard/bag/three/** (2 variants)  # standard lacks device-login
not-applicable standard/bag/four/mqtt:5.0  # standard lacks device-login-only
not-applicable 6
0 passed, 0 failed, 6 skipped
";
    assert_eq!(finished.stdout, expected, "{finished:?}");
    let quiet = mqttspec(&["run", "--profile", "standard", "--cases", &cases]);
    assert_eq!(quiet.stdout, "not-applicable 6\n0 passed, 0 failed, 6 skipped\n");
}

#[test]
fn lenient_is_what_breaks_only_a_recommendation() {
    // 3.1 recommends, but does not demand, that the server closes here; this one goes on listening.
    let suite = r#"suite: lenient
about: A recommendation.
target: broker
profiles: [standard]
cases:
  - id: invalid-protocol-name
    about: The server closes the connection after a CONNECT of another protocol.
    cites: [V31-3]
    mqtt: ["3.1"]
    steps:
      - sub -> BYTES: "10 len{ s'MQIsdq' 03 02 00 3c s'$c' }"
      - sub <- closed
"#;
    let peer = peer();
    let cases = file("lenient.yaml", suite);
    let finished = mqttspec(&["run", &peer.url(), "--cases", &cases, "--timeout", "300ms"]);
    assert_eq!(finished.stdout, "lenient 1\n1 passed, 0 failed, 0 skipped\n", "{finished:?}");
    assert_eq!(finished.code, Some(0));
}
