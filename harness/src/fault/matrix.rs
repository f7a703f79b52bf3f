//! Every fault against every variant: which fault fails which case, and who notices.

use super::catalogue::Fault;
use super::interference::Interference;
use super::traffic::Traffic;
use super::transform::Transform;
use crate::case::Variant;
use crate::run::{Conditions, Outcome, Plan, VerdictKind, in_order, play_embedded};
use model::profile::Profile;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

/// What came of all plays of variants under faults.
#[derive(Debug, Default)]
pub struct Matrix {
    /// The names of all variants that pass without a fault, in the order of the plans.
    pub variants: Vec<Arc<Variant>>,
    /// Variants that do not pass even without a fault: nothing can be said about them.
    pub unfit: Vec<Arc<Variant>>,
    /// The faults in the order of the catalogue, with what came of each.
    pub rows: Vec<Row>,
    /// How many plays it took.
    pub plays: usize,
}

/// What came of one fault.
#[derive(Debug)]
pub struct Row {
    /// The theme of the fault.
    pub theme: &'static str,
    /// The fault.
    pub fault: Fault,
    /// What came of the variants in which it did something, by the name of the variant.
    pub cells: BTreeMap<String, Cell>,
}

/// What came of one variant under one fault that did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// The variant passes all the same: the fault broke nothing that it looks at.
    Unnoticed,
    /// The variant fails.
    Caught(Caught),
    /// The play could not be decided: why.
    Undecided(String),
}

/// Who noticed a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caught {
    /// An expectation of the script.
    Script,
    /// The judge alone: every expectation holds.
    Judge,
    /// An expectation, but every statement at stake is a recommendation: the verdict is `lenient`.
    Leniently,
}

/// A variant that passes without a fault.
pub(super) struct Fit {
    pub(super) variant: Arc<Variant>,
    pub(super) profile: Arc<Profile>,
    traffic: Traffic,
}

impl Caught {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Caught::Script => "script",
            Caught::Judge => "judge",
            Caught::Leniently => "lenient",
        }
    }
}

impl Matrix {
    /// Plays every variant of `plans` under each of `faults`, as far as a fault can touch it, with at most `jobs` plays at a
    /// time. `progress` hears of each fault that is done.
    #[must_use]
    pub fn play(
        plans: &[Plan],
        faults: &[(&'static str, Fault)],
        conditions: &Conditions,
        jobs: NonZeroUsize,
        progress: &mut dyn FnMut(Fault),
    ) -> Matrix {
        let mut matrix = Matrix::default();
        let (fit, unfit) = fit(plans, conditions, jobs);
        matrix.plays += fit.len() + unfit.len();
        matrix.variants = fit.iter().map(|fit| Arc::clone(&fit.variant)).collect();
        matrix.unfit = unfit;
        for (theme, fault) in faults {
            let touched: Vec<&Fit> = fit.iter().filter(|fit| touches(*fault, fit)).collect();
            let under = Conditions { interference: Interference::Fault(*fault), ..conditions.clone() };
            let cells = in_order(&touched, jobs, |Fit { variant, profile, .. }| {
                cell(&play_embedded(variant, profile, None, &under))
            });
            matrix.plays += touched.len();
            let named = touched.iter().map(|fit| fit.variant.name.clone());
            let cells = named.zip(cells).filter_map(|(name, cell)| Some((name, cell?))).collect();
            matrix.rows.push(Row { theme, fault: *fault, cells });
            progress(*fault);
        }
        matrix
    }

    /// The faults that no variant notices.
    pub fn uncaught(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.caught().next().is_none())
    }

    /// The variants that no fault fails which breaks a statement that they cite.
    #[must_use]
    pub fn unguarded(&self) -> Vec<&Arc<Variant>> {
        let mut guarded = BTreeSet::new();
        for row in &self.rows {
            let caught: BTreeSet<&str> = row.caught().map(|(name, _)| name).collect();
            let is_guarded = |variant: &&Arc<Variant>| caught.contains(variant.name.as_str()) && row.is_about(variant);
            guarded.extend(self.variants.iter().filter(is_guarded).map(|variant| variant.name.as_str()));
        }
        self.variants.iter().filter(|variant| !guarded.contains(variant.name.as_str())).collect()
    }

    /// The cases, as `suite/case`, with what can fail them.
    #[must_use]
    pub fn cases(&self) -> BTreeMap<String, Guards> {
        let mut cases: BTreeMap<String, Guards> = BTreeMap::new();
        for variant in &self.variants {
            let guards = cases.entry(format!("{}/{}", variant.suite, variant.case)).or_default();
            for row in &self.rows {
                if matches!(row.cells.get(&variant.name), Some(Cell::Caught(_))) {
                    guards.all.insert(row.fault.name());
                    if row.is_about(variant) {
                        guards.own.insert(row.fault.name());
                    }
                }
            }
        }
        cases
    }
}

/// The faults that fail a case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guards {
    /// All of them.
    pub all: BTreeSet<&'static str>,
    /// Those that break a statement which the case cites.
    pub own: BTreeSet<&'static str>,
}

impl Row {
    /// Whether the fault breaks a statement that the variant cites.
    #[must_use]
    pub fn is_about(&self, variant: &Variant) -> bool {
        is_about(self.fault, variant)
    }

    /// The variants that fail under the fault, and who noticed.
    pub fn caught(&self) -> impl Iterator<Item = (&str, Caught)> {
        self.cells.iter().filter_map(|(name, cell)| match cell {
            Cell::Caught(caught) => Some((name.as_str(), *caught)),
            Cell::Unnoticed | Cell::Undecided(_) => None,
        })
    }
}

/// What came of all variants under a transform.
#[derive(Debug)]
pub struct Transformed {
    /// The transform.
    pub transform: &'static Transform,
    /// How many variants were played: those whose traffic it can touch.
    pub played: usize,
    /// In how many of them it changed the traffic; for one that changes only how bytes are carried, in all.
    pub acted: usize,
    /// Variants that pass without the transform and not with it.
    pub changed: Vec<Outcome>,
}

/// Plays all variants of `plans` under each of these transforms.
#[must_use]
pub fn transformed(
    plans: &[Plan],
    transforms: &'static [Transform],
    conditions: &Conditions,
    jobs: NonZeroUsize,
) -> Vec<Transformed> {
    let (fit, _) = fit(plans, conditions, jobs);
    let each = transforms.iter().map(|transform| {
        let touches = |fit: &&Fit| transform.rules.is_empty() || fit.traffic.meets(transform.rules);
        let touched: Vec<&Fit> = fit.iter().filter(touches).collect();
        let under = Conditions { interference: Interference::Transform(transform), ..conditions.clone() };
        let outcomes =
            in_order(&touched, jobs, |Fit { variant, profile, .. }| play_embedded(variant, profile, None, &under));
        let played = outcomes.len();
        let acted = outcomes.iter().filter(|outcome| outcome.interfered == Some(true)).count();
        let changed = outcomes.into_iter().filter(|outcome| outcome.verdict.kind() != VerdictKind::Pass).collect();
        Transformed { transform, played, acted, changed }
    });
    each.collect()
}

/// The variants of `plans` that pass without a fault, and those that do not.
pub(super) fn fit(plans: &[Plan], conditions: &Conditions, jobs: NonZeroUsize) -> (Vec<Fit>, Vec<Arc<Variant>>) {
    let mut all = Vec::new();
    for plan in plans {
        all.extend(plan.played().map(|planned| (Arc::clone(&planned.variant), Arc::clone(&plan.profile))));
    }
    let look_on = Conditions { interference: Interference::Onlooker, ..conditions.clone() };
    let undisturbed = in_order(&all, jobs, |(variant, profile)| {
        let outcome = play_embedded(variant, profile, None, &look_on);
        (outcome.verdict.kind(), outcome.traffic)
    });
    let (mut fit, mut unfit) = (Vec::new(), Vec::new());
    for ((variant, profile), (verdict, traffic)) in all.into_iter().zip(undisturbed) {
        match verdict {
            VerdictKind::Pass => fit.push(Fit { variant, profile, traffic }),
            _ => unfit.push(variant),
        }
    }
    (fit, unfit)
}

/// Whether a fault breaks a statement that a variant cites.
pub(super) fn is_about(fault: Fault, variant: &Variant) -> bool {
    fault.statements(variant.version).iter().any(|statement| variant.cites.contains(&statement.id))
}

/// Whether a fault can do anything in a variant.
pub(super) fn touches(fault: Fault, fit: &Fit) -> bool {
    match fault {
        Fault::Proxy(proxy) => fault.concerns(fit.variant.version, &fit.profile) && fit.traffic.meets(proxy.rules),
        Fault::Switch(switch) => fault.concerns(fit.variant.version, &fit.profile) && fit.traffic.shows(switch),
    }
}

/// What a play under a fault shows; nothing if the fault did nothing.
pub(super) fn cell(outcome: &Outcome) -> Option<Cell> {
    if outcome.interfered == Some(false) {
        return None;
    }
    Some(match outcome.verdict.kind() {
        VerdictKind::Fail if outcome.step().is_some() => Cell::Caught(Caught::Script),
        VerdictKind::Fail => Cell::Caught(Caught::Judge),
        VerdictKind::Lenient => Cell::Caught(Caught::Leniently),
        VerdictKind::Pass => Cell::Unnoticed,
        kind => Cell::Undecided(format!("{kind}: {}", outcome.verdict.reason().unwrap_or_default())),
    })
}
