//! Reason Codes and Return Codes as numbers or names.

use super::scope::Scope;
use super::template::BuildError;
use super::value::{Bound, Text, Variable};
use model::nearest::suggestion;
use model::packet::{PacketType, ProtocolVersion, ReasonCode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// One code: `0x87`, `135`, `not-authorized` or `$m.code`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Code {
    Number(u8),
    Name(String),
    Variable(Variable),
}

/// What a received code may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CodePattern {
    /// `any-error`.
    AnyError,
    /// `any-success`.
    AnySuccess,
    /// One code, or a list of those that are right.
    OneOf(Vec<Code>),
}

/// The codes that CONNACK has in 3.x: number, 3.x name, 5.0 code. The two names of a code stand for each other, so that
/// one step serves all versions.
const CONNACK: [(u8, &str, ReasonCode); 6] = [
    (0, "accepted", ReasonCode::Success),
    (1, "unacceptable-protocol-version", ReasonCode::UnsupportedProtocolVersion),
    (2, "identifier-rejected", ReasonCode::ClientIdentifierNotValid),
    (3, "server-unavailable", ReasonCode::ServerUnavailable),
    (4, "bad-user-name-or-password", ReasonCode::BadUserNameOrPassword),
    (5, "not-authorized", ReasonCode::NotAuthorized),
];

/// Second names that the standard has for code 0.
const ZERO: [(&str, PacketType); 2] =
    [("granted-qos-0", PacketType::Suback), ("normal-disconnection", PacketType::Disconnect)];

const ANY_ERROR: &str = "any-error";
const ANY_SUCCESS: &str = "any-success";

/// The name of a Reason Code in YAML: `not-authorized`.
pub(crate) fn name(code: ReasonCode) -> String {
    code.name().to_lowercase().replace(' ', "-")
}

/// All names that a code may have.
pub(super) fn names() -> Vec<String> {
    let mut all: Vec<String> = ReasonCode::ALL.iter().map(|code| name(*code)).collect();
    all.extend(CONNACK.iter().map(|(_, name, _)| (*name).to_owned()));
    all.extend(ZERO.iter().map(|(name, _)| (*name).to_owned()));
    all.sort();
    all.dedup();
    all
}

impl Code {
    /// The byte on the wire.
    pub(super) fn resolve(
        &self,
        packet: PacketType,
        version: ProtocolVersion,
        scope: &Scope,
    ) -> Result<u8, BuildError> {
        let value = match self {
            Code::Number(number) => *number,
            Code::Name(name) => named(name, packet, version)?,
            Code::Variable(variable) => match scope.value(variable)? {
                Bound::Number(number) if number <= 255 => number as u8,
                other => return Err(BuildError(format!("expected a code, `{variable}` is {}", other.describe()))),
            },
        };
        if is_sayable(value, packet, version) {
            Ok(value)
        } else {
            Err(BuildError(format!("{packet} of {version} cannot carry 0x{value:02X}{}", hint(version))))
        }
    }

    fn parse(text: &str) -> Result<Code, String> {
        if let Some(variable) = Text::parse(text)?.variable() {
            return Ok(Code::Variable(variable.clone()));
        }
        let known = names();
        if known.iter().any(|name| name == text) {
            return Ok(Code::Name(text.to_owned()));
        }
        let near = suggestion(text, known.iter().map(String::as_str));
        let near = if near.is_empty() { ": write a name like not-authorized, or a number like 0x87" } else { &near };
        Err(format!("unknown code `{text}`{near}"))
    }
}

fn hint(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::V5_0 => "",
        _ => ": limit the step with `when`",
    }
}

fn named(text: &str, packet: PacketType, version: ProtocolVersion) -> Result<u8, BuildError> {
    if packet == PacketType::Connack {
        let row = CONNACK.iter().find(|(_, old, new)| *old == text || name(*new) == text);
        if let Some((old, _, new)) = row {
            return Ok(if version.has_properties() { new.value() } else { *old });
        }
    }
    if ZERO.contains(&(text, packet)) {
        return Ok(0);
    }
    match ReasonCode::ALL.iter().find(|code| name(**code) == text) {
        Some(code) if version.has_properties() || packet != PacketType::Connack => Ok(code.value()),
        _ => Err(BuildError(format!("{packet} of {version} has no code `{text}`{}", hint(version)))),
    }
}

/// Whether a packet of the version can carry the code. Where 3.x has no code, it is as if there were a 0.
fn is_sayable(value: u8, packet: PacketType, version: ProtocolVersion) -> bool {
    match (version, packet) {
        (ProtocolVersion::V5_0, _) => ReasonCode::from_value(value).is_some_and(|code| code.is_permitted_in(packet)),
        (_, PacketType::Connack) => value <= 5,
        (_, PacketType::Suback) => matches!(value, 0..=2 | 0x80),
        (_, _) => value == 0,
    }
}

impl CodePattern {
    /// Whether `value` fits, and what was expected if not.
    pub(super) fn compare(
        &self,
        value: u8,
        packet: PacketType,
        version: ProtocolVersion,
        scope: &Scope,
    ) -> Result<Option<String>, BuildError> {
        let is_error = match (packet, version.has_properties()) {
            (PacketType::Connack, false) => value != 0,
            _ => value >= 0x80,
        };
        match self {
            CodePattern::AnyError => Ok((!is_error).then(|| "any error code".to_owned())),
            CodePattern::AnySuccess => Ok(is_error.then(|| "any success code".to_owned())),
            CodePattern::OneOf(codes) => {
                let mut expected = Vec::new();
                for code in codes {
                    expected.push(code.resolve(packet, version, scope)?);
                }
                let fits = expected.contains(&value);
                Ok((!fits).then(|| {
                    let list: Vec<String> = expected.iter().map(|code| describe(*code, packet, version)).collect();
                    list.join(" or ")
                }))
            }
        }
    }
}

/// A code as reports print it: `0x87 Not authorized`.
pub(super) fn describe(value: u8, packet: PacketType, version: ProtocolVersion) -> String {
    if packet == PacketType::Connack && !version.has_properties() {
        return match CONNACK.iter().find(|(code, ..)| *code == value) {
            Some((code, name, _)) => format!("{code} {name}"),
            None => value.to_string(),
        };
    }
    ReasonCode::from_value(value).map_or_else(|| format!("0x{value:02X}"), |code| code.to_string())
}

struct CodeVisitor;

impl Visitor<'_> for CodeVisitor {
    type Value = Code;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a code: a name like not-authorized, or a number up to 255")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Code, E> {
        u8::try_from(number).map(Code::Number).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Code, E> {
        if text == ANY_ERROR || text == ANY_SUCCESS {
            return Err(E::custom(format!("`{text}` is for codes that are received: name one code here")));
        }
        Code::parse(text).map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CodeVisitor)
    }
}

impl<'de> Deserialize<'de> for CodePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> Visitor<'de> for Forms {
            type Value = CodePattern;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a code, a list of codes, {ANY_ERROR} or {ANY_SUCCESS}")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<CodePattern, E> {
                CodeVisitor.visit_u64(number).map(|code| CodePattern::OneOf(vec![code]))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<CodePattern, E> {
                match text {
                    ANY_ERROR => Ok(CodePattern::AnyError),
                    ANY_SUCCESS => Ok(CodePattern::AnySuccess),
                    _ => CodeVisitor.visit_str(text).map(|code| CodePattern::OneOf(vec![code])),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<CodePattern, A::Error> {
                let mut codes = Vec::new();
                while let Some(code) = list.next_element()? {
                    codes.push(code);
                }
                if codes.is_empty() {
                    return Err(de::Error::custom("the list of codes is empty, so nothing could fit"));
                }
                Ok(CodePattern::OneOf(codes))
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let variable = generator.subschema_for::<Variable>();
        json_schema!({
            "description": "A Reason Code or Return Code by name or number.",
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": 255},
                {"enum": names()},
                variable,
            ]
        })
    }
}

impl JsonSchema for CodePattern {
    fn schema_name() -> Cow<'static, str> {
        "CodePattern".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let code = generator.subschema_for::<Code>();
        json_schema!({
            "description": "A code, a list of those that are right, or a whole class of them.",
            "anyOf": [code, {"type": "array", "items": code, "minItems": 1}, {"enum": [ANY_ERROR, ANY_SUCCESS]}]
        })
    }
}
