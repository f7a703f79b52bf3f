//! SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK.

use super::properties::write_own;
use super::unencodable::Unencodable;
use super::writer::Frame;
use crate::packet::{
    PacketType, ProtocolVersion, ReasonCode, RetainHandling, Suback, Subscribe, SubscriptionOptions, Unsuback,
    Unsubscribe,
};

pub(super) fn subscribe(subscribe: &Subscribe, version: ProtocolVersion) -> Result<Frame, Unencodable> {
    let packet = PacketType::Subscribe;
    if subscribe.requests.is_empty() {
        return Err(Unencodable::NoFilters { packet });
    }
    let mut frame = Frame::new(packet, 0b0010);
    frame.packet_id(subscribe.packet_id);
    write_own(&subscribe.properties, packet, version, &mut frame)?;
    for request in &subscribe.requests {
        frame.text(&request.filter);
        frame.byte(options(&request.options, version)?);
    }
    Ok(frame)
}

fn options(options: &SubscriptionOptions, version: ProtocolVersion) -> Result<u8, Unencodable> {
    let SubscriptionOptions { qos, no_local, retain_as_published, retain_handling } = *options;
    if version != ProtocolVersion::V5_0 {
        let beyond = [
            (no_local, "No Local"),
            (retain_as_published, "Retain As Published"),
            (retain_handling != RetainHandling::Send, "Retain Handling"),
        ];
        if let Some((_, option)) = beyond.into_iter().find(|(set, _)| *set) {
            return Err(Unencodable::OptionNotInVersion { version, option });
        }
    }
    Ok(qos.value() | u8::from(no_local) << 2 | u8::from(retain_as_published) << 3 | (retain_handling as u8) << 4)
}

pub(super) fn suback(suback: &Suback, version: ProtocolVersion) -> Result<Frame, Unencodable> {
    let packet = PacketType::Suback;
    if suback.codes.is_empty() && version != ProtocolVersion::V3_1 {
        return Err(Unencodable::NoCodes { packet });
    }
    let mut frame = Frame::new(packet, 0);
    frame.packet_id(suback.packet_id);
    write_own(&suback.properties, packet, version, &mut frame)?;
    for code in &suback.codes {
        let sayable = match version {
            ProtocolVersion::V3_1 => code.value() <= 2,
            ProtocolVersion::V3_1_1 => code.value() <= 2 || *code == ReasonCode::UnspecifiedError,
            ProtocolVersion::V5_0 if !code.is_permitted_in(packet) => {
                return Err(Unencodable::CodeNotPermitted { packet, code: *code });
            }
            ProtocolVersion::V5_0 => true,
        };
        if !sayable {
            return Err(Unencodable::CodeNotInVersion { packet, version, code: *code });
        }
        frame.byte(code.value());
    }
    Ok(frame)
}

pub(super) fn unsubscribe(unsubscribe: &Unsubscribe, version: ProtocolVersion) -> Result<Frame, Unencodable> {
    let packet = PacketType::Unsubscribe;
    if unsubscribe.filters.is_empty() {
        return Err(Unencodable::NoFilters { packet });
    }
    let mut frame = Frame::new(packet, 0b0010);
    frame.packet_id(unsubscribe.packet_id);
    write_own(&unsubscribe.properties, packet, version, &mut frame)?;
    for filter in &unsubscribe.filters {
        frame.text(filter);
    }
    Ok(frame)
}

pub(super) fn unsuback(unsuback: &Unsuback, version: ProtocolVersion) -> Result<Frame, Unencodable> {
    let packet = PacketType::Unsuback;
    let mut frame = Frame::new(packet, 0);
    frame.packet_id(unsuback.packet_id);
    write_own(&unsuback.properties, packet, version, &mut frame)?;
    if version == ProtocolVersion::V5_0 && unsuback.codes.is_empty() {
        return Err(Unencodable::NoCodes { packet });
    }
    for &code in &unsuback.codes {
        if version != ProtocolVersion::V5_0 {
            // UNSUBACK of 3.x has no payload at all, so not even Success can be said.
            return Err(Unencodable::CodeNotInVersion { packet, version, code });
        }
        if !code.is_permitted_in(packet) {
            return Err(Unencodable::CodeNotPermitted { packet, code });
        }
        frame.byte(code.value());
    }
    Ok(frame)
}
