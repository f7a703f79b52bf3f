//! Faults that a proxy makes: when it acts, and what it does then.

use super::moment::Moment;
use model::packet::{ConnackProperties, Connect, Packet, PacketType, PublishProperties, Will};
use std::fmt;

/// A fault that a proxy between harness and peer makes.
pub struct ProxyFault {
    /// Its name in words: `puback-twice`.
    pub name: &'static str,
    /// What happens, in a sentence.
    pub about: &'static str,
    /// Whose misbehaviour it looks like.
    pub side: Side,
    /// The statements that it breaks, as cases cite them.
    pub breaks: &'static [&'static str],
    /// What the proxy does, and when.
    pub(super) rules: &'static [Rule],
}

/// Whose misbehaviour a fault looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The server's: cases for brokers are to notice it.
    Server,
    /// The client's: cases for clients are to notice it.
    Client,
}

/// One thing that a proxy does at one kind of moment.
pub(super) struct Rule {
    pub(super) on: On,
    act: Act,
}

/// What is done.
enum Act {
    /// Anything.
    Whatever(fn(&mut Moment<'_>)),
    /// The properties of a message change.
    Properties(fn(&mut PublishProperties)),
    /// The Will in a CONNECT changes.
    Will(fn(&mut Will)),
    /// What an accepting CONNACK announces changes.
    Announcement(fn(&mut ConnackProperties)),
}

/// When a rule applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    /// A packet of this type is on its way from the server.
    Server(PacketType),
    /// A packet of any type is on its way from the server.
    AnyFromServer,
    /// A packet of this type is on its way from the client.
    Client(PacketType),
    /// A packet of any type is on its way from the client.
    AnyFromClient,
    /// The client sent bytes that break one of these rules of the format: names in the table of `model::wire`.
    Refused(&'static [&'static str]),
    /// The client ends the connection, or breaks it.
    ClientEnds,
    /// The server ends the connection.
    ServerCloses,
    /// The time that a rule asked for has come.
    Alarm,
}

/// A fault that a server seems to have.
pub(super) const fn fault(
    name: &'static str,
    about: &'static str,
    breaks: &'static [&'static str],
    rules: &'static [Rule],
) -> ProxyFault {
    ProxyFault { name, about, side: Side::Server, breaks, rules }
}

/// What is done to a packet of the server.
pub(super) const fn server(packet_type: PacketType, act: fn(&mut Moment<'_>)) -> Rule {
    Rule { on: On::Server(packet_type), act: Act::Whatever(act) }
}

/// What is done about a packet of the client.
pub(super) const fn client(packet_type: PacketType, act: fn(&mut Moment<'_>)) -> Rule {
    Rule { on: On::Client(packet_type), act: Act::Whatever(act) }
}

/// What is done at another moment.
pub(super) const fn when(on: On, act: fn(&mut Moment<'_>)) -> Rule {
    Rule { on, act: Act::Whatever(act) }
}

impl Rule {
    /// Changes the properties of every delivery.
    pub(super) const fn of_properties(act: fn(&mut PublishProperties)) -> Rule {
        Rule { on: On::Server(PacketType::Publish), act: Act::Properties(act) }
    }

    /// Changes the Will in every CONNECT.
    pub(super) const fn of_will(act: fn(&mut Will)) -> Rule {
        Rule { on: On::Client(PacketType::Connect), act: Act::Will(act) }
    }

    /// Changes what every accepting CONNACK announces.
    pub(super) const fn of_announcement(act: fn(&mut ConnackProperties)) -> Rule {
        Rule { on: On::Server(PacketType::Connack), act: Act::Announcement(act) }
    }

    /// Does it.
    pub(super) fn apply(&self, moment: &mut Moment<'_>) {
        match (&self.act, &mut moment.packet) {
            (Act::Whatever(act), _) => act(moment),
            (Act::Properties(act), Some(Packet::Publish(publish))) => act(&mut publish.properties),
            (Act::Will(act), Some(Packet::Connect(Connect { will: Some(will), .. }))) => act(will),
            (Act::Announcement(act), Some(Packet::Connack(connack))) if connack.code.is_accepted() => {
                act(&mut connack.properties);
            }
            _ => {}
        }
    }
}

impl fmt::Debug for ProxyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyFault({})", self.name)
    }
}

impl Side {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Side::Server => "server",
            Side::Client => "client",
        }
    }
}
