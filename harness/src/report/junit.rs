//! The report for build servers: JUnit as Jenkins reads it.

use super::exchange::exchange;
use super::run::Run;
use crate::run::{Outcome, VerdictKind};
use quick_junit::{NonSuccessKind, Property, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A run as JUnit XML: a suite of the cases becomes a test suite, a variant a test case.
///
/// # Errors
/// When a text cannot be said in XML; characters that it forbids are dropped beforehand.
pub fn junit(run: &Run) -> Result<Vec<u8>, SerializeError> {
    let mut suites: BTreeMap<String, TestSuite> = BTreeMap::new();
    for outcome in &run.outcomes {
        let name = format!("{}/{}", outcome.variant.profile, outcome.variant.suite);
        let suite = suites.entry(name.clone()).or_insert_with(|| {
            let mut suite = TestSuite::new(name.clone());
            suite.properties.extend(run.header.warning.iter().map(|text| Property::new("warning", text.as_str())));
            suite
        });
        suite.add_test_case(test_case(run, outcome, &name));
    }
    let mut report = Report::new("mqttspec");
    report.add_test_suites(suites.into_values());
    let mut bytes = Vec::new();
    report.serialize(&mut bytes)?;
    Ok(bytes)
}

fn test_case(run: &Run, outcome: &Outcome, suite: &str) -> TestCase {
    let kind = outcome.verdict.kind();
    let mut status = match kind {
        VerdictKind::Pass | VerdictKind::Lenient | VerdictKind::ExpectedFail => TestCaseStatus::success(),
        VerdictKind::Fail | VerdictKind::UnexpectedPass => TestCaseStatus::non_success(NonSuccessKind::Failure),
        VerdictKind::Inconclusive | VerdictKind::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
        VerdictKind::NotApplicable | VerdictKind::NotRun => TestCaseStatus::skipped(),
    };
    let reason = outcome.verdict.reason();
    if !matches!(status, TestCaseStatus::Success { .. }) {
        status.set_type(kind.name());
        status.set_message(reason.clone().unwrap_or_default());
        if matches!(status, TestCaseStatus::NonSuccess { .. }) {
            status.set_description(description(run, outcome));
        }
    }
    let is_quiet_remark = matches!(status, TestCaseStatus::Success { .. });
    let mut case = TestCase::new(outcome.variant.name.as_str(), status);
    case.set_classname(suite);
    case.set_time(outcome.duration);
    if is_quiet_remark && let Some(reason) = reason {
        case.set_system_out(format!("{kind}: {reason}"));
    }
    case
}

fn description(run: &Run, outcome: &Outcome) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    for finding in outcome.verdict.findings() {
        let _ = writeln!(text, "{} [{}]", finding.what, finding.statements.join(", "));
        if let Some(step) = &finding.step {
            let _ = writeln!(text, "step: {}: {}", step.location, step.text);
        }
        let _ = writeln!(text, "expected: {}\nseen: {}", finding.expected, finding.seen);
    }
    let trace = outcome.trace.as_ref();
    for line in trace.map(|trace| exchange(trace, outcome.variant.version)).unwrap_or_default() {
        let _ = writeln!(text, "{:.3} s {} {} {}", line.at.as_secs_f64(), line.actor, line.arrow, line.text);
    }
    let _ = writeln!(text, "rerun: {}", run.rerun(outcome));
    text
}
