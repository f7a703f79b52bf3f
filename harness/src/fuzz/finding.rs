//! What a walk found: shortened, confirmed, and written as a case.

use super::campaign::Target;
use super::case_file::{Subject, case_file, variant};
use super::command::Command;
use super::explore::{Shrunk, Terrain};
use super::names::Names;
use super::script::{Pace, steps};
use super::walked::Walked;
use super::wording::Versions;
use crate::case::Variant;
use crate::concealing::{ConcealedTrace, Secrets};
use crate::fault::{Fault, Interference};
use crate::run::{Conditions, Outcome, VerdictKind, play_embedded, play_on};
use model::judge::Violation;
use model::packet::ProtocolVersion;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a finding is played again.
pub const CONFIRMATIONS: usize = 3;

/// How many commands a person takes in at one glance.
pub const SHORT: usize = 8;

/// How long an answer may take while a finding is played again.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Something that the judge objects to.
#[derive(Debug)]
pub struct Finding {
    /// The seed of its walk.
    pub seed: u64,
    version: ProtocolVersion,
    /// How many commands the walk had until then.
    pub found_with: usize,
    /// What was left of them.
    pub shrunk: Shrunk,
    /// What is wrong.
    pub violation: Violation,
    /// What came of the case when it was played the last time; none if the walk did not become a case.
    pub outcome: Option<Outcome>,
    /// How often of [`CONFIRMATIONS`] times it failed.
    pub confirmed: usize,
    /// Whether the reference broker passes the case.
    pub passes_reference: bool,
    /// The case file, or why there is none.
    pub case_file: Result<String, String>,
    /// The shortened walk; the one that was found, if it did not come again.
    pub walked: Walked,
}

impl Finding {
    /// What its clients speak.
    #[must_use]
    pub fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// Whether it is confirmed and a person takes it in at one glance.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.is_confirmed() && self.shrunk.commands.len() <= SHORT
    }

    /// Whether it failed each time that it was played again.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.confirmed == CONFIRMATIONS
    }

    /// What happened, for reports.
    #[must_use]
    pub fn trace(&self) -> ConcealedTrace {
        ConcealedTrace::of(self.walked.trace.clone(), Secrets::default())
    }

    /// Shortens a walk that violates something, and makes a case of it. Nothing new is tried after the time `within`.
    ///
    /// # Errors
    /// When the peer does not accept connections any more.
    pub(super) fn of(
        terrain: &Terrain,
        target: &Target,
        seed: u64,
        walked: Walked,
        violation: &Violation,
        within: Duration,
    ) -> io::Result<Finding> {
        let mut finding = Finding::with_secrets(terrain, target, seed, walked, violation, within)?;
        let secrets = finding.trace().secrets().clone().and(Secrets::of_credentials(&terrain.credentials));
        let Violation { says, expected, seen, .. } = &mut finding.violation;
        for text in [says, expected, seen] {
            *text = secrets.conceal(text);
        }
        // A case says what was sent in its own notation: what the steps have not concealed stands here by chance.
        finding.case_file = finding.case_file.map(|text| secrets.conceal(&text));
        Ok(finding)
    }

    fn with_secrets(
        terrain: &Terrain,
        target: &Target,
        seed: u64,
        walked: Walked,
        violation: &Violation,
        within: Duration,
    ) -> io::Result<Finding> {
        let began = Instant::now();
        let counts = |commands: &[Command]| !target.is_innocent(terrain, commands, violation);
        let shrunk = terrain.shrink(&walked, violation, within, || target.fresh(terrain), counts);
        let version = match terrain.versions {
            Versions::One(version) => version,
            Versions::Mixed => ProtocolVersion::V5_0,
        };
        let mut again = None;
        for _ in 0..CONFIRMATIONS {
            let (peer, unique) = target.fresh(terrain);
            let shortest = terrain.repeat(peer, &shrunk.commands, &unique)?;
            let first = terrain.violations(&shortest).into_iter().next();
            again = first.filter(|first| first.rule == violation.rule).map(|first| (first, shortest, unique));
            if again.is_some() {
                break;
            }
        }
        let mut finding = Finding {
            seed,
            version,
            found_with: walked.commands.len(),
            shrunk,
            violation: violation.clone(),
            outcome: None,
            confirmed: 0,
            passes_reference: false,
            case_file: Err("it did not come again".to_owned()),
            walked,
        };
        // What does not come again is told as it was found.
        let Some((again, shortest, unique)) = again else { return Ok(finding) };
        (finding.violation, finding.walked) = (again, shortest);
        finding.case_file = Err("its clients speak several versions".to_owned());
        if let Versions::One(version) = terrain.versions {
            let subject = Subject {
                profile: terrain.dialect(),
                version,
                seed,
                rule: finding.violation.rule,
                statements: &finding.violation.statements.clone(),
                is_of_devices: terrain.company.roster().is_some(),
                has_frames: terrain.scheme.has_web_socket(),
            };
            let is_late = || began.elapsed() >= within;
            finding.make_case(terrain, target, &subject, &unique, is_late);
        }
        Ok(finding)
    }

    /// Writes it as a case that fails on this target and passes on the reference broker, if there is one; `unique` kept the
    /// shortened walk apart. When it `is_late` the first way that gives a case has to do.
    fn make_case(
        &mut self,
        terrain: &Terrain,
        target: &Target,
        subject: &Subject<'_>,
        unique: &str,
        is_late: impl Fn() -> bool,
    ) {
        let names = Names::new(&terrain.profile, unique, terrain.company.roster());
        let profile = Arc::new(terrain.dialect().clone());
        let conditions =
            Conditions { credentials: terrain.credentials.clone(), timeout: TIMEOUT, ..Conditions::default() };
        let embedded = |variant: &Arc<Variant>, interference: Interference| {
            let conditions = Conditions { interference, ..conditions.clone() };
            play_embedded(variant, &profile, None, &conditions)
        };
        let play = |variant: &Arc<Variant>| match target {
            Target::Embedded => embedded(variant, Interference::None),
            Target::Misbehaving(switch) => embedded(variant, Interference::Fault(Fault::Switch(*switch))),
            Target::Network(_) => {
                let (peer, unique) = target.fresh(terrain);
                play_on(peer, &unique, variant, &profile, None, &conditions)
            }
        };
        // What a right peer does with the same clients: the reference broker shows it.
        let right = terrain.repeat(terrain.right_peer(), &self.shrunk.commands, unique).ok();
        let right = right.as_ref().map(|right| (right, self.walked.client_of(self.violation.connection)));
        let ways = [(Pace::Answers, None), (Pace::Answers, right), (Pace::Time, None), (Pace::Time, right)];
        for (pace, right) in ways {
            let text = case_file(subject, &steps(&self.walked, &names, pace, right));
            let variant = match variant("the finding", &text, &profile) {
                Ok(variant) => variant,
                Err(why) => {
                    self.case_file = Err(why);
                    continue;
                }
            };
            let passes = is_pass(&embedded(&variant, Interference::None));
            let mut confirmed = 0;
            let mut failed = None;
            for _ in 0..CONFIRMATIONS {
                let outcome = play(&variant);
                let fails = matches!(outcome.verdict.kind(), VerdictKind::Fail | VerdictKind::Lenient);
                confirmed += usize::from(fails);
                if fails || failed.is_none() {
                    failed = Some(outcome);
                }
            }
            let is_better = (passes, confirmed) > (self.passes_reference, self.confirmed);
            if is_better || self.outcome.is_none() {
                (self.passes_reference, self.confirmed, self.outcome) = (passes, confirmed, failed);
                self.case_file = Ok(text);
            }
            if passes && self.is_confirmed() || is_late() {
                return;
            }
        }
    }
}

fn is_pass(outcome: &Outcome) -> bool {
    matches!(outcome.verdict.kind(), VerdictKind::Pass | VerdictKind::Lenient)
}
