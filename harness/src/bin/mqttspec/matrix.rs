//! `mqttspec matrix`: plays every case under every fault, to show that the cases can fail.

use crate::output::{complain, print_and_end};
use crate::sources::{Sources, Told};
use clap::Args;
use harness::case::Credentials;
use harness::exit_code;
use harness::fault::{Fault, Interference, Matrix};
use harness::report::{MatrixDetail, matrix, matrix_json};
use harness::run::{Conditions, KnownFailing};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

/// Arguments of `mqttspec matrix`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mqttspec matrix                                    every case under every fault
  mqttspec matrix --fault puback-twice --verbose     the variants that one fault fails, and those that do not notice it
  mqttspec matrix --run 'standard/publish/**'        a part of the cases
  mqttspec matrix --json                             everything, for programs

Exit codes: 0 every fault is caught and every case can fail; 1 not so; 2 wrong command line, case or profile; 4 nothing selected")]
pub(crate) struct Arguments {
    #[command(flatten)]
    sources: Sources,
    /// Only this fault (repeatable)
    #[arg(long, value_name = "NAME")]
    fault: Vec<String>,
    /// How many variants are played side by side [default: one for each processor]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// The whole matrix as JSON
    #[arg(long)]
    json: bool,
    /// A line for each variant that a fault touches
    #[arg(short, long)]
    verbose: bool,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    play(arguments).unwrap_or(exit_code::USAGE)
}

fn play(arguments: &Arguments) -> Result<u8, Told> {
    let faults = faults(&arguments.fault)?;
    let sources = &arguments.sources;
    let library = sources.library()?;
    let profiles = sources.profiles(None)?;
    let plans = sources.plans(&library, &profiles, &KnownFailing::default());
    if plans.iter().all(|plan| plan.played().next().is_none()) {
        sources.complain_of_nothing(&plans);
        return Ok(exit_code::NOTHING_SELECTED);
    }
    sources.remark_idle_globs(&plans);
    let jobs = arguments.jobs.or(std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let conditions = Conditions {
        credentials: Credentials::default(),
        timeout: Duration::from_secs(5),
        interference: Interference::None,
    };
    let start = Instant::now();
    let played = Matrix::play(&plans, &faults, &conditions, jobs, &mut |_| {});
    let elapsed = start.elapsed();
    let is_whole = played.uncaught().next().is_none() && played.cases().values().all(|guards| !guards.own.is_empty());
    let code = if is_whole { exit_code::AS_EXPECTED } else { exit_code::NOT_AS_EXPECTED };
    let detail = if arguments.verbose { MatrixDetail::Variants } else { MatrixDetail::Cases };
    Ok(print_and_end(code, |out| {
        if arguments.json { matrix_json(&played, out) } else { matrix(&played, detail, elapsed, out) }
    }))
}

fn faults(names: &[String]) -> Result<Vec<(&'static str, Fault)>, Told> {
    for name in names {
        if let Err(error) = Fault::named(name) {
            complain(&error);
            return Err(Told);
        }
    }
    let is_wanted = |fault: &Fault| names.is_empty() || names.iter().any(|name| name == fault.name());
    Ok(Fault::all().filter(|(_, fault)| is_wanted(fault)).collect())
}
