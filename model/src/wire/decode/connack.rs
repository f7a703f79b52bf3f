//! CONNACK.

use super::properties::{Owner, properties};
use super::reason::reason_code;
use super::{Context, Read};
use crate::packet::{Connack, ConnackCode, ConnectReturnCode, PacketType, ProtocolVersion};
use crate::wire::fields::{Objection, Reader};
use crate::wire::rules;

pub(super) fn connack(reader: &mut Reader, context: &Context) -> Read<Connack> {
    let flags_at = reader.at();
    let flags = reader.byte("Connect Acknowledge Flags", &rules::TRUNCATED)?;
    // 3.1 does not use this byte, and its Clients do not read it (V31-6): dropped.
    let session_present = context.version != ProtocolVersion::V3_1 && flags & 1 != 0;
    if context.version != ProtocolVersion::V3_1 && flags > 1 {
        let what = format!("expected bits 7 to 1 of Connect Acknowledge Flags to be 0, found 0x{flags:02X}");
        return Err(Objection::new(flags_at, &rules::CONNACK_FLAGS, what));
    }
    let code = match context.version {
        ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1 => ConnackCode::Return(return_code(reader)?),
        ProtocolVersion::V5_0 => ConnackCode::Reason(reason_code(reader, PacketType::Connack, context)?),
    };
    if session_present && !code.is_accepted() {
        let what = format!("expected Session Present 0 with code 0x{:02X}, found 1", code.value());
        return Err(Objection::new(flags_at, &rules::SESSION_PRESENT_AT_FAILURE, what));
    }
    let properties = properties(reader, context.version, Owner::packet(PacketType::Connack))?;
    Ok(Connack { session_present, code, properties })
}

fn return_code(reader: &mut Reader) -> Read<ConnectReturnCode> {
    let at = reader.at();
    let value = reader.byte("Connect Return Code", &rules::TRUNCATED)?;
    ConnectReturnCode::from_value(value).ok_or_else(|| {
        let what = format!("expected a Connect Return Code from 0 to 5, found {value}");
        Objection::new(at, &rules::CONNECT_RETURN_CODE, what)
    })
}
