//! Every case can fail, every fault is caught, and what breaks nothing changes nothing.

use harness::case::Library;
use harness::fault::{Fault, Gaps, Interference, TRANSFORMS, Transform, transformed};
use harness::run::{
    Conditions, Interrupt, KnownFailing, NetworkTarget, Outcome, Plan, Selection, VerdictKind, record_embedded,
    run_network,
};
use harness::target::{Address, Route};
use model::profile::Profile;
use reference_broker::{Broker, Settings};
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
    Conditions { interference, ..Conditions::default() }
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

/// A reference broker behind a port of its own, for as long as the test program runs.
fn broker_in_the_network() -> Address {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("the loopback has free ports");
    let port = listener.local_addr().expect("it is bound").port();
    listener.set_nonblocking(true).expect("it is a socket");
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let profile = Profile::builtin("standard").expect("it is built in");
            let broker = Broker::new(Settings::from_profile(profile));
            let listener = tokio::net::TcpListener::from_std(listener).expect("it does not block");
            while let Ok((stream, _)) = listener.accept().await {
                broker.attach(stream);
            }
        });
    });
    format!("mqtt://127.0.0.1:{port}").parse().expect("it is an address")
}

#[test]
fn faults_and_transforms_act_in_a_network_too() {
    let library = Library::embedded().expect("the cases are in order");
    let profile = Arc::new(Profile::builtin("standard").expect("it is built in").clone());
    let run = vec!["standard/publish/qos1/acknowledged-and-delivered/**".parse().expect("a pattern")];
    let selection = Selection { run, ..Selection::default() };
    let plan = Plan::new(&library, profile, &selection, &KnownFailing::default());
    let target = NetworkTarget {
        route: Route::plain(broker_in_the_network()),
        free_port: false,
        start: None,
        ready_within: Duration::ZERO,
        devices: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let play = |interference| {
        let conditions = Conditions { timeout: Duration::from_millis(300), ..conditions(interference) };
        let mut verdicts = Vec::new();
        let mut listener = |outcome: Outcome| verdicts.push((outcome.verdict.kind(), outcome.interfered));
        let interrupt = Interrupt::on_signals().expect("signals can be watched");
        let (_, result) =
            runtime.block_on(run_network(&target, &plan, &conditions, NonZeroUsize::MIN, &interrupt, &mut listener));
        result.expect("the broker answers");
        verdicts.retain(|(verdict, _)| *verdict != VerdictKind::NotRun);
        verdicts
    };
    assert_eq!(play(Interference::None), [(VerdictKind::Pass, None); 3]);
    let lost = Fault::named("puback-lost").expect("there is such a fault");
    assert_eq!(play(Interference::Fault(lost)), [(VerdictKind::Fail, Some(true)); 3]);
    let alone = Transform::named("each-byte-alone").expect("there is such a transform");
    assert_eq!(play(Interference::Transform(alone)), [(VerdictKind::Pass, Some(true)); 3]);
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
