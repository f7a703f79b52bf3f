//! The closed world: clients, links and the server's sessions, as stateright explores it.
//!
//! What belongs to one client identifier moves by itself almost always: its clients ([`Party`]), its session at the server
//! and the watcher's notes ([`Ghost`]). So a state holds a key for each of them, and their rules are memoised; what this file
//! adds is how they meet.

use super::budget::Budget;
use super::ghost::{Event, Ghost};
use super::intern::{EmissionKey, EventKey, GhostKey, InputsKey, Key, Memo, PartyKey, RouterKey, SessionKey, Table};
use super::party::{Deed, Move, Party};
use super::properties::Claim;
use super::router::{Router, Service, Taken, Timed};
use super::scenario::Scenario;
use crate::packet::ProtocolVersion;
use crate::server::{ConnectionId, Context, Input, MessageKey, Millis, Output, SeededBug};
use stateright::{Model, Path, Property, Representative};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A scenario as a model for stateright, with what has been computed of it so far.
#[derive(Debug)]
pub(super) struct System {
    pub(super) scenario: Scenario,
    pub(super) bug: Option<SeededBug>,
    pub(super) parties: Table<PartyKey, Party, Prospects>,
    pub(super) sessions: Table<SessionKey, Timed, Service>,
    pub(super) ghosts: Table<GhostKey, Ghost>,
    pub(super) routers: Table<RouterKey, Router>,
    pub(super) inputs: Table<InputsKey, Vec<Input>>,
    /// With the moment at which it is sent.
    pub(super) emissions: Table<EmissionKey, (ConnectionId, Output, Millis)>,
    pub(super) events: Table<EventKey, Event>,
    pub(super) taken: Memo<(SessionKey, InputsKey), Arc<[Taken]>>,
    pub(super) met: Memo<(RouterKey, InputsKey), InputsKey>,
    pub(super) routed: Memo<(SessionKey, MessageKey, bool, bool), SessionKey>,
    seen: Memo<(PartyKey, EmissionKey), (PartyKey, Option<EventKey>)>,
    noted: Memo<(GhostKey, EventKey), GhostKey>,
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
    Take(Who, InputsKey, PartyKey, Taken, Option<usize>, usize),
    /// A packet of a client comes on a connection that the server does not read any more: a newer one has replaced it.
    Discard(Who, InputsKey, PartyKey),
    /// The server notices that a connection is gone, with the number of its choice.
    Notice(usize, Taken, usize),
    /// The server sends a packet or closes a connection, with the number of its choice.
    Emit(usize, EmissionKey, SessionKey, usize),
    /// The server publishes a Will.
    PublishWill(usize, MessageKey, SessionKey),
    /// Time passes.
    Pass(Millis),
}

/// What may happen to a party without the server's doing.
#[derive(Debug)]
pub(super) struct Prospects {
    moves: Vec<(usize, Prospect, PartyKey)>,
    /// Whether nothing can happen but a broken connection.
    is_idle: bool,
    /// Whether nothing can happen but a broken connection and a new one.
    is_idle_without_returns: bool,
}

/// A [`Deed`] in keys.
#[derive(Debug, Clone, Copy)]
enum Prospect {
    Send(InputsKey, Option<EventKey>),
    Break,
    Arrive(InputsKey, Arrival),
}

/// What arrives at the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    /// It is read on any connection.
    Connect,
    /// It meets retained messages.
    Subscribe,
    Other,
}

impl System {
    /// The model of a scenario, perhaps with a planted bug.
    pub(super) fn new(scenario: Scenario, bug: Option<SeededBug>) -> System {
        let inputs = Table::new();
        System {
            scenario,
            bug,
            parties: Table::new(),
            sessions: Table::new(),
            ghosts: Table::new(),
            routers: Table::new(),
            emissions: Table::new(),
            taken: Memo::new(),
            met: Memo::new(),
            routed: Memo::new(),
            seen: Memo::new(),
            noted: Memo::new(),
            lost: inputs.key(vec![Input::Lost]),
            inputs,
            events: Table::new(),
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
        self.rests(state, |prospects| prospects.is_idle)
    }

    /// Whether nothing more would happen if clients without connection stayed away.
    pub(super) fn is_at_rest_without_returns(&self, state: &State) -> bool {
        self.rests(state, |prospects| prospects.is_idle_without_returns)
    }

    fn rests(&self, state: &State, is_idle: fn(&Prospects) -> bool) -> bool {
        self.next_moment(state).is_none()
            && self.identities(state).iter().all(|identity| {
                let service = self.service(identity.session);
                is_idle(self.prospects(identity.party))
                    && service.emissions.is_empty()
                    && service.wills.is_empty()
                    && !self.is_gone(service, identity)
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
                        let arrival = match input {
                            Input::Connect(_) => Arrival::Connect,
                            Input::Subscribe { .. } => Arrival::Subscribe,
                            _ => Arrival::Other,
                        };
                        Prospect::Arrive(self.inputs.key(vec![input]), arrival)
                    }
                };
                (actor, prospect, self.parties.key(after))
            };
            let moves: Vec<_> = party.moves(&self.scenario).into_iter().map(prospect).collect();
            let is_return = |prospect| match prospect {
                Prospect::Send(inputs, _) => matches!(self.inputs.get(inputs).as_slice(), [Input::Connect(_), ..]),
                _ => false,
            };
            let breaks = |prospect| matches!(prospect, Prospect::Break);
            Prospects {
                is_idle: moves.iter().all(|(_, prospect, _)| breaks(*prospect)),
                is_idle_without_returns: moves.iter().all(|(_, it, _)| breaks(*it) || is_return(*it)),
                moves,
            }
        })
    }

    fn take(&self, state: &mut State, identity: usize, taken: Taken) {
        state.identities[identity].session = taken.session;
        if let Some(event) = taken.event {
            self.note(state, identity, event);
        }
    }

    /// The client, if it is still there, sees what the server sends.
    fn see(&self, state: &mut State, identity: usize, emission: EmissionKey) {
        let party = state.identities[identity].party;
        let (after, event) = self.seen.get((party, emission), || {
            let (connection, output, now) = self.emissions.get(emission);
            match self.parties.get(party).see(&self.scenario, *connection, output, *now) {
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
            *ghost = self.noted.get((*ghost, event), || {
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
                session: self.sessions.key(Timed::default()),
                ghost: self.ghosts.key(Ghost::default()),
            };
        }
        vec![State { alike: self.scenario.alike(), router: self.routers.key(Router::default()), identities }]
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
                    Prospect::Arrive(inputs, arrival) => {
                        let link = self.parties.get(identity.party).actors[*actor].link;
                        if *arrival != Arrival::Connect && service.link != link {
                            actions.push(Action::Discard(who, *inputs, *after));
                            continue;
                        }
                        let inputs = match arrival {
                            Arrival::Subscribe => self.met(state.router, *inputs),
                            Arrival::Connect | Arrival::Other => *inputs,
                        };
                        for (choice, taken) in self.taken(identity.session, inputs).iter().enumerate() {
                            let members = taken.message.map(|message| self.members(state, message)).unwrap_or_default();
                            let take = |member| Action::Take(who, inputs, *after, *taken, member, choice);
                            match members.is_empty() {
                                true => actions.push(take(None)),
                                false => actions.extend(members.into_iter().map(|member| take(Some(member)))),
                            }
                        }
                    }
                }
            }
        }
        for (index, identity) in self.identities(state).iter().enumerate() {
            let service = self.service(identity.session);
            if self.is_gone(service, identity) {
                for (choice, taken) in self.taken(identity.session, self.lost).iter().enumerate() {
                    actions.push(Action::Notice(index, *taken, choice));
                }
            }
            for (emission, after, choice) in &service.emissions {
                actions.push(Action::Emit(index, *emission, *after, *choice));
            }
            for (message, after) in &service.wills {
                actions.push(Action::PublishWill(index, *message, *after));
            }
        }
        actions.extend(self.next_moment(state).map(Action::Pass));
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
            Action::Take(who, _, party, taken, member, _) => {
                next.identities[who.identity].party = party;
                self.take(&mut next, who.identity, taken);
                if let Some(message) = taken.message {
                    self.route(&mut next, who.identity, message, member);
                }
            }
            Action::Notice(identity, taken, _) => self.take(&mut next, identity, taken),
            Action::PublishWill(identity, message, session) => {
                next.identities[identity].session = session;
                let now = self.routers.get(state.router).now;
                // For all others it is a message like any other, and certain at once.
                for event in [Event::WillPublished { now }, Event::Published(message), Event::Acknowledged(message)] {
                    self.note(&mut next, identity, self.events.key(event));
                }
                self.route(&mut next, identity, message, None);
            }
            Action::Pass(now) => self.pass(&mut next, now),
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
    use crate::server::Moment;
    use std::collections::{BTreeMap, HashSet};

    /// The checker passes over an output without successor in silence, so this must not exist.
    #[test]
    fn what_a_session_offers_it_accepts() {
        let mut offered: BTreeMap<String, usize> = BTreeMap::new();
        for scenario in scenarios(Scale::Quick) {
            let system = System::new(scenario, None);
            let mut waiting = system.init_states();
            let mut seen: HashSet<State> = waiting.iter().copied().collect();
            let offered = offered.entry(system.scenario.profile.name.clone()).or_default();
            while let Some(state) = waiting.pop().filter(|_| seen.len() < 10_000) {
                for identity in system.identities(&state) {
                    let Timed { session, now } = system.sessions.get(identity.session);
                    let moment = Moment { now: *now, silence: 0 };
                    for (connection, output) in session.outputs(&system.context(), moment) {
                        let accepted = session.accept(&system.context(), moment, connection, &output);
                        assert!(accepted.is_ok_and(|next| !next.is_empty()), "{output:?} in {session:#?}");
                        *offered += 1;
                    }
                }
                waiting.extend(system.next_states(&state).into_iter().filter(|next| seen.insert(*next)));
            }
        }
        assert!(offered.len() > 1 && offered.values().all(|outputs| *outputs >= 10_000), "{offered:?}");
    }
}
