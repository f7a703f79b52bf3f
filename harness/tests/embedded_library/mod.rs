//! The cases that come with the harness, for test programs that make trials of them.

use harness::case::Library;
use std::process::ExitCode;

/// The library. Where it is not in order, what is wrong is told, and the program is to end.
pub(crate) fn load() -> Result<Library, ExitCode> {
    Library::embedded().map_err(|errors| {
        errors.iter().for_each(|error| eprintln!("error: {error}"));
        ExitCode::FAILURE
    })
}
