//! What is known of one connection, and how to send to it.

use super::alias::{ReceivedAliases, SentAliases};
use super::authenticate::{Authentication, Candidate};
use super::broker::{Action, ConnectionId, Core, Milliseconds};
use super::session::SessionId;
use super::timers::Timer;
use model::device::{Extras, Transport};
use model::packet::{Packet, ProtocolVersion, Publish, ReasonProperties, Utf8String};
use model::wire::encode;

/// A connection that is not closed.
#[derive(Debug)]
pub(super) enum Connection {
    /// Nothing came yet.
    AwaitingConnect {
        /// When CONNECT has to be there.
        deadline: Milliseconds,
        /// What carries it.
        transport: Transport,
    },
    /// CONNECT is acceptable; its authentication is under way.
    Authenticating(Box<Candidate>),
    /// CONNECT was accepted.
    Established(Link),
}

/// An accepted connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) session: SessionId,
    pub(super) peer: Peer,
    /// What the device asked for beside its session.
    pub(super) extras: Extras,
    /// The longest silence the Client may keep: 1.5 times its Keep Alive. `None` without Keep Alive.
    pub(super) longest_silence: Option<Milliseconds>,
    pub(super) last_heard: Milliseconds,
    /// When silence is looked at next: at `last_heard` plus `longest_silence` or before.
    pub(super) silence_check: Milliseconds,
    pub(super) authentication: Authentication,
    pub(super) received_aliases: ReceivedAliases,
    pub(super) sent_aliases: SentAliases,
}

/// An accepted connection, as a packet that came on it needs to know it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Established {
    pub(super) connection: ConnectionId,
    pub(super) session: SessionId,
    pub(super) version: ProtocolVersion,
}

/// What a Client can take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    pub(super) version: ProtocolVersion,
    /// Maximum Packet Size of its CONNECT, in bytes.
    pub(super) maximum_packet_size: Option<u32>,
    /// Request Problem Information of its CONNECT.
    pub(super) problem_information: bool,
}

impl Peer {
    /// The packet as this Client can take it: without its Reason String if that is not wanted (MQTT-3.1.2-29) or makes
    /// it too large; `None` if it is too large even so (MQTT-3.1.2-24).
    fn fit(self, mut packet: Packet) -> Option<Packet> {
        if !self.problem_information && !matches!(packet, Packet::Connack(_) | Packet::Disconnect(_)) {
            take_reason_string(&mut packet);
        }
        if self.takes(&packet) {
            return Some(packet);
        }
        take_reason_string(&mut packet);
        self.takes(&packet).then_some(packet)
    }

    fn takes(self, packet: &Packet) -> bool {
        // The size is worth encoding for only where there is a limit to it.
        self.maximum_packet_size
            .is_none_or(|maximum| encode(packet, self.version).is_ok_and(|bytes| bytes.len() <= maximum as usize))
    }
}

fn take_reason_string(packet: &mut Packet) {
    match packet {
        Packet::Connack(connack) => connack.properties.reason_string = None,
        Packet::Puback(acknowledgement)
        | Packet::Pubrec(acknowledgement)
        | Packet::Pubrel(acknowledgement)
        | Packet::Pubcomp(acknowledgement) => acknowledgement.properties.reason_string = None,
        Packet::Suback(suback) => suback.properties.reason_string = None,
        Packet::Unsuback(unsuback) => unsuback.properties.reason_string = None,
        Packet::Disconnect(disconnect) => disconnect.properties.reason_string = None,
        Packet::Auth(auth) => auth.properties.reason_string = None,
        Packet::Connect(_)
        | Packet::Publish(_)
        | Packet::Subscribe(_)
        | Packet::Unsubscribe(_)
        | Packet::Pingreq
        | Packet::Pingresp => {}
    }
}

/// `text` as the Reason String of a packet of this version.
pub(super) fn reason_string(version: ProtocolVersion, text: &str) -> Option<Utf8String> {
    if version.has_properties() { Utf8String::new(text).ok() } else { None }
}

/// `text` as the Reason String of an acknowledgement of this version.
pub(super) fn reason_properties(version: ProtocolVersion, text: &str) -> ReasonProperties {
    ReasonProperties { reason_string: reason_string(version, text), ..ReasonProperties::default() }
}

impl Core {
    /// Sends on an accepted connection. Returns whether the Client can take the packet; one that it cannot take is
    /// dropped.
    pub(super) fn send(&mut self, connection: ConnectionId, packet: Packet) -> bool {
        match self.connections.get(&connection) {
            Some(Connection::Established(link)) => self.send_to(connection, link.peer, packet),
            _ => false,
        }
    }

    /// Sends a delivery, with a Topic Alias if the Client takes one: the one that stands in the packet by now, or else one of
    /// the broker's choice. Returns whether it can take the packet.
    pub(super) fn send_publish(&mut self, connection: ConnectionId, mut publish: Publish) -> bool {
        let asked = publish.properties.topic_alias.take();
        if let Some(Connection::Established(link)) = self.connections.get_mut(&connection)
            && let Some((alias, short)) = link.sent_aliases.shorten(&publish, asked)
            && let short = Packet::Publish(short)
            && link.peer.takes(&short)
        {
            link.sent_aliases.learn(publish.topic, alias);
            return self.send(connection, short);
        }
        self.send(connection, Packet::Publish(publish))
    }

    /// Sends to a Client whose CONNECT was not accepted yet.
    pub(super) fn send_to(&mut self, connection: ConnectionId, peer: Peer, packet: Packet) -> bool {
        match peer.fit(packet) {
            Some(packet) => {
                self.output(connection, Action::Send(peer.version, packet));
                true
            }
            None => false,
        }
    }

    /// What carries a connection whose CONNECT is being looked at.
    pub(super) fn transport_of(&self, id: ConnectionId) -> Transport {
        match self.connections.get(&id) {
            Some(Connection::AwaitingConnect { transport, .. }) => *transport,
            _ => Transport::Plain,
        }
    }

    /// Forgets a connection; a close from the broker's side goes out with [`Core::close`].
    pub(super) fn forget_connection(&mut self, id: ConnectionId) -> Option<Connection> {
        let connection = self.connections.remove(&id)?;
        match &connection {
            Connection::AwaitingConnect { deadline, .. } => self.timers.cancel(*deadline, Timer::Connect(id)),
            Connection::Authenticating(candidate) => self.timers.cancel(candidate.deadline, Timer::Connect(id)),
            Connection::Established(link) if link.longest_silence.is_some() => {
                self.timers.cancel(link.silence_check, Timer::KeepAlive(id));
            }
            Connection::Established(_) => {}
        }
        Some(connection)
    }
}
