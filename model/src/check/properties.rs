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

/// A property: its name says what it claims.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub(super) name: &'static str,
    expected: Expected,
    holds: fn(&System, &State) -> bool,
}

const fn always(name: &'static str, holds: fn(&System, &State) -> bool) -> Claim {
    Claim { name, expected: Expected::Always, holds }
}

const fn sometimes(name: &'static str, holds: fn(&System, &State) -> bool) -> Claim {
    Claim { name, expected: Expected::Sometimes, holds }
}

/// Claimed of every world.
pub(super) const EVERYWHERE: [Claim; 6] = [
    always("an acknowledged QoS 1 message reaches its subscriber", |system, state| {
        state.ghosts.iter().all(|ghost| ghost.must & !ghost.got == 0) || !system.is_at_rest(state)
    }),
    always("identifiers of open deliveries are unique", |_, state| without(state, Fault::IdentifierInUse)),
    always("Session Present tells the truth", |_, state| without(state, Fault::SessionPresentLies)),
    always("a repeated delivery has DUP and its identifier", |_, state| without(state, Fault::RepeatedWrongly)),
    always("messages of one publisher arrive in order", |_, state| without(state, Fault::OutOfOrder)),
    always("a delivered QoS is what publisher and grant allow", |_, state| without(state, Fault::WrongQos)),
];

pub(super) const WINDOW_IS_OBEYED: Claim =
    always("no more deliveries are open than Receive Maximum", |_, state| without(state, Fault::WindowOverrun));

pub(super) const SILENT_AFTER_UNSUBACK: Claim =
    always("nothing published after the UNSUBACK is delivered", |_, state| without(state, Fault::AfterUnsubscribe));

pub(super) const OLDER_CONNECTION_CLOSES: Claim =
    always("a connection that was taken over is closed", |system, state| {
        let linked = |session: usize| {
            let roles = state.actors.iter().zip(&system.scenario.roles);
            roles.filter(|(actor, role)| role.session == session && actor.link.is_some()).count()
        };
        (0..state.sessions.len()).all(|session| linked(session) <= 1) || !system.is_at_rest(state)
    });

pub(super) const DELIVERY_IS_REPEATED: Claim =
    sometimes("a delivery is repeated", |_, state| any(state, |ghost| ghost.repeated));

pub(super) const SESSION_IS_RESUMED: Claim =
    sometimes("a session is resumed", |_, state| any(state, |ghost| ghost.resumed));

pub(super) const WINDOW_IS_FULL: Claim =
    sometimes("the window is full", |_, state| any(state, |ghost| ghost.window_full));

pub(super) const CONNECTION_IS_TAKEN_OVER: Claim =
    sometimes("a connection is taken over", |_, state| any(state, |ghost| ghost.taken_over));

pub(super) const LATE_MESSAGE: Claim =
    sometimes("a message comes after the UNSUBACK", |_, state| any(state, |ghost| ghost.late_message));

pub(super) const QOS_IS_RAISED: Claim =
    sometimes("a QoS 1 message comes to a QoS 0 request", |_, state| any(state, |ghost| ghost.raised_qos));

pub(super) const ALL_ARRIVE: Claim = sometimes("all messages have arrived", |system, state| {
    let all = (1_u8 << system.scenario.vocabulary.messages().count()) - 1;
    any(state, |ghost| ghost.got == all)
});

impl Claim {
    /// The claim as stateright takes it.
    pub(super) fn property(&self) -> Property<System> {
        match self.expected {
            Expected::Always => Property::always(self.name, self.holds),
            Expected::Sometimes => Property::sometimes(self.name, self.holds),
        }
    }
}

fn without(state: &State, fault: Fault) -> bool {
    !any(state, |ghost| ghost.has(fault))
}

fn any(state: &State, holds: impl Fn(&Ghost) -> bool) -> bool {
    state.ghosts.iter().any(holds)
}
