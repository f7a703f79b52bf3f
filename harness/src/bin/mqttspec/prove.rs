//! `mqttspec prove`: shows that no server which does what it may fails a case; with `--faults`, that others do.

use crate::matrix;
use crate::output::{complain, print_and_end};
use crate::sources::{Sources, Told};
use clap::Args;
use harness::exit_code;
use harness::prove::{Bounds, prove};
use harness::report::{Detail, Proofs, proofs};
use harness::run::{Conditions, Interrupt, KnownFailing};
use std::num::NonZeroUsize;
use std::time::Instant;

/// Arguments of `mqttspec prove`.
#[derive(Debug, Args)]
#[command(after_help = "\
Every choice that the model leaves to a server is followed, with the player that decides about real brokers. A case that some
permitted server fails is refuted, and the exchange that shows it is printed. One that is too large is unproved, with the
reason.

Examples:
  mqttspec prove                                     every case under every profile that comes with mqttspec
  mqttspec prove --run 'standard/publish/**'         a part of the cases
  mqttspec prove --cases my-case.yaml --verbose      a case of your own, with the number of states
  mqttspec prove --faults                            every case under every fault: which fault fails which case
  mqttspec prove --faults --fault puback-twice -v    who notices one fault, and who does not
  mqttspec prove --faults --json                     the whole matrix, for programs

With --faults the exit code is 0 if every fault fails a case, and every case fails under a fault that breaks a statement
which it cites; else 1.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    sources: Sources,
    /// How many variants are proved side by side [default: one for each processor]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// How often a variant may be played before it is given up as unproved
    #[arg(long, value_name = "N", default_value_t = Bounds::default().runs)]
    runs: usize,
    /// Show that the cases can fail instead: play every case under every fault
    #[arg(long, conflicts_with = "runs")]
    faults: bool,
    /// Only this fault (repeatable), see `mqttspec faults`
    #[arg(long, value_name = "NAME", requires = "faults")]
    fault: Vec<String>,
    /// The whole matrix of faults and cases as JSON
    #[arg(long, requires = "faults")]
    json: bool,
    /// A line for each variant
    #[arg(short, long)]
    verbose: bool,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    match prove_all(arguments) {
        Ok(code) => code,
        Err(Told) => exit_code::USAGE,
    }
}

fn prove_all(arguments: &Arguments) -> Result<u8, Told> {
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
    if arguments.faults {
        let (json, verbose) = (arguments.json, arguments.verbose);
        return matrix::play(&matrix::Request { plans: &plans, faults: &arguments.fault, jobs, json, verbose });
    }
    let interrupt = match Interrupt::on_signals() {
        Ok(interrupt) => interrupt,
        Err(error) => {
            complain(&format_args!("cannot watch for signals: {error}"));
            return Ok(exit_code::NO_JUDGEMENT);
        }
    };
    let conditions = Conditions::default();
    let bounds = Bounds { runs: arguments.runs };
    let start = Instant::now();
    let mut all = Proofs::default();
    prove(&plans, &conditions, bounds, jobs, &interrupt, &mut |proved| all.proofs.push(proved));
    all.elapsed = start.elapsed();
    all.sort(plans.iter().flat_map(|plan| &plan.variants).map(|planned| planned.variant.name.as_str()));
    let [_, _, refuted] = all.counts();
    let code = match refuted {
        _ if interrupt.is_raised() => {
            complain(&"the proofs were interrupted");
            exit_code::NO_JUDGEMENT
        }
        0 => exit_code::AS_EXPECTED,
        _ => exit_code::NOT_AS_EXPECTED,
    };
    let detail = if arguments.verbose { Detail::Verbose } else { Detail::Quiet };
    Ok(print_and_end(code, |out| proofs(&all, detail, out)))
}
