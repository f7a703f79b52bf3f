//! Subscription Identifiers.

use crate::trace::*;
use model::packet::{Packet, Qos, ReasonCode, SubscriptionIdentifier};

fn identified(packet: Packet, identifiers: &[u32]) -> Packet {
    let mut identifiers = identifiers.iter().map(|value| SubscriptionIdentifier::new(*value).unwrap());
    match packet {
        Packet::Subscribe(mut subscribe) => {
            subscribe.properties.subscription_identifier = identifiers.next_back();
            Packet::Subscribe(subscribe)
        }
        Packet::Publish(mut publish) => {
            publish.properties.subscription_identifiers = identifiers.collect();
            Packet::Publish(publish)
        }
        other => other,
    }
}

fn subscribed(filters: &[(&str, u32)]) -> Trace {
    let mut trace = Trace::new("standard", V5).connected(1, "sub").connected(2, "pub");
    for (filter, identifier) in filters {
        trace = trace
            .send(1, &identified(subscribe(1, filter, Qos::AtLeastOnce), &[*identifier]))
            .receive(1, &suback(1, &[ReasonCode::GrantedQos1]));
    }
    trace.send(2, &qos1("t/a", "m1", 1, false)).receive(2, &puback(1))
}

#[test]
fn a_delivery_names_its_subscription() {
    let one = || subscribed(&[("t/a", 7)]);
    one().receive(1, &identified(qos1("t/a", "m1", 1, false), &[7])).conforms();
    one()
        .receive(1, &identified(qos1("t/a", "m1", 1, false), &[8]))
        .violates("identifiers-of-subscriptions", "MQTT-3.3.4-3");
    one().receive(1, &qos1("t/a", "m1", 1, false)).violates("identifiers-of-subscriptions", "MQTT-3.3.4-3");
    let renamed = || subscribed(&[("t/a", 7), ("t/a", 9)]);
    renamed().receive(1, &identified(qos1("t/a", "m1", 1, false), &[9])).conforms();
    renamed().receive(1, &identified(qos1("t/a", "m1", 1, false), &[7])).violates("identifiers-of-subscriptions", "");
}

#[test]
fn one_copy_for_several_names_them_all() {
    let both = || subscribed(&[("t/a", 7), ("t/+", 9)]);
    both().receive(1, &identified(qos1("t/a", "m1", 1, false), &[9, 7])).conforms();
    let first = || both().receive(1, &identified(qos1("t/a", "m1", 1, false), &[7]));
    first().receive(1, &identified(qos1("t/a", "m1", 2, false), &[9])).conforms();
    both().receive(1, &identified(qos1("t/a", "m1", 1, false), &[7, 8])).violates("identifiers-of-subscriptions", "");
}
