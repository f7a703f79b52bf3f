//! PUBLISH.

use super::properties::{Owner, properties};
use super::{Context, Read};
use crate::packet::{Delivery, PacketType, PropertyId, Publish, PublishProperties};
use crate::wire::fields::{Objection, Reader, TextField};
use crate::wire::rules;
use crate::wire::sender::Sender;

const TOPIC_NAME: TextField = TextField {
    name: "Topic Name",
    missing: &rules::TOPIC_NAME_MISSING,
    ill_formed: &rules::ILL_FORMED_TOPIC_NAME,
    null: &rules::NULL_IN_TOPIC,
};

/// Reads a PUBLISH whose flags were checked; `packet` is the whole of it.
pub(super) fn publish(reader: &mut Reader, packet: &[u8], context: &Context) -> Read<Publish> {
    let flags = packet[0];
    let topic_at = reader.at();
    let topic = reader.text(&TOPIC_NAME)?;
    let id_rule = match context.sender {
        Sender::Client => &rules::ID_OF_CLIENT_REQUEST,
        Sender::Server => &rules::ID_OF_SERVER_PUBLISH,
    };
    let dup = flags & 0b1000 != 0;
    let delivery = match (flags >> 1) & 0b11 {
        // DUP of a 3.1 packet at QoS 0 is dropped here.
        0 => Delivery::AtMostOnce,
        1 => Delivery::AtLeastOnce { packet_id: reader.packet_id(id_rule)?, dup },
        // 3 was refused with the flags.
        _ => Delivery::ExactlyOnce { packet_id: reader.packet_id(id_rule)?, dup },
    };
    let mut owner = Owner::packet(PacketType::Publish);
    if context.sender == Sender::Client {
        owner = owner.without(PropertyId::SubscriptionIdentifier, &rules::SUBSCRIPTION_IDENTIFIER_FROM_CLIENT);
    }
    let properties: PublishProperties = properties(reader, context.version, owner)?;
    if topic.is_empty() && properties.topic_alias.is_none() {
        let what = if context.version.has_properties() {
            "expected a Topic Name or a Topic Alias, found neither"
        } else {
            "expected a Topic Name of at least one character, found none"
        };
        return Err(Objection::new(topic_at, &rules::TOPIC_NAME_EMPTY, what));
    }
    Ok(Publish { delivery, retain: flags & 1 != 0, topic, properties, payload: reader.rest().to_vec() })
}
