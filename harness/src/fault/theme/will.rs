//! Will Messages.

use crate::fault::moment::Moment;
use crate::fault::proxy_fault::{ProxyFault, Rule, client, fault, server};
use crate::fault::theme::connect::text;
use model::packet::PacketType::{Connack, Connect, Disconnect, Publish};
use model::packet::{Delivery, Packet, Publish as Message, Qos, WillProperties};

const WILL: &[&str] = &["V31-12", "3.1.1:MQTT-3.1.2-8", "5.0:MQTT-3.1.2-8", "N-WIL-1", "N-WIL-2", "N-WIL-4"];

pub(super) static FAULTS: &[ProxyFault] = &[
    fault(
        "will-not-taken",
        "The Will of a CONNECT gets lost.",
        WILL,
        &[client(Connect, |moment| {
            if let Some(Packet::Connect(connect)) = &mut moment.packet {
                connect.will = None;
            }
        })],
    ),
    fault(
        "will-on-another-topic",
        "The Will comes on a topic that has a level more.",
        &["3.1.1:MQTT-3.1.2-8", "5.0:MQTT-3.1.2-7"],
        &[Rule::of_will(|will| {
            will.topic = text(&format!("{}/x", will.topic));
        })],
    ),
    fault(
        "will-with-another-payload",
        "The Will comes without its payload.",
        &["3.1.1:MQTT-3.1.2-8", "5.0:MQTT-3.1.2-7", "N-WIL-1"],
        &[Rule::of_will(|will| will.payload.clear())],
    ),
    fault(
        "will-at-qos-0",
        "The Will comes at QoS 0.",
        &["3.1.1:MQTT-3.1.2-8", "3.1.1:MQTT-3.8.4-6", "5.0:MQTT-3.1.2-7", "5.0:MQTT-3.8.4-8", "N-WIL-1"],
        &[Rule::of_will(|will| will.qos = Qos::AtMostOnce)],
    ),
    fault(
        "will-retained-unasked",
        "A Will without Will Retain is kept as a retained message.",
        &["3.1.1:MQTT-3.1.2-16", "5.0:MQTT-3.1.2-14"],
        &[Rule::of_will(|will| will.retain = true)],
    ),
    fault(
        "will-not-retained",
        "A Will with Will Retain is not kept as a retained message.",
        &["3.1.1:MQTT-3.1.2-17", "5.0:MQTT-3.1.2-15"],
        &[Rule::of_will(|will| will.retain = false)],
    ),
    fault(
        "will-properties-lost",
        "The Will comes without its properties.",
        &["5.0:MQTT-3.1.2-7", "N-WIL-1"],
        &[Rule::of_will(|will| {
            let will_delay_interval = will.properties.will_delay_interval;
            will.properties = WillProperties { will_delay_interval, ..Default::default() };
        })],
    ),
    fault(
        "will-user-properties-reversed",
        "The User Properties of the Will come in reverse order.",
        &["5.0:MQTT-3.1.3-10"],
        &[Rule::of_will(|will| {
            will.properties.user_properties.reverse();
        })],
    ),
    fault(
        "will-delay-taken-for-0",
        "The Will comes at once, whatever its Will Delay Interval.",
        &["5.0:MQTT-3.1.2-8", "5.0:MQTT-3.1.3-9"],
        &[Rule::of_will(|will| {
            will.properties.will_delay_interval = None;
        })],
    ),
    fault(
        "will-after-goodbye",
        "The Will comes though the client said DISCONNECT.",
        &["3.1.1:MQTT-3.1.2-8", "5.0:MQTT-3.1.2-8", "3.1.1:MQTT-3.14.4-3", "5.0:MQTT-3.14.4-3", "V31-12", "N-WIL-3"],
        &[client(Disconnect, |moment| {
            if moment.it().connect.as_ref().is_some_and(|connect| connect.will.is_some()) {
                moment.lose();
            }
        })],
    ),
    fault(
        "will-twice",
        "The Will comes twice.",
        &["MQTT-3.1.2-10"],
        &[server(Publish, |moment| {
            if is_will(moment)
                && let Some(publish) = moment.publish().cloned()
            {
                let (link, qos) = (moment.link, publish.qos());
                moment.deliver(link, &publish, qos);
            }
        })],
    ),
    fault(
        "will-at-every-end",
        "The Will of a client comes at the end of its next connection, too.",
        &["MQTT-3.1.2-10", "3.1.1:MQTT-3.1.2-12"],
        &[client(Connect, |moment| {
            let session = moment.it().session.clone();
            let earlier = moment.scene.links[..moment.link].iter().rev().find(|link| link.session == session);
            let will = earlier.and_then(|link| link.connect.as_ref()).and_then(|connect| connect.will.clone());
            if let Some(Packet::Connect(connect)) = &mut moment.packet
                && connect.will.is_none()
            {
                connect.will = will;
            }
        })],
    ),
    fault(
        "will-against-the-dialect",
        "A Will comes, though the dialect has no such thing.",
        &["P-WR-1", "X-9"],
        &[server(Connack, |moment| {
            let mut all = moment.scene.links[..moment.link].iter().filter_map(|link| link.connect.as_ref());
            if let Some(will) = all.find_map(|connect| connect.will.clone()) {
                moment.follow_with(&Packet::Publish(Message {
                    delivery: Delivery::AtMostOnce,
                    retain: false,
                    topic: will.topic,
                    properties: Default::default(),
                    payload: will.payload,
                }));
            }
        })],
    ),
];

/// Whether the message that passes is the Will of some client.
fn is_will(moment: &mut Moment<'_>) -> bool {
    let Some(publish) = moment.publish().cloned() else { return false };
    let wills = moment.scene.links.iter().filter_map(|link| link.connect.as_ref()?.will.as_ref());
    wills.into_iter().any(|will| will.topic == publish.topic && will.payload == publish.payload)
}
