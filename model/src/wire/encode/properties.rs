//! Properties of 5.0.

use super::unencodable::Unencodable;
use super::writer::{Frame, PropertyPlace, write_binary, write_text};
use crate::packet::{PacketType, Property, PropertySet, ProtocolVersion, Qos};
use crate::wire::fields::{LARGEST_VARIABLE_BYTE_INTEGER, write_variable_byte_integer};

/// Checks that `properties` can be said in this version.
pub(super) fn check_version(
    properties: &impl PropertySet,
    packet: PacketType,
    version: ProtocolVersion,
) -> Result<(), Unencodable> {
    match properties.to_properties().first() {
        Some(first) if !version.has_properties() => {
            Err(Unencodable::NoProperties { packet, version, property: first.id() })
        }
        _ => Ok(()),
    }
}

/// Writes Property Length and properties where they are the packet's own, and remembers the place.
pub(super) fn write_own(
    properties: &impl PropertySet,
    packet: PacketType,
    version: ProtocolVersion,
    frame: &mut Frame,
) -> Result<(), Unencodable> {
    let at = frame.body.len();
    frame.properties =
        if version.has_properties() { PropertyPlace::Present(at) } else { PropertyPlace::Absent(at, &[]) };
    write(properties, packet, version, frame)
}

/// Writes Property Length and properties; nothing before 5.0.
pub(super) fn write(
    properties: &impl PropertySet,
    packet: PacketType,
    version: ProtocolVersion,
    frame: &mut Frame,
) -> Result<(), Unencodable> {
    check_version(properties, packet, version)?;
    if !version.has_properties() {
        return Ok(());
    }
    let mut list = Vec::new();
    for property in properties.to_properties() {
        write_property(&property, &mut list)?;
    }
    let length = u32::try_from(list.len())
        .ok()
        .filter(|length| *length <= LARGEST_VARIABLE_BYTE_INTEGER)
        .ok_or(Unencodable::PropertiesTooLong { packet, length: list.len() })?;
    write_variable_byte_integer(length, &mut frame.body);
    frame.body.append(&mut list);
    Ok(())
}

fn write_property(property: &Property, to: &mut Vec<u8>) -> Result<(), Unencodable> {
    let id = property.id();
    // Every identifier is below 0x80: as a Variable Byte Integer it is its own single byte.
    to.push(id as u8);
    match property {
        Property::PayloadFormatIndicator(value)
        | Property::RequestProblemInformation(value)
        | Property::RequestResponseInformation(value)
        | Property::RetainAvailable(value)
        | Property::WildcardSubscriptionAvailable(value)
        | Property::SubscriptionIdentifierAvailable(value)
        | Property::SharedSubscriptionAvailable(value) => to.push(u8::from(*value)),
        Property::MaximumQos(Qos::ExactlyOnce) => return Err(Unencodable::PropertyValue { property: id, value: 2 }),
        Property::MaximumQos(qos) => to.push(qos.value()),
        Property::ServerKeepAlive(value) | Property::TopicAliasMaximum(value) => {
            to.extend_from_slice(&value.to_be_bytes());
        }
        Property::ReceiveMaximum(value) | Property::TopicAlias(value) => {
            to.extend_from_slice(&value.get().to_be_bytes());
        }
        Property::MessageExpiryInterval(value)
        | Property::SessionExpiryInterval(value)
        | Property::WillDelayInterval(value) => to.extend_from_slice(&value.to_be_bytes()),
        Property::MaximumPacketSize(value) => to.extend_from_slice(&value.get().to_be_bytes()),
        Property::SubscriptionIdentifier(value) => write_variable_byte_integer(value.value(), to),
        Property::ContentType(text)
        | Property::ResponseTopic(text)
        | Property::AssignedClientIdentifier(text)
        | Property::AuthenticationMethod(text)
        | Property::ResponseInformation(text)
        | Property::ServerReference(text)
        | Property::ReasonString(text) => write_text(text, to),
        Property::UserProperty((name, value)) => {
            write_text(name, to);
            write_text(value, to);
        }
        Property::CorrelationData(bytes) | Property::AuthenticationData(bytes) => {
            write_binary(id.name(), bytes, to)?;
        }
    }
    Ok(())
}
