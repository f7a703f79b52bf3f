//! `mqttspec prove`: shows that no server which does what it may fails a case.

use crate::output::{complain, print_and_end};
use crate::sources::{Sources, Told};
use clap::Args;
use harness::case::Credentials;
use harness::exit_code;
use harness::fault::Interference;
use harness::prove::{Bounds, prove};
use harness::report::{Detail, Proofs, proofs};
use harness::run::{Conditions, Interrupt, KnownFailing};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

/// Arguments of `mqttspec prove`.
#[derive(Debug, Args)]
#[command(after_help = "\
Every choice that the model leaves to a server is followed, with the player that decides about real brokers. A case that some
permitted server fails is refuted, and the exchange that shows it is printed. One that is too large is unproved, with the
reason.

Examples:
  mqttspec prove                                     every case under every profile that comes with mqttspec
  mqttspec prove --run 'standard/publish/**'         a part of the cases
  mqttspec prove --cases my-case.yaml --verbose      a case of your own, with the number of states")]
pub(crate) struct Arguments {
    #[command(flatten)]
    sources: Sources,
    /// How many variants are proved side by side [default: one for each processor]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// How often a variant may be played before it is given up as unproved
    #[arg(long, value_name = "N", default_value_t = Bounds::default().runs)]
    runs: usize,
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
    let interrupt = match Interrupt::on_signals() {
        Ok(interrupt) => interrupt,
        Err(error) => {
            complain(&format_args!("cannot watch for signals: {error}"));
            return Ok(exit_code::NO_JUDGEMENT);
        }
    };
    let jobs = arguments.jobs.or(std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let conditions = Conditions {
        credentials: Credentials::default(),
        timeout: Duration::from_secs(5),
        interference: Interference::None,
    };
    let bounds = Bounds { runs: arguments.runs };
    let start = Instant::now();
    let mut all = Proofs::default();
    for plan in &plans {
        prove(plan, &conditions, bounds, jobs, &interrupt, &mut |proved| all.proofs.push(proved));
    }
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
