//! The judge's view on a trace.

use super::verdict::Finding;
use crate::trace::{Trace, What};
use model::judge::{Judge, Judgement, Timing, Violation};
use model::profile::Profile;
use std::collections::BTreeSet;
use std::time::Duration;

/// Has the judge follow a whole trace. Returns what the dialect does not explain.
///
/// # Errors
/// When the judge lost track: why.
pub(super) fn judge(profile: &Profile, is_virtual: bool, trace: &Trace) -> Result<Vec<Finding>, String> {
    let end = trace.events.last().map(|event| event.at).unwrap_or_default();
    match follow(profile, is_virtual, trace, end) {
        Judgement::Conforms => Ok(Vec::new()),
        Judgement::Violates(violations) => Ok(violations.into_iter().map(finding).collect()),
        Judgement::Inconclusive(why) => Err(format!("the judge cannot tell: {why}")),
    }
}

/// Has the judge follow a whole trace that nothing was added to until `end`.
pub(crate) fn follow(profile: &Profile, is_virtual: bool, trace: &Trace, end: Duration) -> Judgement {
    let timing = if is_virtual { Timing::virtual_time() } else { Timing::real_time() };
    let mut judge = Judge::new(profile, timing);
    // Behind a text frame a connection carries no MQTT any more: what becomes of it the script says.
    let mut gone = BTreeSet::new();
    for event in &trace.events {
        if gone.contains(&event.connection) {
            continue;
        }
        if matches!(event.what, What::SentText(_)) {
            gone.insert(event.connection);
        }
        judge.observe(milliseconds(event.at), event.connection, event.what.observation());
    }
    judge.finish(milliseconds(end))
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A violation as reports name it.
pub(crate) fn finding(violation: Violation) -> Finding {
    Finding {
        statements: violation.statements.iter().map(|id| (*id).to_owned()).collect(),
        step: None,
        at: Duration::from_millis(violation.at),
        connection: Some(violation.connection),
        what: format!("against the rule {}: {}", violation.rule, violation.says),
        expected: violation.expected,
        seen: violation.seen,
        bytes: Vec::new(),
    }
}
