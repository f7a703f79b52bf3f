//! Wrong packets are wrong exactly where they were asked to be.

use crate::bytes;
use crate::strategies::{config, traffic};
use model::packet::{
    Acknowledgement, Connect, Delivery, Disconnect, Packet, PacketId, ProtocolVersion, Publish, PublishProperties,
};
use model::wire::{Crafted, encode};
use proptest::collection::vec;
use proptest::prelude::*;
use std::num::NonZeroU16;

const V3_1_1: ProtocolVersion = ProtocolVersion::V3_1_1;
const V5_0: ProtocolVersion = ProtocolVersion::V5_0;

fn publish(delivery: Delivery) -> Packet {
    Packet::Publish(Publish {
        delivery,
        retain: false,
        topic: "t/a".try_into().unwrap(),
        properties: PublishProperties::default(),
        payload: b"m1".to_vec(),
    })
}

fn qos_1() -> Packet {
    publish(Delivery::AtLeastOnce { packet_id: PacketId::new(7).unwrap(), dup: false })
}

fn puback() -> Packet {
    Packet::Puback(Acknowledgement::success(PacketId::FIRST))
}

#[track_caller]
fn crafted(packet: &Packet, version: ProtocolVersion, override_: impl FnOnce(Crafted) -> Crafted, expected: &str) {
    let found = override_(Crafted::of(packet, version).unwrap()).to_bytes();
    assert_eq!(found, bytes(expected), "found {found:02x?}");
}

#[test]
fn without_overrides_it_is_the_valid_encoding() {
    for version in ProtocolVersion::ALL {
        assert_eq!(Crafted::of(&qos_1(), version).unwrap().to_bytes(), encode(&qos_1(), version).unwrap());
    }
}

#[test]
fn first_byte_and_flags() {
    crafted(&qos_1(), V3_1_1, |c| c.first_byte(0x36), "36 09 0003 't/a' 0007 'm1'");
    crafted(&qos_1(), V3_1_1, |c| c.flags(0xF6), "36 09 0003 't/a' 0007 'm1'");
    crafted(&Packet::Pingreq, V3_1_1, |c| c.flags(1), "c1 00");
}

#[test]
fn packet_id_replaces_or_inserts() {
    crafted(&qos_1(), V3_1_1, |c| c.packet_id(0), "32 09 0003 't/a' 0000 'm1'");
    crafted(&puback(), V3_1_1, |c| c.packet_id(0x1234), "40 02 1234");
    let at_most_once = publish(Delivery::AtMostOnce);
    crafted(&at_most_once, V3_1_1, |c| c.packet_id(9), "30 09 0003 't/a' 0009 'm1'");
    crafted(&at_most_once, V5_0, |c| c.packet_id(9).packet_id(8), "30 0a 0003 't/a' 0008 00 'm1'");
    crafted(&at_most_once, V5_0, |c| c.packet_id(9).properties(&[1, 1]), "30 0c 0003 't/a' 0009 02 0101 'm1'");
    crafted(&Packet::Pingreq, V3_1_1, |c| c.packet_id(9), "c0 02 0009");
}

#[test]
fn properties_are_appended_and_counted() {
    let mut publish = qos_1();
    crafted(&publish, V5_0, |c| c.properties(&[0x23, 0, 0]), "32 0d 0003 't/a' 0007 03 230000 'm1'");
    if let Packet::Publish(publish) = &mut publish {
        publish.properties.topic_alias = NonZeroU16::new(1);
    }
    crafted(
        &publish,
        V5_0,
        |c| c.properties(&[0x23, 0, 0]).properties(&[0xFF]),
        "32 11 0003 't/a' 0007 07 230001 230000 ff 'm1'",
    );
    // From one byte of Property Length to two.
    let many = "26 0000 0000".repeat(26);
    crafted(
        &publish,
        V5_0,
        |c| c.properties(&bytes(&many)),
        &format!("32 9001 0003 't/a' 0007 8501 230001 {many} 'm1'"),
    );
    let connect = Packet::Connect(Connect { client_id: "c".try_into().unwrap(), ..Connect::default() });
    crafted(&connect, V5_0, |c| c.properties(&[0x21, 0, 0]), "10 11 0004 'MQTT' 05 00 0000 03 210000 0001 'c'");
}

#[test]
fn properties_come_where_5_0_has_them_if_there_is_no_property_length() {
    crafted(&puback(), V5_0, |c| c.properties(&[0x1F]), "40 05 0001 00 01 1f");
    crafted(&puback(), V3_1_1, |c| c.properties(&[0x1F]), "40 05 0001 00 01 1f");
    crafted(&qos_1(), V3_1_1, |c| c.properties(&[0x23, 0, 1]), "32 0d 0003 't/a' 0007 03 230001 'm1'");
    crafted(&Packet::Disconnect(Disconnect::normal()), V5_0, |c| c.properties(&[0x11]), "e0 03 00 01 11");
    let taken_over = Disconnect::because(model::packet::ReasonCode::SessionTakenOver);
    crafted(&Packet::Disconnect(taken_over), V5_0, |c| c.properties(&[]), "e0 02 8e 00");
    crafted(&Packet::Pingreq, V5_0, |c| c.properties(&[1, 1]), "c0 03 02 0101");
}

#[test]
fn patch_stays_inside_the_packet() {
    crafted(&qos_1(), V3_1_1, |c| c.patch(2, b"u"), "32 09 0003 'u/a' 0007 'm1'");
    crafted(&qos_1(), V3_1_1, |c| c.patch(8, b"xyz"), "32 09 0003 't/a' 0007 'mx'");
    crafted(&qos_1(), V3_1_1, |c| c.patch(usize::MAX, b"xyz"), "32 09 0003 't/a' 0007 'm1'");
}

#[test]
fn cut_and_extra_keep_the_length_true() {
    crafted(&qos_1(), V3_1_1, |c| c.cut(3), "32 06 0003 't/a' 00");
    crafted(&qos_1(), V3_1_1, |c| c.cut(100), "32 00");
    crafted(&qos_1(), V3_1_1, |c| c.cut(100).packet_id(9).properties(&[1]), "32 02 01 01");
    crafted(&puback(), V3_1_1, |c| c.extra(&[0]), "40 03 0001 00");
}

#[test]
fn lengths_may_lie() {
    crafted(&puback(), V3_1_1, |c| c.declared_length(5), "40 05 0001");
    crafted(&puback(), V3_1_1, |c| c.declared_length(200), "40 c801 0001");
    crafted(&puback(), V3_1_1, |c| c.declared_length(268_435_456), "40 8080808001 0001");
    crafted(&puback(), V3_1_1, |c| c.length_bytes(&[0x82, 0]), "40 8200 0001");
    crafted(&puback(), V3_1_1, |c| c.declared_length(1).length_bytes(&[]), "40 0001");
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn overrides_in_any_order_keep_the_length_true(
        (version, _, packets) in traffic(1),
        overrides in vec((0..7u8, 0..60usize, vec(any::<u8>(), 0..4)), 0..6),
    ) {
        let mut crafted = Crafted::of(&packets[0], version).unwrap();
        for (which, number, bytes) in overrides {
            crafted = match which {
                0 => crafted.first_byte(number as u8),
                1 => crafted.flags(number as u8),
                2 => crafted.packet_id(number as u16),
                3 => crafted.properties(&bytes),
                4 => crafted.patch(number, &bytes),
                5 => crafted.cut(number),
                _ => crafted.extra(&bytes),
            };
        }
        let found = crafted.to_bytes();
        let (remaining, header) = found[1..]
            .iter()
            .take_while(|byte| **byte >= 0x80)
            .chain(found[1..].iter().find(|byte| **byte < 0x80))
            .enumerate()
            .fold((0, 1), |(sum, _), (index, byte)| (sum + (usize::from(byte & 0x7F) << (7 * index)), index + 2));
        prop_assert_eq!(header + remaining, found.len());
    }
}

#[test]
fn it_starts_from_what_the_version_can_say() {
    let auth = Packet::Auth(model::packet::Auth {
        reason: model::packet::ReasonCode::Success,
        properties: Default::default(),
    });
    assert!(Crafted::of(&auth, V3_1_1).is_err());
}
