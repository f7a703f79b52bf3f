//! The report for programs.

use super::exchange::{exchange, hex};
use super::run::Run;
use crate::run::{Class, Finding, Outcome};
use serde::Serialize;

/// Grows when a program that reads reports has to change.
const FORMAT: u32 = 1;

/// How many lines of an exchange and bytes of a packet a report holds.
const MOST_LINES: usize = 200;
const MOST_BYTES: usize = 1024;

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    tool: Tool,
    target: &'a str,
    profile: String,
    counts: Counts,
    /// What makes the results worth less than they look.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<&'a str>,
    /// The fault or transform under which it was played.
    #[serde(skip_serializing_if = "Option::is_none")]
    between: Option<&'a str>,
    variants: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    about: &'a str,
    profile: &'a str,
    suite: &'a str,
    case: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<&'a str>,
    mqtt: &'static str,
    cites: Vec<String>,
    verdict: &'static str,
    reason: Option<String>,
    statements: Vec<String>,
    step: Option<Step<'a>>,
    duration_ms: u64,
    silence: Vec<&'static str>,
    /// Whether the fault or transform did something in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    acted: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Found<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exchange: Vec<Line>,
    rerun: String,
}

#[derive(Serialize)]
struct Step<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    text: &'a str,
}

#[derive(Serialize)]
struct Found<'a> {
    statements: &'a [String],
    step: Option<Step<'a>>,
    at_ms: u64,
    what: &'a str,
    expected: &'a str,
    seen: &'a str,
    bytes: String,
}

#[derive(Serialize)]
struct Line {
    at_ms: u64,
    actor: String,
    arrow: &'static str,
    text: String,
}

/// A run as JSON.
///
/// # Errors
/// Never in practice: everything in it is text and numbers.
pub fn json(run: &Run) -> serde_json::Result<Vec<u8>> {
    let summary = run.summary();
    let document = Document {
        format: FORMAT,
        tool: Tool { name: "mqttspec", version: env!("CARGO_PKG_VERSION") },
        target: &run.header.target,
        profile: run.header.profiles.join(", "),
        counts: Counts {
            passed: summary.of_class(Class::Passed),
            failed: summary.of_class(Class::Failed),
            skipped: summary.of_class(Class::Skipped),
        },
        warning: run.header.warning.as_deref(),
        trouble: run.trouble.as_deref(),
        log: run.log.as_deref(),
        between: run.between.as_deref(),
        variants: run.outcomes.iter().map(|outcome| entry(run, outcome)).collect(),
    };
    let mut bytes = serde_json::to_vec_pretty(&document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn entry<'a>(run: &'a Run, outcome: &'a Outcome) -> Entry<'a> {
    let variant = &outcome.variant;
    let lines = outcome.trace.as_ref().map(|trace| exchange(trace, variant.version)).unwrap_or_default();
    let line = |line: super::exchange::Line| Line {
        at_ms: milliseconds(line.at),
        actor: line.actor,
        arrow: line.arrow,
        text: line.text,
    };
    Entry {
        name: &variant.name,
        about: &variant.about,
        profile: &variant.profile,
        suite: &variant.suite,
        case: &variant.case,
        row: variant.row.as_deref(),
        mqtt: variant.version.number(),
        cites: crate::run::cited(&variant.cites),
        verdict: outcome.verdict.kind().name(),
        reason: outcome.verdict.reason(),
        statements: outcome.statements(),
        step: outcome.step().map(step),
        duration_ms: milliseconds(outcome.duration),
        silence: outcome.silence.iter().map(|means| means.name()).collect(),
        acted: outcome.interfered,
        findings: outcome.verdict.findings().iter().map(found).collect(),
        exchange: lines.into_iter().take(MOST_LINES).map(line).collect(),
        rerun: run.rerun(outcome),
    }
}

fn step(step: &crate::run::StepReference) -> Step<'_> {
    Step { file: &step.location.file, line: step.location.line, column: step.location.column, text: &step.text }
}

fn found(finding: &Finding) -> Found<'_> {
    Found {
        statements: &finding.statements,
        step: finding.step.as_ref().map(step),
        at_ms: milliseconds(finding.at),
        what: &finding.what,
        expected: &finding.expected,
        seen: &finding.seen,
        bytes: hex(&finding.bytes, MOST_BYTES),
    }
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
