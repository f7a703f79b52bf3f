//! The judge's view on a trace.

use super::verdict::Finding;
use crate::trace::{Trace, What};
use model::judge::{Judge, Judgement, Observation, Timing, Violation};
use model::profile::Profile;
use std::time::Duration;

/// What the judge says about a trace.
pub(super) enum Judged {
    /// The dialect explains all of it.
    Conforms,
    /// It does not.
    Violates(Vec<Finding>),
    /// The judge lost track, and why.
    Inconclusive(String),
}

/// Has the judge follow a whole trace.
pub(super) fn judge(profile: &Profile, is_virtual: bool, trace: &Trace) -> Judged {
    let timing = if is_virtual { Timing::virtual_time() } else { Timing::real_time() };
    let mut judge = Judge::new(profile, timing);
    for event in &trace.events {
        let what = match &event.what {
            What::Opened(_) => Observation::Opened,
            What::Sent(bytes) => Observation::Sent(bytes),
            What::Received(bytes) => Observation::Received(bytes),
            What::ClosedByPeer => Observation::ClosedByServer,
            What::ClosedByHarness => Observation::ClosedByClient,
        };
        judge.observe(milliseconds(event.at), event.connection, what);
    }
    let end = trace.events.last().map(|event| event.at).unwrap_or_default();
    match judge.finish(milliseconds(end)) {
        Judgement::Conforms => Judged::Conforms,
        Judgement::Violates(violations) => Judged::Violates(violations.into_iter().map(finding).collect()),
        Judgement::Inconclusive(why) => Judged::Inconclusive(format!("the judge cannot tell: {why}")),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn finding(violation: Violation) -> Finding {
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
