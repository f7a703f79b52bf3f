//! Values of fields: written out, or a variable.

use super::scope::Scope;
use super::template::BuildError;
use model::packet::{PacketId, Qos, RetainHandling, SubscriptionIdentifier, Utf8String};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::num::{NonZeroU16, NonZeroU32};

/// `$m.id` without the dollar sign.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) field: Option<String>,
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "${}.{field}", self.name),
            None => write!(f, "${}", self.name),
        }
    }
}

impl JsonSchema for Variable {
    fn schema_name() -> Cow<'static, str> {
        "Variable".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^\\$[a-z][a-z0-9]*(\\.[a-z][a-z0-9_-]*)?$"})
    }
}

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bound {
    Number(u64),
    Flag(bool),
    Text(String),
    Bytes(Vec<u8>),
}

impl Bound {
    /// For a message.
    pub(super) fn describe(&self) -> String {
        match self {
            Bound::Number(number) => number.to_string(),
            Bound::Flag(flag) => flag.to_string(),
            Bound::Text(text) => format!("{text:?}"),
            Bound::Bytes(bytes) => format!("{} bytes", bytes.len()),
        }
    }
}

/// Text with variables in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    Literal(String),
    Variable(Variable),
}

/// Takes `text` apart. `$$` is a dollar sign; names are `[a-z][a-z0-9]*`, and `$t` and `$c` have no fields.
pub(super) fn segments(text: &str) -> Result<Vec<Segment>, String> {
    let mut all = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        literal.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(tail) = rest.strip_prefix('$') {
            literal.push('$');
            rest = tail;
            continue;
        }
        let (name, tail) = word(rest, |c| c.is_ascii_lowercase() || c.is_ascii_digit());
        if name.is_empty() {
            return Err(format!("`$` needs the name of a variable behind it in {text:?}: write $$ for a dollar sign"));
        }
        let (field, tail) = match tail.strip_prefix('.') {
            Some(after) if name != "t" && name != "c" => {
                match word(after, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-') {
                    ("", _) => (None, tail),
                    (field, tail) => (Some(field.to_owned()), tail),
                }
            }
            _ => (None, tail),
        };
        if !literal.is_empty() {
            all.push(Segment::Literal(std::mem::take(&mut literal)));
        }
        all.push(Segment::Variable(Variable { name: name.to_owned(), field }));
        rest = tail;
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        all.push(Segment::Literal(literal));
    }
    Ok(all)
}

/// The longest start of `text` that is a lower-case letter and then characters that `continues` takes.
fn word(text: &str, continues: impl Fn(char) -> bool) -> (&str, &str) {
    if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        return ("", text);
    }
    text.split_at(text.find(|c| !continues(c)).unwrap_or(text.len()))
}

impl Text {
    pub(super) fn parse(text: &str) -> Result<Text, String> {
        segments(text).map(Text)
    }

    /// The variable, if the text is nothing else.
    pub(super) fn variable(&self) -> Option<&Variable> {
        match self.0.as_slice() {
            [Segment::Variable(variable)] => Some(variable),
            _ => None,
        }
    }

    /// The text, if there is no variable in it.
    pub(super) fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Segment::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The names of its variables.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Variable(variable) => Some(variable.name.as_str()),
            Segment::Literal(_) => None,
        })
    }

    /// The text with the values of its variables.
    pub(super) fn resolve(&self, scope: &Scope) -> Result<String, BuildError> {
        let mut text = String::new();
        for segment in &self.0 {
            match segment {
                Segment::Literal(literal) => text.push_str(literal),
                Segment::Variable(variable) => match scope.value(variable)? {
                    Bound::Number(number) => text.push_str(&number.to_string()),
                    Bound::Flag(flag) => text.push_str(&flag.to_string()),
                    Bound::Text(value) => text.push_str(&value),
                    Bound::Bytes(bytes) => match std::str::from_utf8(&bytes) {
                        Ok(value) => text.push_str(value),
                        Err(_) => return Err(BuildError(format!("`{variable}` is no UTF-8, and text is wanted here"))),
                    },
                },
            }
        }
        Ok(text)
    }
}

impl Text {
    /// The text as a UTF-8 Encoded String.
    pub(super) fn utf8(&self, scope: &Scope) -> Result<Utf8String, BuildError> {
        Utf8String::new(self.resolve(scope)?)
            .map_err(|error| BuildError(format!("{error}: send it with `raw:` or BYTES")))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Text::parse(&text).map_err(de::Error::custom)
    }
}

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "description": "Text with variables: $t/a. $$ is a dollar sign."})
    }
}

/// A value that is no text: written out, or a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<T> {
    Literal(T),
    Variable(Variable),
}

/// What can stand as a number or a truth value.
pub(super) trait Literal: Copy + fmt::Debug {
    /// What is expected, for messages.
    const EXPECTED: &'static str;
    /// Lowest and highest number; none for truth values.
    const RANGE: Option<(u64, u64)>;

    fn from_number(number: u64) -> Option<Self>;

    fn from_flag(_flag: bool) -> Option<Self> {
        None
    }
}

macro_rules! literal {
    ($($type:ty, $expected:literal, $range:expr, $number:ident => $from:expr;)*) => {$(
        impl Literal for $type {
            const EXPECTED: &'static str = $expected;
            const RANGE: Option<(u64, u64)> = Some($range);

            fn from_number($number: u64) -> Option<Self> {
                $from
            }
        }
    )*};
}

fn narrow<T: TryFrom<u64>>(number: u64) -> Option<T> {
    T::try_from(number).ok()
}

literal! {
    u16, "a number from 0 to 65535", (0, 65_535), number => narrow(number);
    u32, "a number from 0 to 4294967295", (0, 4_294_967_295), number => narrow(number);
    NonZeroU16, "a number from 1 to 65535", (1, 65_535), number => narrow(number).and_then(NonZeroU16::new);
    NonZeroU32, "a number from 1 to 4294967295", (1, 4_294_967_295), number => narrow(number).and_then(NonZeroU32::new);
    PacketId, "a packet id from 1 to 65535", (1, 65_535), number => narrow(number).and_then(PacketId::new);
    Qos, "a QoS: 0, 1 or 2", (0, 2), number => narrow(number).and_then(Qos::from_value);
    RetainHandling, "a Retain Handling: 0, 1 or 2", (0, 2),
        number => narrow(number).and_then(RetainHandling::from_value);
    SubscriptionIdentifier, "a Subscription Identifier from 1 to 268435455", (1, 268_435_455),
        number => narrow(number).and_then(SubscriptionIdentifier::new);
}

impl Literal for bool {
    const EXPECTED: &'static str = "true or false";
    const RANGE: Option<(u64, u64)> = None;

    fn from_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn from_flag(flag: bool) -> Option<Self> {
        Some(flag)
    }
}

impl<T: Literal> Value<T> {
    pub(super) fn resolve(&self, scope: &Scope) -> Result<T, BuildError> {
        match self {
            Value::Literal(value) => Ok(*value),
            Value::Variable(variable) => {
                let bound = scope.value(variable)?;
                let value = match &bound {
                    Bound::Number(number) => T::from_number(*number),
                    Bound::Flag(flag) => T::from_flag(*flag),
                    Bound::Text(_) | Bound::Bytes(_) => None,
                };
                value.ok_or_else(|| {
                    BuildError(format!("expected {}, `{variable}` is {}", T::EXPECTED, bound.describe()))
                })
            }
        }
    }
}

impl<'de, T: Literal> Deserialize<'de> for Value<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<T: Literal> Visitor<'_> for Either<T> {
            type Value = Value<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", T::EXPECTED)
            }

            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Value<T>, E> {
                T::from_flag(flag).map(Value::Literal).ok_or_else(|| E::invalid_type(de::Unexpected::Bool(flag), &self))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value<T>, E> {
                T::from_number(number).map(Value::Literal).ok_or_else(|| {
                    E::custom(format!("expected {}, found {number}: wrong packets are made with `raw:`", T::EXPECTED))
                })
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Value<T>, E> {
                let parsed = Text::parse(text).map_err(E::custom)?;
                match parsed.variable() {
                    Some(variable) => Ok(Value::Variable(variable.clone())),
                    None => Err(E::invalid_type(de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

impl<T: Literal> JsonSchema for Value<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::EXPECTED.into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let variable = generator.subschema_for::<Variable>();
        match T::RANGE {
            Some((minimum, maximum)) => json_schema!({
                "anyOf": [{"type": "integer", "minimum": minimum, "maximum": maximum}, variable]
            }),
            None => json_schema!({"anyOf": [{"enum": [true, false, 0, 1]}, variable]}),
        }
    }
}
