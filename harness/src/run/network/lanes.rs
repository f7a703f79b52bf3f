//! Variants under way: many side by side, and one after the other what needs the broker for itself or may have killed it.

use super::judgements::panicked;
use super::{Run, Work};
use crate::case::Roster;
use crate::run::fence::FENCE;
use crate::run::play_variant::{Unjudged, play};
use crate::run::run_error::RunError;
use crate::run::unique::base_36;
use crate::run::verdict::{Outcome, Verdict};
use crate::target::{Peer, Route, Shortage, Unreachable, probe};
use std::cmp::Reverse;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

/// What a task brings back: the variant as played, and whether the peer lives, if that was in doubt.
struct Done {
    unjudged: Unjudged,
    health: Result<(), Unreachable>,
    /// The devices that it was played with.
    lent: Option<Roster>,
}

impl Run<'_> {
    /// Those that last begin early, and the short ones pass by them. What fails often waits in vain.
    pub(super) fn longest_first(&mut self) {
        let timeout = self.conditions.timeout;
        let in_vain = |work: &Work| if work.known_failing.is_some() { timeout } else { Duration::ZERO };
        let works = self.side_by_side.make_contiguous();
        works.sort_by_key(|work| Reverse(work.variant.idle_time() + in_vain(work)));
    }

    /// Plays what can be played side by side. If the peer dies and can be started again, all that ran goes to those that
    /// are played alone: there the culprit shows. Returns the death that is to be explained there.
    pub(super) async fn play_side_by_side(
        &mut self,
        route: Route,
        jobs: NonZeroUsize,
    ) -> Result<Option<RunError>, RunError> {
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
    pub(super) async fn play_alone(&mut self, route: Route) -> Result<usize, RunError> {
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
}

/// Waits until a device is free; for ever, if only the end of another variant can tell.
async fn rest(free_from: Option<Instant>) {
    match free_from {
        Some(from) => sleep_until(from).await,
        None => std::future::pending().await,
    }
}
