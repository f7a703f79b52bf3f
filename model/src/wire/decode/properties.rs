//! Properties of 5.0.

use super::Read;
use crate::packet::{
    PacketType, Property, PropertyId, PropertyMisuse, PropertySet, ProtocolVersion, Qos, SubscriptionIdentifier,
};
use crate::wire::fields::{Objection, Reader, TextField};
use crate::wire::rules::{self, Rule};
use std::num::{NonZeroU16, NonZeroU32};

/// Where a set of properties stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    /// As messages name it.
    pub(super) name: &'static str,
    /// The rule about properties that fit neither this sender nor this packet, besides those of the set.
    pub(super) barred: Option<(PropertyId, &'static Rule)>,
}

impl Owner {
    /// The properties of a packet.
    pub(super) fn packet(packet: PacketType) -> Owner {
        Owner { name: packet.name(), barred: None }
    }

    /// The same, without this one.
    pub(super) fn without(self, property: PropertyId, rule: &'static Rule) -> Owner {
        Owner { barred: Some((property, rule)), ..self }
    }
}

/// Reads Property Length and properties; earlier versions have neither.
pub(super) fn properties<S: PropertySet>(reader: &mut Reader, version: ProtocolVersion, owner: Owner) -> Read<S> {
    let mut set = S::default();
    if !version.has_properties() {
        return Ok(set);
    }
    let length_at = reader.at();
    let length = reader.variable_byte_integer("Property Length", &rules::PROPERTY_LENGTH_MISSING)?;
    let mut list = reader.split(length, "properties", &rules::PROPERTY_LENGTH).map_err(|objection| {
        // The Property Length is at fault, not the first property.
        Objection { at: length_at, ..objection }
    })?;
    while !list.is_at_end() {
        let at = list.at();
        let id = identifier(&mut list)?;
        if let Some((barred, rule)) = owner.barred
            && barred == id
        {
            return Err(Objection::new(at, rule, format!("expected no {id} from this side, found one")));
        }
        set.add(value(id, &mut list)?).map_err(|misuse| match misuse {
            PropertyMisuse::NotPermittedHere => {
                let what = format!("expected a property of {}, found {id} (0x{:02X})", owner.name, id as u8);
                Objection::new(at, &rules::PROPERTY_FOREIGN, what)
            }
            PropertyMisuse::Repeated => {
                let what = format!("expected {id} once at most in {}, found it again", owner.name);
                Objection::new(at, &rules::PROPERTY_REPEATED, what)
            }
        })?;
    }
    Ok(set)
}

fn identifier(list: &mut Reader) -> Read<PropertyId> {
    let at = list.at();
    let value = list.variable_byte_integer("a property identifier", &rules::PROPERTY_LENGTH)?;
    u8::try_from(value).ok().and_then(PropertyId::from_value).ok_or_else(|| {
        let what = format!("expected the identifier of a property, found 0x{value:02X}");
        Objection::new(at, &rules::PROPERTY_UNKNOWN, what)
    })
}

fn value(id: PropertyId, list: &mut Reader) -> Read<Property> {
    Ok(match id {
        PropertyId::PayloadFormatIndicator => Property::PayloadFormatIndicator(boolean(id, list)?),
        PropertyId::MessageExpiryInterval => Property::MessageExpiryInterval(four_bytes(id, list)?),
        PropertyId::ContentType => Property::ContentType(list.text(&text(id))?),
        PropertyId::ResponseTopic => Property::ResponseTopic(list.text(&text(id))?),
        PropertyId::CorrelationData => Property::CorrelationData(binary(id, list)?),
        PropertyId::SubscriptionIdentifier => {
            let (at, value) = (list.at(), list.variable_byte_integer(id.name(), &rules::PROPERTY_LENGTH)?);
            let identifier = SubscriptionIdentifier::new(value).ok_or_else(|| zero(id, at, &rules::PROPERTY_VALUE))?;
            Property::SubscriptionIdentifier(identifier)
        }
        PropertyId::SessionExpiryInterval => Property::SessionExpiryInterval(four_bytes(id, list)?),
        PropertyId::AssignedClientIdentifier => Property::AssignedClientIdentifier(list.text(&text(id))?),
        PropertyId::ServerKeepAlive => Property::ServerKeepAlive(two_bytes(id, list)?),
        PropertyId::AuthenticationMethod => Property::AuthenticationMethod(list.text(&text(id))?),
        PropertyId::AuthenticationData => Property::AuthenticationData(binary(id, list)?),
        PropertyId::RequestProblemInformation => Property::RequestProblemInformation(boolean(id, list)?),
        PropertyId::WillDelayInterval => Property::WillDelayInterval(four_bytes(id, list)?),
        PropertyId::RequestResponseInformation => Property::RequestResponseInformation(boolean(id, list)?),
        PropertyId::ResponseInformation => Property::ResponseInformation(list.text(&text(id))?),
        PropertyId::ServerReference => Property::ServerReference(list.text(&text(id))?),
        PropertyId::ReasonString => Property::ReasonString(list.text(&text(id))?),
        PropertyId::ReceiveMaximum => Property::ReceiveMaximum(not_zero(id, list, &rules::PROPERTY_VALUE)?),
        PropertyId::TopicAliasMaximum => Property::TopicAliasMaximum(two_bytes(id, list)?),
        PropertyId::TopicAlias => Property::TopicAlias(not_zero(id, list, &rules::TOPIC_ALIAS_0)?),
        PropertyId::MaximumQos => {
            // QoS 2 is no value of this property: a Server that has it leaves the property out.
            let (at, value) = (list.at(), list.byte(id.name(), &rules::PROPERTY_LENGTH)?);
            let qos = Qos::from_value(value).filter(|qos| *qos != Qos::ExactlyOnce);
            Property::MaximumQos(qos.ok_or_else(|| not_boolean(id, at, value))?)
        }
        PropertyId::RetainAvailable => Property::RetainAvailable(boolean(id, list)?),
        PropertyId::UserProperty => Property::UserProperty((list.text(&text(id))?, list.text(&text(id))?)),
        PropertyId::MaximumPacketSize => {
            let (at, value) = (list.at(), four_bytes(id, list)?);
            let size = NonZeroU32::new(value).ok_or_else(|| zero(id, at, &rules::PROPERTY_VALUE))?;
            Property::MaximumPacketSize(size)
        }
        PropertyId::WildcardSubscriptionAvailable => Property::WildcardSubscriptionAvailable(boolean(id, list)?),
        PropertyId::SubscriptionIdentifierAvailable => Property::SubscriptionIdentifierAvailable(boolean(id, list)?),
        PropertyId::SharedSubscriptionAvailable => Property::SharedSubscriptionAvailable(boolean(id, list)?),
    })
}

/// A byte that is 0 or 1. Another value is called a Protocol Error for each such property but Payload Format Indicator,
/// for which the text defines 0 and 1 and is silent about the rest.
fn boolean(id: PropertyId, list: &mut Reader) -> Read<bool> {
    let at = list.at();
    match list.byte(id.name(), &rules::PROPERTY_LENGTH)? {
        0 => Ok(false),
        1 => Ok(true),
        value => Err(not_boolean(id, at, value)),
    }
}

fn two_bytes(id: PropertyId, list: &mut Reader) -> Read<u16> {
    list.two_byte_integer(id.name(), &rules::PROPERTY_LENGTH)
}

fn four_bytes(id: PropertyId, list: &mut Reader) -> Read<u32> {
    list.four_byte_integer(id.name(), &rules::PROPERTY_LENGTH)
}

fn binary(id: PropertyId, list: &mut Reader) -> Read<Vec<u8>> {
    list.binary(id.name(), &rules::PROPERTY_LENGTH).map(<[u8]>::to_vec)
}

fn not_zero(id: PropertyId, list: &mut Reader, rule: &'static Rule) -> Read<NonZeroU16> {
    let (at, value) = (list.at(), two_bytes(id, list)?);
    NonZeroU16::new(value).ok_or_else(|| zero(id, at, rule))
}

fn text(id: PropertyId) -> TextField {
    let (ill_formed, null) = match id {
        PropertyId::ResponseTopic => (&rules::ILL_FORMED_RESPONSE_TOPIC, &rules::NULL_IN_TOPIC),
        PropertyId::ContentType => (&rules::ILL_FORMED_CONTENT_TYPE, &rules::NULL_CHARACTER),
        PropertyId::UserProperty => (&rules::ILL_FORMED_USER_PROPERTY, &rules::NULL_IN_USER_PROPERTY),
        _ => (&rules::ILL_FORMED_UTF8, &rules::NULL_CHARACTER),
    };
    TextField { name: id.name(), missing: &rules::PROPERTY_LENGTH, ill_formed, null }
}

fn zero(id: PropertyId, at: usize, rule: &'static Rule) -> Objection {
    Objection::new(at, rule, format!("expected {id} above 0, found 0"))
}

fn not_boolean(id: PropertyId, at: usize, value: u8) -> Objection {
    Objection::new(at, &rules::PROPERTY_VALUE, format!("expected {id} 0 or 1, found {value}"))
}
