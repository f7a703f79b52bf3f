//! What a server may do about an offence.

use crate::packet::{ConnectReturnCode, PacketType, ProtocolVersion, ReasonCode};
use std::fmt;
use std::str::FromStr;

/// One permitted reaction. Those that name CONNACK or DISCONNECT end with a close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reaction {
    /// Close without a word.
    Close,
    /// DISCONNECT (5.0), then close.
    Disconnect(Code),
    /// CONNACK that refuses, then close.
    Connack(Code),
    /// PUBACK with this code; the message goes nowhere.
    Puback(Code),
    /// SUBACK with this code for the filter.
    Suback(Code),
    /// SUBACK with this code for the filter, then DISCONNECT (5.0) and close.
    SubackThenClose(Code),
    /// Nothing happens: the packet has no effect and the connection goes on.
    Ignore,
    /// The packet is served as if it were right.
    Accept,
}

/// The code in a reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// Just this one.
    Exactly(u8),
    /// Any that reports a failure: 1 to 5 in a CONNACK of 3.x, 0x80 and above elsewhere.
    AnyError,
}

impl Code {
    /// A code that it admits in PUBACK, PUBREC, SUBACK or DISCONNECT.
    #[must_use]
    pub fn in_answer(self) -> u8 {
        match self {
            Code::Exactly(code) => code,
            Code::AnyError => 0x80,
        }
    }

    /// A code that it admits in CONNACK of `version`.
    #[must_use]
    pub fn in_connack(self, version: ProtocolVersion) -> u8 {
        match self {
            Code::AnyError if !version.has_properties() => 3,
            code => code.in_answer(),
        }
    }

    /// Whether `value` is such a code in a packet of `version`.
    #[must_use]
    pub fn admits(self, value: u8, packet: PacketType, version: ProtocolVersion) -> bool {
        match self {
            Code::Exactly(code) => code == value,
            Code::AnyError if packet == PacketType::Connack && !version.has_properties() => value != 0,
            Code::AnyError => value >= 0x80,
        }
    }
}

impl Reaction {
    /// Whether the connection goes on, if only for an answer.
    #[must_use]
    pub fn keeps_connection(self) -> bool {
        !matches!(self, Reaction::Close | Reaction::Disconnect(_) | Reaction::Connack(_))
    }

    /// Why a server of `version` cannot react like this, if it cannot.
    pub(super) fn contradiction(self, version: ProtocolVersion) -> Option<String> {
        let (packet, code) = match self {
            Reaction::Disconnect(_) if !version.has_properties() => {
                return Some(format!("a server of {version} has no DISCONNECT"));
            }
            Reaction::Disconnect(Code::Exactly(code)) => (PacketType::Disconnect, code),
            Reaction::Connack(Code::Exactly(code)) => (PacketType::Connack, code),
            Reaction::Puback(Code::Exactly(code)) => (PacketType::Puback, code),
            Reaction::Suback(Code::Exactly(code)) | Reaction::SubackThenClose(Code::Exactly(code)) => {
                (PacketType::Suback, code)
            }
            _ => return None,
        };
        let known = match (version.has_properties(), packet) {
            (true, _) => ReasonCode::from_value(code).is_some_and(|reason| reason.is_permitted_in(packet)),
            (false, PacketType::Connack) => ConnectReturnCode::from_value(code).is_some(),
            (false, PacketType::Suback) => {
                matches!(code, 0..=2) || (code == 0x80 && version == ProtocolVersion::V3_1_1)
            }
            (false, _) => code == 0,
        };
        let refuses = match packet {
            PacketType::Connack | PacketType::Disconnect => code != 0,
            _ => true,
        };
        (!(known && refuses)).then(|| format!("{packet} of {version} cannot say 0x{code:02X} here"))
    }
}

impl FromStr for Reaction {
    type Err = String;

    fn from_str(text: &str) -> Result<Reaction, String> {
        let (answer, closes) = text.strip_suffix(" then close").map_or((text, false), |answer| (answer, true));
        let (word, code) = answer.split_once(' ').map_or((answer, None), |(word, code)| (word, Some(code)));
        let code = code.map(parse_code).transpose()?;
        match (word, code) {
            ("suback", Some(code)) if closes => Ok(Reaction::SubackThenClose(code)),
            _ if closes => Err(format!("`{text}`: only a suback can stand before `then close`")),
            ("close", None) => Ok(Reaction::Close),
            ("ignore", None) => Ok(Reaction::Ignore),
            ("accept", None) => Ok(Reaction::Accept),
            ("disconnect", Some(code)) => Ok(Reaction::Disconnect(code)),
            ("connack", Some(code)) => Ok(Reaction::Connack(code)),
            ("puback", Some(code)) => Ok(Reaction::Puback(code)),
            ("suback", Some(code)) => Ok(Reaction::Suback(code)),
            _ => Err(format!(
                "unknown reaction `{text}`: expected close, ignore, accept, or disconnect, connack, puback or suback \
                 with a code such as 0x87 or `any`"
            )),
        }
    }
}

fn parse_code(text: &str) -> Result<Code, String> {
    if text == "any" {
        return Ok(Code::AnyError);
    }
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u8::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map(Code::Exactly).map_err(|_| format!("`{text}` is no code: write 5, 0x87 or any"))
}

impl fmt::Display for Reaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reaction::Close => f.write_str("close"),
            Reaction::Disconnect(code) => write!(f, "DISCONNECT {code} and close"),
            Reaction::Connack(code) => write!(f, "CONNACK {code} and close"),
            Reaction::Puback(code) => write!(f, "PUBACK {code}"),
            Reaction::Suback(code) => write!(f, "SUBACK {code}"),
            Reaction::SubackThenClose(code) => write!(f, "SUBACK {code}, then close"),
            Reaction::Ignore => f.write_str("ignore"),
            Reaction::Accept => f.write_str("accept"),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Code::Exactly(code) => write!(f, "0x{code:02X}"),
            Code::AnyError => f.write_str("with any error code"),
        }
    }
}
