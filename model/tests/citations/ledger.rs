//! Which obligations of a server are cited, exempt, or neither.

use model::citation::citations;
use model::packet::ProtocolVersion;
use model::server::exempt::EXEMPT;
use model::statement::{Side, Statement, catalogue};
use std::collections::BTreeSet;
use std::fmt;

/// The three versions, oldest last, with their counts and what is missing.
pub(crate) struct Ledger(Vec<Page>);

struct Page {
    version: ProtocolVersion,
    cited: usize,
    exempt: usize,
    uncited: Vec<&'static Statement>,
}

impl Ledger {
    /// What a tester can see a server break.
    pub(crate) fn obligations(version: ProtocolVersion) -> impl Iterator<Item = &'static Statement> {
        catalogue().of_version(version).filter(|s| s.observable.is_some_and(Side::includes_server))
    }

    pub(crate) fn now() -> Ledger {
        let page = |version| {
            let cited: BTreeSet<&str> = citations(version).into_iter().map(|citation| citation.statement).collect();
            let exempt: BTreeSet<&str> = EXEMPT
                .iter()
                .flat_map(|exemption| exemption.statements)
                .filter(|(of, _)| *of == version)
                .flat_map(|(_, ids)| ids.iter().copied())
                .collect();
            let is_in = |ids: &BTreeSet<&str>, statement: &Statement| ids.contains(statement.id.as_str());
            Page {
                version,
                cited: Ledger::obligations(version).filter(|s| is_in(&cited, s)).count(),
                exempt: Ledger::obligations(version).filter(|s| is_in(&exempt, s)).count(),
                uncited: Ledger::obligations(version).filter(|s| !is_in(&cited, s) && !is_in(&exempt, s)).collect(),
            }
        };
        Ledger(ProtocolVersion::ALL.into_iter().rev().map(page).collect())
    }

    /// The counts, a line for each version.
    pub(crate) fn summary(&self) -> String {
        let line = |page: &Page| {
            let Page { version, cited, exempt, uncited } = page;
            let all = Ledger::obligations(*version).count();
            format!("# {version}: {cited} cited, {exempt} exempt, {} uncited, of {all}", uncited.len())
        };
        self.0.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// The guide with its table of counts made anew.
    pub(crate) fn counted_in(&self, guide: &str) -> String {
        let begin = guide.find("<!-- counts").and_then(|at| Some(at + guide[at..].find('\n')? + 1));
        let (Some(begin), Some(end)) = (begin, guide.find("<!-- end of counts")) else { return guide.to_owned() };
        let row = |page: &Page| {
            let Page { version, cited, exempt, uncited } = page;
            let all = Ledger::obligations(*version).count();
            format!("| {version} | {all} | {cited} | {exempt} | {} |\n", uncited.len())
        };
        let rows: String = self.0.iter().map(row).collect();
        let head = "| | obligations of a server | cited | exempt | uncited |\n|---|---|---|---|---|\n";
        format!("{}{head}{rows}{}", &guide[..begin], &guide[end..])
    }

    /// Compares with the list in the repository: every line that came or went.
    pub(crate) fn agrees_with(&self, listed: &str) -> Result<(), String> {
        let now = self.to_string();
        let [now_lines, listed_lines] = [&now, listed].map(|text| text.lines().collect::<BTreeSet<_>>());
        let gone = listed_lines.difference(&now_lines).map(|line| format!("- {line}"));
        let new = now_lines.difference(&listed_lines).map(|line| format!("+ {line}"));
        let changes: Vec<String> = gone.chain(new).collect();
        match now == listed {
            true => Ok(()),
            false => Err(format!("the list of uncited statements differs:\n{}", changes.join("\n"))),
        }
    }
}

/// The list as it stands in the repository.
impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# Obligations that can be seen at a server and that no rule cites. See main.rs beside this file."
        )?;
        writeln!(f, "{}", self.summary())?;
        for page in &self.0 {
            for statement in &page.uncited {
                writeln!(f, "{} {}: {}", page.version, statement.id, statement.gist)?;
            }
        }
        Ok(())
    }
}

#[test]
fn a_list_that_differs_is_refused() {
    let ledger = Ledger::now();
    let text = ledger.to_string();
    assert_eq!(ledger.agrees_with(&text), Ok(()));
    let longer = format!("{text}5.0 MQTT-3.12.4-1: PINGREQ is answered by PINGRESP\n");
    let difference = ledger.agrees_with(&longer).expect_err("PINGREQ is cited");
    assert!(difference.ends_with("\n- 5.0 MQTT-3.12.4-1: PINGREQ is answered by PINGRESP"), "{difference}");
    let shorter = text.replacen("5.0: ", "5.0: 1", 1);
    assert!(ledger.agrees_with(&shorter).is_err());
}

#[test]
fn old_counts_in_the_guide_are_seen() {
    let ledger = Ledger::now();
    let guide = |counts| format!("before\n<!-- counts: x -->\n{counts}<!-- end of counts -->\nafter\n");
    let current = ledger.counted_in(&guide("| 5.0 | 1 | 1 | 0 | 0 |\n"));
    assert_eq!(ledger.counted_in(&current), current);
    assert!(
        current.starts_with("before\n<!-- counts: x -->\n| |")
            && current.ends_with("|\n<!-- end of counts -->\nafter\n")
    );
    assert!(current.contains("\n| 5.0 | 200 | "), "{current}");
}
