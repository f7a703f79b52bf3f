//! The fields of steps that are no packets.

use super::bytes::BytesTemplate;
use super::decode::unknown_key;
use super::schema::or_column;
use super::value::Text;
use model::profile::Offence;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

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

/// Which message over AMQP is settled.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SettleFields {
    /// The variable that it is bound to; without one, the oldest that is not settled.
    #[serde(default)]
    message: Option<Text>,
}

impl SettleFields {
    /// The name of the variable.
    pub(super) fn variable(&self) -> Result<Option<String>, String> {
        let Some(text) = &self.message else { return Ok(None) };
        let variable = text.variable().filter(|variable| variable.field.is_none());
        variable
            .map(|variable| Some(variable.name.clone()))
            .ok_or_else(|| "`message` is a variable: `message: $m`".to_owned())
    }
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OneOrMany<T>(pub(super) Vec<T>);

/// What is written as text.
pub(super) trait FromText: Sized {
    fn from_text(text: &str) -> Result<Self, String>;
}

impl FromText for String {
    fn from_text(text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }
}

impl FromText for Text {
    fn from_text(text: &str) -> Result<Text, String> {
        Text::parse(text)
    }
}

impl<'de, T: FromText> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms<T>(PhantomData<T>);
        impl<'de, T: FromText> Visitor<'de> for Forms<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a list of it")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany<T>, E> {
                T::from_text(text).map(|one| OneOrMany(vec![one])).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = list.next_element::<String>()? {
                    all.push(T::from_text(&one).map_err(de::Error::custom)?);
                }
                Ok(OneOrMany(all))
            }
        }
        deserializer.deserialize_any(Forms(PhantomData))
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
