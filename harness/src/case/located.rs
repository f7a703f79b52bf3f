//! Values that know the node that they were read from.

use super::decode::{LOCATED, REFERENCE};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A value and the number of the node that it was read from.
#[derive(Debug, Clone)]
pub(super) struct Located<T> {
    pub(super) node: usize,
    pub(super) value: T,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pair<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Pair<T> {
            type Value = Located<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value with its place")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<Located<T>, A::Error> {
                let missing = || de::Error::custom("only case files know the places of values");
                let node = pair.next_element()?.ok_or_else(missing)?;
                let value = pair.next_element()?.ok_or_else(missing)?;
                Ok(Located { node, value })
            }
        }
        deserializer.deserialize_tuple_struct(LOCATED, 2, Pair(PhantomData))
    }
}

/// The number of a node, to be read later.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reference(pub(super) usize);

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl<'de> Visitor<'de> for Number {
            type Value = Reference;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a node")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, number: D) -> Result<Reference, D::Error> {
                usize::deserialize(number).map(Reference)
            }
        }
        deserializer.deserialize_newtype_struct(REFERENCE, Number)
    }
}
