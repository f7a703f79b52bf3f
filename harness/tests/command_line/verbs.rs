//! The verbs that play nothing, and the embedded broker.

use crate::mixed_bag::BAG;
use crate::program::{file, folder, mqttspec};
use harness::exit_code::{AS_EXPECTED, NOTHING_SELECTED, USAGE};

#[test]
fn help_has_examples_and_exit_codes() {
    for arguments in [["--help"].as_slice(), &["run", "--help"]] {
        let finished = mqttspec(arguments);
        assert_eq!(finished.code, Some(0));
        for part in
            ["mqttspec run --start 'mosquitto -p {port}'", "Exit codes:", "--known-failing <FILE>", "[URL|FILE]"]
        {
            assert!(finished.stdout.contains(part), "{part:?} is not in\n{}", finished.stdout);
        }
    }
}

#[test]
fn without_a_verb_it_runs_the_embedded_broker() {
    let cases = file("bag.yaml", BAG);
    let finished = mqttspec(&["--cases", &cases, "--run", "**/passes/*"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(finished.last_line(), "1 passed, 0 failed, 5 skipped");
    let finished = mqttspec(&["--cases", &cases, "--run", "**/fails/*"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let rerun =
        format!("rerun     mqttspec run --cases {cases} --profile standard --run 'standard/bag/fails/mqtt:3.1.1'");
    assert!(finished.stdout.contains(&rerun), "{}", finished.stdout);
}

#[test]
fn the_cases_that_come_with_it_pass_in_all_profiles() {
    let finished = mqttspec(&[]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(!finished.last_line().starts_with("0 passed"), "{}", finished.stdout);
}

#[test]
fn list_names_what_would_be_played() {
    let cases = file("bag.yaml", BAG);
    let finished = mqttspec(&["list", "--cases", &cases, "--skip", "**/is-skipped/**", "--run", "standard/**"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let names: Vec<&str> = finished.stdout.lines().collect();
    assert_eq!(
        names,
        ["passes", "fails", "fails-as-known", "passes-by-surprise"]
            .map(|case| format!("standard/bag/{case}/mqtt:3.1.1"))
    );
    let finished = mqttspec(&["list", "--cases", &cases, "-v"]);
    let not_there = "standard/bag/needs-what-is-not-there/mqtt:3.1.1  # not applicable: ";
    assert!(finished.stdout.contains(not_there), "{}", finished.stdout);
    mqttspec(&["list", "--cases", &cases, "--run", "no/such/**"]).fails_with(NOTHING_SELECTED, "nothing is selected");
}

#[test]
fn lint_tells_what_is_wrong_with_a_file() {
    let finished = mqttspec(&["lint", &file("bag.yaml", BAG)]);
    assert_eq!(
        (finished.code, finished.stdout.as_str()),
        (Some(0), "6 cases in 1 suite: nothing to mend\n"),
        "{finished:?}"
    );
    let without_end = BAG.replace("is not asked.", "is not asked");
    mqttspec(&["lint", &file("bag.yaml", &without_end)]).fails_with(USAGE, "bag.yaml:");
    mqttspec(&["lint", "no/such/file.yaml"]).fails_with(USAGE, "no/such/file.yaml");
    assert_eq!(mqttspec(&["lint"]).code, Some(i32::from(AS_EXPECTED)));
}

#[test]
fn explain_knows_statements_and_cases() {
    let cases = file("bag.yaml", BAG);
    let finished = mqttspec(&["explain", "MQTT-3.2.2-1", "--cases", &cases]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.stdout.contains("MQTT-3.2.2-1 of MQTT 5.0 ("), "{}", finished.stdout);
    let cited = "  cited by\n    bag/fails\n    bag/fails-as-known\n";
    assert!(finished.stdout.contains(cited), "{}", finished.stdout);
    for subject in ["bag/passes", "standard/bag/passes/mqtt:3.1.1", "**/passes/*"] {
        let finished = mqttspec(&["explain", subject, "--cases", &cases]);
        assert!(
            finished.stdout.contains("    sub <- CONNACK {session_present: false, code: 0}\n"),
            "{}",
            finished.stdout
        );
        assert!(finished.stdout.contains("bag.yaml:6:"), "{}", finished.stdout);
    }
    // A suite tells its cases, and a folder its suites.
    for subject in ["bag", "standard/bag", "bag/"] {
        let finished = mqttspec(&["explain", subject, "--cases", &cases]);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let case = finished.stdout.find("\nbag/passes\n  ").expect("its cases are told");
        let told = "  played in standard: 3.1.1\n  MQTT-";
        assert!(finished.stdout[case..].contains(told), "{}", finished.stdout);
        assert!(finished.stdout.ends_with("`mqttspec explain bag/CASE` tells a case step by step.\n"), "{finished:?}");
    }
    let folder = mqttspec(&["explain", "publish"]);
    assert!(folder.stdout.contains("\npublish/qos1 ("), "{}", folder.stdout);
    let suite = mqttspec(&["explain", "cloud-publish"]);
    assert!(suite.stdout.contains("  played in platform-2026: 5.0\n"), "{}", suite.stdout);
    assert!(suite.stdout.contains("  rows: none-taken, above-the-maximum, within-the-maximum\n"), "{}", suite.stdout);
    // One number, two meanings: said apart, and each by itself if asked so.
    let finished = mqttspec(&["explain", "mqtt-3.1.2-5"]);
    let headings: Vec<&str> = finished.stdout.lines().filter(|line| line.starts_with("MQTT-3.1.2-5 of MQTT")).collect();
    assert_eq!(headings.len(), 2, "{}", finished.stdout);
    let finished = mqttspec(&["explain", "5.0:MQTT-3.1.2-5"]);
    assert!(finished.stdout.starts_with("MQTT-3.1.2-5 of MQTT 5.0 ("), "{}", finished.stdout);
    mqttspec(&["explain", "MQTT-9.9.9-9"])
        .fails_with(NOTHING_SELECTED, "`MQTT-9.9.9-9` is neither a statement nor a case");
}

#[test]
fn the_schema_is_json() {
    let finished = mqttspec(&["schema"]);
    let schema: serde_json::Value = serde_json::from_str(&finished.stdout).expect("it is JSON");
    assert!(schema["$schema"].is_string());
}

#[test]
fn prove_tells_sound_cases_from_wrong_ones() {
    let cases = file("bag.yaml", BAG);
    let finished = mqttspec(&["prove", "--cases", &cases, "--verbose"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert_eq!(finished.last_line(), "3 sound, 0 unproved, 2 refuted");
    let step = "step      ".to_owned() + &cases + ":20:9: sub <- CONNACK {session_present: true}";
    for part in ["sound standard/bag/passes/mqtt:3.1.1  # ", "REFUTED standard/bag/fails/mqtt:3.1.1\n", &step] {
        assert!(finished.stdout.contains(part), "{part:?} is not in\n{}", finished.stdout);
    }
    let finished = mqttspec(&["prove", "--cases", &cases, "--run", "**/passes/*", "--runs", "1"]);
    assert_eq!((finished.code, finished.last_line()), (Some(0), "0 sound, 1 unproved, 0 refuted"), "{finished:?}");
    assert!(finished.stdout.starts_with("unproved standard/bag/passes/mqtt:3.1.1  # it takes more than 1 runs"));
    mqttspec(&["prove", "--cases", &cases, "--run", "no/such/**"]).fails_with(NOTHING_SELECTED, "nothing is selected");
}

#[test]
fn brokers_lists_recipes_and_shows_what_they_do() {
    let cache = folder().display().to_string();
    let finished = mqttspec(&["brokers", "--cache", &cache]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    for name in ["activemq ", "aedes ", "amqtt ", "ejabberd ", "mosquitto ", "rabbitmq ", "rumqttd "] {
        assert!(finished.stdout.lines().any(|line| line.starts_with(name)), "{name} is not in\n{}", finished.stdout);
    }
    let finished = mqttspec(&["brokers", "aedes", "--scripts", "--cache", &cache]);
    for part in ["# Debian packages: nodejs npm\n", "npm install --no-save", "listen(${port}, '127.0.0.1')"] {
        assert!(finished.stdout.contains(part), "{part:?} is not in\n{}", finished.stdout);
    }
    mqttspec(&["brokers", "hal"]).fails_with(USAGE, "there is no recipe for `hal`: there are activemq, ");
    mqttspec(&["brokers", "--cache", &cache, "--document", &format!("{cache}/page.md")])
        .fails_with(NOTHING_SELECTED, "there are no reports yet");
}
