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
    always("an acknowledged message reaches its subscriber", |system, state| {
        !any(system, state, |ghost| ghost.must & !ghost.excluded & !ghost.got != 0) || !system.is_at_rest(state)
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

pub(super) const DELIVERED_ONCE: Claim =
    always("a QoS 2 message is delivered once", |system, state| without(system, state, Fault::DeliveredTwice));

pub(super) const CONNECTION_IS_KEPT: Claim =
    always("a client that breaks no rule keeps its connection", |system, state| {
        without(system, state, Fault::ClosedWithoutReason)
    });

pub(super) const EXPIRED_IS_DROPPED: Claim =
    always("an expired message is not delivered", |system, state| without(system, state, Fault::Expired));

pub(super) const MESSAGE_EXPIRES: Claim = sometimes("a message expires before it has arrived", |system, state| {
    any(system, state, |ghost| ghost.must & !ghost.got != 0) && system.is_at_rest(state)
});

pub(super) const OWN_IS_NOT_DELIVERED: Claim =
    always("with No Local a client's own messages do not come", |system, state| {
        without(system, state, Fault::Unwanted)
    });

pub(super) const ALL_OTHERS_ARRIVE: Claim = sometimes("all messages of others have arrived", |system, state| {
    let all = (1_u8 << system.scenario.vocabulary.messages().count()) - 1;
    any(system, state, |ghost| ghost.excluded != 0 && ghost.got == all & !ghost.excluded)
});

pub(super) const ONE_MEMBER_GETS_IT: Claim = always("a message for a group comes to one member", |system, state| {
    let (_, twice) = system.identities(state).iter().fold((0, 0), |(once, twice), identity| {
        let got = system.ghosts.get(identity.ghost).got;
        (once | got, twice | (once & got))
    });
    twice == 0
});

pub(super) const LAST_MEMBER_GETS_ALL: Claim =
    always("what is published when only one member is left comes to it", |system, state| {
        let ghosts = || system.identities(state).iter().map(|identity| system.ghosts.get(identity.ghost));
        let left = ghosts().fold(0, |left, ghost| left | ghost.never);
        ghosts().all(|ghost| ghost.must & left & !ghost.got == 0) || !system.is_at_rest(state)
    });

pub(super) const BOTH_GET_SOME: Claim = sometimes("two members get one message each", |system, state| {
    let got = |identity: &&Identity| system.ghosts.get(identity.ghost).got != 0;
    system.identities(state).iter().filter(got).count() > 1
});

pub(super) const RETAINED_IS_ASKED_FOR: Claim = always(
    "RETAIN 1 comes once for a subscription that asks for what is retained, and never on a live message",
    |system, state| without(system, state, Fault::RetainedUnasked),
);

pub(super) const RETAINED_ARRIVES: Claim =
    always("a subscription gets the retained message that it asks for", |system, state| {
        !any(system, state, |ghost| ghost.met & !ghost.got_retained != 0) || !system.is_at_rest(state)
    });

pub(super) const BOTH_KINDS_ARRIVE: Claim =
    sometimes("one message is retained and the next one live", |system, state| {
        any(system, state, |ghost| ghost.got_retained != 0 && ghost.got & !ghost.got_retained != 0)
    });

pub(super) const WILL_IS_IN_PLACE: Claim =
    always("a Will is published only when it is due and was not taken back", |system, state| {
        without(system, state, Fault::WillOutOfPlace)
    });

pub(super) const WILL_IS_PUBLISHED: Claim =
    always("the Will of a client that stays away is published", |system, state| {
        let now = system.routers.get(state.router).now;
        !any(system, state, |ghost| ghost.will.due.is_some_and(|due| due <= now))
            || !system.is_at_rest_without_returns(state)
    });

pub(super) const WILL_ARRIVES: Claim = sometimes("a Will arrives", |system, state| {
    any(system, state, |ghost| ghost.will.published) && any(system, state, |ghost| ghost.got != 0)
});

pub(super) const NO_WILLS: Claim =
    always("a dialect without Wills publishes none", |system, state| !any(system, state, |ghost| ghost.will.published));

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
