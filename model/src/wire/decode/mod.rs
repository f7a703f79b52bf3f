//! One packet out of its bytes, one file a theme.

mod acknowledgement;
mod connack;
mod connect;
mod disconnect;
mod header;
mod properties;
mod publish;
mod reason;
mod subscribe;
mod unsubscribe;

pub(super) use connect::version_of_connect;
pub(super) use header::check_flags;

use super::fields::{Objection, Reader};
use super::sender::Sender;
use crate::packet::{Packet, PacketType, ProtocolVersion};

/// What decides how a packet is read, besides its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    pub(super) sender: Sender,
    pub(super) version: ProtocolVersion,
}

type Read<T> = Result<T, Objection>;

/// Decodes a whole packet whose fixed header has `header` bytes, an admissible type and flags.
pub(super) fn packet(bytes: &[u8], header: usize, packet_type: PacketType, context: &Context) -> Read<Packet> {
    let mut reader = Reader::behind_header(bytes, header);
    let reader = &mut reader;
    let packet = match packet_type {
        PacketType::Connect => Packet::Connect(connect::connect(reader)?),
        PacketType::Connack => Packet::Connack(connack::connack(reader, context)?),
        PacketType::Publish => Packet::Publish(publish::publish(reader, bytes, context)?),
        PacketType::Puback => Packet::Puback(acknowledgement::acknowledgement(reader, packet_type, context)?),
        PacketType::Pubrec => Packet::Pubrec(acknowledgement::acknowledgement(reader, packet_type, context)?),
        PacketType::Pubrel => Packet::Pubrel(acknowledgement::acknowledgement(reader, packet_type, context)?),
        PacketType::Pubcomp => Packet::Pubcomp(acknowledgement::acknowledgement(reader, packet_type, context)?),
        PacketType::Subscribe => Packet::Subscribe(subscribe::subscribe(reader, context)?),
        PacketType::Suback => Packet::Suback(subscribe::suback(reader, context)?),
        PacketType::Unsubscribe => Packet::Unsubscribe(unsubscribe::unsubscribe(reader, context)?),
        PacketType::Unsuback => Packet::Unsuback(unsubscribe::unsuback(reader, context)?),
        PacketType::Pingreq => Packet::Pingreq,
        PacketType::Pingresp => Packet::Pingresp,
        PacketType::Disconnect => Packet::Disconnect(disconnect::disconnect(reader, context)?),
        PacketType::Auth => Packet::Auth(disconnect::auth(reader, context)?),
    };
    reader.finish()?;
    Ok(packet)
}
