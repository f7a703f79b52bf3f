//! DISCONNECT and AUTH.

use super::acknowledgement::{check_code, finish};
use super::properties::{check_version, write_own};
use super::unencodable::Unencodable;
use super::writer::{Frame, PropertyPlace};
use crate::packet::{Auth, Disconnect, PacketType, PropertyId, PropertySet, ProtocolVersion, ReasonCode};
use crate::wire::sender::Sender;

pub(super) fn disconnect(disconnect: &Disconnect, version: ProtocolVersion) -> Result<Frame, Unencodable> {
    let packet = PacketType::Disconnect;
    let Disconnect { reason, properties } = disconnect;
    check_version(properties, packet, version)?;
    check_code(*reason, packet, version)?;
    if properties.session_expiry_interval.is_some() && !Sender::Client.may_give(*reason, packet) {
        return Err(Unencodable::NoPossibleSender { property: PropertyId::SessionExpiryInterval, code: *reason });
    }
    let mut frame = Frame::new(packet, 0);
    finish(*reason, properties, packet, version, &mut frame)?;
    Ok(frame)
}

pub(super) fn auth(auth: &Auth, version: ProtocolVersion) -> Result<Frame, Unencodable> {
    let packet = PacketType::Auth;
    if version != ProtocolVersion::V5_0 {
        return Err(Unencodable::NoSuchPacket { packet, version });
    }
    check_code(auth.reason, packet, version)?;
    let mut frame = Frame::new(packet, 0);
    // The only form without Authentication Method; see the decoder.
    if auth.reason == ReasonCode::Success && auth.properties.is_empty() {
        frame.properties = PropertyPlace::Absent(0, &[ReasonCode::Success as u8]);
        return Ok(frame);
    }
    if auth.properties.authentication_method.is_none() {
        return Err(Unencodable::AuthenticationMethodMissing { packet });
    }
    frame.byte(auth.reason.value());
    write_own(&auth.properties, packet, version, &mut frame)?;
    Ok(frame)
}
