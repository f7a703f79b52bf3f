//! What cannot be encoded.

use crate::packet::{PacketType, PropertyId, ProtocolVersion, ReasonCode};

/// Why a packet has no bytes in a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub enum Unencodable {
    /// AUTH before 5.0.
    #[error("MQTT {version} has no {packet}")]
    NoSuchPacket { packet: PacketType, version: ProtocolVersion },
    /// A property before 5.0.
    #[error("{packet} of MQTT {version} has no properties, found {property}")]
    NoProperties { packet: PacketType, version: ProtocolVersion, property: PropertyId },
    /// A Reason Code other than Success before 5.0, or one that does not exist there.
    #[error("{packet} of MQTT {version} cannot carry {code}")]
    CodeNotInVersion { packet: PacketType, version: ProtocolVersion, code: ReasonCode },
    /// A Reason Code that 5.0 does not permit in this packet.
    #[error("{packet} may not carry {code}")]
    CodeNotPermitted { packet: PacketType, code: ReasonCode },
    /// A Reason Code in a CONNACK of 3.x, or a Connect Return Code in one of 5.0.
    #[error("CONNACK of MQTT {version} carries {expected}")]
    WrongKindOfCode { version: ProtocolVersion, expected: &'static str },
    /// A subscription option other than the QoS before 5.0.
    #[error("SUBSCRIBE of MQTT {version} has no {option}")]
    OptionNotInVersion { version: ProtocolVersion, option: &'static str },
    /// Session Present in 3.1.
    #[error("CONNACK of MQTT 3.1 has no Session Present")]
    NoSessionPresent,
    /// Session Present with a code that refuses the connection.
    #[error("CONNACK with code 0x{code:02X} may not have Session Present 1")]
    SessionPresentAtFailure { code: u8 },
    /// A Password without User Name before 5.0.
    #[error("CONNECT of MQTT {version} may not have a Password without a User Name")]
    PasswordWithoutUserName { version: ProtocolVersion },
    /// Authentication Data alone, or an AUTH without method.
    #[error("{packet} needs an Authentication Method here")]
    AuthenticationMethodMissing { packet: PacketType },
    /// A property with a value that its type can hold and 5.0 does not permit.
    #[error("{property} may not be {value}")]
    PropertyValue { property: PropertyId, value: u8 },
    /// What only a Client may say together with what only a Server may say.
    #[error("{property} is for a Client and {code} for a Server, found both in DISCONNECT")]
    NoPossibleSender { property: PropertyId, code: ReasonCode },
    /// A PUBLISH with neither Topic Name nor Topic Alias.
    #[error("PUBLISH of MQTT {version} needs a Topic Name{}", or_alias(*version))]
    NoTopic { version: ProtocolVersion },
    /// No Topic Filter.
    #[error("{packet} needs at least one Topic Filter")]
    NoFilters { packet: PacketType },
    /// No code.
    #[error("{packet} needs a code for each Topic Filter, found none")]
    NoCodes { packet: PacketType },
    /// Binary data that its two-byte length cannot count.
    #[error("{field} has {length} bytes, the limit is 65535")]
    FieldTooLong { field: &'static str, length: usize },
    /// Properties that the Property Length cannot count.
    #[error("the properties of {packet} have {length} bytes, the limit is 268435455")]
    PropertiesTooLong { packet: PacketType, length: usize },
    /// A packet that the Remaining Length cannot count.
    #[error("{packet} has {length} bytes after its fixed header, the limit is 268435455")]
    PacketTooLong { packet: PacketType, length: usize },
}

fn or_alias(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1 => "",
        ProtocolVersion::V5_0 => " or a Topic Alias",
    }
}
