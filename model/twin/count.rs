//! The checker's side of the comparison in `run`: explores a world of the twin, and prints how many states it has and how many
//! were generated.
#![expect(clippy::unwrap_used, reason = "a tool of the developers may panic")]

use model::check::{Order, Scale, Scenario, Search, broken_link_of, check, scenario};
use std::time::Duration;

const USAGE: &str = "usage: count breadth-first|depth-first broken-link MESSAGES BREAKS
       count breadth-first|depth-first fan-out small|quick|deep";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some((order, scenario)) = parse(&arguments) else {
        eprintln!("{USAGE}");
        std::process::exit(2);
    };
    let outcome = check(&scenario, None, Search { order, states: 100_000_000, time: Duration::from_secs(1_800) });
    assert!(outcome.is_complete && outcome.holds(), "the claims of {}: {:#?}", scenario.name, outcome.findings);
    println!("{} {}", outcome.unique_states, outcome.generated_states);
}

fn parse(arguments: &[&str]) -> Option<(Order, Scenario)> {
    let [order, world @ ..] = arguments else { return None };
    let order = match *order {
        "breadth-first" => Order::BreadthFirst,
        "depth-first" => Order::DepthFirst,
        _ => return None,
    };
    let scenario = match world {
        ["broken-link", messages, breaks] => broken_link_of(messages.parse().ok()?, breaks.parse().ok()?),
        ["fan-out", "small"] => scenario("fan-out", Scale::Small).unwrap(),
        ["fan-out", "quick"] => scenario("fan-out", Scale::Quick).unwrap(),
        ["fan-out", "deep"] => scenario("fan-out", Scale::Deep).unwrap(),
        _ => return None,
    };
    Some((order, scenario))
}
