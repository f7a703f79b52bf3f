//! Clients, links and a permitted server, and all that may happen next.
//!
//! Both directions of a link are queues: what a client has sent is taken late, what the server has sent is seen late, and a
//! connection that breaks loses some of it. What somebody beside the wire would note of the client's end is the trace.

use super::choice::{Choice, pick};
use super::client::{self, Answer, Client, Deed, Link, Utterance, use_alias};
use super::packets::packet;
use super::server::{Server, is_listening};
use super::terms::{Terms, Theme};
use model::judge::{Judge, Observation};
use model::packet::{Connect, Packet, ProtocolVersion, Qos};
use model::server::offence::always_ends;
use model::server::{ConnectionId, Context, Input, Lifetime, MessageKey, Millis, Output, Vocabulary};
use model::wire::{Decoder, encode};
use std::collections::{BTreeMap, VecDeque};
use std::hash::{Hash, Hasher};

/// An event of the trace.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) at: Millis,
    pub(crate) connection: ConnectionId,
    pub(crate) what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Opened,
    Sent(Vec<u8>),
    Received(Vec<u8>),
    ClosedByServer,
    ClosedByClient,
}

impl Event {
    pub(crate) fn tell(&self, judge: &mut Judge) {
        let what = match &self.what {
            What::Opened => Observation::Opened,
            What::Sent(bytes) => Observation::Sent(bytes),
            What::Received(bytes) => Observation::Received(bytes),
            What::ClosedByServer => Observation::ClosedByServer,
            What::ClosedByClient => Observation::ClosedByClient,
        };
        judge.observe(self.at, self.connection, what);
    }
}

/// A step of the world.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Move {
    Do(usize, Deed),
    /// The server takes the next packet of a connection, or notices its end.
    Take(ConnectionId),
    /// The server sends something for a client.
    Send(usize, ConnectionId, Output),
    /// The server publishes a Will.
    Will(MessageKey),
    /// The server drops a delivery that it need not make.
    Drop(usize),
    /// The client sees what comes next on a connection.
    See(ConnectionId),
}

/// One state of the world.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) terms: Terms,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) server: Server,
    pub(crate) clients: Vec<Client>,
    pub(crate) links: BTreeMap<ConnectionId, Link>,
    /// What is on its way to the server, until it has noticed the end of the connection.
    pub(crate) to_server: BTreeMap<ConnectionId, (usize, VecDeque<Input>)>,
    pub(crate) to_client: BTreeMap<ConnectionId, VecDeque<Output>>,
    /// Whose each connection is or was.
    owners: BTreeMap<ConnectionId, usize>,
    pub(crate) now: Millis,
    opened: u32,
    published: u32,
    /// What has been seen and nobody has asked for yet.
    pub(crate) trace: Vec<Event>,
}

/// What has a bearing on what comes. What has been seen is not part of it, nor the order in which a client came to what it
/// has done.
impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let World { terms: _, trace: _, owners: _, vocabulary, server, clients, links, .. } = self;
        (vocabulary, server, clients, links, &self.to_server, &self.to_client).hash(state);
        (self.now, self.opened, self.published).hash(state);
    }
}

impl World {
    pub(crate) fn new(terms: Terms) -> World {
        let client = |number| Client {
            number,
            version: terms.versions[number % terms.versions.len()],
            current: None,
            asked: Vec::new(),
            unanswered: Vec::new(),
            done: Vec::new(),
        };
        World {
            clients: (0..terms.clients).map(client).collect(),
            server: Server::new(terms.clients, terms.inventive),
            terms,
            vocabulary: Vocabulary::default(),
            links: BTreeMap::new(),
            to_server: BTreeMap::new(),
            to_client: BTreeMap::new(),
            owners: BTreeMap::new(),
            now: 0,
            opened: 0,
            published: 0,
            trace: Vec::new(),
        }
    }

    fn note(&mut self, connection: ConnectionId, what: What) {
        self.trace.push(Event { at: self.now, connection, what });
    }

    /// What a client may do now.
    pub(crate) fn deeds(&self, client: usize) -> Vec<Deed> {
        let it = &self.clients[client];
        let link = it.current.and_then(|connection| self.links.get(&connection));
        let mut deeds = Vec::new();
        match (it.current, link) {
            (Some(connection), Some(link)) => {
                let busy =
                    self.to_server.get(&connection).is_some_and(|(_, waiting)| waiting.len() >= self.terms.capacity);
                deeds.push(Deed::Break);
                if link.connected && !link.silent && !busy {
                    deeds.extend([Deed::Subscribe, Deed::Unsubscribe, Deed::Publish, Deed::Ping, Deed::Leave]);
                    deeds.extend(self.terms.has(Theme::Offences).then_some(Deed::Offend));
                    deeds.extend((!link.answers.is_empty()).then_some(Deed::Acknowledge));
                }
                // Only one CONNECT is on its way at once.
                deeds.extend(link.connected.then_some(Deed::Connect));
            }
            _ => deeds.push(Deed::Connect),
        }
        deeds.retain(|deed| {
            let done = it.done.iter().filter(|known| *known == deed).count();
            self.terms.limits.get(&(client, *deed)).is_none_or(|limit| done < *limit)
        });
        deeds
    }

    /// The connections on which the server has something to take.
    pub(crate) fn readable(&self) -> Vec<ConnectionId> {
        self.to_server.iter().filter(|(_, (_, waiting))| !waiting.is_empty()).map(|(id, _)| *id).collect()
    }

    /// The connections on which a client has something to see.
    pub(crate) fn visible(&self) -> Vec<ConnectionId> {
        self.to_client.iter().filter(|(_, coming)| !coming.is_empty()).map(|(id, _)| *id).collect()
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context { profile: self.terms.profile, vocabulary: &self.vocabulary, bug: self.terms.bug }
    }

    /// Makes a step.
    pub(crate) fn step(&mut self, step: &Move, choice: &mut dyn Choice) {
        match step {
            Move::Do(client, deed) => self.perform(*client, *deed, choice),
            Move::Take(connection) => self.take(*connection, choice),
            Move::Send(client, connection, output) => self.send(*client, *connection, output, choice),
            Move::Drop(client) => self.server.drop_one(*client, choice),
            Move::Will(message) => self.publish_will(*message, choice),
            Move::See(connection) => self.see(*connection, choice),
        }
    }

    fn perform(&mut self, client: usize, deed: Deed, choice: &mut dyn Choice) {
        let World { terms, vocabulary, clients, .. } = self;
        let it = &mut clients[client];
        if terms.limits.contains_key(&(client, deed)) {
            it.done.push(deed);
            it.done.sort();
        }
        // Now and then a client still uses a connection that it has replaced.
        let own = self.links.iter().filter(|(_, link)| link.client == client && link.connected && !link.silent);
        let own: Vec<ConnectionId> = own.map(|(connection, _)| *connection).collect();
        let stray = terms.inventive && own.len() > 1 && choice.once_in(4);
        let on = if stray { Some(*pick(choice, &own)) } else { it.current };
        let Some(connection) = on.filter(|_| deed != Deed::Connect) else { return self.connect(client, choice) };
        let utterance = match deed {
            Deed::Connect => return,
            Deed::Subscribe => it.subscribe(terms, vocabulary, choice),
            Deed::Unsubscribe => it.unsubscribe(terms, vocabulary, choice),
            Deed::Publish => {
                self.published += 1;
                let published = it.publish(terms, vocabulary, connection, self.now, self.published, choice);
                if own.iter().any(|newer| *newer > connection) {
                    it.was_unheard(&published);
                }
                published
            }
            Deed::Acknowledge => {
                let Some(link) = self.links.get_mut(&connection).filter(|link| !link.answers.is_empty()) else {
                    return;
                };
                link.answers.remove(0).utterance()
            }
            Deed::Ping => client::ping(),
            Deed::Leave => {
                client::farewell(terms.has(Theme::Wills) && it.version.has_properties() && choice.once_in(3))
            }
            Deed::Offend => it.offend(choice),
            Deed::Break => return self.break_off(connection, choice),
        };
        self.say(connection, utterance, choice);
    }

    fn connect(&mut self, client: usize, choice: &mut dyn Choice) {
        self.opened += 1;
        let connection = ConnectionId(self.opened);
        let it = &mut self.clients[client];
        let replaced = it.current.and_then(|connection| self.links.get(&connection));
        if replaced.is_some_and(|link| link.ends_session) {
            it.unanswered.clear();
        }
        let utterance = it.connect(&self.terms, &mut self.vocabulary, connection, self.now, choice);
        it.current = Some(connection);
        it.asked.clear();
        let ends_session = matches!(&utterance.input, Input::Connect(terms) if terms.lifetime == Lifetime::Connection);
        self.links.insert(connection, Link::new(it, ends_session));
        self.owners.insert(connection, client);
        self.to_server.insert(connection, (client, VecDeque::new()));
        self.to_client.insert(connection, VecDeque::new());
        self.note(connection, What::Opened);
        if let Input::Connect(terms) = &utterance.input
            && terms.clean_start
            && terms.offences.is_empty()
        {
            self.clients[client].unanswered.clear();
        }
        self.say(connection, utterance, choice);
    }

    /// A client sends something.
    fn say(&mut self, connection: ConnectionId, utterance: Utterance, choice: &mut dyn Choice) {
        let Some(link) = self.links.get_mut(&connection) else { return };
        let Utterance { mut packet, input } = utterance;
        let version = link.version;
        if let Packet::Publish(publish) = &mut packet
            && version.has_properties()
            && self.terms.has(Theme::Aliases)
        {
            use_alias(&mut link.aliases, publish, choice);
        }
        let offence = match &input {
            Input::Offence(offence) => Some(*offence),
            Input::Publish { offences, .. } => offences.first().copied(),
            _ => None,
        };
        let context = Context { profile: self.terms.profile, vocabulary: &self.vocabulary, bug: self.terms.bug };
        let ends = offence.is_some_and(|offence| always_ends(&context, offence, version));
        link.silent |= ends || matches!(input, Input::Disconnect { .. });
        if let Some((_, waiting)) = self.to_server.get_mut(&connection) {
            waiting.push_back(input);
        }
        let bytes = encode(&packet, version).unwrap();
        self.note(connection, What::Sent(bytes));
    }

    /// A connection breaks: some of what the client has sent still arrives, nothing of what the server has sent.
    fn break_off(&mut self, connection: ConnectionId, choice: &mut dyn Choice) {
        if let Some((_, waiting)) = self.to_server.get_mut(&connection) {
            waiting.truncate(choice.below(waiting.len() + 1));
            waiting.push_back(Input::Lost);
        }
        self.forget(connection);
        self.note(connection, What::ClosedByClient);
    }

    /// The client has nothing more to do with a connection.
    fn forget(&mut self, connection: ConnectionId) {
        self.to_client.remove(&connection);
        if let Some(link) = self.links.remove(&connection) {
            let it = &mut self.clients[link.client];
            if it.current == Some(connection) {
                it.current = None;
                it.asked.clear();
                if link.ends_session {
                    it.unanswered.clear();
                }
            }
        }
    }

    /// The server takes what comes next on a connection.
    fn take(&mut self, connection: ConnectionId, choice: &mut dyn Choice) {
        let Some((client, waiting)) = self.to_server.get_mut(&connection) else { return };
        let client = *client;
        let Some(input) = waiting.pop_front() else { return };
        if input == Input::Lost {
            self.to_server.remove(&connection);
        }
        // It reads nothing after the packet for which it ends the connection.
        let session = &self.server.sessions[client];
        let condemned = session.link.as_ref().is_some_and(|link| link.id == connection) && !is_listening(session);
        if condemned && !matches!(input, Input::Lost | Input::Connect(_)) {
            return;
        }
        let context = Context { profile: self.terms.profile, vocabulary: &self.vocabulary, bug: self.terms.bug };
        for message in self.server.take(&context, self.now, client, connection, input, choice) {
            self.server.route(&mut self.vocabulary, &self.terms, self.now, message, choice);
        }
    }

    fn publish_will(&mut self, message: MessageKey, choice: &mut dyn Choice) {
        self.server.publish_will(message);
        self.server.route(&mut self.vocabulary, &self.terms, self.now, message, choice);
    }

    /// What the server may send for a client.
    pub(crate) fn offers(&self, client: usize) -> Vec<Move> {
        let offers = self.server.offers(&self.context(), self.now, client).into_iter();
        let has_room = |connection: &ConnectionId| {
            self.to_client.get(connection).is_none_or(|coming| coming.len() < self.terms.capacity)
        };
        offers
            .filter(|(connection, _)| has_room(connection))
            .map(|(connection, output)| Move::Send(client, connection, output))
            .collect()
    }

    fn send(&mut self, client: usize, connection: ConnectionId, offered: &Output, choice: &mut dyn Choice) {
        let context = Context { profile: self.terms.profile, vocabulary: &self.vocabulary, bug: self.terms.bug };
        let Some(output) = self.server.send(&context, self.now, client, connection, offered, choice) else { return };
        if output == Output::Close {
            self.to_server.remove(&connection);
        }
        if let Some(coming) = self.to_client.get_mut(&connection) {
            coming.push_back(output);
        }
    }

    /// The client sees what comes next on a connection.
    fn see(&mut self, connection: ConnectionId, choice: &mut dyn Choice) {
        let Some(output) = self.to_client.get_mut(&connection).and_then(VecDeque::pop_front) else { return };
        let Some(link) = self.links.get_mut(&connection) else { return };
        let it = &mut self.clients[link.client];
        let mut again = Vec::new();
        match &output {
            Output::Connack { code: 0, session_present, .. } => {
                link.connected = true;
                match *session_present || link.version == ProtocolVersion::V3_1 {
                    true => again = it.resume(&mut self.vocabulary, connection),
                    false => it.unanswered.clear(),
                }
            }
            Output::Publish { id: Some(id), qos: Qos::ExactlyOnce, .. } => link.answers.push(Answer::Pubrec(*id)),
            Output::Publish { id: Some(id), .. } => link.answers.push(Answer::Puback(*id)),
            Output::Pubrel { id, .. } => link.answers.push(Answer::Pubcomp(*id)),
            Output::Pubrec { id, code } => link.answers.extend(it.received(*id, *code)),
            Output::Puback { id, .. } | Output::Pubcomp { id, .. } => it.unanswered.retain(|open| open.id != *id),
            Output::Suback { id, .. } | Output::Unsuback { id, .. } => it.asked.retain(|of| of != id),
            Output::Disconnect { .. } => link.silent = true,
            _ => {}
        }
        let version = link.version;
        match packet(&output, version, &self.vocabulary) {
            Some(mut packet) => {
                if let Packet::Publish(publish) = &mut packet
                    && version.has_properties()
                    && self.terms.has(Theme::Aliases)
                {
                    use_alias(&mut link.server_aliases, publish, choice);
                }
                let bytes = encode(&packet, version).unwrap();
                self.note(connection, What::Received(bytes));
            }
            None => {
                self.note(connection, What::ClosedByServer);
                self.forget(connection);
            }
        }
        again.into_iter().for_each(|utterance| self.say(connection, utterance, choice));
    }

    /// An event in a line: `12 c1#4 -> SUBSCRIBE ..`.
    pub(crate) fn describe(&self, event: &Event) -> String {
        let Event { at, connection, what } = event;
        let client = self.owners[connection];
        let version = self.clients[client].version;
        let read = |mut decoder: Decoder, bytes: &[u8]| {
            decoder.feed(bytes);
            decoder.next_packet().unwrap().unwrap().packet.to_string()
        };
        let what = match what {
            What::Opened => "opened".to_owned(),
            What::Sent(bytes) => {
                let mut decoder = Decoder::from_client();
                if bytes[0] != 0x10 {
                    let connect = Packet::Connect(Connect { client_id: "c".try_into().unwrap(), ..Connect::default() });
                    decoder.feed(&encode(&connect, version).unwrap());
                    decoder.next_packet().unwrap();
                }
                format!("-> {}", read(decoder, bytes))
            }
            What::Received(bytes) => format!("<- {}", read(Decoder::from_server(version), bytes)),
            What::ClosedByServer => "closed by the server".to_owned(),
            What::ClosedByClient => "closed by the client".to_owned(),
        };
        format!("{at} c{client}{connection} {what}")
    }

    /// Lets everything come to rest: what is owed comes, what need not come does not.
    pub(crate) fn settle(&mut self, choice: &mut dyn Choice) {
        for _ in 0..100_000 {
            if let Some(connection) = self.readable().first() {
                self.take(*connection, choice);
            } else if let Some(connection) = self.visible().first() {
                self.see(*connection, choice);
            } else if let Some((connection, answer)) = self.links.iter_mut().find_map(|(connection, link)| {
                let answer = (!link.silent && !link.answers.is_empty()).then(|| link.answers.remove(0))?;
                Some((*connection, answer))
            }) {
                self.say(connection, answer.utterance(), choice);
            } else if let Some(message) = self.server.wills(self.now).first() {
                self.publish_will(*message, choice);
            } else {
                let owing = |client: &usize| self.server.sessions[*client].owed(&self.context()).is_some();
                let Some(client) = (0..self.clients.len()).find(owing) else { return };
                let offers = self.offers(client);
                assert!(!offers.is_empty(), "nothing to send although owed: {:#?}", self.server.sessions[client]);
                let offer = pick(choice, &offers).clone();
                self.step(&offer, choice);
            }
        }
        panic!("the world does not come to rest: {:#?}", self.server.sessions);
    }
}
