//! Why bytes are not a packet.

use crate::packet::{PacketType, ProtocolVersion, ReasonCode};
use std::fmt;

/// Why a decoder stopped: the first place at which a stream is not what its version permits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// Position of the offending byte in the stream, from 0.
    pub offset: u64,
    /// Position of the offending byte in the packet, from 0; the packet's length if something is missing at its end.
    pub packet_offset: usize,
    /// The rule of the format that is broken, by its name in the table of rules: `QOS_BITS`.
    pub rule: &'static str,
    /// The kind of fault.
    pub fault: Fault,
    /// The packet in which it is, if the first byte names one.
    pub packet_type: Option<PacketType>,
    /// The version by whose rules it was read; none as long as no CONNECT has named one.
    pub version: Option<ProtocolVersion>,
    /// What was expected and what was found.
    pub what: String,
    /// The numbered statements at stake, by the numbers of `version`; without version, a number that 3.1.1 and 5.0
    /// share or one of ours for 3.1. Empty where the text states the rule without a number.
    pub statements: &'static [&'static str],
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {} of ", self.fault, self.packet_offset)?;
        match self.packet_type {
            Some(packet_type) => write!(f, "{packet_type}")?,
            None => f.write_str("the packet")?,
        }
        write!(f, " (byte {} of the stream): {}", self.offset, self.what)?;
        if !self.statements.is_empty() {
            write!(f, " [{}]", self.statements.join(", "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// The kinds of fault that a decoder tells apart: those that a Server may have to answer differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The bytes cannot be read as the packet that they claim to be.
    MalformedPacket,
    /// The packet can be read, but says what the protocol does not allow.
    ProtocolError,
    /// CONNECT names a protocol other than MQTT.
    InvalidProtocolName,
    /// CONNECT names a version that does not exist.
    UnsupportedProtocolVersion,
    /// The packet is longer than the receiver accepts.
    PacketTooLarge,
    /// Topic Alias 0.
    TopicAliasInvalid,
    /// A Client began with another packet than CONNECT.
    FirstPacketNotConnect,
}

impl Fault {
    /// All kinds.
    pub const ALL: [Fault; 7] = [
        Fault::MalformedPacket,
        Fault::ProtocolError,
        Fault::InvalidProtocolName,
        Fault::UnsupportedProtocolVersion,
        Fault::PacketTooLarge,
        Fault::TopicAliasInvalid,
        Fault::FirstPacketNotConnect,
    ];

    /// The Reason Code with which 5.0 names it in CONNACK or DISCONNECT.
    #[must_use]
    pub fn reason_code(self) -> ReasonCode {
        match self {
            Fault::MalformedPacket => ReasonCode::MalformedPacket,
            Fault::ProtocolError | Fault::FirstPacketNotConnect => ReasonCode::ProtocolError,
            Fault::InvalidProtocolName | Fault::UnsupportedProtocolVersion => ReasonCode::UnsupportedProtocolVersion,
            Fault::PacketTooLarge => ReasonCode::PacketTooLarge,
            Fault::TopicAliasInvalid => ReasonCode::TopicAliasInvalid,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Fault::MalformedPacket => "malformed packet",
            Fault::ProtocolError => "protocol error",
            Fault::InvalidProtocolName => "invalid protocol name",
            Fault::UnsupportedProtocolVersion => "unsupported protocol version",
            Fault::PacketTooLarge => "packet too large",
            Fault::TopicAliasInvalid => "topic alias invalid",
            Fault::FirstPacketNotConnect => "first packet is not CONNECT",
        })
    }
}
