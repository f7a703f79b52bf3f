//! Every case can fail, every fault is caught, and what breaks nothing changes nothing.

use harness::case::{Credentials, Library};
use harness::fault::{Fault, Gaps, Interference, TRANSFORMS, transformed};
use harness::run::{Conditions, KnownFailing, Plan, Selection, record_embedded};
use model::profile::Profile;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// How many faults there are to be at least, over all themes.
const FAULTS: usize = 120;

fn plans() -> Vec<Plan> {
    let library = Library::embedded().expect("the cases are in order");
    let profiles = Profile::builtin_names().into_iter().filter_map(Profile::builtin);
    let plan = |profile: &Profile| {
        Plan::new(&library, Arc::new(profile.clone()), &Selection::default(), &KnownFailing::default())
    };
    profiles.map(plan).collect()
}

fn conditions(interference: Interference) -> Conditions {
    Conditions { credentials: Credentials::default(), timeout: Duration::from_secs(5), interference }
}

fn jobs() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

#[test]
fn every_fault_is_caught_and_every_case_can_fail_for_what_it_cites() {
    let gaps = Gaps::find(&plans(), &conditions(Interference::None), jobs());
    let uncaught: Vec<&str> = gaps.uncaught.iter().map(|fault| fault.name()).collect();
    assert!(uncaught.is_empty(), "faults that no case catches: {uncaught:#?}");
    let unguarded = &gaps.unguarded;
    assert!(unguarded.is_empty(), "cases that no fault fails which breaks what they cite: {unguarded:#?}");
    eprintln!("{} faults, {} plays", Fault::all().count(), gaps.plays);
}

#[test]
fn there_are_faults_of_every_theme() {
    let mut themes: BTreeMap<&str, usize> = BTreeMap::new();
    for (theme, _) in Fault::all() {
        *themes.entry(theme).or_default() += 1;
    }
    assert!(themes.values().sum::<usize>() >= FAULTS, "{themes:?}");
    assert!(themes.values().all(|count| *count >= 5), "{themes:?}");
}

#[test]
fn no_verdict_changes_under_a_transform() {
    for transformed in transformed(&plans(), TRANSFORMS, &conditions(Interference::None), jobs()) {
        let name = transformed.transform.name;
        let changed: Vec<String> = transformed
            .changed
            .iter()
            .map(|outcome| {
                let reason = outcome.verdict.reason().unwrap_or_default();
                format!("{} {}: {reason}", outcome.verdict.kind(), outcome.variant.name)
            })
            .collect();
        assert!(changed.is_empty(), "under {name}: {changed:#?}");
        assert!(transformed.acted > 0, "{name} never acts");
        eprintln!("{name} acts in {} of {} variants", transformed.acted, transformed.played);
    }
}

#[test]
fn a_proxy_that_only_looks_on_leaves_no_trace() {
    for plan in plans() {
        for planned in plan.played() {
            let play = |interference| record_embedded(&planned.variant, &plan.profile, &conditions(interference));
            let (alone, watched) = (play(Interference::None), play(Interference::Onlooker));
            let name = &planned.variant.name;
            assert_eq!(watched.outcome.verdict, alone.outcome.verdict, "{name}");
            assert_eq!(watched.outcome.interfered, Some(false), "{name}");
            // Who is quicker of two that nothing puts in order may change; what each connection saw may not.
            let of = |events: &[harness::trace::Event]| {
                let mut connections: BTreeMap<_, (Vec<u8>, Vec<u8>)> = BTreeMap::new();
                for event in events {
                    let (sent, received) = connections.entry(event.connection).or_default();
                    match &event.what {
                        harness::trace::What::Sent(bytes) => sent.extend(bytes),
                        harness::trace::What::Received(bytes) => received.extend(bytes),
                        _ => {}
                    }
                }
                connections
            };
            assert_eq!(of(&watched.trace.events), of(&alone.trace.events), "{name}");
        }
    }
}
