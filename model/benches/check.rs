//! Speed and memory of the checker: `cargo bench -p mqttspec-model --bench check`.
//!
//! Items are unique states. Memory is what a process of its own has held at its peak, less what it held before the search:
//! stateright's tables, ours, and the states that wait. A second search in one process would find memory that is warm.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use divan::Bencher;
use divan::counter::ItemsCount;
use model::check::{Order, Outcome, Scale, Search, check, scenario};
use std::fmt;
use std::process::Command;

/// The largest quick scenario, and the largest one with clients that are alike: depth first they may change places.
const CASES: [Case; 4] = [
    Case { scenario: "fan-out", order: Order::DepthFirst },
    Case { scenario: "fan-out", order: Order::BreadthFirst },
    Case { scenario: "takeover", order: Order::DepthFirst },
    Case { scenario: "takeover", order: Order::BreadthFirst },
];

#[derive(Clone, Copy)]
struct Case {
    scenario: &'static str,
    order: Order,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.scenario, self.order)
    }
}

impl Case {
    fn run(self) -> Outcome {
        let scenario = scenario(self.scenario, Scale::Quick).unwrap();
        let outcome = check(&scenario, None, Search { order: self.order, ..Search::default() });
        assert!(outcome.holds());
        outcome
    }
}

#[divan::bench(args = CASES, sample_count = 5, sample_size = 1)]
fn unique_states(bencher: Bencher<'_, '_>, case: Case) {
    let unique_states = case.run().unique_states;
    bencher.counter(ItemsCount::new(unique_states)).bench(|| case.run());
}

/// The words that make this program a measurement of one case.
const MEMORY: &str = "memory-of-case";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, index] = arguments.as_slice()
        && word == MEMORY
    {
        return measure(CASES[index.parse::<usize>().unwrap()]);
    }
    if std::path::Path::new("/proc/self/status").exists() {
        for index in 0..CASES.len() {
            let program = std::env::current_exe().unwrap();
            let status = Command::new(program).args([MEMORY, &index.to_string()]).status().unwrap();
            assert!(status.success());
        }
    }
    divan::main();
}

fn measure(case: Case) {
    let before = kibibytes("VmRSS:");
    let outcome = case.run();
    let bytes = (kibibytes("VmHWM:") - before) * 1024.0;
    let states = f64::from(u32::try_from(outcome.unique_states).unwrap());
    let generated = f64::from(u32::try_from(outcome.generated_states).unwrap());
    println!(
        "{case}: {states} unique states, {:.1} generated for each, {:.1} bytes a state",
        generated / states,
        bytes / states
    );
}

/// A line of what Linux tells of this process.
fn kibibytes(line: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let value = status.lines().find_map(|known| known.strip_prefix(line)).unwrap();
    value.split_whitespace().next().unwrap().parse().unwrap()
}
