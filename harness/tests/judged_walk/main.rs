//! The model and the reference broker against each other: random clients drive the broker, the judge reads along.
//!
//! They share no rule, so whenever the judge objects one of the two is wrong. `MQTTSPEC_WALKS` is the number of walks a
//! profile, `MQTTSPEC_SEED` begins elsewhere; a failure prints the shortest list of commands that still fails, and what
//! was said.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use harness::case::Credentials;
use harness::concealing::{ConcealedTrace, Secrets};
use harness::fuzz::{Client, Ground, Terrain, Walked};
use harness::report::{Line, exchange};
use harness::target::Peer;
use harness::trace::{Trace, What};
use model::judge::{Judgement, Violation};
use model::packet::ProtocolVersion;
use model::profile::Profile;
use std::time::Duration;

/// Why the judge may give no verdict. What it does not cover is not generated.
const MAY_BE_INCONCLUSIVE: &[&str] = &["two CONNECT packets of one client identifier", "states of the model explain"];

fn from_environment(name: &str, otherwise: u32) -> u32 {
    std::env::var(name)
        .map_or(otherwise, |value| value.parse().unwrap_or_else(|_| panic!("{name}: `{value}` is no number")))
}

fn seed() -> u64 {
    from_environment("MQTTSPEC_SEED", 1).into()
}

fn terrain(profile: &Profile) -> Terrain {
    Terrain {
        clients: Client::MOST,
        length: 64,
        credentials: Credentials { user_name: None, password: None },
        ..Terrain::of(profile, Ground::Embedded)
    }
}

fn walk(terrain: &Terrain, seed: u64) -> Walked {
    terrain.explore(Peer::embedded(&terrain.profile), seed, "m").unwrap()
}

fn chart(walked: &Walked) -> String {
    let line = |line: &Line| format!("{:>9} {:<6} {} {}\n", line.at.as_millis(), line.actor, line.arrow, line.text);
    let concealed = ConcealedTrace::of(walked.trace.clone(), Secrets::default());
    exchange(&concealed, ProtocolVersion::V3_1_1).iter().map(line).collect()
}

/// Walks the broker of this dialect, and has the judge explain all of it.
fn conforms(profile: &str) {
    let terrain = terrain(Profile::builtin(profile).unwrap());
    let walks = from_environment("MQTTSPEC_WALKS", 64);
    let mut inconclusive = 0;
    for seed in (seed()..).take(walks as usize) {
        let walked = walk(&terrain, seed);
        match terrain.judge(&walked) {
            Judgement::Conforms => {}
            Judgement::Inconclusive(why) if MAY_BE_INCONCLUSIVE.iter().any(|known| why.contains(known)) => {
                inconclusive += 1;
            }
            Judgement::Inconclusive(why) => panic!("{profile}, MQTTSPEC_SEED={seed}: {why}\n{}", chart(&walked)),
            Judgement::Violates(violations) => {
                let first = &violations[0];
                let fresh = || (Peer::embedded(&terrain.profile), "m".to_owned());
                let commands = terrain.shrink(&walked, first, Duration::MAX, fresh, |_| true).commands;
                let shortest = terrain.repeat(fresh().0, &commands, "m").unwrap();
                let Violation { rule, says, expected, seen, .. } = first;
                let at = format!("{} ms {}", first.at, first.connection);
                panic!(
                    "{profile}, MQTTSPEC_SEED={seed}\n{at} {rule}: {says}\n  expected: {expected}\n  seen: {seen}\n{}",
                    chart(&shortest)
                );
            }
        }
    }
    eprintln!("{profile}: {walks} walks, {inconclusive} of them inconclusive");
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
    let terrain = terrain(Profile::builtin("standard").unwrap());
    let mut walks: Vec<Walked> = (seed()..).take(128).map(|seed| walk(&terrain, seed)).collect();
    for (name, share, fault) in faults {
        let (mut planted, mut found) = (0, 0);
        for walked in &mut walks {
            let trace = walked.trace.clone();
            if fault(&mut walked.trace) {
                planted += 1;
                found += u32::from(matches!(terrain.judge(walked), Judgement::Violates(_)));
            }
            walked.trace = trace;
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
