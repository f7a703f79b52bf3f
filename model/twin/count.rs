//! The checker's side of the comparison in `run`: explores a scenario breadth first, every state for itself as SPIN does, and
//! depth first, and prints for each of them a line of tab-separated words: order, unique states, generated states, seconds.
#![expect(clippy::unwrap_used, reason = "a tool of the developers may panic")]

use model::check::{Order, Scale, Search, check, scenario};

const USAGE: &str = "usage: count SCENARIO small|quick|deep, with a scenario as `mqttspec check` names it";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, scale] = arguments.as_slice() else { panic!("{USAGE}") };
    let scale = match scale.as_str() {
        "small" => Scale::Small,
        "quick" => Scale::Quick,
        "deep" => Scale::Deep,
        other => panic!("no scale `{other}`; {USAGE}"),
    };
    let scenario = scenario(name, scale).unwrap();
    for order in [Order::BreadthFirst, Order::DepthFirst] {
        let outcome = check(&scenario, None, Search { order, states: 100_000_000, ..Search::default() });
        assert!(outcome.is_complete && outcome.holds(), "{name}: {:#?}", outcome.findings);
        let (unique, generated) = (outcome.unique_states, outcome.generated_states);
        println!("{order:?}\t{unique}\t{generated}\t{:.3}", outcome.elapsed.as_secs_f64());
    }
}
