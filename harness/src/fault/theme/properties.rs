//! Properties of messages, and properties that a client does not want.

use crate::fault::moment::Moment;
use crate::fault::proxy_fault::{On, ProxyFault, Rule, client, fault, server, when};
use crate::fault::theme::connect::text;
use crate::fault::theme::publish::resolved;
use crate::fault::transform::explanation;
use model::packet::PacketType::{
    Auth, Connack, Disconnect, Puback, Pubcomp, Publish, Pubrec, Pubrel, Suback, Unsuback,
};
use model::packet::{Packet, PublishProperties, Qos};

pub(super) static FAULTS: &[ProxyFault] = &[
    fault(
        "user-properties-lost",
        "User Properties of a message get lost.",
        &["5.0:MQTT-3.3.2-17", "N-UPR-1"],
        &[change(|properties| {
            properties.user_properties.clear();
        })],
    ),
    fault(
        "user-properties-reversed",
        "User Properties of a message arrive in reverse order.",
        &["5.0:MQTT-3.3.2-18"],
        &[change(|properties| {
            properties.user_properties.reverse();
        })],
    ),
    fault(
        "user-properties-unique",
        "Of User Properties with one name only the first arrives.",
        &["5.0:MQTT-3.3.2-17"],
        &[change(|properties| {
            let mut names = std::collections::BTreeSet::new();
            properties.user_properties.retain(|(name, _)| names.insert(name.clone()));
        })],
    ),
    fault(
        "user-property-changed",
        "The value of a User Property arrives in upper case.",
        &["5.0:MQTT-3.3.2-17"],
        &[change(|properties| {
            for (_, value) in &mut properties.user_properties {
                *value = text(&format!("{}!", value.to_uppercase()));
            }
        })],
    ),
    fault(
        "user-property-added",
        "A User Property of the server's own arrives with a message.",
        &["5.0:MQTT-3.3.2-17"],
        &[change(|properties| {
            properties.user_properties.push((text("server"), text("me")));
        })],
    ),
    fault(
        "response-topic-lost",
        "The Response Topic of a message gets lost.",
        &["5.0:MQTT-3.3.2-15", "P-V5-11", "N-RRT-1"],
        &[change(|properties| {
            properties.response_topic = None;
        })],
    ),
    fault(
        "response-topic-changed",
        "The Response Topic of a message arrives with a level more.",
        &["5.0:MQTT-3.3.2-15", "P-V5-11"],
        &[change(|properties| {
            if let Some(topic) = &mut properties.response_topic {
                *topic = text(&format!("{topic}/x"));
            }
        })],
    ),
    fault(
        "correlation-data-lost",
        "The Correlation Data of a message gets lost.",
        &["5.0:MQTT-3.3.2-16", "P-V5-12", "N-RRT-1"],
        &[change(|properties| {
            properties.correlation_data = None;
        })],
    ),
    fault(
        "correlation-data-taken-for-text",
        "Correlation Data that is no UTF-8 arrives as if it were.",
        &["5.0:MQTT-3.3.2-16"],
        &[change(|properties| {
            if let Some(data) = &mut properties.correlation_data {
                *data = String::from_utf8_lossy(data).into_owned().into_bytes();
            }
        })],
    ),
    fault(
        "content-type-lost",
        "The Content Type of a message gets lost.",
        &["5.0:MQTT-3.3.2-20", "N-PRP-1"],
        &[change(|properties| {
            properties.content_type = None;
        })],
    ),
    fault(
        "payload-format-indicator-lost",
        "The Payload Format Indicator of a message gets lost.",
        &["5.0:MQTT-3.3.2-4", "N-PRP-1"],
        &[change(|properties| {
            properties.payload_format_indicator = None;
        })],
    ),
    fault(
        "payload-format-indicator-invented",
        "A Payload Format Indicator that the publisher did not send arrives.",
        &["5.0:MQTT-3.3.2-4"],
        &[change(|properties| {
            properties.payload_format_indicator = properties.payload_format_indicator.or(Some(true));
        })],
    ),
    fault(
        "message-expiry-interval-not-reduced",
        "A message arrives with the Message Expiry Interval that it was published with, however long it waited.",
        &["5.0:MQTT-3.3.2-6"],
        &[server(Publish, |moment| {
            let payload = moment.publish().map(|publish| publish.payload.clone()).unwrap_or_default();
            let mut all = moment.scene.links.iter().flat_map(|link| &link.published);
            let sent = all
                .find(|message| message.payload == payload)
                .and_then(|message| message.properties.message_expiry_interval);
            if let (Some(publish), Some(sent)) = (moment.publish(), sent) {
                publish.properties.message_expiry_interval = Some(sent);
            }
        })],
    ),
    fault(
        "message-expiry-interval-lost",
        "The Message Expiry Interval of a message gets lost.",
        &["5.0:MQTT-3.3.2-6"],
        &[change(|properties| {
            properties.message_expiry_interval = None;
        })],
    ),
    fault(
        "unwanted-problem-information",
        "UNSUBACK, SUBACK and PUBACK carry a Reason String though the client does not want one.",
        &["5.0:MQTT-3.1.2-29"],
        &[server(Unsuback, unwanted), server(Suback, unwanted), server(Puback, unwanted)],
    ),
    fault(
        "connack-with-too-long-a-reason-string",
        "CONNACK has a Reason String that makes it larger than the client takes.",
        &["5.0:MQTT-3.2.2-19", "5.0:MQTT-3.1.2-24"],
        &[server(Connack, too_long_a_reason_string)],
    ),
    fault(
        "connack-with-too-long-a-user-property",
        "CONNACK has a User Property that makes it larger than the client takes.",
        &["5.0:MQTT-3.2.2-20", "5.0:MQTT-3.1.2-24"],
        &[server(Connack, too_long_a_user_property)],
    ),
    fault(
        "puback-with-too-long-a-reason-string",
        "PUBACK has a Reason String that makes it larger than the client takes.",
        &["5.0:MQTT-3.4.2-2", "5.0:MQTT-3.1.2-24"],
        &[server(Puback, too_long_a_reason_string)],
    ),
    fault(
        "puback-with-too-long-a-user-property",
        "PUBACK has a User Property that makes it larger than the client takes.",
        &["5.0:MQTT-3.4.2-3", "5.0:MQTT-3.1.2-24"],
        &[server(Puback, too_long_a_user_property)],
    ),
    fault(
        "pubrec-with-too-long-a-reason-string",
        "PUBREC has a Reason String that makes it larger than the client takes.",
        &["5.0:MQTT-3.5.2-2", "5.0:MQTT-3.1.2-24"],
        &[server(Pubrec, too_long_a_reason_string)],
    ),
    fault(
        "pubrec-with-too-long-a-user-property",
        "PUBREC has a User Property that makes it larger than the client takes.",
        &["5.0:MQTT-3.5.2-3", "5.0:MQTT-3.1.2-24"],
        &[server(Pubrec, too_long_a_user_property)],
    ),
    fault(
        "pubrel-with-too-long-a-reason-string",
        "PUBREL has a Reason String that makes it larger than the client takes.",
        &["5.0:MQTT-3.6.2-2", "5.0:MQTT-3.1.2-24"],
        &[server(Pubrel, too_long_a_reason_string)],
    ),
    fault(
        "pubrel-with-too-long-a-user-property",
        "PUBREL has a User Property that makes it larger than the client takes.",
        &["5.0:MQTT-3.6.2-3", "5.0:MQTT-3.1.2-24"],
        &[server(Pubrel, too_long_a_user_property)],
    ),
    fault(
        "pubcomp-with-too-long-a-reason-string",
        "PUBCOMP has a Reason String that makes it larger than the client takes.",
        &["5.0:MQTT-3.7.2-2", "5.0:MQTT-3.1.2-24"],
        &[server(Pubcomp, too_long_a_reason_string)],
    ),
    fault(
        "pubcomp-with-too-long-a-user-property",
        "PUBCOMP has a User Property that makes it larger than the client takes.",
        &["5.0:MQTT-3.7.2-3", "5.0:MQTT-3.1.2-24"],
        &[server(Pubcomp, too_long_a_user_property)],
    ),
    fault(
        "suback-with-too-long-a-reason-string",
        "SUBACK has a Reason String that makes it larger than the client takes.",
        &["5.0:MQTT-3.9.2-1", "5.0:MQTT-3.1.2-24"],
        &[server(Suback, too_long_a_reason_string)],
    ),
    fault(
        "suback-with-too-long-a-user-property",
        "SUBACK has a User Property that makes it larger than the client takes.",
        &["5.0:MQTT-3.9.2-2", "5.0:MQTT-3.1.2-24"],
        &[server(Suback, too_long_a_user_property)],
    ),
    fault(
        "unsuback-with-too-long-a-reason-string",
        "UNSUBACK has a Reason String that makes it larger than the client takes.",
        &["5.0:MQTT-3.11.2-1", "5.0:MQTT-3.1.2-24"],
        &[server(Unsuback, too_long_a_reason_string)],
    ),
    fault(
        "unsuback-with-too-long-a-user-property",
        "UNSUBACK has a User Property that makes it larger than the client takes.",
        &["5.0:MQTT-3.11.2-2", "5.0:MQTT-3.1.2-24"],
        &[server(Unsuback, too_long_a_user_property)],
    ),
    fault(
        "disconnect-with-too-long-a-reason-string",
        "DISCONNECT has a Reason String that makes it larger than the client takes.",
        &["5.0:MQTT-3.14.2-3", "5.0:MQTT-3.1.2-24"],
        &[server(Disconnect, too_long_a_reason_string)],
    ),
    fault(
        "disconnect-with-too-long-a-user-property",
        "DISCONNECT has a User Property that makes it larger than the client takes.",
        &["5.0:MQTT-3.14.2-4", "5.0:MQTT-3.1.2-24"],
        &[server(Disconnect, too_long_a_user_property)],
    ),
    fault(
        "auth-with-too-long-a-reason-string",
        "AUTH has a Reason String that makes it larger than the client takes.",
        &["5.0:MQTT-3.15.2-2", "5.0:MQTT-3.1.2-24"],
        &[server(Auth, too_long_a_reason_string)],
    ),
    fault(
        "auth-with-too-long-a-user-property",
        "AUTH has a User Property that makes it larger than the client takes.",
        &["5.0:MQTT-3.15.2-3", "5.0:MQTT-3.1.2-24"],
        &[server(Auth, too_long_a_user_property)],
    ),
    fault(
        "too-large-message-delivered",
        "A message above the Maximum Packet Size of the client is delivered.",
        &["5.0:MQTT-3.1.2-24", "P-V5-1"],
        &[client(Publish, |moment| {
            let Some(message) = resolved(moment) else { return };
            for link in moment.scene.served() {
                let limit = maximum_packet_size(moment, link);
                let is_too_large = limit.is_some_and(|limit| message.payload.len() > limit as usize);
                if is_too_large && !moment.scene.matching(link, &message.topic).is_empty() {
                    moment.deliver(link, &message, Qos::AtMostOnce);
                }
            }
        })],
    ),
    fault(
        "too-large-message-ends-delivery",
        "After a message above the Maximum Packet Size of the client nothing comes any more.",
        &["5.0:MQTT-3.1.2-25", "P-V5-1"],
        &[server(Publish, |moment| {
            let limit = maximum_packet_size(moment, moment.link);
            let mut all = moment.scene.links.iter().flat_map(|link| &link.published);
            if limit.is_some_and(|limit| all.any(|message| message.payload.len() > limit as usize)) {
                moment.lose_delivery();
            }
        })],
    ),
    fault(
        "disconnect-with-session-expiry-interval",
        "DISCONNECT of the server has a Session Expiry Interval.",
        &["5.0:MQTT-3.14.2-2"],
        &[server(Disconnect, |moment| {
            moment.craft(|packet| packet.properties(&[0x11, 0, 0, 0, 1]));
        })],
    ),
    fault(
        "property-repeated",
        "A delivery carries two Content Types.",
        &["5.0:MQTT-3.3.2-20"],
        &[server(Publish, |moment| {
            if moment.publish().is_some_and(|publish| publish.properties.content_type.is_some()) {
                moment.craft(|packet| packet.properties(&[0x03, 0, 1, b'x']));
            }
        })],
    ),
    fault(
        "answers-with-long-forms",
        "CONNACK, SUBACK and UNSUBACK come without Property Length.",
        &["5.0:MQTT-2.2.2-1"],
        &[when(On::AnyFromServer, |moment| {
            if let Some(Packet::Suback(_) | Packet::Unsuback(_)) = &moment.packet {
                moment.rewrite(|bytes| {
                    // Behind type, length and identifier; these packets are short.
                    if bytes.len() > 5 && bytes[4] == 0 {
                        bytes.remove(4);
                        bytes[1] -= 1;
                    }
                });
            }
        })],
    ),
];

/// A change of the properties of every delivery.
const fn change(act: fn(&mut PublishProperties)) -> Rule {
    Rule::of_properties(act)
}

fn unwanted(moment: &mut Moment<'_>) {
    let wanted = moment.it().connect.as_ref().and_then(|connect| connect.properties.request_problem_information);
    if wanted == Some(false)
        && let Some((reason_string, _)) = explanation(&mut moment.packet)
    {
        *reason_string = Some(text("because"));
    }
}

fn too_long_a_reason_string(moment: &mut Moment<'_>) {
    if let Some(limit) = maximum_packet_size(moment, moment.link)
        && let Some((reason_string, _)) = explanation(&mut moment.packet)
    {
        *reason_string = Some(text(&"x".repeat(limit as usize)));
    }
}

fn too_long_a_user_property(moment: &mut Moment<'_>) {
    if let Some(limit) = maximum_packet_size(moment, moment.link)
        && let Some((_, user_properties)) = explanation(&mut moment.packet)
    {
        user_properties.push((text("x"), text(&"x".repeat(limit as usize))));
    }
}

/// The Maximum Packet Size of a client, if it named one that a test can exceed.
fn maximum_packet_size(moment: &Moment<'_>, link: usize) -> Option<u32> {
    let connect = moment.scene.links[link].connect.as_ref()?;
    connect.properties.maximum_packet_size.map(std::num::NonZeroU32::get).filter(|limit| *limit < 1 << 15)
}
