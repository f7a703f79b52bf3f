//! Scripts against the embedded reference broker: what holds passes, what does not is found and said.

use harness::case::{Applicability, Library, expand};
use harness::run::{Conditions, Outcome, SilenceMeans, Verdict, play_embedded};
use model::packet::ProtocolVersion;
use model::profile::Profile;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Plays a script of 5.0 under `standard`.
fn play(steps: &str) -> Outcome {
    play_in(ProtocolVersion::V5_0, steps)
}

fn play_in(version: ProtocolVersion, steps: &str) -> Outcome {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let indented: String = steps.lines().map(|line| format!("      {line}\n")).collect();
    let text = format!(
        "suite: one\nabout: One case.\ntarget: broker\nprofiles: [standard]\ncases:\n  - id: only\n    about: It is \
         played.\n    cites: [{}]\n    mqtt: [\"{version}\"]\n    steps:\n{indented}",
        if version == ProtocolVersion::V3_1 { "V31-1" } else { "MQTT-3.2.0-1" }
    );
    let name = format!("play-{}-{}.yaml", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, &text).expect("the folder is ours");
    let library =
        Library::from_paths(std::slice::from_ref(&path)).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    std::fs::remove_file(path).expect("the file is ours");
    let profile = Arc::new(Profile::builtin("standard").expect("it is built in").clone());
    let mut variants = expand(&library, &profile);
    assert_eq!(variants.len(), 1);
    let (variant, applicability) = variants.remove(0);
    assert_eq!(applicability, Applicability::Applies);
    let conditions = Conditions::default();
    play_embedded(&Arc::new(variant), &profile, None, &conditions)
}

#[track_caller]
fn passes(steps: &str) -> Outcome {
    let outcome = play(steps);
    assert_eq!(outcome.verdict, Verdict::Pass);
    outcome
}

/// The first finding: what, expected, seen, and the line of the step.
#[track_caller]
fn fails(steps: &str) -> (String, String, String, usize) {
    let outcome = play(steps);
    let Verdict::Fail(findings) = &outcome.verdict else { panic!("it does not fail: {:?}", outcome.verdict) };
    let first = &findings[0];
    let step = first.step.as_ref().expect("the script found it");
    (first.what.clone(), first.expected.clone(), first.seen.clone(), step.location.line - 10)
}

const CONNECTED: &str = "- sub -> CONNECT\n- sub <- CONNACK\n";
const SUBSCRIBED: &str = "\
- sub -> CONNECT
- sub <- CONNACK
- sub -> SUBSCRIBE: {filter: $t/+, qos: 1}
- sub <- SUBACK: {codes: [1]}
- pub -> CONNECT
- pub <- CONNACK
";

#[test]
fn a_message_is_delivered_and_then_there_is_silence() {
    let outcome = passes(&format!(
        "{SUBSCRIBED}- pub -> PUBLISH: {{topic: $t/a, qos: 1, payload: x}}
- pub <- PUBACK
- sub <- PUBLISH: {{topic: $t/a, qos: 1, payload: x, as: m}}
- sub -> PUBACK: {{id: $m.id}}
- sub <- silence"
    ));
    assert_eq!(outcome.silence.into_iter().collect::<Vec<_>>(), [SilenceMeans::Idle]);
}

#[test]
fn a_message_breaks_a_silence() {
    let (what, _, seen, line) =
        fails(&format!("{SUBSCRIBED}- pub -> PUBLISH: {{topic: $t/a, payload: x}}\n- sub <- silence"));
    assert_eq!((what.as_str(), line), ("the peer is not silent", 8));
    assert!(seen.starts_with("there is PUBLISH ") && seen.contains("\"x\""), "{seen}");
}

#[test]
fn all_fields_that_differ_are_told() {
    let (what, expected, seen, line) = fails(&format!(
        "{SUBSCRIBED}- pub -> PUBLISH: {{topic: $t/a, payload: x}}\n- sub <- PUBLISH: {{topic: $t/b, retain: true, payload: x}}"
    ));
    assert_eq!((what.as_str(), line), ("PUBLISH is not as expected: topic, retain", 8));
    assert!(expected.contains("retain true") && seen.contains("retain false"), "{expected} {seen}");
}

#[test]
fn a_packet_that_does_not_come_costs_no_real_time() {
    let started = Instant::now();
    let (what, _, seen, line) = fails(&format!("{SUBSCRIBED}- pub -> PUBLISH: {{topic: $t/a}}\n- sub <- PINGRESP"));
    assert_eq!((what.as_str(), line), ("no PINGRESP came for this step", 8));
    assert!(seen.starts_with("none within 5 s, but there is PUBLISH "), "{seen}");
    assert!(started.elapsed() < Duration::from_secs(2), "virtual time takes no time");
}

#[test]
fn an_open_connection_is_not_closed() {
    let (what, _, seen, line) = fails(&format!("{CONNECTED}- sub <- closed"));
    assert_eq!((what.as_str(), line), ("the peer does not close the connection", 3));
    assert_eq!(seen, "the connection is open after 5 s");
}

#[test]
fn a_closed_connection_sends_nothing() {
    let (what, expected, _, line) = fails(&format!("{CONNECTED}- sub -> BYTES: \"00 00\"\n- sub <- PINGRESP"));
    assert!(what.starts_with("the peer closed the connection"), "{what}");
    assert_eq!((expected.as_str(), line), ("PINGRESP", 4));
}

#[test]
fn windows_have_two_ends() {
    let keep_alive = |window: &str| {
        format!("- sub -> CONNECT: {{keep_alive: 10}}\n- sub <- CONNACK\n- sub <- closed: {{within: {window}}}")
    };
    let outcome = passes(&keep_alive("[15s, 20s]"));
    assert!(outcome.duration < Duration::from_secs(2));
    let (what, expected, _, _) = fails(&keep_alive("[19s, 20s]"));
    assert_eq!((what.as_str(), expected.as_str()), ("it comes too early", "19 s to 20 s"));
    let (what, _, seen, _) = fails(&keep_alive("14s"));
    assert_eq!(
        (what.as_str(), seen.as_str()),
        ("the peer does not close the connection", "the connection is open after 14 s")
    );
}

#[test]
fn time_elapses_in_multiples_of_the_keep_alive() {
    passes(
        "- sub -> CONNECT: {keep_alive: 10}\n- sub <- CONNACK\n- elapse: 1.4 keep-alive\n- sub -> PINGREQ\n- sub <- PINGRESP\n- elapse: 1.6 keep-alive\n- sub <- closed",
    );
}

#[test]
fn packets_come_in_any_order_but_all_of_them() {
    let publish =
        "- pub -> PUBLISH: {topic: $t/a, payload: m1}\n- pub -> PUBLISH: {topic: $t/b, payload: m2}\n- any-order:\n";
    let any_order = |one: &str, other: &str| {
        format!("{SUBSCRIBED}{publish}    - sub <- PUBLISH: {{{one}}}\n    - sub <- PUBLISH: {{{other}}}\n")
    };
    passes(&format!("{}- sub <- silence", any_order("payload: m2", "payload: m1")));
    // The first fits both: it must not be given away.
    passes(&any_order("retain: false", "payload: m1"));
    let (what, expected, seen, line) = fails(&any_order("payload: m1", "payload: m1"));
    assert_eq!((what.as_str(), line), ("no order of the PUBLISH packets fits", 9));
    assert_eq!(expected, "sub <- PUBLISH {payload: m1}; sub <- PUBLISH {payload: m1}");
    assert!(seen.contains("\"m1\"") && seen.contains("\"m2\""), "{seen}");
    let (what, ..) = fails(&format!("{}    - sub <- PUBLISH", any_order("payload: m1", "payload: m2")));
    assert_eq!(what, "not every PUBLISH came");
}

#[test]
fn one_of_several_alternatives_is_played() {
    let either = |one: &str, other: &str| {
        format!("{CONNECTED}- sub -> PINGREQ\n- either:\n    - [sub <- PUBACK, sub <- closed]\n    - [{one}, {other}]")
    };
    passes(&either("sub <- PINGRESP", "sub <- silence"));
    let (what, expected, seen, line) = fails(&either("sub <- SUBACK", "sub <- silence"));
    assert_eq!((what.as_str(), line), ("no alternative fits", 4));
    assert_eq!(expected, "sub <- PUBACK, or sub <- SUBACK");
    assert_eq!(seen, "there is PINGRESP");
    let (what, _, _, line) = fails(&either("sub <- PINGRESP", "sub <- closed"));
    assert_eq!((what.as_str(), line), ("the peer does not close the connection", 6));
}

#[test]
fn an_offence_is_answered_as_the_profile_permits() {
    passes(&format!("{CONNECTED}- sub -> CONNECT\n- sub <- rejected: {{code: second-connect}}"));
    // Nothing happened that asks for a reaction: silence is none that is permitted.
    let (what, expected, seen, _) = fails(&format!("{CONNECTED}- sub <- rejected: {{code: second-connect}}"));
    assert_eq!(what, "the reaction to second-connect is not permitted");
    assert!(expected.contains("close"), "{expected}");
    assert_eq!(seen, "the connection goes on as if nothing were wrong");
}

#[test]
fn a_version_that_nobody_knows_may_be_refused_in_any_version() {
    let connect = "- sub -> CONNECT: {raw: {patch: {at: 6, bytes: \"06\"}}}\n- sub <- rejected: {code: unsupported-protocol-version}";
    for version in [ProtocolVersion::V3_1_1, ProtocolVersion::V5_0] {
        assert_eq!(play_in(version, connect).verdict, Verdict::Pass, "{version}");
    }
}

#[test]
fn an_actor_comes_back_after_each_kind_of_end() {
    for end in ["sub drops", "sub -> DISCONNECT", "sub -> BYTES: \"00 00\"\n- sub <- closed"] {
        passes(&format!(
            "{CONNECTED}- {end}\n- sub -> CONNECT\n- sub <- CONNACK: {{session_present: false}}\n- sub -> PINGREQ\n- sub <- PINGRESP"
        ));
    }
}

#[test]
fn what_a_variable_lacks_is_our_error_with_its_place() {
    let outcome =
        play("- sub -> CONNECT\n- sub <- CONNACK: {as: m}\n- sub -> PUBLISH: {topic: $t/a, payload: $m.reason_string}");
    let Verdict::Error(why) = &outcome.verdict else { panic!("{:?}", outcome.verdict) };
    assert!(why.contains(".yaml:13:") && why.contains("reason_string"), "{why}");
}
