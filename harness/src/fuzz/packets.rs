//! From what commands say to packets.

use super::command::{Alias, Authentication, Content, Extras, Payload, Request, Terms, WillTerms};
use super::names::Names;
use crate::case::{Identity, filler};
use model::packet::{
    Acknowledgement, Auth, AuthProperties, Connect, ConnectProperties, Delivery, Disconnect, DisconnectProperties,
    Packet, PacketId, PacketType, ProtocolVersion, Publish, PublishProperties, Qos, ReasonCode, Subscribe,
    SubscribeProperties, SubscriptionIdentifier, SubscriptionOptions, SubscriptionRequest, Unsubscribe,
    UnsubscribeProperties, Utf8String, Will, WillProperties,
};
use reference_broker::core::AUTHENTICATION_METHOD;
use std::num::{NonZeroU16, NonZeroU32};

fn text(text: &str) -> Utf8String {
    Utf8String::new(text).expect("there is no U+0000 in it")
}

pub(super) fn connect(terms: &Terms, names: &Names, identity: Identity) -> Packet {
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
            Authentication::Right | Authentication::Wrong | Authentication::Silent => Some(text(AUTHENTICATION_METHOD)),
        };
    }
    Packet::Connect(Connect {
        clean_start: terms.clean_start,
        keep_alive: terms.keep_alive,
        properties,
        client_id: text(&identity.client_id),
        will: terms.will.as_ref().map(|will| will_message(will, terms.version, names)),
        user_name: identity.user_name.as_deref().map(text),
        password: identity.password,
    })
}

fn will_message(terms: &WillTerms, version: ProtocolVersion, names: &Names) -> Will {
    let content = &terms.content;
    let mut properties = WillProperties::default();
    if version.has_properties() {
        let extras = extra_properties(content.extras);
        properties = WillProperties {
            payload_format_indicator: extras.payload_format_indicator,
            message_expiry_interval: content.expiry,
            content_type: extras.content_type,
            response_topic: extras.response_topic,
            correlation_data: extras.correlation_data,
            will_delay_interval: terms.delay,
            user_properties: extras.user_properties,
        };
    }
    let payload = payload(content.payload, "w");
    Will { topic: names.spell(content.topic), payload, qos: content.qos, retain: content.retain, properties }
}

/// The answer to a challenge, right or wrong; or what begins a new authentication.
pub(super) fn auth(reason: ReasonCode, data: Option<Vec<u8>>) -> Packet {
    let properties = AuthProperties {
        authentication_method: Some(text(AUTHENTICATION_METHOD)),
        authentication_data: data,
        ..AuthProperties::default()
    };
    Packet::Auth(Auth { reason, properties })
}

pub(super) fn subscribe(
    packet_id: PacketId,
    version: ProtocolVersion,
    requests: &[Request],
    identifier: Option<u32>,
    names: &Names,
) -> Packet {
    let requests = requests
        .iter()
        .map(|request| {
            let options = match version.has_properties() {
                true => request.options,
                false => SubscriptionOptions { qos: request.options.qos, ..SubscriptionOptions::default() },
            };
            SubscriptionRequest { filter: names.spell(request.filter), options }
        })
        .collect();
    let identifier = identifier.filter(|_| version.has_properties()).and_then(SubscriptionIdentifier::new);
    subscribe_to(packet_id, requests, identifier)
}

pub(super) fn subscribe_to(
    packet_id: PacketId,
    requests: Vec<SubscriptionRequest>,
    identifier: Option<SubscriptionIdentifier>,
) -> Packet {
    let properties = SubscribeProperties { subscription_identifier: identifier, ..SubscribeProperties::default() };
    Packet::Subscribe(Subscribe { packet_id, properties, requests })
}

pub(super) fn unsubscribe(packet_id: PacketId, filters: &[&'static str], names: &Names) -> Packet {
    let filters = filters.iter().map(|filter| names.spell(filter)).collect();
    Packet::Unsubscribe(Unsubscribe { packet_id, properties: UnsubscribeProperties::default(), filters })
}

pub(super) fn publish(
    packet_id: PacketId,
    version: ProtocolVersion,
    content: &Content,
    alias: Alias,
    names: &Names,
) -> Publish {
    let mut properties = PublishProperties::default();
    if version.has_properties() {
        properties = extra_properties(content.extras);
        properties.message_expiry_interval = content.expiry;
        if let Alias::Set(alias) | Alias::Use(alias) = alias {
            properties.topic_alias = NonZeroU16::new(alias);
        }
    }
    let delivery = match content.qos {
        Qos::AtMostOnce => Delivery::AtMostOnce,
        Qos::AtLeastOnce => Delivery::AtLeastOnce { packet_id, dup: content.dup },
        Qos::ExactlyOnce => Delivery::ExactlyOnce { packet_id, dup: content.dup },
    };
    let topic = names.spell(if matches!(alias, Alias::Use(_)) { "" } else { content.topic });
    Publish { delivery, retain: content.retain, topic, properties, payload: payload(content.payload, "m") }
}

/// The same PUBLISH with DUP.
pub(super) fn again(publish: &Publish) -> Publish {
    let delivery = match publish.delivery {
        Delivery::AtMostOnce => Delivery::AtMostOnce,
        Delivery::AtLeastOnce { packet_id, .. } => Delivery::AtLeastOnce { packet_id, dup: true },
        Delivery::ExactlyOnce { packet_id, .. } => Delivery::ExactlyOnce { packet_id, dup: true },
    };
    Publish { delivery, ..publish.clone() }
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP; `None` if the packet acknowledges nothing.
pub(super) fn acknowledgement(packet: PacketType, packet_id: PacketId, reason: ReasonCode) -> Option<Packet> {
    let acknowledgement = Acknowledgement { reason, ..Acknowledgement::success(packet_id) };
    match packet {
        PacketType::Puback => Some(Packet::Puback(acknowledgement)),
        PacketType::Pubrec => Some(Packet::Pubrec(acknowledgement)),
        PacketType::Pubrel => Some(Packet::Pubrel(acknowledgement)),
        PacketType::Pubcomp => Some(Packet::Pubcomp(acknowledgement)),
        _ => None,
    }
}

pub(super) fn disconnect(version: ProtocolVersion, session_expiry: Option<u32>, with_will: bool) -> Packet {
    let has_properties = version.has_properties();
    let session_expiry_interval = session_expiry.filter(|_| has_properties);
    let reason = match with_will && has_properties {
        true => ReasonCode::DisconnectWithWillMessage,
        false => ReasonCode::Success,
    };
    let properties = DisconnectProperties { session_expiry_interval, ..DisconnectProperties::default() };
    Packet::Disconnect(Disconnect { reason, properties })
}

/// A PUBLISH of which only a part is sent.
pub(super) fn half_sent(names: &Names) -> Packet {
    Packet::Publish(Publish {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: names.spell("$t/a/b"),
        properties: PublishProperties::default(),
        payload: b"half".to_vec(),
    })
}

fn payload(payload: Payload, prefix: &str) -> Vec<u8> {
    match payload {
        Payload::Own(number) => format!("{prefix}{number}").into_bytes(),
        Payload::Shared => b"same".to_vec(),
        Payload::Empty => Vec::new(),
        Payload::Filler(size) => filler(size),
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
