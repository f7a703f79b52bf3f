//! Which rule stands for which statement: the form of a citation, and all of them together.
//!
//! A citation is a row of one of three tables, and nothing else counts:
//! - [`server::rule`](crate::server::rule): what a server is held to;
//! - [`server::at_stake`](crate::server::at_stake): what a server answers for when a client has offended;
//! - `wire/rules.rs`: what bytes can show by themselves.
//!
//! Each row has a column for 3.1, for 3.1.1 and for 5.0, because the versions number alike but not the same things.
//! What no model of the bytes can see stands in [`server::exempt`](crate::server::exempt), with the reason. A test reads
//! the tables and the comments beside them (`tests/citations`), and keeps the list of what nobody cites.

use crate::packet::ProtocolVersion;
use crate::profile::Offence;
use crate::server::at_stake::at_stake;
use crate::server::rule::Rule;
use crate::wire;

/// The ids of statements, by version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statements {
    v3_1: &'static [&'static str],
    v3_1_1: &'static [&'static str],
    v5_0: &'static [&'static str],
}

impl Statements {
    pub(crate) const fn new(
        v3_1: &'static [&'static str],
        v3_1_1: &'static [&'static str],
        v5_0: &'static [&'static str],
    ) -> Statements {
        Statements { v3_1, v3_1_1, v5_0 }
    }

    /// The ids in `version`. 3.1 has numbers only where it differs from 3.1.1: where none is given for it, those of 3.1.1
    /// say what is meant.
    #[must_use]
    pub const fn of(self, version: ProtocolVersion) -> &'static [&'static str] {
        match version {
            ProtocolVersion::V3_1 if self.v3_1.is_empty() => self.v3_1_1,
            ProtocolVersion::V3_1 => self.v3_1,
            ProtocolVersion::V3_1_1 => self.v3_1_1,
            ProtocolVersion::V5_0 => self.v5_0,
        }
    }
}

/// Who cites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Citing {
    /// A rule that the server is held to.
    Rule(Rule),
    /// What follows when a client does this.
    Offence(Offence),
    /// A rule of the format, by its name in `wire`.
    Format(&'static str),
}

impl std::fmt::Display for Citing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Citing::Rule(rule) => write!(f, "rule {rule}"),
            Citing::Offence(offence) => write!(f, "offence {offence}"),
            Citing::Format(name) => write!(f, "format {name}"),
        }
    }
}

/// A statement that is cited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Citation {
    /// In which version.
    pub version: ProtocolVersion,
    /// The id of the statement.
    pub statement: &'static str,
    /// By whom.
    pub citing: Citing,
}

/// All citations of a version, in the order of the tables.
#[must_use]
pub fn citations(version: ProtocolVersion) -> Vec<Citation> {
    let rules = Rule::ALL
        .iter()
        .flat_map(|rule| [rule.statements(version), rule.particular(version)].map(|ids| (Citing::Rule(*rule), ids)));
    let offences = Offence::ALL.iter().map(|offence| (Citing::Offence(*offence), at_stake(*offence).of(version)));
    let format = wire::statements_of_format(version).into_iter().map(|(name, ids)| (Citing::Format(name), ids));
    rules
        .chain(offences)
        .chain(format)
        .flat_map(|(citing, ids)| ids.iter().map(move |statement| Citation { version, statement, citing }))
        .collect()
}
