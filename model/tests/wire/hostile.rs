//! Whatever bytes come, decoding ends: with packets that can be encoded again, or with one refusal.

use crate::decoder;
use crate::strategies::{config, sender, traffic, version};
use model::packet::ProtocolVersion;
use model::wire::{Crafted, Decoded, Decoder, Refusal, Sender, encode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// Feeds `stream` in pieces of this size and returns all that comes out.
fn drain(mut decoder: Decoder, stream: &[u8], piece: usize) -> (Vec<Decoded>, Option<Refusal>) {
    let mut decoded = Vec::new();
    for bytes in stream.chunks(piece) {
        decoder.feed(bytes);
        loop {
            match decoder.next_packet() {
                Ok(Some(next)) => decoded.push(next),
                Ok(None) => break,
                Err(refusal) => {
                    decoder.feed(bytes);
                    assert_eq!(decoder.next_packet(), Err(refusal.clone()), "a refused stream is dead");
                    assert_eq!(decoder.pending(), 0);
                    return (decoded, Some(refusal));
                }
            }
        }
    }
    (decoded, None)
}

/// What must hold of any stream.
fn check(sender: Sender, version: ProtocolVersion, stream: &[u8]) {
    let start = decoder(sender, version);
    let (decoded, refusal) = drain(start.clone(), stream, stream.len().max(1));
    assert_eq!((&decoded, &refusal), (&drain(start.clone(), stream, 1).clone().0, &drain(start, stream, 1).1));
    for next in &decoded {
        let version = named_version(next).unwrap_or(version);
        let bytes = encode(&next.packet, version).unwrap_or_else(|error| panic!("{}: {error}", next.packet));
        let (again, refusal) = drain(decoder(sender, version), &bytes, bytes.len());
        assert_eq!(refusal, None, "{}", next.packet);
        assert_eq!(again[0].packet, next.packet);
    }
    if let Some(refusal) = refusal {
        let before = match sender {
            Sender::Client => crate::connect(version).len(),
            Sender::Server => 0,
        };
        let consumed = before + decoded.iter().map(|next| next.bytes.len()).sum::<usize>();
        assert_eq!(refusal.offset, (consumed + refusal.packet_offset) as u64);
        assert!(consumed - before + refusal.packet_offset <= stream.len(), "{refusal}");
        assert!(refusal.what.starts_with("expected ") && refusal.what.contains(", found "), "{refusal}");
    }
}

/// A CONNECT is read by the version that it names, which may not be that of the connection.
fn named_version(decoded: &Decoded) -> Option<ProtocolVersion> {
    let mut decoder = Decoder::from_client();
    decoder.feed(&decoded.bytes);
    decoder.next_packet().ok()?;
    decoder.version()
}

proptest! {
    #![proptest_config(config(1_000))]

    #[test]
    fn any_bytes(version in version(), sender in sender(), stream in vec(any::<u8>(), 0..80)) {
        check(sender, version, &stream);
        drain(Decoder::from_client(), &stream, 7);
    }

    #[test]
    fn any_body_in_a_frame(version in version(), sender in sender(), first: u8, body in vec(0..0x30u8, 0..40)) {
        let mut stream = vec![first, body.len() as u8];
        stream.extend(body);
        check(sender, version, &stream);
    }
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn damaged_packets(
        (version, sender, packets) in traffic(2),
        damage in vec((any::<Index>(), prop_oneof![0..4u8, any::<u8>()]), 1..4),
    ) {
        let mut stream: Vec<u8> = packets.iter().flat_map(|packet| encode(packet, version).unwrap()).collect();
        for (at, byte) in damage {
            let at = at.index(stream.len().min(200));
            stream[at] = byte;
        }
        check(sender, version, &stream);
    }

    #[test]
    fn packets_wrong_in_one_place(
        (version, sender, packets) in traffic(1),
        cut in 0..4usize,
        at in 0..40usize,
        patch in vec(any::<u8>(), 0..3),
        extra in vec(any::<u8>(), 0..3),
        properties in prop_oneof![Just(Vec::new()), vec(0..0x2Bu8, 1..4)],
        flags in prop_oneof![Just(None), (0..16u8).prop_map(Some)],
    ) {
        let mut crafted = Crafted::of(&packets[0], version).unwrap().cut(cut).patch(at, &patch).extra(&extra);
        if !properties.is_empty() {
            crafted = crafted.properties(&properties);
        }
        if let Some(flags) = flags {
            crafted = crafted.flags(flags);
        }
        check(sender, version, &crafted.to_bytes());
    }
}

#[test]
fn a_declared_length_reserves_nothing() {
    let mut decoder = Decoder::from_server(ProtocolVersion::V5_0);
    decoder.feed(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F]);
    assert_eq!(decoder.next_packet(), Ok(None));
    assert_eq!(decoder.pending(), 5);
}
