//! PUBACK, PUBREC, PUBREL and PUBCOMP.

use super::properties::{check_version, write_own};
use super::unencodable::Unencodable;
use super::writer::{Frame, PropertyPlace};
use crate::packet::{Acknowledgement, PacketType, PropertySet, ProtocolVersion, ReasonCode};

pub(super) fn acknowledgement(
    acknowledgement: &Acknowledgement,
    packet: PacketType,
    version: ProtocolVersion,
) -> Result<Frame, Unencodable> {
    let Acknowledgement { packet_id, reason, properties } = acknowledgement;
    check_version(properties, packet, version)?;
    check_code(*reason, packet, version)?;
    let flags = if packet == PacketType::Pubrel { 0b0010 } else { 0 };
    let mut frame = Frame::new(packet, flags);
    frame.packet_id(*packet_id);
    finish(*reason, properties, packet, version, &mut frame)?;
    Ok(frame)
}

/// A Reason Code that packet and version permit; before 5.0 there is only Success, which is not written.
pub(super) fn check_code(code: ReasonCode, packet: PacketType, version: ProtocolVersion) -> Result<(), Unencodable> {
    match version {
        ProtocolVersion::V5_0 if code.is_permitted_in(packet) => Ok(()),
        ProtocolVersion::V5_0 => Err(Unencodable::CodeNotPermitted { packet, code }),
        _ if code == ReasonCode::Success => Ok(()),
        _ => Err(Unencodable::CodeNotInVersion { packet, version, code }),
    }
}

/// Ends a packet with Reason Code and properties, leaving out what 5.0 lets be left out.
pub(super) fn finish(
    reason: ReasonCode,
    properties: &impl PropertySet,
    packet: PacketType,
    version: ProtocolVersion,
    frame: &mut Frame,
) -> Result<(), Unencodable> {
    if !properties.is_empty() {
        frame.byte(reason.value());
        return write_own(properties, packet, version, frame);
    }
    let mut missing: &'static [u8] = &[ReasonCode::Success as u8];
    if reason != ReasonCode::Success {
        frame.byte(reason.value());
        missing = &[];
    }
    frame.properties = PropertyPlace::Absent(frame.body.len(), missing);
    Ok(())
}
