//! How a server delivers messages.

use crate::fault::moment::{Moment, delivery, with_dup, with_id};
use crate::fault::proxy_fault::{On, ProxyFault, client, fault, server, when};
use crate::fault::theme::connect::text;
use model::packet::PacketType::{Connack, Publish};
use model::packet::{Packet, PacketId, Publish as Message, PublishProperties, Qos};

/// A message that a server took over reaches every subscriber.
const DELIVERED: &[&str] = &["MQTT-4.5.0-1"];
/// Messages of a publisher on a topic at a QoS keep their order.
const ORDER: &[&str] = &["3.1.1:MQTT-4.6.0-5", "3.1.1:MQTT-4.6.0-6", "5.0:MQTT-4.6.0-5", "5.0:MQTT-4.6.0-6", "X-17"];
/// The lower of both QoS.
const QOS: &[&str] = &["3.1.1:MQTT-3.8.4-6", "5.0:MQTT-3.8.4-8", "P-QOS-2", "P-QOS-4"];

pub(super) static FAULTS: &[ProxyFault] = &[
    fault("delivery-lost", "No message arrives.", DELIVERED, &[server(Publish, |moment| moment.lose_delivery())]),
    fault(
        "every-second-delivery-lost",
        "Every second message to a client gets lost.",
        DELIVERED,
        &[server(Publish, |moment| {
            moment.it().counted += 1;
            if moment.it().counted.is_multiple_of(2) {
                moment.lose_delivery();
            }
        })],
    ),
    fault(
        "empty-message-lost",
        "A message without payload gets lost.",
        DELIVERED,
        &[server(Publish, |moment| {
            if moment.publish().is_some_and(|publish| publish.payload.is_empty()) {
                moment.lose_delivery();
            }
        })],
    ),
    fault(
        "own-message-lost",
        "A client does not get what it publishes itself.",
        &["MQTT-4.5.0-1", "P-TOP-19"],
        &[server(Publish, |moment| {
            let topic = moment.publish().map(|publish| publish.topic.clone());
            let own = &moment.scene.links[moment.link].published;
            if topic.is_some_and(|topic| own.iter().any(|message| message.topic == topic)) {
                moment.lose_delivery();
            }
        })],
    ),
    fault(
        "delivered-twice",
        "Every message comes twice, as if it had been published twice.",
        &["MQTT-4.3.1-1", "3.1.1:MQTT-4.3.2-1", "5.0:MQTT-4.3.2-1"],
        &[server(Publish, |moment| {
            if let Some(publish) = moment.publish().cloned() {
                let (link, qos) = (moment.link, publish.qos());
                moment.deliver(link, &publish, qos);
            }
        })],
    ),
    fault(
        "delivered-to-everybody",
        "A message comes to every client, subscribed or not.",
        &["MQTT-3.3.2-3"],
        &[client(Publish, |moment| {
            let Some(message) = resolved(moment) else { return };
            for link in moment.scene.served() {
                if moment.scene.matching(link, &message.topic).is_empty() {
                    moment.deliver(link, &message, Qos::AtMostOnce);
                }
            }
        })],
    ),
    fault(
        "delivered-after-unsubscribe",
        "A message on a topic that a client got before comes to it again, though it gave up the filter.",
        &["MQTT-3.10.4-2"],
        &[client(Publish, |moment| {
            let Some(message) = resolved(moment) else { return };
            for link in moment.scene.served() {
                let is_given_up = moment.scene.links[link].given_up.iter().any(|filter| filter.matches(&message.topic));
                if is_given_up && moment.scene.matching(link, &message.topic).is_empty() {
                    moment.deliver(link, &message, Qos::AtMostOnce);
                }
            }
        })],
    ),
    fault(
        "unsolicited-message",
        "A message on a topic that nobody asked for follows CONNACK.",
        &["MQTT-3.3.2-3"],
        &[server(Connack, |moment| {
            if moment.accepting().is_some() {
                moment.follow_with(&Packet::Publish(Message {
                    delivery: delivery(Qos::AtMostOnce, PacketId::FIRST),
                    retain: false,
                    topic: text("news"),
                    properties: PublishProperties::default(),
                    payload: b"hello".to_vec(),
                }));
            }
        })],
    ),
    fault(
        "topic-changed",
        "A message arrives with a topic that has a level more.",
        &["MQTT-3.3.2-3"],
        &[server(Publish, |moment| {
            if let Some(publish) = moment.publish()
                && !publish.topic.is_empty()
            {
                publish.topic = text(&format!("{}/more", publish.topic));
            }
        })],
    ),
    fault(
        "delivered-on-the-filter",
        "A message arrives with the filter in the place of its topic.",
        &["MQTT-3.3.2-2", "3.1.1:MQTT-4.7.1-1", "5.0:MQTT-4.7.0-1"],
        &[server(Publish, |moment| {
            let topic = moment.publish().map(|publish| publish.topic.clone()).unwrap_or_default();
            let matching = moment.scene.matching(moment.link, &topic);
            if let (Some(publish), Some((filter, _))) = (moment.publish(), matching.first())
                && filter.contains(['+', '#'])
            {
                publish.topic = filter.clone();
            }
        })],
    ),
    fault(
        "payload-changed",
        "The last byte of a payload is another one.",
        &["MQTT-4.5.0-1"],
        &[server(Publish, |moment| {
            if let Some(last) = moment.publish().and_then(|publish| publish.payload.last_mut()) {
                *last = last.wrapping_add(1);
            }
        })],
    ),
    fault(
        "payload-cut-at-null",
        "A payload ends at its first byte that is 0.",
        &["MQTT-4.5.0-1"],
        &[server(Publish, |moment| {
            if let Some(publish) = moment.publish()
                && let Some(at) = publish.payload.iter().position(|byte| *byte == 0)
            {
                publish.payload.truncate(at);
            }
        })],
    ),
    fault(
        "long-payload-cut",
        "A payload of more than 127 bytes loses the rest.",
        &["MQTT-4.5.0-1", "X-45"],
        &[server(Publish, |moment| {
            if let Some(publish) = moment.publish() {
                publish.payload.truncate(127);
            }
        })],
    ),
    fault(
        "delivered-at-qos-0",
        "Every message arrives at QoS 0.",
        QOS,
        &[server(Publish, |moment| {
            if moment.publish().is_some_and(|publish| publish.qos() != Qos::AtMostOnce) {
                moment.lower_to_qos_0();
            }
        })],
    ),
    fault(
        "delivered-at-qos-1",
        "A message of QoS 0 arrives at QoS 1.",
        QOS,
        &[server(Publish, |moment| {
            if let Some(publish) = moment.publish().cloned().filter(|publish| publish.qos() == Qos::AtMostOnce) {
                moment.lose();
                let link = moment.link;
                moment.deliver(link, &publish, Qos::AtLeastOnce);
            }
        })],
    ),
    fault(
        "dup-at-first-delivery",
        "A message comes with DUP the first time.",
        &["MQTT-3.3.1-3", "5.0:MQTT-4.3.2-2", "5.0:MQTT-4.3.3-2"],
        &[server(Publish, |moment| {
            if let Some(publish) = moment.publish() {
                publish.delivery = with_dup(publish.delivery, true);
            }
        })],
    ),
    fault(
        "dup-at-qos-0",
        "A message of QoS 0 comes with DUP.",
        &["MQTT-3.3.1-2", "MQTT-4.3.1-1"],
        &[server(Publish, |moment| {
            if moment.publish().is_some_and(|publish| publish.qos() == Qos::AtMostOnce) {
                moment.craft(|packet| packet.flags(0x8));
            }
        })],
    ),
    fault(
        "dup-passed-on",
        "The DUP of the publisher is that of the delivery.",
        &["MQTT-3.3.1-3"],
        &[server(Publish, |moment| {
            let payload = moment.publish().map(|publish| publish.payload.clone()).unwrap_or_default();
            let mut all = moment.scene.links.iter().flat_map(|link| &link.published);
            let came_with_dup = all.any(|message| message.dup() && message.payload == payload);
            if let (Some(publish), true) = (moment.publish(), came_with_dup) {
                publish.delivery = with_dup(publish.delivery, true);
            }
        })],
    ),
    fault(
        "qos-3-in-a-delivery",
        "A message above QoS 0 comes with both QoS bits set.",
        &["MQTT-3.3.1-4"],
        &[server(Publish, |moment| {
            if moment.publish().is_some_and(|publish| publish.qos() != Qos::AtMostOnce) {
                moment.craft(|packet| packet.flags(0x6));
            }
        })],
    ),
    fault(
        "packet-id-at-qos-0",
        "A message of QoS 0 carries a packet identifier.",
        &["3.1.1:MQTT-2.3.1-5", "5.0:MQTT-2.2.1-2"],
        &[server(Publish, |moment| {
            if moment.publish().is_some_and(|publish| publish.qos() == Qos::AtMostOnce) {
                moment.craft(|packet| packet.packet_id(1));
            }
        })],
    ),
    fault(
        "packet-id-0-in-a-delivery",
        "A message above QoS 0 has the packet identifier 0.",
        &["3.1.1:MQTT-2.3.1-1", "5.0:MQTT-2.2.1-4", "5.0:MQTT-4.3.2-2", "5.0:MQTT-4.3.3-2"],
        &[server(Publish, |moment| {
            if moment.publish().is_some_and(|publish| publish.qos() != Qos::AtMostOnce) {
                moment.craft(|packet| packet.packet_id(0));
            }
        })],
    ),
    fault(
        "packet-id-in-use",
        "A delivery has the identifier of one that is not acknowledged yet.",
        &["3.1.1:MQTT-2.3.1-4", "3.1.1:MQTT-4.3.2-1", "5.0:MQTT-2.2.1-4", "5.0:MQTT-4.3.2-1", "5.0:MQTT-4.3.3-1"],
        &[server(Publish, |moment| {
            let taken = moment.it().in_flight.keys().next().copied();
            if let (Some(publish), Some(taken)) = (moment.publish(), taken)
                && !publish.dup()
            {
                publish.delivery = with_id(publish.delivery, taken);
            }
        })],
    ),
    fault(
        "deliveries-swapped",
        "Two messages that come at once change places.",
        ORDER,
        &[
            server(Publish, |moment| {
                let Some(publish) = moment.publish().cloned() else { return };
                let kept = std::mem::take(&mut moment.it().kept);
                if let [first] = kept.as_slice() {
                    moment.follow_with(first);
                } else {
                    moment.lose();
                    moment.it().kept = vec![Packet::Publish(publish)];
                    moment.wake_after(std::time::Duration::from_millis(1));
                }
            }),
            when(On::Alarm, |moment| {
                for packet in std::mem::take(&mut moment.it().kept) {
                    moment.send_to_client(&packet);
                }
            }),
        ],
    ),
    fault(
        "topics-without-byte-order-mark",
        "U+FEFF disappears from topics.",
        &["3.1.1:MQTT-1.5.3-3", "5.0:MQTT-1.5.4-3"],
        &[server(Publish, |moment| {
            if let Some(publish) = moment.publish() {
                publish.topic = text(&publish.topic.replace('\u{FEFF}', ""));
            }
        })],
    ),
    fault(
        "overlap-at-the-lowest-qos",
        "A message that matches several filters comes at the lowest QoS of them.",
        &["3.1.1:MQTT-3.3.5-1", "5.0:MQTT-3.3.4-2"],
        &[server(Publish, |moment| {
            let Some(publish) = moment.publish().cloned() else { return };
            let lowest =
                moment.scene.matching(moment.link, &publish.topic).iter().map(|(_, held)| held.options.qos).min();
            if lowest.is_some_and(|lowest| lowest < publish.qos()) {
                moment.lower_to_qos_0();
            }
        })],
    ),
    fault(
        "used-id-never-freed",
        "After PUBACK its identifier still stands for the old message: the next one with it is acknowledged and lost.",
        &["3.1.1:MQTT-4.3.2-2", "5.0:MQTT-4.3.2-5"],
        &[client(Publish, |moment| {
            let id = moment.publish().and_then(|publish| publish.packet_id());
            // The one that passes is among them.
            let uses = moment.it().published.iter().filter(|message| message.packet_id() == id).count();
            if id.is_some() && uses > 1 {
                moment.lose();
                moment.acknowledge();
            }
        })],
    ),
    fault(
        "denied-message-unanswered",
        "A message to a topic of the server's own is not answered.",
        &["V31-15", "3.1.1:MQTT-3.3.5-2"],
        &[client(Publish, |moment| {
            if moment.publish().is_some_and(|publish| publish.topic.starts_with('$')) {
                moment.lose();
            }
        })],
    ),
];

/// The message of the client that passes, with its topic in full.
pub(super) fn resolved(moment: &mut Moment<'_>) -> Option<Message> {
    let mut message = moment.publish().cloned()?;
    message.topic = moment.it().topic_from_client(&message);
    message.retain = false;
    Some(message)
}
