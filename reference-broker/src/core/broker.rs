//! The core's face: inputs, outputs, and who handles which packet.

use super::cloud::Cloud;
use super::connection::{Connection, Established};
use super::devices::Devices;
use super::disconnect::Violation;
use super::retained::Retained;
use super::session::Sessions;
use super::subscriptions::Subscriptions;
use super::timers::{Timer, Timers};
use crate::settings::{Logins, Settings};
use model::device::Transport;
use model::packet::{Packet, ProtocolVersion, ReasonCode};
use model::wire::Refusal;
use std::collections::{BTreeMap, VecDeque};

/// Milliseconds since a moment that the caller chooses and keeps.
pub type Milliseconds = u64;

/// A network connection, named by the caller; names are not used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// What happened on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "packets are the rule here, the rest is rare")]
pub enum Input {
    /// It was opened, over this.
    Opened(Transport),
    /// A packet came, of the version that the connection's CONNECT named.
    Packet(ProtocolVersion, Packet),
    /// Bytes came that are no packet.
    Refused(Refusal),
    /// The Client closed it, or it broke.
    Closed,
}

/// What is to be done on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "packets are the rule here, the rest is rare")]
pub enum Action {
    /// Send a packet, encoded for this version.
    Send(ProtocolVersion, Packet),
    /// Close it once everything before is sent. The connection is forgotten: inputs about it are ignored.
    Close,
}

/// An action and its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Where.
    pub connection: ConnectionId,
    /// What.
    pub action: Action,
}

/// A broker as a state machine. Its outputs follow from its inputs and the times given with them, and from nothing else.
#[derive(Debug)]
pub struct Core {
    pub(super) settings: Settings,
    pub(super) now: Milliseconds,
    pub(super) connections: BTreeMap<ConnectionId, Connection>,
    pub(super) sessions: Sessions,
    pub(super) subscriptions: Subscriptions,
    pub(super) retained: Retained,
    pub(super) timers: Timers,
    pub(super) devices: Devices,
    /// Challenges sent so far.
    pub(super) challenges: u64,
    pub(super) cloud: Cloud,
    outputs: VecDeque<Output>,
}

impl Core {
    /// A broker with nobody connected and nothing stored.
    #[must_use]
    pub fn new(settings: Settings) -> Core {
        let devices = match &settings.logins {
            Logins::Registered(registry) => Devices::of(registry),
            Logins::Clients | Logins::Believed => Devices::default(),
        };
        Core {
            devices,
            settings,
            now: 0,
            connections: BTreeMap::new(),
            sessions: Sessions::default(),
            subscriptions: Subscriptions::default(),
            retained: Retained::default(),
            timers: Timers::default(),
            challenges: 0,
            cloud: Cloud::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes an input that came at `now`. Deadlines up to `now` come first, except the Keep Alive of a Client that was
    /// just heard.
    pub fn handle(&mut self, now: Milliseconds, connection: ConnectionId, input: Input) {
        if matches!(input, Input::Packet(..)) {
            self.heard(connection, now);
        }
        self.advance(now);
        match input {
            Input::Opened(transport) => self.opened(connection, transport),
            Input::Packet(version, packet) => self.received(connection, version, packet),
            Input::Refused(refusal) => self.refused(connection, refusal),
            Input::Closed => self.lost(connection),
        }
    }

    /// Lets time pass: does what is due by `now`.
    pub fn advance(&mut self, now: Milliseconds) {
        self.now = self.now.max(now);
        while let Some(timer) = self.timers.next_due(self.now) {
            match timer {
                Timer::Connect(connection) => self.connect_is_due(connection),
                Timer::KeepAlive(connection) => self.keep_alive_is_due(connection),
                Timer::Will(session) => self.will_is_due(session),
                Timer::SessionExpiry(session) => self.end_session(session),
                Timer::Call(id) => self.call_is_due(id),
            }
        }
    }

    /// When [`advance`](Core::advance) must be called at the latest.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Milliseconds> {
        self.timers.next_deadline()
    }

    /// The oldest output not yet taken.
    pub fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(super) fn output(&mut self, connection: ConnectionId, action: Action) {
        self.outputs.push_back(Output { connection, action });
    }

    fn opened(&mut self, connection: ConnectionId, transport: Transport) {
        let deadline = self.now + self.settings.limits.connect_within;
        self.timers.set(deadline, Timer::Connect(connection));
        self.connections.insert(connection, Connection::AwaitingConnect { deadline, transport });
    }

    fn received(&mut self, id: ConnectionId, version: ProtocolVersion, packet: Packet) {
        match (self.connections.get(&id), packet) {
            (None, _) => {}
            (Some(Connection::AwaitingConnect { .. }), Packet::Connect(connect)) => self.connect(id, version, connect),
            (Some(Connection::AwaitingConnect { .. }), _) => self.close(id),
            (Some(Connection::Authenticating(_)), packet) => self.candidate_sends(id, &packet),
            (Some(Connection::Established(link)), packet) => {
                let link = Established { connection: id, session: link.session, version: link.peer.version };
                if let Err(violation) = self.dispatch(link, packet) {
                    self.disconnect(id, &violation);
                }
            }
        }
    }

    fn dispatch(&mut self, from: Established, packet: Packet) -> Result<(), Violation> {
        match packet {
            Packet::Publish(publish) => self.publish(from, publish),
            Packet::Puback(acknowledgement) => self.puback(from, &acknowledgement),
            Packet::Pubrec(acknowledgement) => self.pubrec(from, &acknowledgement),
            Packet::Pubrel(acknowledgement) => self.pubrel(from, &acknowledgement),
            Packet::Pubcomp(acknowledgement) => self.pubcomp(from, &acknowledgement),
            Packet::Subscribe(subscribe) => self.subscribe(from, subscribe),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(from, unsubscribe),
            Packet::Pingreq => {
                self.send(from.connection, Packet::Pingresp);
                Ok(())
            }
            Packet::Disconnect(disconnect) => self.client_disconnects(from, &disconnect),
            Packet::Connect(_) => Err(Violation::new(ReasonCode::ProtocolError, "second CONNECT")),
            Packet::Auth(auth) => self.auth(from, &auth),
            Packet::Connack(_) | Packet::Suback(_) | Packet::Unsuback(_) | Packet::Pingresp => {
                Err(Violation::new(ReasonCode::ProtocolError, format!("{} from a client", packet.packet_type())))
            }
        }
    }
}
