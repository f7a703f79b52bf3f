//! The reference broker's core with clients around it, in virtual time: each command is played, every byte is recorded.

use crate::command::{Alias, Authentication, Command, Content, Request, Script, Terms};
use crate::memory::{Again, Deliveries, Memory};
use crate::packets;
use harness::trace::{ConnectionId, Event, Trace, What};
use model::packet::{
    Auth, Disconnect, DisconnectProperties, Packet, PacketId, PacketType, ProtocolVersion, Qos, ReasonCode,
    Unsubscribe, UnsubscribeProperties, Utf8String,
};
use model::profile::Profile;
use model::wire::{Decoder, encode};
use reference_broker::Settings;
use reference_broker::core::{self, Action, Core, Input};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// What happened in a walk.
pub(crate) struct Walked {
    pub(crate) trace: Trace,
    /// The same for people.
    pub(crate) chart: Vec<String>,
}

/// The broker and its clients.
struct Walk {
    core: Core,
    largest_packet: u32,
    /// Milliseconds.
    now: u64,
    /// The connection of each client, as long as it knows it open.
    clients: Vec<Option<ConnectionId>>,
    links: BTreeMap<ConnectionId, Link>,
    /// What a client keeps beyond its connection, by client identifier.
    memories: BTreeMap<&'static str, Memory>,
    opened: u32,
    published: u32,
    walked: Walked,
}

/// A connection.
struct Link {
    /// None before CONNECT.
    client_id: Option<&'static str>,
    version: ProtocolVersion,
    /// The broker's.
    decoder: Decoder,
    under_way: VecDeque<Vec<u8>>,
    stalled: bool,
    unread: VecDeque<Arrived>,
    reading: bool,
    greeted: bool,
    /// DISCONNECT was sent.
    left: bool,
    deliveries: Deliveries,
    /// How it answers challenges.
    authentication: Authentication,
}

/// What came from the broker.
enum Arrived {
    Packet(Box<Packet>, Vec<u8>),
    Close,
}

/// Plays a script against a broker of this dialect, and waits until all has come to rest.
pub(crate) fn walk(profile: &Profile, script: &Script) -> Walked {
    let settings = Settings::from_profile(profile);
    let mut walk = Walk {
        largest_packet: settings.limits.maximum_packet_size.get(),
        core: Core::new(settings),
        now: 0,
        clients: vec![None; script.clients],
        links: BTreeMap::new(),
        memories: BTreeMap::new(),
        opened: 0,
        published: 0,
        walked: Walked { trace: Trace::default(), chart: Vec::new() },
    };
    for command in &script.commands {
        walk.tick();
        walk.play(command);
    }
    walk.flow();
    walk.walked
}

impl Walk {
    fn play(&mut self, command: &Command) {
        match command {
            Command::Elapse { milliseconds } => self.elapse(*milliseconds),
            Command::Connect { client, terms, held } => {
                let client = client % self.clients.len();
                if self.clients[client].is_none() && !self.is_contested(terms) {
                    let id = self.open(client);
                    let link = self.links.get_mut(&id).expect("it was just opened");
                    (link.stalled, link.reading) = (*held, !*held);
                    self.connect(id, terms);
                }
            }
            Command::Malformed { client, bytes } => {
                let client = client % self.clients.len();
                let id = self.clients[client].unwrap_or_else(|| self.open(client));
                if !self.links[&id].left {
                    self.write(id, bytes, "no packet");
                }
            }
            Command::SecondConnect { client, .. }
            | Command::Subscribe { client, .. }
            | Command::Unsubscribe { client, .. }
            | Command::Publish { client, .. }
            | Command::Resend { client, .. }
            | Command::Release { client, .. }
            | Command::Acknowledge { client, .. }
            | Command::Misacknowledge { client, .. }
            | Command::AcknowledgeUnknown { client, .. }
            | Command::Reauthenticate { client }
            | Command::Ping { client }
            | Command::Disconnect { client, .. }
            | Command::Cut { client }
            | Command::CutWithin { client, .. }
            | Command::StopReading { client }
            | Command::Stall { client }
            | Command::Resume { client } => {
                let client = client % self.clients.len();
                if let Some(id) = self.clients[client] {
                    self.play_on(id, command);
                }
            }
        }
    }

    /// A command on an open connection.
    fn play_on(&mut self, id: ConnectionId, command: &Command) {
        let link = self.links.get_mut(&id).expect("clients know only links");
        match command {
            Command::Cut { .. } => return self.cut(id),
            Command::StopReading { .. } => return link.reading = false,
            Command::Stall { .. } => return link.stalled = true,
            Command::Resume { .. } => return self.resume(id),
            _ => {}
        }
        let Some(client_id) = link.client_id.filter(|_| !link.left) else { return };
        match command {
            Command::SecondConnect { terms, .. } => {
                let terms = Terms { version: link.version, ..terms.clone() };
                self.published += 1;
                self.send(id, &packets::connect(&terms, self.published));
            }
            Command::Subscribe { requests, identifier, .. } => {
                let means = |request: &Request| has_one_meaning(link.version, request.filter);
                let requests: Vec<Request> = requests.iter().copied().filter(means).collect();
                if requests.is_empty() {
                    return;
                }
                let packet_id = self.request(id, client_id);
                let version = self.links[&id].version;
                self.send(id, &packets::subscribe(packet_id, version, &requests, *identifier));
            }
            Command::Unsubscribe { filters, .. } => {
                let means = |filter: &&&'static str| has_one_meaning(link.version, filter);
                let filters: Vec<Utf8String> = filters.iter().filter(means).map(|text| packets::text(text)).collect();
                if filters.is_empty() {
                    return;
                }
                let packet_id = self.request(id, client_id);
                let properties = UnsubscribeProperties::default();
                self.send(id, &Packet::Unsubscribe(Unsubscribe { packet_id, properties, filters }));
            }
            Command::Publish { message, .. } => self.publish(id, client_id, message),
            Command::Resend { which, .. } => self.resend(id, client_id, *which),
            Command::Release { which, .. } => {
                if let Some(packet_id) = self.memories.entry(client_id).or_default().release(*which, id) {
                    self.acknowledge(id, PacketType::Pubrel, packet_id, ReasonCode::Success);
                }
            }
            Command::Acknowledge { which, refused, .. } => {
                let refused = *refused && link.version.has_properties();
                if let Some((packet, packet_id)) = link.deliveries.acknowledge(*which, refused) {
                    let refusal = ReasonCode::UnspecifiedError;
                    let reason = if refused && packet != PacketType::Pubcomp { refusal } else { ReasonCode::Success };
                    self.acknowledge(id, packet, packet_id, reason);
                }
            }
            Command::Misacknowledge { which, packet, .. } => {
                if let Some(packet_id) = link.deliveries.choose(*which) {
                    self.acknowledge(id, *packet, packet_id, ReasonCode::Success);
                }
            }
            Command::AcknowledgeUnknown { packet, .. } => {
                let unknown = PacketId::new(9_999).expect("it is not zero");
                self.acknowledge(id, *packet, unknown, ReasonCode::Success);
            }
            Command::Reauthenticate { .. } if link.authentication != Authentication::None => {
                self.send(id, &packets::auth(ReasonCode::ReAuthenticate, None));
            }
            Command::Ping { .. } => self.send(id, &Packet::Pingreq),
            Command::Disconnect { session_expiry, with_will, .. } => {
                let has_properties = link.version.has_properties();
                let session_expiry_interval = session_expiry.filter(|_| has_properties);
                let reason = match *with_will && has_properties {
                    true => ReasonCode::DisconnectWithWillMessage,
                    false => ReasonCode::Success,
                };
                link.left = true;
                let properties = DisconnectProperties { session_expiry_interval, ..DisconnectProperties::default() };
                self.send(id, &Packet::Disconnect(Disconnect { reason, properties }));
            }
            Command::CutWithin { bytes, .. } => {
                let whole = encode(&packets::half_sent(), link.version).expect("every version has it");
                self.write(id, &whole[..*bytes.min(&(whole.len() - 1))], "a part of a PUBLISH");
                self.cut(id);
            }
            _ => {}
        }
    }

    /// Whether two connections would contend for a session while one of them authenticates: the judge knows only of
    /// takeovers at CONNECT.
    fn is_contested(&self, terms: &Terms) -> bool {
        let authenticates = |authentication| authentication != Authentication::None;
        let its = |link: &&Link| link.client_id == Some(terms.client_id) && !terms.client_id.is_empty();
        self.links.values().filter(its).any(|link| {
            let newer = terms.version.has_properties() && authenticates(terms.authentication);
            newer || (authenticates(link.authentication) && !link.greeted)
        })
    }

    /// An identifier for SUBSCRIBE or UNSUBSCRIBE.
    fn request(&mut self, id: ConnectionId, client_id: &'static str) -> PacketId {
        let memory = self.memories.entry(client_id).or_default();
        let packet_id = memory.next_id();
        memory.request(packet_id, id);
        packet_id
    }

    fn open(&mut self, client: usize) -> ConnectionId {
        let id = ConnectionId(self.opened);
        self.opened += 1;
        let mut decoder = Decoder::from_client();
        decoder.set_maximum_packet_size(self.largest_packet);
        let link = Link {
            client_id: None,
            version: ProtocolVersion::V3_1_1,
            decoder,
            under_way: VecDeque::new(),
            stalled: false,
            unread: VecDeque::new(),
            reading: true,
            greeted: false,
            left: false,
            deliveries: Deliveries::default(),
            authentication: Authentication::None,
        };
        self.links.insert(id, link);
        self.clients[client] = Some(id);
        self.record(id, What::Opened(format!("client {client}")), "--", "opens a connection");
        self.core.handle(self.now, at_broker(id), Input::Opened);
        self.collect();
        id
    }

    fn connect(&mut self, id: ConnectionId, terms: &Terms) {
        let link = self.links.get_mut(&id).expect("it was just opened");
        link.client_id = Some(terms.client_id);
        link.version = terms.version;
        link.authentication = if terms.version.has_properties() { terms.authentication } else { Authentication::None };
        let memory = self.memories.entry(terms.client_id).or_default();
        match terms.clean_start {
            true => memory.clear(),
            false => memory.reconnect(),
        }
        self.published += 1;
        self.send(id, &packets::connect(terms, self.published));
    }

    fn publish(&mut self, id: ConnectionId, client_id: &'static str, content: &Content) {
        let link = &self.links[&id];
        let version = link.version;
        // What a Topic Alias may be is not known before CONNACK.
        let alias = if version.has_properties() && link.greeted { content.alias } else { Alias::None };
        self.published += 1;
        let memory = self.memories.entry(client_id).or_default();
        // With DUP an identifier that is used again would mean its old message.
        let new_id = |memory: &mut Memory| if content.dup { memory.fresh_id() } else { memory.next_id() };
        let packet_id = (content.qos > Qos::AtMostOnce).then(|| new_id(memory));
        let publish = packets::publish(packet_id, version, content, alias, self.published);
        memory.publish(&publish, version, id);
        self.send(id, &Packet::Publish(publish));
    }

    fn resend(&mut self, id: ConnectionId, client_id: &'static str, which: usize) {
        let version = self.links[&id].version;
        match self.memories.entry(client_id).or_default().again(which, version, id) {
            None => {}
            Some(Again::Publish(publish)) => self.send(id, &Packet::Publish(packets::again(&publish))),
            Some(Again::Release(packet_id)) => self.acknowledge(id, PacketType::Pubrel, packet_id, ReasonCode::Success),
        }
    }

    fn acknowledge(&mut self, id: ConnectionId, packet: PacketType, packet_id: PacketId, reason: ReasonCode) {
        self.send(id, &packets::acknowledgement(packet, packet_id, reason));
    }

    /// Answers a challenge as the client has made up its mind to.
    fn answer(&mut self, id: ConnectionId, challenge: &Auth) {
        let mut data = challenge.properties.authentication_data.clone().unwrap_or_default();
        match self.links[&id].authentication {
            Authentication::Right => data.reverse(),
            Authentication::Wrong => {}
            Authentication::None | Authentication::Foreign | Authentication::Silent => return,
        }
        self.send(id, &packets::auth(ReasonCode::ContinueAuthentication, Some(data)));
    }

    fn send(&mut self, id: ConnectionId, packet: &Packet) {
        let version = self.links[&id].version;
        let bytes = encode(packet, version).unwrap_or_else(|error| panic!("{packet} of {version}: {error}"));
        self.write(id, &bytes, &packet.to_string());
    }

    fn write(&mut self, id: ConnectionId, bytes: &[u8], shown: &str) {
        self.record(id, What::Sent(bytes.to_vec()), "->", shown);
        let link = self.links.get_mut(&id).expect("only links are written to");
        link.under_way.push_back(bytes.to_vec());
        if !link.stalled {
            self.arrive(id);
        }
    }

    /// What is under way arrives at the broker.
    fn arrive(&mut self, id: ConnectionId) {
        while let Some(bytes) = self.links.get_mut(&id).and_then(|link| link.under_way.pop_front()) {
            let Some(link) = self.links.get_mut(&id) else { return };
            link.decoder.feed(&bytes);
            while let Some(link) = self.links.get_mut(&id) {
                let input = match link.decoder.next_packet() {
                    Ok(None) => break,
                    Ok(Some(decoded)) => {
                        let version = link.decoder.version().expect("a packet was decoded");
                        Input::Packet(version, decoded.packet)
                    }
                    Err(refusal) => Input::Refused(refusal),
                };
                let refused = matches!(input, Input::Refused(_));
                self.core.handle(self.now, at_broker(id), input);
                self.collect();
                if refused {
                    return;
                }
            }
        }
    }

    /// Hands out what the broker has put out.
    fn collect(&mut self) {
        while let Some(output) = self.core.next_output() {
            let id = ConnectionId(u32::try_from(output.connection.0).expect("it was one"));
            let arrived = match output.action {
                Action::Close => Arrived::Close,
                Action::Send(version, packet) => {
                    let bytes =
                        encode(&packet, version).unwrap_or_else(|error| panic!("{packet} of {version}: {error}"));
                    Arrived::Packet(Box::new(packet), bytes)
                }
            };
            let Some(link) = self.links.get_mut(&id) else { continue };
            link.unread.push_back(arrived);
            if link.reading {
                self.read(id);
            }
        }
    }

    /// The client reads what has come.
    fn read(&mut self, id: ConnectionId) {
        while let Some(arrived) = self.links.get_mut(&id).and_then(|link| link.unread.pop_front()) {
            match arrived {
                Arrived::Close => {
                    self.record(id, What::ClosedByPeer, "--", "the broker closes the connection");
                    self.forget(id);
                }
                Arrived::Packet(packet, bytes) => {
                    self.record(id, What::Received(bytes), "<-", &packet.to_string());
                    self.learn(id, &packet);
                }
            }
        }
    }

    /// What the client has to remember of a packet.
    fn learn(&mut self, id: ConnectionId, packet: &Packet) {
        let Some(link) = self.links.get_mut(&id) else { return };
        match packet {
            Packet::Connack(connack) => link.greeted = connack.code.is_accepted(),
            Packet::Auth(auth) if auth.reason == ReasonCode::ContinueAuthentication => return self.answer(id, auth),
            _ => {}
        }
        link.deliveries.learn(packet);
        if let Some(memory) = link.client_id.and_then(|client_id| self.memories.get_mut(client_id)) {
            memory.learn(packet, id);
        }
    }

    /// The client breaks the connection: what it has not read is lost, and so is what has not arrived.
    fn cut(&mut self, id: ConnectionId) {
        self.record(id, What::ClosedByHarness, "--", "breaks the connection");
        self.forget(id);
        self.core.handle(self.now, at_broker(id), Input::Closed);
        self.collect();
    }

    fn forget(&mut self, id: ConnectionId) {
        self.links.remove(&id);
        for client in &mut self.clients {
            client.take_if(|known| *known == id);
        }
    }

    fn resume(&mut self, id: ConnectionId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.stalled = false;
            link.reading = true;
        }
        self.arrive(id);
        self.read(id);
    }

    /// All that was held back flows.
    fn flow(&mut self) {
        let links: Vec<ConnectionId> = self.links.keys().copied().collect();
        for id in links {
            self.resume(id);
        }
    }

    /// Time stands still while something is under way: the broker would be blamed for what it cannot know yet.
    fn tick(&mut self) {
        if self.links.values().all(|link| link.under_way.is_empty()) {
            self.advance(1);
        }
    }

    fn elapse(&mut self, milliseconds: u64) {
        self.flow();
        self.advance(milliseconds);
    }

    fn advance(&mut self, milliseconds: u64) {
        let until = self.now + milliseconds;
        while let Some(deadline) = self.core.next_deadline().filter(|deadline| *deadline <= until) {
            self.now = deadline;
            self.core.advance(deadline);
            self.collect();
        }
        self.now = until;
    }

    fn record(&mut self, connection: ConnectionId, what: What, arrow: &str, shown: &str) {
        let link = self.links.get(&connection);
        let client_id = link.and_then(|link| link.client_id).unwrap_or_default();
        let version = link.map(|link| link.version.to_string()).unwrap_or_default();
        let line = format!("{:>8} ms {connection:>4} {client_id:<3} {version:<5} {arrow} {shown}", self.now);
        self.walked.chart.push(line);
        self.walked.trace.events.push(Event { at: Duration::from_millis(self.now), connection, what });
    }
}

/// Whether a filter cannot have been meant otherwise by another connection of the session: what becomes of `$share` when 5.0
/// and 3.x take turns is not said anywhere.
fn has_one_meaning(version: ProtocolVersion, filter: &str) -> bool {
    version.has_properties() || !filter.starts_with("$share")
}

fn at_broker(id: ConnectionId) -> core::ConnectionId {
    core::ConnectionId(u64::from(id.0))
}
