//! Packets out of the bytes of one direction, and what is no packet.

use model::packet::{Connect, Packet, ProtocolVersion};
use model::wire::{Decoded, Decoder, Refusal, encode};

/// Packets above this size are not looked into.
const LARGEST: u32 = 128 << 10;

/// Reads one direction of a connection.
pub(super) struct Reading {
    version: ProtocolVersion,
    /// None when what follows is passed on as it is.
    decoder: Option<Decoder>,
    /// Bytes that are not understood yet.
    pending: Vec<u8>,
}

/// What came next.
pub(super) enum Understood {
    Packet(Box<Decoded>),
    /// The sender may not say this. All that follows is with it.
    Refused(Box<Refusal>, Vec<u8>),
    /// Bytes that nobody looks into.
    Bytes(Vec<u8>),
}

impl Reading {
    pub(super) fn of_client(version: ProtocolVersion) -> Reading {
        Reading::new(version, Decoder::from_client())
    }

    pub(super) fn of_server(version: ProtocolVersion) -> Reading {
        Reading::new(version, Decoder::from_server(version))
    }

    fn new(version: ProtocolVersion, mut decoder: Decoder) -> Reading {
        decoder.set_maximum_packet_size(LARGEST);
        Reading { version, decoder: Some(decoder), pending: Vec::new() }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        if let Some(decoder) = &mut self.decoder {
            decoder.feed(bytes);
        }
    }

    /// What can be understood now.
    pub(super) fn next(&mut self) -> Option<Understood> {
        let Some(decoder) = &mut self.decoder else {
            let bytes = self.rest();
            return (!bytes.is_empty()).then_some(Understood::Bytes(bytes));
        };
        match decoder.next_packet() {
            Ok(Some(decoded)) => {
                self.pending.drain(..decoded.bytes.len());
                Some(Understood::Packet(Box::new(decoded)))
            }
            Ok(None) => None,
            Err(refusal) => {
                self.decoder = None;
                Some(Understood::Refused(Box::new(refusal), self.rest()))
            }
        }
    }

    /// The bytes that are left.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.pending)
    }

    /// Goes on behind bytes that the client should not have sent, as if it had not.
    pub(super) fn begin_anew(&mut self) {
        let mut decoder = Decoder::from_client();
        // Only behind a CONNECT does a decoder know its version.
        if let Ok(connect) = encode(&Packet::Connect(Connect::default()), self.version) {
            decoder.feed(&connect);
            // It has been written a moment ago, so it can be read.
            let _ = decoder.next_packet();
        }
        *self = Reading::new(self.version, decoder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::packet::PacketType;

    /// What comes out of a piece of the stream, as text.
    fn read(reading: &mut Reading, bytes: &[u8]) -> Vec<String> {
        reading.feed(bytes);
        let understood = std::iter::from_fn(|| reading.next());
        understood
            .map(|understood| match understood {
                Understood::Packet(decoded) => format!("{} {:02x?}", decoded.packet.packet_type(), decoded.bytes),
                Understood::Refused(refusal, bytes) => format!("{} {bytes:02x?}", refusal.rule),
                Understood::Bytes(bytes) => format!("{bytes:02x?}"),
            })
            .collect()
    }

    fn connected() -> Reading {
        let mut reading = Reading::of_client(ProtocolVersion::V3_1_1);
        let connect = encode(&Packet::Connect(Connect::default()), ProtocolVersion::V3_1_1).expect("it is a packet");
        assert_eq!(read(&mut reading, &connect).len(), 1);
        reading
    }

    #[test]
    fn packets_come_whole_with_their_bytes() {
        let mut reading = connected();
        assert!(read(&mut reading, &[0xC0]).is_empty());
        assert_eq!(read(&mut reading, &[0x00, 0xC0, 0x00, 0xE0]), ["PINGREQ [c0, 00]", "PINGREQ [c0, 00]"]);
        assert_eq!(reading.rest(), [0xE0]);
    }

    #[test]
    fn behind_what_is_refused_bytes_pass_as_they_are() {
        let mut reading = connected();
        assert_eq!(read(&mut reading, &[0xC0, 0x00, 0xC1, 0x00]), ["PINGREQ [c0, 00]", "FLAGS [c1, 00]"]);
        assert_eq!(read(&mut reading, &[0xC0, 0x00]), ["[c0, 00]"]);
    }

    #[test]
    fn or_packets_begin_anew() {
        let mut reading = connected();
        assert_eq!(read(&mut reading, &[0xC1, 0x00]), ["FLAGS [c1, 00]"]);
        reading.begin_anew();
        assert_eq!(read(&mut reading, &[0xC0, 0x00]), [format!("{} [c0, 00]", PacketType::Pingreq)]);
    }
}
