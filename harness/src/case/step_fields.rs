//! The fields of steps that are no packets.

use super::bytes::BytesTemplate;
use super::decode::unknown_key;
use super::schema::or_column;
use model::profile::Offence;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BytesFields {
    /// The bytes.
    pub(super) bytes: BytesTemplate,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ElapseFields {
    /// How much.
    #[schemars(with = "ElapseText")]
    pub(super) time: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RejectedFields {
    /// What the client did wrong.
    pub(super) code: OffenceName,
}

/// For which versions a step is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhenFields {
    /// One protocol version or several, as text.
    pub(super) mqtt: OneOrMany<String>,
}

pub(super) struct OffenceName(pub(super) Offence);

impl<'de> Deserialize<'de> for OffenceName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(OffenceName).map_err(|_| {
            let known = Offence::ALL.iter().map(|offence| offence.name());
            de::Error::custom(unknown_key("offence", &text, known))
        })
    }
}

impl JsonSchema for OffenceName {
    fn schema_name() -> Cow<'static, str> {
        "Offence".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        or_column(&json_schema!({"enum": Offence::ALL.iter().map(|offence| offence.name()).collect::<Vec<_>>()}))
    }
}

/// A value, or a list of them.
pub(super) struct OneOrMany<T>(pub(super) Vec<T>);

impl<'de> Deserialize<'de> for OneOrMany<String> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> Visitor<'de> for Forms {
            type Value = OneOrMany<String>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a list of it")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany<String>, E> {
                Ok(OneOrMany(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany<String>, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = list.next_element()? {
                    all.push(one);
                }
                Ok(OneOrMany(all))
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]})
    }
}

pub(super) struct ElapseText;

impl JsonSchema for ElapseText {
    fn schema_name() -> Cow<'static, str> {
        "Elapse".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        or_column(&json_schema!({
            "type": "string",
            "pattern": "^([0-9]+ms|[0-9]+(\\.[0-9]{1,3})?(s| keep-alive))$",
        }))
    }
}
