//! The catalogue of statements: every numbered requirement of MQTT 5.0 and 3.1.1, what 3.1 has of its own, and the rows
//! of the platform's fact sheet.
//!
//! The tables are the `.tsv` files in `spec/`. For 3.1 they list only what differs from 3.1.1 (`V31-1` and so on): where
//! a statement of 3.1.1 holds for 3.1 too, its 3.1.1 id stands for it. So [`Catalogue::find`] accepts for 3.1 its own ids
//! and those of 3.1.1.
//!
//! ```
//! use model::packet::ProtocolVersion;
//! use model::statement::{Level, catalogue};
//!
//! let statement = catalogue().find(ProtocolVersion::V5_0, "MQTT-3.3.1-2").expect("5.0 has it");
//! assert_eq!(statement.level, Level::Must);
//! assert!(catalogue().find(ProtocolVersion::V5_0, "V31-1").is_none());
//! ```

use crate::packet::ProtocolVersion;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

const V3_1: &str = include_str!("../spec/mqtt-3.1.tsv");
const V3_1_1: &str = include_str!("../spec/mqtt-3.1.1.tsv");
const V5_0: &str = include_str!("../spec/mqtt-5.0.tsv");
const PLATFORM: &str = include_str!("../spec/platform.tsv");

/// The ids under which 3.1.1 and 5.0 say the same in other words: what one demands here, the other demands here too.
const REWORDED: [&str; 17] = [
    "MQTT-3.1.0-2",
    "MQTT-3.1.2-3",
    "MQTT-3.1.2-10",
    "MQTT-3.1.3-1",
    "MQTT-3.1.3-2",
    "MQTT-3.1.3-3",
    "MQTT-3.1.3-4",
    "MQTT-3.1.3-5",
    "MQTT-3.2.0-1",
    "MQTT-3.3.1-4",
    "MQTT-3.9.3-2",
    "MQTT-3.10.3-1",
    "MQTT-3.10.3-2",
    "MQTT-3.10.4-2",
    "MQTT-3.10.4-3",
    "MQTT-4.7.3-1",
    "MQTT-4.7.3-3",
];

/// The id of a statement: `MQTT-3.3.1-2`, `V31-3`, `P-QOS-2`, `N-ACK-1`, `D-1` or `X-11`.
///
/// Ids order as a reader expects: by document, section and number, so `MQTT-3.1.2-3` stands before `MQTT-3.1.2-10`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StatementId(String);

impl StatementId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Text and numbers in turn: the key that ids order by.
    fn key(&self) -> Vec<(&str, u32)> {
        let mut parts = Vec::new();
        let mut rest = self.0.as_str();
        while !rest.is_empty() {
            let digits_at = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
            let (text, tail) = rest.split_at(digits_at);
            let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
            let (digits, tail) = tail.split_at(end);
            // A number that is too large for a section number sorts last; no such id is in the catalogue.
            parts.push((text, if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u32::MAX) }));
            rest = tail;
        }
        parts
    }
}

impl Ord for StatementId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // The text decides between keys that are equal but not the same (one with a leading zero).
        self.key().cmp(&other.key()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for StatementId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for StatementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for StatementId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let area = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let parts: Vec<&str> = text.split('-').collect();
        let shaped = match parts.as_slice() {
            ["MQTT", section, last] => section.split('.').all(number) && number(last),
            ["V31" | "D" | "X", last] => number(last),
            ["P" | "N", theme, last] => area(theme) && number(last),
            _ => false,
        };
        if shaped {
            Ok(StatementId(text.to_owned()))
        } else {
            Err(format!("`{text}` is no statement id: write one like MQTT-3.3.1-2, V31-3, P-QOS-2 or X-11"))
        }
    }
}

/// How strongly a statement binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// MUST, with or without a MAY beside it.
    Must,
    /// MUST NOT and nothing else.
    MustNot,
    /// SHOULD.
    Should,
    /// MAY.
    May,
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "must" => Ok(Level::Must),
            "must-not" => Ok(Level::MustNot),
            "should" => Ok(Level::Should),
            "may" => Ok(Level::May),
            _ => Err(format!("unknown level `{text}`")),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Level::Must => "MUST",
            Level::MustNot => "MUST NOT",
            Level::Should => "SHOULD",
            Level::May => "MAY",
        })
    }
}

/// Whom a statement obliges, or where a breach can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The Server.
    Server,
    /// The Client.
    Client,
    /// Both.
    Both,
}

impl Side {
    /// Whether the Server is meant, alone or with the Client.
    #[must_use]
    pub fn includes_server(self) -> bool {
        matches!(self, Side::Server | Side::Both)
    }

    /// Whether the Client is meant, alone or with the Server.
    #[must_use]
    pub fn includes_client(self) -> bool {
        matches!(self, Side::Client | Side::Both)
    }

    fn parse(text: &str) -> Result<Option<Side>, String> {
        match text {
            "server" => Ok(Some(Side::Server)),
            "client" => Ok(Some(Side::Client)),
            "both" => Ok(Some(Side::Both)),
            "no" => Ok(None),
            _ => Err(format!("unknown side `{text}`")),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Side::Server => "server",
            Side::Client => "client",
            Side::Both => "both",
        })
    }
}

/// How well a row of the platform's fact sheet is supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// The document that the project was made from.
    Seed,
    /// The vendor's documentation.
    Official,
    /// Follows from other rows or from the standard.
    Inferred,
    /// The source code of a vendor's client.
    Sdk,
    /// A published log of a live session, or a field report.
    Trace,
    /// Nothing public: any admissible behaviour is right.
    Silent,
}

impl Confidence {
    fn parse(text: &str) -> Result<Confidence, String> {
        // "silent (5.0)" is silent where it matters: the rest of the row is covered by another one.
        match text.split(' ').next().unwrap_or(text) {
            "seed" => Ok(Confidence::Seed),
            "official" => Ok(Confidence::Official),
            "inferred" => Ok(Confidence::Inferred),
            "sdk" => Ok(Confidence::Sdk),
            "trace" => Ok(Confidence::Trace),
            "silent" => Ok(Confidence::Silent),
            _ => Err(format!("unknown confidence `{text}`")),
        }
    }

    /// What a case may demand on such support.
    fn level(self) -> Level {
        match self {
            Confidence::Seed | Confidence::Official | Confidence::Inferred => Level::Must,
            Confidence::Sdk | Confidence::Trace => Level::Should,
            Confidence::Silent => Level::May,
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Confidence::Seed => "seed",
            Confidence::Official => "official",
            Confidence::Inferred => "inferred",
            Confidence::Sdk => "sdk",
            Confidence::Trace => "trace",
            Confidence::Silent => "silent",
        })
    }
}

/// A numbered requirement, or a row of the platform's fact sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its id.
    pub id: StatementId,
    /// How strongly it binds.
    pub level: Level,
    /// Whom it obliges.
    pub role: Side,
    /// The side under test at which a breach can be seen from outside, if at any.
    pub observable: Option<Side>,
    /// What it says, in our words.
    pub gist: String,
    /// How it can be tested, or why it cannot; for an open point of the platform, the reference decision.
    pub how: String,
    /// For rows of the platform: how well they are supported.
    pub confidence: Option<Confidence>,
}

/// All statements.
#[derive(Debug)]
pub struct Catalogue {
    standards: BTreeMap<ProtocolVersion, BTreeMap<StatementId, Statement>>,
    platform: BTreeMap<StatementId, Statement>,
}

/// The catalogue, parsed once.
#[must_use]
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
        // The tables are part of the crate, and a test reads them.
        Catalogue::parse().expect("the tables in spec/ are well formed")
    });
    &CATALOGUE
}

impl Catalogue {
    /// The statement that `id` is in `version`. Rows of the platform belong to the versions that they are about; for 3.1
    /// an id of 3.1.1 will do, see the [module](self).
    #[must_use]
    pub fn find(&self, version: ProtocolVersion, id: &str) -> Option<&Statement> {
        let id = StatementId(id.to_owned());
        let inherited = match version {
            ProtocolVersion::V3_1 => self.standards[&ProtocolVersion::V3_1_1].get(&id),
            ProtocolVersion::V3_1_1 | ProtocolVersion::V5_0 => None,
        };
        let own = self.standards[&version].get(&id).or(inherited);
        own.or_else(|| self.platform.get(&id).filter(|row| speaks_of(row.id.as_str(), version)))
    }

    /// The versions that have a statement of this id, oldest first.
    #[must_use]
    pub fn versions_of(&self, id: &str) -> Vec<ProtocolVersion> {
        ProtocolVersion::ALL.into_iter().filter(|version| self.find(*version, id).is_some()).collect()
    }

    /// Whether 3.1.1 and 5.0 demand the same under this id. They number alike, but mostly not the same things.
    #[must_use]
    pub fn is_alike(&self, id: &str) -> bool {
        let gist = |version| self.find(version, id).map(|statement| &statement.gist);
        let old = gist(ProtocolVersion::V3_1_1);
        REWORDED.contains(&id) || old.is_some() && old == gist(ProtocolVersion::V5_0)
    }

    /// The statements that a version numbers itself, in order: for 3.1 what differs from 3.1.1.
    pub fn of_version(&self, version: ProtocolVersion) -> impl Iterator<Item = &Statement> {
        self.standards[&version].values()
    }

    /// The rows of the platform's fact sheet, in order.
    pub fn of_platform(&self) -> impl Iterator<Item = &Statement> {
        self.platform.values()
    }

    fn parse() -> Result<Catalogue, String> {
        let mut standards = BTreeMap::new();
        for (version, table) in
            [(ProtocolVersion::V3_1, V3_1), (ProtocolVersion::V3_1_1, V3_1_1), (ProtocolVersion::V5_0, V5_0)]
        {
            standards.insert(version, read(table, ["id", "level", "role", "gist", "observable", "how"], numbered)?);
        }
        let platform = read(PLATFORM, ["id", "fact", "value", "source", "confidence"], platform_row)?;
        Ok(Catalogue { standards, platform })
    }
}

/// The platform's rows on 5.0 features say nothing about 3.x.
fn speaks_of(id: &str, version: ProtocolVersion) -> bool {
    let five_only = id.starts_with("P-V5-") || (id.starts_with("N-") && !id.starts_with("N-VER-"));
    !five_only || version == ProtocolVersion::V5_0
}

fn numbered(columns: [&str; 6]) -> Result<Statement, String> {
    let [id, level, role, gist, observable, how] = columns;
    Ok(Statement {
        id: id.parse()?,
        level: level.parse()?,
        role: Side::parse(role)?.ok_or_else(|| "a statement obliges somebody".to_owned())?,
        observable: Side::parse(observable)?,
        gist: gist.to_owned(),
        how: how.to_owned(),
        confidence: None,
    })
}

fn platform_row(columns: [&str; 5]) -> Result<Statement, String> {
    let [id, fact, value, source, confidence] = columns;
    let confidence = Confidence::parse(confidence)?;
    // D- rows tell what vendor clients do.
    let role = if id.starts_with("D-") { Side::Client } else { Side::Server };
    Ok(Statement {
        id: id.parse()?,
        level: confidence.level(),
        role,
        observable: Some(role),
        gist: format!("{fact}: {value}"),
        how: source.to_owned(),
        confidence: Some(confidence),
    })
}

fn read<const N: usize>(
    table: &str,
    header: [&str; N],
    statement: fn([&str; N]) -> Result<Statement, String>,
) -> Result<BTreeMap<StatementId, Statement>, String> {
    let mut rows = BTreeMap::new();
    for (index, line) in table.lines().enumerate() {
        let columns: Vec<&str> = line.split('\t').collect();
        let columns: [&str; N] = columns.try_into().map_err(|_| format!("line {}: expected {N} columns", index + 1))?;
        if index == 0 {
            if columns != header {
                return Err(format!("line 1: expected the columns {}", header.join(", ")));
            }
            continue;
        }
        let row = statement(columns).map_err(|why| format!("line {}: {why}", index + 1))?;
        if let Some(twin) = rows.insert(row.id.clone(), row) {
            return Err(format!("line {}: {} stands twice", index + 1, twin.id));
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ProtocolVersion::{V3_1, V3_1_1, V5_0};

    fn observable_at_server(version: ProtocolVersion) -> usize {
        catalogue().of_version(version).filter(|s| s.observable.is_some_and(Side::includes_server)).count()
    }

    fn observable_at_client(version: ProtocolVersion) -> usize {
        catalogue().of_version(version).filter(|s| s.observable.is_some_and(Side::includes_client)).count()
    }

    #[test]
    fn every_statement_is_there() {
        let count = |version| catalogue().of_version(version).count();
        assert_eq!([count(V5_0), count(V3_1_1), count(V3_1)], [251, 141, 25]);
        assert_eq!([V5_0, V3_1_1, V3_1].map(observable_at_server), [200, 100, 16]);
        assert_eq!([V5_0, V3_1_1, V3_1].map(observable_at_client), [126, 65, 10]);
    }

    #[test]
    fn every_row_of_the_platform_is_there() {
        let count = |prefix| catalogue().of_platform().filter(|s| s.id.as_str().starts_with(prefix)).count();
        assert_eq!(["P-", "N-", "D-", "X-"].map(count), [190, 21, 10, 57]);
        let row = catalogue().find(V3_1_1, "X-11").unwrap();
        assert_eq!(row.gist, "PUBLISH QoS 2: close; ignore; 5.0: 9B");
        assert_eq!((row.level, row.confidence), (Level::May, Some(Confidence::Silent)));
        assert_eq!(catalogue().find(V5_0, "D-1").unwrap().role, Side::Client);
    }

    #[test]
    fn an_id_is_looked_up_in_its_version() {
        let find = |version, id| catalogue().find(version, id).is_some();
        assert!(find(V5_0, "MQTT-3.3.4-9") && !find(V3_1_1, "MQTT-3.3.4-9"));
        assert!(find(V3_1, "V31-3") && !find(V3_1_1, "V31-3"));
        assert!(find(V5_0, "P-V5-1") && !find(V3_1_1, "P-V5-1"));
        assert!(!find(V5_0, "MQTT-9.9.9-9") && !find(V5_0, "") && !find(V5_0, "mqtt-3.3.1-2"));
    }

    #[test]
    fn an_id_of_3_1_1_stands_for_what_3_1_says_alike() {
        assert_eq!(catalogue().versions_of("MQTT-1.5.3-2"), [V3_1, V3_1_1]);
        assert_eq!(catalogue().versions_of("V31-1"), [V3_1]);
        assert_eq!(catalogue().versions_of("P-QOS-2"), ProtocolVersion::ALL);
        assert_eq!(catalogue().versions_of("N-SHR-1"), [V5_0]);
    }

    #[test]
    fn what_is_reworded_is_in_both_versions_in_different_words() {
        for id in REWORDED {
            let [old, new] = [V3_1_1, V5_0].map(|version| catalogue().find(version, id).expect(id));
            assert!(old.gist != new.gist && old.role == new.role, "{id}");
        }
    }

    #[test]
    fn ids_are_alike_if_they_demand_the_same() {
        let is_alike = |id| catalogue().is_alike(id);
        assert!(is_alike("MQTT-3.3.1-2") && is_alike("MQTT-3.1.0-2"));
        // Another statement, one more duty, a duty that became optional, an id of one version and one of none.
        for id in ["MQTT-3.1.2-5", "MQTT-4.4.0-1", "MQTT-3.1.2-2", "MQTT-3.3.4-9", "MQTT-1.5.3-2", "V31-1", ""] {
            assert!(!is_alike(id), "{id}");
        }
    }

    #[test]
    fn ids_order_by_number() {
        let mut ids: Vec<StatementId> =
            ["X-11", "MQTT-3.1.2-10", "X-2", "MQTT-3.1.2-9", "MQTT-3.10.1-1"].map(|id| id.parse().unwrap()).into();
        ids.sort();
        let text: Vec<&str> = ids.iter().map(StatementId::as_str).collect();
        assert_eq!(text, ["MQTT-3.1.2-9", "MQTT-3.1.2-10", "MQTT-3.10.1-1", "X-2", "X-11"]);
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for wrong in
            ["", "MQTT", "MQTT-3.1", "MQTT--1", "MQTT-3..1-1", "V31", "V31-", "X-1a", "P-1", "Q-1", "mqtt-1.2-3"]
        {
            assert!(wrong.parse::<StatementId>().is_err(), "{wrong}");
        }
        assert_eq!(
            "3.3.1-2".parse::<StatementId>().unwrap_err(),
            "`3.3.1-2` is no statement id: write one like MQTT-3.3.1-2, V31-3, P-QOS-2 or X-11"
        );
    }
}
