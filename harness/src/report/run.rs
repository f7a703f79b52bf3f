//! All that was decided in a run.

use crate::run::{Listener, Outcome, Summary};
use std::collections::BTreeMap;

/// What a run was about.
#[derive(Debug, Clone, Default)]
pub struct Header {
    /// What was tested, as a person names it: an address, a command line, `embedded`.
    pub target: String,
    /// The names of the profiles.
    pub profiles: Vec<String>,
    /// What makes the results worth less than they look, if anything does.
    pub warning: Option<String>,
    /// The command that runs the same again, up to profile and selection.
    pub rerun: String,
    /// The profile as it was named, if it was, quoted for a shell; a file has a name of its own inside.
    pub profile_file: Option<String>,
}

/// A run with all that was decided.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// What it was about.
    pub header: Header,
    /// What came of each variant, in the order of the plan.
    pub outcomes: Vec<Outcome>,
    /// Why not everything could be judged, if so; further lines are details.
    pub trouble: Option<String>,
    /// Where the output of the started command is, if it is worth a look.
    pub log: Option<String>,
    /// What stood between harness and target, if anything did: `fault puback-twice`.
    pub between: Option<String>,
}

impl Run {
    /// Puts the outcomes into the order of `names`; what is decided side by side ends in any order.
    pub fn sort<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        let order: BTreeMap<&str, usize> = names.enumerate().map(|(index, name)| (name, index)).collect();
        self.outcomes.sort_by_key(|outcome| order.get(outcome.variant.name.as_str()).copied());
    }

    /// The counts.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        self.outcomes.iter().for_each(|outcome| summary.count(outcome.verdict.kind()));
        summary
    }

    /// In how many variants what stood between harness and target did something, and in how many it could.
    #[must_use]
    pub fn interfered(&self) -> (usize, usize) {
        let watched: Vec<bool> = self.outcomes.iter().filter_map(|outcome| outcome.interfered).collect();
        (watched.iter().filter(|acted| **acted).count(), watched.len())
    }

    /// The command that runs this variant again.
    #[must_use]
    pub fn rerun(&self, outcome: &Outcome) -> String {
        let name = &outcome.variant.name;
        let profile = self.header.profile_file.as_deref().unwrap_or(&outcome.variant.profile);
        // Names are words, slashes, dots and colons: quotes only keep shells from surprises.
        format!("{} --profile {profile} --run '{name}'", self.header.rerun)
    }
}

impl Listener for Run {
    fn decided(&mut self, outcome: Outcome) {
        self.outcomes.push(outcome);
    }
}
