//! The codec as its users see it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accepted;
mod crafted;
mod differential;
mod hostile;
mod refusals;
mod round_trip;
mod senders;
mod strategies;
mod unencodable;
mod vectors;

use model::packet::{Connect, Packet, ProtocolVersion};
use model::wire::{Decoder, Sender, encode};

/// A decoder in the middle of a connection: what comes from a Client follows a CONNECT of the version.
fn decoder(sender: Sender, version: ProtocolVersion) -> Decoder {
    match sender {
        Sender::Server => Decoder::from_server(version),
        Sender::Client => {
            let mut decoder = Decoder::from_client();
            decoder.feed(&connect(version));
            assert!(decoder.next_packet().unwrap().is_some());
            decoder
        }
    }
}

/// The CONNECT that [`decoder`] has seen.
fn connect(version: ProtocolVersion) -> Vec<u8> {
    encode(&Packet::Connect(Connect { client_id: "c".try_into().unwrap(), ..Connect::default() }), version).unwrap()
}

/// Bytes from hex digits; spaces are free, `'text'` stands for its bytes.
fn bytes(notation: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, part) in notation.split('\'').enumerate() {
        if index % 2 == 1 {
            bytes.extend_from_slice(part.as_bytes());
            continue;
        }
        let digits: Vec<u8> =
            part.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap() as u8).collect();
        assert!(digits.len().is_multiple_of(2), "half a byte in {notation}");
        bytes.extend(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]));
    }
    bytes
}
