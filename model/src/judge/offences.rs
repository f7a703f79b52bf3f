//! What a client's packet does that it must not, as far as the packet and the server's offer show it.

use super::reading::Offer;
use crate::packet::{
    Connect, ProtocolVersion, Publish, PublishProperties, Qos, SubscriptionRequest, Unsubscribe, Will,
};
use crate::profile::{Feature, Limits, Offence, Profile, Unit};
use crate::server::identity::Login;
use crate::topic::{TopicFilter, TopicName};
use crate::wire::{Fault, Refusal};

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

/// CONNECT: what is wrong with it, and what with the login.
pub(super) fn of_connect(
    profile: &Profile,
    connect: &Connect,
    version: ProtocolVersion,
    login: &Login,
) -> Vec<Offence> {
    match of_terms(profile, connect, version, login) {
        // Who asks for another way to say who it is need not be held to the login.
        Some(method @ Offence::AuthenticationMethodGiven) => vec![method],
        found => found.into_iter().chain(login.offence.filter(|offence| found != Some(*offence))).collect(),
    }
}

fn of_terms(profile: &Profile, connect: &Connect, version: ProtocolVersion, login: &Login) -> Option<Offence> {
    let range = profile.limits().keep_alive;
    let is_timed = login.is_held_to_keep_alive();
    let user_properties = &connect.properties.user_properties;
    let permitted = profile.limits().permitted_user_properties(Unit::Bytes, user_properties);
    // V31-4, V31-5; 3.1.1: MQTT-3.1.3-8.
    let empty_is_forbidden = match version {
        ProtocolVersion::V3_1 => true,
        ProtocolVersion::V3_1_1 => !connect.clean_start,
        ProtocolVersion::V5_0 => false,
    };
    if !profile.versions.contains(&version) {
        Some(Offence::UnsupportedProtocolVersion)
    } else if connect.client_id.is_empty() && empty_is_forbidden {
        Some(Offence::ClientIdentifierNotValid)
    } else if connect.properties.authentication_method.is_some() {
        let is_certain = profile.promises(Feature::NoAuthentication);
        Some(if is_certain { Offence::BadAuthenticationMethod } else { Offence::AuthenticationMethodGiven })
    } else if connect.keep_alive == 0 && is_timed && !profile.has(Feature::KeepAliveOff) {
        Some(Offence::KeepAliveOff)
    } else if connect.keep_alive > 0 && is_timed && connect.keep_alive < range.minimum {
        Some(Offence::KeepAliveTooLow)
    } else if is_timed && connect.keep_alive > range.maximum {
        Some(Offence::KeepAliveTooHigh)
    } else if connect.will.as_ref().is_some_and(|will| exceeds_will(profile, will, version)) {
        Some(Offence::WillNotSupported)
    } else if connect.will.as_ref().is_some_and(|will| will.topic.parse::<TopicName>().is_err()) {
        Some(Offence::WillTopicInvalid)
    } else if permitted != *user_properties {
        Some(Offence::PropertyLimitExceeded)
    } else {
        // A server that has all that a case needs takes its Will.
        let takes_qos = |qos: Qos| {
            let is_promised = profile.promises(Feature::Qos2);
            qos == Qos::AtMostOnce || profile.promises(Feature::Will) && (qos < Qos::ExactlyOnce || is_promised)
        };
        let keeps = profile.promises(Feature::Will) && profile.promises(Feature::RetainedMessages);
        let is_demanding = |will: &Will| version.has_properties() && (!takes_qos(will.qos) || will.retain && !keeps);
        let demanding = connect.will.as_ref().is_some_and(is_demanding).then_some(Offence::WillDemanding);
        let is_anonymous = connect.user_name.is_none() && !profile.promises(Feature::FullService);
        let is_lesser = login.offence.is_none();
        demanding.or(is_anonymous.then_some(Offence::LoginMissing)).filter(|_| is_lesser)
    }
}

/// Whether a Will asks for what the dialect does not have: a Will at all, its QoS (5.0: MQTT-3.2.2-12), or to be retained
/// (5.0: MQTT-3.2.2-13).
fn exceeds_will(profile: &Profile, will: &Will, version: ProtocolVersion) -> bool {
    !profile.has_in(Feature::Will, version)
        || (will.qos > Qos::AtLeastOnce && !profile.has(Feature::Qos2))
        || (will.retain && !profile.has_in(Feature::RetainedMessages, version))
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
    if is_invalid(filter, version) {
        Some(Offence::TopicFilterInvalid)
    } else if filter.starts_with("$share/") && !shares {
        Some(Offence::SharedSubscriptionNotSupported)
    } else if is_shared && request.options.no_local {
        // 5.0: MQTT-3.8.3-4.
        Some(Offence::ProtocolError)
    } else if profile.limits().is_too_long(filter) {
        Some(Offence::TopicTooLong)
    } else if request.options.qos == Qos::ExactlyOnce && !profile.has_in(Feature::Qos2, version) {
        Some(Offence::SubscriptionQosNotSupported)
    } else {
        None
    }
}

/// The place of the first one in UNSUBSCRIBE that is no filter.
pub(super) fn first_invalid(unsubscribe: &Unsubscribe, version: ProtocolVersion) -> Option<usize> {
    unsubscribe.filters.iter().position(|filter| is_invalid(filter, version))
}

/// Whether a filter is none. Before 5.0 `$share` is a word like others.
fn is_invalid(filter: &str, version: ProtocolVersion) -> bool {
    match version.has_properties() {
        true => filter.parse::<TopicFilter>().is_err(),
        false => TopicFilter::plain(filter).is_err(),
    }
}

/// All that is wrong with a PUBLISH to `topic`, its alias resolved: a server may answer any of it.
pub(super) fn of_publish(
    profile: &Profile,
    publish: &Publish,
    topic: &str,
    offer: &Offer,
    version: ProtocolVersion,
) -> Vec<Offence> {
    let has_qos = publish.qos() < Qos::ExactlyOnce || profile.has(Feature::Qos2);
    let retains = offer.retain && profile.has_in(Feature::RetainedMessages, version);
    // MQTT-3.3.2-14: a Response Topic is a topic like any other, and nothing says in which words it is refused.
    let response_topic = publish.properties.response_topic.as_ref();
    let is_unnamed =
        topic.parse::<TopicName>().is_err() || response_topic.is_some_and(|name| name.contains(['+', '#']));
    // Where all topics are shared, a server may keep some to itself (section 4.7.2); a device's are said one by one.
    let is_kept = topic.starts_with('$') && profile.has_in(Feature::SharedTopics, version);
    let is_text = publish.properties.payload_format_indicator == Some(true);
    let is_wrong_text = is_text && std::str::from_utf8(&publish.payload).is_err();
    let offences = [
        (is_unnamed, Offence::TopicNameInvalid),
        (is_kept, Offence::TopicOfTheServer),
        (is_wrong_text, Offence::PayloadFormatInvalid),
        (publish.qos() > offer.maximum_qos || !has_qos, Offence::QosNotSupported),
        (publish.retain && !retains, Offence::RetainNotSupported),
        (profile.limits().is_too_long(topic), Offence::TopicTooLong),
        (exceeds_limits(profile.limits(), &publish.properties), Offence::PropertyLimitExceeded),
    ];
    offences.into_iter().filter(|(offends, _)| *offends).map(|(_, offence)| offence).collect()
}

/// P-V5-6 to P-V5-8, P-V5-11 and P-V5-12, in whatever unit.
fn exceeds_limits(limits: &Limits, properties: &PublishProperties) -> bool {
    limits.permitted_properties(Unit::Bytes, properties) != *properties
}
