//! Plays against a broker somewhere: many variants side by side in real time, and watches whether the broker lives.
//!
//! ```text
//!   plan ──► `lanes`: side by side, then alone ──played──► `judgements`, on threads of their own ──► listener
//!               │ died?
//!               ▼
//!            `life`: started, asked, started again at the same place
//! ```

mod judgements;
mod lanes;
mod life;
mod target;

use super::interrupt::Interrupt;
use super::known_failing::Entry;
use super::plan::{Fate, Plan, Planned};
use super::player::Conditions;
use super::run_error::RunError;
use super::summary::Listener;
use super::unique::nonce;
use super::verdict::Outcome;
use crate::case::Variant;
use crate::target::{Log, Pool, Started};
use model::packet::ProtocolVersion;
use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::task::{Id, JoinSet};

pub use target::NetworkTarget;

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
}
