//! Payloads and other binary data: text, bytes, or so many bytes.

use super::bytes::BytesTemplate;
use super::schema::or_column;
use super::scope::Scope;
use super::template::BuildError;
use super::value::{Bound, Text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// The largest `size:`: enough for every limit that a dialect has, and little enough to be held several times.
pub(crate) const LARGEST_FILLER: usize = 1 << 20;

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
            Data::Size(size) => Ok(filler(*size)),
        }
    }

    /// What was expected, if `bytes` are not as written.
    pub(super) fn compare(&self, bytes: &[u8], scope: &Scope) -> Result<Option<String>, BuildError> {
        if let Data::Size(size) = self {
            return Ok((*size != bytes.len()).then(|| format!("{size} bytes")));
        }
        let expected = self.resolve(scope)?;
        Ok((expected != bytes).then(|| describe(&expected)))
    }
}

/// What `size:` stands for where it is sent.
pub(crate) fn filler(size: usize) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(size).collect()
}

/// Bytes for a report: as text if they are printable, else as hex; long ones by their beginning.
pub(super) fn describe(bytes: &[u8]) -> String {
    const SHOWN: usize = 64;
    let (head, rest) = bytes.split_at(bytes.len().min(SHOWN));
    let more = if rest.is_empty() { String::new() } else { format!("... ({} bytes)", bytes.len()) };
    match std::str::from_utf8(head) {
        Ok(text) if !text.chars().any(char::is_control) => format!("{text:?}{more}"),
        _ => {
            let hex: Vec<String> = head.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("hex {}{more}", hex.join(" "))
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
                        size if size <= LARGEST_FILLER => Data::Size(size),
                        size => {
                            return Err(de::Error::custom(format!("`size: {size}` is above {LARGEST_FILLER} bytes")));
                        }
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
                    "properties": {"size": or_column(&json_schema!({"type": "integer", "maximum": LARGEST_FILLER}))},
                    "required": ["size"],
                    "additionalProperties": false,
                },
            ]
        })
    }
}
