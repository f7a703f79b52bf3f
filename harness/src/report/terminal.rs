//! The report on the terminal: success is quiet, each failure a whole bug report.

use super::exchange::{exchange, hex};
use super::run::Run;
use crate::case::Variant;
use crate::concealing::ConcealedTrace;
use crate::run::{Finding, Outcome, Verdict, VerdictKind};
use model::packet::ProtocolVersion;
use model::statement::catalogue;
use std::collections::BTreeSet;
use std::io::{self, Write};

/// How many lines of an exchange are shown before and behind a gap.
const EXCHANGE_HEAD: usize = 20;
const EXCHANGE_TAIL: usize = 60;

/// How many offending bytes are shown.
const BYTES: usize = 64;

/// How much is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Failures and counts.
    Quiet,
    /// A line for each variant too, if it was asked for; what does not apply is counted by reason.
    Verbose,
}

/// Prints a run.
///
/// # Errors
/// When nobody reads (a broken pipe) or the disk is full.
pub fn terminal(run: &Run, detail: Detail, out: &mut dyn Write) -> io::Result<()> {
    for outcome in &run.outcomes {
        let kind = outcome.verdict.kind();
        match kind {
            VerdictKind::Fail | VerdictKind::UnexpectedPass | VerdictKind::Inconclusive | VerdictKind::Error => {
                block(run, outcome, out)?;
            }
            // Those that nobody asked for would bury those that somebody did; a run in trouble shows all.
            VerdictKind::NotRun if run.trouble.is_none() => {}
            // Told by reason: there are hundreds.
            VerdictKind::NotApplicable => {}
            _ if detail == Detail::Verbose => {
                let idle = match (&run.between, outcome.interfered) {
                    (Some(between), Some(false)) => Some(format!("{between} did not act")),
                    _ => None,
                };
                let reason = outcome.verdict.reason().or(idle);
                let reason = reason.map(|reason| format!("  # {reason}")).unwrap_or_default();
                writeln!(out, "{kind} {}{reason}", outcome.variant.name)?;
            }
            _ => {}
        }
    }
    if detail == Detail::Verbose {
        not_applicable(run, out)?;
    }
    if let Some(log) = &run.log {
        writeln!(out, "the output of the started command is in {log}\n")?;
    }
    if let (Some(between), (acted, watched @ 1..)) = (&run.between, run.interfered()) {
        writeln!(out, "{between} acted in {acted} of {watched} variants")?;
    }
    if let Some(warning) = &run.header.warning {
        writeln!(out, "WARNING {warning}")?;
    }
    let summary = run.summary();
    if !summary.details().is_empty() {
        writeln!(out, "{}", summary.details())?;
    }
    writeln!(out, "{summary}")
}

/// What does not apply: how much for which reason.
fn not_applicable(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let mut reasons: Vec<(&str, Vec<&Variant>)> = Vec::new();
    for outcome in &run.outcomes {
        let Verdict::NotApplicable(why) = &outcome.verdict else { continue };
        match reasons.iter_mut().find(|(known, _)| known == why) {
            Some((_, variants)) => variants.push(&outcome.variant),
            None => reasons.push((why, vec![&outcome.variant])),
        }
    }
    for (why, variants) in reasons {
        let case = |variant: &Variant| format!("{}/{}/{}", variant.profile, variant.suite, variant.case);
        let cases: BTreeSet<String> = variants.iter().map(|variant| case(variant)).collect();
        let what = match (&variants[..], cases.first()) {
            ([only], _) => only.name.clone(),
            (several, Some(case)) if cases.len() == 1 => format!("{case}/** ({} variants)", several.len()),
            (several, _) => format!("{} variants of {} cases", several.len(), cases.len()),
        };
        writeln!(out, "{} {what}  # {why}", VerdictKind::NotApplicable)?;
    }
    Ok(())
}

fn block(run: &Run, outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} {}", outcome.verdict.kind().name().to_uppercase(), outcome.variant.name)?;
    details(outcome, out)?;
    writeln!(out, "  rerun     {}\n", run.rerun(outcome))
}

/// What the case is about, what was found, and what led to it.
pub(super) fn details(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let variant = &outcome.variant;
    writeln!(out, "  about     {}", variant.about)?;
    match &outcome.verdict {
        Verdict::Fail(findings) => {
            for found in findings {
                finding(outcome, found, out)?;
            }
        }
        verdict => {
            statements(outcome, &outcome.statements(), out)?;
            writeln!(out, "  case      {}", variant.location)?;
            writeln!(out, "  problem   {}", verdict.reason().unwrap_or_default())?;
        }
    }
    if let Some(trace) = &outcome.trace {
        chart(trace, variant.version, out)?;
    }
    Ok(())
}

/// Prints a trace as a sequence chart.
///
/// # Errors
/// When nobody reads (a broken pipe) or the disk is full.
pub fn chart(trace: &ConcealedTrace, version: ProtocolVersion, out: &mut dyn Write) -> io::Result<()> {
    chart_without(EXCHANGE_HEAD, EXCHANGE_TAIL, trace, version, out)
}

/// Prints all of a trace as a sequence chart, however long it is.
///
/// # Errors
/// When the disk is full.
pub fn whole_chart(trace: &ConcealedTrace, version: ProtocolVersion, out: &mut dyn Write) -> io::Result<()> {
    chart_without(usize::MAX, 0, trace, version, out)
}

/// A sequence chart of which the lines between head and tail are hidden.
fn chart_without(
    head: usize,
    tail: usize,
    trace: &ConcealedTrace,
    version: ProtocolVersion,
    out: &mut dyn Write,
) -> io::Result<()> {
    let lines = exchange(trace, version);
    let width = lines.iter().map(|line| line.actor.chars().count()).max().unwrap_or_default();
    writeln!(out, "  exchange")?;
    for (index, line) in lines.iter().enumerate() {
        let hidden = lines.len().saturating_sub(head.saturating_add(tail));
        if hidden > 0 && index == head {
            writeln!(out, "    ... {hidden} more ...")?;
        }
        if index < head || index >= head.saturating_add(hidden) {
            let seconds = line.at.as_secs_f64();
            writeln!(out, "    {seconds:>8.3} s  {:width$} {} {}", line.actor, line.arrow, line.text)?;
        }
    }
    Ok(())
}

fn finding(outcome: &Outcome, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    statements(outcome, &finding.statements, out)?;
    if let Some(step) = &finding.step {
        writeln!(out, "  step      {}: {}", step.location, step.text)?;
    }
    writeln!(out, "  problem   {} (after {:.3} s)", finding.what, finding.at.as_secs_f64())?;
    writeln!(out, "  expected  {}", finding.expected)?;
    writeln!(out, "  seen      {}", finding.seen)?;
    if !finding.bytes.is_empty() {
        writeln!(out, "  bytes     {}", hex(&finding.bytes, BYTES))?;
    }
    Ok(())
}

fn statements(outcome: &Outcome, ids: &[String], out: &mut dyn Write) -> io::Result<()> {
    for id in ids {
        match catalogue().find(outcome.variant.version, id) {
            Some(statement) => writeln!(out, "  statement {id} ({}): {}", statement.level, statement.gist)?,
            None => writeln!(out, "  statement {id}")?,
        }
    }
    Ok(())
}
