//! `mqttspec prove --faults`: plays every case under every fault, to show that the cases can fail.

use crate::output::{complain, print_and_end};
use crate::sources::Told;
use harness::exit_code;
use harness::fault::{Fault, Matrix};
use harness::report::{MatrixDetail, matrix, matrix_json};
use harness::run::{Conditions, Plan};
use indicatif::{ProgressBar, ProgressDrawTarget};
use std::io::IsTerminal as _;
use std::num::NonZeroUsize;
use std::time::Instant;

/// What is played, and how it is told.
pub(crate) struct Request<'a> {
    pub(crate) plans: &'a [Plan],
    /// The names of the faults; all if there are none.
    pub(crate) faults: &'a [String],
    pub(crate) jobs: NonZeroUsize,
    pub(crate) json: bool,
    pub(crate) verbose: bool,
}

/// Plays and prints.
pub(crate) fn play(request: &Request<'_>) -> Result<u8, Told> {
    let faults = faults(request.faults)?;
    let conditions = Conditions::default();
    let start = Instant::now();
    let is_seen = std::io::stderr().is_terminal();
    let target = if is_seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(faults.len() as u64), target);
    let played = Matrix::play(request.plans, &faults, &conditions, request.jobs, &mut |_| bar.inc(1));
    bar.finish_and_clear();
    let elapsed = start.elapsed();
    let is_whole = played.uncaught().next().is_none() && played.cases().values().all(|guards| !guards.own.is_empty());
    let code = if is_whole { exit_code::AS_EXPECTED } else { exit_code::NOT_AS_EXPECTED };
    let detail = if request.verbose { MatrixDetail::Variants } else { MatrixDetail::Cases };
    Ok(print_and_end(code, |out| {
        if request.json { matrix_json(&played, out) } else { matrix(&played, detail, elapsed, out) }
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
