//! From nodes to types, through serde: every error carries the place of the innermost node that it is about.

use super::yaml::{Content, Entry, Mark, Node, Typed};
use model::nearest::suggestion;
use serde::de::value::{StrDeserializer, U64Deserializer};
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use std::fmt;

/// Names by which [`Located`](super::located::Located), [`Reference`](super::located::Reference) and
/// [`Nullable`](super::nullable::Nullable) ask for what serde's data model does not know.
pub(super) const LOCATED: &str = "$located";
pub(super) const REFERENCE: &str = "$reference";
pub(super) const NULLABLE: &str = "$nullable";

/// Why a node is not what it ought to be.
#[derive(Debug)]
pub(super) struct DecodeError {
    pub(super) mark: Option<Mark>,
    pub(super) message: String,
}

impl DecodeError {
    fn or_at(mut self, mark: Mark) -> DecodeError {
        self.mark.get_or_insert(mark);
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        DecodeError { mark: None, message: message.to_string() }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        DecodeError::custom(unknown_key("key", field, expected.iter().copied()))
    }

    fn unknown_variant(word: &str, expected: &'static [&'static str]) -> Self {
        let near = suggestion(word, expected.iter().copied());
        let near = if near.is_empty() { format!(": expected {}", expected.join(", ")) } else { near };
        DecodeError::custom(format!("unknown word `{word}`{near}"))
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let found = match unexpected {
            Unexpected::Unit => "nothing".to_owned(),
            Unexpected::Bool(flag) => flag.to_string(),
            Unexpected::Unsigned(number) => format!("the number {number}"),
            Unexpected::Signed(number) => format!("the number {number}"),
            Unexpected::Str(text) => format!("the text {text:?}"),
            Unexpected::Seq => "a list".to_owned(),
            Unexpected::Map => "a map".to_owned(),
            other => other.to_string(),
        };
        DecodeError::custom(format!("expected {expected}, found {found}"))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        DecodeError::custom(format!("`{field}:` is missing"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        DecodeError::custom(format!("`{field}` stands twice"))
    }
}

/// The message about a key, or a word of another `kind`, that is none of the known ones.
pub(super) fn unknown_key<'a>(kind: &str, word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let near = suggestion(word, known.clone());
    if !near.is_empty() {
        return format!("unknown {kind} `{word}`{near}");
    }
    let known: Vec<&str> = known.collect();
    if known.is_empty() {
        return format!("unknown {kind} `{word}`: nothing is to be said here");
    }
    format!("unknown {kind} `{word}`: expected one of {}", known.join(", "))
}

/// Reads a `T` from a node.
pub(super) fn decode<'de, T: Deserialize<'de>>(node: &'de Node) -> Result<T, (Mark, String)> {
    T::deserialize(NodeDeserializer { node }).map_err(|error| (error.mark.unwrap_or(node.mark), error.message))
}

#[derive(Clone, Copy)]
struct NodeDeserializer<'de> {
    node: &'de Node,
}

impl NodeDeserializer<'_> {
    fn unexpected(&self, expected: &dyn de::Expected) -> DecodeError {
        let hint = match self.node.scalar().map(|scalar| scalar.typed()) {
            Some(Typed::Fraction(text)) => format!(": write \"{text}\" if it is text"),
            _ => String::new(),
        };
        de::Error::custom(format!("expected {expected}, found {}{hint}", self.node.describe()))
    }
}

impl<'de> Deserializer<'de> for NodeDeserializer<'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let outcome = match &self.node.content {
            Content::Sequence(items) => visitor.visit_seq(Items(items.iter())),
            Content::Mapping(entries) => visitor.visit_map(Entries { entries: entries.iter(), value: None }),
            Content::Scalar(scalar) => match scalar.typed() {
                Typed::Null => visitor.visit_unit(),
                Typed::Flag(flag) => visitor.visit_bool(flag),
                Typed::Integer(number) => match u64::try_from(number) {
                    Ok(number) => visitor.visit_u64(number),
                    Err(_) => visitor.visit_i64(number),
                },
                Typed::Fraction(_) => Err(self.unexpected(&visitor)),
                Typed::Text(text) => visitor.visit_borrowed_str(text),
            },
        };
        outcome.map_err(|error| error.or_at(self.node.mark))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.node.scalar().map(|scalar| scalar.typed()) {
            Some(Typed::Text(text)) => visitor.visit_borrowed_str(text),
            Some(Typed::Flag(_) | Typed::Integer(_) | Typed::Fraction(_)) => {
                // What YAML takes for a number needs quotes to be text; so other tools read the file as we do.
                let text = self.node.to_flow();
                Err(de::Error::custom(format!("expected text, found {}: write \"{text}\"", self.node.describe())))
            }
            _ => Err(self.unexpected(&"text")),
        }
        .map_err(|error: DecodeError| error.or_at(self.node.mark))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        // A key without a value is not the same as no key: types that know nothing as a value take it themselves.
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name == REFERENCE {
            let number: U64Deserializer<DecodeError> = (self.node.number as u64).into_deserializer();
            return visitor.visit_newtype_struct(number);
        }
        if name == NULLABLE && self.node.scalar().is_some_and(|scalar| scalar.typed() == Typed::Null) {
            return visitor.visit_unit();
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name == LOCATED {
            return visitor.visit_seq(NumberAndNode { node: self.node, step: 0 });
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match &self.node.content {
            Content::Mapping(_) => self.deserialize_any(visitor),
            _ => Err(self.unexpected(&"a map").or_at(self.node.mark)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.content {
            Content::Sequence(_) => self.deserialize_any(visitor),
            _ => Err(self.unexpected(&"a list").or_at(self.node.mark)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.node.scalar().map(|scalar| scalar.typed()) {
            Some(Typed::Flag(_)) => self.deserialize_any(visitor),
            _ => Err(self.unexpected(&"true or false").or_at(self.node.mark)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.node.scalar().map(|scalar| scalar.typed()) {
            Some(Typed::Text(text)) => visitor.visit_enum(Word(text)),
            _ => Err(self.unexpected(&"a word")),
        }
        .map_err(|error| error.or_at(self.node.mark))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple map identifier
        ignored_any
    }
}

struct Items<'de>(std::slice::Iter<'de, Node>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DecodeError> {
        let Some(node) = self.0.next() else { return Ok(None) };
        seed.deserialize(NodeDeserializer { node }).map(Some).map_err(|error| error.or_at(node.mark))
    }
}

struct Entries<'de> {
    entries: std::slice::Iter<'de, Entry>,
    value: Option<&'de Node>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        self.value = Some(&entry.value);
        let key: StrDeserializer<'_, DecodeError> = entry.key.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|error| error.or_at(entry.key_mark))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        match self.value.take() {
            Some(node) => seed.deserialize(NodeDeserializer { node }).map_err(|error| error.or_at(node.mark)),
            None => Err(de::Error::custom("a value was asked for before its key")),
        }
    }
}

struct NumberAndNode<'de> {
    node: &'de Node,
    step: u8,
}

impl<'de> SeqAccess<'de> for NumberAndNode<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DecodeError> {
        self.step += 1;
        match self.step {
            1 => {
                let number: U64Deserializer<DecodeError> = (self.node.number as u64).into_deserializer();
                seed.deserialize(number).map(Some)
            }
            2 => seed.deserialize(NodeDeserializer { node: self.node }).map(Some),
            _ => Ok(None),
        }
    }
}

struct Word<'de>(&'de str);

impl<'de> EnumAccess<'de> for Word<'de> {
    type Error = DecodeError;
    type Variant = Unit;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Unit), DecodeError> {
        let word: StrDeserializer<'_, DecodeError> = self.0.into_deserializer();
        Ok((seed.deserialize(word)?, Unit))
    }
}

/// A variant without data.
struct Unit;

impl<'de> VariantAccess<'de> for Unit {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _seed: T) -> Result<T::Value, DecodeError> {
        Err(de::Error::custom("a word carries no data"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, _visitor: V) -> Result<V::Value, DecodeError> {
        Err(de::Error::custom("a word carries no data"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, DecodeError> {
        Err(de::Error::custom("a word carries no data"))
    }
}
