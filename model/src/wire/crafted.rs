//! Deliberately wrong bytes.

use super::encode::{Frame, PropertyPlace, Unencodable, frame};
use super::fields::{VariableByteInteger, read_variable_byte_integer, write_variable_byte_integer};
use crate::packet::{Packet, PacketType, ProtocolVersion};

/// A packet that is wrong on purpose: a valid encoding, then overrides.
///
/// It is a type of its own, so that no wrong packet is ever sent by accident. Overrides take effect in the order in
/// which they are called; each one works on what the ones before left. Remaining Length tells the truth about the
/// outcome unless [`declared_length`](Crafted::declared_length) or [`length_bytes`](Crafted::length_bytes) says
/// otherwise; the last of these counts.
#[derive(Debug, Clone)]
pub struct Crafted {
    frame: Frame,
    length: Length,
}

#[derive(Debug, Clone)]
enum Length {
    Truth,
    Declared(u32),
    Verbatim(Vec<u8>),
}

impl Crafted {
    /// Starts from the valid encoding of `packet`.
    ///
    /// # Errors
    /// As [`encode`](super::encode), but for the length of the whole.
    pub fn of(packet: &Packet, version: ProtocolVersion) -> Result<Crafted, Unencodable> {
        Ok(Crafted { frame: frame(packet, version)?, length: Length::Truth })
    }

    /// Replaces the whole first byte: type and flags.
    #[must_use]
    pub fn first_byte(mut self, byte: u8) -> Crafted {
        self.frame.first_byte = byte;
        self
    }

    /// Replaces the low nibble of the first byte; the high nibble of `flags` is ignored.
    #[must_use]
    pub fn flags(mut self, flags: u8) -> Crafted {
        self.frame.first_byte = self.frame.first_byte & 0xF0 | flags & 0x0F;
        self
    }

    /// Replaces the Packet Identifier. A packet without one gets it where it would stand: after the Topic Name of a
    /// PUBLISH at QoS 0, else at the start of the variable header.
    #[must_use]
    pub fn packet_id(mut self, value: u16) -> Crafted {
        let bytes = value.to_be_bytes();
        match self.frame.packet_id {
            Some(at) => self.overwrite(at, &bytes),
            None => {
                let at = self.missing_packet_id();
                self.insert(at, &bytes);
                self.frame.packet_id = Some(at);
            }
        }
        self
    }

    /// Appends these bytes to the packet's properties (in CONNECT not to those of the Will) and corrects Property
    /// Length. A packet without Property Length, such as any packet of 3.x, gets one where 5.0 has it.
    #[must_use]
    pub fn properties(mut self, bytes: &[u8]) -> Crafted {
        let place = match self.frame.properties {
            PropertyPlace::Present(at) => at,
            PropertyPlace::Absent(at, before) => {
                let at = at.min(self.frame.body.len());
                let mut inserted = before.to_vec();
                inserted.push(0);
                self.insert(at, &inserted);
                at + before.len()
            }
        };
        // An override may have damaged the Property Length; then the bytes go where the body says that they would.
        let place = place.min(self.frame.body.len());
        let (length, length_bytes) = match read_variable_byte_integer(&self.frame.body[place..]) {
            VariableByteInteger::Complete { value, length, .. } => (value as usize, length),
            VariableByteInteger::Incomplete | VariableByteInteger::TooLong => (0, 0),
        };
        let end = (place + length_bytes + length).min(self.frame.body.len());
        self.insert(end, bytes);
        let mut corrected = Vec::new();
        write_variable_byte_integer((end - place - length_bytes + bytes.len()) as u32, &mut corrected);
        self.frame.body.splice(place..place + length_bytes, corrected);
        self.frame.properties = PropertyPlace::Present(place);
        self
    }

    /// Overwrites bytes, counted from the start of the variable header. The packet does not grow: what would come to
    /// lie behind its end is left out.
    #[must_use]
    pub fn patch(mut self, at: usize, bytes: &[u8]) -> Crafted {
        self.overwrite(at, bytes);
        self
    }

    /// Takes `count` bytes off the end, the fixed header excepted.
    #[must_use]
    pub fn cut(mut self, count: usize) -> Crafted {
        let kept = self.frame.body.len().saturating_sub(count);
        self.frame.body.truncate(kept);
        self
    }

    /// Appends bytes at the end.
    #[must_use]
    pub fn extra(mut self, bytes: &[u8]) -> Crafted {
        self.frame.body.extend_from_slice(bytes);
        self
    }

    /// Declares this Remaining Length instead of the truth. More than 268,435,455 takes five bytes, which no packet
    /// may.
    #[must_use]
    pub fn declared_length(mut self, length: u32) -> Crafted {
        self.length = Length::Declared(length);
        self
    }

    /// Puts these bytes in the place of Remaining Length.
    #[must_use]
    pub fn length_bytes(mut self, bytes: &[u8]) -> Crafted {
        self.length = Length::Verbatim(bytes.to_vec());
        self
    }

    /// The bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Frame { first_byte, body, .. } = &self.frame;
        let mut bytes = vec![*first_byte];
        match &self.length {
            // A body of 4 GiB is not built by hand; were it, the wrong length would be as good as another.
            Length::Truth => write_variable_byte_integer(body.len() as u32, &mut bytes),
            Length::Declared(length) => write_variable_byte_integer(*length, &mut bytes),
            Length::Verbatim(length) => bytes.extend_from_slice(length),
        }
        bytes.extend_from_slice(body);
        bytes
    }

    fn missing_packet_id(&self) -> usize {
        let body = &self.frame.body;
        match (PacketType::from_code(self.frame.first_byte >> 4), body.get(..2)) {
            (Some(PacketType::Publish), Some(length)) => {
                (2 + usize::from(u16::from_be_bytes([length[0], length[1]]))).min(body.len())
            }
            _ => 0,
        }
    }

    fn overwrite(&mut self, at: usize, bytes: &[u8]) {
        for (old, new) in self.frame.body.iter_mut().skip(at).zip(bytes) {
            *old = *new;
        }
    }

    /// Inserts bytes and moves what is remembered about the places behind them.
    fn insert(&mut self, at: usize, bytes: &[u8]) {
        let at = at.min(self.frame.body.len());
        self.frame.body.splice(at..at, bytes.iter().copied());
        let moved = |place: usize| if place >= at { place + bytes.len() } else { place };
        self.frame.packet_id = self.frame.packet_id.map(moved);
        self.frame.properties = match self.frame.properties {
            PropertyPlace::Present(place) => PropertyPlace::Present(moved(place)),
            PropertyPlace::Absent(place, before) => PropertyPlace::Absent(moved(place), before),
        };
    }
}
