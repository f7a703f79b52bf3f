//! From tokens to packets: what a simulated server puts on the wire.

use super::client::{ALIASES, delivery};
use model::packet::{
    Acknowledgement, Connack, ConnackCode, ConnackProperties, ConnectReturnCode, Disconnect, Packet, PacketId,
    ProtocolVersion, Publish, ReasonCode, ReasonProperties, Suback, Unsuback,
};
use model::server::{Output, Vocabulary};

/// The packet of an output; none if it is the end of the connection.
pub(crate) fn packet(output: &Output, version: ProtocolVersion, vocabulary: &Vocabulary) -> Option<Packet> {
    let reason = |code: u8| ReasonCode::from_value(code).unwrap();
    let reasons = |codes: &[u8]| codes.iter().map(|code| reason(*code)).collect();
    let answer = |id: PacketId, code: u8| Acknowledgement { reason: reason(code), ..Acknowledgement::success(id) };
    Some(match output {
        Output::Connack { session_present, code, .. } => Packet::Connack(Connack {
            session_present: *session_present,
            code: match version.has_properties() {
                true => ConnackCode::Reason(reason(*code)),
                false => ConnackCode::Return(ConnectReturnCode::from_value(*code).unwrap()),
            },
            properties: ConnackProperties {
                topic_alias_maximum: version.has_properties().then_some(ALIASES),
                ..ConnackProperties::default()
            },
        }),
        Output::Suback { id, codes } => {
            Packet::Suback(Suback { packet_id: *id, properties: ReasonProperties::default(), codes: reasons(codes) })
        }
        Output::Unsuback { id, codes } => Packet::Unsuback(Unsuback {
            packet_id: *id,
            properties: ReasonProperties::default(),
            codes: reasons(codes),
        }),
        Output::Puback { id, code } => Packet::Puback(answer(*id, *code)),
        Output::Pubrec { id, code } => Packet::Pubrec(answer(*id, *code)),
        Output::Pubrel { id, code } => Packet::Pubrel(answer(*id, *code)),
        Output::Pubcomp { id, code } => Packet::Pubcomp(answer(*id, *code)),
        Output::Publish { content, qos, id, dup, retain, identifiers, expiry } => {
            let content = vocabulary.content_of(*content);
            let mut properties = content.properties.clone();
            properties.subscription_identifiers.clone_from(identifiers);
            properties.message_expiry_interval = *expiry;
            Packet::Publish(Publish {
                delivery: delivery(*qos, *id, *dup),
                retain: *retain,
                topic: content.topic.as_str().try_into().unwrap(),
                properties,
                payload: content.payload.clone(),
            })
        }
        Output::Pingresp => Packet::Pingresp,
        Output::Disconnect { code } => Packet::Disconnect(Disconnect::because(reason(*code))),
        Output::Auth { .. } => unreachable!("no client names a method that is known"),
        Output::Close => return None,
    })
}
