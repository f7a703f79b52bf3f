//! The data types of section 1.5: integers, strings, binary data, variable byte integers.

use super::rules::{self, Rule};
use crate::packet::{PacketId, Utf8String};
use std::fmt::Display;

/// The largest value of a Variable Byte Integer: 268,435,455.
pub const LARGEST_VARIABLE_BYTE_INTEGER: u32 = 0x0FFF_FFFF;

/// The size in bytes of the largest packet that the format can say: 268,435,460.
pub const LARGEST_PACKET: u32 = 1 + 4 + LARGEST_VARIABLE_BYTE_INTEGER;

/// A rule found broken, and where in the packet.
#[derive(Debug)]
pub(super) struct Objection {
    pub(super) at: usize,
    pub(super) rule: &'static Rule,
    pub(super) what: String,
}

impl Objection {
    pub(super) fn new(at: usize, rule: &'static Rule, what: impl Into<String>) -> Objection {
        Objection { at, rule, what: what.into() }
    }
}

/// The rules of one string field.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextField {
    pub(super) name: &'static str,
    pub(super) missing: &'static Rule,
    pub(super) ill_formed: &'static Rule,
    pub(super) null: &'static Rule,
}

/// Reads a packet, or the part of it that a length delimits. Positions count from the first byte of the packet.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    packet: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    /// A reader of `packet` that stands behind the fixed header.
    pub(super) fn behind_header(packet: &'a [u8], header: usize) -> Reader<'a> {
        Reader { packet, at: header.min(packet.len()), end: packet.len() }
    }

    /// The position of the next byte.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The number of bytes left.
    pub(super) fn left(&self) -> usize {
        self.end - self.at
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.left() == 0
    }

    /// Takes all that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        let rest = &self.packet[self.at..self.end];
        self.at = self.end;
        rest
    }

    /// Checks that nothing is left.
    pub(super) fn finish(&self) -> Result<(), Objection> {
        match self.left() {
            0 => Ok(()),
            left => Err(Objection::new(
                self.at,
                &rules::TRAILING,
                format!("expected the end of the packet, found {left} more byte{}", plural(left)),
            )),
        }
    }

    fn take(&mut self, count: usize, name: impl Display, missing: &'static Rule) -> Result<&'a [u8], Objection> {
        if self.left() < count {
            let left = self.left();
            return Err(Objection::new(
                self.end,
                missing,
                format!("expected {count} byte{} of {name}, found {left} before the end", plural(count)),
            ));
        }
        let bytes = &self.packet[self.at..self.at + count];
        self.at += count;
        Ok(bytes)
    }

    pub(super) fn byte(&mut self, name: &str, missing: &'static Rule) -> Result<u8, Objection> {
        Ok(self.take(1, name, missing)?[0])
    }

    pub(super) fn two_byte_integer(&mut self, name: &str, missing: &'static Rule) -> Result<u16, Objection> {
        let bytes = self.take(2, name, missing)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    pub(super) fn four_byte_integer(&mut self, name: &str, missing: &'static Rule) -> Result<u32, Objection> {
        let bytes = self.take(4, name, missing)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// A Packet Identifier: present and not zero.
    pub(super) fn packet_id(&mut self, rule: &'static Rule) -> Result<PacketId, Objection> {
        let at = self.at;
        let value = self.two_byte_integer("Packet Identifier", rule)?;
        PacketId::new(value)
            .ok_or_else(|| Objection::new(at, rule, "expected a Packet Identifier from 1 to 65535, found 0"))
    }

    /// Binary Data: a two-byte length and that many bytes.
    pub(super) fn binary(&mut self, name: &str, missing: &'static Rule) -> Result<&'a [u8], Objection> {
        let length = self.take(2, format_args!("the length of {name}"), missing)?;
        self.take(usize::from(u16::from_be_bytes([length[0], length[1]])), name, missing)
    }

    /// A UTF-8 Encoded String.
    ///
    /// 3.1 does not say what becomes of ill-formed UTF-8 or of U+0000 outside topics (V31-19). A `Utf8String` can hold
    /// neither, so they are refused there too; a server of 3.1 may well do otherwise and be right.
    pub(super) fn text(&mut self, field: &TextField) -> Result<Utf8String, Objection> {
        let bytes = self.binary(field.name, field.missing)?;
        let start = self.at - bytes.len();
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to();
            let what = format!("expected UTF-8 in {}, found byte 0x{:02X}", field.name, bytes[at]);
            Objection::new(start + at, field.ill_formed, what)
        })?;
        // The length comes from two bytes, so U+0000 is the only thing left to object to.
        Utf8String::new(text).map_err(|_| {
            let at = bytes.iter().position(|byte| *byte == 0).unwrap_or_default();
            Objection::new(start + at, field.null, format!("expected no U+0000 in {}, found it", field.name))
        })
    }

    /// A Variable Byte Integer, in its shortest form (5.0: MQTT-1.5.5-1).
    pub(super) fn variable_byte_integer(&mut self, name: &str, missing: &'static Rule) -> Result<u32, Objection> {
        match read_variable_byte_integer(&self.packet[self.at..self.end]) {
            VariableByteInteger::Complete { value, length, minimal } => {
                if !minimal {
                    return Err(not_minimal(self.at, length, name, value));
                }
                self.at += length;
                Ok(value)
            }
            VariableByteInteger::Incomplete => {
                let what = format!("expected {name} to end, found the end of the data after {} of it", self.left());
                Err(Objection::new(self.end, missing, what))
            }
            VariableByteInteger::TooLong => Err(too_long(self.at, name)),
        }
    }

    /// Splits off a reader for the next `length` bytes.
    pub(super) fn split(&mut self, length: u32, name: &str, rule: &'static Rule) -> Result<Reader<'a>, Objection> {
        let at = self.at;
        let left = self.left();
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > left {
            let what = format!("expected {name} within the {left} byte{} left, found {length}", plural(left));
            return Err(Objection::new(at, rule, what));
        }
        self.at += length;
        Ok(Reader { packet: self.packet, at, end: self.at })
    }
}

/// What the bytes of a Variable Byte Integer say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VariableByteInteger {
    Complete {
        value: u32,
        length: usize,
        /// Whether fewer bytes could not have said it.
        minimal: bool,
    },
    /// The bytes end before the integer does.
    Incomplete,
    /// The fourth byte says that a fifth follows.
    TooLong,
}

/// Reads a Variable Byte Integer at the start of `bytes`.
pub(super) fn read_variable_byte_integer(bytes: &[u8]) -> VariableByteInteger {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= u32::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return VariableByteInteger::Complete { value, length: index + 1, minimal: index == 0 || *byte != 0 };
        }
    }
    if bytes.len() < 4 { VariableByteInteger::Incomplete } else { VariableByteInteger::TooLong }
}

/// The objection to a Variable Byte Integer at `at` that wastes bytes: its last byte is the needless one.
pub(super) fn not_minimal(at: usize, length: usize, name: &str, value: u32) -> Objection {
    let what = format!("expected {name} in as few bytes as it needs, found {value} in {length} bytes");
    Objection::new(at + length - 1, &rules::MINIMAL_INTEGER, what)
}

/// The objection to a Variable Byte Integer at `at` whose fourth byte says that a fifth follows.
pub(super) fn too_long(at: usize, name: &str) -> Objection {
    let what = format!("expected {name} to end within four bytes, found a fourth byte that continues it");
    Objection::new(at + 3, &rules::LONG_INTEGER, what)
}

/// Appends `value` as a Variable Byte Integer. A value beyond [`LARGEST_VARIABLE_BYTE_INTEGER`] comes out in five
/// bytes, which only [`super::Crafted`] asks for.
pub(super) fn write_variable_byte_integer(value: u32, to: &mut Vec<u8>) {
    let mut left = value;
    while left >= 0x80 {
        to.push(0x80 | (left & 0x7F) as u8);
        left >>= 7;
    }
    // `left` is below 0x80 here.
    to.push(left as u8);
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
