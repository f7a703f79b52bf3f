//! The ledger: every obligation, and what covers it.

use super::evidence::Evidence;
use super::guards::Guards;
use super::obligation::{Document, Excused, Obligation, SideUnderTest, excused, obligations};
use model::packet::ProtocolVersion;
use model::profile::Profile;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// All obligations with what covers them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// In the order of documents, sides and ids.
    pub entries: Vec<Entry>,
    /// The rows of the platform that no case can show.
    pub excused: Vec<Excused>,
    /// Whether faults were planted: without them nobody knows what is guarded.
    pub knows_guards: bool,
}

/// An obligation with what covers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The obligation.
    pub obligation: Obligation,
    /// The cases that cite it.
    pub cited_by: BTreeSet<String>,
    /// What put it to the test, if something did.
    pub exercised: Option<Exercised>,
    /// The faults that break it and are caught by a case that cites it.
    pub guarded_by: BTreeSet<&'static str>,
}

/// What put an obligation to the test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exercised {
    /// The expectations of these cases, which cite it.
    ByCases(BTreeSet<String>),
    /// The judge, on the trace of this variant, which does not cite it.
    ByJudge(String),
}

/// How many of the obligations of a document and side are covered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// All of them.
    pub obligations: usize,
    /// Those that are cited.
    pub cited: usize,
    /// Those that are exercised.
    pub exercised: usize,
    /// Those that are guarded.
    pub guarded: usize,
}

impl Ledger {
    /// The ledger of these profiles: what the evidence shows, and what the faults prove, if they were planted.
    #[must_use]
    pub fn new(profiles: &[Arc<Profile>], evidence: &Evidence, guards: Option<&Guards>) -> Ledger {
        let entry = |obligation| entry(obligation, evidence, guards);
        Ledger {
            entries: obligations(profiles).into_iter().map(entry).collect(),
            excused: excused(profiles),
            knows_guards: guards.is_some(),
        }
    }

    /// The counts of each document and side, in order.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<(Document, SideUnderTest), Count> {
        let mut counts: BTreeMap<_, Count> = BTreeMap::new();
        for entry in &self.entries {
            let count = counts.entry((entry.obligation.document, entry.obligation.side)).or_default();
            count.obligations += 1;
            count.cited += usize::from(entry.is_cited());
            count.exercised += usize::from(entry.exercised.is_some());
            count.guarded += usize::from(entry.is_guarded());
        }
        counts
    }
}

impl Ledger {
    /// A line for each obligation that is cited: the faults that guard it.
    #[must_use]
    pub fn guards(&self) -> String {
        let cited = self.entries.iter().filter(|entry| entry.is_cited());
        let line = |entry: &Entry| {
            let Obligation { document, side, statement } = entry.obligation;
            let faults: Vec<&str> = entry.guarded_by.iter().copied().collect();
            let faults = if faults.is_empty() { "-".to_owned() } else { faults.join(", ") };
            format!("{document} {side} {}: {faults}\n", statement.id)
        };
        cited.map(line).collect()
    }
}

impl Entry {
    /// Whether a case cites it.
    #[must_use]
    pub fn is_cited(&self) -> bool {
        !self.cited_by.is_empty()
    }

    /// Whether a fault shows that it is watched.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        !self.guarded_by.is_empty()
    }
}

fn entry(obligation: Obligation, evidence: &Evidence, guards: Option<&Guards>) -> Entry {
    let mut entry = Entry { obligation, cited_by: BTreeSet::new(), exercised: None, guarded_by: BTreeSet::new() };
    // Cases are about servers, as long as there are none for clients.
    if obligation.side == SideUnderTest::Client {
        return entry;
    }
    let id = &obligation.statement.id;
    // A row is one obligation, whatever the version in which it is looked at.
    let versions = match obligation.document {
        Document::Standard(Reverse(version)) => vec![version],
        Document::Platform(_) => ProtocolVersion::ALL.to_vec(),
    };
    let mut passed = BTreeSet::new();
    let mut occasion = None;
    for version in versions {
        let key = (version, id.clone());
        entry.cited_by.extend(evidence.cited.get(&key).into_iter().flatten().cloned());
        passed.extend(evidence.passed.get(&key).into_iter().flatten().cloned());
        occasion = occasion.or_else(|| evidence.occasions.get(&key).cloned());
        entry.guarded_by.extend(guards.into_iter().flat_map(|guards| guards.of(version, id)));
    }
    entry.exercised = match passed.is_empty() {
        false => Some(Exercised::ByCases(passed)),
        true => occasion.map(Exercised::ByJudge),
    };
    entry
}

/// As it stands in the repository: the counts, and a line for each obligation, then for each row with a reason. Of a side that
/// nothing covers only the counts.
impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts();
        for ((document, side), Count { obligations, cited, exercised, guarded }) in &counts {
            write!(f, "# {document} {side}: {obligations} obligations, {cited} cited, {exercised} exercised")?;
            match self.knows_guards {
                true => writeln!(f, ", {guarded} guarded")?,
                false => writeln!(f)?,
            }
        }
        for entry in &self.entries {
            let Obligation { document, side, statement } = entry.obligation;
            let is_covered = counts.get(&(document, side)).is_some_and(|count| count.cited + count.exercised > 0);
            if !is_covered {
                continue;
            }
            let word = |holds, word| if holds { word } else { "-" };
            write!(f, "{document} {side} {}: {}", statement.id, word(entry.is_cited(), "cited"))?;
            write!(f, " {}", word(entry.exercised.is_some(), "exercised"))?;
            match self.knows_guards {
                true => writeln!(f, " {}", word(entry.is_guarded(), "guarded"))?,
                false => writeln!(f)?,
            }
        }
        for Excused { document, statement, reason } in &self.excused {
            writeln!(f, "{document} server {}: not to be shown: {reason}", statement.id)?;
        }
        Ok(())
    }
}
