//! One variant from play to verdict.

use super::judging::judge;
use super::known_failing::{Entry, Known};
use super::player::{Conditions, Halt, Played, Player};
use super::verdict::{Finding, Outcome, Verdict};
use crate::case::{Roster, Variant};
use crate::concealing::{ConcealedTrace, Secrets};
use crate::target::Peer;
use crate::trace::Trace;
use model::profile::Profile;
use std::sync::Arc;
use std::time::Instant;

/// The most bytes of a trace that are kept for reports.
const MOST_KEPT: usize = 256 << 10;

/// What is found when the peer answers nobody after a variant.
pub const DOES_NOT_SURVIVE: &str = "the peer does not survive this case";

/// A variant that was played and is not yet judged.
pub(super) struct Unjudged {
    variant: Arc<Variant>,
    profile: Arc<Profile>,
    known_failing: Option<Entry>,
    is_virtual: bool,
    started: Instant,
    played: Played,
}

/// A variant that was played, with all that happened.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// What came of it; its own trace is not kept.
    pub outcome: Outcome,
    /// Everything that happened, secrets too.
    pub trace: Trace,
    /// How many of the events belong to the script; with the others the actors part.
    pub scripted: usize,
    /// What `$t` stood for in the script, for one actor or another.
    pub topics: Vec<String>,
}

/// Plays a variant; `unique` keeps it apart from others on the same peer.
pub(super) async fn play(
    variant: Arc<Variant>,
    profile: Arc<Profile>,
    known_failing: Option<Entry>,
    peer: Peer,
    conditions: &Conditions,
    unique: &str,
    roster: Option<Roster>,
) -> Unjudged {
    // The clock of the wall, not the runtime's: that one may be virtual.
    let started = Instant::now();
    let is_virtual = peer.is_virtual() && !conditions.interference.delays();
    let played = Player::new(&variant, &profile, peer, conditions, unique, roster).play().await;
    Unjudged { variant, profile, known_failing, is_virtual, started, played }
}

impl Unjudged {
    /// Whether the peer may have suffered: it got bytes that no client sends, or did not behave.
    pub(super) fn is_suspicious(&self) -> bool {
        self.played.suspicious || self.played.ending.is_err()
    }

    /// Judges the trace and decides; `death` is how the peer's end showed, if it did not survive the variant. Takes a
    /// while: not for a thread on which others wait.
    pub(super) fn judge(self, death: Option<String>) -> Outcome {
        let Recorded { mut outcome, mut trace, .. } = self.judge_and_keep(death);
        if !matches!(outcome.verdict, Verdict::Pass | Verdict::UnexpectedPass { .. }) {
            let secrets = Secrets::of_trace(&trace);
            trace.shorten(MOST_KEPT);
            outcome.trace = Some(ConcealedTrace::of(trace, secrets));
        }
        outcome
    }

    /// The same, and hands out the whole trace whatever the verdict.
    pub(super) fn judge_and_keep(self, death: Option<String>) -> Recorded {
        let Unjudged { variant, profile, known_failing, is_virtual, started, played } = self;
        let Played { ending, findings: mut more, silence, trace, scripted, topics, suspicious: _, interfered, traffic } =
            played;
        let mut findings = Vec::new();
        let mut undecided = None;
        let mut error = None;
        match ending {
            Ok(()) => {}
            Err(Halt::Finding(finding)) => findings.push(*finding),
            Err(Halt::Inconclusive(why)) => undecided = Some(why),
            Err(Halt::Error(why)) => error = Some(why),
        }
        match judge(&profile, is_virtual, &trace) {
            Ok(violations) => findings.extend(violations),
            Err(why) => undecided = undecided.or(Some(why)),
        }
        // Script, judge and player read the same bytes: what is wrong with them is not told twice.
        more.retain(|finding| !findings.iter().any(|other| is_same(finding, other)));
        findings.extend(more);
        findings.extend(death.map(|why| Finding {
            statements: Vec::new(),
            step: None,
            at: trace.events.last().map(|event| event.at).unwrap_or_default(),
            connection: None,
            what: DOES_NOT_SURVIVE.to_owned(),
            expected: "a fresh CONNECT is answered by CONNACK".to_owned(),
            seen: why,
            bytes: Vec::new(),
        }));
        for finding in findings.iter_mut().filter(|finding| finding.bytes.is_empty()) {
            let refused = finding.connection.map(|connection| trace.refused_bytes(connection, variant.version));
            finding.bytes = refused.unwrap_or_default();
        }
        let verdict = match (error, undecided) {
            // A step that cannot be done may be the consequence of what is certainly wrong: two deliveries under one
            // identifier leave the second acknowledgement without a delivery.
            (Some(why), _) => match Verdict::on(findings, variant.version) {
                failed @ Verdict::Fail(_) => failed,
                _ => Verdict::Error(why),
            },
            // What is certainly wrong stays wrong, even if the rest is unclear.
            (None, Some(why)) if findings.is_empty() => Verdict::Inconclusive(why),
            (None, _) => Verdict::on(findings, variant.version),
        };
        let verdict = match known_failing {
            Some(entry) => excuse(verdict, &entry),
            None => verdict,
        };
        let duration = started.elapsed();
        let verdict = match verdict {
            Verdict::Pass => Verdict::Pass,
            verdict => verdict.without(&Secrets::of_trace(&trace)),
        };
        let outcome = Outcome { variant, verdict, duration, silence, trace: None, interfered, traffic };
        Recorded { outcome, trace, scripted, topics }
    }
}

/// The verdict on a variant that a list names. Only failures are excused: what could not be decided stays so.
fn excuse(verdict: Verdict, entry: &Entry) -> Verdict {
    let excuse = entry.reason.clone();
    match verdict {
        Verdict::Fail(findings) => Verdict::ExpectedFail { excuse, findings },
        Verdict::Pass | Verdict::Lenient(_) if entry.known == Known::Fails => {
            Verdict::UnexpectedPass { entry: format!("{}:{}", entry.file, entry.line), excuse }
        }
        other => other,
    }
}

/// Whether two findings are about the same refused bytes.
fn is_same(one: &Finding, other: &Finding) -> bool {
    one.connection == other.connection && (one.what == other.what || one.statements == other.statements)
}
