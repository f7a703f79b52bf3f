//! Plays against a broker somewhere: many variants side by side in real time, and watches whether the broker lives.

use super::fence::FENCE;
use super::interrupt::Interrupt;
use super::known_failing::Entry;
use super::plan::{Fate, Plan, Planned};
use super::play_variant::{Unjudged, play};
use super::player::Conditions;
use super::run_error::{MOST_RESTARTS, RunError};
use super::summary::Listener;
use super::unique::{base_36, nonce};
use super::verdict::{Class, Outcome, Verdict};
use crate::case::{Roster, Variant};
use crate::target::{Log, Peer, Pool, Route, Shortage, StartCommand, Started, Unreachable, probe, to_free_port};
use model::device::{Registry, Transport};
use model::packet::ProtocolVersion;
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

/// How long it may take to find out whether somebody listens already where a command is to listen.
const OCCUPIED_SHOWS_WITHIN: Duration = Duration::from_secs(1);

/// A broker in a network, which is started by a command or runs already.
#[derive(Debug, Clone)]
pub struct NetworkTarget {
    /// The way to it.
    pub route: Route,
    /// What carries the connections in the end: devices say it in their logins.
    pub transport: Transport,
    /// It is started at a free port of this machine, wherever the route leads.
    pub free_port: bool,
    /// What starts it.
    pub start: Option<StartCommand>,
    /// How long it may take from its start until it answers.
    pub ready_within: Duration,
    /// The devices that it knows, if a tester knows them too: then everybody logs in as one.
    pub devices: Option<Arc<Registry>>,
}

impl NetworkTarget {
    /// The way to where a command is to listen.
    pub(crate) fn route_to_start(&self) -> io::Result<Route> {
        match self.free_port {
            true => to_free_port(&self.route),
            false => Ok(self.route.clone()),
        }
    }

    /// Makes sure that nobody else listens where a command is to listen.
    pub(crate) async fn check_free(&self) -> Result<(), RunError> {
        // Where a transport command leads, nobody knows.
        if self.start.is_some()
            && !self.free_port
            && self.route.command().is_none()
            && let Ok(Ok(_)) = timeout(OCCUPIED_SHOWS_WITHIN, TcpStream::connect(self.route.address.socket())).await
        {
            return Err(RunError::Occupied(self.route.address.clone()));
        }
        Ok(())
    }
}

/// Plays `plan` against `target`, with at most `jobs` variants at a time and those that are exclusive alone afterwards.
/// Every variant is decided in the end, also when there is an error. Returns where the output of a started command is, if
/// there is something to look for.
///
/// # Errors
/// When not everything could be judged.
pub async fn run_network(
    target: &NetworkTarget,
    plan: &Plan,
    conditions: &Conditions,
    jobs: NonZeroUsize,
    interrupt: &Interrupt,
    listener: &mut dyn Listener,
) -> (Option<PathBuf>, Result<(), RunError>) {
    let mut run = Run::new(target, plan, conditions, interrupt, listener);
    let result = run.play(jobs).await;
    // What was played to its end counts, also when the run was interrupted.
    run.await_judgements().await;
    if let Err(error) = &result {
        let why = error.to_string();
        let first_line = why.lines().next().unwrap_or_default().to_owned();
        run.give_up(&first_line);
    }
    if let Some(mut process) = run.process.take() {
        process.stop().await;
    }
    let is_needed = run.failed || result.is_err();
    (run.log.and_then(|log| log.keep_if(is_needed)), result)
}

/// A variant to be played.
#[derive(Debug, Clone)]
struct Work {
    index: usize,
    variant: Arc<Variant>,
    known_failing: Option<Entry>,
}

/// What a task brings back: the variant as played, and whether the peer lives, if that was in doubt.
struct Done {
    unjudged: Unjudged,
    health: Result<(), Unreachable>,
    /// The devices that it was played with.
    lent: Option<Roster>,
}

struct Run<'a> {
    target: &'a NetworkTarget,
    plan: &'a Plan,
    conditions: &'a Conditions,
    interrupt: &'a Interrupt,
    listener: &'a mut dyn Listener,
    versions: Vec<ProtocolVersion>,
    nonce: String,
    probes: usize,
    process: Option<Started>,
    log: Option<Log>,
    restarts: usize,
    side_by_side: VecDeque<Work>,
    alone: VecDeque<Work>,
    /// Variants under way.
    running: BTreeMap<Id, Work>,
    /// Variants that are being judged.
    judging: JoinSet<Outcome>,
    judged: BTreeMap<Id, Work>,
    failed: bool,
    /// The devices that variants are played with.
    pool: Option<Pool>,
}

impl<'a> Run<'a> {
    fn new(
        target: &'a NetworkTarget,
        plan: &'a Plan,
        conditions: &'a Conditions,
        interrupt: &'a Interrupt,
        listener: &'a mut dyn Listener,
    ) -> Run<'a> {
        let (mut side_by_side, mut alone) = (VecDeque::new(), VecDeque::new());
        for (index, planned) in plan.variants.iter().enumerate() {
            if let Fate::Play(known_failing) = &planned.fate {
                let variant = Arc::clone(&planned.variant);
                let lane = if variant.exclusive { &mut alone } else { &mut side_by_side };
                lane.push_back(Work { index, variant, known_failing: known_failing.clone() });
            }
        }
        plan.variants.iter().filter_map(Planned::unplayed).for_each(|outcome| listener.decided(outcome));
        Run {
            target,
            plan,
            conditions,
            interrupt,
            listener,
            versions: plan.versions(),
            nonce: nonce(),
            probes: 0,
            process: None,
            log: None,
            restarts: 0,
            side_by_side,
            alone,
            running: BTreeMap::new(),
            judging: JoinSet::new(),
            judged: BTreeMap::new(),
            failed: false,
            pool: target
                .devices
                .as_ref()
                .map(|devices| Pool::new(Arc::clone(devices), target.transport, &plan.profile)),
        }
    }

    async fn play(&mut self, jobs: NonZeroUsize) -> Result<(), RunError> {
        let interrupt = self.interrupt;
        tokio::select! {
            result = self.phases(jobs) => result,
            () = interrupt.raised() => Err(RunError::Interrupted),
        }
    }

    async fn phases(&mut self, jobs: NonZeroUsize) -> Result<(), RunError> {
        let route = self.prepare().await?;
        if jobs.get() > 1 {
            self.longest_first();
        }
        let unexplained = self.play_side_by_side(route.clone(), jobs).await?;
        let culprits = self.play_alone(route).await?;
        match unexplained {
            Some(error) if culprits == 0 => Err(error),
            _ => Ok(()),
        }
    }

    /// Those that last begin early, and the short ones pass by them. What fails often waits in vain.
    fn longest_first(&mut self) {
        let timeout = self.conditions.timeout;
        let in_vain = |work: &Work| if work.known_failing.is_some() { timeout } else { Duration::ZERO };
        let works = self.side_by_side.make_contiguous();
        works.sort_by_key(|work| Reverse(work.variant.idle_time() + in_vain(work)));
    }

    /// Makes sure that there is a peer that speaks MQTT.
    async fn prepare(&mut self) -> Result<Route, RunError> {
        let target = self.target;
        target.check_free().await?;
        if let Some(start) = &target.start {
            return self.start(start, &target.route_to_start().map_err(RunError::NoPort)?).await;
        }
        let client_id = self.client_id();
        probe(&target.route, &self.versions, &client_id, &self.conditions.credentials, self.conditions.timeout).await?;
        Ok(target.route.clone())
    }

    async fn start(&mut self, start: &StartCommand, route: &Route) -> Result<Route, RunError> {
        let client_id = self.client_id();
        let log = match self.log.take() {
            Some(log) => log,
            None => Log::create().map_err(RunError::NoLog)?,
        };
        let log = self.log.insert(log);
        let (credentials, within) = (&self.conditions.credentials, self.target.ready_within);
        let started = start.start(route, &self.versions, &client_id, credentials, within, log).await?;
        let route = started.route().clone();
        self.process = Some(started);
        Ok(route)
    }

    /// The peer is dead: starts it again at the same place, so that variants under way need not know.
    async fn restart(&mut self, route: &Route) -> Result<(), RunError> {
        let Some(start) = &self.target.start else {
            return Err(RunError::NoTarget);
        };
        self.restarts += 1;
        if self.restarts > MOST_RESTARTS {
            return Err(RunError::TooManyRestarts);
        }
        if let Some(mut process) = self.process.take() {
            process.stop().await;
        }
        self.start(start, route).await?;
        Ok(())
    }

    /// Plays what can be played side by side. If the peer dies and can be started again, all that ran goes to those that
    /// are played alone: there the culprit shows. Returns the death that is to be explained there.
    async fn play_side_by_side(&mut self, route: Route, jobs: NonZeroUsize) -> Result<Option<RunError>, RunError> {
        let mut tasks = JoinSet::new();
        let mut unexplained = None;
        loop {
            let mut free_from = None;
            while self.running.len() < jobs.get() {
                let Some(work) = self.side_by_side.pop_front() else { break };
                match self.task(&work, route.clone()) {
                    Ok(task) => drop(self.running.insert(tasks.spawn(task).id(), work)),
                    Err(Shortage::Never(why)) => {
                        self.tell(Outcome::not_played(work.variant, Verdict::NotApplicable(why)))
                    }
                    Err(Shortage::Later(from)) => {
                        self.side_by_side.push_front(work);
                        free_from = from;
                        break;
                    }
                }
            }
            if self.running.is_empty() && self.side_by_side.is_empty() {
                return Ok(unexplained);
            }
            tokio::select! {
                Some(joined) = tasks.join_next_with_id() => {
                    let Some((work, done)) = self.joined(joined) else { continue };
                    let Err(death) = done.health else {
                        self.judge(work, done.unjudged, None);
                        continue;
                    };
                    let why = self.describe_death(&death).await;
                    tasks.shutdown().await;
                    let mut during = vec![work.variant.name.clone()];
                    during.extend(self.running.values().map(|work| work.variant.name.clone()));
                    if self.target.start.is_none() {
                        self.judge(work, done.unjudged, Some(why.clone()));
                        return Err(RunError::Died { why, during });
                    }
                    self.alone.push_back(work);
                    self.alone.extend(std::mem::take(&mut self.running).into_values());
                    unexplained = Some(RunError::DiedUnexplained { why, during });
                    self.restart(&route).await?;
                }
                Some(joined) = self.judging.join_next_with_id() => self.decide(joined),
                () = rest(free_from) => {}
            }
        }
    }

    /// Plays one after the other. Returns how many of them the peer did not survive.
    async fn play_alone(&mut self, route: Route) -> Result<usize, RunError> {
        let mut culprits = 0;
        while let Some(work) = self.alone.pop_front() {
            let mut tasks = JoinSet::new();
            match self.task(&work, route.clone()) {
                Ok(task) => drop(self.running.insert(tasks.spawn(task).id(), work)),
                Err(Shortage::Never(why)) => {
                    self.tell(Outcome::not_played(work.variant, Verdict::NotApplicable(why)));
                    continue;
                }
                Err(Shortage::Later(from)) => {
                    self.alone.push_front(work);
                    rest(from).await;
                    continue;
                }
            }
            let Some(joined) = tasks.join_next_with_id().await else { continue };
            let Some((work, done)) = self.joined(joined) else { continue };
            match done.health {
                Ok(()) => self.judge(work, done.unjudged, None),
                Err(death) => {
                    culprits += 1;
                    let why = self.describe_death(&death).await;
                    let during = vec![work.variant.name.clone()];
                    self.judge(work, done.unjudged, Some(why.clone()));
                    if self.target.start.is_none() {
                        return Err(RunError::Died { why, during });
                    }
                    self.restart(&route).await?;
                }
            }
        }
        Ok(culprits)
    }

    /// Plays one variant, and asks afterwards whether the peer lives if there is any doubt.
    ///
    /// # Errors
    /// When there are no devices for it.
    fn task(&mut self, work: &Work, route: Route) -> Result<impl Future<Output = Done> + Send + use<>, Shortage> {
        let unique = format!("{}{}", self.nonce, base_36(work.index as u64));
        let profile = &self.plan.profile;
        let roster = match &mut self.pool {
            Some(pool) => Some(pool.lend(&work.variant, FENCE, &profile.topics, &unique)?),
            None if work.variant.needs_devices() => {
                return Err(Shortage::Never("its logins need devices that a --target-file names".to_owned()));
            }
            None => None,
        };
        let client_id = self.client_id();
        let work = work.clone();
        let profile = Arc::clone(&self.plan.profile);
        let conditions = self.conditions.clone();
        let versions = self.versions.clone();
        Ok(async move {
            let lent = roster.clone();
            let peer = Peer::Network(route.clone());
            let unjudged = play(work.variant, profile, work.known_failing, peer, &conditions, &unique, roster).await;
            let ask = || probe(&route, &versions, &client_id, &conditions.credentials, conditions.timeout);
            let mut health = Ok(());
            if unjudged.is_suspicious() {
                health = ask().await;
                if health.is_err() {
                    // One refused connection may be a limit; a peer that lives answers the second time.
                    health = ask().await;
                }
            }
            Done { unjudged, health, lent }
        })
    }

    fn joined(&mut self, joined: Result<(Id, Done), JoinError>) -> Option<(Work, Done)> {
        let (id, done) = match joined {
            Ok((id, done)) => (id, Ok(done)),
            Err(error) => (error.id(), Err(error)),
        };
        let work = self.running.remove(&id)?;
        match done {
            Ok(done) => {
                if let (Some(pool), Some(roster)) = (&mut self.pool, &done.lent) {
                    pool.take_back(roster);
                }
                Some((work, done))
            }
            Err(error) => {
                self.tell(Outcome::not_played(work.variant, Verdict::Error(panicked(&error))));
                None
            }
        }
    }

    /// Judges on a thread of its own: the others' windows go on.
    fn judge(&mut self, work: Work, unjudged: Unjudged, death: Option<String>) {
        let id = self.judging.spawn_blocking(move || unjudged.judge(death)).id();
        self.judged.insert(id, work);
    }

    fn decide(&mut self, joined: Result<(Id, Outcome), JoinError>) {
        match joined {
            Ok((id, outcome)) => {
                self.judged.remove(&id);
                self.tell(outcome);
            }
            Err(error) => {
                if let Some(work) = self.judged.remove(&error.id()) {
                    self.tell(Outcome::not_played(work.variant, Verdict::Error(panicked(&error))));
                }
            }
        }
    }

    async fn await_judgements(&mut self) {
        while let Some(joined) = self.judging.join_next_with_id().await {
            self.decide(joined);
        }
    }

    fn tell(&mut self, outcome: Outcome) {
        self.failed |= outcome.verdict.kind().class() == Class::Failed;
        self.listener.decided(outcome);
    }

    /// Decides all that was not played to its end.
    fn give_up(&mut self, why: &str) {
        let running = std::mem::take(&mut self.running).into_values();
        let judged = std::mem::take(&mut self.judged).into_values();
        let rest: Vec<Work> =
            running.chain(judged).chain(self.side_by_side.drain(..)).chain(self.alone.drain(..)).collect();
        for work in rest {
            self.listener.decided(Outcome::not_played(work.variant, Verdict::NotRun(why.to_owned())));
        }
    }

    async fn describe_death(&mut self, death: &Unreachable) -> String {
        let end = match &mut self.process {
            Some(process) => process.end().await,
            None => None,
        };
        match end {
            Some(status) => format!("the start command ended with {status}"),
            None => death.to_string(),
        }
    }

    fn client_id(&mut self) -> String {
        self.probes += 1;
        format!("{}probe{}", self.nonce, base_36(self.probes as u64))
    }
}

/// Waits until a device is free; for ever, if only the end of another variant can tell.
async fn rest(free_from: Option<Instant>) {
    match free_from {
        Some(from) => sleep_until(from).await,
        None => std::future::pending().await,
    }
}

fn panicked(error: &JoinError) -> String {
    format!("the harness failed: this is a bug in mqttspec, please report it ({error})")
}
