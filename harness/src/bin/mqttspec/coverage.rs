//! `mqttspec coverage`: which statements of the standard the cases cover.

use crate::output::{complain, print_and_end, remark};
use crate::sources::Sources;
use clap::Args;
use harness::coverage::{Guards, Ledger, gather, json, table};
use harness::exit_code;
use harness::fault::{Fault, Matrix};
use harness::report::ReportFile;
use harness::run::{Conditions, KnownFailing};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const HELP: &str = "\
The unit is a statement at the side under test at which a breach can be seen. Three words are never mixed:
  cited      a case that was played names it
  exercised  it was put to the test: by the expectations of a case that cites it and passed, or by the judge,
             on a trace that gave the server an occasion to break it
  guarded    a fault that breaks it fails a case that cites it; told with --faults alone, which plays every case
             under every fault

Examples:
  mqttspec coverage                             all cases, on the embedded reference broker
  mqttspec coverage --profile standard          without the rows of the platform
  mqttspec coverage --run '**/qos1/**'          what a part of the cases covers
  mqttspec coverage --faults                    also what is guarded
  mqttspec coverage --json coverage.json        for each statement who cites and exercises it

Exit codes: 0 told; 2 wrong command line, case or profile; 3 it cannot be told; 4 nothing was selected";

/// How long the reference broker may take, in virtual time.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Arguments of `mqttspec coverage`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    sources: Sources,
    /// Play the cases under every fault too, and tell what is guarded
    #[arg(long)]
    faults: bool,
    /// Write a report for programs
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let sources = &arguments.sources;
    let loaded = sources.library().and_then(|library| Ok((library, sources.profiles(None)?)));
    let Ok((library, profiles)) = loaded else {
        return exit_code::USAGE;
    };
    let report = match arguments.json.as_deref().map(ReportFile::at).transpose() {
        Ok(report) => report,
        Err(error) => {
            complain(&format_args!("--json: {error}"));
            return exit_code::USAGE;
        }
    };
    let plans = sources.plans(&library, &profiles, &KnownFailing::default());
    if plans.iter().all(|plan| plan.played().next().is_none()) {
        sources.complain_of_nothing(&plans);
        return exit_code::NOTHING_SELECTED;
    }
    sources.remark_idle_globs(&plans);
    let conditions = Conditions { timeout: TIMEOUT, ..Conditions::default() };
    let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let evidence = gather(&plans, &conditions, processors);
    for variant in &evidence.failed {
        remark(&format_args!("{variant} does not pass, so it exercises nothing: see `mqttspec run --run '{variant}'`"));
    }
    let guards = arguments.faults.then(|| {
        let faults: Vec<_> = Fault::all().collect();
        let matrix = Matrix::play(&plans, &faults, &conditions, processors, &mut |_| {});
        Guards::in_matrix(&matrix)
    });
    let ledger = Ledger::new(&profiles, &evidence, guards.as_ref());
    if let Some(report) = report {
        let written = json(&ledger).map_err(|error| error.to_string());
        let written = written.and_then(|bytes| report.write(&bytes).map_err(|error| error.to_string()));
        if let Err(error) = written {
            complain(&format_args!("cannot write the report of --json: {error}"));
            return exit_code::NO_JUDGEMENT;
        }
    }
    print_and_end(exit_code::AS_EXPECTED, |out| table(&ledger, out))
}
