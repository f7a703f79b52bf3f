//! PUBACK, PUBREC, PUBREL and PUBCOMP.

use super::properties::{Owner, properties};
use super::reason::reason_code;
use super::{Context, Read};
use crate::packet::{Acknowledgement, PacketType, ProtocolVersion, ReasonCode, ReasonProperties};
use crate::wire::fields::Reader;
use crate::wire::rules;

pub(super) fn acknowledgement(reader: &mut Reader, packet: PacketType, context: &Context) -> Read<Acknowledgement> {
    let id_rule = match packet {
        PacketType::Pubcomp => &rules::ID_OF_PUBCOMP,
        _ => &rules::ID_OF_ACKNOWLEDGEMENT,
    };
    let packet_id = reader.packet_id(id_rule)?;
    // Two short forms of 5.0: without Reason Code it is Success; without Property Length there are no properties.
    if context.version != ProtocolVersion::V5_0 || reader.is_at_end() {
        return Ok(Acknowledgement::success(packet_id));
    }
    let reason: ReasonCode = reason_code(reader, packet, context)?;
    let properties = if reader.is_at_end() {
        ReasonProperties::default()
    } else {
        properties(reader, context.version, Owner::packet(packet))?
    };
    Ok(Acknowledgement { packet_id, reason, properties })
}
