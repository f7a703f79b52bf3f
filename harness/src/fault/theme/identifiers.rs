//! Subscription Identifiers of deliveries.

use crate::fault::proxy_fault::{ProxyFault, Rule, fault, server};
use model::packet::PacketType::Publish;
use model::packet::SubscriptionIdentifier;

pub(super) static FAULTS: &[ProxyFault] = &[
    fault(
        "subscription-identifier-lost",
        "The Subscription Identifier of a delivery is left out.",
        &["5.0:MQTT-3.3.4-3"],
        &[Rule::of_properties(|properties| {
            properties.subscription_identifiers.clear();
        })],
    ),
    fault(
        "subscription-identifier-invented",
        "A delivery carries a Subscription Identifier that nobody gave.",
        &["5.0:MQTT-3.3.4-3"],
        &[Rule::of_properties(|properties| {
            properties.subscription_identifiers.extend(SubscriptionIdentifier::new(77));
        })],
    ),
    fault(
        "subscription-identifier-of-the-publisher-kept",
        "A Subscription Identifier of another client goes along.",
        &["5.0:MQTT-3.3.4-3"],
        &[Rule::of_properties(|properties| {
            for identifier in &mut properties.subscription_identifiers {
                if let Some(other) = SubscriptionIdentifier::new(identifier.value() + 1) {
                    *identifier = other;
                }
            }
        })],
    ),
    fault(
        "only-the-first-subscription-identifier",
        "A delivery for several subscriptions carries the identifier of one of them.",
        &["5.0:MQTT-3.3.4-4"],
        &[Rule::of_properties(|properties| properties.subscription_identifiers.truncate(1))],
    ),
    fault(
        "all-subscription-identifiers-in-each-copy",
        "A message for several subscriptions comes in two copies, and each carries the identifiers of all of them.",
        &["5.0:MQTT-3.3.4-5"],
        &[server(Publish, |moment| {
            if let Some(publish) = moment.publish().cloned()
                && publish.properties.subscription_identifiers.len() > 1
            {
                let (link, qos) = (moment.link, publish.qos());
                moment.deliver(link, &publish, qos);
            }
        })],
    ),
    fault(
        "copies-without-subscription-identifiers",
        "A message for several subscriptions comes in two copies, and none carries an identifier.",
        &["5.0:MQTT-3.3.4-5", "5.0:MQTT-3.3.4-3"],
        &[server(Publish, |moment| {
            if let Some(publish) = moment.publish()
                && publish.properties.subscription_identifiers.len() > 1
            {
                publish.properties.subscription_identifiers.clear();
                let copy = publish.clone();
                let (link, qos) = (moment.link, copy.qos());
                moment.deliver(link, &copy, qos);
            }
        })],
    ),
];
