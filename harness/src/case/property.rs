//! The `properties:` of a packet: snake_case names of the properties of 5.0.

use super::data::Data;
use super::decode::unknown_key;
use super::scope::Scope;
use super::template::BuildError;
use super::value::{Literal, Text, Value};
use model::packet::{
    Property, PropertyId, PropertyMisuse, PropertySet, Qos, SubscriptionIdentifier, UserProperty, Utf8String,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::num::{NonZeroU16, NonZeroU32};

/// Properties that a packet with the set `S` may carry. An empty list says that the property is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Properties<S> {
    entries: BTreeMap<PropertyId, Vec<Entry>>,
    set: PhantomData<S>,
}

impl<S> Default for Properties<S> {
    fn default() -> Self {
        Properties { entries: BTreeMap::new(), set: PhantomData }
    }
}

/// What the value of a property is written as.
trait Source: Sized {
    type Target;

    fn resolve(&self, scope: &Scope) -> Result<Self::Target, BuildError>;

    /// Any value, to ask a set whether it takes the property.
    fn sample() -> Self::Target;
}

impl<T: Literal> Source for Value<T> {
    type Target = T;

    fn resolve(&self, scope: &Scope) -> Result<T, BuildError> {
        Value::resolve(self, scope)
    }

    fn sample() -> T {
        T::from_number(1).expect("1 is a value of every kind of number, and of flags")
    }
}

impl Source for Text {
    type Target = Utf8String;

    fn resolve(&self, scope: &Scope) -> Result<Utf8String, BuildError> {
        self.utf8(scope)
    }

    fn sample() -> Utf8String {
        Utf8String::default()
    }
}

impl Source for Data {
    type Target = Vec<u8>;

    fn resolve(&self, scope: &Scope) -> Result<Vec<u8>, BuildError> {
        Data::resolve(self, scope)
    }

    fn sample() -> Vec<u8> {
        Vec::new()
    }
}

/// A User Property, written as `name: value`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pair(Text, Text);

impl Source for Pair {
    type Target = UserProperty;

    fn resolve(&self, scope: &Scope) -> Result<UserProperty, BuildError> {
        Ok((self.0.utf8(scope)?, self.1.utf8(scope)?))
    }

    fn sample() -> UserProperty {
        UserProperty::default()
    }
}

macro_rules! sources {
    ($($id:ident: $source:ty;)*) => {
        /// A property as written.
        #[derive(Debug, Clone, PartialEq, Eq)]
        enum Entry { $($id($source),)* }

        impl Entry {
            fn resolve(&self, scope: &Scope) -> Result<Property, BuildError> {
                match self { $(Entry::$id(source) => Source::resolve(source, scope).map(Property::$id),)* }
            }
        }

        /// Reads one property of this id.
        impl<'de> DeserializeSeed<'de> for One {
            type Value = Entry;

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Entry, D::Error> {
                match self.0 { $(PropertyId::$id => <$source>::deserialize(deserializer).map(Entry::$id),)* }
            }
        }

        fn sample(id: PropertyId) -> Property {
            match id { $(PropertyId::$id => Property::$id(<$source as Source>::sample()),)* }
        }

        fn schema(id: PropertyId, generator: &mut SchemaGenerator) -> Schema {
            match id { $(PropertyId::$id => generator.subschema_for::<$source>(),)* }
        }
    };
}

#[derive(Clone, Copy)]
struct One(PropertyId);

sources! {
    PayloadFormatIndicator: Value<bool>;
    MessageExpiryInterval: Value<u32>;
    ContentType: Text;
    ResponseTopic: Text;
    CorrelationData: Data;
    SubscriptionIdentifier: Value<SubscriptionIdentifier>;
    SessionExpiryInterval: Value<u32>;
    AssignedClientIdentifier: Text;
    ServerKeepAlive: Value<u16>;
    AuthenticationMethod: Text;
    AuthenticationData: Data;
    RequestProblemInformation: Value<bool>;
    WillDelayInterval: Value<u32>;
    RequestResponseInformation: Value<bool>;
    ResponseInformation: Text;
    ServerReference: Text;
    ReasonString: Text;
    ReceiveMaximum: Value<NonZeroU16>;
    TopicAliasMaximum: Value<u16>;
    TopicAlias: Value<NonZeroU16>;
    MaximumQos: Value<Qos>;
    RetainAvailable: Value<bool>;
    UserProperty: Pair;
    MaximumPacketSize: Value<NonZeroU32>;
    WildcardSubscriptionAvailable: Value<bool>;
    SubscriptionIdentifierAvailable: Value<bool>;
    SharedSubscriptionAvailable: Value<bool>;
}

/// The name in YAML, as a packet with the set `S` writes it: `receive_maximum`.
pub(crate) fn name<S: PropertySet>(id: PropertyId) -> String {
    let singular = id.name().to_lowercase().replace(' ', "_");
    match id {
        PropertyId::UserProperty => "user_properties".to_owned(),
        _ if repeats::<S>(id) => format!("{singular}s"),
        _ => singular,
    }
}

fn permits<S: PropertySet>(id: PropertyId) -> bool {
    S::default().add(sample(id)) != Err(PropertyMisuse::NotPermittedHere)
}

fn repeats<S: PropertySet>(id: PropertyId) -> bool {
    let mut set = S::default();
    set.add(sample(id)).is_ok() && set.add(sample(id)).is_ok()
}

/// The properties that a packet with the set `S` knows, with their names.
fn names<S: PropertySet>() -> Vec<(String, PropertyId)> {
    PropertyId::ALL.iter().filter(|id| permits::<S>(**id)).map(|id| (name::<S>(*id), *id)).collect()
}

/// The property of this name.
pub(super) fn named<S: PropertySet>(text: &str) -> Option<PropertyId> {
    names::<S>().into_iter().find(|(name, _)| name == text).map(|(_, id)| id)
}

/// A set that has all its properties, to check scripts that are not being played.
pub(super) fn full<S: PropertySet>() -> S {
    let mut set = S::default();
    for id in PropertyId::ALL.iter().filter(|id| permits::<S>(**id)) {
        // It is permitted, and added once.
        let _ = set.add(sample(*id));
    }
    set
}

impl<S: PropertySet> Properties<S> {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The set to send.
    pub(super) fn resolve(&self, scope: &Scope) -> Result<S, BuildError> {
        let mut set = S::default();
        for entry in self.entries.values().flatten() {
            let property = entry.resolve(scope)?;
            let id = property.id();
            set.add(property).map_err(|_| BuildError(format!("the packet cannot carry {id} twice")))?;
        }
        Ok(set)
    }

    /// The properties that are not as expected: name, expected, seen.
    pub(super) fn compare(&self, seen: &S, scope: &Scope) -> Result<Vec<(String, String, String)>, BuildError> {
        let all = seen.to_properties();
        let mut mismatches = Vec::new();
        for (id, entries) in &self.entries {
            let mut expected = entries.iter().map(|entry| entry.resolve(scope)).collect::<Result<Vec<_>, _>>()?;
            let mut seen: Vec<Property> = all.iter().filter(|property| property.id() == *id).cloned().collect();
            if *id == PropertyId::SubscriptionIdentifier {
                // Their order says nothing.
                let number = |property: &Property| match property {
                    Property::SubscriptionIdentifier(identifier) => identifier.value(),
                    _ => 0,
                };
                expected.sort_by_key(number);
                seen.sort_by_key(number);
            }
            if expected != seen {
                mismatches.push((format!("properties.{}", name::<S>(*id)), describe(&expected), describe(&seen)));
            }
        }
        Ok(mismatches)
    }
}

/// Values of one property, for a report.
fn describe(properties: &[Property]) -> String {
    if properties.is_empty() {
        return "absent".to_owned();
    }
    properties.iter().map(value).collect::<Vec<_>>().join(", ")
}

fn value(property: &Property) -> String {
    use super::value::Bound;
    match super::binding::property_value(property) {
        Some(bound) => match bound {
            Bound::Bytes(bytes) => super::data::describe(&bytes),
            other => other.describe(),
        },
        None => match property {
            Property::UserProperty((name, value)) => format!("{:?}: {:?}", name.as_str(), value.as_str()),
            other => other.id().to_string(),
        },
    }
}

impl<'de, S: PropertySet> Deserialize<'de> for Properties<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map<S>(PhantomData<S>);
        impl<'de, S: PropertySet> Visitor<'de> for Map<S> {
            type Value = Properties<S>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of properties")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Properties<S>, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some(id) = map.next_key_seed(Name::<S>(PhantomData))? {
                    let values = map.next_value_seed(Values { id, list: repeats::<S>(id) })?;
                    entries.insert(id, values);
                }
                Ok(Properties { entries, set: PhantomData })
            }
        }
        deserializer.deserialize_any(Map(PhantomData))
    }
}

/// Reads the name of a property.
struct Name<S>(PhantomData<S>);

impl<'de, S: PropertySet> DeserializeSeed<'de> for Name<S> {
    type Value = PropertyId;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<PropertyId, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = names::<S>();
        if let Some((_, id)) = known.iter().find(|(name, _)| *name == text) {
            return Ok(*id);
        }
        let elsewhere = PropertyId::ALL.iter().find(|id| name::<S>(**id) == text);
        Err(de::Error::custom(match elsewhere {
            Some(id) => format!("this packet cannot carry {id}: send it with `raw: {{properties: ...}}`"),
            None => unknown_key("property", &text, known.iter().map(|(name, _)| name.as_str())),
        }))
    }
}

/// Reads the value of a property: none, one, or a list of a property that repeats.
struct Values {
    id: PropertyId,
    list: bool,
}

impl<'de> DeserializeSeed<'de> for Values {
    type Value = Vec<Entry>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Entry>, D::Error> {
        struct List(PropertyId);
        impl<'de> Visitor<'de> for List {
            type Value = Vec<Entry>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list for {}, or null if it must be absent", self.0)
            }

            fn visit_unit<E: de::Error>(self) -> Result<Vec<Entry>, E> {
                Ok(Vec::new())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Entry>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = list.next_element_seed(One(self.0))? {
                    entries.push(entry);
                }
                Ok(entries)
            }
        }
        if self.list {
            return deserializer.deserialize_any(List(self.id));
        }
        Ok(super::nullable::nullable(One(self.id), deserializer)?.into_iter().collect())
    }
}

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Single;
        impl<'de> Visitor<'de> for Single {
            type Value = Pair;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a User Property as {name: value}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pair, A::Error> {
                let one = || de::Error::custom("expected one {name: value}: a User Property each");
                let pair = map.next_entry::<Text, Text>()?.ok_or_else(one)?;
                match map.next_key::<Text>()? {
                    None => Ok(Pair(pair.0, pair.1)),
                    Some(_) => Err(one()),
                }
            }
        }
        deserializer.deserialize_any(Single)
    }
}

impl JsonSchema for Pair {
    fn schema_name() -> Cow<'static, str> {
        "UserProperty".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = generator.subschema_for::<Text>();
        json_schema!({"type": "object", "additionalProperties": text, "minProperties": 1, "maxProperties": 1})
    }
}

impl<S: PropertySet> JsonSchema for Properties<S> {
    fn schema_name() -> Cow<'static, str> {
        // `model::packet::properties::ConnectProperties` without its path.
        let path = std::any::type_name::<S>();
        path.rsplit("::").next().unwrap_or(path).to_owned().into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut properties = serde_json::Map::new();
        for (name, id) in names::<S>() {
            let one = schema(id, generator);
            let value = if repeats::<S>(id) {
                json_schema!({"anyOf": [{"type": "array", "items": one}, {"type": "null"}]})
            } else {
                json_schema!({"anyOf": [one, {"type": "null"}]})
            };
            properties.insert(name, value.to_value());
        }
        json_schema!({"type": "object", "properties": properties, "additionalProperties": false})
    }
}
