//! Many walks: until time is up, their number is reached, or something is found.

use super::avoided::Avoided;
use super::command::Command;
use super::device::Company;
use super::explore::Terrain;
use super::finding::Finding;
use super::walked::Walked;
use super::wording::{Ground, Versions};
use crate::run::{Entry, Interrupt, KnownFailing, UNIQUE, Verdict, base_36, finding, nonce};
use crate::target::{Peer, Route, Scheme};
use model::judge::{Judgement, Violation};
use model::packet::ProtocolVersion;
use model::profile::Profile;
use reference_broker::Switch;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// What the clients of one walk after the other speak, as far as the dialect has it: mostly 5.0, which has most to say.
const TURNS: [ProtocolVersion; 6] = [
    ProtocolVersion::V5_0,
    ProtocolVersion::V3_1_1,
    ProtocolVersion::V5_0,
    ProtocolVersion::V3_1_1,
    ProtocolVersion::V5_0,
    ProtocolVersion::V3_1,
];

/// How long a finding is shortened at most, and played again.
const SHORTENED_WITHIN: Duration = Duration::from_secs(60);

/// How often a finding that stays long is looked for in all.
const MOST_ATTEMPTS: usize = 12;

/// Why a violation is not the fault's.
const NO_FAULT: &str = "it is there without the fault too";

/// What is walked with.
#[derive(Debug)]
pub enum Target {
    /// Reference brokers in memory, a fresh one for each walk.
    Embedded,
    /// The same, misbehaving on purpose.
    Misbehaving(Switch),
    /// A broker somewhere, which others may use too.
    Network(Network),
}

/// A broker somewhere.
#[derive(Debug)]
pub struct Network {
    route: Route,
    nonce: String,
    walks: AtomicU64,
}

impl Network {
    /// The broker at the end of this route.
    #[must_use]
    pub fn at(route: Route) -> Network {
        Network { route, nonce: nonce(), walks: AtomicU64::new(0) }
    }
}

impl Target {
    /// A peer, and what keeps a walk with it apart from all others.
    pub(super) fn fresh(&self, terrain: &Terrain) -> (Peer, String) {
        match self {
            Target::Embedded => (terrain.right_peer(), UNIQUE.to_owned()),
            Target::Misbehaving(switch) => (terrain.peer(Some(*switch)), UNIQUE.to_owned()),
            Target::Network(network) => {
                let walk = network.walks.fetch_add(1, Ordering::Relaxed);
                (Peer::Network(network.route.clone()), format!("{}{}", network.nonce, base_36(walk)))
            }
        }
    }

    /// Whether it is no fault of the target's that these commands violate something: a broker that is to misbehave counts
    /// only for what it does differently.
    pub(super) fn is_innocent(&self, terrain: &Terrain, commands: &[Command], violation: &Violation) -> bool {
        if !matches!(self, Target::Misbehaving(_)) {
            return false;
        }
        let without = terrain.repeat(terrain.right_peer(), commands, UNIQUE);
        without.is_ok_and(|without| terrain.violations(&without).iter().any(|other| other.rule == violation.rule))
    }

    /// Where walks take place.
    #[must_use]
    pub fn ground(&self) -> Ground {
        match self {
            Target::Embedded | Target::Misbehaving(_) => Ground::Embedded,
            Target::Network(_) => Ground::Network,
        }
    }
}

/// Many walks with one target.
#[derive(Debug)]
pub struct Campaign {
    /// How they go; what the clients speak changes from walk to walk.
    pub terrain: Terrain,
    /// With what.
    pub target: Target,
    /// The seed of the first walk; the next ones have the next seeds.
    pub seed: u64,
    /// How many there are at most.
    pub most_walks: u64,
    /// How long they go on at most.
    pub time: Duration,
    /// How many go side by side.
    pub jobs: NonZeroUsize,
    /// What need not be found again: globs over `RULE/STATEMENT/mqtt:VERSION`.
    pub known: KnownFailing,
}

/// What came of the walks.
#[derive(Debug, Default)]
pub struct Report {
    /// How many there were.
    pub walks: u64,
    /// How many commands they had.
    pub commands: u64,
    /// Those of which the judge could not tell, by the reason.
    pub inconclusive: BTreeMap<String, u64>,
    /// Those with a violation that is known, by the reason.
    pub known: BTreeMap<String, u64>,
    /// Those in which nothing but a recommendation was not followed, by rule.
    pub lenient: BTreeMap<&'static str, u64>,
    /// How long it took.
    pub elapsed: Duration,
    /// The first finding: that of the lowest seed.
    pub finding: Option<Box<Finding>>,
    /// Why it did not go on, if something went wrong.
    pub trouble: Option<String>,
}

/// What came of one walk.
enum Walk {
    Conforms,
    Inconclusive(String),
    Known(String),
    Lenient(&'static str),
    Violates(Box<(Walked, Violation)>),
    Impossible(io::Error),
}

impl Report {
    /// Keeps the finding if it is better than the one that is known. Both must be against the same rule: the first one is
    /// what was found.
    fn keep_shorter(&mut self, finding: Finding) {
        let known = self.finding.as_ref();
        let is_better = known.is_none_or(|known| {
            let is_same = known.violation.rule == finding.violation.rule;
            is_same && finding.is_confirmed() && finding.shrunk.commands.len() < known.shrunk.commands.len()
        });
        if is_better {
            self.finding = Some(Box::new(finding));
        }
    }
}

impl Campaign {
    /// Walks, and shortens what is found. In memory, where walks cost nothing, a finding that stays long is looked for
    /// again: the shortest counts. `listener` is told how many walks there were, again and again.
    pub fn run(&self, interrupt: &Interrupt, listener: &mut dyn FnMut(u64)) -> Report {
        let started = Instant::now();
        let mut report = Report::default();
        let mut next = 0;
        for _ in 0..MOST_ATTEMPTS {
            let Some((index, found)) = self.look(next, started, interrupt, &mut report, listener) else { break };
            let (walked, violation) = *found;
            let (terrain, seed) = (self.terrain_of(index), self.seed_of(index));
            // Shortening does not take longer than looking.
            let within = self.time.min(SHORTENED_WITHIN);
            match Finding::of(&terrain, &self.target, seed, walked, &violation, within) {
                Ok(finding) => report.keep_shorter(finding),
                Err(error) => report.trouble = Some(format!("the peer accepts no connection any more: {error}")),
            }
            let is_short = report.finding.as_ref().is_none_or(|finding| finding.is_short());
            if is_short || self.target.ground() == Ground::Network {
                break;
            }
            next = index + 1;
        }
        report.elapsed = started.elapsed();
        if interrupt.is_raised() {
            report.trouble = Some("it was interrupted".to_owned());
        }
        report
    }

    /// Walks from this number on until something is found: in the walk of the lowest number.
    fn look(
        &self,
        from: u64,
        started: Instant,
        interrupt: &Interrupt,
        report: &mut Report,
        listener: &mut dyn FnMut(u64),
    ) -> Option<(u64, Box<(Walked, Violation)>)> {
        let next = AtomicU64::new(from);
        // The walks behind this one need not be done: something was found in it.
        let until = AtomicU64::new(self.most_walks);
        let (sender, results) = mpsc::channel();
        let mut first: Option<(u64, Box<(Walked, Violation)>)> = None;
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.get() {
                let (sender, next, until) = (sender.clone(), &next, &until);
                scope.spawn(move || {
                    loop {
                        let index = next.fetch_add(1, Ordering::SeqCst);
                        let is_over = started.elapsed() >= self.time || interrupt.is_raised();
                        if is_over || index >= until.load(Ordering::SeqCst) {
                            break;
                        }
                        let (commands, walk) = self.walk(index);
                        if matches!(walk, Walk::Violates(_) | Walk::Impossible(_)) {
                            until.fetch_min(index, Ordering::SeqCst);
                        }
                        if sender.send((index, commands, walk)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            for (index, commands, walk) in results {
                report.walks += 1;
                report.commands += commands as u64;
                listener(report.walks);
                match walk {
                    Walk::Conforms => {}
                    Walk::Inconclusive(why) => *report.inconclusive.entry(why).or_default() += 1,
                    Walk::Known(why) => *report.known.entry(why).or_default() += 1,
                    Walk::Lenient(rule) => *report.lenient.entry(rule).or_default() += 1,
                    Walk::Impossible(error) => {
                        let seed = self.seed_of(index);
                        report.trouble =
                            Some(format!("the peer accepts no connection in the walk of seed {seed}: {error}"));
                    }
                    Walk::Violates(violation) => {
                        if first.as_ref().is_none_or(|(known, _)| index < *known) {
                            first = Some((index, violation));
                        }
                    }
                }
            }
        });
        first
    }

    fn seed_of(&self, index: u64) -> u64 {
        self.seed.wrapping_add(index)
    }

    /// How the walk of this number goes.
    fn terrain_of(&self, index: u64) -> Terrain {
        let seed = self.seed_of(index);
        let served: Vec<ProtocolVersion> =
            TURNS.into_iter().filter(|version| self.terrain.profile.versions.contains(version)).collect();
        let turn = usize::try_from(seed % TURNS.len() as u64).unwrap_or_default();
        let version = served.get(turn % served.len().max(1)).copied();
        let versions = version.map_or(self.terrain.versions, Versions::One);
        self.target.furnish(Terrain { versions, ..self.terrain.clone() }, seed)
    }

    fn walk(&self, index: u64) -> (usize, Walk) {
        let terrain = self.terrain_of(index);
        let (peer, unique) = self.target.fresh(&terrain);
        let walked = match terrain.explore(peer, self.seed_of(index), &unique) {
            Ok(walked) => walked,
            Err(error) => return (0, Walk::Impossible(error)),
        };
        let commands = walked.commands.len();
        let walk = match terrain.judge(&walked) {
            Judgement::Conforms => Walk::Conforms,
            Judgement::Inconclusive(why) => Walk::Inconclusive(why),
            Judgement::Violates(violations) => self.violates(&terrain, walked, violations),
        };
        (commands, walk)
    }

    fn violates(&self, terrain: &Terrain, walked: Walked, violations: Vec<Violation>) -> Walk {
        let Versions::One(version) = terrain.versions else { return Walk::Conforms };
        let mut lenient = None;
        for violation in violations {
            if let Verdict::Lenient(_) = Verdict::on(vec![finding(violation.clone())], version) {
                lenient = Some(violation.rule);
                continue;
            }
            // What comes behind a violation may come from it: only the first one counts.
            return match self.excuse(&violation, version, &walked) {
                Some(reason) => Walk::Known(reason),
                None if self.target.is_innocent(terrain, &walked.applied(), &violation) => {
                    Walk::Known(NO_FAULT.to_owned())
                }
                None => Walk::Violates(Box::new((walked, violation))),
            };
        }
        lenient.map_or(Walk::Conforms, Walk::Lenient)
    }

    /// The reason for which a violation is known: that of its first statement, if all of them are.
    fn excuse(&self, violation: &Violation, version: ProtocolVersion, walked: &Walked) -> Option<String> {
        let behind = Avoided::all_in(&walked.applied_until(violation.at));
        let entry_of = |name: String| {
            let behind = behind.iter().find_map(|what| self.known.find(&format!("{name}/after:{what}")));
            behind.or_else(|| self.known.find(&name))
        };
        let entries: Option<Vec<&Entry>> = names_of(violation, version).into_iter().map(entry_of).collect();
        entries?.first().map(|entry| entry.reason.clone())
    }
}

/// How lists of what is known name a violation: once for each of its statements. With `/after:WHAT` behind it a name is that
/// of a violation in a walk that has done this before.
#[must_use]
pub fn names_of(violation: &Violation, version: ProtocolVersion) -> Vec<String> {
    let rule = violation.rule;
    let statements = if violation.statements.is_empty() { &["none"][..] } else { &violation.statements };
    statements.iter().map(|statement| format!("{rule}/{statement}/mqtt:{version}")).collect()
}

impl Terrain {
    /// Walks in a dialect as they usually are.
    #[must_use]
    pub fn of(profile: &Profile, ground: Ground) -> Terrain {
        Terrain {
            profile: profile.clone(),
            ground,
            versions: Versions::Mixed,
            clients: 3,
            length: 60,
            credentials: crate::case::Credentials::default(),
            avoided: BTreeSet::new(),
            company: Company::Clients,
            scheme: Scheme::Mqtt,
        }
    }
}
