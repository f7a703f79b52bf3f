//! Text files that a person names: read up to a bound, whatever they claim to be.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Reads a text of at most `largest` bytes.
///
/// # Errors
/// When the file cannot be read, is no UTF-8, or is larger: what a file says of its size is not true of devices and pipes.
pub fn read(path: &Path, largest: u64) -> io::Result<String> {
    let mut text = String::new();
    let length = File::open(path)?.take(largest + 1).read_to_string(&mut text)?;
    if length as u64 > largest {
        let message = format!("it has more than {largest} bytes: is it the right file?");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(text)
}
