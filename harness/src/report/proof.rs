//! The report on proofs: what is sound is quiet, each counterexample a whole bug report about the case.

use super::terminal::{Detail, details};
use crate::prove::{Proof, Proved};
use crate::run::{Outcome, Verdict};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

/// What a number of proofs has shown.
#[derive(Debug, Clone, Default)]
pub struct Proofs {
    /// One for each variant, in any order.
    pub proofs: Vec<Proved>,
    /// How long it took.
    pub elapsed: Duration,
}

impl Proofs {
    /// How many are sound, unproved and refuted.
    #[must_use]
    pub fn counts(&self) -> [usize; 3] {
        let mut counts = [0; 3];
        for proved in &self.proofs {
            counts[match proved.proof {
                Proof::Sound => 0,
                Proof::Unproved(_) => 1,
                Proof::Refuted(_) => 2,
            }] += 1;
        }
        counts
    }

    /// Puts the proofs into the order of `names`.
    pub fn sort<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        let order: BTreeMap<&str, usize> = names.enumerate().map(|(index, name)| (name, index)).collect();
        self.proofs.sort_by_key(|proved| order.get(proved.variant.name.as_str()).copied());
    }

    /// How many sound cases count on each assumption about the server, by its name.
    fn assumptions(&self) -> BTreeMap<&'static str, usize> {
        let mut assumptions = BTreeMap::new();
        let sound = self.proofs.iter().filter(|proved| matches!(proved.proof, Proof::Sound));
        for feature in sound.flat_map(|proved| &proved.variant.needs).filter(|feature| feature.is_assumption()) {
            *assumptions.entry(feature.name()).or_default() += 1;
        }
        assumptions
    }
}

/// Prints proofs.
///
/// # Errors
/// When nobody reads (a broken pipe) or the disk is full.
pub fn proofs(proofs: &Proofs, detail: Detail, out: &mut dyn Write) -> io::Result<()> {
    for proved in &proofs.proofs {
        let name = &proved.variant.name;
        match &proved.proof {
            Proof::Sound if detail == Detail::Verbose => {
                writeln!(out, "sound {name}  # {} states, {} runs", proved.states, proved.runs)?;
            }
            Proof::Sound => {}
            Proof::Unproved(why) => writeln!(out, "unproved {name}  # {why}")?,
            Proof::Refuted(refutation) => {
                writeln!(out, "REFUTED {name}")?;
                writeln!(out, "  server    permitted by the model, {}", refutation.character.name())?;
                let outcome = Outcome {
                    variant: Arc::clone(&proved.variant),
                    verdict: Verdict::Fail(refutation.findings.clone()),
                    duration: Duration::ZERO,
                    silence: std::collections::BTreeSet::new(),
                    trace: Some(refutation.trace.clone()),
                };
                details(&outcome, out)?;
                writeln!(out)?;
            }
        }
    }
    for (assumption, count) in proofs.assumptions() {
        writeln!(out, "{count} of the sound ones count on {assumption}")?;
    }
    let (states, runs) =
        proofs.proofs.iter().fold((0, 0), |(states, runs), one| (states + one.states, runs + one.runs));
    let [sound, unproved, refuted] = proofs.counts();
    writeln!(out, "{states} states, {runs} runs, {:.1} s", proofs.elapsed.as_secs_f64())?;
    writeln!(out, "{sound} sound, {unproved} unproved, {refuted} refuted")
}
