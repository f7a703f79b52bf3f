//! Packets into bytes, one file a theme. Nothing is left out silently: what a version cannot say is an error.

mod acknowledgement;
mod connect;
mod disconnect;
mod properties;
mod publish;
mod subscribe;
mod unencodable;
mod writer;

pub use unencodable::Unencodable;
pub(super) use writer::{Frame, PropertyPlace};

use super::fields::{LARGEST_VARIABLE_BYTE_INTEGER, write_variable_byte_integer};
use crate::packet::{Packet, PacketType, ProtocolVersion};

/// The bytes of `packet` in this version.
///
/// Where 5.0 has several forms of one packet, the shortest is chosen.
///
/// # Errors
/// When the version cannot say what the packet says, or nobody may. [`Unencodable`] lists the cases.
pub fn encode(packet: &Packet, version: ProtocolVersion) -> Result<Vec<u8>, Unencodable> {
    let frame = frame(packet, version)?;
    let length = remaining_length(packet.packet_type(), frame.body.len())?;
    let mut bytes = Vec::with_capacity(frame.body.len() + 5);
    bytes.push(frame.first_byte);
    write_variable_byte_integer(length, &mut bytes);
    bytes.extend_from_slice(&frame.body);
    Ok(bytes)
}

fn remaining_length(packet: PacketType, length: usize) -> Result<u32, Unencodable> {
    u32::try_from(length)
        .ok()
        .filter(|length| *length <= LARGEST_VARIABLE_BYTE_INTEGER)
        .ok_or(Unencodable::PacketTooLong { packet, length })
}

/// The packet without its Remaining Length, and where its parts are.
pub(super) fn frame(packet: &Packet, version: ProtocolVersion) -> Result<Frame, Unencodable> {
    let packet_type = packet.packet_type();
    match packet {
        Packet::Connect(connect) => connect::connect(connect, version),
        Packet::Connack(connack) => connect::connack(connack, version),
        Packet::Publish(publish) => publish::publish(publish, version),
        Packet::Puback(acknowledgement)
        | Packet::Pubrec(acknowledgement)
        | Packet::Pubrel(acknowledgement)
        | Packet::Pubcomp(acknowledgement) => acknowledgement::acknowledgement(acknowledgement, packet_type, version),
        Packet::Subscribe(subscribe) => subscribe::subscribe(subscribe, version),
        Packet::Suback(suback) => subscribe::suback(suback, version),
        Packet::Unsubscribe(unsubscribe) => subscribe::unsubscribe(unsubscribe, version),
        Packet::Unsuback(unsuback) => subscribe::unsuback(unsuback, version),
        Packet::Pingreq | Packet::Pingresp => Ok(Frame::new(packet_type, 0)),
        Packet::Disconnect(disconnect) => disconnect::disconnect(disconnect, version),
        Packet::Auth(auth) => disconnect::auth(auth, version),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remaining_length_has_a_limit() {
        assert_eq!(remaining_length(PacketType::Publish, 268_435_455), Ok(268_435_455));
        let error = remaining_length(PacketType::Publish, 268_435_456).unwrap_err();
        assert_eq!(error.to_string(), "PUBLISH has 268435456 bytes after its fixed header, the limit is 268435455");
    }
}
