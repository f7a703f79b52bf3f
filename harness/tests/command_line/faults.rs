//! Faults and transforms by their names.

use crate::program::mqttspec;
use harness::exit_code::USAGE;

const QOS_1: [&str; 2] = ["--run", "standard/publish/qos1/**"];

#[test]
fn a_fault_of_the_proxy_fails_cases_and_is_named_in_what_runs_them_again() {
    let finished = mqttspec(&[&["run", "--fault", "puback-lost"], &QOS_1[..]].concat());
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stdout.contains("fault puback-lost acted in "), "{}", finished.stdout);
    assert!(finished.stdout.contains("rerun     mqttspec run --fault puback-lost --profile"), "{}", finished.stdout);
}

#[test]
fn a_fault_of_the_reference_broker_has_the_same_kind_of_name() {
    let finished = mqttspec(&["run", "--fault", "no-local-ignored", "--run", "standard/publish/qos0/no-local/**"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let finished = mqttspec(&["run", "mqtt://127.0.0.1:1", "--fault", "no-local-ignored"]);
    finished.fails_with(USAGE, "--fault no-local-ignored is one of the reference broker");
}

#[test]
fn a_fault_that_finds_nothing_to_do_says_so() {
    let finished = mqttspec(&["run", "--fault", "pubrec-lost", "--verbose", "--run", "standard/ping/answered/**"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.stdout.contains("  # fault pubrec-lost did not act"), "{}", finished.stdout);
    assert!(finished.stdout.contains("fault pubrec-lost acted in 0 of 3 variants"), "{}", finished.stdout);
}

#[test]
fn a_transform_changes_no_verdict() {
    let finished = mqttspec(&[&["run", "--transform", "explained"], &QOS_1[..]].concat());
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.stdout.contains("transform explained acted in "), "{}", finished.stdout);
}

#[test]
fn a_slip_of_the_pen_is_recognised() {
    let finished = mqttspec(&["run", "--fault", "puback-twise"]);
    finished.fails_with(USAGE, "there is no fault `puback-twise`, did you mean `puback-twice`?");
    mqttspec(&["run", "--transform", "each-byte-alnoe"]).fails_with(USAGE, "did you mean `each-byte-alone`?");
    mqttspec(&["faults", "puback-twise"]).fails_with(USAGE, "did you mean `puback-twice`?");
    mqttspec(&["prove", "--faults", "--fault", "puback-twise"]).fails_with(USAGE, "did you mean `puback-twice`?");
}

#[test]
fn faults_are_listed_with_their_statements() {
    let finished = mqttspec(&["faults", "suback-lost"]);
    let expected = "subscribe\n  suback-lost\n      No SUBACK arrives.\n      breaks MQTT-3.8.4-1\n";
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(0), expected));
    let finished = mqttspec(&["faults"]);
    for part in ["acknowledge\n", "reference broker\n", "transforms, which break nothing\n", "  long-lengths\n"] {
        assert!(finished.stdout.contains(part), "{part:?} is not in\n{}", finished.stdout);
    }
}

#[test]
fn the_matrix_tells_who_notices_a_fault() {
    let only = ["--fault", "puback-lost", "--run", "standard/publish/qos1/acknowledged*/**"];
    let finished = mqttspec(&[&["prove", "--faults"], &only[..]].concat());
    assert!(finished.stdout.contains("puback-lost"), "{finished:?}");
    assert!(finished.last_line().starts_with("faults: 1, not caught: 0; "), "{}", finished.stdout);
    let finished = mqttspec(&[&["prove", "--faults", "--json"], &only[..]].concat());
    let matrix: serde_json::Value = serde_json::from_str(&finished.stdout).expect("it is JSON");
    let variants = matrix["faults"][0]["variants"].as_object().expect("it has variants");
    assert!(variants.values().any(|who| who == "script"), "{}", finished.stdout);
}
