//! `mqttspec lint`: checks case files without playing them.

use crate::output::{complain, print_and_end};
use crate::sources::load;
use clap::Args;
use harness::case::lint;
use harness::exit_code;
use std::path::PathBuf;

/// Arguments of `mqttspec lint`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Files and folders; without one, the cases that come with mqttspec
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let Ok(library) = load(&arguments.paths) else {
        return exit_code::USAGE;
    };
    let remarks = lint(&library);
    if !remarks.is_empty() {
        remarks.iter().for_each(|remark| complain(remark));
        return exit_code::USAGE;
    }
    let suites = library.suites.len();
    let cases: usize = library.suites.iter().map(|suite| suite.cases.len()).sum();
    print_and_end(exit_code::AS_EXPECTED, |out| {
        writeln!(out, "{} in {}: nothing to mend", count(cases, "case"), count(suites, "suite"))
    })
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
