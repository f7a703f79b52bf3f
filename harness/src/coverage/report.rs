//! The ledger as people and programs get to see it.

use super::ledger::{Count, Entry, Exercised, Ledger};
use super::obligation::{Excused, Obligation};
use serde::Serialize;
use std::io::{self, Write};

/// Grows when a program that reads reports has to change.
const FORMAT: u32 = 1;

/// Prints the counts, and what is missing with its reason.
///
/// # Errors
/// When nobody reads (a broken pipe) or the disk is full.
pub fn table(ledger: &Ledger, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{:<22} {:>11} {:>7} {:>10} {:>8}", "", "obligations", "cited", "exercised", "guarded")?;
    let counts = ledger.counts();
    for ((document, side), count) in &counts {
        let guarded = if ledger.knows_guards { count.guarded.to_string() } else { "-".to_owned() };
        let Count { obligations, cited, exercised, .. } = count;
        let name = format!("{document} {side}");
        writeln!(out, "{name:<22} {obligations:>11} {cited:>7} {exercised:>10} {guarded:>8}")?;
    }
    for ((document, side), count) in &counts {
        if count.cited + count.exercised == 0 {
            writeln!(out, "\n{document} {side}: nothing covers any of the {}", count.obligations)?;
            continue;
        }
        for lack in Lack::ALL {
            let lacks = |entry: &&Entry| {
                (entry.obligation.document, entry.obligation.side) == (*document, *side)
                    && Lack::of(entry, ledger.knows_guards) == Some(lack)
            };
            let entries: Vec<&Entry> = ledger.entries.iter().filter(lacks).collect();
            if !entries.is_empty() {
                writeln!(out, "\n{document} {side}, {}: {}", lack.words(), entries.len())?;
            }
            for Entry { obligation: Obligation { statement, .. }, .. } in entries {
                writeln!(out, "  {} ({}): {}", statement.id, statement.level, statement.gist)?;
            }
        }
        let excused: Vec<&Excused> = ledger.excused.iter().filter(|excused| excused.document == *document).collect();
        if !excused.is_empty() {
            writeln!(out, "\n{document} {side}, not to be shown by a case, and why: {}", excused.len())?;
        }
        for Excused { statement, reason, .. } in excused {
            writeln!(out, "  {} ({}): {reason}", statement.id, statement.level)?;
        }
    }
    Ok(())
}

/// What an obligation lacks first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lack {
    Everything,
    Citation,
    Exercise,
    Guard,
}

impl Lack {
    const ALL: [Lack; 4] = [Lack::Everything, Lack::Citation, Lack::Exercise, Lack::Guard];

    fn of(entry: &Entry, knows_guards: bool) -> Option<Lack> {
        match (entry.is_cited(), &entry.exercised) {
            (false, None) => Some(Lack::Everything),
            (false, Some(_)) => Some(Lack::Citation),
            (true, None) => Some(Lack::Exercise),
            (true, Some(_)) => (knows_guards && !entry.is_guarded()).then_some(Lack::Guard),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Lack::Everything => "neither cited nor exercised",
            Lack::Citation => "exercised by the judge alone, cited by no case",
            Lack::Exercise => "cited, but no case that cites it passed",
            Lack::Guard => "cited and exercised, but not guarded",
        }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    format: u32,
    counts: Vec<Counted>,
    statements: Vec<Covered<'a>>,
    /// Rows of the platform that no case can show.
    excused: Vec<WithReason<'a>>,
}

#[derive(Serialize)]
struct Counted {
    of: String,
    side: String,
    obligations: usize,
    cited: usize,
    exercised: usize,
    guarded: Option<usize>,
}

#[derive(Serialize)]
struct WithReason<'a> {
    of: String,
    statement: &'a str,
    level: String,
    reason: &'a str,
}

#[derive(Serialize)]
struct Covered<'a> {
    of: String,
    side: String,
    statement: &'a str,
    level: String,
    gist: &'a str,
    cited_by: Vec<&'a str>,
    exercised_by_cases: Vec<&'a str>,
    exercised_by_judge_in: Option<&'a str>,
    guarded_by: Option<Vec<&'a str>>,
}

/// The ledger as JSON.
///
/// # Errors
/// Never in practice: everything in it is text and numbers.
pub fn json(ledger: &Ledger) -> serde_json::Result<Vec<u8>> {
    let counts = ledger.counts().into_iter().map(|((document, side), count)| Counted {
        of: document.to_string(),
        side: side.to_string(),
        obligations: count.obligations,
        cited: count.cited,
        exercised: count.exercised,
        guarded: ledger.knows_guards.then_some(count.guarded),
    });
    let report = Report {
        format: FORMAT,
        counts: counts.collect(),
        statements: ledger.entries.iter().map(|entry| covered(entry, ledger.knows_guards)).collect(),
        excused: ledger.excused.iter().map(with_reason).collect(),
    };
    let mut bytes = serde_json::to_vec_pretty(&report)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn with_reason(Excused { document, statement, reason }: &Excused) -> WithReason<'_> {
    WithReason {
        of: document.to_string(),
        statement: statement.id.as_str(),
        level: statement.level.to_string(),
        reason,
    }
}

fn covered(entry: &Entry, knows_guards: bool) -> Covered<'_> {
    let Obligation { document, side, statement } = entry.obligation;
    let (cases, variant) = match &entry.exercised {
        Some(Exercised::ByCases(cases)) => (cases.iter().map(String::as_str).collect(), None),
        Some(Exercised::ByJudge(variant)) => (Vec::new(), Some(variant.as_str())),
        None => (Vec::new(), None),
    };
    Covered {
        of: document.to_string(),
        side: side.to_string(),
        statement: statement.id.as_str(),
        level: statement.level.to_string(),
        gist: &statement.gist,
        cited_by: entry.cited_by.iter().map(String::as_str).collect(),
        exercised_by_cases: cases,
        exercised_by_judge_in: variant,
        guarded_by: knows_guards.then(|| entry.guarded_by.iter().copied().collect()),
    }
}
