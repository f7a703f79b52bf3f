//! The wire vectors of the platform dialect: byte for byte as other implementations send them.

use crate::bytes;
use model::packet::{Connack, Connect, Delivery, Packet, ProtocolVersion, Publish};
use model::wire::{Decoder, Sender, encode};

const STRINGS: &str = "
    004f 'a1B2c3D4e5F.lamp-01|timestamp=2524608000000,securemode=3,signmethod=hmacsha256|'
    0013 'lamp-01&a1B2c3D4e5F'
    0040 '61f269d3ac8b363f80ac4b3275dff4f94a11be605e715ef9c6de7b9af370ce8a'";

/// Decodes one packet that takes all of `bytes`, and checks that it is encoded as it came, but for the order of its
/// properties, which is free.
fn reads(bytes: &[u8], sender: Sender, version: ProtocolVersion) -> Packet {
    let mut decoder = match sender {
        Sender::Client => Decoder::from_client(),
        Sender::Server => Decoder::from_server(version),
    };
    decoder.feed(bytes);
    let decoded = decoder.next_packet().unwrap().unwrap();
    assert_eq!(decoder.version(), Some(version));
    assert_eq!(decoded.bytes, bytes);
    let mut encoded = encode(&decoded.packet, version).unwrap();
    let mut bytes = bytes.to_vec();
    if version.has_properties() {
        encoded.sort_unstable();
        bytes.sort_unstable();
    }
    assert_eq!(encoded, bytes);
    decoded.packet
}

fn reads_connect(notation: &str, length: usize, version: ProtocolVersion) -> Connect {
    let bytes = bytes(notation);
    assert_eq!(bytes.len(), length);
    match reads(&bytes, Sender::Client, version) {
        Packet::Connect(connect) => {
            assert_eq!(connect.keep_alive, 300);
            assert_eq!(connect.user_name.as_deref(), Some("lamp-01&a1B2c3D4e5F"));
            assert_eq!(connect.password.as_ref().map(Vec::len), Some(64));
            connect
        }
        other => panic!("{other}"),
    }
}

fn reads_connack(notation: &str) -> Connack {
    match reads(&bytes(notation), Sender::Server, ProtocolVersion::V5_0) {
        Packet::Connack(connack) => connack,
        other => panic!("{other}"),
    }
}

#[test]
fn w1_connect_of_3_1() {
    let connect = reads_connect(&format!("10b401 0006 'MQIsdp' 03 c2 012c {STRINGS}"), 183, ProtocolVersion::V3_1);
    assert!(connect.clean_start);
}

#[test]
fn w2_connect_of_3_1_1() {
    let connect = reads_connect(&format!("10b201 0004 'MQTT' 04 c2 012c {STRINGS}"), 181, ProtocolVersion::V3_1_1);
    assert!(connect.clean_start);
}

#[test]
fn w3_connect_of_5_0() {
    let properties = "1f 11 00000e10 21 0005 27 00000400 22 0014 26 0004 'key1' 0006 'value1'";
    let notation = format!("10d201 0004 'MQTT' 05 c0 012c {properties} {STRINGS}");
    let connect = reads_connect(&notation, 213, ProtocolVersion::V5_0);
    assert!(!connect.clean_start);
    assert_eq!(
        Packet::Connect(connect).to_string().split_once(" {").unwrap().1,
        "Session Expiry Interval 3600, Receive Maximum 5, Topic Alias Maximum 20, User Property key1=value1, \
         Maximum Packet Size 1024}"
    );
}

#[test]
fn w4_and_w5_connack_of_5_0() {
    let platform = reads_connack("201d 0000 1a 11 00000e10 24 01 25 00 27 00040000 22 0014 13 012c 28 01 29 00 2a 00");
    assert_eq!(platform.properties.retain_available, Some(false));
    assert_eq!(platform.properties.maximum_packet_size.map(|size| size.get()), Some(262_144));
    let platform_2026 =
        reads_connack("201d 0000 1a 11 00000e10 24 01 25 01 27 00040000 22 0014 13 012c 28 01 29 00 2a 01");
    assert_eq!(platform_2026.properties.retain_available, Some(true));
    assert_eq!(platform_2026.properties.shared_subscription_available, Some(true));
}

#[test]
fn w6_publish_of_the_kick_notice() {
    let payload = r#"{"title":"kick","content":"Kicked by the same device"}"#;
    let notice = bytes(&format!("3043 000b '/ext/notify' '{payload}'"));
    assert_eq!(notice.len(), 69);
    for version in [ProtocolVersion::V3_1, ProtocolVersion::V3_1_1] {
        match reads(&notice, Sender::Server, version) {
            Packet::Publish(Publish {
                delivery: Delivery::AtMostOnce, topic, payload: found, retain: false, ..
            }) => {
                assert_eq!((topic.as_str(), found.as_slice()), ("/ext/notify", payload.as_bytes()));
            }
            other => panic!("{other}"),
        }
    }
}
