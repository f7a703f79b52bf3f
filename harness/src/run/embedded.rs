//! Plays against reference brokers in memory: a fresh one for each variant, in virtual time, on all processors.

use super::devices::provide;
use super::interrupt::Interrupt;
use super::known_failing::Entry;
use super::plan::{Fate, Plan, Planned};
use super::play_variant::{Recorded, Unjudged, play};
use super::player::Conditions;
use super::side_by_side::side_by_side;
use super::summary::Listener;
use super::unique::UNIQUE;
use super::verdict::{Outcome, Verdict};
use crate::case::{Roster, Variant};
use crate::fault::{Fault, Interference};
use crate::target::Peer;
use crate::trace::Trace;
use model::profile::Profile;
use reference_broker::Settings;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Plays `plan`, with at most `jobs` variants at a time.
pub fn run_embedded(
    plan: &Plan,
    conditions: &Conditions,
    jobs: NonZeroUsize,
    interrupt: &Interrupt,
    listener: &mut dyn Listener,
) {
    let mut work = Vec::new();
    for planned in &plan.variants {
        if let Fate::Play(known_failing) = &planned.fate {
            work.push((Arc::clone(&planned.variant), known_failing.clone()));
        }
    }
    plan.variants.iter().filter_map(Planned::unplayed).for_each(|outcome| listener.decided(outcome));
    let play = |(variant, known_failing): &(Arc<Variant>, Option<Entry>)| {
        if interrupt.is_raised() {
            return Outcome::not_played(Arc::clone(variant), Verdict::NotRun("the run was interrupted".to_owned()));
        }
        play_guarded(variant, &plan.profile, known_failing.clone(), conditions)
    };
    side_by_side(&work, jobs, play, |outcome| listener.decided(outcome));
}

/// A panic of the reference broker or of the harness is one variant's error, not the end of the run.
fn play_guarded(
    variant: &Arc<Variant>,
    profile: &Arc<Profile>,
    known_failing: Option<Entry>,
    conditions: &Conditions,
) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| play_embedded(variant, profile, known_failing, conditions))).unwrap_or_else(|_| {
        let why = "the harness panicked: this is a bug in mqttspec, please report it".to_owned();
        Outcome::not_played(Arc::clone(variant), Verdict::Error(why))
    })
}

/// Plays one variant on a fresh reference broker of its profile.
#[must_use]
pub fn play_embedded(
    variant: &Arc<Variant>,
    profile: &Arc<Profile>,
    known_failing: Option<Entry>,
    conditions: &Conditions,
) -> Outcome {
    let (profile, roster) = provide(variant, profile, conditions.scheme);
    let misbehaviour = match conditions.interference {
        Interference::Fault(Fault::Switch(switch)) => Some(switch),
        _ => None,
    };
    let settings = Settings { misbehaviour, ..Settings::from_profile(&profile) };
    let peer = Peer::embedded_over(conditions.scheme, settings);
    judged(variant, in_a_runtime(peer, UNIQUE, variant, &profile, known_failing, conditions, roster))
}

fn judged(variant: &Arc<Variant>, played: Result<Unjudged, String>) -> Outcome {
    match played {
        Ok(unjudged) => unjudged.judge(None),
        Err(why) => Outcome::not_played(Arc::clone(variant), Verdict::Error(why)),
    }
}

/// Plays one variant on this peer, which nobody else waits for and which knows no devices; `unique` keeps it apart from others
/// there.
#[must_use]
pub fn play_on(
    peer: Peer,
    unique: &str,
    variant: &Arc<Variant>,
    profile: &Arc<Profile>,
    known_failing: Option<Entry>,
    conditions: &Conditions,
) -> Outcome {
    judged(variant, in_a_runtime(peer, unique, variant, profile, known_failing, conditions, None))
}

/// Plays one variant on a fresh reference broker of its profile, and keeps the whole trace whatever the verdict.
#[must_use]
pub fn record_embedded(variant: &Arc<Variant>, profile: &Arc<Profile>, conditions: &Conditions) -> Recorded {
    let (profile, roster) = provide(variant, profile, conditions.scheme);
    let peer = Peer::embedded_over(conditions.scheme, Settings::from_profile(&profile));
    match in_a_runtime(peer, UNIQUE, variant, &profile, None, conditions, roster) {
        Ok(unjudged) => unjudged.judge_and_keep(None),
        Err(why) => {
            let outcome = Outcome::not_played(Arc::clone(variant), Verdict::Error(why));
            Recorded { outcome, trace: Trace::default(), scripted: 0, topics: Vec::new() }
        }
    }
}

fn in_a_runtime(
    peer: Peer,
    unique: &str,
    variant: &Arc<Variant>,
    profile: &Arc<Profile>,
    known_failing: Option<Entry>,
    conditions: &Conditions,
    roster: Option<Roster>,
) -> Result<Unjudged, String> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let builder = match peer.is_virtual() {
        true => builder.enable_time().start_paused(true),
        false => builder.enable_all(),
    };
    let runtime = builder.build().map_err(|error| format!("cannot build a runtime: {error}"))?;
    let (variant, profile) = (Arc::clone(variant), Arc::clone(profile));
    Ok(runtime.block_on(play(variant, profile, known_failing, peer, conditions, unique, roster)))
}
