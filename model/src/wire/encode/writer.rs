//! A packet while it is written.

use super::unencodable::Unencodable;
use crate::packet::{PacketId, PacketType, Utf8String};

/// A packet without its Remaining Length, and where the parts are that [`crate::wire::Crafted`] overrides.
#[derive(Debug, Clone)]
pub(in crate::wire) struct Frame {
    pub(in crate::wire) first_byte: u8,
    /// Variable header and payload.
    pub(in crate::wire) body: Vec<u8>,
    /// Where the Packet Identifier is in the body.
    pub(in crate::wire) packet_id: Option<usize>,
    /// Where Property Length and properties are in the body, or would be.
    pub(in crate::wire) properties: PropertyPlace,
}

/// The place of the properties in a body.
#[derive(Debug, Clone, Copy)]
pub(in crate::wire) enum PropertyPlace {
    /// Property Length begins here.
    Present(usize),
    /// There is no Property Length. It would come here, after these bytes.
    Absent(usize, &'static [u8]),
}

impl Frame {
    pub(super) fn new(packet: PacketType, flags: u8) -> Frame {
        let first_byte = (packet.code() << 4) | flags;
        Frame { first_byte, body: Vec::new(), packet_id: None, properties: PropertyPlace::Absent(0, &[]) }
    }

    pub(super) fn byte(&mut self, value: u8) {
        self.body.push(value);
    }

    pub(super) fn two_byte_integer(&mut self, value: u16) {
        self.body.extend_from_slice(&value.to_be_bytes());
    }

    pub(super) fn packet_id(&mut self, packet_id: PacketId) {
        self.packet_id = Some(self.body.len());
        self.two_byte_integer(packet_id.value());
    }

    pub(super) fn text(&mut self, text: &Utf8String) {
        write_text(text, &mut self.body);
    }

    pub(super) fn binary(&mut self, field: &'static str, bytes: &[u8]) -> Result<(), Unencodable> {
        write_binary(field, bytes, &mut self.body)
    }
}

/// Appends a UTF-8 Encoded String, which is never too long by its type.
pub(super) fn write_text(text: &Utf8String, to: &mut Vec<u8>) {
    to.extend_from_slice(&(text.len() as u16).to_be_bytes());
    to.extend_from_slice(text.as_bytes());
}

/// Appends Binary Data.
pub(super) fn write_binary(field: &'static str, bytes: &[u8], to: &mut Vec<u8>) -> Result<(), Unencodable> {
    let length = u16::try_from(bytes.len()).map_err(|_| Unencodable::FieldTooLong { field, length: bytes.len() })?;
    to.extend_from_slice(&length.to_be_bytes());
    to.extend_from_slice(bytes);
    Ok(())
}
