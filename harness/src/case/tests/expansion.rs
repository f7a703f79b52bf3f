//! One variant a row and version, with what belongs to it.

use super::{Suite, V5, file, steps};
use crate::case::{Action, Applicability, Elapse, Expectation, Library, Step, Variant, Window, expand, lint};
use model::packet::ProtocolVersion;
use model::profile::{Offence, Profile};
use std::time::Duration;

fn library(text: &str) -> Library {
    Library { suites: vec![Suite::parse("s.yaml", text).unwrap_or_else(|errors| panic!("{errors:#?}"))] }
}

fn variants(text: &str, profile: &str) -> Vec<(Variant, Applicability)> {
    expand(&library(text), Profile::builtin(profile).unwrap())
}

fn texts(steps: &[Step]) -> Vec<&str> {
    steps.iter().map(|step| step.text.as_str()).collect()
}

const ROWS: &str = r#"cites: [3.1.1:MQTT-3.1.2-5, 5.0:MQTT-3.1.2-5]
mqtt: ["5.0", "3.1", "3.1.1"]
rows:
  - {id: short, keep: 5, topic: $t/a}
  - {id: long-one, keep: 60000, topic: b, mqtt: ["5.0"], cites: [MQTT-3.3.4-1]}"#;

const ROW_STEPS: [&str; 4] = [
    "sub -> CONNECT: {keep_alive: $row.keep}",
    "sub <- CONNACK: {properties: {server_keep_alive: 5}, when: {mqtt: \"5.0\"}}",
    "sub -> PUBLISH: {topic: $row.topic/x/$row.keep, payload: 'at $row.id'}",
    "sub <- silence: {when: {mqtt: [\"3.1\", \"3.1.1\"]}}",
];

#[test]
fn rows_and_versions_are_expanded() {
    let variants = variants(&file(ROWS, &ROW_STEPS), "standard");
    let names: Vec<&str> = variants.iter().map(|(variant, _)| variant.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "standard/s/c/short/mqtt:3.1",
            "standard/s/c/short/mqtt:3.1.1",
            "standard/s/c/short/mqtt:5.0",
            "standard/s/c/long-one/mqtt:5.0",
        ]
    );
    assert!(variants.iter().all(|(_, applies)| *applies == Applicability::Applies));
}

#[test]
fn columns_are_put_in_and_when_chooses() {
    let variants = variants(&file(ROWS, &ROW_STEPS), "standard");
    assert_eq!(
        texts(&variants[1].0.steps),
        [
            "sub -> CONNECT {keep_alive: 5}",
            "sub -> PUBLISH {topic: \"$t/a/x/5\", payload: \"at short\"}",
            "sub <- silence",
        ]
    );
    assert_eq!(
        texts(&variants[3].0.steps),
        [
            "sub -> CONNECT {keep_alive: 60000}",
            "sub <- CONNACK {properties: {server_keep_alive: 5}}",
            "sub -> PUBLISH {topic: \"b/x/60000\", payload: \"at long-one\"}",
        ]
    );
}

#[test]
fn each_version_has_its_statements() {
    let variants = variants(&file(ROWS, &ROW_STEPS), "standard");
    let cites = |index: usize| variants[index].0.cites.iter().map(ToString::to_string).collect::<Vec<_>>();
    // 3.1 takes over what 3.1.1 says.
    assert_eq!(cites(0), ["MQTT-3.1.2-5"]);
    assert_eq!(cites(2), ["MQTT-3.1.2-5"]);
    assert_eq!(cites(3), ["MQTT-3.1.2-5", "MQTT-3.3.4-1"]);
    assert_eq!(variants[0].0.version, ProtocolVersion::V3_1);
}

#[test]
fn a_step_knows_its_place() {
    let variants = variants(&file(ROWS, &ROW_STEPS), "standard");
    let places: Vec<String> = variants[1].0.steps.iter().map(|step| step.location.to_string()).collect();
    assert_eq!(places, ["s.yaml:14:9", "s.yaml:16:9", "s.yaml:17:9"]);
    assert_eq!(variants[1].0.location.to_string(), "s.yaml:6:5");
}

#[test]
fn what_does_not_apply_says_why() {
    let why = |head: &str, profile: &str| match &variants(&file(head, &["sub -> CONNECT"]), profile)[0].1 {
        Applicability::Applies => String::new(),
        Applicability::Foreign(why) | Applicability::NotApplicable(why) => why.clone(),
    };
    assert_eq!(why(V5, "standard"), "");
    assert_eq!(why(V5, "platform"), "the case is written for standard");
    assert_eq!(
        why(&format!("{V5}\nprofiles: [platform]\nneeds: [qos-2, will]"), "platform"),
        "platform lacks qos-2, will"
    );
}

#[test]
fn a_profile_that_extends_another_is_tested_with_its_cases() {
    let sheet = "name: mine\nabout: A test.\nextends: standard\nmqtt: [\"3.1.1\"]\n";
    let mine = Profile::load("mine.yaml", sheet).unwrap();
    let head = "cites: [MQTT-3.3.4-1]\nmqtt: [\"3.1.1\", \"5.0\"]";
    let variants = expand(&library(&file(head, &["sub -> CONNECT"])), &mine);
    assert_eq!(variants[0].0.name, "mine/s/c/mqtt:3.1.1");
    assert_eq!(variants[0].1, Applicability::Applies);
    assert_eq!(variants[1].1, Applicability::NotApplicable("mine does not speak MQTT 5.0".to_owned()));
}

#[test]
fn every_form_of_step_is_read() {
    let script = [
        "sub opens",
        "sub -> BYTES: \"c1 00\"",
        "sub <- closed: {within: 5s}",
        "sub -> CONNECT: {when: {mqtt: \"5.0\"}}",
        "sub <- rejected: {code: qos-not-supported, within: [2s, 5s]}",
        "elapse: 1.5 keep-alive",
        "elapse: {time: 500ms, when: {mqtt: \"5.0\"}}",
        "any-order: [sub <- PINGRESP, sub <- SUBACK: {codes: [1]}]",
        "either: [[sub <- PUBACK, sub <- silence], [sub <- closed]]",
        "sub drops",
    ];
    let steps = steps(V5, &script);
    let window =
        |earliest, latest| Window { earliest: Duration::from_secs(earliest), latest: Duration::from_secs(latest) };
    let actions: Vec<&Action> = steps.iter().map(|step| &step.action).collect();
    assert!(matches!(actions[0], Action::Opens { actor } if actor == "sub"));
    assert!(matches!(actions[1], Action::SendBytes { .. }));
    assert!(
        matches!(actions[2], Action::Expect { expectation: Expectation::Closed, within: Some(w), .. } if *w == window(0, 5))
    );
    let rejected = Expectation::Rejected(Offence::QosNotSupported);
    assert!(
        matches!(actions[4], Action::Expect { expectation, within: Some(w), .. } if *expectation == rejected && *w == window(2, 5))
    );
    assert_eq!(actions[5], &Action::Elapse(Elapse::KeepAlive { thousandths: 1500 }));
    assert_eq!(actions[6], &Action::Elapse(Elapse::Time(Duration::from_millis(500))));
    assert!(matches!(actions[7], Action::AnyOrder(steps) if steps.len() == 2));
    assert!(
        matches!(actions[8], Action::Either(alternatives) if alternatives.len() == 2 && alternatives[0].len() == 2)
    );
    assert_eq!(steps[7].text, "any-order [sub <- PINGRESP, {sub <- SUBACK: {codes: [1]}}]");
    assert!(matches!(actions[9], Action::Drops { .. }));
}

#[test]
fn alternatives_leave_what_they_have_in_common() {
    let both = [
        "sub -> CONNECT",
        "either: [[sub <- PUBLISH: {as: m}], [sub <- PUBLISH: {as: m, qos: 0}]]",
        "sub -> PUBACK: {id: $m.id}",
    ];
    assert_eq!(steps(V5, &both).len(), 3);
    let one = ["sub -> CONNECT", "either: [[sub <- PUBLISH: {as: m}], [sub <- closed]]", "sub -> PUBACK: {id: $m.id}"];
    let errors = Suite::parse("s.yaml", &file(V5, &one)).unwrap_err();
    assert_eq!(errors[0].to_string(), "s.yaml:13:9: there is no variable `$m.id`: no packet was bound with `as: m`");
}

#[test]
fn a_block_without_steps_for_a_version_is_left_out() {
    let head = "cites: [MQTT-3.3.4-1]\nmqtt: [\"3.1.1\", \"5.0\"]";
    let script = ["sub -> CONNECT", "any-order: [sub <- DISCONNECT: {when: {mqtt: \"5.0\"}}]", "sub <- closed"];
    assert_eq!(texts(&steps(head, &script)), ["sub -> CONNECT", "sub <- closed"]);
}

#[test]
fn the_lint_finds_what_is_not_good() {
    let text = "suite: s\nabout: Tests that it works\ntarget: broker\nprofiles: [standard]\ncases:\n  \
                - id: case-1\n    about: The broker should answer.\n    cites: [MQTT-3.3.4-1]\n    mqtt: [\"5.0\"]\n    \
                steps:\n      - sub -> CONNECT: {as: sent}\n  \
                - id: d\n    about: A.\n    cites: [5.0:MQTT-3.1.3-10]\n    mqtt: [\"5.0\"]\n    \
                steps: [sub -> CONNECT, sub <- CONNACK]\n";
    let findings: Vec<String> = lint(&library(text)).iter().map(ToString::to_string).collect();
    assert_eq!(
        findings,
        [
            "s.yaml:2:8: `about` is a sentence: it ends with a full stop",
            "s.yaml:2:8: `about` says \"tests that\": say what happens",
            "s.yaml:6:5: s/case-1 expects nothing in 5.0, so it cannot fail",
            "s.yaml:6:5: the id `case-1` is a position: say in words what happens",
            "s.yaml:7:12: `about` says \"should\": say what happens",
            "s.yaml:11:30: `as: sent` is never used",
        ]
    );
}

#[test]
fn a_variant_knows_the_devices_that_are_no_actors() {
    let of = |text: &str| {
        let variants = variants(&text.replace("profiles: [standard]", "profiles: [platform]"), "platform");
        variants[0].0.strangers().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let head = "cites: [P-RPC-11]\nmqtt: [\"3.1.1\"]";
    let about = "api -> RRpc: {product: $unregistered.product_key, device: $unregistered.device_name, payload: x}";
    assert_eq!(of(&file(head, &[about])), ["unregistered"]);
    assert_eq!(of(&file(head, &["dev -> CONNECT: {login: {device: disabled}}", about])), ["disabled", "unregistered"]);
    let own = "api -> RRpc: {product: $dev.product_key, device: $dev.device_name, payload: x}";
    assert!(of(&file(head, &["dev -> CONNECT", own])).is_empty());
}
