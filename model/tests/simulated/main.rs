//! The judge follows a server that does what the model permits, and finds nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod choice;
mod client;
mod packets;
mod server;
mod terms;
mod walk;
mod world;

use model::judge::{Figures, Judge, Judgement, Timing};
use terms::{Terms, Theme};
use walk::{Walk, fleet, terms};

const PROFILES: [&str; 3] = ["standard", "platform", "platform-2026"];

/// A number from the environment, or the one for every day.
fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |text| text.parse().unwrap())
}

/// A walk of so many events, judged. An alarm comes with what led to it.
fn judged(terms: Terms, events: usize, seed: u64) -> Result<(), String> {
    let mut judge = Judge::new(terms.profile, Timing::virtual_time());
    let mut walk = Walk::new(terms, seed);
    let mut seen = Vec::new();
    while seen.len() < events {
        seen.extend(walk.events());
    }
    seen.extend(walk.rest());
    seen.iter().for_each(|event| event.tell(&mut judge));
    let describe = |until: u64| {
        let before: Vec<String> =
            seen.iter().filter(|event| event.at <= until).map(|event| walk.world.describe(event)).collect();
        before[before.len().saturating_sub(700)..].join("\n")
    };
    match judge.finish(walk.world.now + 1) {
        Judgement::Conforms => Ok(()),
        Judgement::Inconclusive(why) => Err(format!("{}\n{why}", describe(u64::MAX))),
        Judgement::Violates(violations) => Err(format!("{}\n{:#?}", describe(violations[0].at), violations[0])),
    }
}

/// `MQTTSPEC_EVENTS` events a dialect and theme, in walks of `MQTTSPEC_WALK` events from `MQTTSPEC_SEED` on, with
/// `MQTTSPEC_CLIENTS` clients. `MQTTSPEC_THEME` picks one theme, by the name that the code gives it.
#[test]
fn a_permitted_server_raises_no_alarm() {
    let (events, seed) = (number("MQTTSPEC_EVENTS", 5_000), number("MQTTSPEC_SEED", 1));
    let (length, clients) = (number("MQTTSPEC_WALK", 50), number("MQTTSPEC_CLIENTS", 2) as usize);
    let themes = match std::env::var("MQTTSPEC_THEME") {
        Ok(name) => vec![Theme::ALL.iter().find(|theme| format!("{theme:?}") == name)],
        Err(_) => std::iter::once(None).chain(Theme::ALL.iter().map(Some)).collect(),
    };
    for (theme, profile) in themes.iter().flat_map(|theme| PROFILES.map(|profile| (*theme, profile))) {
        for seed in seed..seed + events.div_ceil(length) {
            let terms = terms(profile, clients, theme.map_or(&[], std::slice::from_ref));
            if let Err(alarm) = judged(terms, length as usize, seed) {
                panic!("{profile}, {theme:?}, MQTTSPEC_SEED={seed} MQTTSPEC_WALK={length}:\n{alarm}");
            }
        }
    }
}

/// The checker passes over an output without successor in silence, so this must not exist.
#[test]
fn what_a_session_offers_it_accepts() {
    const STEPS: usize = 10_000;
    let seed = number("MQTTSPEC_SEED", 1);
    for profile in PROFILES {
        let mut offered = 0;
        let mut walk = Walk::new(terms(profile, 4, Theme::ALL), seed);
        for _ in 0..STEPS {
            walk.step();
            match walk.world.server.check_offers(&walk.world.context(), walk.world.now) {
                Ok(number) => offered += number,
                Err(refused) => panic!("{profile} with MQTTSPEC_SEED={seed}: {refused}"),
            }
        }
        assert!(offered > STEPS, "{profile} offers {offered} outputs");
    }
}

/// A trace of a fleet raises no alarm either, however long it is.
#[test]
fn a_fleet_raises_no_alarm() {
    let (events, seed) = (number("MQTTSPEC_EVENTS", 20_000), number("MQTTSPEC_SEED", 1));
    if let Err(alarm) = judged(fleet(8), events as usize, seed) {
        panic!("MQTTSPEC_SEED={seed} MQTTSPEC_EVENTS={events}:\n{alarm}");
    }
}

/// What nothing refers to any more is forgotten: a long trace takes no more room than a short one.
#[test]
fn a_long_trace_takes_no_more_room() {
    let (mut walk, mut judge) = (Walk::new(fleet(8), 1), None);
    let mut largest = |walk: &mut Walk, events: usize| {
        let judge = judge.get_or_insert_with(|| Judge::new(walk.world.terms.profile, Timing::virtual_time()));
        let (mut seen, mut largest) = (0, Figures::default());
        while seen < events {
            for event in walk.events() {
                event.tell(judge);
                largest = largest.max(judge.figures());
                seen += 1;
            }
        }
        largest
    };
    let short = largest(&mut walk, 4_000);
    let long = largest(&mut walk, 40_000);
    println!("{short:?}, then {long:?}");
    // How many connections and tokens there are between two sweeps is a matter of chance: ten times as many events, at most twice as many.
    assert!(long.tokens <= 2 * short.tokens && long.connections <= 2 * short.connections, "{short:?}, then {long:?}");
    assert_eq!(long.sessions, short.sessions);
}
