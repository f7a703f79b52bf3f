//! The matrix of faults and cases: a table for people, everything for programs.

use crate::fault::{Caught, Cell, Guards, Matrix, Row};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

/// How many names stand in a line at most.
const FIRST: usize = 3;

/// How much is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatrixDetail {
    /// A line a fault, a line a case.
    Cases,
    /// A line for each variant that a fault touches, too.
    Variants,
}

/// Prints a matrix.
///
/// # Errors
/// When nobody reads (a broken pipe) or the disk is full.
pub fn matrix(matrix: &Matrix, detail: MatrixDetail, elapsed: Duration, out: &mut dyn Write) -> io::Result<()> {
    let width = matrix.rows.iter().map(|row| row.fault.name().len()).max().unwrap_or_default();
    writeln!(out, "fault{:width$}  acts  script  judge  lenient  fails first", "", width = width.saturating_sub(5))?;
    let mut theme = "";
    for row in &matrix.rows {
        if theme != row.theme {
            theme = row.theme;
            writeln!(out, "{theme}")?;
        }
        fault(row, width, detail, out)?;
    }
    writeln!(out, "\ncase: faults that fail it, those of them that break what it cites, and the first of these")?;
    let cases = matrix.cases();
    for (case, guards) in &cases {
        writeln!(out, "  {case}: {}, {}{}", guards.all.len(), guards.own.len(), some(guards.own.iter().copied()))?;
    }
    let uncaught: Vec<&str> = matrix.uncaught().map(|row| row.fault.name()).collect();
    let unguarded = |guards: &Guards| guards.own.is_empty();
    let vacuous: Vec<&str> =
        cases.iter().filter(|(_, guards)| unguarded(guards)).map(|(case, _)| case.as_str()).collect();
    writeln!(out)?;
    for name in &uncaught {
        writeln!(out, "NOT CAUGHT {name}")?;
    }
    for name in &vacuous {
        writeln!(out, "NO FAULT OF ITS OWN FAILS {name}")?;
    }
    for variant in &matrix.unfit {
        writeln!(out, "left out, as it does not pass without a fault: {}", variant.name)?;
    }
    let idle = matrix.unguarded();
    if detail == MatrixDetail::Variants {
        for variant in &idle {
            writeln!(out, "no fault of its own fails {}", variant.name)?;
        }
    }
    writeln!(
        out,
        "faults: {}, not caught: {}; cases: {}, without a fault of their own: {}; variants: {}, without one: {}; {} plays in {:.1} s",
        matrix.rows.len(),
        uncaught.len(),
        cases.len(),
        vacuous.len(),
        matrix.variants.len(),
        idle.len(),
        matrix.plays,
        elapsed.as_secs_f64()
    )
}

fn fault(row: &Row, width: usize, detail: MatrixDetail, out: &mut dyn Write) -> io::Result<()> {
    let count = |caught: Caught| row.caught().filter(|(_, by)| *by == caught).count();
    writeln!(
        out,
        "  {:width$}{:>6}{:>8}{:>7}{:>9}{}",
        row.fault.name(),
        row.cells.len(),
        count(Caught::Script),
        count(Caught::Judge),
        count(Caught::Leniently),
        some(row.caught().map(|(name, _)| name)),
    )?;
    if detail == MatrixDetail::Variants {
        for (name, cell) in &row.cells {
            writeln!(out, "      {} {name}", word(cell))?;
        }
    }
    Ok(())
}

fn some<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let first: Vec<&str> = names.take(FIRST).collect();
    if first.is_empty() { String::new() } else { format!("  {}", first.join(", ")) }
}

fn word(cell: &Cell) -> String {
    match cell {
        Cell::Unnoticed => "unnoticed".to_owned(),
        Cell::Caught(caught) => caught.name().to_owned(),
        Cell::Undecided(why) => format!("undecided ({why})"),
    }
}

/// Writes a matrix for programs.
///
/// # Errors
/// When nobody reads (a broken pipe) or the disk is full.
pub fn matrix_json(matrix: &Matrix, out: &mut dyn Write) -> io::Result<()> {
    let faults: Vec<Value> = matrix.rows.iter().map(row_json).collect();
    let guards = |guards: Guards| json!({"faults": guards.all, "own": guards.own});
    let cases: Map<String, Value> = matrix.cases().into_iter().map(|(case, all)| (case, guards(all))).collect();
    let idle: BTreeSet<&str> = matrix.unguarded().iter().map(|variant| variant.name.as_str()).collect();
    let unfit: BTreeSet<&str> = matrix.unfit.iter().map(|variant| variant.name.as_str()).collect();
    let whole = json!({
        "faults": faults,
        "cases": cases,
        "variants": matrix.variants.len(),
        "variants-without-own-fault": idle,
        "left-out": unfit,
        "plays": matrix.plays,
    });
    serde_json::to_writer_pretty(&mut *out, &whole)?;
    writeln!(out)
}

fn row_json(row: &Row) -> Value {
    let variants: Map<String, Value> = row.cells.iter().map(|(name, cell)| (name.clone(), json!(word(cell)))).collect();
    json!({
        "name": row.fault.name(),
        "theme": row.theme,
        "about": row.fault.about(),
        "side": row.fault.side().name(),
        "breaks": row.fault.breaks(),
        "variants": variants,
    })
}
