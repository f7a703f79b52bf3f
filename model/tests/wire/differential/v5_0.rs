//! Packets of `mqttbytes` for 5.0 as ours, and as their bytes.

use super::{delivery, id, qos, text};
use bytes::BytesMut;
use model::packet::{
    Acknowledgement, Connack, ConnackCode, ConnackProperties, Connect, ConnectProperties, Disconnect,
    DisconnectProperties, Packet, Publish, PublishProperties, Qos, ReasonCode, ReasonProperties, RetainHandling,
    Suback, Subscribe, SubscribeProperties, SubscriptionIdentifier, SubscriptionOptions, SubscriptionRequest, Unsuback,
    Unsubscribe, UnsubscribeProperties, UserProperty, Utf8String, Will, WillProperties,
};
use mqttbytes::v5::{self, Packet as Theirs};
use std::num::{NonZeroU16, NonZeroU32};

pub(super) fn packet(theirs: &Theirs) -> Packet {
    match theirs {
        Theirs::Connect(it) => Packet::Connect(connect(it)),
        Theirs::ConnAck(it) => Packet::Connack(Connack {
            session_present: it.session_present,
            code: ConnackCode::Reason(code(it.code as u8)),
            properties: it.properties.as_ref().map(connack_properties).unwrap_or_default(),
        }),
        Theirs::Publish(it) => Packet::Publish(Publish {
            delivery: delivery(it.qos, it.dup, it.pkid),
            retain: it.retain,
            topic: text(&it.topic),
            properties: it.properties.as_ref().map(publish_properties).unwrap_or_default(),
            payload: it.payload.to_vec(),
        }),
        Theirs::PubAck(it) => Packet::Puback(Acknowledgement {
            packet_id: id(it.pkid),
            reason: code(it.reason as u8),
            properties: it
                .properties
                .as_ref()
                .map(|p| reason(&p.reason_string, &p.user_properties))
                .unwrap_or_default(),
        }),
        Theirs::PubRec(it) => Packet::Pubrec(Acknowledgement {
            packet_id: id(it.pkid),
            reason: code(it.reason as u8),
            properties: it
                .properties
                .as_ref()
                .map(|p| reason(&p.reason_string, &p.user_properties))
                .unwrap_or_default(),
        }),
        Theirs::PubRel(it) => Packet::Pubrel(Acknowledgement {
            packet_id: id(it.pkid),
            reason: code(it.reason as u8),
            properties: it
                .properties
                .as_ref()
                .map(|p| reason(&p.reason_string, &p.user_properties))
                .unwrap_or_default(),
        }),
        Theirs::PubComp(it) => Packet::Pubcomp(Acknowledgement {
            packet_id: id(it.pkid),
            reason: code(it.reason as u8),
            properties: it
                .properties
                .as_ref()
                .map(|p| reason(&p.reason_string, &p.user_properties))
                .unwrap_or_default(),
        }),
        Theirs::Subscribe(it) => Packet::Subscribe(subscribe(it)),
        Theirs::SubAck(it) => Packet::Suback(Suback {
            packet_id: id(it.pkid),
            properties: it
                .properties
                .as_ref()
                .map(|p| reason(&p.reason_string, &p.user_properties))
                .unwrap_or_default(),
            codes: it.return_codes.iter().map(|it| code(*it as u8)).collect(),
        }),
        Theirs::Unsubscribe(it) => Packet::Unsubscribe(Unsubscribe {
            packet_id: id(it.pkid),
            properties: UnsubscribeProperties {
                user_properties: it.properties.as_ref().map(|p| users(&p.user_properties)).unwrap_or_default(),
            },
            filters: it.filters.iter().map(|filter| text(filter)).collect(),
        }),
        Theirs::UnsubAck(it) => Packet::Unsuback(Unsuback {
            packet_id: id(it.pkid),
            properties: it
                .properties
                .as_ref()
                .map(|p| reason(&p.reason_string, &p.user_properties))
                .unwrap_or_default(),
            codes: it.reasons.iter().map(|it| code(*it as u8)).collect(),
        }),
        Theirs::PingReq => Packet::Pingreq,
        Theirs::PingResp => Packet::Pingresp,
        Theirs::Disconnect(it) => Packet::Disconnect(Disconnect {
            reason: code(it.reason_code as u8),
            properties: it
                .properties
                .as_ref()
                .map(|p| DisconnectProperties {
                    session_expiry_interval: p.session_expiry_interval,
                    server_reference: optional(&p.server_reference),
                    reason_string: optional(&p.reason_string),
                    user_properties: users(&p.user_properties),
                })
                .unwrap_or_default(),
        }),
    }
}

fn connect(it: &v5::Connect) -> Connect {
    Connect {
        clean_start: it.clean_session,
        keep_alive: it.keep_alive,
        properties: it
            .properties
            .as_ref()
            .map(|p| ConnectProperties {
                session_expiry_interval: p.session_expiry_interval,
                authentication_method: optional(&p.authentication_method),
                authentication_data: p.authentication_data.as_ref().map(|data| data.to_vec()),
                request_problem_information: p.request_problem_info.map(flag),
                request_response_information: p.request_response_info.map(flag),
                receive_maximum: p.receive_maximum.map(two_bytes),
                topic_alias_maximum: p.topic_alias_max,
                user_properties: users(&p.user_properties),
                maximum_packet_size: p.max_packet_size.map(four_bytes),
            })
            .unwrap_or_default(),
        client_id: text(&it.client_id),
        will: it.last_will.as_ref().map(|will| Will {
            topic: text(&will.topic),
            payload: will.message.to_vec(),
            qos: qos(will.qos),
            retain: will.retain,
            properties: will.properties.as_ref().map(will_properties).unwrap_or_default(),
        }),
        user_name: it.login.as_ref().map(|login| text(&login.username)),
        password: it.login.as_ref().map(|login| login.password.clone().into_bytes()).filter(|it| !it.is_empty()),
    }
}

fn will_properties(p: &v5::WillProperties) -> WillProperties {
    WillProperties {
        payload_format_indicator: p.payload_format_indicator.map(flag),
        message_expiry_interval: p.message_expiry_interval,
        content_type: optional(&p.content_type),
        response_topic: optional(&p.response_topic),
        correlation_data: p.correlation_data.as_ref().map(|data| data.to_vec()),
        will_delay_interval: p.delay_interval,
        user_properties: users(&p.user_properties),
    }
}

fn connack_properties(p: &v5::ConnAckProperties) -> ConnackProperties {
    ConnackProperties {
        session_expiry_interval: p.session_expiry_interval,
        assigned_client_identifier: optional(&p.assigned_client_identifier),
        server_keep_alive: p.server_keep_alive,
        authentication_method: optional(&p.authentication_method),
        authentication_data: p.authentication_data.as_ref().map(|data| data.to_vec()),
        response_information: optional(&p.response_information),
        server_reference: optional(&p.server_reference),
        reason_string: optional(&p.reason_string),
        receive_maximum: p.receive_max.map(two_bytes),
        topic_alias_maximum: p.topic_alias_max,
        maximum_qos: p.max_qos.map(|value| Qos::from_value(value).unwrap()),
        retain_available: p.retain_available.map(flag),
        user_properties: users(&p.user_properties),
        maximum_packet_size: p.max_packet_size.map(four_bytes),
        wildcard_subscription_available: p.wildcard_subscription_available.map(flag),
        subscription_identifier_available: p.subscription_identifiers_available.map(flag),
        shared_subscription_available: p.shared_subscription_available.map(flag),
    }
}

fn publish_properties(p: &v5::PublishProperties) -> PublishProperties {
    PublishProperties {
        payload_format_indicator: p.payload_format_indicator.map(flag),
        message_expiry_interval: p.message_expiry_interval,
        content_type: optional(&p.content_type),
        response_topic: optional(&p.response_topic),
        correlation_data: p.correlation_data.as_ref().map(|data| data.to_vec()),
        subscription_identifiers: p.subscription_identifiers.iter().map(|value| identifier(*value)).collect(),
        topic_alias: p.topic_alias.map(two_bytes),
        user_properties: users(&p.user_properties),
    }
}

fn subscribe(it: &v5::Subscribe) -> Subscribe {
    let properties = it.properties.as_ref().map(|p| SubscribeProperties {
        subscription_identifier: p.id.map(identifier),
        user_properties: users(&p.user_properties),
    });
    let request = |filter: &v5::SubscribeFilter| SubscriptionRequest {
        filter: text(&filter.path),
        options: SubscriptionOptions {
            qos: qos(filter.qos),
            no_local: filter.nolocal,
            retain_as_published: filter.preserve_retain,
            retain_handling: match filter.retain_forward_rule {
                v5::RetainForwardRule::OnEverySubscribe => RetainHandling::Send,
                v5::RetainForwardRule::OnNewSubscribe => RetainHandling::SendIfNew,
                v5::RetainForwardRule::Never => RetainHandling::DoNotSend,
            },
        },
    };
    Subscribe {
        packet_id: id(it.pkid),
        properties: properties.unwrap_or_default(),
        requests: it.filters.iter().map(request).collect(),
    }
}

fn reason(reason_string: &Option<String>, user_properties: &[(String, String)]) -> ReasonProperties {
    ReasonProperties { reason_string: optional(reason_string), user_properties: users(user_properties) }
}

fn users(properties: &[(String, String)]) -> Vec<UserProperty> {
    properties.iter().map(|(name, value)| (text(name), text(value))).collect()
}

fn optional(value: &Option<String>) -> Option<Utf8String> {
    value.as_deref().map(text)
}

fn code(value: u8) -> ReasonCode {
    ReasonCode::from_value(value).unwrap()
}

fn flag(value: u8) -> bool {
    assert!(value < 2);
    value == 1
}

fn two_bytes(value: u16) -> NonZeroU16 {
    NonZeroU16::new(value).unwrap()
}

fn four_bytes(value: u32) -> NonZeroU32 {
    NonZeroU32::new(value).unwrap()
}

fn identifier(value: usize) -> SubscriptionIdentifier {
    SubscriptionIdentifier::new(u32::try_from(value).unwrap()).unwrap()
}

pub(super) fn bytes(theirs: &Theirs) -> BytesMut {
    let mut to = BytesMut::new();
    let written = match theirs {
        Theirs::Connect(it) => it.write(&mut to),
        // They leave out Property Length if there are no properties, which MQTT-2.2.2-1 does not permit.
        Theirs::ConnAck(it) => {
            let mut it = it.clone();
            it.properties.get_or_insert_with(v5::ConnAckProperties::new);
            it.write(&mut to)
        }
        Theirs::Publish(it) => it.write(&mut to),
        Theirs::PubAck(it) => it.write(&mut to),
        Theirs::PubRec(it) => it.write(&mut to),
        Theirs::PubRel(it) => it.write(&mut to),
        Theirs::PubComp(it) => it.write(&mut to),
        Theirs::Subscribe(it) => it.write(&mut to),
        Theirs::SubAck(it) => it.write(&mut to),
        Theirs::Unsubscribe(it) => it.write(&mut to),
        Theirs::UnsubAck(it) => it.write(&mut to),
        Theirs::PingReq => v5::PingReq.write(&mut to),
        Theirs::PingResp => v5::PingResp.write(&mut to),
        Theirs::Disconnect(it) => it.write(&mut to),
    };
    written.unwrap();
    to
}
