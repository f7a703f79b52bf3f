//! Payloads and other binary data: text, bytes, or so many bytes.

use super::bytes::BytesTemplate;
use super::scope::Scope;
use super::template::BuildError;
use super::value::{Bound, Text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// The largest `size:`; a script holds a packet in memory several times.
const LARGEST: usize = 16 << 20;

/// Binary data with variables in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Data {
    Text(Text),
    Hex(BytesTemplate),
    /// This many bytes: letters in turn when sent; when expected, only the length is compared.
    Size(usize),
}

impl Data {
    pub(super) fn resolve(&self, scope: &Scope) -> Result<Vec<u8>, BuildError> {
        match self {
            Data::Text(text) => match text.variable().map(|variable| scope.value(variable)).transpose()? {
                Some(Bound::Bytes(bytes)) => Ok(bytes),
                _ => text.resolve(scope).map(String::into_bytes),
            },
            Data::Hex(bytes) => bytes.build(scope),
            Data::Size(size) => Ok((b'a'..=b'z').cycle().take(*size).collect()),
        }
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> Visitor<'de> for Forms {
            type Value = Data;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text in quotes, {hex: \"00 ff\"} or {size: 300}")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Data, E> {
                Text::parse(text).map(Data::Text).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Data, A::Error> {
                let one = || de::Error::custom("expected one key: `hex` or `size`");
                let data = match map.next_key::<String>()?.ok_or_else(one)?.as_str() {
                    "hex" => Data::Hex(map.next_value()?),
                    "size" => match map.next_value::<usize>()? {
                        size if size <= LARGEST => Data::Size(size),
                        size => return Err(de::Error::custom(format!("`size: {size}` is above {LARGEST} bytes"))),
                    },
                    other => return Err(de::Error::unknown_field(other, &["hex", "size"])),
                };
                if map.next_key::<String>()?.is_some() {
                    return Err(one());
                }
                Ok(data)
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

impl JsonSchema for Data {
    fn schema_name() -> Cow<'static, str> {
        "Data".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = generator.subschema_for::<Text>();
        let bytes = generator.subschema_for::<BytesTemplate>();
        json_schema!({
            "anyOf": [
                text,
                {"type": "object", "properties": {"hex": bytes}, "required": ["hex"], "additionalProperties": false},
                {
                    "type": "object",
                    "properties": {"size": {"type": "integer", "minimum": 0, "maximum": LARGEST}},
                    "required": ["size"],
                    "additionalProperties": false,
                },
            ]
        })
    }
}
