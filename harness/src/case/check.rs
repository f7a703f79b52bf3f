//! A script walked through without a peer: what could never work is found before anything is sent.

use super::binding::{sample, samples};
use super::scope::Scope;
use super::step::{AMQP, API, Action, Elapse, Expectation, Step};
use super::template::BuildError;
use model::packet::{Acknowledgement, Delivery, Packet, PacketId, ProtocolVersion, Publish, Qos};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of an actor's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Connection {
    Open,
    /// Dropped by the actor, or closed by the peer.
    Gone,
    /// A rejection may have closed it.
    Unknown,
}

/// Walks through a script and returns what is wrong with it, with the index of the step.
pub(super) fn check(steps: &[Step], version: ProtocolVersion) -> Vec<(&Step, String)> {
    let actors = actors(steps);
    let mut walk = Walk {
        scope: Scope::to_check(actors.iter().map(|actor| (*actor).to_owned()).collect()),
        version,
        connections: BTreeMap::new(),
        has_keep_alive: false,
        has_asked: false,
        last_id: PacketId::FIRST,
        faults: Vec::new(),
    };
    for step in steps {
        walk.step(step, &actors);
    }
    walk.faults
}

/// All actors of a script.
pub(super) fn actors(steps: &[Step]) -> BTreeSet<&str> {
    let mut all = BTreeSet::new();
    for step in steps {
        all.extend(step.action.actor());
        match &step.action {
            Action::AnyOrder(steps) => all.extend(actors(steps)),
            Action::Either(alternatives) => alternatives.iter().for_each(|steps| all.extend(actors(steps))),
            _ => {}
        }
    }
    all
}

struct Walk<'a> {
    scope: Scope,
    version: ProtocolVersion,
    connections: BTreeMap<&'a str, Connection>,
    has_keep_alive: bool,
    /// Something was asked of the API.
    has_asked: bool,
    /// The identifier of the last packet that came.
    last_id: PacketId,
    faults: Vec<(&'a Step, String)>,
}

impl<'a> Walk<'a> {
    fn step(&mut self, step: &'a Step, actors: &BTreeSet<&str>) {
        match &step.action {
            Action::Opens { actor } => {
                if self.connections.get(actor.as_str()) == Some(&Connection::Open) {
                    self.faults.push((step, format!("`{actor}` has an open connection already")));
                }
                self.connections.insert(actor, Connection::Open);
            }
            Action::Drops { actor } => {
                self.needs_connection(step, actor, "drops a connection");
                self.connections.insert(actor, Connection::Gone);
            }
            Action::Send { actor, template } => {
                self.connections.insert(actor, Connection::Open);
                if let Some(name) = template.bind() {
                    self.check_bind(step, name, actors);
                }
                match template.build(&mut self.scope, actor, self.version) {
                    Ok(built) => self.has_keep_alive |= built.keep_alive.is_some(),
                    Err(error) => self.fault(step, error),
                }
            }
            Action::SendBytes { actor, bytes, .. } => {
                self.scope.acts(actor);
                self.connections.insert(actor, Connection::Open);
                if let Err(error) = bytes.build(&self.scope) {
                    self.fault(step, error);
                }
            }
            Action::Ask { template, bind } => {
                if let Err(error) = template.build(&self.scope) {
                    self.fault(step, error);
                }
                self.has_asked = true;
                if let Some(name) = bind {
                    self.check_bind(step, name, actors);
                    self.scope.bind_request(name);
                }
            }
            Action::Settle { message, .. } => {
                self.needs_connection(step, AMQP, "settles something");
                if let Some(name) = message.as_ref().filter(|name| !self.scope.is_message(name)) {
                    self.faults.push((step, format!("no message was bound with `as: {name}`")));
                }
            }
            Action::Expect { expectation: Expectation::Answer(pattern), bind, .. } => {
                let errors = pattern.errors(&self.scope);
                errors.into_iter().for_each(|(field, error)| self.fault(step, BuildError(format!("{field}: {error}"))));
                match pattern.to() {
                    Err(error) => self.fault(step, error),
                    Ok(Some(name)) if !self.scope.is_request(name) => {
                        self.faults.push((step, format!("no request was bound with `as: {name}`")));
                    }
                    Ok(None) if !self.has_asked => {
                        self.faults.push((step, "nothing was asked that could be answered".to_owned()));
                    }
                    Ok(_) => {}
                }
                if let Some(name) = bind {
                    self.check_bind(step, name, actors);
                    self.scope.bind_answer(name, &samples().0);
                }
            }
            Action::Expect { expectation: Expectation::Message(pattern), bind, .. } => {
                self.needs_connection(step, AMQP, "expects something");
                let errors = pattern.errors(&self.scope);
                errors.into_iter().for_each(|(field, error)| self.fault(step, BuildError(format!("{field}: {error}"))));
                if let Some(name) = bind {
                    self.check_bind(step, name, actors);
                    self.scope.bind_message(name, &samples().1);
                }
            }
            Action::Expect { actor, expectation: Expectation::Silence, .. } if actor == API => {}
            Action::Expect { actor, expectation, bind, .. } => {
                self.scope.acts(actor);
                self.needs_connection(step, actor, "expects something");
                match expectation {
                    Expectation::Packet(pattern) => {
                        let sample = sample(pattern.packet_type());
                        for (field, error) in pattern.errors(&sample, &self.scope) {
                            self.fault(step, BuildError(format!("{field}: {error}")));
                        }
                        let qos = pattern.qos(&self.scope);
                        self.receive(actor, &sample, qos);
                        if let Some(name) = bind {
                            self.check_bind(step, name, actors);
                            self.scope.bind(name, &sample);
                        }
                    }
                    Expectation::Silence | Expectation::Answer(_) | Expectation::Message(_) => {}
                    Expectation::Closed => {
                        self.connections.insert(actor, Connection::Gone);
                    }
                    Expectation::Rejected(_) => {
                        self.connections.insert(actor, Connection::Unknown);
                    }
                }
            }
            Action::Elapse(Elapse::KeepAlive { .. }) if !self.has_keep_alive => {
                self.faults.push((step, "there is no CONNECT before, so there is no Keep Alive".to_owned()));
            }
            Action::Elapse(_) => {}
            Action::AnyOrder(steps) => steps.iter().for_each(|step| self.step(step, actors)),
            Action::Either(alternatives) => self.either(alternatives, actors),
        }
    }

    /// Each alternative starts from the same state. Afterwards a connection is what all of them leave it, and a variable
    /// has a value if all of them bind it.
    fn either(&mut self, alternatives: &'a [Vec<Step>], actors: &BTreeSet<&str>) {
        let (scope, connections) = (self.scope.clone(), self.connections.clone());
        let mut ends: Vec<(Scope, BTreeMap<&'a str, Connection>)> = Vec::new();
        for steps in alternatives {
            self.scope = scope.clone();
            self.connections = connections.clone();
            steps.iter().for_each(|step| self.step(step, actors));
            ends.push((self.scope.clone(), self.connections.clone()));
        }
        let Some((mut scope, mut connections)) = ends.pop() else { return };
        for (other_scope, other_connections) in &ends {
            scope.keep_common(other_scope);
            for (actor, connection) in &mut connections {
                if other_connections.get(actor) != Some(connection) {
                    *connection = Connection::Unknown;
                }
            }
        }
        self.scope = scope;
        self.connections = connections;
    }

    /// Takes note of a packet like those that the peer may send: each has an identifier of its own, and a PUBLISH may be
    /// of any QoS where the pattern does not say which.
    fn receive(&mut self, actor: &str, packet: &Packet, qos: Option<Qos>) {
        self.last_id = self.last_id.next();
        let packet_id = self.last_id;
        match packet {
            Packet::Publish(publish) => {
                for delivery in
                    [Delivery::AtLeastOnce { packet_id, dup: false }, Delivery::ExactlyOnce { packet_id, dup: false }]
                {
                    let publish = Publish { delivery, ..publish.clone() };
                    if qos.is_none_or(|qos| qos == publish.qos()) {
                        self.scope.received(actor, &Packet::Publish(publish));
                    }
                }
            }
            Packet::Pubrec(pubrec) => {
                self.scope.received(actor, &Packet::Pubrec(Acknowledgement { packet_id, ..pubrec.clone() }));
            }
            Packet::Pubrel(pubrel) => {
                self.scope.received(actor, &Packet::Pubrel(Acknowledgement { packet_id, ..pubrel.clone() }));
            }
            _ => {}
        }
    }

    fn needs_connection(&mut self, step: &'a Step, actor: &str, does: &str) {
        match self.connections.get(actor) {
            Some(Connection::Open | Connection::Unknown) => {}
            Some(Connection::Gone) => {
                self.faults.push((step, format!("`{actor}` {does}, but its connection is gone")));
            }
            None => {
                self.faults.push((step, format!("`{actor}` {does} before it has opened a connection or sent anything")))
            }
        }
    }

    fn check_bind(&mut self, step: &'a Step, name: &str, actors: &BTreeSet<&str>) {
        if actors.contains(name) {
            self.faults.push((step, format!("`as: {name}` is the name of an actor: take another one")));
        }
    }

    fn fault(&mut self, step: &'a Step, error: BuildError) {
        self.faults.push((step, error.0));
    }
}
