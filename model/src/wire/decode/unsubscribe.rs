//! UNSUBSCRIBE and UNSUBACK.

use super::properties::{Owner, properties};
use super::reason::reason_code;
use super::{Context, Read};
use crate::packet::{PacketType, ProtocolVersion, Unsuback, Unsubscribe};
use crate::wire::fields::{Objection, Reader, TextField};
use crate::wire::rules;

const FILTER: TextField = TextField {
    name: "Topic Filter",
    missing: &rules::TRUNCATED,
    ill_formed: &rules::ILL_FORMED_UNSUBSCRIBE_FILTER,
    null: &rules::NULL_IN_TOPIC,
};

pub(super) fn unsubscribe(reader: &mut Reader, context: &Context) -> Read<Unsubscribe> {
    let packet_id = reader.packet_id(&rules::ID_OF_CLIENT_REQUEST)?;
    let properties = properties(reader, context.version, Owner::packet(PacketType::Unsubscribe))?;
    if reader.is_at_end() {
        let what = "expected at least one Topic Filter, found the end of the packet";
        return Err(Objection::new(reader.at(), &rules::NO_FILTER, what));
    }
    let mut filters = Vec::new();
    while !reader.is_at_end() {
        filters.push(reader.text(&FILTER)?);
    }
    Ok(Unsubscribe { packet_id, properties, filters })
}

pub(super) fn unsuback(reader: &mut Reader, context: &Context) -> Read<Unsuback> {
    let packet_id = reader.packet_id(&rules::ID_OF_ANSWER)?;
    let properties = properties(reader, context.version, Owner::packet(PacketType::Unsuback))?;
    let mut codes = Vec::new();
    if context.version == ProtocolVersion::V5_0 {
        if reader.is_at_end() {
            let what = "expected a Reason Code for each Topic Filter, found the end of the packet";
            return Err(Objection::new(reader.at(), &rules::NO_UNSUBACK_CODE, what));
        }
        while !reader.is_at_end() {
            codes.push(reason_code(reader, PacketType::Unsuback, context)?);
        }
    }
    Ok(Unsuback { packet_id, properties, codes })
}
