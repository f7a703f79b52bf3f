//! A world that goes its way by chance.

use super::choice::{Chance, Choice, pick};
use super::client::Deed;
use super::terms::{Terms, Theme};
use super::world::{Event, Move, World};
use model::packet::{ProtocolVersion, Qos};
use model::profile::{Feature, Profile};
use std::collections::BTreeMap;

/// How often a client does what, of all that it does.
const HABITS: [(Deed, usize); 9] = [
    (Deed::Connect, 3),
    (Deed::Subscribe, 10),
    (Deed::Unsubscribe, 5),
    (Deed::Publish, 40),
    (Deed::Acknowledge, 40),
    (Deed::Ping, 8),
    (Deed::Leave, 1),
    (Deed::Break, 2),
    (Deed::Offend, 1),
];

/// Many clients of all versions that the profile has.
pub(crate) fn terms(profile: &str, clients: usize, themes: &'static [Theme]) -> Terms {
    let profile = Profile::builtin(profile).unwrap();
    Terms {
        profile,
        versions: &[ProtocolVersion::V5_0, ProtocolVersion::V3_1_1, ProtocolVersion::V3_1],
        clients,
        topics: &["t/0", "t/1", "t/2", "t/3", "u"],
        filters: &["t/0", "t/1", "t/2", "t/3", "u", "t/+", "#"],
        qos: if profile.has(Feature::Qos2) { &Qos::ALL } else { &[Qos::AtMostOnce, Qos::AtLeastOnce] },
        intervals: &[0, 2, 100, u32::MAX],
        windows: &[1, 2, 5, 0],
        clean_once_in: 3,
        calm: 500,
        themes,
        limits: BTreeMap::new(),
        capacity: 4,
        inventive: true,
        bug: None,
    }
}

/// A fleet as it runs for days: its subscriptions do not overlap, and what is sent comes to rest now and then.
pub(crate) fn fleet(clients: usize) -> Terms {
    let filters = &["t/0", "t/1", "t/2", "t/3", "u"];
    Terms { filters, calm: 100, ..terms("standard", clients, &[]) }
}

/// A world by chance, event after event.
pub(crate) struct Walk {
    pub(crate) world: World,
    pub(crate) chance: Chance,
}

impl Walk {
    pub(crate) fn new(terms: Terms, seed: u64) -> Walk {
        Walk { world: World::new(terms), chance: Chance(seed) }
    }

    /// The next step, if the part of the world that chance looks at has one.
    fn next_move(&mut self) -> Option<Move> {
        let Walk { world, chance, .. } = self;
        let client = chance.below(world.clients.len());
        match chance.below(8) {
            0 | 1 => {
                let deeds = world.deeds(client);
                let weight =
                    |deed: &Deed| HABITS.iter().find(|(known, _)| known == deed).map_or(0, |(_, weight)| *weight);
                let mut place = chance.below(deeds.iter().map(weight).sum::<usize>().max(1));
                let chosen = deeds.iter().find(|deed| {
                    let found = place < weight(deed);
                    place = place.saturating_sub(weight(deed));
                    found
                });
                // A client that has nothing else to do takes its time.
                chosen.filter(|_| deeds.len() > 1 || chance.once_in(6)).map(|deed| Move::Do(client, *deed))
            }
            2 | 3 => {
                let readable = world.readable();
                (!readable.is_empty()).then(|| Move::Take(*pick(chance, &readable)))
            }
            4 | 5 => {
                let visible = world.visible();
                (!visible.is_empty()).then(|| Move::See(*pick(chance, &visible)))
            }
            6 if chance.once_in(16) => Some(Move::Drop(client)),
            6 if chance.once_in(8) => world.server.wills(world.now).first().map(|message| Move::Will(*message)),
            _ => {
                let offers = world.offers(client);
                (!offers.is_empty()).then(|| pick(chance, &offers).clone())
            }
        }
    }

    /// Makes a step, if chance finds one.
    pub(crate) fn step(&mut self) {
        if let Some(step) = self.next_move() {
            self.world.step(&step, &mut self.chance);
        }
        // Time passes when nothing else happens.
        if self.chance.once_in(self.world.terms.calm) {
            self.world.settle(&mut self.chance);
            self.world.now += *pick(&mut self.chance, &[1, 500, 1_999, 6_000, 8_000]);
            // What is due now comes now.
            self.world.settle(&mut self.chance);
        }
    }

    /// Goes on until something has been seen, and tells it.
    pub(crate) fn events(&mut self) -> Vec<Event> {
        while self.world.trace.is_empty() {
            self.step();
        }
        std::mem::take(&mut self.world.trace)
    }

    /// Comes to rest, and tells what was seen meanwhile.
    pub(crate) fn rest(&mut self) -> Vec<Event> {
        self.world.settle(&mut self.chance);
        std::mem::take(&mut self.world.trace)
    }
}
