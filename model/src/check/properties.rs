//! What is claimed of a world: `always` claims are the point, `sometimes` witnesses show that they are not empty.

use super::ghost::{Fault, Ghost};
use super::system::{State, System};
use stateright::Property;

/// What a property claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It holds in every state.
    Always,
    /// There is a state in which it holds.
    Sometimes,
}

type Claim = (&'static str, Expected, fn(&System, &State) -> bool);

const CLAIMS: [Claim; 16] = [
    ("an acknowledged QoS 1 message reaches its subscriber", Expected::Always, |system, state| {
        state.ghosts.iter().all(|ghost| ghost.must & !ghost.got == 0) || !system.is_at_rest(state)
    }),
    ("identifiers of open deliveries are unique", Expected::Always, |_, state| without(state, Fault::IdentifierInUse)),
    ("no more deliveries are open than Receive Maximum", Expected::Always, |_, state| {
        without(state, Fault::WindowOverrun)
    }),
    ("Session Present tells the truth", Expected::Always, |_, state| without(state, Fault::SessionPresentLies)),
    ("a repeated delivery has DUP and its identifier", Expected::Always, |_, state| {
        without(state, Fault::RepeatedWrongly)
    }),
    ("messages of one publisher arrive in order", Expected::Always, |_, state| without(state, Fault::OutOfOrder)),
    ("a delivered QoS is what publisher and grant allow", Expected::Always, |_, state| without(state, Fault::WrongQos)),
    ("nothing published after the UNSUBACK is delivered", Expected::Always, |_, state| {
        without(state, Fault::AfterUnsubscribe)
    }),
    ("a connection that was taken over is closed", Expected::Always, |system, state| {
        let taken_over = state.ghosts.iter().any(|ghost| ghost.taken_over);
        let linked = |session: usize| {
            let roles = state.actors.iter().zip(&system.scenario.roles);
            roles.filter(|(actor, role)| role.session == session && actor.link.is_some()).count()
        };
        !taken_over || (0..state.sessions.len()).all(|session| linked(session) <= 1) || !system.is_at_rest(state)
    }),
    ("a delivery is repeated", Expected::Sometimes, |_, state| any(state, |ghost| ghost.repeated)),
    ("a session is resumed", Expected::Sometimes, |_, state| any(state, |ghost| ghost.resumed)),
    ("the window is full", Expected::Sometimes, |_, state| any(state, |ghost| ghost.window_full)),
    ("a connection is taken over", Expected::Sometimes, |_, state| any(state, |ghost| ghost.taken_over)),
    ("a message overtakes the UNSUBACK", Expected::Sometimes, |_, state| any(state, |ghost| ghost.late_message)),
    ("a QoS 1 message comes to a QoS 0 request", Expected::Sometimes, |_, state| any(state, |ghost| ghost.raised_qos)),
    ("all messages have arrived", Expected::Sometimes, |system, state| {
        let all = (1_u8 << system.scenario.vocabulary.messages().count()) - 1;
        any(state, |ghost| ghost.got == all)
    }),
];

fn without(state: &State, fault: Fault) -> bool {
    !any(state, |ghost| ghost.has(fault))
}

fn any(state: &State, holds: impl Fn(&Ghost) -> bool) -> bool {
    state.ghosts.iter().any(holds)
}

/// The claims of these names, as stateright takes them.
pub(super) fn of(names: &[&str]) -> Vec<Property<System>> {
    names
        .iter()
        .filter_map(|name| CLAIMS.iter().find(|(known, ..)| known == name))
        .map(|(name, expected, holds)| match expected {
            Expected::Always => Property::always(name, *holds),
            Expected::Sometimes => Property::sometimes(name, *holds),
        })
        .collect()
}
