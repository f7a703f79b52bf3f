//! From what commands say to packets.

use crate::command::{Alias, Authentication, Content, Extras, Payload, Request, Terms, WillTerms};
use model::packet::{
    Acknowledgement, Auth, AuthProperties, Connect, ConnectProperties, Delivery, Packet, PacketId, PacketType,
    ProtocolVersion, Publish, PublishProperties, Qos, ReasonCode, Subscribe, SubscribeProperties,
    SubscriptionIdentifier, SubscriptionOptions, SubscriptionRequest, Utf8String, Will, WillProperties,
};
use reference_broker::core::AUTHENTICATION_METHOD;
use std::num::{NonZeroU16, NonZeroU32};

pub(crate) fn text(text: &str) -> Utf8String {
    Utf8String::new(text).expect("there is no U+0000 in it")
}

/// CONNECT; `number` makes the payload of its Will its own.
pub(crate) fn connect(terms: &Terms, number: u32) -> Packet {
    let mut properties = ConnectProperties::default();
    if terms.version.has_properties() {
        properties.session_expiry_interval = terms.session_expiry;
        properties.receive_maximum = terms.receive_maximum.and_then(NonZeroU16::new);
        properties.maximum_packet_size = terms.maximum_packet_size.and_then(NonZeroU32::new);
        properties.topic_alias_maximum = terms.topic_alias_maximum;
        properties.request_problem_information = terms.problem_information;
        properties.authentication_method = match terms.authentication {
            Authentication::None => None,
            Authentication::Foreign => Some(text("no-such-method")),
            _ => Some(text(AUTHENTICATION_METHOD)),
        };
    }
    Packet::Connect(Connect {
        clean_start: terms.clean_start,
        keep_alive: terms.keep_alive,
        properties,
        client_id: text(terms.client_id),
        will: terms.will.as_ref().map(|will| will_message(will, terms.version, number)),
        ..Connect::default()
    })
}

fn will_message(terms: &WillTerms, version: ProtocolVersion, number: u32) -> Will {
    let mut properties = WillProperties::default();
    if version.has_properties() {
        let extras = extra_properties(terms.extras);
        properties = WillProperties {
            payload_format_indicator: extras.payload_format_indicator,
            message_expiry_interval: terms.expiry,
            content_type: extras.content_type,
            response_topic: extras.response_topic,
            correlation_data: extras.correlation_data,
            will_delay_interval: terms.delay,
            user_properties: extras.user_properties,
        };
    }
    let payload = payload(terms.payload, "w", number);
    Will { topic: text(terms.topic), payload, qos: terms.qos, retain: terms.retain, properties }
}

/// The answer to a challenge, right or wrong; or what begins a new authentication.
pub(crate) fn auth(reason: ReasonCode, data: Option<Vec<u8>>) -> Packet {
    let properties = AuthProperties {
        authentication_method: Some(text(AUTHENTICATION_METHOD)),
        authentication_data: data,
        ..AuthProperties::default()
    };
    Packet::Auth(Auth { reason, properties })
}

pub(crate) fn subscribe(
    packet_id: PacketId,
    version: ProtocolVersion,
    requests: &[Request],
    identifier: Option<u32>,
) -> Packet {
    let requests = requests
        .iter()
        .map(|request| {
            let options = match version.has_properties() {
                true => request.options,
                false => SubscriptionOptions { qos: request.options.qos, ..SubscriptionOptions::default() },
            };
            SubscriptionRequest { filter: text(request.filter), options }
        })
        .collect();
    let identifier = identifier.filter(|_| version.has_properties()).and_then(SubscriptionIdentifier::new);
    let properties = SubscribeProperties { subscription_identifier: identifier, ..SubscribeProperties::default() };
    Packet::Subscribe(Subscribe { packet_id, properties, requests })
}

/// PUBLISH; `number` makes its payload its own.
pub(crate) fn publish(
    packet_id: Option<PacketId>,
    version: ProtocolVersion,
    content: &Content,
    alias: Alias,
    number: u32,
) -> Publish {
    let mut properties = PublishProperties::default();
    if version.has_properties() {
        properties = extra_properties(content.extras);
        properties.message_expiry_interval = content.expiry;
        if let Alias::Set(alias) | Alias::Use(alias) = alias {
            properties.topic_alias = NonZeroU16::new(alias);
        }
    }
    let delivery = match packet_id {
        None => Delivery::AtMostOnce,
        Some(packet_id) if content.qos == Qos::AtLeastOnce => Delivery::AtLeastOnce { packet_id, dup: content.dup },
        Some(packet_id) => Delivery::ExactlyOnce { packet_id, dup: content.dup },
    };
    let topic = text(if matches!(alias, Alias::Use(_)) { "" } else { content.topic });
    let payload = payload(content.payload, "m", number);
    Publish { delivery, retain: content.retain, topic, properties, payload }
}

/// The same PUBLISH with DUP.
pub(crate) fn again(publish: &Publish) -> Publish {
    let delivery = match publish.delivery {
        Delivery::AtMostOnce => Delivery::AtMostOnce,
        Delivery::AtLeastOnce { packet_id, .. } => Delivery::AtLeastOnce { packet_id, dup: true },
        Delivery::ExactlyOnce { packet_id, .. } => Delivery::ExactlyOnce { packet_id, dup: true },
    };
    Publish { delivery, ..publish.clone() }
}

/// One of PUBACK, PUBREC, PUBREL and PUBCOMP.
pub(crate) fn acknowledgement(packet: PacketType, packet_id: PacketId, reason: ReasonCode) -> Packet {
    let acknowledgement = Acknowledgement { reason, ..Acknowledgement::success(packet_id) };
    match packet {
        PacketType::Puback => Packet::Puback(acknowledgement),
        PacketType::Pubrec => Packet::Pubrec(acknowledgement),
        PacketType::Pubrel => Packet::Pubrel(acknowledgement),
        PacketType::Pubcomp => Packet::Pubcomp(acknowledgement),
        packet => panic!("{packet} acknowledges nothing"),
    }
}

/// A PUBLISH of which only a part is sent.
pub(crate) fn half_sent() -> Packet {
    Packet::Publish(Publish {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: text("a/b"),
        properties: PublishProperties::default(),
        payload: b"half".to_vec(),
    })
}

fn payload(payload: Payload, prefix: &str, number: u32) -> Vec<u8> {
    match payload {
        Payload::Own => format!("{prefix}{number}").into_bytes(),
        Payload::Shared => b"same".to_vec(),
        Payload::Empty => Vec::new(),
        Payload::Large => vec![b'L'; 100],
    }
}

fn extra_properties(extras: Extras) -> PublishProperties {
    let mut properties = PublishProperties::default();
    match extras {
        Extras::None => {}
        Extras::UserProperties => {
            properties.user_properties = vec![(text("k"), text("2")), (text("k"), text("1"))];
            properties.content_type = Some(text("text"));
        }
        Extras::Request => {
            properties.response_topic = Some(text("r/1"));
            properties.correlation_data = Some(b"\x00\x01".to_vec());
            properties.payload_format_indicator = Some(true);
        }
        Extras::WildcardResponseTopic => properties.response_topic = Some(text("r/#")),
        Extras::ReservedName => properties.user_properties = vec![(text("_k"), text("1"))],
    }
    properties
}
