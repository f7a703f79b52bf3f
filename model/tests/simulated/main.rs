//! The judge follows a server that does what the model permits, and finds nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod choice;
mod client;
mod packets;
mod server;
mod terms;
mod walk;
mod world;

use model::judge::{Judge, Judgement, Timing};
use terms::{Terms, Theme};
use walk::{Walk, terms};

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
        before[before.len().saturating_sub(80)..].join("\n")
    };
    match judge.finish(walk.world.now + 1) {
        Judgement::Conforms => Ok(()),
        Judgement::Inconclusive(why) => Err(format!("{}\n{why}", describe(u64::MAX))),
        Judgement::Violates(violations) => Err(format!("{}\n{:#?}", describe(violations[0].at), violations[0])),
    }
}

/// `MQTTSPEC_EVENTS` events a dialect, in walks from `MQTTSPEC_SEED` on.
#[test]
fn a_permitted_server_raises_no_alarm() {
    let (events, seed) = (number("MQTTSPEC_EVENTS", 20_000), number("MQTTSPEC_SEED", 1));
    let (length, clients) = (number("MQTTSPEC_WALK", 2_000), number("MQTTSPEC_CLIENTS", 0) as usize);
    let themes = match std::env::var("MQTTSPEC_THEMES") {
        Ok(none) if none.is_empty() => &[],
        Ok(name) => std::slice::from_ref(Theme::ALL.iter().find(|theme| format!("{theme:?}") == name).unwrap()),
        Err(_) => Theme::ALL,
    };
    for profile in ["standard", "platform", "platform-2026"] {
        for seed in seed..seed + events.div_ceil(length) {
            let clients = if clients > 0 { clients } else { 4 + seed as usize % 5 };
            if let Err(alarm) = judged(terms(profile, clients, themes), length as usize, seed) {
                panic!("{profile} with MQTTSPEC_SEED={seed} MQTTSPEC_WALK={length}:\n{alarm}");
            }
        }
    }
}
