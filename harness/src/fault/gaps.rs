//! What the matrix lacks, found with as few plays as that takes: what is caught once need not be caught again.

use super::catalogue::Fault;
use super::interference::Interference;
use super::matrix::{Cell, Fit, cell, fit, is_about, touches};
use crate::run::{Conditions, Plan, in_order, play_embedded};
use std::collections::BTreeSet;
use std::num::NonZeroUsize;

/// Faults that no case catches, and cases that no fault of their own fails.
#[derive(Debug, Default)]
pub struct Gaps {
    /// Faults under which no variant fails.
    pub uncaught: Vec<Fault>,
    /// Cases, as `suite/case`, that fail under no fault which breaks a statement that they cite.
    pub unguarded: BTreeSet<String>,
    /// How many plays it took.
    pub plays: usize,
}

impl Gaps {
    /// Looks for gaps, with at most `jobs` plays at a time.
    #[must_use]
    pub fn find(plans: &[Plan], conditions: &Conditions, jobs: NonZeroUsize) -> Gaps {
        let (fit, unfit) = fit(plans, conditions, jobs);
        let mut gaps = Gaps { plays: fit.len() + unfit.len(), ..Gaps::default() };
        gaps.unguarded = fit.iter().map(case).collect();
        for (_, fault) in Fault::all() {
            let mut is_caught = gaps.guard(fault, &fit, conditions, jobs);
            let mut others = fit.iter().filter(|fit| touches(fault, fit)).collect::<Vec<_>>();
            // Those that the fault is about are likely to notice it.
            others.sort_by_key(|fit| !is_about(fault, &fit.variant));
            for batch in others.chunks(jobs.get()) {
                if is_caught {
                    break;
                }
                is_caught = gaps.play(fault, batch, conditions, jobs).contains(&true);
            }
            if !is_caught {
                gaps.uncaught.push(fault);
            }
        }
        gaps
    }

    /// Plays those cases that still need a fault of their own and may find it in this one. Returns whether one did.
    fn guard(&mut self, fault: Fault, fit: &[Fit], conditions: &Conditions, jobs: NonZeroUsize) -> bool {
        let is_candidate = |fit: &&Fit| touches(fault, fit) && is_about(fault, &fit.variant);
        let mut candidates: Vec<&Fit> = fit.iter().filter(is_candidate).collect();
        let mut is_caught = false;
        loop {
            candidates.retain(|fit| self.unguarded.contains(&case(fit)));
            // One variant of each case at a time: the first that fails will do.
            let mut cases = BTreeSet::new();
            let (batch, rest): (Vec<&Fit>, Vec<&Fit>) = candidates.into_iter().partition(|fit| cases.insert(case(fit)));
            if batch.is_empty() {
                return is_caught;
            }
            for (fit, caught) in batch.iter().zip(self.play(fault, &batch, conditions, jobs)) {
                if caught {
                    self.unguarded.remove(&case(fit));
                    is_caught = true;
                }
            }
            candidates = rest;
        }
    }

    /// Whether each of these fails under the fault.
    fn play(&mut self, fault: Fault, batch: &[&Fit], conditions: &Conditions, jobs: NonZeroUsize) -> Vec<bool> {
        self.plays += batch.len();
        let under = Conditions { interference: Interference::Fault(fault), ..conditions.clone() };
        in_order(batch, jobs, |Fit { variant, profile, .. }| {
            matches!(cell(&play_embedded(variant, profile, None, &under)), Some(Cell::Caught(_)))
        })
    }
}

fn case(fit: &Fit) -> String {
    format!("{}/{}", fit.variant.suite, fit.variant.case)
}
