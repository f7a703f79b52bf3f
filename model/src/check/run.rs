//! Explores a scenario and says what was found.

use super::budget::Budget;
use super::properties::Expected;
use super::scenario::Scenario;
use super::system::System;
use crate::server::SeededBug;
use stateright::{Checker, CheckerBuilder, Expectation, HasDiscoveries, Model, Property};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How to search, and how far.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// Which states come first. With a planted bug the search is always breadth first: it may be endless in depth.
    pub order: Order,
    /// How many states may be looked at.
    pub states: usize,
    /// How long it may take.
    pub time: Duration,
}

/// Which states a search looks at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Depth first: fastest and smallest; clients that are alike may change places.
    DepthFirst,
    /// Breadth first: every state by a shortest path.
    BreadthFirst,
}

impl Default for Search {
    /// Far beyond what a scenario of the quick scale needs.
    fn default() -> Search {
        Search { order: Order::DepthFirst, states: 20_000_000, time: Duration::from_secs(600) }
    }
}

/// What the exploration of a scenario has shown.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The scenario.
    pub scenario: &'static str,
    /// Different states; states in which clients that are alike have changed places count once in a search depth first.
    pub unique_states: usize,
    /// States that were generated: one for each step from a state, and the first one.
    pub generated_states: usize,
    /// States on the longest path that was followed.
    pub depth: usize,
    /// How long it took.
    pub elapsed: Duration,
    /// Whether every state was seen. If not, the search had reached its bound, and what it did not find may still be there.
    pub is_complete: bool,
    /// Each property in the order of the scenario.
    pub findings: Vec<Finding>,
}

/// What became of one property.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Its name.
    pub property: &'static str,
    /// What it claims.
    pub expected: Expected,
    /// Whether the claim holds.
    pub verdict: Verdict,
    /// A shortest counterexample of an `always` claim that fails.
    pub counterexample: Option<ShownPath>,
}

/// Whether a claim holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It fails.
    Fails,
    /// The search was not finished.
    Open,
}

/// A path through the world.
#[derive(Debug, Clone)]
pub struct ShownPath {
    /// A line for each step.
    pub steps: Vec<String>,
    /// The same for the explorer: what stands behind `#/steps/` in its address.
    pub address: String,
}

impl Outcome {
    /// Whether every claim holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.findings.iter().all(|finding| finding.verdict == Verdict::Holds)
    }

    /// Unique states a second.
    #[must_use]
    pub fn states_per_second(&self) -> f64 {
        let states = u32::try_from(self.unique_states).map_or(f64::INFINITY, f64::from);
        states / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }
}

/// Explores a scenario: all of it, or with a planted bug up to where the first claim fails.
#[must_use]
pub fn check(scenario: &Scenario, bug: Option<SeededBug>, search: Search) -> Outcome {
    let start = Instant::now();
    // Without a bug nothing but the end of all states may stop the search: counts are pinned.
    let until = match bug {
        Some(_) => HasDiscoveries::AnyFailures,
        None => HasDiscoveries::AllOf(BTreeSet::from(["the search is over"])),
    };
    let builder = builder(scenario, bug, search).finish_when(until);
    let order = if bug.is_some() { Order::BreadthFirst } else { search.order };
    match order {
        Order::DepthFirst => concluded(builder.symmetry().spawn_dfs().join(), scenario, bug, search, start),
        Order::BreadthFirst => concluded(builder.spawn_bfs().join(), scenario, bug, search, start),
    }
}

/// A shortest path to a state that decides a property: the counterexample of an `always` claim, or the witness of a
/// `sometimes` claim. `None` if there is none within the bounds of the search.
#[must_use]
pub fn shortest_path(scenario: &Scenario, bug: Option<SeededBug>, property: &str, search: Search) -> Option<ShownPath> {
    // A search with one question ends at its first answer. With several, stateright lets later answers replace earlier ones.
    let checker = builder(&scenario.clone().asking(property), bug, search).spawn_bfs().join();
    checker.model().budget.lift();
    let path = checker.discoveries().into_values().next()?;
    let system = checker.model();
    let address = path.encode(system);
    let steps = path.into_vec();
    let steps = steps.iter().filter_map(|(_, action)| Some(system.label(action.as_ref()?))).collect();
    Some(ShownPath { steps, address })
}

fn builder(scenario: &Scenario, bug: Option<SeededBug>, search: Search) -> CheckerBuilder<System> {
    let mut system = System::new(scenario.clone(), bug);
    system.budget = Budget::new(search.states, search.time);
    system.checker()
}

fn concluded(
    checker: impl Checker<System>,
    scenario: &Scenario,
    bug: Option<SeededBug>,
    search: Search,
    start: Instant,
) -> Outcome {
    let elapsed = start.elapsed();
    let is_bounded = checker.model().budget.lift();
    let discoveries = checker.discoveries();
    let properties = checker.model().properties();
    let has_failed = |property: &Property<System>| {
        property.expectation.discovery_is_failure() && discoveries.contains_key(property.name)
    };
    let is_cut_short = bug.is_some() && properties.iter().any(has_failed);
    let is_complete = !is_bounded && !is_cut_short;
    let findings = properties.iter().map(|property| {
        let found = discoveries.contains_key(property.name);
        let (expected, verdict) = match property.expectation {
            Expectation::Sometimes if found => (Expected::Sometimes, Verdict::Holds),
            Expectation::Sometimes if is_complete => (Expected::Sometimes, Verdict::Fails),
            Expectation::Sometimes => (Expected::Sometimes, Verdict::Open),
            _ if found => (Expected::Always, Verdict::Fails),
            _ if is_complete => (Expected::Always, Verdict::Holds),
            _ => (Expected::Always, Verdict::Open),
        };
        let counterexample = (expected == Expected::Always && verdict == Verdict::Fails)
            .then(|| shortest_path(scenario, bug, property.name, search))
            .flatten();
        Finding { property: property.name, expected, verdict, counterexample }
    });
    Outcome {
        scenario: scenario.name,
        unique_states: checker.unique_state_count(),
        generated_states: checker.state_count(),
        depth: checker.max_depth(),
        elapsed,
        is_complete,
        findings: findings.collect(),
    }
}
