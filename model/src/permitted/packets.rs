//! From tokens to packets: what a server of the model puts on the wire.

use crate::packet::{
    Acknowledgement, Auth, AuthProperties, Connack, ConnackCode, ConnackProperties, ConnectReturnCode, Delivery,
    Disconnect, Packet, PacketId, ProtocolVersion, Publish, Qos, ReasonCode, ReasonProperties, Suback, Unsuback,
    Utf8String,
};
use crate::server::vocabulary::Content;
use crate::server::{ContentKey, Output};

/// The packet of an output; none if it is the end of the connection, or if `version` has no such packet or code.
pub fn packet<'a>(
    output: &Output,
    version: ProtocolVersion,
    content_of: impl Fn(ContentKey) -> &'a Content,
) -> Option<Packet> {
    let answer = |id: PacketId, code: u8| {
        let reason = ReasonCode::from_value(code)?;
        Some(Acknowledgement { reason, ..Acknowledgement::success(id) })
    };
    Some(match output {
        Output::Connack { session_present, code, announced: _ } => Packet::Connack(Connack {
            session_present: *session_present,
            code: match version.has_properties() {
                true => ConnackCode::Reason(ReasonCode::from_value(*code)?),
                false => ConnackCode::Return(ConnectReturnCode::from_value(*code)?),
            },
            properties: ConnackProperties::default(),
        }),
        Output::Suback { id, codes } => {
            Packet::Suback(Suback { packet_id: *id, properties: ReasonProperties::default(), codes: reasons(codes)? })
        }
        Output::Unsuback { id, codes } => Packet::Unsuback(Unsuback {
            packet_id: *id,
            properties: ReasonProperties::default(),
            codes: reasons(codes)?,
        }),
        Output::Puback { id, code } => Packet::Puback(answer(*id, *code)?),
        Output::Pubrec { id, code } => Packet::Pubrec(answer(*id, *code)?),
        Output::Pubrel { id, code } => Packet::Pubrel(answer(*id, *code)?),
        Output::Pubcomp { id, code } => Packet::Pubcomp(answer(*id, *code)?),
        Output::Publish { content, qos, id, dup, retain, identifiers, expiry } => {
            let content = content_of(*content);
            let mut properties = content.properties.clone();
            properties.subscription_identifiers.clone_from(identifiers);
            properties.message_expiry_interval = *expiry;
            Packet::Publish(Publish {
                delivery: delivery(*qos, *id, *dup),
                retain: *retain,
                topic: text(&content.topic)?,
                properties,
                payload: content.payload.clone(),
            })
        }
        Output::Pingresp => Packet::Pingresp,
        Output::Disconnect { .. } if !version.has_properties() => return None,
        Output::Disconnect { code } => Packet::Disconnect(Disconnect::because(ReasonCode::from_value(*code)?)),
        Output::Auth { code } => {
            Packet::Auth(Auth { reason: ReasonCode::from_value(*code)?, properties: AuthProperties::default() })
        }
        Output::Close => return None,
    })
}

fn reasons(codes: &[u8]) -> Option<Vec<ReasonCode>> {
    codes.iter().map(|code| ReasonCode::from_value(*code)).collect()
}

fn text(text: &str) -> Option<Utf8String> {
    text.try_into().ok()
}

/// QoS with what belongs to it.
fn delivery(qos: Qos, id: Option<PacketId>, dup: bool) -> Delivery {
    match (qos, id) {
        (Qos::AtMostOnce, _) | (_, None) => Delivery::AtMostOnce,
        (Qos::AtLeastOnce, Some(packet_id)) => Delivery::AtLeastOnce { packet_id, dup },
        (Qos::ExactlyOnce, Some(packet_id)) => Delivery::ExactlyOnce { packet_id, dup },
    }
}
