//! One run of a script against a permitted server, and proofs side by side.

use super::search::search;
use super::stage::{Cut, Deed, Stage};
use super::verdict::{Proof, Proved};
use crate::case::{Roster, Variant};
use crate::run::{Conditions, Interrupt, Plan, Rehearsed, rehearse, side_by_side};
use crate::target::Peer;
use model::permitted::PermittedServer;
use model::profile::Profile;
use std::cmp::Reverse;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::time::sleep_until;

/// How far a proof goes.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How many runs a variant may take.
    pub runs: usize,
}

impl Default for Bounds {
    /// Far beyond what most variants need; the largest take some seconds.
    fn default() -> Bounds {
        Bounds { runs: 10_000 }
    }
}

/// How a run ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The script was played to its end, or broken.
    Played(Rehearsed, Box<PermittedServer>, u64),
    /// The server has a choice, or none at all.
    Cut(Cut),
    /// The surroundings failed.
    Error(String),
}

/// Plays a script with a server that does what the tape says, up to where it has a choice.
pub(super) fn play(
    variant: &Variant,
    profile: &Profile,
    conditions: &Conditions,
    server: PermittedServer,
    tape: &[Deed],
    roster: Option<Roster>,
) -> Ended {
    // The runtime comes before the stage, whose clock is the runtime's.
    let place: Arc<std::sync::OnceLock<Stage>> = Arc::default();
    let idle = Arc::clone(&place);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .on_thread_park(move || {
            if let Some(stage) = idle.get() {
                stage.idle();
            }
        })
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return Ended::Error(format!("cannot build a runtime: {error}")),
    };
    runtime.block_on(async {
        let stage = place.get_or_init(|| Stage::new(server, tape));
        let peer = Peer::Counterpart(Arc::new(stage.clone()));
        let script = rehearse(variant, profile, peer, conditions, roster);
        tokio::select! {
            cut = direct(stage) => Ended::Cut(cut),
            played = script => {
                let (server, now) = stage.outcome();
                Ended::Played(played, Box::new(server), now)
            }
        }
    })
}

/// Wakes the server when its time comes, until the run is cut.
async fn direct(stage: &Stage) -> Cut {
    let mut alarm = None;
    loop {
        if let Some(cut) = stage.take_cut() {
            return cut;
        }
        alarm = stage.take_alarm().or(alarm);
        match alarm {
            None => stage.changed.notified().await,
            Some(at) => {
                tokio::select! {
                    () = stage.changed.notified() => {}
                    () = sleep_until(at) => alarm = None,
                }
            }
        }
    }
}

/// Proves one variant.
#[must_use]
pub fn prove_variant(
    variant: &Arc<Variant>,
    profile: &Arc<Profile>,
    conditions: &Conditions,
    bounds: Bounds,
) -> Proved {
    catch_unwind(AssertUnwindSafe(|| search(variant, profile, conditions, bounds))).unwrap_or_else(|_| Proved {
        variant: Arc::clone(variant),
        proof: Proof::Unproved("the harness panicked: this is a bug in mqttspec, please report it".to_owned()),
        states: 0,
        runs: 0,
    })
}

/// Proves all that these plans play, with at most `jobs` variants at a time; `listener` is told of each as it is known, in no
/// particular order.
pub fn prove(
    plans: &[Plan],
    conditions: &Conditions,
    bounds: Bounds,
    jobs: NonZeroUsize,
    interrupt: &Interrupt,
    listener: &mut dyn FnMut(Proved),
) {
    let of_plan = |plan| Plan::played(plan).map(|planned| (&planned.variant, &plan.profile));
    let mut work: Vec<(&Arc<Variant>, &Arc<Profile>)> = plans.iter().flat_map(of_plan).collect();
    // Long scripts tend to be the dear ones: begun last, they would be waited for while all else is done.
    work.sort_by_key(|(variant, _)| Reverse(variant.length()));
    let one = |(variant, profile): &(&Arc<Variant>, &Arc<Profile>)| {
        (!interrupt.is_raised()).then(|| prove_variant(variant, profile, conditions, bounds))
    };
    side_by_side(&work, jobs, one, |proved| proved.into_iter().for_each(&mut *listener));
}
