//! The exit codes of `mqttspec`: an interface that scripts may rely on.

/// Everything was as expected.
pub const AS_EXPECTED: u8 = 0;
/// A non-conformance was found, or a known failure passed.
pub const NOT_AS_EXPECTED: u8 = 1;
/// The command line, a case, a profile or a list of known failures is wrong; nothing was run.
pub const USAGE: u8 = 2;
/// The target could not be reached or stopped answering, the run was interrupted, or the harness itself failed: there is
/// no judgement, or none about everything.
pub const NO_JUDGEMENT: u8 = 3;
/// Nothing was selected.
pub const NOTHING_SELECTED: u8 = 4;
