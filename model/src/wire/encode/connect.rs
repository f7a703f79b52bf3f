//! CONNECT and CONNACK.

use super::properties::{write, write_own};
use super::unencodable::Unencodable;
use super::writer::Frame;
use crate::packet::{Connack, ConnackCode, Connect, PacketType, ProtocolVersion};

pub(super) fn connect(connect: &Connect, version: ProtocolVersion) -> Result<Frame, Unencodable> {
    let packet = PacketType::Connect;
    if connect.password.is_some() && connect.user_name.is_none() && version != ProtocolVersion::V5_0 {
        return Err(Unencodable::PasswordWithoutUserName { version });
    }
    if connect.properties.authentication_data.is_some() && connect.properties.authentication_method.is_none() {
        return Err(Unencodable::AuthenticationMethodMissing { packet });
    }
    let mut frame = Frame::new(packet, 0);
    let name = version.protocol_name();
    frame.two_byte_integer(name.len() as u16);
    frame.body.extend_from_slice(name.as_bytes());
    frame.byte(version.level());
    frame.byte(flags(connect));
    frame.two_byte_integer(connect.keep_alive);
    write_own(&connect.properties, packet, version, &mut frame)?;
    frame.text(&connect.client_id);
    if let Some(will) = &connect.will {
        write(&will.properties, packet, version, &mut frame)?;
        frame.text(&will.topic);
        frame.binary("Will Payload", &will.payload)?;
    }
    if let Some(user_name) = &connect.user_name {
        frame.text(user_name);
    }
    if let Some(password) = &connect.password {
        frame.binary("Password", password)?;
    }
    Ok(frame)
}

fn flags(connect: &Connect) -> u8 {
    let will = connect.will.as_ref().map_or(0, |will| 0x04 | will.qos.value() << 3 | u8::from(will.retain) << 5);
    u8::from(connect.clean_start) << 1
        | will
        | u8::from(connect.password.is_some()) << 6
        | u8::from(connect.user_name.is_some()) << 7
}

pub(super) fn connack(connack: &Connack, version: ProtocolVersion) -> Result<Frame, Unencodable> {
    let packet = PacketType::Connack;
    match (connack.code, version) {
        (ConnackCode::Return(_), ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1) => {}
        (ConnackCode::Reason(code), ProtocolVersion::V5_0) if code.is_permitted_in(packet) => {}
        (ConnackCode::Reason(code), ProtocolVersion::V5_0) => {
            return Err(Unencodable::CodeNotPermitted { packet, code });
        }
        (ConnackCode::Reason(_), _) => {
            return Err(Unencodable::WrongKindOfCode { version, expected: "a Connect Return Code, not a Reason Code" });
        }
        (ConnackCode::Return(_), _) => {
            return Err(Unencodable::WrongKindOfCode { version, expected: "a Reason Code, not a Connect Return Code" });
        }
    }
    if connack.session_present && version == ProtocolVersion::V3_1 {
        return Err(Unencodable::NoSessionPresent);
    }
    if connack.session_present && !connack.code.is_accepted() {
        return Err(Unencodable::SessionPresentAtFailure { code: connack.code.value() });
    }
    let mut frame = Frame::new(packet, 0);
    frame.byte(u8::from(connack.session_present));
    frame.byte(connack.code.value());
    write_own(&connack.properties, packet, version, &mut frame)?;
    Ok(frame)
}
