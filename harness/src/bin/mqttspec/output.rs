//! Results on stdout, all else on stderr; nobody listening is no reason to panic.

use harness::exit_code;
use std::fmt::Display;
use std::io::{self, BufWriter, Write};

/// Prints results. A reader that went away (`| head`) has seen enough.
pub(crate) fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), io::Error> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Prints the results of a verb that is done then.
pub(crate) fn print_and_end(code: u8, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> u8 {
    match print(write) {
        Ok(()) => code,
        Err(error) => {
            complain(&format_args!("cannot write to stdout: {error}"));
            exit_code::NO_JUDGEMENT
        }
    }
}

/// Says on stderr what is wrong.
pub(crate) fn complain(what: &dyn Display) {
    remark(&format_args!("error: {what}"));
}

/// Says something on stderr.
pub(crate) fn remark(what: &dyn Display) {
    // Without a stderr there is nobody to tell.
    let _ = writeln!(io::stderr(), "{what}");
}
