//! All that a permitted server may do with a script, explored by stateright.

use super::run::{Bounds, Ended, play};
use super::stage::{Cut, Deed};
use super::verdict::{Proof, Proved, Refutation};
use crate::case::{Roster, Variant};
use crate::concealing::{ConcealedTrace, Secrets};
use crate::run::{Conditions, VerdictKind, provide};
use model::permitted::{Character, PermittedServer};
use model::profile::Profile;
use stateright::{Checker, HasDiscoveries, Model, Property};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How many moves it may take to show that a server can finish what it has begun.
const MOVES_TO_FINISH: usize = 500;

/// A script and all permitted servers.
struct Composition {
    variant: Arc<Variant>,
    /// As the servers have it that know the devices.
    profile: Arc<Profile>,
    roster: Option<Roster>,
    conditions: Conditions,
    bounds: Bounds,
    runs: AtomicUsize,
    /// Why not everything was explored, if so: the first reason.
    unproved: Mutex<Option<String>>,
}

/// Where a run stands.
#[derive(Debug, Clone)]
enum State {
    /// The server may do any of these next.
    Choosing {
        fingerprint: u64,
        character: Character,
        tape: Arc<[Deed]>,
        server: Arc<PermittedServer>,
        options: Arc<[Deed]>,
    },
    /// No run of the script can be broken behind this.
    Over,
    /// The script is broken.
    Failed { fingerprint: u64, refutation: Arc<Refutation> },
}

impl Hash for State {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            State::Choosing { fingerprint, .. } => (0_u8, fingerprint).hash(state),
            State::Over => 1_u8.hash(state),
            State::Failed { fingerprint, .. } => (2_u8, fingerprint).hash(state),
        }
    }
}

impl PartialEq for State {
    fn eq(&self, other: &State) -> bool {
        match (self, other) {
            (State::Choosing { fingerprint: one, .. }, State::Choosing { fingerprint: other, .. })
            | (State::Failed { fingerprint: one, .. }, State::Failed { fingerprint: other, .. }) => one == other,
            (State::Over, State::Over) => true,
            _ => false,
        }
    }
}

/// Explores a variant.
pub(super) fn search(
    variant: &Arc<Variant>,
    profile: &Arc<Profile>,
    conditions: &Conditions,
    bounds: Bounds,
) -> Proved {
    let (profile, roster) = provide(variant, profile, conditions.scheme);
    let composition = Composition {
        variant: Arc::clone(variant),
        profile,
        roster,
        conditions: conditions.clone(),
        bounds,
        runs: AtomicUsize::new(0),
        unproved: Mutex::new(None),
    };
    let checker = composition.checker().finish_when(HasDiscoveries::AnyFailures).spawn_dfs().join();
    let (states, runs) = (checker.unique_state_count(), checker.model().runs.load(Ordering::Relaxed));
    // A path is found by playing its runs once more.
    checker.model().runs.store(0, Ordering::Relaxed);
    let failed = checker.discoveries().into_values().next().map(|path| path.last_state().clone());
    let unproved = checker.model().unproved.lock().unwrap_or_else(PoisonError::into_inner).take();
    let proof = match (failed, unproved) {
        (Some(State::Failed { refutation, .. }), _) => Proof::Refuted(Box::new(Arc::unwrap_or_clone(refutation))),
        (_, Some(why)) => Proof::Unproved(why),
        _ => Proof::Sound,
    };
    Proved { variant: Arc::clone(variant), proof, states, runs }
}

impl Composition {
    /// The state in which a run with this tape is cut, or ends.
    fn state(&self, character: Character, server: PermittedServer, tape: &[Deed]) -> State {
        if self.runs.fetch_add(1, Ordering::Relaxed) >= self.bounds.runs {
            return self.give_up(format!("it takes more than {} runs", self.bounds.runs));
        }
        match play(&self.variant, &self.profile, &self.conditions, server, tape, self.roster.clone()) {
            Ended::Cut(Cut::Question(question)) => State::Choosing {
                fingerprint: question.fingerprint,
                character,
                tape: question.tape.into(),
                server: Arc::new(question.server),
                options: question.options.into(),
            },
            Ended::Cut(Cut::DeadEnd) => State::Over,
            Ended::Cut(Cut::Lost(why)) | Ended::Error(why) => self.give_up(why),
            Ended::Played(played, server, now) => match played.verdict.kind() {
                VerdictKind::Pass | VerdictKind::Lenient => State::Over,
                VerdictKind::Fail => match server.can_finish(now, MOVES_TO_FINISH) {
                    Some(false) => State::Over,
                    None => self.give_up("nobody knows whether a failing run can be brought to a right end".to_owned()),
                    Some(true) => {
                        let trace = ConcealedTrace::of(played.trace, Secrets::default());
                        let findings = played.verdict.without(trace.secrets()).findings().to_vec();
                        let refutation = Refutation { character, findings, trace };
                        let mut all = DefaultHasher::new();
                        (character, tape).hash(&mut all);
                        let fingerprint = all.finish();
                        State::Failed { fingerprint, refutation: Arc::new(refutation) }
                    }
                },
                _ => self.give_up(played.verdict.reason().unwrap_or_default()),
            },
        }
    }

    fn give_up(&self, why: String) -> State {
        self.unproved.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        State::Over
    }
}

impl Model for Composition {
    type State = State;
    type Action = usize;

    fn init_states(&self) -> Vec<State> {
        let has_characters =
            |character: &Character| *character != Character::Reserved || self.variant.version.has_properties();
        let characters = Character::ALL.into_iter().filter(has_characters);
        let begin = |character| {
            let server = PermittedServer::new(&self.profile, &self.variant.needs, character);
            self.state(character, server, &[])
        };
        characters.map(begin).collect()
    }

    fn actions(&self, state: &State, actions: &mut Vec<usize>) {
        if let State::Choosing { options, .. } = state {
            actions.extend(0..options.len());
        }
    }

    fn next_state(&self, state: &State, action: usize) -> Option<State> {
        let State::Choosing { character, tape, server, options, .. } = state else { return None };
        let mut tape = tape.to_vec();
        tape.push(options.get(action)?.clone());
        Some(self.state(*character, PermittedServer::clone(server), &tape))
    }

    fn properties(&self) -> Vec<Property<Composition>> {
        vec![Property::always("no permitted run fails the case", |_, state| !matches!(state, State::Failed { .. }))]
    }
}
