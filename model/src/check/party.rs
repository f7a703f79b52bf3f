//! The clients: each does what its script says, acknowledges what it gets, and connects again when its connection breaks.

use super::ghost::{Delivered, Event};
use super::scenario::{Role, Scenario, Step};
use crate::packet::{PacketId, Qos, SubscriptionOptions};
use crate::profile::Feature;
use crate::server::{ConnectTerms, ConnectionId, FilterRequest, Input, Lifetime, MessageKey, Output};

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
    /// Whether the server has closed it for good.
    pub(super) dismissed: bool,
    /// Packets on their way to the server, in order.
    pub(super) sent: Vec<Input>,
    /// The next step of its script.
    pub(super) step: usize,
    /// A SUBSCRIBE or UNSUBSCRIBE that waits for its answer: the next step waits too.
    pub(super) asking: bool,
    /// Its messages that wait for PUBACK.
    pub(super) unanswered: Vec<(PacketId, MessageKey)>,
    /// Deliveries that it has not acknowledged on this connection.
    pub(super) open: Vec<(PacketId, MessageKey)>,
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
    /// It sends the next step of its script, CONNECT and what was not answered on a new connection, or PUBACK of the oldest
    /// open delivery.
    Send(Vec<Input>),
    /// Its connection breaks.
    Break,
    /// The first packet on its way reaches the server.
    Arrive(Input),
}

/// Packets of one client that may be on their way at once.
const LINK_CAPACITY: usize = 2;

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
            let inputs = self.next_inputs(scenario, index, role);
            if !inputs.is_empty() {
                let after = actor.after_sending(&inputs);
                can(Deed::Send(inputs), after);
            }
            if let Some((id, _)) = actor.open.first().filter(|_| actor.sent.len() < LINK_CAPACITY) {
                let inputs = vec![Input::Puback { id: *id }];
                let after = actor.after_sending(&inputs);
                can(Deed::Send(inputs), after);
            }
            if actor.connected && actor.broken < role.breaks {
                can(Deed::Break, Actor { broken: actor.broken + 1, ..actor.after_losing_connection() });
            }
            if let Some((input, rest)) = actor.sent.split_first() {
                can(Deed::Arrive(input.clone()), Actor { sent: rest.to_vec(), ..actor.clone() });
            }
        }
        moves
    }

    fn with(&self, index: usize, actor: Actor) -> Party {
        let mut next = self.clone();
        next.actors[index] = actor;
        next
    }

    /// What a client would send next for its script; nothing if it has to wait, or is done.
    fn next_inputs(&self, scenario: &Scenario, index: usize, role: &Role) -> Vec<Input> {
        let actor = &self.actors[index];
        if actor.dismissed {
            return Vec::new();
        }
        if actor.link.is_none() {
            let again = actor.unanswered.iter();
            let again = again.map(|(id, message)| publish(*message, Some(*id)));
            return std::iter::once(self.connect(scenario, index, role)).chain(again).collect();
        }
        if !actor.connected || actor.asking || actor.sent.len() >= LINK_CAPACITY {
            return Vec::new();
        }
        match role.script.get(actor.step) {
            Some(Step::Subscribe(filter, qos)) => {
                let options = SubscriptionOptions { qos: *qos, ..SubscriptionOptions::default() };
                let request =
                    FilterRequest { filter: *filter, options, identifier: None, retained: Vec::new(), offence: None };
                vec![Input::Subscribe { id: PacketId::FIRST, requests: vec![request] }]
            }
            Some(Step::Unsubscribe(filter)) => vec![Input::Unsubscribe { id: PacketId::FIRST, filters: vec![*filter] }],
            Some(Step::Publish(message)) => {
                let above_qos_0 = scenario.vocabulary.of(*message).qos > Qos::AtMostOnce;
                let number = u16::try_from(message.0 + 1).ok().filter(|_| above_qos_0);
                vec![publish(*message, number.and_then(PacketId::new))]
            }
            Some(Step::Connect) | None => Vec::new(),
        }
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
            will: None,
            authenticates: false,
            offence: None,
        })
    }

    /// The client that holds `connection` sees an output, and the watcher hears of it. If it is gone, nobody does.
    pub(super) fn see(
        &self,
        scenario: &Scenario,
        connection: ConnectionId,
        output: &Output,
    ) -> Option<(Party, Option<Event>)> {
        let index = self.actors.iter().position(|actor| actor.link == Some(connection))?;
        let mut actor = self.actors[index].clone();
        let event = match output {
            Output::Connack { session_present, .. } => {
                actor.connected = true;
                Some(Event::Connected { session_present: *session_present })
            }
            Output::Suback { .. } => {
                actor.asking = false;
                Some(Event::Subscribed)
            }
            Output::Unsuback { .. } => {
                actor.asking = false;
                Some(Event::Unsubscribed)
            }
            Output::Puback { id, .. } => {
                let answered = actor.unanswered.iter().position(|(of, _)| of == id);
                answered.map(|position| Event::Acknowledged(actor.unanswered.remove(position).1))
            }
            Output::Publish { content, qos, id, dup, .. } => {
                let mut messages = scenario.vocabulary.messages();
                let published = messages.find(|(_, message)| message.content(scenario.version) == *content);
                published.map(|(message, published)| {
                    let asked = self.asked(scenario);
                    let permitted = match scenario.profile.has(Feature::SubscriberQos) {
                        true => published.qos.min(asked),
                        false => published.qos,
                    };
                    let receive_maximum = scenario.clients[self.part][index].receive_maximum;
                    let (qos, id, open) = (*qos, *id, actor.open.clone());
                    actor.open.extend(id.map(|id| (id, message)));
                    Event::Delivered(Delivered { message, qos, id, dup: *dup, open, receive_maximum, permitted, asked })
                })
            }
            Output::Close => {
                actor = Actor { dismissed: true, ..actor.after_losing_connection() };
                None
            }
            Output::Pubrec { .. } | Output::Pubrel { .. } | Output::Pubcomp { .. } | Output::Auth { .. } => None,
            Output::Pingresp | Output::Disconnect { .. } => None,
        };
        Some((self.with(index, actor), event))
    }

    /// The QoS that the script asks for.
    fn asked(&self, scenario: &Scenario) -> Qos {
        let scripts = scenario.clients[self.part].iter().flat_map(|role| &role.script);
        let asked = scripts.filter_map(|step| match step {
            Step::Subscribe(_, qos) => Some(*qos),
            _ => None,
        });
        asked.max().unwrap_or_default()
    }
}

fn publish(message: MessageKey, id: Option<PacketId>) -> Input {
    Input::Publish { message, id, alias: None, offence: None }
}

impl Actor {
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
                Input::Puback { id } => next.open.retain(|(open, _)| open != id),
                Input::Publish { .. } if again => {}
                Input::Publish { message, id, .. } => {
                    next.step += 1;
                    next.unanswered.extend(id.map(|id| (id, *message)));
                }
                Input::Subscribe { .. } | Input::Unsubscribe { .. } => {
                    next.step += 1;
                    next.asking = true;
                }
                Input::Pubrec { .. } | Input::Pubrel { .. } | Input::Pubcomp { .. } | Input::Auth => {}
                Input::Pingreq | Input::Disconnect { .. } | Input::Offence(_) | Input::Lost => {}
            }
        }
        next.sent.extend(inputs.iter().cloned());
        next
    }

    /// The connection is gone, with all that was on it.
    fn after_losing_connection(&self) -> Actor {
        let mut next =
            Actor { link: None, connected: false, sent: Vec::new(), open: Vec::new(), asking: false, ..self.clone() };
        // What was asked and not answered is asked again.
        next.step -= usize::from(self.asking);
        next
    }
}
