//! `mqttspec schema`: the JSON Schema of case files, for editors.

use crate::output::print_and_end;
use harness::exit_code;

/// Runs the verb.
pub(crate) fn run() -> u8 {
    let schema = harness::case::schema();
    print_and_end(exit_code::AS_EXPECTED, |out| writeln!(out, "{schema:#}"))
}
