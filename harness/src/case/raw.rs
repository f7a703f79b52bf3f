//! `raw:`, the deliberate faults of a packet that is sent.

use super::bytes::BytesTemplate;
use super::schema::OrColumn;
use super::scope::Scope;
use super::template::BuildError;
use model::wire::Crafted;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

/// What is wrong with the packet. Overrides take effect in the order of the fields here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawFields {
    /// Bytes appended to the packet's properties; Property Length is corrected.
    properties: Option<BytesTemplate>,
    /// The Packet Identifier, which may be 0 here.
    #[schemars(with = "OrColumn<u16>")]
    packet_id: Option<u16>,
    /// Bytes overwritten, counted from the start of the variable header.
    patch: Option<PatchFields>,
    /// So many bytes off the end; Remaining Length shrinks too.
    #[schemars(with = "OrColumn<usize>")]
    cut: Option<usize>,
    /// Bytes at the end; Remaining Length grows.
    extra: Option<BytesTemplate>,
    /// The low nibble of the first byte.
    #[serde(deserialize_with = "nibble")]
    #[schemars(with = "OrColumn<u8>")]
    flags: Option<u8>,
    /// The whole first byte.
    #[schemars(with = "OrColumn<u8>")]
    first_byte: Option<u8>,
    /// What Remaining Length says instead of the truth.
    #[schemars(with = "OrColumn<u32>")]
    declared_length: Option<u32>,
    /// The bytes of Remaining Length as they are.
    length_bytes: Option<BytesTemplate>,
}

/// Bytes to overwrite.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PatchFields {
    /// Where, counted from the start of the variable header.
    #[schemars(with = "OrColumn<usize>")]
    at: usize,
    /// With what.
    bytes: BytesTemplate,
}

fn nibble<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    let flags = u8::deserialize(deserializer)?;
    if flags > 0xF {
        return Err(D::Error::custom(format!("`flags` are the low nibble, 0 to 15, found {flags}: use `first_byte`")));
    }
    Ok(Some(flags))
}

impl RawFields {
    /// Whether nothing is wrong.
    pub(super) fn is_empty(&self) -> bool {
        *self == RawFields::default()
    }

    /// Makes the packet wrong.
    pub(super) fn apply(&self, mut crafted: Crafted, scope: &Scope) -> Result<Crafted, BuildError> {
        if let Some(bytes) = &self.properties {
            crafted = crafted.properties(&bytes.build(scope)?);
        }
        if let Some(id) = self.packet_id {
            crafted = crafted.packet_id(id);
        }
        if let Some(patch) = &self.patch {
            crafted = crafted.patch(patch.at, &patch.bytes.build(scope)?);
        }
        if let Some(count) = self.cut {
            crafted = crafted.cut(count);
        }
        if let Some(bytes) = &self.extra {
            crafted = crafted.extra(&bytes.build(scope)?);
        }
        if let Some(flags) = self.flags {
            crafted = crafted.flags(flags);
        }
        if let Some(byte) = self.first_byte {
            crafted = crafted.first_byte(byte);
        }
        if let Some(length) = self.declared_length {
            crafted = crafted.declared_length(length);
        }
        if let Some(bytes) = &self.length_bytes {
            crafted = crafted.length_bytes(&bytes.build(scope)?);
        }
        Ok(crafted)
    }
}
