//! Values for which `null` is not the same as nothing.

use super::decode::NULLABLE;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// A value, or `null` where that says something else than leaving it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Nullable<T> {
    /// `null`.
    Null,
    /// The value.
    Value(T),
}

impl<T> Nullable<T> {
    pub(super) fn value(&self) -> Option<&T> {
        match self {
            Nullable::Null => None,
            Nullable::Value(value) => Some(value),
        }
    }
}

/// Reads `null` as nothing, and anything else with `seed`.
pub(super) fn nullable<'de, S: DeserializeSeed<'de>, D: Deserializer<'de>>(
    seed: S,
    deserializer: D,
) -> Result<Option<S::Value>, D::Error> {
    struct OrNull<S>(S);
    impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for OrNull<S> {
        type Value = Option<S::Value>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a value or null")
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
            self.0.deserialize(value).map(Some)
        }
    }
    deserializer.deserialize_newtype_struct(NULLABLE, OrNull(seed))
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Nullable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = nullable(PhantomData, deserializer)?;
        Ok(value.map_or(Nullable::Null, Nullable::Value))
    }
}

impl<T: JsonSchema> JsonSchema for Nullable<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Nullable{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({"anyOf": [value, {"type": "null"}]})
    }
}
