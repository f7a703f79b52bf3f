//! `mqttspec check`: explores the model and says whether its claims hold.

use crate::output::{complain, print_and_end};
use clap::Args;
use harness::exit_code;
use model::check::{Expected, Finding, Outcome, Scenario, check, scenario, scenarios};
use model::server::SeededBug;
use std::io::{self, Write};

/// Arguments of `mqttspec check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mqttspec check                                        every scenario
  mqttspec check takeover                               one of them
  mqttspec check takeover --bug keeps-older-connection  with a fault planted in the model: a claim must fail")]
pub(crate) struct Arguments {
    /// The scenario; all of them when it is left out
    scenario: Option<String>,
    /// Plant this fault in the model, to see how a claim fails
    #[arg(long, value_name = "NAME")]
    bug: Option<String>,
    /// Print the witness of every `sometimes` claim too
    #[arg(short, long)]
    verbose: bool,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let chosen = match &arguments.scenario {
        None => Ok(scenarios()),
        Some(name) => named(name).map(|scenario| vec![scenario]),
    };
    let (scenarios, bug) = match (chosen, planted(arguments.bug.as_deref())) {
        (Ok(scenarios), Ok(bug)) => (scenarios, bug),
        (Err(message), _) | (_, Err(message)) => {
            complain(&message);
            return exit_code::USAGE;
        }
    };
    let outcomes: Vec<(Scenario, Outcome)> = scenarios
        .into_iter()
        .map(|scenario| {
            let outcome = check(&scenario, bug);
            (scenario, outcome)
        })
        .collect();
    let failed = outcomes.iter().filter(|(_, outcome)| !outcome.holds()).count();
    let code = if failed == 0 { exit_code::AS_EXPECTED } else { exit_code::NOT_AS_EXPECTED };
    print_and_end(code, |out| {
        for (scenario, outcome) in &outcomes {
            print_outcome(out, scenario, outcome, arguments)?;
        }
        let held = outcomes.len() - failed;
        writeln!(out, "{held} passed, {failed} failed, 0 skipped")
    })
}

/// The scenario of this name.
pub(crate) fn named(name: &str) -> Result<Scenario, String> {
    scenario(name).ok_or_else(|| {
        let known: Vec<&str> = scenarios().iter().map(|scenario| scenario.name).collect();
        format!("there is no scenario `{name}`: choose one of {}", known.join(", "))
    })
}

/// The fault that was asked for.
pub(crate) fn planted(name: Option<&str>) -> Result<Option<SeededBug>, String> {
    let Some(name) = name else { return Ok(None) };
    SeededBug::named(name).map(Some).ok_or_else(|| {
        let known: Vec<&str> = SeededBug::ALL.iter().map(|(_, name)| *name).collect();
        format!("there is no planted bug `{name}`: choose one of {}", known.join(", "))
    })
}

fn print_outcome(out: &mut dyn Write, scenario: &Scenario, outcome: &Outcome, arguments: &Arguments) -> io::Result<()> {
    writeln!(out, "{}: {}", outcome.scenario, scenario.about)?;
    writeln!(
        out,
        "  {} on MQTT {}: {} unique states, depth {}, {:.2} s, {:.0} states/s",
        scenario.profile.name,
        scenario.version,
        outcome.unique_states,
        outcome.depth,
        outcome.elapsed.as_secs_f64(),
        outcome.states_per_second()
    )?;
    for finding in &outcome.findings {
        print_finding(out, outcome, finding, arguments)?;
    }
    writeln!(out)
}

fn print_finding(out: &mut dyn Write, outcome: &Outcome, finding: &Finding, arguments: &Arguments) -> io::Result<()> {
    let word = match (finding.expected, finding.holds) {
        (Expected::Always, true) => "always",
        (Expected::Sometimes, true) => "sometimes",
        (Expected::Always, false) => "VIOLATED",
        (Expected::Sometimes, false) => "NEVER",
    };
    writeln!(out, "  {word:<9} {}", finding.property)?;
    if finding.holds && !arguments.verbose {
        return Ok(());
    }
    for line in &finding.path {
        writeln!(out, "      {line}")?;
    }
    if let Some(path) = &finding.explorer_path {
        // The steps are counted in the world with the bug: without it they lead elsewhere.
        let bug = arguments.bug.as_ref().map(|bug| format!(" --bug {bug}")).unwrap_or_default();
        writeln!(out, "      look around: mqttspec explore {}{bug}, then #/steps/{path}", outcome.scenario)?;
    }
    Ok(())
}
