//! Reason Codes of 5.0.

use super::{Context, Read};
use crate::packet::{PacketType, ReasonCode};
use crate::wire::fields::{Objection, Reader};
use crate::wire::rules::{self, Rule};

/// A Reason Code that this packet may carry and this sender may give.
pub(super) fn reason_code(reader: &mut Reader, packet: PacketType, context: &Context) -> Read<ReasonCode> {
    let at = reader.at();
    let value = reader.byte("Reason Code", &rules::TRUNCATED)?;
    let Some(code) = ReasonCode::from_value(value) else {
        let what = format!("expected a Reason Code of {packet}, found 0x{value:02X}, which is not defined");
        return Err(Objection::new(at, rule(packet), what));
    };
    if !context.sender.may_give(code, packet) {
        let what = format!("expected a Reason Code of {packet} from a {}, found {code}", context.sender);
        return Err(Objection::new(at, rule(packet), what));
    }
    Ok(code)
}

fn rule(packet: PacketType) -> &'static Rule {
    match packet {
        PacketType::Connack => &rules::CONNACK_CODE,
        PacketType::Puback => &rules::PUBACK_CODE,
        PacketType::Pubrec => &rules::PUBREC_CODE,
        PacketType::Pubrel => &rules::PUBREL_CODE,
        PacketType::Pubcomp => &rules::PUBCOMP_CODE,
        PacketType::Suback => &rules::SUBACK_CODE,
        PacketType::Unsuback => &rules::UNSUBACK_CODE,
        PacketType::Auth => &rules::AUTH_CODE,
        // No other packet carries a Reason Code.
        _ => &rules::DISCONNECT_CODE,
    }
}
