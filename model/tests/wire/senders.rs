//! Who may send what, written out a second time from the tables of 5.0.

use model::packet::{PacketType, ProtocolVersion, ReasonCode};
use model::wire::Sender;

fn codes(sender: Sender, packet: PacketType) -> Vec<u8> {
    (0..=u8::MAX)
        .filter(|value| ReasonCode::from_value(*value).is_some_and(|code| sender.may_give(code, packet)))
        .collect()
}

fn types(sender: Sender, version: ProtocolVersion) -> Vec<u8> {
    PacketType::ALL.into_iter().filter(|packet| sender.may_send(*packet, version)).map(PacketType::code).collect()
}

#[test]
fn disconnect_and_auth_depend_on_the_sender() {
    let client = [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x8C, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];
    assert_eq!(codes(Sender::Client, PacketType::Disconnect), client);
    let mut server = vec![0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90];
    server.extend(0x93..=0xA2);
    assert_eq!(codes(Sender::Server, PacketType::Disconnect), server);
    assert_eq!(codes(Sender::Client, PacketType::Auth), [0x18, 0x19]);
    assert_eq!(codes(Sender::Server, PacketType::Auth), [0x00, 0x18]);
}

#[test]
fn other_packets_have_the_same_codes_from_both() {
    let published = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
    let mut connack: Vec<u8> = std::iter::once(0x00).chain(0x80..=0x8A).collect();
    connack.extend([0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F]);
    for sender in [Sender::Client, Sender::Server] {
        assert_eq!(codes(sender, PacketType::Connack), connack);
        assert_eq!(codes(sender, PacketType::Puback), published);
        assert_eq!(codes(sender, PacketType::Pubrec), published);
        assert_eq!(codes(sender, PacketType::Pubrel), [0x00, 0x92]);
        assert_eq!(codes(sender, PacketType::Pubcomp), [0x00, 0x92]);
        let suback = [0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2];
        assert_eq!(codes(sender, PacketType::Suback), suback);
        assert_eq!(codes(sender, PacketType::Unsuback), [0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91]);
        for without in [PacketType::Connect, PacketType::Publish, PacketType::Subscribe, PacketType::Pingreq] {
            assert!(codes(sender, without).is_empty());
        }
    }
}

#[test]
fn packets_have_a_direction() {
    for version in [ProtocolVersion::V3_1, ProtocolVersion::V3_1_1] {
        assert_eq!(types(Sender::Client, version), [1, 3, 4, 5, 6, 7, 8, 10, 12, 14]);
        assert_eq!(types(Sender::Server, version), [2, 3, 4, 5, 6, 7, 9, 11, 13]);
    }
    assert_eq!(types(Sender::Client, ProtocolVersion::V5_0), [1, 3, 4, 5, 6, 7, 8, 10, 12, 14, 15]);
    assert_eq!(types(Sender::Server, ProtocolVersion::V5_0), [2, 3, 4, 5, 6, 7, 9, 11, 13, 14, 15]);
}
