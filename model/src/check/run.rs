//! Explores a scenario and says what was found.

use super::properties::Expected;
use super::scenario::Scenario;
use super::system::System;
use crate::server::SeededBug;
use stateright::{Checker, Expectation, HasDiscoveries, Model};
use std::time::{Duration, Instant};

/// What the exploration of a scenario has shown.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The scenario.
    pub scenario: &'static str,
    /// Different states.
    pub unique_states: usize,
    /// The longest of the shortest paths.
    pub depth: usize,
    /// How long it took.
    pub elapsed: Duration,
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
    pub holds: bool,
    /// The counterexample of an `always` claim, or the witness of a `sometimes` claim, a line for each step.
    pub path: Vec<String>,
    /// The same path for the explorer: what stands behind `#/steps/` in its address.
    pub explorer_path: Option<String>,
}

impl Outcome {
    /// Whether every claim holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.findings.iter().all(|finding| finding.holds)
    }

    /// Unique states a second.
    #[must_use]
    pub fn states_per_second(&self) -> f64 {
        let states = u32::try_from(self.unique_states).map_or(f64::INFINITY, f64::from);
        states / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }
}

/// States after which an exploration gives up: far above what any scenario has.
const STATE_LIMIT: usize = 20_000_000;

/// Explores all of a scenario, breadth first; with a planted bug only up to the first failure, which is then a shortest one.
#[must_use]
pub fn check(scenario: &Scenario, bug: Option<SeededBug>) -> Outcome {
    let start = Instant::now();
    let builder = System::new(scenario.clone(), bug).checker();
    // A planted bug may make a world endless.
    let builder = builder.target_state_count(STATE_LIMIT);
    // Without a bug nothing but the end of all states may stop the search: counts are pinned.
    let builder = match bug {
        Some(_) => builder.finish_when(HasDiscoveries::AnyFailures),
        None => builder.finish_when(HasDiscoveries::AllFailures),
    };
    let checker = builder.spawn_bfs().join();
    let elapsed = start.elapsed();
    let mut discoveries = checker.discoveries();
    let system = checker.model();
    let findings = system.properties().into_iter().map(|property| {
        let expected = match property.expectation {
            Expectation::Sometimes => Expected::Sometimes,
            Expectation::Always | Expectation::Eventually => Expected::Always,
        };
        let found = discoveries.remove(property.name);
        let explorer_path = found.as_ref().map(|path| path.encode(system));
        let path = found.map(|path| {
            let steps = path.into_vec();
            steps.iter().filter_map(|(state, action)| Some(system.label_in(state, action.as_ref()?))).collect()
        });
        Finding {
            property: property.name,
            expected,
            holds: path.is_some() == (expected == Expected::Sometimes),
            path: path.unwrap_or_default(),
            explorer_path,
        }
    });
    Outcome {
        scenario: scenario.name,
        unique_states: checker.unique_state_count(),
        depth: checker.max_depth(),
        elapsed,
        findings: findings.collect(),
    }
}
