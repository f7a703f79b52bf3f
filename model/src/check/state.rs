//! A state of the world in keys, and what can happen in it.

use super::intern::{CallOutputKey, EmissionKey, EventKey, GhostKey, InputsKey, Key, PartyKey, RouterKey, SessionKey};
use super::router::Taken;
use crate::server::{MessageKey, Millis};
use stateright::Representative;
use std::hash::{Hash, Hasher};

/// Client identifiers that a scenario may have.
pub(super) const IDENTITIES: usize = 4;

/// One state of the world: what belongs to each client identifier, in the order of the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    /// How many of the first client identifiers are alike. This never changes; it stands here for [`Representative`].
    pub(super) alike: usize,
    pub(super) router: RouterKey,
    pub(super) identities: [Identity; IDENTITIES],
}

/// What belongs to one client identifier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    pub(super) party: PartyKey,
    pub(super) session: SessionKey,
    pub(super) ghost: GhostKey,
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u32(self.router.index());
        for Identity { party, session, ghost } in &self.identities {
            hasher.write_u64(u64::from(party.index()) << 32 | u64::from(session.index()));
            hasher.write_u32(ghost.index());
        }
    }
}

impl Representative for State {
    /// Those who are alike may change places: of all the states that differ in nothing else, the one in which they are sorted.
    fn representative(&self) -> State {
        let mut sorted = *self;
        sorted.identities[..self.alike].sort_unstable();
        sorted
    }
}

/// A client: the client identifier that it uses, and which of those who do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) identity: usize,
    pub(super) actor: usize,
}

/// Something that happens, with what it makes of those that it happens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// A client sends.
    Send(Who, InputsKey, PartyKey, Option<EventKey>),
    /// A client's connection breaks; the server does not know yet.
    Break(Who, PartyKey),
    /// The server takes the next packet of a client, with the number of its choice. A message for a group goes to one member.
    Take(Who, InputsKey, PartyKey, Taken, RouterKey, Option<usize>, usize),
    /// A packet of a client comes on a connection that the server does not read any more: a newer one has replaced it.
    Discard(Who, InputsKey, PartyKey),
    /// The server notices that a connection is gone, with the number of its choice.
    Notice(usize, Taken, RouterKey, usize),
    /// The server sends a packet or closes a connection, with the number of its choice.
    Emit(usize, EmissionKey, SessionKey, usize),
    /// The server publishes a Will.
    PublishWill(usize, MessageKey, SessionKey),
    /// The cloud calls the device.
    Call(RouterKey),
    /// The server sends something for the call, to the device or to the cloud.
    EmitForCall(CallOutputKey, RouterKey),
    /// Time passes.
    Pass(Millis),
}
