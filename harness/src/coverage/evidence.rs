//! What a run shows: who cites what, and what was put to the test.

use super::occasions_seen::Seen;
use crate::case::Variant;
use crate::run::{Class, Conditions, Plan, Recorded, record_embedded, side_by_side};
use model::packet::ProtocolVersion;
use model::profile::Profile;
use model::statement::StatementId;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

/// A statement of a version.
pub(super) type Key = (ProtocolVersion, StatementId);

/// What a run shows of every statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The cases that cite it.
    pub(super) cited: BTreeMap<Key, BTreeSet<String>>,
    /// Those of them that passed: their expectations were put to the test.
    pub(super) passed: BTreeMap<Key, BTreeSet<String>>,
    /// A variant whose trace shows an occasion for it: the first by name.
    pub(super) occasions: BTreeMap<Key, String>,
    /// How many variants were played.
    pub variants: usize,
    /// Those that failed or could not be judged: they exercise nothing.
    pub failed: BTreeSet<String>,
}

/// Plays what is planned on reference brokers and takes note of what it covers.
#[must_use]
pub fn gather(plans: &[Plan], conditions: &Conditions, jobs: NonZeroUsize) -> Evidence {
    let mut work = Vec::new();
    for plan in plans {
        work.extend(plan.played().map(|planned| (Arc::clone(&planned.variant), Arc::clone(&plan.profile))));
    }
    let mut evidence = Evidence::default();
    let play = |(variant, profile): &(Arc<Variant>, Arc<Profile>)| {
        let recorded = record_embedded(variant, profile, conditions);
        let seen = Seen::in_trace(&recorded.trace, variant.version);
        (recorded, seen)
    };
    side_by_side(&work, jobs, play, |(recorded, seen)| evidence.note(&recorded, &seen));
    evidence
}

impl Evidence {
    /// Takes note of a variant that was played.
    pub fn note(&mut self, recorded: &Recorded, seen: &Seen) {
        let variant = &recorded.outcome.variant;
        let case = format!("{}/{}", variant.suite, variant.case);
        self.variants += 1;
        for id in &variant.cites {
            self.cited.entry((variant.version, id.clone())).or_default().insert(case.clone());
        }
        if recorded.outcome.verdict.kind().class() != Class::Passed {
            self.failed.insert(variant.name.clone());
            return;
        }
        for id in &variant.cites {
            self.passed.entry((variant.version, id.clone())).or_default().insert(case.clone());
        }
        for id in seen.statements(variant.version) {
            let first = self.occasions.entry((variant.version, id)).or_insert_with(|| variant.name.clone());
            // Whoever is done first must not decide.
            if variant.name < *first {
                first.clone_from(&variant.name);
            }
        }
    }
}
