//! The codec against an independent one: `mqttbytes`, which knows 3.1.1 and 5.0.
//!
//! Its reading of our bytes, field by field, and our reading of its bytes have to be the packet that we began with.
//! Where the two differ, `adjust` changes the packet and says what the standard has to say.

mod v3_1_1;
mod v5_0;

use crate::decoder;
use crate::strategies::{config, packet};
use bytes::BytesMut;
use model::packet::{Connect, Delivery, Packet, PacketId, PropertySet, ProtocolVersion, Qos, ReasonCode, Utf8String};
use model::wire::{Crafted, Sender, encode};
use proptest::prelude::*;

const LIMIT: usize = 1 << 28;

fn adjust(packet: &mut Packet) {
    match packet {
        Packet::Connect(connect) => adjust_login(connect),
        // They count a byte too many for a Subscription Identifier and lose what follows it in the properties. Section
        // 3.8.2.1.2 has it as an identifier and a Variable Byte Integer, so Property Length counts no more than these.
        Packet::Subscribe(subscribe) if !subscribe.properties.user_properties.is_empty() => {
            subscribe.properties.subscription_identifier = None;
        }
        Packet::Publish(publish) if publish.properties.to_properties().len() > 1 => {
            publish.properties.subscription_identifiers.clear();
        }
        // They take the codes of DISCONNECT from section 3.14.2.1, we from table 2-6, which has one more.
        Packet::Disconnect(disconnect) if disconnect.reason == ReasonCode::BadAuthenticationMethod => {
            disconnect.reason = ReasonCode::UnspecifiedError;
        }
        _ => {}
    }
}

/// They read a Password as text and do not tell an empty User Name or Password from a missing one. The standard has the
/// Password as Binary Data (3.1.3.5 of 3.1.1, 3.1.3.6 of 5.0), and the flags say what is there (5.0: MQTT-3.1.2-17,
/// -19; 3.1.1: MQTT-3.1.2-19, -21).
fn adjust_login(connect: &mut Connect) {
    connect.user_name = connect.user_name.take().filter(|name| !name.is_empty());
    if connect.user_name.is_none() {
        connect.password = None;
    }
    if let Some(password) = &mut connect.password {
        *password = format!("p{}", password.len()).into_bytes();
    }
}

/// The bytes that both sides can read.
fn encode_for_them(packet: &Packet, version: ProtocolVersion) -> Vec<u8> {
    match packet {
        // They refuse a DISCONNECT of 5.0 without Property Length, which section 3.14.2.2.1 permits: the long form.
        Packet::Disconnect(_) if version == ProtocolVersion::V5_0 => {
            Crafted::of(packet, version).unwrap().properties(&[]).to_bytes()
        }
        _ => encode(packet, version).unwrap(),
    }
}

fn text(text: &str) -> Utf8String {
    Utf8String::new(text).unwrap()
}

fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

fn qos(qos: mqttbytes::QoS) -> Qos {
    Qos::from_value(qos as u8).unwrap()
}

fn delivery(level: mqttbytes::QoS, dup: bool, packet_id: u16) -> Delivery {
    match level {
        mqttbytes::QoS::AtMostOnce => Delivery::AtMostOnce,
        mqttbytes::QoS::AtLeastOnce => Delivery::AtLeastOnce { packet_id: id(packet_id), dup },
        mqttbytes::QoS::ExactlyOnce => Delivery::ExactlyOnce { packet_id: id(packet_id), dup },
    }
}

/// Our reading of their bytes.
fn read_back(theirs: &BytesMut, sender: Sender, version: ProtocolVersion) -> Packet {
    let mut decoder = match sender {
        Sender::Client if theirs.first() == Some(&0x10) => model::wire::Decoder::from_client(),
        _ => decoder(sender, version),
    };
    decoder.feed(theirs);
    let decoded = decoder.next_packet().unwrap_or_else(|refusal| panic!("{refusal} in {theirs:?}"));
    assert_eq!(decoder.pending(), 0, "{theirs:?}");
    decoded.unwrap().packet
}

fn sent_by(sender: Sender, version: ProtocolVersion) -> impl Strategy<Value = Packet> {
    packet(version, sender).prop_map(|mut packet| {
        adjust(&mut packet);
        packet
    })
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn agrees_about_3_1_1(
        (sender, packet) in crate::strategies::sender()
            .prop_flat_map(|sender| (Just(sender), sent_by(sender, ProtocolVersion::V3_1_1))),
    ) {
        let version = ProtocolVersion::V3_1_1;
        let bytes = encode_for_them(&packet, version);
        let theirs = mqttbytes::v4::read(&mut BytesMut::from(&bytes[..]), LIMIT);
        prop_assert!(theirs.is_ok(), "{}: {:?}", packet, theirs);
        let theirs = theirs.unwrap();
        prop_assert_eq!(v3_1_1::packet(&theirs), packet.clone());
        prop_assert_eq!(read_back(&v3_1_1::bytes(&theirs), sender, version), packet);
    }

    #[test]
    fn agrees_about_5_0(
        (sender, packet) in crate::strategies::sender()
            .prop_flat_map(|sender| (Just(sender), sent_by(sender, ProtocolVersion::V5_0)))
            // They have no AUTH, which is section 3.15.
            .prop_filter("AUTH", |(_, packet)| !matches!(packet, Packet::Auth(_))),
    ) {
        let version = ProtocolVersion::V5_0;
        let bytes = encode_for_them(&packet, version);
        let theirs = mqttbytes::v5::read(&mut BytesMut::from(&bytes[..]), LIMIT);
        prop_assert!(theirs.is_ok(), "{}: {:?}", packet, theirs);
        let theirs = theirs.unwrap();
        prop_assert_eq!(v5_0::packet(&theirs), packet.clone());
        prop_assert_eq!(read_back(&v5_0::bytes(&theirs), sender, version), packet);
    }
}
