//! From tokens to packets: what a simulated server puts on the wire.

use model::packet::{
    Acknowledgement, Connack, ConnackCode, ConnackProperties, ConnectReturnCode, Delivery, Disconnect, Packet,
    ProtocolVersion, Publish, Qos, ReasonCode, ReasonProperties, Suback, Unsuback,
};
use model::server::{Output, Vocabulary};

/// The packet of an output; none if it is the end of the connection.
pub(crate) fn packet(output: &Output, version: ProtocolVersion, vocabulary: &Vocabulary) -> Option<Packet> {
    let reason = |code: u8| ReasonCode::from_value(code).unwrap();
    let reasons = |codes: &[u8]| codes.iter().map(|code| reason(*code)).collect();
    Some(match output {
        Output::Connack { session_present, code, .. } => Packet::Connack(Connack {
            session_present: *session_present,
            code: match version.has_properties() {
                true => ConnackCode::Reason(reason(*code)),
                false => ConnackCode::Return(ConnectReturnCode::from_value(*code).unwrap()),
            },
            properties: ConnackProperties::default(),
        }),
        Output::Suback { id, codes } => {
            Packet::Suback(Suback { packet_id: *id, properties: ReasonProperties::default(), codes: reasons(codes) })
        }
        Output::Unsuback { id, codes } => Packet::Unsuback(Unsuback {
            packet_id: *id,
            properties: ReasonProperties::default(),
            codes: reasons(codes),
        }),
        Output::Puback { id, code } => {
            Packet::Puback(Acknowledgement { reason: reason(*code), ..Acknowledgement::success(*id) })
        }
        Output::Publish { content, qos, id, dup, retain } => {
            let content = vocabulary.content_of(*content);
            let delivery = match (qos, *id) {
                (Qos::AtMostOnce, _) | (_, None) => Delivery::AtMostOnce,
                (Qos::AtLeastOnce, Some(packet_id)) => Delivery::AtLeastOnce { packet_id, dup: *dup },
                (Qos::ExactlyOnce, Some(packet_id)) => Delivery::ExactlyOnce { packet_id, dup: *dup },
            };
            Packet::Publish(Publish {
                delivery,
                retain: *retain,
                topic: content.topic.as_str().try_into().unwrap(),
                properties: content.properties.clone(),
                payload: content.payload.clone(),
            })
        }
        Output::Pingresp => Packet::Pingresp,
        Output::Disconnect { code } => Packet::Disconnect(Disconnect::because(reason(*code))),
        Output::Close => return None,
    })
}
