//! Where things stand in a file, and what is wrong there.

use std::fmt;
use std::sync::Arc;

/// A place in a case file. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The file as it was named: a path, or the path inside `cases/` of an embedded one.
    pub file: Arc<str>,
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why a case file cannot be used. It prints as `file:line:column: message`, or `file: message`
/// where no place is to blame.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{file}{}: {message}", place(*line, *column))]
pub struct LoadError {
    /// The file as it was named.
    pub file: String,
    /// Line, from 1; 0 if no place is to blame.
    pub line: usize,
    /// Column, from 1; 0 if no place is to blame.
    pub column: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

fn place(line: usize, column: usize) -> String {
    if line == 0 { String::new() } else { format!(":{line}:{column}") }
}

impl LoadError {
    /// An error at a place.
    pub(super) fn at(location: &Location, message: impl Into<String>) -> LoadError {
        LoadError {
            file: location.file.to_string(),
            line: location.line,
            column: location.column,
            message: message.into(),
        }
    }

    /// An error about a file as a whole.
    pub(super) fn file(file: &str, message: impl Into<String>) -> LoadError {
        LoadError { file: file.to_owned(), line: 0, column: 0, message: message.into() }
    }
}
