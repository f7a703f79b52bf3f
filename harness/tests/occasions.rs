//! What the ledger counts as exercised by the judge: each occasion comes up in some trace, and not in every one.

use harness::case::Library;
use harness::coverage::{Occasion, Seen};
use harness::run::{Conditions, KnownFailing, Plan, Selection, record_embedded};
use model::packet::ProtocolVersion;
use model::profile::Profile;
use model::statement::StatementId;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the traces of these variants of `standard` show, by variant.
fn seen(selection: &str) -> Vec<(String, ProtocolVersion, Seen)> {
    let library = Library::embedded().expect("the cases are well formed");
    let profile = Arc::new(Profile::builtin("standard").expect("it is built in").clone());
    let selection =
        Selection { run: vec![selection.parse().expect("the pattern is well formed")], ..Selection::default() };
    let plan = Plan::new(&library, Arc::clone(&profile), &selection, &KnownFailing::default());
    let conditions = Conditions::default();
    plan.played()
        .map(|planned| {
            let variant = &planned.variant;
            let recorded = record_embedded(variant, &profile, &conditions);
            (variant.name.clone(), variant.version, Seen::in_trace(&recorded.trace, variant.version))
        })
        .collect()
}

#[test]
fn every_occasion_comes_up() {
    let all = seen("**");
    let missing: Vec<&Occasion> = Occasion::ALL
        .iter()
        .filter(|occasion| !all.iter().any(|(_, _, seen)| seen.occasions().contains(occasion)))
        .collect();
    assert!(missing.is_empty(), "they put nothing to the test: {missing:?}");
}

#[test]
fn a_trace_shows_what_happened_in_it_and_nothing_else() {
    let ping = seen("standard/connect/accepted/valid-connect/mqtt:5.0");
    let [(_, version, seen)] = &ping[..] else { panic!("one variant: {ping:?}") };
    let expected = [
        Occasion::Packet,
        Occasion::Accepted,
        Occasion::PacketAfterConnack,
        Occasion::AcceptedClean,
        Occasion::NoResponseInformation,
        Occasion::NoAuthenticationMethod,
        Occasion::Pingresp,
    ];
    assert_eq!(*seen.occasions(), BTreeSet::from(expected));
    let statements = seen.statements(*version);
    let is_in = |id: &str| statements.contains(&id.parse::<StatementId>().expect("it is an id"));
    assert!(is_in("MQTT-3.2.0-1") && is_in("MQTT-3.12.4-1"));
    assert!(!is_in("MQTT-3.3.2-3") && !is_in("MQTT-3.14.4-1"), "{statements:?}");
}

#[test]
fn a_malformed_packet_puts_to_the_test_what_its_refusal_names() {
    let seen = seen("standard/malformed/strings/topic-name/surrogate/mqtt:3.1.1");
    let [(_, version, seen)] = &seen[..] else { panic!("one variant: {seen:?}") };
    let statements: Vec<String> = seen.statements(*version).iter().map(ToString::to_string).collect();
    assert!(seen.occasions().contains(&Occasion::MalformedPacket));
    for id in ["MQTT-1.5.3-1", "MQTT-3.3.2-1", "MQTT-4.8.0-1"] {
        assert!(statements.iter().any(|known| known == id), "{id} is not in {statements:?}");
    }
}
