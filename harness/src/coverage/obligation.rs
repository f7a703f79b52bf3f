//! What there is to cover.

use super::unshown::reason;
use model::packet::ProtocolVersion;
use model::profile::{Profile, Rows};
use model::statement::{Statement, catalogue};
use std::fmt;
use std::sync::Arc;

/// Where a statement stands. Newest first, the platform last, as in reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Document {
    /// A version of the standard, with what it numbers itself: 3.1 only what differs from 3.1.1.
    Standard(std::cmp::Reverse<ProtocolVersion>),
    /// A part of the platform's fact sheet.
    Platform(Rows),
}

/// The side that is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SideUnderTest {
    /// A server.
    Server,
    /// A client.
    Client,
}

/// A statement as it binds one side, where a breach can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Obligation {
    /// Where it stands.
    pub document: Document,
    /// Who is bound.
    pub side: SideUnderTest,
    /// The statement.
    pub statement: &'static Statement,
}

/// A row that no case can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excused {
    /// The part of the fact sheet.
    pub document: Document,
    /// The row.
    pub statement: &'static Statement,
    /// Why.
    pub reason: &'static str,
}

/// All obligations that these profiles bring, in the order of reports: of each version that one of them speaks, and of the
/// rows that one of them is held to and that a case can show.
#[must_use]
pub fn obligations(profiles: &[Arc<Profile>]) -> Vec<Obligation> {
    let mut all = Vec::new();
    for version in ProtocolVersion::ALL.into_iter().rev() {
        if !profiles.iter().any(|profile| profile.versions.contains(&version)) {
            continue;
        }
        for side in [SideUnderTest::Server, SideUnderTest::Client] {
            let document = Document::Standard(std::cmp::Reverse(version));
            let observable = catalogue().of_version(version).filter(|statement| side.shows(statement));
            all.extend(observable.map(|statement| Obligation { document, side, statement }));
        }
    }
    let shown = rows(profiles).filter(|(_, statement)| reason(statement.id.as_str()).is_none());
    all.extend(shown.map(|(document, statement)| Obligation { document, side: SideUnderTest::Server, statement }));
    all
}

/// The rows that one of these profiles is held to and that no case can show, in the order of reports.
#[must_use]
pub fn excused(profiles: &[Arc<Profile>]) -> Vec<Excused> {
    let with_reason = |(document, statement): (Document, &'static Statement)| {
        reason(statement.id.as_str()).map(|reason| Excused { document, statement, reason })
    };
    rows(profiles).filter_map(with_reason).collect()
}

/// The rows that one of these profiles is held to.
fn rows(profiles: &[Arc<Profile>]) -> impl Iterator<Item = (Document, &'static Statement)> {
    let is_held = |row: &str| {
        let holds = |profile: &Arc<Profile>| profile.versions.iter().any(|version| profile.is_held_to(row, *version));
        profiles.iter().any(holds)
    };
    [Rows::Seed, Rows::Newer, Rows::Open].into_iter().flat_map(move |part| {
        let of_part = catalogue().of_platform().filter(move |statement| part.include(statement.id.as_str()));
        let held = of_part.filter(move |statement| is_held(statement.id.as_str()));
        held.map(move |statement| (Document::Platform(part), statement))
    })
}

impl SideUnderTest {
    /// Whether a breach of the statement can be seen at this side.
    fn shows(self, statement: &Statement) -> bool {
        statement.observable.is_some_and(|observable| match self {
            SideUnderTest::Server => observable.includes_server(),
            SideUnderTest::Client => observable.includes_client(),
        })
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Document::Standard(std::cmp::Reverse(version)) => f.pad(version.number()),
            Document::Platform(rows) => f.pad(&format!("platform-{}", rows.name())),
        }
    }
}

impl fmt::Display for SideUnderTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            SideUnderTest::Server => "server",
            SideUnderTest::Client => "client",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(name: &str, wanted: impl Fn(&Obligation) -> bool) -> usize {
        let profile = Arc::new(Profile::builtin(name).unwrap().clone());
        obligations(&[profile]).iter().filter(|obligation| wanted(obligation)).count()
    }

    #[test]
    fn the_standard_has_its_numbers() {
        let of = |version, side| {
            let document = Document::Standard(std::cmp::Reverse(version));
            count("standard", |obligation| (obligation.document, obligation.side) == (document, side))
        };
        let at = |side| [ProtocolVersion::V5_0, ProtocolVersion::V3_1_1, ProtocolVersion::V3_1].map(|v| of(v, side));
        assert_eq!(at(SideUnderTest::Server), [200, 100, 16]);
        assert_eq!(at(SideUnderTest::Client), [126, 65, 10]);
    }

    #[test]
    fn rows_are_of_those_who_are_held_to_them() {
        let of_rows = |name, rows| count(name, |obligation| obligation.document == Document::Platform(rows));
        assert_eq!(of_rows("standard", Rows::Seed), 0);
        assert_eq!(of_rows("platform", Rows::Newer), 0);
        assert!(of_rows("platform", Rows::Seed) > 50 && of_rows("platform-2026", Rows::Newer) > 10);
        // The console, not the wire, tells how many topic classes there are.
        assert_eq!(count("platform", |obligation| obligation.statement.id.as_str() == "P-TOP-15"), 0);
        let profile = Arc::new(Profile::builtin("platform").unwrap().clone());
        assert!(excused(&[profile]).iter().any(|excused| excused.statement.id.as_str() == "P-TOP-15"));
    }
}
