//! DISCONNECT and AUTH.

use super::properties::{Owner, properties};
use super::reason::reason_code;
use super::{Context, Read};
use crate::packet::{
    Auth, AuthProperties, Disconnect, DisconnectProperties, PacketType, PropertyId, ProtocolVersion, ReasonCode,
};
use crate::wire::fields::{Objection, Reader};
use crate::wire::rules;
use crate::wire::sender::Sender;

pub(super) fn disconnect(reader: &mut Reader, context: &Context) -> Read<Disconnect> {
    // Two short forms of 5.0: without Reason Code it is 0x00; without Property Length there are no properties.
    if context.version != ProtocolVersion::V5_0 || reader.is_at_end() {
        return Ok(Disconnect::normal());
    }
    let reason = reason_code(reader, PacketType::Disconnect, context)?;
    if reader.is_at_end() {
        return Ok(Disconnect::because(reason));
    }
    let mut owner = Owner::packet(PacketType::Disconnect);
    if context.sender == Sender::Server {
        owner = owner.without(PropertyId::SessionExpiryInterval, &rules::SESSION_EXPIRY_FROM_SERVER);
    }
    let properties: DisconnectProperties = properties(reader, context.version, owner)?;
    Ok(Disconnect { reason, properties })
}

pub(super) fn auth(reader: &mut Reader, context: &Context) -> Read<Auth> {
    // The short form is Success without properties. It leaves out the Authentication Method, which section 3.15.2.2.2
    // asks of every AUTH; section 3.15.2.1 permits it all the same.
    if reader.is_at_end() {
        check_short_auth(reader.at(), context)?;
        return Ok(Auth { reason: ReasonCode::Success, properties: AuthProperties::default() });
    }
    let reason = reason_code(reader, PacketType::Auth, context)?;
    let properties_at = reader.at();
    // Unlike acknowledgements and DISCONNECT, AUTH may not leave out Property Length alone.
    let properties: AuthProperties = properties(reader, context.version, Owner::packet(PacketType::Auth))?;
    if properties.authentication_method.is_none() {
        let what = "expected Authentication Method in AUTH, found none";
        return Err(Objection::new(properties_at, &rules::AUTHENTICATION_METHOD_MISSING, what));
    }
    Ok(Auth { reason, properties })
}

fn check_short_auth(at: usize, context: &Context) -> Read<()> {
    if context.sender.may_give(ReasonCode::Success, PacketType::Auth) {
        return Ok(());
    }
    let what = format!(
        "expected a Reason Code of AUTH from a {}, found none, which stands for {}",
        context.sender,
        ReasonCode::Success
    );
    Err(Objection::new(at, &rules::AUTH_CODE, what))
}
