//! The closed world: clients, links and the server's sessions, as stateright explores it.
//!
//! What belongs to one client identifier moves by itself almost always: its clients ([`Party`]), its session at the server
//! and the watcher's notes ([`Ghost`]). So a state holds a key for each of them, and their rules are memoised; what this file
//! adds is how they meet.

use super::budget::Budget;
use super::ghost::{Event, Ghost};
use super::intern::{EmissionKey, EventKey, GhostKey, InputsKey, Key, Memo, PartyKey, SessionKey, Table};
use super::party::{Deed, Move, Party};
use super::properties::Claim;
use super::scenario::Scenario;
use crate::packet::ProtocolVersion;
use crate::server::{ConnectionId, Context, Input, MessageKey, Moment, Output, SeededBug, Session, Shares};
use stateright::{Model, Path, Property, Representative};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A scenario as a model for stateright, with what has been computed of it so far.
#[derive(Debug)]
pub(super) struct System {
    pub(super) scenario: Scenario,
    pub(super) bug: Option<SeededBug>,
    pub(super) parties: Table<PartyKey, Party, Prospects>,
    pub(super) sessions: Table<SessionKey, Session, Service>,
    pub(super) ghosts: Table<GhostKey, Ghost>,
    pub(super) inputs: Table<InputsKey, Vec<Input>>,
    pub(super) emissions: Table<EmissionKey, (ConnectionId, Output)>,
    events: Table<EventKey, Event>,
    taken: Memo<Arc<[SessionKey]>>,
    routed: Memo<SessionKey>,
    seen: Memo<(PartyKey, Option<EventKey>)>,
    noted: Memo<GhostKey>,
    /// [`Input::Lost`] alone.
    lost: InputsKey,
    /// What is left of the states that a search may look at.
    pub(super) budget: Budget,
}

/// Client identifiers that a scenario may have.
pub(super) const IDENTITIES: usize = 4;

/// One state of the world: what belongs to each client identifier, in the order of the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    /// How many of the first client identifiers are alike. This never changes; it stands here for [`Representative`].
    alike: usize,
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
    /// The server takes the next packet of a client, with the number of its choice.
    Take(Who, InputsKey, PartyKey, SessionKey, usize),
    /// A packet of a client comes on a connection that the server does not read any more: a newer one has replaced it.
    Discard(Who, InputsKey, PartyKey),
    /// The server notices that a connection is gone, with the number of its choice.
    Notice(usize, SessionKey, usize),
    /// The server sends a packet or closes a connection, with the number of its choice.
    Emit(usize, EmissionKey, SessionKey, usize),
}

/// What may happen to a party without the server's doing.
#[derive(Debug)]
pub(super) struct Prospects {
    moves: Vec<(usize, Prospect, PartyKey)>,
    /// Whether nothing can happen but a broken connection.
    is_idle: bool,
}

/// A [`Deed`] in keys.
#[derive(Debug, Clone, Copy)]
enum Prospect {
    Send(InputsKey, Option<EventKey>),
    Break,
    /// Whether it is CONNECT: that is read on any connection.
    Arrive(InputsKey, bool),
}

/// What a server may do for a session by itself.
#[derive(Debug)]
pub(super) struct Service {
    link: Option<ConnectionId>,
    emissions: Vec<(EmissionKey, SessionKey, usize)>,
}

impl System {
    /// The model of a scenario, perhaps with a planted bug.
    pub(super) fn new(scenario: Scenario, bug: Option<SeededBug>) -> System {
        let inputs = Table::new();
        let lost = inputs.key(vec![Input::Lost]);
        System {
            scenario,
            bug,
            parties: Table::new(),
            sessions: Table::new(),
            ghosts: Table::new(),
            inputs,
            emissions: Table::new(),
            events: Table::new(),
            taken: Memo::new(),
            routed: Memo::new(),
            seen: Memo::new(),
            noted: Memo::new(),
            lost,
            budget: Budget::default(),
        }
    }

    pub(super) fn context(&self) -> Context<'_> {
        Context { profile: self.scenario.profile, vocabulary: &self.scenario.vocabulary, bug: self.bug }
    }

    /// The client identifiers in use.
    pub(super) fn identities<'a>(&self, state: &'a State) -> &'a [Identity] {
        &state.identities[..self.scenario.clients.len()]
    }

    /// Whether nothing more can happen but a broken connection.
    pub(super) fn is_at_rest(&self, state: &State) -> bool {
        self.identities(state).iter().all(|identity| {
            let service = self.service(identity.session);
            self.prospects(identity.party).is_idle && service.emissions.is_empty() && !self.is_gone(service, identity)
        })
    }

    /// Whether the server's connection has no client any more.
    fn is_gone(&self, service: &Service, identity: &Identity) -> bool {
        service.link.is_some_and(|link| !self.parties.get(identity.party).holds(link))
    }

    fn prospects(&self, party: PartyKey) -> &Prospects {
        self.parties.derived(party, |party| {
            let prospect = |Move { actor, deed, after }| {
                let prospect = match deed {
                    Deed::Send(inputs) => {
                        let event = Event::of_sending(&inputs).map(|event| self.events.key(event));
                        Prospect::Send(self.inputs.key(inputs), event)
                    }
                    Deed::Break => Prospect::Break,
                    Deed::Arrive(input) => {
                        let connects = matches!(input, Input::Connect(_));
                        Prospect::Arrive(self.inputs.key(vec![input]), connects)
                    }
                };
                (actor, prospect, self.parties.key(after))
            };
            let moves: Vec<_> = party.moves(&self.scenario).into_iter().map(prospect).collect();
            let is_idle = moves.iter().all(|(_, prospect, _)| matches!(prospect, Prospect::Break));
            Prospects { moves, is_idle }
        })
    }

    fn service(&self, session: SessionKey) -> &Service {
        self.sessions.derived(session, |session| {
            let context = self.context();
            let mut emissions = Vec::new();
            for (connection, output) in session.outputs(&context, Moment::default()) {
                let accepted = session.accept(&context, Moment::default(), connection, &output);
                let emission = self.emissions.key((connection, output));
                for (choice, after) in accepted.unwrap_or_default().into_iter().enumerate() {
                    emissions.push((emission, self.sessions.key(after), choice));
                }
            }
            Service { link: session.link.as_ref().map(|link| link.id), emissions }
        })
    }

    /// The sessions that may follow when the server takes an input.
    fn taken(&self, session: SessionKey, inputs: InputsKey) -> Arc<[SessionKey]> {
        self.taken.get(session.index(), inputs.index(), || {
            let context = self.context();
            let [input] = self.inputs.get(inputs).as_slice() else { return Arc::default() };
            let successors = self.sessions.get(session).input(&context, 0, input).into_iter();
            let successors = successors.map(|mut after| {
                if self.bug == Some(SeededBug::KeepsOlderConnection) {
                    after.older.clear();
                }
                self.sessions.key(after)
            });
            successors.collect()
        })
    }

    /// The router: the message meets the subscriptions of every session at once.
    fn route(&self, state: &mut State, message: MessageKey) {
        for identity in &mut state.identities[..self.scenario.clients.len()] {
            identity.session = self.routed.get(identity.session.index(), message.0, || {
                let (context, session) = (self.context(), self.sessions.get(identity.session));
                let routing =
                    session.routing(&context, self.scenario.vocabulary.of(message), false, Shares::Chosen(&[]));
                self.sessions.key(session.float(message, routing).settle(&context, message))
            });
        }
    }

    /// The client, if it is still there, sees what the server sends.
    fn see(&self, state: &mut State, identity: usize, emission: EmissionKey) {
        let party = state.identities[identity].party;
        let (after, event) = self.seen.get(party.index(), emission.index(), || {
            let (connection, output) = self.emissions.get(emission);
            match self.parties.get(party).see(&self.scenario, *connection, output) {
                Some((after, event)) => (self.parties.key(after), event.map(|event| self.events.key(event))),
                None => (party, None),
            }
        });
        state.identities[identity].party = after;
        if let Some(event) = event {
            self.note(state, identity, event);
        }
    }

    /// The watcher notes an event.
    fn note(&self, state: &mut State, identity: usize, event: EventKey) {
        let concerned = match self.events.get(event).concerns_all() {
            true => &mut state.identities[..self.scenario.clients.len()],
            false => &mut state.identities[identity..=identity],
        };
        for Identity { ghost, .. } in concerned {
            *ghost = self.noted.get(ghost.index(), event.index(), || {
                let has_session_present = self.scenario.version != ProtocolVersion::V3_1;
                self.ghosts.key(self.ghosts.get(*ghost).after(self.events.get(event), has_session_present))
            });
        }
    }
}

impl Model for System {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut identities = [Identity::default(); IDENTITIES];
        for (index, roles) in self.scenario.clients.iter().enumerate() {
            identities[index] = Identity {
                party: self.parties.key(Party::new(self.scenario.part(index), roles.len())),
                session: self.sessions.key(Session::default()),
                ghost: self.ghosts.key(Ghost::default()),
            };
        }
        vec![State { alike: self.scenario.alike(), identities }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if !self.budget.allows_another() {
            return;
        }
        for (index, identity) in self.identities(state).iter().enumerate() {
            let service = self.service(identity.session);
            for (actor, prospect, after) in &self.prospects(identity.party).moves {
                let who = Who { identity: index, actor: *actor };
                match prospect {
                    Prospect::Send(inputs, event) => actions.push(Action::Send(who, *inputs, *after, *event)),
                    Prospect::Break => actions.push(Action::Break(who, *after)),
                    Prospect::Arrive(inputs, connects) => {
                        let link = self.parties.get(identity.party).actors[*actor].link;
                        if !connects && service.link != link {
                            actions.push(Action::Discard(who, *inputs, *after));
                            continue;
                        }
                        for (choice, session) in self.taken(identity.session, *inputs).iter().enumerate() {
                            actions.push(Action::Take(who, *inputs, *after, *session, choice));
                        }
                    }
                }
            }
        }
        for (index, identity) in self.identities(state).iter().enumerate() {
            let service = self.service(identity.session);
            if self.is_gone(service, identity) {
                for (choice, session) in self.taken(identity.session, self.lost).iter().enumerate() {
                    actions.push(Action::Notice(index, *session, choice));
                }
            }
            for (emission, after, choice) in &service.emissions {
                actions.push(Action::Emit(index, *emission, *after, *choice));
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = *state;
        match action {
            Action::Send(who, _, party, event) => {
                next.identities[who.identity].party = party;
                if let Some(event) = event {
                    self.note(&mut next, who.identity, event);
                }
            }
            Action::Break(who, party) | Action::Discard(who, _, party) => next.identities[who.identity].party = party,
            Action::Take(who, inputs, party, session, _) => {
                next.identities[who.identity] = Identity { party, session, ..next.identities[who.identity] };
                match self.inputs.get(inputs).as_slice() {
                    [Input::Publish { message, .. }] => self.route(&mut next, *message),
                    [input] => {
                        if let Some(event) = Event::of_taking(input) {
                            self.note(&mut next, who.identity, self.events.key(event));
                        }
                    }
                    _ => {}
                }
            }
            Action::Notice(identity, session, _) => next.identities[identity].session = session,
            Action::Emit(identity, emission, session, _) => {
                next.identities[identity].session = session;
                self.see(&mut next, identity, emission);
            }
        }
        Some(next)
    }

    fn format_action(&self, action: &Action) -> String {
        self.label(action)
    }

    fn format_step(&self, state: &State, action: Action) -> Option<String> {
        self.next_state(state, action).map(|next| self.difference(state, &next))
    }

    fn as_svg(&self, path: Path<State, Action>) -> Option<String> {
        Some(self.drawing(&path.into_actions()))
    }

    fn properties(&self) -> Vec<Property<System>> {
        self.scenario.claims.iter().map(Claim::property).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::scenario::{Scale, scenarios};
    use super::*;
    use std::collections::HashSet;

    /// The checker passes over an output without successor in silence, so this must not exist.
    #[test]
    fn what_a_session_offers_it_accepts() {
        for scenario in scenarios(Scale::Small) {
            let system = System::new(scenario, None);
            let mut waiting = system.init_states();
            let mut seen: HashSet<State> = waiting.iter().copied().collect();
            let mut offered = 0;
            while let Some(state) = waiting.pop().filter(|_| seen.len() < 10_000) {
                for identity in system.identities(&state) {
                    let session = system.sessions.get(identity.session);
                    for (connection, output) in session.outputs(&system.context(), Moment::default()) {
                        let accepted = session.accept(&system.context(), Moment::default(), connection, &output);
                        assert!(accepted.is_ok_and(|next| !next.is_empty()), "{output:?} in {session:#?}");
                        offered += 1;
                    }
                }
                waiting.extend(system.next_states(&state).into_iter().filter(|next| seen.insert(*next)));
            }
            assert!(offered > 1_000, "{} offers {offered} outputs", system.scenario.name);
        }
    }
}
