//! Retained messages.

use crate::fault::moment::Moment;
use crate::fault::proxy_fault::{ProxyFault, client, fault, server};
use crate::fault::theme::publish::resolved;
use model::packet::PacketType::{Disconnect, Publish, Suback, Subscribe};
use model::packet::{Delivery, Packet, Publish as Message, Qos, RetainHandling};

const KEPT: &[&str] = &["V31-21", "3.1.1:MQTT-3.3.1-6", "5.0:MQTT-3.3.1-9", "N-RET-1"];

pub(super) static FAULTS: &[ProxyFault] = &[
    fault(
        "retained-message-lost",
        "A new subscription brings no retained message.",
        KEPT,
        &[server(Publish, |moment| {
            if moment.publish().is_some_and(|publish| publish.retain) {
                moment.lose_delivery();
            }
        })],
    ),
    fault(
        "retained-message-without-retain",
        "A retained message comes without RETAIN.",
        &["V31-21", "3.1.1:MQTT-3.3.1-8", "5.0:MQTT-3.3.1-9"],
        &[server(Publish, |moment| {
            if let Some(publish) = moment.publish() {
                publish.retain = false;
            }
        })],
    ),
    fault(
        "live-message-with-retain",
        "A message for a subscription that was there before comes with RETAIN.",
        &["V31-21", "3.1.1:MQTT-3.3.1-9", "5.0:MQTT-3.3.1-12", "P-WR-2"],
        &[server(Publish, |moment| {
            if let Some(publish) = moment.publish() {
                publish.retain = true;
            }
        })],
    ),
    fault(
        "retain-of-the-publisher-kept",
        "A message for a subscription that was there before comes with the RETAIN of its publisher.",
        &["3.1.1:MQTT-3.3.1-9", "5.0:MQTT-3.3.1-12"],
        &[server(Publish, |moment| {
            let retained = moment.publish().is_some_and(|publish| !publish.payload.is_empty()) && retained_like(moment);
            if let (Some(publish), true) = (moment.publish(), retained) {
                publish.retain = true;
            }
        })],
    ),
    fault(
        "retain-as-published-ignored",
        "RETAIN of the publisher gets lost, also where the subscription asks for it.",
        &["5.0:MQTT-3.3.1-13", "N-OPT-1"],
        &[client(Subscribe, |moment| {
            if let Some(Packet::Subscribe(subscribe)) = &mut moment.packet {
                subscribe.requests.iter_mut().for_each(|request| request.options.retain_as_published = false);
            }
        })],
    ),
    fault(
        "retain-taken-for-none",
        "A message with RETAIN is not kept.",
        &["3.1.1:MQTT-3.3.1-5", "5.0:MQTT-3.3.1-5"],
        &[client(Publish, |moment| {
            if let Some(publish) = moment.publish() {
                publish.retain = false;
            }
        })],
    ),
    fault(
        "every-message-is-retained",
        "Every message is kept as retained.",
        &["3.1.1:MQTT-3.3.1-12", "5.0:MQTT-3.3.1-8"],
        &[client(Publish, |moment| {
            if let Some(publish) = moment.publish() {
                publish.retain = true;
            }
        })],
    ),
    fault(
        "empty-retained-message-kept",
        "An empty message with RETAIN is kept and comes to new subscribers.",
        &["3.1.1:MQTT-3.3.1-11", "5.0:MQTT-3.3.1-7", "N-RET-1"],
        &[server(Suback, |moment| {
            let Some(Packet::Suback(suback)) = &moment.packet else { return };
            let Some(asked) = moment.scene.links[moment.link].asked.get(&suback.packet_id).cloned() else { return };
            let emptied = moment.scene.links.iter().flat_map(|link| &link.published).rev();
            let empty = emptied.into_iter().find(|message| message.retain && message.payload.is_empty()).cloned();
            if let Some(message) = empty
                && asked.requests.iter().any(|request| *request.filter == *message.topic)
            {
                moment.follow_with(&Packet::Publish(Message { delivery: Delivery::AtMostOnce, ..message }));
            }
        })],
    ),
    fault(
        "retained-message-twice",
        "A new subscription brings a retained message twice.",
        KEPT,
        &[server(Publish, |moment| {
            if let Some(publish) = moment.publish().cloned().filter(|publish| publish.retain) {
                let (link, qos) = (moment.link, publish.qos());
                moment.deliver(link, &publish, qos);
            }
        })],
    ),
    fault(
        "retained-message-at-qos-0",
        "A retained message comes at QoS 0.",
        &["3.1.1:MQTT-3.3.1-5", "3.1.1:MQTT-3.8.4-6", "5.0:MQTT-3.8.4-8"],
        &[server(Publish, |moment| {
            if moment.publish().is_some_and(|publish| publish.retain && publish.qos() != Qos::AtMostOnce) {
                moment.lower_to_qos_0();
            }
        })],
    ),
    fault(
        "retain-handling-taken-for-0",
        "Every SUBSCRIBE brings the retained messages, whatever it asks for.",
        &["5.0:MQTT-3.3.1-10", "5.0:MQTT-3.3.1-11", "N-OPT-1"],
        &[client(Subscribe, |moment| {
            if let Some(Packet::Subscribe(subscribe)) = &mut moment.packet {
                subscribe
                    .requests
                    .iter_mut()
                    .for_each(|request| request.options.retain_handling = RetainHandling::Send);
            }
        })],
    ),
    fault(
        "retain-handling-taken-for-2",
        "No SUBSCRIBE brings retained messages.",
        &["5.0:MQTT-3.3.1-9", "5.0:MQTT-3.3.1-10", "N-OPT-1"],
        &[client(Subscribe, |moment| {
            if let Some(Packet::Subscribe(subscribe)) = &mut moment.packet {
                subscribe
                    .requests
                    .iter_mut()
                    .for_each(|request| request.options.retain_handling = RetainHandling::DoNotSend);
            }
        })],
    ),
    fault(
        "retained-message-against-the-dialect",
        "A message with RETAIN comes to a later subscriber, though the dialect has no such thing.",
        &["P-WR-2", "X-10"],
        &[server(Suback, |moment| {
            let mut all = moment.scene.links.iter().flat_map(|link| &link.published);
            if let Some(mut message) = all.find(|message| message.retain).cloned() {
                message.delivery = Delivery::AtMostOnce;
                moment.follow_with(&Packet::Publish(message));
            }
        })],
    ),
    fault(
        "retained-message-of-qos-0-ousts-nothing",
        "A message of QoS 0 with RETAIN leaves the retained message of its topic alone.",
        &["3.1.1:MQTT-3.3.1-7"],
        &[client(Publish, |moment| {
            if let Some(publish) = moment.publish()
                && publish.qos() == Qos::AtMostOnce
            {
                publish.retain = false;
            }
        })],
    ),
    fault(
        "retained-messages-go-with-their-session",
        "What a client had retained is deleted when it leaves and its session ends.",
        &["3.1.1:MQTT-3.1.2-7", "N-RET-1"],
        &[client(Disconnect, |moment| {
            let it = moment.it();
            let ends = it.connect.as_ref().is_some_and(|connect| connect.clean_start) && !moment.is_5_0();
            let mut topics: Vec<_> = moment.it().published.iter().filter(|message| message.retain).collect();
            topics.dedup_by_key(|message| message.topic.clone());
            let emptied: Vec<Message> = topics
                .into_iter()
                .map(|message| Message { delivery: Delivery::AtMostOnce, payload: Vec::new(), ..message.clone() })
                .collect();
            for message in emptied.into_iter().filter(|_| ends) {
                moment.send_to_server(&Packet::Publish(message));
            }
        })],
    ),
    fault(
        "message-expiry-taken-for-never",
        "A Message Expiry Interval has no meaning, so that expired messages are sent.",
        &["5.0:MQTT-3.3.2-5", "N-RET-2", "N-EXP-1"],
        &[client(Publish, |moment| {
            if let Some(publish) = moment.publish() {
                publish.properties.message_expiry_interval = None;
            }
        })],
    ),
];

/// Whether a message like the one that passes was published with RETAIN.
fn retained_like(moment: &mut Moment<'_>) -> bool {
    let Some(publish) = resolved(moment) else { return false };
    moment
        .scene
        .links
        .iter()
        .flat_map(|link| &link.published)
        .any(|message| message.retain && message.payload == publish.payload)
}
