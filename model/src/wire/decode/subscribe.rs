//! SUBSCRIBE and SUBACK.

use super::properties::{Owner, properties};
use super::reason::reason_code;
use super::{Context, Read};
use crate::packet::{
    PacketType, ProtocolVersion, Qos, ReasonCode, RetainHandling, Suback, Subscribe, SubscriptionOptions,
    SubscriptionRequest,
};
use crate::wire::fields::{Objection, Reader, TextField};
use crate::wire::rules;

const FILTER: TextField = TextField {
    name: "Topic Filter",
    missing: &rules::TRUNCATED,
    ill_formed: &rules::ILL_FORMED_SUBSCRIBE_FILTER,
    null: &rules::NULL_IN_TOPIC,
};

pub(super) fn subscribe(reader: &mut Reader, context: &Context) -> Read<Subscribe> {
    let packet_id = reader.packet_id(&rules::ID_OF_CLIENT_REQUEST)?;
    let properties = properties(reader, context.version, Owner::packet(PacketType::Subscribe))?;
    if reader.is_at_end() {
        let what = "expected at least one Topic Filter, found the end of the packet";
        return Err(Objection::new(reader.at(), &rules::NO_SUBSCRIPTION, what));
    }
    let mut requests = Vec::new();
    while !reader.is_at_end() {
        let filter = reader.text(&FILTER)?;
        requests.push(SubscriptionRequest { filter, options: options(reader, context.version)? });
    }
    Ok(Subscribe { packet_id, properties, requests })
}

fn options(reader: &mut Reader, version: ProtocolVersion) -> Read<SubscriptionOptions> {
    let at = reader.at();
    let byte = match version {
        ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1 => reader.byte("Requested QoS", &rules::OPTIONS_MISSING)?,
        ProtocolVersion::V5_0 => reader.byte("Subscription Options", &rules::OPTIONS_MISSING)?,
    };
    match version {
        // The upper bits are unused in 3.1 (V31-10): dropped.
        ProtocolVersion::V3_1 => requested_qos(byte & 0b11, at),
        ProtocolVersion::V3_1_1 => requested_qos(byte, at),
        ProtocolVersion::V5_0 => options_of_5_0(byte, at),
    }
}

fn requested_qos(value: u8, at: usize) -> Read<SubscriptionOptions> {
    let qos = Qos::from_value(value).ok_or_else(|| {
        Objection::new(at, &rules::REQUESTED_QOS, format!("expected Requested QoS 0, 1 or 2, found {value}"))
    })?;
    Ok(SubscriptionOptions { qos, ..SubscriptionOptions::default() })
}

fn options_of_5_0(byte: u8, at: usize) -> Read<SubscriptionOptions> {
    if byte & 0xC0 != 0 {
        let what = format!("expected bits 7 and 6 of Subscription Options to be 0, found 0x{byte:02X}");
        return Err(Objection::new(at, &rules::OPTION_RESERVED_BITS, what));
    }
    let qos = Qos::from_value(byte & 0b11)
        .ok_or_else(|| Objection::new(at, &rules::OPTION_VALUE, "expected Maximum QoS 0, 1 or 2, found 3"))?;
    let retain_handling = RetainHandling::from_value((byte >> 4) & 0b11)
        .ok_or_else(|| Objection::new(at, &rules::OPTION_VALUE, "expected Retain Handling 0, 1 or 2, found 3"))?;
    Ok(SubscriptionOptions {
        qos,
        no_local: byte & 0b0100 != 0,
        retain_as_published: byte & 0b1000 != 0,
        retain_handling,
    })
}

pub(super) fn suback(reader: &mut Reader, context: &Context) -> Read<Suback> {
    let packet_id = reader.packet_id(&rules::ID_OF_ANSWER)?;
    let properties = properties(reader, context.version, Owner::packet(PacketType::Suback))?;
    // 3.1 does not say that there must be one: a SUBSCRIBE without filter, which it does not forbid either, has this answer.
    if reader.is_at_end() && context.version != ProtocolVersion::V3_1 {
        let what = "expected a code for each Topic Filter, found the end of the packet";
        return Err(Objection::new(reader.at(), &rules::NO_GRANT, what));
    }
    let mut codes = Vec::new();
    while !reader.is_at_end() {
        codes.push(match context.version {
            ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1 => granted_qos(reader, context.version)?,
            ProtocolVersion::V5_0 => reason_code(reader, PacketType::Suback, context)?,
        });
    }
    Ok(Suback { packet_id, properties, codes })
}

fn granted_qos(reader: &mut Reader, version: ProtocolVersion) -> Read<ReasonCode> {
    let at = reader.at();
    let byte = reader.byte("Return Code", &rules::TRUNCATED)?;
    let value = match version {
        // 3.1 has a QoS in two bits and does not use the others (V31-10). 0x80 is not such a stray bit: it is the
        // failure of 3.1.1, which 3.1 does not know (V31-14), and reading it as QoS 0 would hide it.
        ProtocolVersion::V3_1 if byte != 0x80 => byte & 0b11,
        _ => byte,
    };
    match (value, version) {
        (0, _) => Ok(ReasonCode::Success),
        (1, _) => Ok(ReasonCode::GrantedQos1),
        (2, _) => Ok(ReasonCode::GrantedQos2),
        (0x80, ProtocolVersion::V3_1_1) => Ok(ReasonCode::UnspecifiedError),
        _ => {
            let failure = if version == ProtocolVersion::V3_1 { "" } else { " or 0x80" };
            let what = format!("expected 0x00, 0x01, 0x02{failure}, found 0x{byte:02X}");
            Err(Objection::new(at, &rules::GRANTED_QOS, what))
        }
    }
}
