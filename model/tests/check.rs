//! Every scenario is explored to its end: all claims hold, the size of each world is pinned, and every claim can fail.
#![expect(clippy::unwrap_used, reason = "a test may panic, helpers of tests too")]

use model::check::{Expected, Outcome, check, scenario, scenarios};
use model::server::SeededBug;

#[test]
fn every_claim_holds_in_every_state() {
    let mut sizes = Vec::new();
    for scenario in scenarios() {
        let outcome = check(&scenario, None);
        for finding in &outcome.findings {
            let can_fail = BUGS.iter().any(|(property, ..)| *property == finding.property);
            assert!(can_fail || finding.expected == Expected::Sometimes, "no bug breaks: {}", finding.property);
            assert!(finding.holds, "{}: {}\n{}", scenario.name, finding.property, finding.path.join("\n"));
        }
        sizes.push((outcome.scenario, outcome.unique_states, outcome.depth));
    }
    // A changed count is a changed world: look at it before you change the number.
    assert_eq!(
        sizes,
        [
            ("broken-link", 117_419, 35),
            ("takeover", 6_615, 29),
            ("unsubscribe", 10_049, 28),
            ("publisher-decides", 2_417, 26)
        ]
    );
}

/// The bug that makes a property fail, and the scenario in which it does.
const BUGS: [(&str, &str, &str); 10] = [
    ("an acknowledged QoS 1 message reaches its subscriber", "drops-while-disconnected", "broken-link"),
    ("an acknowledged QoS 1 message reaches its subscriber", "forgets-unacknowledged", "broken-link"),
    ("identifiers of open deliveries are unique", "reuses-identifiers", "broken-link"),
    ("no more deliveries are open than Receive Maximum", "ignores-receive-maximum", "broken-link"),
    ("Session Present tells the truth", "denies-session", "takeover"),
    ("a repeated delivery has DUP and its identifier", "repeats-without-dup", "broken-link"),
    ("messages of one publisher arrive in order", "reorders", "takeover"),
    ("a delivered QoS is what publisher and grant allow", "lowers-qos", "publisher-decides"),
    ("nothing published after the UNSUBACK is delivered", "keeps-subscription", "unsubscribe"),
    ("a connection that was taken over is closed", "keeps-older-connection", "takeover"),
];

/// Bugs whose scenario is still missing.
const WITHOUT_SCENARIO: [&str; 8] = [
    "takes-twice",
    "never-frees-incoming",
    "counts-until-pubrec",
    "ignores-no-local",
    "ignores-retain-handling",
    "publishes-will-after-return",
    "publishes-forbidden-will",
    "delivers-expired",
];

fn with_bug(property: &str, bug: &str, name: &str) -> Outcome {
    let bug = SeededBug::named(bug).unwrap();
    check(&scenario(name).unwrap().asking(property), Some(bug))
}

#[test]
fn every_claim_fails_under_its_bug() {
    for (property, bug, name) in BUGS {
        let outcome = with_bug(property, bug, name);
        assert!(!outcome.holds(), "{property} holds in {name} although the server {bug}");
    }
    for (_, name) in SeededBug::ALL.into_iter().filter(|(_, name)| !WITHOUT_SCENARIO.contains(name)) {
        assert!(BUGS.iter().any(|(_, bug, _)| *bug == name), "{name} breaks nothing");
    }
}

#[test]
fn a_counterexample_reads_like_a_sequence_chart() {
    let outcome = with_bug("a connection that was taken over is closed", "keeps-older-connection", "takeover");
    let finding = outcome.findings.iter().find(|finding| !finding.holds).unwrap();
    assert!(
        finding.path.iter().any(|line| line == "sub again <- CONNACK session-present 1 code 0"),
        "{:#?}",
        finding.path
    );
    assert!(finding.path.iter().any(|line| line == "sub again -> CONNECT lasting on #1"), "{:#?}", finding.path);
    assert!(finding.explorer_path.as_ref().is_some_and(|path| path.contains('/')));
}
