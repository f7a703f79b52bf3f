//! The flags of the fixed header.

use super::Read;
use crate::packet::{PacketType, ProtocolVersion};
use crate::wire::fields::Objection;
use crate::wire::rules;

/// Checks the low nibble of the first byte.
pub(in crate::wire) fn check_flags(packet_type: PacketType, first: u8, version: ProtocolVersion) -> Read<()> {
    let flags = first & 0x0F;
    if packet_type == PacketType::Publish {
        return check_publish_flags(flags, version);
    }
    // 3.1 leaves these bits unused, and asks nobody to close on them (V31-10). It even gives three packets a DUP bit
    // and a QoS (V31-16). What they say is dropped.
    if version == ProtocolVersion::V3_1 {
        return Ok(());
    }
    let (expected, rule) = match packet_type {
        PacketType::Pubrel => (0b0010, &rules::FLAGS_OF_PUBREL),
        PacketType::Subscribe => (0b0010, &rules::FLAGS_OF_SUBSCRIBE),
        PacketType::Unsubscribe => (0b0010, &rules::FLAGS_OF_UNSUBSCRIBE),
        PacketType::Disconnect => (0, &rules::FLAGS_OF_DISCONNECT),
        PacketType::Auth => (0, &rules::FLAGS_OF_AUTH),
        _ => (0, &rules::FLAGS),
    };
    if flags == expected {
        return Ok(());
    }
    Err(Objection::new(0, rule, format!("expected flags {expected:04b}, found {flags:04b} (first byte 0x{first:02X})")))
}

fn check_publish_flags(flags: u8, version: ProtocolVersion) -> Read<()> {
    let qos = (flags >> 1) & 0b11;
    if qos == 3 {
        return Err(Objection::new(0, &rules::QOS_BITS, "expected QoS 0, 1 or 2, found QoS bits 11"));
    }
    // 3.1 says that DUP means something above QoS 0 only, so at QoS 0 it is an unused bit there (V31-10): dropped.
    if qos == 0 && flags & 0b1000 != 0 && version != ProtocolVersion::V3_1 {
        return Err(Objection::new(0, &rules::DUP_AT_QOS_0, "expected DUP 0 at QoS 0, found DUP 1"));
    }
    Ok(())
}
