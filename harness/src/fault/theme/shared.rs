//! Shared Subscriptions.

use crate::fault::moment::Moment;
use crate::fault::proxy_fault::{On, ProxyFault, client, fault, server, when};
use model::packet::PacketType::{Puback, Publish, Suback, Subscribe};
use model::packet::{Packet, Qos, ReasonCode, SubscriptionRequest};

pub(super) static FAULTS: &[ProxyFault] = &[
    fault(
        "refused-shared-delivery-goes-to-another-member",
        "A delivery of a Shared Subscription that its member refuses goes to another one.",
        &["5.0:MQTT-4.8.2-6"],
        &[client(Puback, |moment| {
            let is_refused = matches!(&moment.packet, Some(Packet::Puback(puback)) if puback.reason.is_error());
            let message = moment.it().acknowledged.clone();
            if let (true, Some(message)) = (is_refused, message) {
                for link in moment.scene.served() {
                    if link != moment.link && !moment.scene.matching(link, &message.topic).is_empty() {
                        moment.deliver(link, &message, Qos::AtMostOnce);
                    }
                }
            }
        })],
    ),
    fault(
        "shared-delivery-above-its-grant",
        "A member of a Shared Subscription that was granted QoS 0 gets messages at the QoS of their publisher.",
        &["5.0:MQTT-4.8.2-3", "5.0:MQTT-3.8.4-8"],
        &[
            client(Subscribe, |moment| {
                if let Some(Packet::Subscribe(subscribe)) = &mut moment.packet {
                    let is_meant = |request: &&mut SubscriptionRequest| {
                        is_shared(&request.filter) && request.options.qos == Qos::AtMostOnce
                    };
                    for request in subscribe.requests.iter_mut().filter(is_meant) {
                        request.options.qos = Qos::ExactlyOnce;
                    }
                }
            }),
            server(Suback, |moment| {
                let Some(Packet::Suback(suback)) = &mut moment.packet else { return };
                let asked = moment.scene.links[moment.link].asked.get(&suback.packet_id);
                for (code, request) in suback.codes.iter_mut().zip(asked.iter().flat_map(|asked| &asked.requests)) {
                    if is_shared(&request.filter) && request.options.qos == Qos::AtMostOnce && !code.is_error() {
                        *code = ReasonCode::Success;
                    }
                }
            }),
        ],
    ),
    fault(
        "shared-delivery-not-completed",
        "A QoS 2 delivery of a Shared Subscription that was cut does not come again when its member is back.",
        &["5.0:MQTT-4.8.2-4"],
        &[server(Publish, |moment| {
            if is_repeated_to_a_member(moment) {
                moment.lose_delivery();
            }
        })],
    ),
    fault(
        "cut-shared-delivery-goes-to-another-member",
        "A QoS 2 delivery of a Shared Subscription that is cut goes to another member, too.",
        &["5.0:MQTT-4.8.2-4"],
        &[when(On::ClientEnds, |moment| {
            let cut = moment.it().in_flight.values().find(|publish| publish.qos() == Qos::ExactlyOnce).cloned();
            if let Some(message) = cut {
                for link in moment.scene.served() {
                    let mut held = moment.scene.matching(link, &message.topic).into_iter();
                    if link != moment.link && held.any(|(filter, _)| is_shared(&filter)) {
                        moment.deliver(link, &message, Qos::AtMostOnce);
                    }
                }
            }
        })],
    ),
    fault(
        "shared-filter-refused",
        "A SUBSCRIBE to a Shared Subscription is refused, though CONNACK does not say that there are none.",
        &["5.0:MQTT-3.8.4-7", "N-SHR-1"],
        &[server(Suback, |moment| {
            let Some(Packet::Suback(suback)) = &mut moment.packet else { return };
            let asked = moment.scene.links[moment.link].asked.get(&suback.packet_id);
            for (code, request) in suback.codes.iter_mut().zip(asked.iter().flat_map(|asked| &asked.requests)) {
                if is_shared(&request.filter) {
                    *code = ReasonCode::SharedSubscriptionsNotSupported;
                }
            }
        })],
    ),
];

fn is_shared(filter: &str) -> bool {
    filter.starts_with("$share/")
}

fn is_repeated_to_a_member(moment: &mut Moment<'_>) -> bool {
    let comes_again = moment.publish().is_some_and(|publish| publish.dup() && publish.qos() == Qos::ExactlyOnce);
    comes_again && moment.scene.subscriptions(moment.link).any(|(filter, _)| is_shared(filter))
}
