//! The control packets of MQTT 3.1, 3.1.1 and 5.0 as types, one file a packet.
//!
//! A value of [`Packet`] is well formed by construction as far as types can say it: identifiers are not zero, strings
//! hold no U+0000, a packet carries only properties that 5.0 allows in it. What depends on the protocol version (3.1.1 has
//! no properties) is refused when the packet is [encoded](crate::wire::encode). Deliberately wrong bytes have a type of
//! their own, [`crate::wire::Crafted`].

mod acknowledgement;
mod auth;
mod connack;
mod connect;
mod disconnect;
mod display;
mod properties;
mod publish;
mod reason;
mod subscribe;
mod text;
mod unsubscribe;
mod version;

pub use acknowledgement::Acknowledgement;
pub use auth::Auth;
pub use connack::{Connack, ConnackCode, ConnectReturnCode};
pub use connect::{Connect, Will};
pub use disconnect::Disconnect;
pub use properties::{
    AuthProperties, ConnackProperties, ConnectProperties, DisconnectProperties, Property, PropertyId, PropertyMisuse,
    PropertySet, PublishProperties, ReasonProperties, SubscribeProperties, SubscriptionIdentifier,
    UnsubscribeProperties, UserProperty, WillProperties,
};
pub use publish::{Delivery, Publish, Qos};
pub use reason::ReasonCode;
pub use subscribe::{RetainHandling, Suback, Subscribe, SubscriptionOptions, SubscriptionRequest};
pub use text::{TextError, Utf8String};
pub use unsubscribe::{Unsuback, Unsubscribe};
pub use version::ProtocolVersion;

use std::fmt;
use std::num::NonZeroU16;

/// A Packet Identifier: never zero (3.1.1: MQTT-2.3.1-1; 5.0: MQTT-2.2.1-3, MQTT-2.2.1-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketId(pub NonZeroU16);

impl PacketId {
    /// The lowest identifier.
    pub const FIRST: PacketId = PacketId(NonZeroU16::MIN);

    /// `value` as an identifier, unless it is zero.
    #[must_use]
    pub fn new(value: u16) -> Option<PacketId> {
        NonZeroU16::new(value).map(PacketId)
    }

    /// The number on the wire.
    #[must_use]
    pub fn value(self) -> u16 {
        self.0.get()
    }

    /// The next identifier in cyclic order, skipping zero.
    #[must_use]
    pub fn next(self) -> PacketId {
        PacketId(self.0.checked_add(1).unwrap_or(NonZeroU16::MIN))
    }
}

impl fmt::Display for PacketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One MQTT control packet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is named after its packet, whose type is documented")]
pub enum Packet {
    Connect(Connect),
    Connack(Connack),
    Publish(Publish),
    Puback(Acknowledgement),
    Pubrec(Acknowledgement),
    Pubrel(Acknowledgement),
    Pubcomp(Acknowledgement),
    Subscribe(Subscribe),
    Suback(Suback),
    Unsubscribe(Unsubscribe),
    Unsuback(Unsuback),
    Pingreq,
    Pingresp,
    Disconnect(Disconnect),
    Auth(Auth),
}

/// The type of a control packet; its discriminant is the high nibble of the first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "each variant is named after its packet")]
pub enum PacketType {
    Connect = 1,
    Connack = 2,
    Publish = 3,
    Puback = 4,
    Pubrec = 5,
    Pubrel = 6,
    Pubcomp = 7,
    Subscribe = 8,
    Suback = 9,
    Unsubscribe = 10,
    Unsuback = 11,
    Pingreq = 12,
    Pingresp = 13,
    Disconnect = 14,
    Auth = 15,
}

impl PacketType {
    /// All types in the order of their codes.
    pub const ALL: [PacketType; 15] = [
        PacketType::Connect,
        PacketType::Connack,
        PacketType::Publish,
        PacketType::Puback,
        PacketType::Pubrec,
        PacketType::Pubrel,
        PacketType::Pubcomp,
        PacketType::Subscribe,
        PacketType::Suback,
        PacketType::Unsubscribe,
        PacketType::Unsuback,
        PacketType::Pingreq,
        PacketType::Pingresp,
        PacketType::Disconnect,
        PacketType::Auth,
    ];

    /// The type with this code, if there is one (0 is reserved).
    #[must_use]
    pub fn from_code(code: u8) -> Option<PacketType> {
        PacketType::ALL.into_iter().find(|t| t.code() == code)
    }

    /// The code in the high nibble of the first byte.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The name as the standard prints it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            PacketType::Connect => "CONNECT",
            PacketType::Connack => "CONNACK",
            PacketType::Publish => "PUBLISH",
            PacketType::Puback => "PUBACK",
            PacketType::Pubrec => "PUBREC",
            PacketType::Pubrel => "PUBREL",
            PacketType::Pubcomp => "PUBCOMP",
            PacketType::Subscribe => "SUBSCRIBE",
            PacketType::Suback => "SUBACK",
            PacketType::Unsubscribe => "UNSUBSCRIBE",
            PacketType::Unsuback => "UNSUBACK",
            PacketType::Pingreq => "PINGREQ",
            PacketType::Pingresp => "PINGRESP",
            PacketType::Disconnect => "DISCONNECT",
            PacketType::Auth => "AUTH",
        }
    }
}

impl fmt::Display for PacketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Packet {
    /// Its type.
    #[must_use]
    pub fn packet_type(&self) -> PacketType {
        match self {
            Packet::Connect(_) => PacketType::Connect,
            Packet::Connack(_) => PacketType::Connack,
            Packet::Publish(_) => PacketType::Publish,
            Packet::Puback(_) => PacketType::Puback,
            Packet::Pubrec(_) => PacketType::Pubrec,
            Packet::Pubrel(_) => PacketType::Pubrel,
            Packet::Pubcomp(_) => PacketType::Pubcomp,
            Packet::Subscribe(_) => PacketType::Subscribe,
            Packet::Suback(_) => PacketType::Suback,
            Packet::Unsubscribe(_) => PacketType::Unsubscribe,
            Packet::Unsuback(_) => PacketType::Unsuback,
            Packet::Pingreq => PacketType::Pingreq,
            Packet::Pingresp => PacketType::Pingresp,
            Packet::Disconnect(_) => PacketType::Disconnect,
            Packet::Auth(_) => PacketType::Auth,
        }
    }

    /// Its Packet Identifier, if it carries one.
    #[must_use]
    pub fn packet_id(&self) -> Option<PacketId> {
        match self {
            Packet::Publish(publish) => publish.packet_id(),
            Packet::Puback(a) | Packet::Pubrec(a) | Packet::Pubrel(a) | Packet::Pubcomp(a) => Some(a.packet_id),
            Packet::Subscribe(subscribe) => Some(subscribe.packet_id),
            Packet::Suback(suback) => Some(suback.packet_id),
            Packet::Unsubscribe(unsubscribe) => Some(unsubscribe.packet_id),
            Packet::Unsuback(unsuback) => Some(unsuback.packet_id),
            Packet::Connect(_)
            | Packet::Connack(_)
            | Packet::Pingreq
            | Packet::Pingresp
            | Packet::Disconnect(_)
            | Packet::Auth(_) => None,
        }
    }
}
