//! `mqttspec check`: explores the model and says whether its claims hold.

use crate::output::{complain, print};
use clap::Args;
use harness::exit_code;
use model::check::{
    Expected, Finding, Outcome, Scale, Scenario, Search, ShownPath, Verdict, check, scenario, scenarios, shortest_path,
};
use model::server::SeededBug;
use std::io::{self, Write};
use std::time::Duration;

/// Arguments of `mqttspec check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mqttspec check                                        every scenario
  mqttspec check takeover --deep                        one of them, much larger
  mqttspec check takeover --bug keeps-older-connection  with a fault planted in the model: a claim must fail")]
pub(crate) struct Arguments {
    /// The scenario; all of them when it is left out
    scenario: Option<String>,
    /// Larger worlds: up to 100 million states and five minutes each
    #[arg(long)]
    deep: bool,
    /// Plant this fault in the model, to see how a claim fails
    #[arg(long, value_name = "NAME")]
    bug: Option<String>,
    /// Print a shortest witness of every `sometimes` claim too
    #[arg(short, long)]
    verbose: bool,
}

impl Arguments {
    fn scale(&self) -> Scale {
        if self.deep { Scale::Deep } else { Scale::Quick }
    }

    fn search(&self) -> Search {
        match self.deep {
            true => Search { states: 100_000_000, time: Duration::from_secs(300), ..Search::default() },
            false => Search::default(),
        }
    }
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let chosen = match &arguments.scenario {
        None => Ok(scenarios(arguments.scale())),
        Some(name) => named(name, arguments.scale()).map(|scenario| vec![scenario]),
    };
    let (scenarios, bug) = match (chosen, planted(arguments.bug.as_deref())) {
        (Ok(scenarios), Ok(bug)) => (scenarios, bug),
        (Err(message), _) | (_, Err(message)) => {
            complain(&message);
            return exit_code::USAGE;
        }
    };
    match check_all(arguments, &scenarios, bug) {
        Ok(code) => code,
        Err(error) => {
            complain(&format_args!("cannot write to stdout: {error}"));
            exit_code::NO_JUDGEMENT
        }
    }
}

/// Checks one after the other, and prints each as soon as it is known.
fn check_all(arguments: &Arguments, scenarios: &[Scenario], bug: Option<SeededBug>) -> io::Result<u8> {
    let (mut passed, mut failed, mut unfinished) = (0, 0, 0);
    for scenario in scenarios {
        forget_peak_memory();
        let outcome = check(scenario, bug, arguments.search());
        let memory = peak_memory();
        if outcome.holds() {
            passed += 1;
        } else if outcome.findings.iter().any(|finding| finding.verdict == Verdict::Fails) {
            failed += 1;
        } else {
            unfinished += 1;
        }
        print(|out| print_outcome(out, scenario, &outcome, bug, memory, arguments))?;
    }
    print(|out| match unfinished {
        0 => writeln!(out, "{passed} passed, {failed} failed, 0 skipped"),
        _ => writeln!(out, "{passed} passed, {failed} failed, 0 skipped, {unfinished} unfinished"),
    })?;
    Ok(match (failed, unfinished) {
        (0, 0) => exit_code::AS_EXPECTED,
        (0, _) => exit_code::NO_JUDGEMENT,
        _ => exit_code::NOT_AS_EXPECTED,
    })
}

/// The scenario of this name.
pub(crate) fn named(name: &str, scale: Scale) -> Result<Scenario, String> {
    scenario(name, scale).ok_or_else(|| {
        let known: Vec<&str> = scenarios(scale).iter().map(|scenario| scenario.name).collect();
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

fn print_outcome(
    out: &mut dyn Write,
    scenario: &Scenario,
    outcome: &Outcome,
    bug: Option<SeededBug>,
    memory: Option<u64>,
    arguments: &Arguments,
) -> io::Result<()> {
    writeln!(out, "{}: {}", outcome.scenario, scenario.about)?;
    writeln!(
        out,
        "  {} on MQTT {}: {} unique states of {} generated, longest path {}",
        scenario.profile.name, scenario.version, outcome.unique_states, outcome.generated_states, outcome.depth,
    )?;
    let memory = memory.map(|kibibytes| format!(", peak memory {} MiB", kibibytes / 1024)).unwrap_or_default();
    let (seconds, speed) = (outcome.elapsed.as_secs_f64(), outcome.states_per_second());
    writeln!(out, "  {seconds:.2} s, {speed:.0} states/s{memory}")?;
    if !outcome.is_complete && outcome.findings.iter().all(|finding| finding.verdict != Verdict::Fails) {
        let search = arguments.search();
        writeln!(
            out,
            "  UNFINISHED: the search ends after {} states or {} s, and this world has more; nothing is proved",
            search.states,
            search.time.as_secs()
        )?;
    }
    for finding in &outcome.findings {
        print_finding(out, finding)?;
        if let Some(path) = &finding.counterexample {
            print_path(out, scenario, path, arguments)?;
        }
        let is_witnessed = finding.expected == Expected::Sometimes && finding.verdict == Verdict::Holds;
        if arguments.verbose
            && is_witnessed
            && let Some(path) = shortest_path(scenario, bug, finding.property, arguments.search())
        {
            print_path(out, scenario, &path, arguments)?;
        }
    }
    writeln!(out)
}

fn print_finding(out: &mut dyn Write, finding: &Finding) -> io::Result<()> {
    let word = match (finding.expected, finding.verdict) {
        (Expected::Always, Verdict::Holds) => "always",
        (Expected::Sometimes, Verdict::Holds) => "sometimes",
        (Expected::Always, Verdict::Fails) => "VIOLATED",
        (Expected::Sometimes, Verdict::Fails) => "NEVER",
        (_, Verdict::Open) => "open",
    };
    writeln!(out, "  {word:<9} {}", finding.property)
}

fn print_path(out: &mut dyn Write, scenario: &Scenario, path: &ShownPath, arguments: &Arguments) -> io::Result<()> {
    for line in &path.steps {
        writeln!(out, "      {line}")?;
    }
    // The steps are counted in the very same world: without its bug, or on another scale, they lead elsewhere.
    let bug = arguments.bug.as_ref().map(|bug| format!(" --bug {bug}")).unwrap_or_default();
    let deep = if arguments.deep { " --deep" } else { "" };
    writeln!(out, "      look around: mqttspec explore {}{deep}{bug}, then #/steps/{}", scenario.name, path.address)
}

/// The most memory that this process has held since it was last forgotten, in KiB, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Lets the peak start again, where the system can.
fn forget_peak_memory() {
    // Where it cannot, the peak is that of all scenarios so far: too high, never too low.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
