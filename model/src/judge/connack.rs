//! CONNACK: what it must hold, and what it tells of the server.

use super::reading::Reading;
use crate::packet::{Connack, ConnackProperties, ProtocolVersion};
use crate::profile::Profile;
use crate::server::identity::Login;
use crate::server::{Announcement, Breach, Lifetime, Millis, Rule};

/// What CONNACK must or must not hold in answer to this CONNECT.
pub(super) fn check_connack(
    profile: &Profile,
    reading: &Reading,
    connack: &Connack,
    version: ProtocolVersion,
) -> Option<Breach> {
    let connect = reading.connect.as_ref()?;
    let properties = &connack.properties;
    let breach = |rule, expected: &str| Some(Breach::of(rule, expected));
    if version.has_properties()
        && connack.code.is_accepted()
        && connect.client_id.is_empty()
        && properties.assigned_client_identifier.is_none()
    {
        return breach(Rule::EmptyIdentifierIsAssigned, "an Assigned Client Identifier");
    }
    if connack.code.is_accepted()
        && properties.assigned_client_identifier.is_none()
        && Login::leaves_its_name(profile, connect, version)
    {
        return breach(Rule::UnnamedDeviceIsAssigned, "an Assigned Client Identifier");
    }
    if properties.response_information.is_some() && connect.properties.request_response_information != Some(true) {
        return breach(Rule::ResponseInformationOnRequest, "no Response Information");
    }
    let method = &connect.properties.authentication_method;
    if properties.authentication_method.is_some() && method.is_none() {
        return breach(Rule::NoUncalledAuthentication, "no Authentication Method");
    }
    if method.is_some() && connack.code.is_accepted() && properties.authentication_method != *method {
        return breach(Rule::AuthenticationMethodStays, "the Authentication Method of CONNECT");
    }
    None
}

pub(super) fn take_offer(reading: &mut Reading, properties: &ConnackProperties) {
    let offer = &mut reading.offer;
    offer.maximum_qos = properties.maximum_qos.unwrap_or(offer.maximum_qos);
    offer.retain = properties.retain_available.unwrap_or(offer.retain);
    offer.shared_subscriptions = properties.shared_subscription_available.unwrap_or(offer.shared_subscriptions);
    offer.subscription_identifiers =
        properties.subscription_identifier_available.unwrap_or(offer.subscription_identifiers);
    offer.topic_alias_maximum = properties.topic_alias_maximum.unwrap_or(offer.topic_alias_maximum);
    offer.receive_maximum = properties.receive_maximum.map_or(offer.receive_maximum, std::num::NonZeroU16::get);
    if let Some(maximum) = properties.maximum_packet_size {
        // A server may close as soon as it has seen the length.
        reading.from_client.set_maximum_packet_size(maximum.get());
    }
}

pub(super) fn announcement(properties: &ConnackProperties) -> Announcement {
    Announcement {
        lifetime: properties.session_expiry_interval.map(Lifetime::of_interval),
        keep_alive: properties.server_keep_alive.map(|seconds| Millis::from(seconds) * 1000),
        maximum_qos: properties.maximum_qos,
    }
}
