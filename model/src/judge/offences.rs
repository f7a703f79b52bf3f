//! What a client's packet does that it must not, as far as the packet and the server's offer show it.

use super::reading::Offer;
use crate::packet::{Connect, ProtocolVersion, Publish, PublishProperties, Qos, SubscriptionRequest};
use crate::profile::{Feature, Limits, Offence, Profile};
use crate::topic::{TopicFilter, TopicName};
use crate::wire::{Fault, Refusal};

/// Client Identifiers of up to so many letters and digits must be accepted (MQTT-3.1.3-5).
const PLAIN_CLIENT_ID: usize = 23;

/// Bytes that are no packet. Before a session begins, whatever is wrong is a matter of CONNECT.
pub(super) fn of_bytes(refusal: &Refusal, has_session: bool) -> Offence {
    match refusal.fault {
        Fault::MalformedPacket | Fault::ProtocolError if !has_session => Offence::MalformedConnect,
        Fault::MalformedPacket => Offence::MalformedPacket,
        Fault::ProtocolError => Offence::ProtocolError,
        Fault::InvalidProtocolName => Offence::InvalidProtocolName,
        Fault::UnsupportedProtocolVersion => Offence::UnsupportedProtocolVersion,
        Fault::PacketTooLarge => Offence::PacketTooLarge,
        Fault::TopicAliasInvalid => Offence::TopicAliasInvalid,
        Fault::FirstPacketNotConnect => Offence::FirstPacketNotConnect,
    }
}

/// CONNECT.
pub(super) fn of_connect(profile: &Profile, connect: &Connect, version: ProtocolVersion) -> Option<Offence> {
    let id = &connect.client_id;
    let range = profile.limits().keep_alive;
    // V31-4, V31-5; MQTT-3.1.3-8 of 3.1.1.
    let empty_is_forbidden = match version {
        ProtocolVersion::V3_1 => true,
        ProtocolVersion::V3_1_1 => !connect.clean_start,
        ProtocolVersion::V5_0 => false,
    };
    let is_plain = (1..=PLAIN_CLIENT_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !profile.versions.contains(&version) {
        Some(Offence::UnsupportedProtocolVersion)
    } else if id.is_empty() && empty_is_forbidden {
        Some(Offence::ClientIdentifierNotValid)
    } else if connect.properties.authentication_method.is_some() {
        Some(Offence::AuthenticationMethodGiven)
    } else if connect.keep_alive == 0 && !profile.has(Feature::KeepAliveOff) {
        Some(Offence::KeepAliveOff)
    } else if connect.keep_alive > 0 && connect.keep_alive < range.minimum {
        Some(Offence::KeepAliveTooLow)
    } else if connect.keep_alive > range.maximum {
        Some(Offence::KeepAliveTooHigh)
    } else if connect.will.is_some() && !profile.has(Feature::Will) {
        Some(Offence::WillNotSupported)
    } else if !is_plain {
        Some(Offence::ClientIdentifierUnusual)
    } else {
        None
    }
}

/// One filter of a SUBSCRIBE.
pub(super) fn of_filter(
    profile: &Profile,
    request: &SubscriptionRequest,
    version: ProtocolVersion,
    shares: bool,
) -> Option<Offence> {
    let filter: &str = &request.filter;
    let is_shared = version.has_properties() && filter.starts_with("$share/");
    let parsed = match version.has_properties() {
        true => filter.parse(),
        false => TopicFilter::plain(filter),
    };
    if parsed.is_err() {
        Some(Offence::TopicFilterInvalid)
    } else if filter.starts_with("$share/") && !shares {
        Some(Offence::SharedSubscriptionNotSupported)
    } else if is_shared && request.options.no_local {
        // MQTT-3.8.3-4.
        Some(Offence::ProtocolError)
    } else if is_too_long(profile.limits(), filter) {
        Some(Offence::TopicTooLong)
    } else {
        None
    }
}

/// PUBLISH to `topic`, its alias resolved.
pub(super) fn of_publish(profile: &Profile, publish: &Publish, topic: &str, offer: &Offer) -> Option<Offence> {
    let has_qos = publish.qos() < Qos::ExactlyOnce || profile.has(Feature::Qos2);
    let retains = offer.retain && profile.has(Feature::RetainedMessages);
    let response_topic = publish.properties.response_topic.as_ref();
    if topic.parse::<TopicName>().is_err() {
        Some(Offence::TopicNameInvalid)
    } else if publish.qos() > offer.maximum_qos || !has_qos {
        Some(Offence::QosNotSupported)
    } else if publish.retain && !retains {
        Some(Offence::RetainNotSupported)
    } else if is_too_long(profile.limits(), topic) {
        Some(Offence::TopicTooLong)
    } else if exceeds_limits(profile.limits(), &publish.properties) {
        Some(Offence::PropertyLimitExceeded)
    } else if response_topic.is_some_and(|topic| topic.contains(['+', '#'])) {
        // MQTT-3.3.2-14.
        Some(Offence::ProtocolError)
    } else {
        None
    }
}

fn is_too_long(limits: &Limits, topic: &str) -> bool {
    exceeds(limits.topic_bytes, topic.len()) || exceeds(limits.topic_separators, topic.matches('/').count())
}

/// P-V5-6 to P-V5-8, P-V5-11 and P-V5-12.
fn exceeds_limits(limits: &Limits, properties: &PublishProperties) -> bool {
    let characters = |text: &str| text.chars().count();
    let is_bad = |name: &str, value: &str| {
        let limit = limits.user_property_characters;
        limit.is_some() && (name.starts_with('_') || exceeds(limit, characters(name) + characters(value)))
    };
    exceeds(limits.user_properties, properties.user_properties.len())
        || properties.user_properties.iter().any(|(name, value)| is_bad(name, value))
        || properties.response_topic.iter().any(|topic| exceeds(limits.response_topic_characters, characters(topic)))
        || properties.correlation_data.iter().any(|data| exceeds(limits.correlation_data_bytes, data.len()))
}

fn exceeds(limit: Option<u16>, length: usize) -> bool {
    limit.is_some_and(|limit| length > usize::from(limit))
}
