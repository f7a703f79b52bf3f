//! What came of a variant.

use crate::case::{Location, Variant};
use crate::concealing::{ConcealedTrace, Secrets};
use crate::fault::Traffic;
use crate::trace::ConnectionId;
use model::packet::ProtocolVersion;
use model::statement::{Level, StatementId, catalogue};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The verdict on a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything as the dialect wants it.
    Pass,
    /// Only statements of level SHOULD or MAY were broken.
    Lenient(Vec<Finding>),
    /// A statement was broken.
    Fail(Vec<Finding>),
    /// It failed, and the list of known failures says so.
    ExpectedFail {
        /// The reason in the list.
        excuse: String,
        /// What was found.
        findings: Vec<Finding>,
    },
    /// The list of known failures names it, but it passed.
    UnexpectedPass {
        /// Where in the list.
        entry: String,
        /// The reason there.
        excuse: String,
    },
    /// The judge lost track: neither pass nor fail.
    Inconclusive(String),
    /// The dialect does not have what the case is about.
    NotApplicable(String),
    /// It applies, but was not played.
    NotRun(String),
    /// The harness failed, not the peer.
    Error(String),
}

/// The verdict without its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "named after the verdicts")]
pub enum VerdictKind {
    Pass,
    Lenient,
    Fail,
    ExpectedFail,
    UnexpectedPass,
    Inconclusive,
    NotApplicable,
    NotRun,
    Error,
}

/// Something that was not as it had to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The statements that it breaks.
    pub statements: Vec<String>,
    /// The step, if an expectation of the script failed; none if the judge found it.
    pub step: Option<StepReference>,
    /// When, from the start of the variant.
    pub at: Duration,
    /// On which connection, if on one.
    pub connection: Option<ConnectionId>,
    /// What is wrong, in a sentence.
    pub what: String,
    /// What was owed or permitted.
    pub expected: String,
    /// What was seen.
    pub seen: String,
    /// The offending bytes, if there are.
    pub bytes: Vec<u8>,
}

/// A step of a script, for reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepReference {
    /// Where it stands.
    pub location: Location,
    /// How it reads.
    pub text: String,
}

/// How a silence was shown, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SilenceMeans {
    /// Virtual time went on: nothing was left to happen.
    Idle,
    /// The connection was closed: nothing can follow.
    Closed,
    /// PINGREQ was answered by PINGRESP, on all other connections and then on this one, twice, with nothing before it.
    Ping,
    /// The connection itself could not be asked: all others, and a fresh one, were, twice.
    OtherConnections,
}

/// What came of a variant, with all that a report needs.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The variant.
    pub variant: Arc<Variant>,
    /// The verdict.
    pub verdict: Verdict,
    /// How long it took on the clock of the wall.
    pub duration: Duration,
    /// How its silences were shown.
    pub silence: BTreeSet<SilenceMeans>,
    /// The trace, kept if there is something to look into.
    pub trace: Option<ConcealedTrace>,
    /// Whether the proxy between harness and peer did anything; none if there was no proxy.
    pub interfered: Option<bool>,
    /// What a proxy saw pass; nothing if there was none.
    pub traffic: Traffic,
}

impl Verdict {
    /// The verdict without its data.
    #[must_use]
    pub fn kind(&self) -> VerdictKind {
        match self {
            Verdict::Pass => VerdictKind::Pass,
            Verdict::Lenient(_) => VerdictKind::Lenient,
            Verdict::Fail(_) => VerdictKind::Fail,
            Verdict::ExpectedFail { .. } => VerdictKind::ExpectedFail,
            Verdict::UnexpectedPass { .. } => VerdictKind::UnexpectedPass,
            Verdict::Inconclusive(_) => VerdictKind::Inconclusive,
            Verdict::NotApplicable(_) => VerdictKind::NotApplicable,
            Verdict::NotRun(_) => VerdictKind::NotRun,
            Verdict::Error(_) => VerdictKind::Error,
        }
    }

    /// What was found wrong.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        match self {
            Verdict::Lenient(findings) | Verdict::Fail(findings) | Verdict::ExpectedFail { findings, .. } => findings,
            _ => &[],
        }
    }

    /// The same without these secrets.
    #[must_use]
    pub fn without(mut self, secrets: &Secrets) -> Verdict {
        match &mut self {
            Verdict::Lenient(findings) | Verdict::Fail(findings) | Verdict::ExpectedFail { findings, .. } => {
                findings.iter_mut().for_each(|finding| secrets.conceal_in(finding));
            }
            Verdict::Inconclusive(why) | Verdict::Error(why) => *why = secrets.conceal(why),
            // Nothing was played, or nothing is told but what a list says.
            Verdict::Pass | Verdict::UnexpectedPass { .. } | Verdict::NotApplicable(_) | Verdict::NotRun(_) => {}
        }
        self
    }

    /// Why it is not simply a pass, in one line.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        match self {
            Verdict::Pass => None,
            Verdict::Lenient(findings) | Verdict::Fail(findings) => findings.first().map(|first| first.what.clone()),
            Verdict::ExpectedFail { excuse, .. } => Some(format!("known failure: {excuse}")),
            Verdict::UnexpectedPass { entry, excuse } => {
                Some(format!("it passed, but {entry} lists it as failing ({excuse}): remove the line"))
            }
            Verdict::Inconclusive(why) | Verdict::NotApplicable(why) | Verdict::NotRun(why) | Verdict::Error(why) => {
                Some(why.clone())
            }
        }
    }

    /// The verdict on what was found: `Lenient` if every broken statement is only recommended or optional in `version`.
    #[must_use]
    pub fn on(findings: Vec<Finding>, version: ProtocolVersion) -> Verdict {
        let is_tolerable = |id: &String| {
            let level = catalogue().find(version, id).map(|statement| statement.level);
            matches!(level, Some(Level::Should | Level::May))
        };
        let are_tolerable =
            |finding: &Finding| !finding.statements.is_empty() && finding.statements.iter().all(is_tolerable);
        if findings.is_empty() {
            Verdict::Pass
        } else if findings.iter().all(are_tolerable) {
            Verdict::Lenient(findings)
        } else {
            Verdict::Fail(findings)
        }
    }
}

impl VerdictKind {
    /// All kinds.
    pub const ALL: [VerdictKind; 9] = [
        VerdictKind::Pass,
        VerdictKind::Lenient,
        VerdictKind::Fail,
        VerdictKind::ExpectedFail,
        VerdictKind::UnexpectedPass,
        VerdictKind::Inconclusive,
        VerdictKind::NotApplicable,
        VerdictKind::NotRun,
        VerdictKind::Error,
    ];

    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            VerdictKind::Pass => "pass",
            VerdictKind::Lenient => "lenient",
            VerdictKind::Fail => "fail",
            VerdictKind::ExpectedFail => "expected-fail",
            VerdictKind::UnexpectedPass => "unexpected-pass",
            VerdictKind::Inconclusive => "inconclusive",
            VerdictKind::NotApplicable => "not-applicable",
            VerdictKind::NotRun => "not-run",
            VerdictKind::Error => "error",
        }
    }

    /// How the last line of a run counts it.
    #[must_use]
    pub fn class(self) -> Class {
        match self {
            VerdictKind::Pass | VerdictKind::Lenient | VerdictKind::ExpectedFail => Class::Passed,
            VerdictKind::NotApplicable | VerdictKind::NotRun => Class::Skipped,
            VerdictKind::Fail | VerdictKind::UnexpectedPass | VerdictKind::Inconclusive | VerdictKind::Error => {
                Class::Failed
            }
        }
    }
}

/// The three numbers of the last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// As expected.
    Passed,
    /// Not as expected.
    Failed,
    /// Not played.
    Skipped,
}

impl SilenceMeans {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            SilenceMeans::Idle => "idle",
            SilenceMeans::Closed => "closed",
            SilenceMeans::Ping => "ping",
            SilenceMeans::OtherConnections => "other-connections",
        }
    }
}

impl Outcome {
    /// A variant that was not played.
    #[must_use]
    pub fn not_played(variant: Arc<Variant>, verdict: Verdict) -> Outcome {
        let duration = Duration::ZERO;
        Outcome {
            variant,
            verdict,
            duration,
            silence: BTreeSet::new(),
            trace: None,
            interfered: None,
            traffic: Traffic::default(),
        }
    }

    /// The statements that the verdict is about: the broken ones, else those that the variant cites.
    #[must_use]
    pub fn statements(&self) -> Vec<String> {
        let mut broken = BTreeSet::new();
        for finding in self.verdict.findings() {
            broken.extend(finding.statements.iter().cloned());
        }
        if broken.is_empty() {
            return cited(&self.variant.cites);
        }
        broken.into_iter().collect()
    }

    /// The step at which it failed.
    #[must_use]
    pub fn step(&self) -> Option<&StepReference> {
        self.verdict.findings().iter().find_map(|finding| finding.step.as_ref())
    }
}

/// Statements as text.
#[must_use]
pub fn cited(statements: &[StatementId]) -> Vec<String> {
    statements.iter().map(ToString::to_string).collect()
}

impl fmt::Display for VerdictKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for SilenceMeans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
