//! Packets out of a stream of bytes.

use super::decode::{self, Context};
use super::fields::{
    LARGEST_PACKET, Objection, VariableByteInteger, not_minimal, read_variable_byte_integer, too_long,
};
use super::refusal::Refusal;
use super::rules;
use super::sender::Sender;
use crate::packet::{Packet, PacketType, ProtocolVersion};
use std::hash::{Hash, Hasher};

/// Follows one direction of one connection.
///
/// It holds the bytes that were fed and not yet decoded, and nothing more: no length that a peer declares makes it
/// reserve memory.
#[derive(Debug, Clone)]
pub struct Decoder {
    sender: Sender,
    version: Option<ProtocolVersion>,
    maximum_packet_size: u32,
    /// Bytes from `start` on are not decoded yet.
    buffer: Vec<u8>,
    start: usize,
    /// Position in the stream of the byte at `start`.
    offset: u64,
    refused: Option<Refusal>,
}

/// A packet with the bytes that it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The packet.
    pub packet: Packet,
    /// All its bytes, fixed header included.
    pub bytes: Vec<u8>,
    /// Position of its first byte in the stream, from 0.
    pub offset: u64,
}

/// Two that would say the same of whatever comes hash alike, wherever in their streams they are.
impl Hash for Decoder {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Decoder { sender, version, maximum_packet_size, buffer, start, offset: _, refused } = self;
        (sender, version, maximum_packet_size, &buffer[*start..], refused.is_some()).hash(state);
    }
}

impl Decoder {
    /// A decoder of what a Client sends. It learns the version from CONNECT, which must come first.
    #[must_use]
    pub fn from_client() -> Decoder {
        Decoder::new(Sender::Client, None)
    }

    /// A decoder of what a Server sends on a connection of this version.
    #[must_use]
    pub fn from_server(version: ProtocolVersion) -> Decoder {
        Decoder::new(Sender::Server, Some(version))
    }

    fn new(sender: Sender, version: Option<ProtocolVersion>) -> Decoder {
        Decoder {
            sender,
            version,
            maximum_packet_size: LARGEST_PACKET,
            buffer: Vec::new(),
            start: 0,
            offset: 0,
            refused: None,
        }
    }

    /// The version in use: from a Client, known as soon as its CONNECT has named one that exists, even if the rest of
    /// that CONNECT is refused.
    #[must_use]
    pub fn version(&self) -> Option<ProtocolVersion> {
        self.version
    }

    /// Refuses packets of more than `bytes` bytes, fixed header included, as soon as their header is known.
    pub fn set_maximum_packet_size(&mut self, bytes: u32) {
        self.maximum_packet_size = bytes;
    }

    /// Appends bytes of the stream. After a refusal they are dropped.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.refused.is_some() {
            return;
        }
        // Moving at most as many bytes as were consumed keeps the cost of a long stream linear.
        if self.start >= self.buffer.len() - self.start {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next packet; `None` if more bytes are needed.
    ///
    /// # Errors
    /// At the first byte that the version does not permit. Where packets begin is lost then, so every later call gives
    /// the same refusal, unless one [steps over](Decoder::step_over) it.
    pub fn next_packet(&mut self) -> Result<Option<Decoded>, Refusal> {
        if let Some(refusal) = &self.refused {
            return Err(refusal.clone());
        }
        self.read_packet().map_err(|objection| self.refuse(objection))
    }

    /// Goes on behind the packet that was refused, as a receiver does that ignores it. False if nothing was refused, or if
    /// it had not come to its end by then.
    pub fn step_over(&mut self) -> bool {
        let held = &self.buffer[self.start..];
        let size = match held.split_first().map(|(_, rest)| read_variable_byte_integer(rest)) {
            Some(VariableByteInteger::Complete { value, length, .. }) => 1 + length + value as usize,
            _ => return false,
        };
        if self.refused.is_none() || held.len() < size {
            return false;
        }
        self.refused = None;
        self.start += size;
        self.offset += size as u64;
        true
    }

    /// The number of bytes held of a packet that is not complete; none after a refusal.
    #[must_use]
    pub fn pending(&self) -> usize {
        if self.refused.is_some() { 0 } else { self.buffer.len() - self.start }
    }

    fn read_packet(&mut self) -> Result<Option<Decoded>, Objection> {
        let held = &self.buffer[self.start..];
        let Some(&first) = held.first() else { return Ok(None) };
        let packet_type = self.packet_type(first)?;
        // The flags of the first CONNECT wait for its version: 3.1 does not mind them.
        if let Some(version) = self.version {
            decode::check_flags(packet_type, first, version)?;
        }
        let (remaining, length_bytes, minimal) = match read_variable_byte_integer(&held[1..]) {
            VariableByteInteger::Incomplete => return Ok(None),
            VariableByteInteger::TooLong => return Err(too_long(1, "Remaining Length")),
            VariableByteInteger::Complete { value, length, minimal } => (value, length, minimal),
        };
        let header = 1 + length_bytes;
        let size = header + remaining as usize;
        if size > self.maximum_packet_size as usize {
            let rule = match self.sender {
                Sender::Client => &rules::PACKET_TOO_LARGE_FROM_CLIENT,
                Sender::Server => &rules::PACKET_TOO_LARGE_FROM_SERVER,
            };
            let what = format!("expected at most {} bytes, found a packet of {size}", self.maximum_packet_size);
            return Err(Objection::new(1, rule, what));
        }
        if held.len() < size {
            return Ok(None);
        }

        let bytes = &held[..size];
        let version = match (self.version, packet_type) {
            (Some(version), _) => version,
            (None, _) => {
                let version = decode::version_of_connect(bytes, header)?;
                self.version = Some(version);
                decode::check_flags(packet_type, first, version)?;
                version
            }
        };
        // Only 5.0 asks for the shortest form of Remaining Length.
        if !minimal && version == ProtocolVersion::V5_0 {
            return Err(not_minimal(1, length_bytes, "Remaining Length", remaining));
        }
        let packet = decode::packet(bytes, header, packet_type, &Context { sender: self.sender, version })?;
        let decoded = Decoded { packet, bytes: bytes.to_vec(), offset: self.offset };
        self.start += size;
        self.offset += size as u64;
        Ok(Some(decoded))
    }

    /// The packet type in the first byte, if it may come here.
    fn packet_type(&self, first: u8) -> Result<PacketType, Objection> {
        let Some(packet_type) = PacketType::from_code(first >> 4) else {
            let what = format!("expected a packet type from 1 to 15, found 0 (first byte 0x{first:02X})");
            return Err(Objection::new(0, &rules::RESERVED_PACKET_TYPE, what));
        };
        match self.version {
            None if packet_type != PacketType::Connect => {
                let what = format!("expected CONNECT as first packet, found {packet_type}");
                Err(Objection::new(0, &rules::FIRST_PACKET, what))
            }
            Some(version) if packet_type == PacketType::Auth && version != ProtocolVersion::V5_0 => {
                let what = format!("expected a packet type of MQTT {version}, found 15, which is reserved there");
                Err(Objection::new(0, &rules::NOT_IN_THIS_VERSION, what))
            }
            Some(version) if !self.sender.may_send(packet_type, version) => {
                let what =
                    format!("expected a packet that a {} of MQTT {version} sends, found {packet_type}", self.sender);
                Err(Objection::new(0, &rules::WRONG_SENDER, what))
            }
            _ => Ok(packet_type),
        }
    }

    fn refuse(&mut self, objection: Objection) -> Refusal {
        let packet_type = self.buffer.get(self.start).and_then(|first| PacketType::from_code(first >> 4));
        let refusal = Refusal {
            offset: self.offset + objection.at as u64,
            packet_offset: objection.at,
            rule: objection.rule.name,
            fault: objection.rule.fault,
            packet_type,
            version: self.version,
            what: objection.what,
            statements: objection.rule.statements(self.sender, packet_type, self.version),
        };
        self.refused = Some(refusal.clone());
        refusal
    }
}
