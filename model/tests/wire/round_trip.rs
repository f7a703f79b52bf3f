//! What was encoded is what is decoded, in whatever pieces it arrives.

use crate::decoder;
use crate::strategies::{config, traffic};
use model::packet::{Connect, Packet, ProtocolVersion, Publish};
use model::wire::{Decoder, Sender, encode};
use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn packets_survive_the_wire_in_any_pieces(
        (version, sender, packets) in traffic(5),
        pieces in vec(1..60usize, 1..40),
    ) {
        let encoded: Vec<Vec<u8>> = packets.iter().map(|packet| encode(packet, version).unwrap()).collect();
        let mut stream = encoded.concat().into_iter();
        let mut decoder = decoder(sender, version);
        let start = match sender {
            Sender::Client => crate::connect(version).len(),
            Sender::Server => 0,
        };
        let mut decoded = Vec::new();
        for piece in pieces.iter().copied().chain([usize::MAX]) {
            decoder.feed(&stream.by_ref().take(piece).collect::<Vec<u8>>());
            while let Some(next) = decoder.next_packet().unwrap() {
                decoded.push(next);
            }
        }
        prop_assert_eq!(decoder.pending(), 0);
        prop_assert_eq!(decoded.len(), packets.len());
        let mut offset = start as u64;
        for ((next, packet), bytes) in decoded.iter().zip(&packets).zip(&encoded) {
            prop_assert_eq!(&next.packet, packet);
            prop_assert_eq!(&next.bytes, bytes);
            prop_assert_eq!(next.offset, offset);
            offset += bytes.len() as u64;
        }
    }

    #[test]
    fn every_proper_prefix_is_incomplete((version, sender, packets) in traffic(1)) {
        let bytes = encode(&packets[0], version).unwrap();
        let mut decoder = decoder(sender, version);
        for (index, byte) in bytes.iter().enumerate() {
            prop_assert_eq!(decoder.next_packet(), Ok(None), "after {} bytes", index);
            prop_assert_eq!(decoder.pending(), index);
            decoder.feed(&[*byte]);
        }
        prop_assert_eq!(decoder.next_packet().unwrap().map(|decoded| decoded.packet), Some(packets[0].clone()));
    }
}

#[test]
fn a_client_names_the_version() {
    for version in ProtocolVersion::ALL {
        let connect = Packet::Connect(Connect { client_id: "c".try_into().unwrap(), ..Connect::default() });
        let bytes = encode(&connect, version).unwrap();
        let mut decoder = Decoder::from_client();
        for byte in &bytes {
            assert_eq!((decoder.version(), decoder.next_packet()), (None, Ok(None)));
            decoder.feed(&[*byte]);
        }
        assert_eq!(decoder.next_packet().unwrap().map(|decoded| decoded.packet), Some(connect));
        assert_eq!(decoder.version(), Some(version));
    }
}

#[test]
fn the_longest_fields_fit() {
    let longest = "x".repeat(65_535);
    let publish = Packet::Publish(Publish {
        delivery: model::packet::Delivery::AtMostOnce,
        retain: false,
        topic: longest.as_str().try_into().unwrap(),
        properties: model::packet::PublishProperties {
            correlation_data: Some(vec![1; 65_535]),
            user_properties: vec![(longest.as_str().try_into().unwrap(), longest.as_str().try_into().unwrap()); 40],
            ..Default::default()
        },
        payload: Vec::new(),
    });
    let bytes = encode(&publish, ProtocolVersion::V5_0).unwrap();
    assert!(bytes.len() > 2_097_152, "Remaining Length takes four bytes");
    let mut decoder = Decoder::from_server(ProtocolVersion::V5_0);
    decoder.feed(&bytes);
    assert_eq!(decoder.next_packet().unwrap().map(|decoded| decoded.packet), Some(publish));
}

#[test]
fn a_second_connect_is_read_and_does_not_change_the_version() {
    let mut decoder = decoder(Sender::Client, ProtocolVersion::V5_0);
    decoder.feed(&crate::connect(ProtocolVersion::V3_1_1));
    assert!(matches!(decoder.next_packet().unwrap().map(|decoded| decoded.packet), Some(Packet::Connect(_))));
    assert_eq!(decoder.version(), Some(ProtocolVersion::V5_0));
}
