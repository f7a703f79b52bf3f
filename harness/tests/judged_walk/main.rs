//! The model and the reference broker against each other: random clients drive the broker, the judge reads along.
//!
//! They share no rule, so whenever the judge objects one of the two is wrong. `MQTTSPEC_WALKS` is the number of walks a
//! profile, `MQTTSPEC_SEED` begins elsewhere; a failure prints the shortest list of commands that still fails, and what
//! was said.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod command;
mod generate;
mod memory;
mod packets;
mod walk;

use command::Script;
use generate::scripts;
use harness::trace::{Trace, What};
use model::judge::{Judge, Judgement, Timing};
use model::profile::Profile;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use std::cell::Cell;
use walk::{Walked, walk};

/// Why the judge may give no verdict. What it does not cover is not generated.
const MAY_BE_INCONCLUSIVE: &[&str] = &["two CONNECT packets of one client identifier", "states of the model explain"];

fn from_environment(name: &str, otherwise: u32) -> u32 {
    std::env::var(name)
        .map_or(otherwise, |value| value.parse().unwrap_or_else(|_| panic!("{name}: `{value}` is no number")))
}

fn runner(walks: u32) -> TestRunner {
    TestRunner::new(Config {
        cases: walks,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed().into()),
        max_shrink_iters: 20_000,
        ..Config::default()
    })
}

fn seed() -> u32 {
    from_environment("MQTTSPEC_SEED", 1)
}

fn judge(profile: &Profile, trace: &Trace) -> Judgement {
    let mut judge = Judge::new(profile, Timing::virtual_time());
    let mut now = 0;
    for event in &trace.events {
        now = u64::try_from(event.at.as_millis()).unwrap();
        judge.observe(now, event.connection, event.what.observation());
    }
    judge.finish(now)
}

/// Walks the broker of this dialect, and has the judge explain all of it.
fn conforms(profile: &str) {
    let profile = Profile::builtin(profile).unwrap();
    let walks = from_environment("MQTTSPEC_WALKS", 64);
    let inconclusive = Cell::new(0);
    let result = runner(walks).run(&scripts(), |script| {
        let Walked { trace, chart } = walk(profile, &script);
        let objection = match judge(profile, &trace) {
            Judgement::Conforms => return Ok(()),
            Judgement::Inconclusive(why) if MAY_BE_INCONCLUSIVE.iter().any(|known| why.contains(known)) => {
                inconclusive.set(inconclusive.get() + 1);
                return Ok(());
            }
            Judgement::Inconclusive(why) => why,
            Judgement::Violates(violations) => {
                let first = &violations[0];
                format!(
                    "{} ms {} {}: {}\n  expected: {}\n  seen: {}",
                    first.at, first.connection, first.rule, first.says, first.expected, first.seen
                )
            }
        };
        Err(TestCaseError::fail(format!("{objection}\n{}", chart.join("\n"))))
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(objection, script)) => {
            let Script { clients, commands } = script;
            let commands: String = commands.iter().map(|command| format!("  {command:?}\n")).collect();
            panic!("{}, MQTTSPEC_SEED={}\n{objection}\n{clients} clients:\n{commands}", profile.name, seed());
        }
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
    let inconclusive = inconclusive.get();
    eprintln!("{}: {walks} walks, {inconclusive} of them inconclusive", profile.name);
    assert!(inconclusive * 5 <= walks, "{inconclusive} of {walks} walks have no verdict");
}

#[test]
fn the_broker_of_the_standard_conforms() {
    conforms("standard");
}

#[test]
fn the_broker_of_the_platform_conforms() {
    conforms("platform");
}

#[test]
fn the_broker_of_the_platform_of_2026_conforms() {
    conforms("platform-2026");
}

/// A fault put into a trace; `false` if the trace has no place for it.
type Fault = fn(&mut Trace) -> bool;

#[test]
fn a_fault_in_a_walk_is_found() {
    // Each with the percentage of the walks in which it must be found. What is missing has another explanation: a client
    // that never reads, a message that 3.x may repeat, a flag that 3.1 only advises.
    let faults: [(&str, u32, Fault); 6] = [
        ("DUP on a first delivery", 75, |trace| {
            change(trace, |bytes| bytes[0] & 0xF8 == 0x30 && bytes[0] & 0x06 != 0, |bytes| bytes[0] |= 0x08)
        }),
        ("RETAIN on a delivery", 50, |trace| {
            change(trace, |bytes| bytes[0] >> 4 == 3 && bytes[0] & 0x01 == 0, |bytes| bytes[0] |= 0x01)
        }),
        ("PUBREL for another message", 75, |trace| change(trace, |bytes| bytes[0] == 0x62, |bytes| bytes[2] ^= 0x40)),
        ("PUBREC for another message", 75, |trace| change(trace, |bytes| bytes[0] == 0x50, |bytes| bytes[2] ^= 0x40)),
        ("another payload", 75, |trace| {
            change(trace, |bytes| bytes[0] >> 4 == 3, |bytes| *bytes.last_mut().unwrap() ^= 0x01)
        }),
        ("an answer comes twice", 75, |trace| repeat(trace, |bytes| matches!(bytes[0] >> 4, 4 | 5 | 7 | 9 | 11 | 13))),
    ];
    let profile = Profile::builtin("standard").unwrap();
    for (name, share, fault) in faults {
        let mut runner = runner(1);
        let (mut planted, mut found) = (0, 0);
        for _ in 0..128 {
            let script = scripts().new_tree(&mut runner).unwrap().current();
            let mut trace = walk(profile, &script).trace;
            if fault(&mut trace) {
                planted += 1;
                found += u32::from(matches!(judge(profile, &trace), Judgement::Violates(_)));
            }
        }
        eprintln!("{name}: found {found} of {planted}");
        assert!(planted >= 8, "{name}: planted only {planted} times");
        assert!(found * 100 >= planted * share, "{name}: found in {found} of {planted} walks");
    }
}

/// Changes the first packet of the broker that `fits`.
fn change(trace: &mut Trace, fits: fn(&[u8]) -> bool, change: fn(&mut [u8])) -> bool {
    let packets = trace.events.iter_mut().filter_map(|event| match &mut event.what {
        What::Received(bytes) => Some(bytes),
        _ => None,
    });
    let found = packets.into_iter().find(|bytes| fits(bytes));
    found.map(|bytes| change(bytes)).is_some()
}

/// Repeats the first packet of the broker that `fits`.
fn repeat(trace: &mut Trace, fits: fn(&[u8]) -> bool) -> bool {
    let position = trace.events.iter().position(|event| matches!(&event.what, What::Received(bytes) if fits(bytes)));
    position.map(|position| trace.events.insert(position, trace.events[position].clone())).is_some()
}
