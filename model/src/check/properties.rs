//! What is claimed of a world: `always` claims are the point, `sometimes` witnesses show that they are not empty.

use super::ghost::{Fault, Ghost};
use super::system::{Identity, State, System};
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
        !any(system, state, |ghost| ghost.must & !ghost.got != 0) || !system.is_at_rest(state)
    }),
    always("identifiers of open deliveries are unique", |system, state| without(system, state, Fault::IdentifierInUse)),
    always("Session Present tells the truth", |system, state| without(system, state, Fault::SessionPresentLies)),
    always("a repeated delivery has DUP and its identifier", |system, state| {
        without(system, state, Fault::RepeatedWrongly)
    }),
    always("messages of one publisher arrive in order", |system, state| without(system, state, Fault::OutOfOrder)),
    always("a delivered QoS is what publisher and grant allow", |system, state| {
        without(system, state, Fault::WrongQos)
    }),
];

pub(super) const WINDOW_IS_OBEYED: Claim =
    always("no more deliveries are open than Receive Maximum", |system, state| {
        without(system, state, Fault::WindowOverrun)
    });

pub(super) const SILENT_AFTER_UNSUBACK: Claim =
    always("nothing published after the UNSUBACK is delivered", |system, state| {
        without(system, state, Fault::AfterUnsubscribe)
    });

pub(super) const OLDER_CONNECTION_CLOSES: Claim =
    always("a connection that was taken over is closed", |system, state| {
        let is_alone = |identity: &Identity| {
            let actors = &system.parties.get(identity.party).actors;
            actors.len() == 1 || actors.iter().filter(|actor| actor.link.is_some()).count() <= 1
        };
        system.identities(state).iter().all(is_alone) || !system.is_at_rest(state)
    });

pub(super) const DELIVERY_IS_REPEATED: Claim =
    sometimes("a delivery is repeated", |system, state| any(system, state, |ghost| ghost.repeated));

pub(super) const SESSION_IS_RESUMED: Claim =
    sometimes("a session is resumed", |system, state| any(system, state, |ghost| ghost.resumed));

pub(super) const WINDOW_IS_FULL: Claim =
    sometimes("the window is full", |system, state| any(system, state, |ghost| ghost.window_full));

pub(super) const CONNECTION_IS_TAKEN_OVER: Claim = sometimes("a connection is taken over", |system, state| {
    system.identities(state).iter().any(|identity| !system.sessions.get(identity.session).session.older.is_empty())
});

pub(super) const LATE_MESSAGE: Claim =
    sometimes("a message comes after the UNSUBACK", |system, state| any(system, state, |ghost| ghost.late_message));

pub(super) const QOS_IS_RAISED: Claim =
    sometimes("a QoS 1 message comes to a QoS 0 request", |system, state| any(system, state, |ghost| ghost.raised_qos));

pub(super) const ALL_ARRIVE: Claim = sometimes("all messages have arrived", |system, state| {
    let all = (1_u8 << system.scenario.vocabulary.messages().count()) - 1;
    any(system, state, |ghost| ghost.got == all)
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

fn without(system: &System, state: &State, fault: Fault) -> bool {
    !any(system, state, |ghost| ghost.has(fault))
}

fn any(system: &System, state: &State, holds: impl Fn(&Ghost) -> bool) -> bool {
    system.identities(state).iter().any(|identity| holds(system.ghosts.get(identity.ghost)))
}
