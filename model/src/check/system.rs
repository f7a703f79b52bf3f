//! The closed world: clients, links and the server's sessions, as stateright explores it.

use super::actor::Actor;
use super::ghost::{Fault, Ghost, bit};
use super::properties::Claim;
use super::scenario::{Role, Scenario, Step};
use crate::packet::{PacketId, ProtocolVersion, Qos, SubscriptionOptions};
use crate::profile::Feature;
use crate::server::{
    ConnectTerms, ConnectionId, Context, FilterRequest, Input, Lifetime, MessageKey, Moment, Output, SeededBug,
    Session, Shares,
};
use stateright::{Model, Path, Property};

/// A scenario as a model for stateright.
#[derive(Debug, Clone)]
pub struct System {
    pub(super) scenario: Scenario,
    pub(super) bug: Option<SeededBug>,
}

/// One state of the world.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// The clients, in the order of the scenario.
    pub(super) actors: Vec<Actor>,
    /// The server: one session for each client identifier.
    pub(super) sessions: Vec<Session>,
    /// What the watcher knows of each session.
    pub(super) ghosts: Vec<Ghost>,
}

/// Something that happens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Action {
    /// A client sends: the next step of its script, CONNECT and what was not answered on a new connection, or PUBACK of the
    /// oldest open delivery.
    Send(usize, Vec<Input>),
    /// A client's connection breaks; the server does not know yet.
    Break(usize),
    /// The server takes the next packet of a client, with the number of its choice.
    Take(usize, Input, usize),
    /// The server notices that a connection is gone.
    Notice(usize),
    /// The server sends a packet or closes a connection, with the number of its choice.
    Emit(usize, ConnectionId, Output, usize),
}

/// Packets of one client that may be on their way at once.
const LINK_CAPACITY: usize = 2;

impl System {
    /// The model of a scenario, perhaps with a planted bug.
    #[must_use]
    pub fn new(scenario: Scenario, bug: Option<SeededBug>) -> System {
        System { scenario, bug }
    }

    pub(super) fn context(&self) -> Context<'_> {
        Context { profile: self.scenario.profile, vocabulary: &self.scenario.vocabulary, bug: self.bug }
    }

    fn role(&self, actor: usize) -> &Role {
        &self.scenario.roles[actor]
    }

    /// Whether nothing more can happen but a broken connection.
    pub(super) fn is_at_rest(&self, state: &State) -> bool {
        let mut actions = Vec::new();
        self.actions(state, &mut actions);
        actions.iter().all(|action| matches!(action, Action::Break(_)))
    }

    /// What a client would send next for its script; nothing if it has to wait, or is done.
    fn next_inputs(&self, state: &State, index: usize) -> Vec<Input> {
        let (actor, role) = (&state.actors[index], self.role(index));
        if actor.dismissed {
            return Vec::new();
        }
        if actor.link.is_none() {
            let again = actor.unanswered.iter();
            let again = again.map(|(id, message)| Input::Publish {
                message: *message,
                id: Some(*id),
                alias: None,
                offence: None,
            });
            return std::iter::once(self.connect(actor, index)).chain(again).collect();
        }
        if !actor.connected || actor.asking || actor.sent.len() >= LINK_CAPACITY {
            return Vec::new();
        }
        match role.script.get(actor.step) {
            Some(Step::Subscribe(filter, qos)) => {
                let options = SubscriptionOptions { qos: *qos, ..SubscriptionOptions::default() };
                let requests = vec![FilterRequest {
                    filter: *filter,
                    options,
                    identifier: None,
                    retained: Vec::new(),
                    offence: None,
                }];
                vec![Input::Subscribe { id: PacketId::FIRST, requests }]
            }
            Some(Step::Unsubscribe(filter)) => vec![Input::Unsubscribe { id: PacketId::FIRST, filters: vec![*filter] }],
            Some(Step::Publish(message)) => {
                let above_qos_0 = self.scenario.vocabulary.of(*message).qos > Qos::AtMostOnce;
                let number = u16::try_from(message.0 + 1).ok().filter(|_| above_qos_0);
                vec![Input::Publish {
                    message: *message,
                    id: number.and_then(PacketId::new),
                    alias: None,
                    offence: None,
                }]
            }
            Some(Step::Connect) | None => Vec::new(),
        }
    }

    fn connect(&self, actor: &Actor, index: usize) -> Input {
        let role = self.role(index);
        let clients = u32::try_from(self.scenario.roles.len()).unwrap_or(u32::MAX);
        Input::Connect(ConnectTerms {
            connection: ConnectionId(u32::from(actor.attempts) * clients + u32::try_from(index).unwrap_or(u32::MAX)),
            version: self.scenario.version,
            clean_start: !role.lasting,
            lifetime: if role.lasting { Lifetime::Forever } else { Lifetime::Connection },
            keep_alive: 0,
            receive_maximum: role.receive_maximum,
            maximum_packet_size: None,
            will: None,
            authenticates: false,
            offence: None,
        })
    }

    /// A client sends, and the watcher notes what that means.
    fn send(&self, state: &mut State, index: usize, inputs: &[Input]) {
        let session = self.role(index).session;
        let State { actors, ghosts, .. } = state;
        let actor = &mut actors[index];
        let again = matches!(inputs, [Input::Connect(_), ..]);
        for input in inputs {
            match input {
                Input::Connect(terms) => {
                    actor.attempts += 1;
                    actor.link = Some(terms.connection);
                    actor.step = actor.step.max(1);
                }
                Input::Puback { id } => actor.open.retain(|(open, _)| open != id),
                Input::Publish { message, .. } if again => {
                    ghosts.iter_mut().for_each(|ghost| ghost.sent_again |= bit(*message));
                }
                Input::Publish { message, id, .. } => {
                    actor.step += 1;
                    actor.unanswered.extend(id.map(|id| (id, *message)));
                    for ghost in ghosts.iter_mut() {
                        ghost.eligible |= if ghost.subscribed { bit(*message) } else { 0 };
                        ghost.never |= if ghost.unsubscribed && !ghost.subscribed { bit(*message) } else { 0 };
                    }
                }
                Input::Subscribe { .. } => {
                    actor.step += 1;
                    actor.asking = true;
                }
                Input::Unsubscribe { .. } => {
                    actor.step += 1;
                    actor.asking = true;
                    ghosts[session].subscribed = false;
                    ghosts[session].must &= ghosts[session].got;
                }
                Input::Pubrec { .. } | Input::Pubrel { .. } | Input::Pubcomp { .. } | Input::Auth => {}
                Input::Pingreq | Input::Disconnect { .. } | Input::Offence(_) | Input::Lost => {}
            }
        }
        actor.sent.extend(inputs.iter().cloned());
    }

    /// The successors of the server taking the next packet of a client.
    fn take(&self, state: &State, index: usize) -> Vec<State> {
        let session = self.role(index).session;
        let mut next = state.clone();
        let input = next.actors[index].sent.remove(0);
        let served = state.sessions[session].link.as_ref().map(|link| link.id);
        if !matches!(input, Input::Connect(_)) && served != state.actors[index].link {
            // A newer connection has replaced this one: the server does not read it any more.
            return vec![next];
        }
        let context = self.context();
        let sessions = state.sessions[session].input(&context, 0, &input);
        sessions
            .into_iter()
            .map(|taken| {
                let mut next = next.clone();
                next.sessions[session] = taken;
                match &input {
                    Input::Connect(terms) => {
                        let ghost = &mut next.ghosts[session];
                        ghost.taken_over |= served.is_some();
                        ghost.present = !terms.clean_start && ghost.stored;
                        ghost.stored = terms.lifetime != Lifetime::Connection;
                    }
                    Input::Publish { message, .. } => self.route(&mut next, *message),
                    _ => {}
                }
                if self.bug == Some(SeededBug::KeepsOlderConnection) {
                    next.sessions[session].older.clear();
                }
                next
            })
            .collect()
    }

    /// The router: the message meets the subscriptions of every session at once.
    fn route(&self, state: &mut State, message: MessageKey) {
        let context = self.context();
        let published = self.scenario.vocabulary.of(message);
        for session in &mut state.sessions {
            let routing = session.routing(&context, published, false, Shares::Chosen(&[]));
            *session = session.float(message, routing).settle(&context, message);
        }
    }

    /// The successors of an output: the server's state moves, and the client, if it is still there, sees it.
    fn emit(&self, state: &State, session: usize, connection: ConnectionId, output: &Output) -> Vec<State> {
        let context = self.context();
        let sessions = state.sessions[session].accept(&context, Moment::default(), connection, output);
        let successors = sessions.unwrap_or_default().into_iter();
        successors
            .map(|after| {
                let mut next = state.clone();
                next.sessions[session] = after;
                if let Some(actor) = next.actors.iter().position(|actor| actor.link == Some(connection)) {
                    self.see(&mut next, actor, output);
                }
                next
            })
            .collect()
    }

    /// A client sees an output.
    fn see(&self, state: &mut State, index: usize, output: &Output) {
        let role = self.role(index);
        let State { actors, ghosts, .. } = state;
        let actor = &mut actors[index];
        match output {
            Output::Connack { session_present, .. } => {
                actor.connected = true;
                let ghost = &mut ghosts[role.session];
                let truth = ghost.present && self.scenario.version != ProtocolVersion::V3_1;
                ghost.note(Fault::SessionPresentLies, *session_present != truth);
                ghost.resumed |= *session_present;
            }
            Output::Suback { .. } => {
                actor.asking = false;
                ghosts[role.session].subscribed = true;
            }
            Output::Unsuback { .. } => {
                actor.asking = false;
                ghosts[role.session].unsubscribed = true;
            }
            Output::Puback { id, .. } => {
                if let Some(position) = actor.unanswered.iter().position(|(of, _)| of == id) {
                    let (_, message) = actor.unanswered.remove(position);
                    for ghost in ghosts {
                        ghost.must |= if ghost.subscribed { ghost.eligible & bit(message) } else { 0 };
                    }
                }
            }
            Output::Publish { content, qos, id, .. } => {
                let vocabulary = &self.scenario.vocabulary;
                let version = self.scenario.version;
                let Some((message, published)) = vocabulary.messages().find(|(_, m)| m.content(version) == *content)
                else {
                    return;
                };
                let asked = self.asked(role.session);
                let permitted = match self.scenario.profile.has(Feature::SubscriberQos) {
                    true => published.qos.min(asked),
                    false => published.qos,
                };
                let ghost = &mut ghosts[role.session];
                ghost.see_delivery(message, output, &actor.open, role.receive_maximum, permitted, asked);
                if let (Some(id), true) = (id, *qos > Qos::AtMostOnce) {
                    actor.open.push((*id, message));
                }
            }
            Output::Close => {
                actor.lose_connection();
                actor.dismissed = true;
            }
            Output::Pubrec { .. } | Output::Pubrel { .. } | Output::Pubcomp { .. } | Output::Auth { .. } => {}
            Output::Pingresp | Output::Disconnect { .. } => {}
        }
    }

    /// The QoS that a session's script asks for.
    fn asked(&self, session: usize) -> Qos {
        let scripts = self.scenario.roles.iter().filter(|role| role.session == session).flat_map(|role| &role.script);
        let asked = scripts.filter_map(|step| match step {
            Step::Subscribe(_, qos) => Some(*qos),
            _ => None,
        });
        asked.max().unwrap_or_default()
    }

    fn choices(&self, state: &State, action: &Action) -> Vec<State> {
        let mut next = state.clone();
        match action {
            Action::Send(actor, inputs) => self.send(&mut next, *actor, inputs),
            Action::Break(actor) => {
                next.actors[*actor].broken += 1;
                next.actors[*actor].lose_connection();
            }
            Action::Take(actor, ..) => return self.take(state, *actor),
            Action::Notice(session) => {
                let context = self.context();
                let noticed = state.sessions[*session].input(&context, 0, &Input::Lost).into_iter();
                return noticed
                    .map(|after| {
                        let mut next = state.clone();
                        next.sessions[*session] = after;
                        next
                    })
                    .collect();
            }
            Action::Emit(session, connection, output, _) => return self.emit(state, *session, *connection, output),
        }
        vec![next]
    }
}

impl Model for System {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let sessions = self.scenario.roles.iter().map(|role| role.session + 1).max().unwrap_or(0);
        vec![State {
            actors: vec![Actor::default(); self.scenario.roles.len()],
            sessions: vec![Session::default(); sessions],
            ghosts: vec![Ghost::default(); sessions],
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (index, actor) in state.actors.iter().enumerate() {
            let inputs = self.next_inputs(state, index);
            if !inputs.is_empty() {
                actions.push(Action::Send(index, inputs));
            }
            if let Some((id, _)) = actor.open.first().filter(|_| actor.sent.len() < LINK_CAPACITY) {
                actions.push(Action::Send(index, vec![Input::Puback { id: *id }]));
            }
            if actor.connected && actor.broken < self.role(index).breaks {
                actions.push(Action::Break(index));
            }
            if let Some(input) = actor.sent.first() {
                let choices = self.take(state, index).len();
                actions.extend((0..choices).map(|choice| Action::Take(index, input.clone(), choice)));
            }
        }
        for (index, session) in state.sessions.iter().enumerate() {
            let is_gone = |id| state.actors.iter().all(|actor| actor.link != Some(id));
            if session.link.as_ref().is_some_and(|link| is_gone(link.id)) {
                actions.push(Action::Notice(index));
            }
            for (connection, output) in session.outputs(&self.context(), Moment::default()) {
                let choices = self.emit(state, index, connection, &output).len();
                actions.extend((0..choices).map(|choice| Action::Emit(index, connection, output.clone(), choice)));
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let choice = match &action {
            Action::Take(_, _, choice) | Action::Emit(_, _, _, choice) => *choice,
            _ => 0,
        };
        self.choices(state, &action).into_iter().nth(choice)
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
    use super::super::scenario::scenarios;
    use super::*;
    use std::collections::HashSet;

    /// The checker passes over an output without successor in silence, so this must not exist.
    #[test]
    fn what_a_session_offers_it_accepts() {
        for scenario in scenarios() {
            let system = System::new(scenario, None);
            let mut waiting = system.init_states();
            let mut seen: HashSet<State> = waiting.iter().cloned().collect();
            let mut offered = 0;
            while let Some(state) = waiting.pop().filter(|_| seen.len() < 10_000) {
                for session in &state.sessions {
                    for (connection, output) in session.outputs(&system.context(), Moment::default()) {
                        let accepted = session.accept(&system.context(), Moment::default(), connection, &output);
                        assert!(accepted.is_ok_and(|next| !next.is_empty()), "{output:?} in {session:#?}");
                        offered += 1;
                    }
                }
                waiting.extend(system.next_states(&state).into_iter().filter(|next| seen.insert(next.clone())));
            }
            assert!(offered > 1_000, "{} offers {offered} outputs", system.scenario.name);
        }
    }
}
