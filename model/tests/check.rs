//! Every scenario is explored to its end: all claims hold, the size of each world is pinned, and every claim can fail.
#![expect(clippy::unwrap_used, reason = "a test may panic, helpers of tests too")]

use model::check::{Expected, Order, Outcome, Scale, Search, Verdict, check, scenario, scenarios, shortest_path};
use model::server::SeededBug;
use std::time::Duration;

#[test]
fn every_claim_holds_in_every_state() {
    let mut sizes = Vec::new();
    for scenario in scenarios(Scale::Small) {
        let outcome = check(&scenario, None, Search::default());
        assert!(outcome.is_complete);
        for finding in &outcome.findings {
            let can_fail = BUGS.iter().any(|(property, ..)| *property == finding.property);
            assert!(can_fail || finding.expected == Expected::Sometimes, "no bug breaks: {}", finding.property);
            assert_eq!(finding.verdict, Verdict::Holds, "{}: {finding:#?}", scenario.name);
        }
        sizes.push((outcome.scenario, outcome.unique_states, outcome.generated_states));
    }
    // A changed count is a changed world: look at it before you change the number.
    assert_eq!(
        sizes,
        [
            ("broken-link", 85_081, 308_945),
            ("fan-out", 17_917, 62_194),
            ("exactly-once", 20_160, 61_479),
            ("flow-control", 1_311, 3_316),
            ("alias", 19_677, 63_110),
            ("expiry", 10_687, 32_767),
            ("takeover", 6_615, 21_349),
            ("unsubscribe", 10_049, 27_350),
            ("no-local", 1_966, 4_778),
            ("shared", 54_230, 170_324),
            ("retained", 2_088, 5_748),
            ("will", 968, 2_579),
            ("publisher-decides", 1_687, 4_390),
            ("no-wills", 352, 722),
            ("call", 98_190, 341_071),
        ]
    );
}

/// The bug that makes a property fail, and the scenario in which it does.
const BUGS: [(&str, &str, &str); 27] = [
    ("an acknowledged message reaches its subscriber", "drops-while-disconnected", "broken-link"),
    ("an acknowledged message reaches its subscriber", "forgets-unacknowledged", "broken-link"),
    ("identifiers of open deliveries are unique", "reuses-identifiers", "broken-link"),
    ("no more deliveries are open than Receive Maximum", "ignores-receive-maximum", "broken-link"),
    ("Session Present tells the truth", "denies-session", "takeover"),
    ("a repeated delivery has DUP and its identifier", "repeats-without-dup", "broken-link"),
    ("messages of one publisher arrive in order", "reorders", "takeover"),
    ("a delivered QoS is what publisher and grant allow", "lowers-qos", "publisher-decides"),
    ("nothing published after the UNSUBACK is delivered", "keeps-subscription", "unsubscribe"),
    ("a connection that was taken over is closed", "keeps-older-connection", "takeover"),
    ("a QoS 2 message is delivered once", "takes-twice", "exactly-once"),
    ("an acknowledged message reaches its subscriber", "never-frees-incoming", "exactly-once"),
    ("no more deliveries are open than Receive Maximum", "counts-until-pubrec", "flow-control"),
    ("a client that breaks no rule keeps its connection", "forgets-aliases", "alias"),
    ("an expired message is not delivered", "delivers-expired", "expiry"),
    ("with No Local a client's own messages do not come", "ignores-no-local", "no-local"),
    ("a message for a group comes to one member", "sends-to-every-member", "shared"),
    ("what is published when only one member is left comes to it", "keeps-subscription", "shared"),
    (
        "RETAIN 1 comes once for a subscription that asks for what is retained, and never on a live message",
        "ignores-retain-handling",
        "retained",
    ),
    ("a subscription gets the retained message that it asks for", "withholds-retained", "retained"),
    ("a Will is published only when it is due and was not taken back", "publishes-will-after-return", "will"),
    ("the Will of a client that stays away is published", "forgets-wills", "will"),
    ("a dialect without Wills publishes none", "publishes-forbidden-will", "no-wills"),
    ("every call ends", "forgets-calls", "call"),
    ("a call ends once", "ends-calls-twice", "call"),
    ("a call that was answered in time succeeds", "ignores-answers", "call"),
    ("no call times out before its time is over", "times-out-early", "call"),
];

fn with_bug(property: &str, bug: &str, name: &str) -> Outcome {
    let bug = SeededBug::named(bug).unwrap();
    check(&scenario(name, Scale::Small).unwrap().asking(property), Some(bug), Search::default())
}

#[test]
fn every_claim_fails_under_its_bug() {
    for (property, bug, name) in BUGS {
        let outcome = with_bug(property, bug, name);
        let [finding] = outcome.findings.as_slice() else { panic!("{name} does not claim that {property}") };
        assert_eq!(finding.verdict, Verdict::Fails, "{property} holds in {name} although the server {bug}");
        let counterexample = finding.counterexample.as_ref().unwrap();
        assert!(counterexample.steps.len() > 1, "{counterexample:#?}");
    }
    for (_, name) in SeededBug::ALL {
        assert!(BUGS.iter().any(|(_, bug, _)| *bug == name), "{name} breaks nothing");
    }
}

#[test]
fn a_counterexample_reads_like_a_sequence_chart() {
    let outcome = with_bug("a connection that was taken over is closed", "keeps-older-connection", "takeover");
    let path = outcome.findings[0].counterexample.as_ref().unwrap();
    for line in ["sub again <- CONNACK session-present 1 code 0", "sub again -> CONNECT lasting on #1"] {
        assert!(path.steps.iter().any(|step| step == line), "{line:?} is not in {:#?}", path.steps);
    }
    // One action for each step, after the number of the first state.
    assert_eq!(path.address.split('/').count(), path.steps.len() + 1);
}

#[test]
fn a_witness_is_a_shortest_path() {
    let scenario = scenario("fan-out", Scale::Small).unwrap();
    let path = shortest_path(&scenario, None, "the window is full", Search::default()).unwrap();
    let delivered = path.steps.iter().filter(|step| step.contains("<- PUBLISH")).count();
    assert_eq!(delivered, 2, "{:#?}", path.steps);
    assert_eq!(path.steps.len(), 14, "{:#?}", path.steps);
    assert!(shortest_path(&scenario, None, "Session Present tells the truth", Search::default()).is_none());
}

#[test]
fn clients_that_are_alike_may_change_places() {
    let scenario = scenario("fan-out", Scale::Small).unwrap();
    let breadth_first = Search { order: Order::BreadthFirst, ..Search::default() };
    let (reduced, whole) = (check(&scenario, None, Search::default()), check(&scenario, None, breadth_first));
    assert!(reduced.holds() && whole.holds());
    // Two states of each pair are one, except where both clients are in the same state.
    assert!(reduced.unique_states > whole.unique_states / 2 && reduced.unique_states < whole.unique_states * 11 / 20);
}

#[test]
fn an_unfinished_search_proves_nothing() {
    let scenario = scenario("broken-link", Scale::Small).unwrap();
    let few = check(&scenario, None, Search { states: 50, ..Search::default() });
    let hurried = check(&scenario, None, Search { time: Duration::ZERO, ..Search::default() });
    for outcome in [few, hurried] {
        assert!(!outcome.is_complete && !outcome.holds());
        assert!(outcome.findings.iter().all(|finding| finding.verdict != Verdict::Fails), "{outcome:#?}");
        assert!(outcome.findings.iter().any(|finding| finding.verdict == Verdict::Open), "{outcome:#?}");
    }
}
