//! A peer with clients around it: each command is played, every byte is recorded.

use super::cloud::CloudSide;
use super::command::{Authentication, Client, Command, Deed, Terms};
use super::connections::{Arrival, Arrived, Connections};
use super::explore::Terrain;
use super::link::{Incoming, Link};
use super::memory::Memory;
use super::names::Names;
use super::packets;
use super::walked::{Did, Logged, Walked};
use crate::case::{Credentials, Identity, Scope, Transport};
use crate::target::Peer;
use crate::trace::{ConnectionId, Event, Trace, What};
use model::packet::{Auth, Packet, ReasonCode};
use model::wire::encode;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

/// Virtual time moves only when nothing is left to do: any moment of it is enough.
pub(super) const MOMENT: Duration = Duration::from_millis(1);

/// The clients, and what they know.
#[derive(Debug)]
pub(super) struct Walker {
    pub(super) connections: Connections,
    pub(super) names: Names,
    pub(super) credentials: Credentials,
    /// What the steps of a case would know.
    pub(super) scope: Scope,
    pub(super) cloud: CloudSide,
    /// To whom registrations have brought something.
    pub(super) registered: BTreeSet<Client>,
    /// The connection of each client, as long as it knows it open.
    clients: BTreeMap<Client, ConnectionId>,
    pub(super) links: BTreeMap<ConnectionId, Link>,
    /// What a client keeps beyond its connection, by client id.
    pub(super) memories: BTreeMap<&'static str, Memory>,
    opened: u32,
    /// The largest packet that the dialect's servers take, in bytes.
    largest_packet: usize,
    /// How often clients have answered by themselves.
    said: usize,
    pub(super) walked: Walked,
}

impl Walker {
    /// A walker with this peer; `unique` keeps it apart from others.
    pub(super) fn new(peer: Peer, terrain: &Terrain, unique: &str) -> io::Result<Walker> {
        let (profile, credentials) = (&terrain.profile, terrain.credentials.clone());
        let is_virtual = peer.is_virtual();
        let connections = Connections::new(peer.clone())?;
        let roster = terrain.company.roster();
        let scope = Scope::new(profile.topic_prefix(unique), unique, credentials.clone());
        Ok(Walker {
            cloud: CloudSide::of(&peer, profile, unique, &connections),
            connections,
            names: Names::new(profile, unique, roster),
            credentials,
            scope: scope.with_devices(roster.cloned()),
            registered: BTreeSet::new(),
            clients: BTreeMap::new(),
            links: BTreeMap::new(),
            memories: BTreeMap::new(),
            opened: 0,
            largest_packet: profile.limits().maximum_packet_size.map_or(usize::MAX, |size| size as usize),
            said: 0,
            walked: Walked {
                trace: Trace::default(),
                end: Duration::ZERO,
                is_virtual,
                commands: Vec::new(),
                log: Vec::new(),
                misframed: Vec::new(),
            },
        })
    }

    /// The connection of a client.
    pub(super) fn link(&self, client: Client) -> Option<&Link> {
        self.links.get(self.clients.get(&client)?)
    }

    /// The commands that applied so far.
    pub(super) fn applied(&self) -> Vec<Command> {
        self.walked.applied()
    }

    /// What a client keeps beyond its connection.
    pub(super) fn memory(&self, client_id: &str) -> Option<&Memory> {
        self.memories.get(client_id)
    }

    /// Plays a command and lets it have its effects. `false` if it does not apply: then nothing happens.
    ///
    /// # Errors
    /// When the peer does not accept a connection.
    pub(super) fn play(&mut self, command: &Command) -> io::Result<bool> {
        self.drain();
        let began = self.connections.now();
        self.walked.commands.push((began, command.clone()));
        let applies = match command {
            Command::Elapse(milliseconds) => {
                self.flow();
                self.connections.sleep(Duration::from_millis(*milliseconds));
                true
            }
            Command::Does(client, deed) => self.does(*client, deed)?,
            Command::Cloud(deed) => self.does_in_the_cloud(deed),
        };
        match applies {
            true => self.settle(),
            false => {
                self.walked.commands.pop();
            }
        }
        Ok(applies)
    }

    /// Lets all that is held back flow, and what is under way arrive.
    pub(super) fn finish(mut self) -> Walked {
        self.flow();
        self.come_to_rest();
        self.await_answers();
        self.examine_all();
        self.walked.end = self.connections.now();
        self.walked
    }

    fn does(&mut self, client: Client, deed: &Deed) -> io::Result<bool> {
        let id = self.clients.get(&client).copied();
        match (deed, id) {
            (Deed::Connect { .. }, Some(_)) if !self.names.are_of_devices() => Ok(false),
            (Deed::Connect { terms, held }, known) => {
                if self.is_contested(terms) {
                    return Ok(false);
                }
                let Some(presented) = self.present(client, terms) else { return Ok(false) };
                known.into_iter().for_each(|id| self.cut(id));
                let id = self.open(client, presented.over)?;
                if let Some(link) = self.links.get_mut(&id) {
                    (link.stalled, link.reading) = (*held, !*held);
                }
                self.connect(id, terms, presented.identity);
                Ok(true)
            }
            (Deed::Malformed(bytes), None) => {
                let id = self.open(client, None)?;
                self.write_unsound(id, bytes);
                Ok(true)
            }
            (_, None) => Ok(false),
            (deed, Some(id)) => Ok(self.does_on(id, deed)),
        }
    }

    /// The number of a connection that is opened now.
    pub(super) fn next_connection(&mut self) -> ConnectionId {
        let id = ConnectionId(self.opened);
        self.opened += 1;
        id
    }

    fn open(&mut self, client: Client, over: Option<model::device::Transport>) -> io::Result<ConnectionId> {
        let wanted = Vec::from_iter(over.map(Transport::from));
        let id = ConnectionId(self.opened);
        self.connections.open(id, &wanted)?;
        self.opened += 1;
        self.links.insert(id, Link::new(client));
        self.clients.insert(client, id);
        self.record(id, What::Opened(client.actor().to_owned()));
        self.record(id, What::Carried(self.connections.carries(&wanted)));
        self.log(Some(client), Did::Open);
        Ok(id)
    }

    fn connect(&mut self, id: ConnectionId, terms: &Terms, identity: Identity) {
        let session = terms.manner.session_of(terms.client_id);
        let Some(link) = self.links.get_mut(&id) else { return };
        let names = self.names.of(link.client);
        link.client_id = Some(session);
        link.is_of_a_session = terms.manner.is_of_a_session();
        link.speak(terms.version);
        link.awaits_answer = true;
        link.authentication = if terms.version.has_properties() { terms.authentication } else { Authentication::None };
        let memory = self.memories.entry(session).or_default();
        match terms.clean_start {
            true => memory.clear(),
            false => memory.reconnect(),
        }
        self.send(id, packets::connect(terms, &names, identity));
    }

    /// Answers a challenge as the client has made up its mind to.
    fn answer(&mut self, id: ConnectionId, challenge: &Auth) {
        let mut data = challenge.properties.authentication_data.clone().unwrap_or_default();
        match self.links.get(&id).map(|link| link.authentication) {
            Some(Authentication::Right) => data.reverse(),
            Some(Authentication::Wrong) => {}
            _ => return,
        }
        self.said += 1;
        self.send(id, packets::auth(ReasonCode::ContinueAuthentication, Some(data)));
    }

    pub(super) fn send(&mut self, id: ConnectionId, packet: Packet) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let version = link.version;
        // Commands say only what their version can say.
        let Ok(bytes) = encode(&packet, version) else { return };
        if bytes.len() > self.largest_packet {
            link.sound = false;
        }
        self.write(id, bytes, Did::Send(Box::new(packet)));
    }

    /// Sends what no command says.
    pub(super) fn send_unlogged(&mut self, id: ConnectionId, packet: &Packet) {
        let Some(link) = self.links.get(&id) else { return };
        if let Ok(bytes) = encode(packet, link.version) {
            self.record(id, What::Sent(bytes.clone()));
            self.connections.write(id, &bytes);
        }
    }

    /// Writes what is no packet: the peer may wait for its rest, or close.
    pub(super) fn write_unsound(&mut self, id: ConnectionId, bytes: &[u8]) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.sound = false;
        self.write(id, bytes.to_vec(), Did::SendBytes(bytes.to_vec()));
    }

    pub(super) fn write(&mut self, id: ConnectionId, bytes: Vec<u8>, did: Did) {
        self.record(id, What::Sent(bytes.clone()));
        let Some(link) = self.links.get_mut(&id) else { return };
        link.held_back.push_back((bytes, did));
        if !link.stalled {
            self.let_go(id);
        }
    }

    /// What was held back gets under way.
    fn let_go(&mut self, id: ConnectionId) {
        while let Some(link) = self.links.get_mut(&id) {
            let client = link.client;
            let Some((bytes, did)) = link.held_back.pop_front() else { break };
            self.connections.write(id, &bytes);
            self.log(Some(client), did);
        }
    }

    /// Takes note of all that came. `true` if clients have said something by themselves.
    pub(super) fn drain(&mut self) -> bool {
        let said = self.said;
        loop {
            let heard = self.cloud.take();
            let arrivals: Vec<Arrival> = std::iter::from_fn(|| self.connections.take()).collect();
            if heard.is_empty() && arrivals.is_empty() {
                break;
            }
            // In the order of their times, whoever has noted them.
            let mut heard = heard.into_iter().peekable();
            for arrival in arrivals {
                while let Some(event) = heard.next_if(|event| event.at < arrival.at) {
                    self.heard(event);
                }
                self.arrived(arrival);
            }
            heard.for_each(|event| self.heard(event));
        }
        self.said > said
    }

    pub(super) fn arrived(&mut self, arrival: Arrival) {
        let Arrival { at, connection, what } = arrival;
        if let Arrived::Answer(answer) = what {
            return self.answered(at, connection, answer);
        }
        let Some(link) = self.links.get_mut(&connection) else { return };
        match what {
            Arrived::Bytes(bytes) => link.arrived(&bytes),
            Arrived::Close => link.closed(),
            Arrived::Answer(_) => {}
        }
        if link.reading {
            self.read(connection, at);
        }
    }

    /// The client reads what has come.
    fn read(&mut self, id: ConnectionId, at: Duration) {
        while let Some(incoming) = self.links.get_mut(&id).and_then(|link| link.unread.pop_front()) {
            let Some(client) = self.links.get(&id).map(|link| link.client) else { return };
            match incoming {
                Incoming::Close => {
                    self.record_at(at, id, What::ClosedByPeer);
                    self.log(Some(client), Did::BeClosed);
                    self.examine(id);
                    self.connections.close(id);
                    self.forget(id);
                }
                Incoming::Refused(bytes) => self.record_at(at, id, What::Received(bytes)),
                Incoming::Packet(packet, bytes) => {
                    self.record_at(at, id, What::Received(bytes));
                    self.learn(id, &packet);
                    self.log(Some(client), Did::Receive(packet));
                }
            }
        }
    }

    /// What the client has to remember of a packet.
    fn learn(&mut self, id: ConnectionId, packet: &Packet) {
        let Some(client) = self.links.get(&id).map(|link| link.client) else { return };
        self.learn_answer(client, packet);
        let Some(link) = self.links.get_mut(&id) else { return };
        match packet {
            Packet::Publish(publish) => self.cloud.learn(&publish.topic, &publish.payload),
            Packet::Connack(connack) => {
                link.greeted = connack.code.is_accepted();
                link.ending = !link.greeted;
                link.awaits_answer = false;
            }
            Packet::Disconnect(_) => link.ending = true,
            Packet::Pingresp => link.pings = link.pings.saturating_sub(1),
            Packet::Auth(auth) if auth.reason == ReasonCode::ContinueAuthentication => {
                // CONNACK comes when the client has answered, if it does.
                link.awaits_answer = false;
                return self.answer(id, auth);
            }
            _ => {}
        }
        link.deliveries.learn(packet);
        if let Some(memory) = link.client_id.and_then(|client_id| self.memories.get_mut(client_id)) {
            memory.learn(packet, id);
        }
    }

    /// The client breaks the connection: what it has not read is lost, and so is what has not arrived.
    pub(super) fn cut(&mut self, id: ConnectionId) {
        let Some(client) = self.links.get(&id).map(|link| link.client) else { return };
        self.record(id, What::ClosedByHarness);
        self.log(Some(client), Did::Break);
        self.examine(id);
        self.connections.close(id);
        self.forget(id);
    }

    fn forget(&mut self, id: ConnectionId) {
        self.links.remove(&id);
        self.clients.retain(|_, known| *known != id);
    }

    pub(super) fn resume(&mut self, id: ConnectionId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.stalled = false;
            link.reading = true;
        }
        self.let_go(id);
        self.read(id, self.connections.now());
    }

    /// All that was held back flows, and has its effects.
    fn flow(&mut self) {
        let links: Vec<ConnectionId> = self.links.keys().copied().collect();
        for id in links {
            self.resume(id);
        }
        self.settle();
    }

    pub(super) fn record(&mut self, connection: ConnectionId, what: What) {
        self.record_at(self.connections.now(), connection, what);
    }

    pub(super) fn record_at(&mut self, at: Duration, connection: ConnectionId, what: What) {
        // What was read late came late.
        let at = self.walked.trace.events.last().map_or(at, |last| at.max(last.at));
        self.walked.trace.events.push(Event { at, connection, what });
    }

    pub(super) fn log(&mut self, client: Option<Client>, what: Did) {
        let command = self.walked.commands.len().saturating_sub(1);
        self.walked.log.push(Logged { command, client, what });
    }
}
