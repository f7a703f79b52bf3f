//! The clients: each does what its script says, answers what it gets, and connects again when its connection breaks.

use super::scenario::{Role, Scenario, Step};
use crate::packet::{PacketId, Qos};
use crate::server::{AliasUse, ConnectTerms, ConnectionId, FilterRequest, Input, Lifetime, MessageKey, Millis};

/// Those who share a client identifier: mostly one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Party {
    /// Whose roles they play: an index into the clients of the scenario. Parties that are alike have the same one.
    pub(super) part: usize,
    pub(super) actors: Vec<Actor>,
}

/// A client and its connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Actor {
    /// Its connection, if it has one.
    pub(super) link: Option<ConnectionId>,
    /// Whether CONNACK has come on it.
    pub(super) connected: bool,
    /// How many connections it has opened.
    pub(super) attempts: u8,
    /// How often its connection has broken.
    pub(super) broken: u8,
    /// Whether it is done: it has sent DISCONNECT, or the server has closed.
    pub(super) done: bool,
    /// Packets on their way to the server, in order.
    pub(super) sent: Vec<Input>,
    /// The next step of its script.
    pub(super) step: usize,
    /// A SUBSCRIBE or UNSUBSCRIBE that waits for its answer: the next step waits too.
    pub(super) asking: bool,
    /// Its messages above QoS 0 that are not complete.
    pub(super) unanswered: Vec<Unanswered>,
    /// Acknowledgements that it has still to send on this connection.
    pub(super) answers: Vec<Input>,
    /// Deliveries of this connection that it has not acknowledged to the end.
    pub(super) open: Vec<(PacketId, MessageKey)>,
    /// Identifiers of QoS 2 deliveries whose PUBREL it has not got yet: such a PUBLISH is no new one when it comes again.
    pub(super) incoming: Vec<PacketId>,
    /// Whether it has set its Topic Alias on this connection.
    pub(super) alias_is_set: bool,
}

/// A message that its publisher has not got to the end with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Unanswered {
    pub(super) id: PacketId,
    pub(super) message: MessageKey,
    /// QoS 2: PUBREC has come.
    pub(super) released: bool,
}

/// Something that can happen to a client without the server's doing.
#[derive(Debug, Clone)]
pub(super) struct Move {
    /// Which of the party.
    pub(super) actor: usize,
    pub(super) deed: Deed,
    /// The party after it.
    pub(super) after: Party,
}

/// What happens.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    /// It sends the next step of its script, CONNECT and what was not answered on a new connection, or the next answer.
    Send(Vec<Input>),
    /// Its connection breaks.
    Break,
    /// The first packet on its way reaches the server.
    Arrive(Input),
}

/// Packets of one client that may be on their way at once.
const LINK_CAPACITY: usize = 2;

/// The Topic Alias that a publisher uses.
const ALIAS: u16 = 1;

impl Party {
    /// All of a party at the beginning.
    pub(super) fn new(part: usize, size: usize) -> Party {
        Party { part, actors: vec![Actor::default(); size] }
    }

    /// Whether one of them holds this connection.
    pub(super) fn holds(&self, connection: ConnectionId) -> bool {
        self.actors.iter().any(|actor| actor.link == Some(connection))
    }

    /// All that can happen next.
    pub(super) fn moves(&self, scenario: &Scenario) -> Vec<Move> {
        let mut moves = Vec::new();
        for (index, role) in scenario.clients[self.part].iter().enumerate() {
            let actor = &self.actors[index];
            let mut can = |deed, after| moves.push(Move { actor: index, deed, after: self.with(index, after) });
            let next = self.next_inputs(scenario, index, role);
            let answer = actor.next_answer().map(|answer| vec![answer]);
            for inputs in next.into_iter().chain(answer) {
                let after = actor.after_sending(&inputs);
                can(Deed::Send(inputs), after);
            }
            if actor.connected && !actor.done && actor.broken < role.breaks {
                can(Deed::Break, Actor { broken: actor.broken + 1, ..actor.after_losing_connection() });
            }
            if let Some((input, rest)) = actor.sent.split_first() {
                can(Deed::Arrive(input.clone()), Actor { sent: rest.to_vec(), ..actor.clone() });
            }
        }
        moves
    }

    pub(super) fn with(&self, index: usize, actor: Actor) -> Party {
        let mut next = self.clone();
        next.actors[index] = actor;
        next
    }

    /// What a client would send next for its script; nothing if it has to wait, or is done.
    fn next_inputs(&self, scenario: &Scenario, index: usize, role: &Role) -> Option<Vec<Input>> {
        let actor = &self.actors[index];
        if actor.done {
            return None;
        }
        if actor.link.is_none() {
            let again = actor.unanswered.iter().map(Unanswered::again);
            return Some(std::iter::once(self.connect(scenario, index, role)).chain(again).collect());
        }
        if !actor.connected || actor.asking || actor.sent.len() >= LINK_CAPACITY {
            return None;
        }
        let asking = PacketId::FIRST;
        let input = match *role.script.get(actor.step)? {
            Step::Connect => return None,
            Step::Subscribe(filter, options) => {
                let (retained, inherited) = (Vec::new(), Vec::new());
                let request =
                    FilterRequest { filter, options, identifier: None, retained, inherited, offences: [None; 2] };
                Input::Subscribe { id: asking, requests: vec![request] }
            }
            Step::Unsubscribe(filter) => Input::Unsubscribe { id: asking, filters: vec![filter], invalid: None },
            Step::Publish(message) => {
                let above_qos_0 = scenario.vocabulary.of(message).qos > Qos::AtMostOnce;
                let id = above_qos_0.then(|| role.identifier(message));
                if id.is_some_and(|id| !actor.is_free(id)) {
                    return None;
                }
                let alias = role.uses_alias.then_some(AliasUse { alias: ALIAS, sets: !actor.alias_is_set });
                Input::Publish { message, id, alias, offences: Vec::new() }
            }
            Step::Disconnect => Input::Disconnect { lifetime: None, with_will: false },
        };
        Some(vec![input])
    }

    /// Connections are numbered within the party: parties that are alike must not differ in them.
    fn connect(&self, scenario: &Scenario, index: usize, role: &Role) -> Input {
        let number = usize::from(self.actors[index].attempts) * self.actors.len() + index;
        Input::Connect(ConnectTerms {
            connection: ConnectionId(u32::try_from(number).unwrap_or(u32::MAX)),
            version: scenario.version,
            clean_start: !role.lasting,
            lifetime: if role.lasting { Lifetime::Forever } else { Lifetime::Connection },
            keep_alive: 0,
            receive_maximum: role.receive_maximum,
            maximum_packet_size: None,
            will: role.will,
            authenticates: false,
            offences: Vec::new(),
        })
    }
}

/// What two clocks may be apart, in milliseconds.
pub(super) const TOLERANCE: Millis = 5_000;

impl Unanswered {
    /// What is sent of it on a new connection (3.1.1: MQTT-4.4.0-1; 5.0: MQTT-4.4.0-1).
    fn again(&self) -> Input {
        match self.released {
            true => Input::Pubrel { id: self.id },
            false => Input::Publish { message: self.message, id: Some(self.id), alias: None, offences: Vec::new() },
        }
    }
}

impl Actor {
    fn is_free(&self, id: PacketId) -> bool {
        self.unanswered.iter().all(|unanswered| unanswered.id != id)
    }

    /// Answers go in the order in which they are owed.
    fn next_answer(&self) -> Option<Input> {
        self.answers.first().filter(|_| !self.done && self.sent.len() < LINK_CAPACITY).cloned()
    }

    fn after_sending(&self, inputs: &[Input]) -> Actor {
        let mut next = self.clone();
        let again = matches!(inputs, [Input::Connect(_), ..]);
        for input in inputs {
            match input {
                Input::Connect(terms) => {
                    next.attempts += 1;
                    next.link = Some(terms.connection);
                    next.step = next.step.max(1);
                }
                Input::Publish { .. } | Input::Pubrel { .. } if again => {}
                // The answer to a call.
                Input::Publish { .. } if next.answers.first() == Some(input) => drop(next.answers.remove(0)),
                Input::Publish { message, id, alias, .. } => {
                    next.step += 1;
                    next.alias_is_set |= alias.is_some();
                    let unanswered = id.map(|id| Unanswered { id, message: *message, released: false });
                    next.unanswered.extend(unanswered);
                }
                Input::Subscribe { .. } | Input::Unsubscribe { .. } => {
                    next.step += 1;
                    next.asking = true;
                }
                Input::Puback { id } | Input::Pubcomp { id } => {
                    next.answers.remove(0);
                    next.open.retain(|(open, _)| open != id);
                }
                Input::Pubrec { .. } | Input::Pubrel { .. } => drop(next.answers.remove(0)),
                Input::Disconnect { .. } => {
                    next.done = true;
                    next.answers.clear();
                }
                Input::Auth | Input::Pingreq | Input::Offence(_) | Input::Lost => {}
            }
        }
        next.sent.extend(inputs.iter().cloned());
        next
    }

    /// The connection is gone, with all that was on it.
    pub(super) fn after_losing_connection(&self) -> Actor {
        Actor {
            attempts: self.attempts,
            broken: self.broken,
            done: self.done,
            // What was asked and not answered is asked again.
            step: self.step - usize::from(self.asking),
            unanswered: self.unanswered.clone(),
            incoming: self.incoming.clone(),
            ..Actor::default()
        }
    }
}
