//! What only the platform's dialect promises.

use crate::fault::moment::Moment;
use crate::fault::proxy_fault::{ProxyFault, Rule, client, fault, server};
use crate::fault::theme::publish::resolved;
use model::packet::PacketType::{Connack, Connect, Publish, Suback, Subscribe};
use model::packet::{
    Acknowledgement, ConnackProperties, ConnectReturnCode, Packet, Publish as Message, Qos, ReasonCode,
};
use std::num::NonZeroU32;

pub(super) static FAULTS: &[ProxyFault] = &[
    fault(
        "subscriber-decides-on-qos",
        "A message comes at QoS 0 if its subscriber asked for that.",
        &["P-QOS-2", "P-QOS-3"],
        &[server(Publish, |moment| {
            let Some(publish) = moment.publish().cloned() else { return };
            let asked =
                moment.scene.matching(moment.link, &publish.topic).iter().map(|(_, held)| held.options.qos).max();
            if asked == Some(Qos::AtMostOnce) && publish.qos() != Qos::AtMostOnce {
                moment.lower_to_qos_0();
            }
        })],
    ),
    fault(
        "qos-2-taken",
        "A PUBLISH of QoS 2 is answered by PUBREC.",
        &["P-QOS-1", "X-11"],
        &[client(Publish, |moment| {
            if let Some(message) = moment.publish().cloned().filter(|message| message.qos() == Qos::ExactlyOnce)
                && let Some(id) = message.packet_id()
            {
                moment.lose();
                moment.send_to_client(&Packet::Pubrec(Acknowledgement::success(id)));
            }
        })],
    ),
    fault(
        "qos-2-delivered",
        "A PUBLISH of QoS 2 is refused and delivered all the same.",
        &["P-QOS-1", "X-11"],
        &[client(Publish, |moment| {
            let message = resolved(moment).filter(|message| message.qos() == Qos::ExactlyOnce);
            deliver_to_itself(moment, message);
        })],
    ),
    fault(
        "maximum-qos-unannounced",
        "CONNACK announces no Maximum QoS.",
        &["P-QOS-6", "5.0:MQTT-3.2.2-9"],
        &[announce(|properties| properties.maximum_qos = None)],
    ),
    fault(
        "another-maximum-packet-size",
        "CONNACK announces half the Maximum Packet Size.",
        &["P-V5-2", "N-ACK-1"],
        &[announce(|properties| {
            properties.maximum_packet_size = NonZeroU32::new(131_072);
        })],
    ),
    fault(
        "another-topic-alias-maximum",
        "CONNACK announces one Topic Alias less.",
        &["P-V5-16", "N-ACK-1"],
        &[announce(|properties| {
            properties.topic_alias_maximum = Some(19);
        })],
    ),
    fault(
        "retained-messages-announced",
        "CONNACK does not say that there are no retained messages.",
        &["P-WR-2"],
        &[announce(|properties| properties.retain_available = None)],
    ),
    fault(
        "subscription-identifiers-announced",
        "CONNACK does not say that there are no Subscription Identifiers.",
        &["N-ACK-1"],
        &[announce(|properties| {
            properties.subscription_identifier_available = None;
        })],
    ),
    fault(
        "session-expiry-unannounced",
        "CONNACK does not state the Session Expiry Interval.",
        &["N-ACK-1"],
        &[announce(|properties| properties.session_expiry_interval = None)],
    ),
    fault(
        "server-keep-alive-unannounced",
        "CONNACK does not state the Keep Alive.",
        &["P-KA-9", "N-ACK-1"],
        &[announce(|properties| properties.server_keep_alive = None)],
    ),
    fault(
        "another-server-keep-alive",
        "CONNACK states another Keep Alive than the device asked for.",
        &["P-KA-9", "N-ACK-1"],
        &[announce(|properties| {
            properties.server_keep_alive = properties.server_keep_alive.map(|seconds| seconds / 2 + 100);
        })],
    ),
    fault(
        "keep-alive-in-range-refused",
        "A Keep Alive at the ends of its range is refused.",
        &["P-KA-1"],
        &[client(Connect, |moment| {
            if let Some(Packet::Connect(connect)) = &moment.packet
                && matches!(connect.keep_alive, 30 | 300 | 1200)
            {
                moment.refuse(ConnectReturnCode::ServerUnavailable, ReasonCode::UnspecifiedError);
            }
        })],
    ),
    fault(
        "keep-alive-below-the-range-served",
        "A Keep Alive below the range is served.",
        &["P-KA-2", "P-KA-5", "X-1", "X-2"],
        &[client(Connect, |moment| {
            if let Some(Packet::Connect(connect)) = &mut moment.packet
                && (1..30).contains(&connect.keep_alive)
            {
                connect.keep_alive = 30;
            }
        })],
    ),
    fault(
        "keep-alive-beyond-the-range-left-hanging",
        "A CONNECT with a Keep Alive beyond the range is neither answered nor ended.",
        &["P-KA-1", "X-3"],
        &[client(Connect, |moment| {
            if let Some(Packet::Connect(connect)) = &moment.packet
                && !(1..=1200).contains(&connect.keep_alive)
            {
                moment.lose();
            }
        })],
    ),
    fault(
        "twenty-one-user-properties-delivered",
        "A message with more than twenty User Properties is delivered with all of them.",
        &["P-V5-6", "X-30"],
        &[client(Publish, |moment| {
            let message = resolved(moment).filter(|message| message.properties.user_properties.len() > 20);
            swallow(moment, message);
        })],
    ),
    fault(
        "twentieth-user-property-lost",
        "Of twenty User Properties nineteen arrive.",
        &["P-V5-6"],
        &[Rule::of_properties(|properties| {
            properties.user_properties.truncate(19);
        })],
    ),
    fault(
        "user-property-with-underscore-delivered",
        "A User Property whose name begins with an underscore is delivered.",
        &["P-V5-7", "X-31"],
        &[client(Publish, |moment| {
            let is_forbidden =
                |message: &Message| message.properties.user_properties.iter().any(|(name, _)| name.starts_with('_'));
            let message = resolved(moment).filter(is_forbidden);
            swallow(moment, message);
        })],
    ),
    fault(
        "long-user-property-delivered",
        "A User Property of more than 128 characters is delivered.",
        &["P-V5-8", "X-31"],
        &[client(Publish, |moment| {
            let is_long = |message: &Message| {
                message.properties.user_properties.iter().any(|(name, value)| name.len() + value.len() > 128)
            };
            let message = resolved(moment).filter(is_long);
            swallow(moment, message);
        })],
    ),
    fault(
        "long-user-property-lost",
        "A User Property of 100 characters or more gets lost.",
        &["P-V5-8"],
        &[Rule::of_properties(|properties| {
            properties.user_properties.retain(|(name, value)| name.len() + value.len() < 100);
        })],
    ),
    fault(
        "long-response-topic-delivered",
        "A Response Topic of more than 128 characters is delivered.",
        &["P-V5-11", "X-33"],
        &[client(Publish, |moment| {
            let is_long =
                |message: &Message| message.properties.response_topic.as_ref().is_some_and(|topic| topic.len() > 128);
            let message = resolved(moment).filter(is_long);
            swallow(moment, message);
        })],
    ),
    fault(
        "long-correlation-data-delivered",
        "Correlation Data of more than 128 bytes is delivered.",
        &["P-V5-12", "X-33"],
        &[client(Publish, |moment| {
            let is_long =
                |message: &Message| message.properties.correlation_data.as_ref().is_some_and(|data| data.len() > 128);
            let message = resolved(moment).filter(is_long);
            swallow(moment, message);
        })],
    ),
    fault(
        "nine-filters-granted",
        "A SUBSCRIBE with nine filters is granted as a whole.",
        &["P-TOP-13", "X-23"],
        &[client(Subscribe, |moment| {
            if let Some(Packet::Subscribe(subscribe)) = moment.packet.clone()
                && subscribe.requests.len() > 8
            {
                moment.lose();
                moment.grant(subscribe.packet_id, subscribe.requests.len());
            }
        })],
    ),
    fault(
        "eighth-filter-refused",
        "The eighth filter of a SUBSCRIBE is refused.",
        &["P-TOP-13"],
        &[server(Suback, |moment| {
            if let Some(Packet::Suback(suback)) = &mut moment.packet
                && suback.codes.len() == 8
            {
                // 3.1 has no such code, so it cannot be written as a packet of that version.
                moment.craft(|packet| packet.cut(1).extra(&[0x80]));
            }
        })],
    ),
    fault(
        "topic-beyond-the-limits-delivered",
        "A message to a topic that is too long or too deep is delivered.",
        &["P-TOP-10", "P-TOP-11", "X-25"],
        &[client(Publish, |moment| {
            let message = resolved(moment).filter(|message| is_beyond(&message.topic));
            deliver_to_itself(moment, message);
        })],
    ),
    fault(
        "filter-beyond-the-limits-granted",
        "A filter that is too long or too deep is granted.",
        &["P-TOP-10", "P-TOP-11", "X-25"],
        &[client(Subscribe, |moment| {
            if let Some(Packet::Subscribe(subscribe)) = moment.packet.clone()
                && subscribe.requests.iter().any(|request| is_beyond(&request.filter))
            {
                moment.lose();
                moment.grant(subscribe.packet_id, subscribe.requests.len());
            }
        })],
    ),
    fault(
        "deepest-topic-lost",
        "A message to a topic with seven slashes gets lost.",
        &["P-TOP-11"],
        &[server(Publish, |moment| {
            if moment.publish().is_some_and(|publish| publish.topic.matches('/').count() >= 7) {
                moment.lose_delivery();
            }
        })],
    ),
    fault(
        "long-client-id-refused",
        "A client id of more than 23 characters is refused.",
        &["P-CID-2", "3.1:P-VER-4"],
        &[client(Connect, |moment| {
            if let Some(Packet::Connect(connect)) = &moment.packet
                && connect.client_id.len() > 23
            {
                moment.refuse(ConnectReturnCode::IdentifierRejected, ReasonCode::ClientIdentifierNotValid);
            }
        })],
    ),
    fault(
        "own-session-cleared",
        "A device does not get what waited for it while it was away.",
        &["P-SES-3", "P-SES-6", "X-15"],
        &[
            server(Connack, |moment| {
                if moment.link > 0 {
                    moment.it().kept = vec![Packet::Pingreq];
                }
            }),
            server(Publish, |moment| {
                if !moment.it().kept.is_empty() {
                    moment.lose_delivery();
                }
            }),
        ],
    ),
    fault(
        "nine-filters-left-hanging",
        "A SUBSCRIBE with nine filters is not answered.",
        &["P-TOP-13", "X-23"],
        &[client(Subscribe, |moment| {
            if let Some(Packet::Subscribe(subscribe)) = &moment.packet
                && subscribe.requests.len() > 8
            {
                moment.lose();
            }
        })],
    ),
    fault(
        "filter-beyond-the-limits-left-hanging",
        "A SUBSCRIBE to a filter that is too long or too deep is not answered.",
        &["P-TOP-10", "P-TOP-11"],
        &[client(Subscribe, |moment| {
            if let Some(Packet::Subscribe(subscribe)) = &moment.packet
                && subscribe.requests.iter().any(|request| is_beyond(&request.filter))
            {
                moment.lose();
            }
        })],
    ),
];

/// A change of what an accepting CONNACK announces.
const fn announce(act: fn(&mut ConnackProperties)) -> Rule {
    Rule::of_announcement(act)
}

fn is_beyond(topic: &str) -> bool {
    topic.len() > 128 || topic.matches('/').count() > 7
}

/// Delivers a message to the client that published it, whatever the server does about it.
fn deliver_to_itself(moment: &mut Moment<'_>, message: Option<Message>) {
    if let Some(message) = message {
        let link = moment.link;
        moment.deliver(link, &message, Qos::AtMostOnce);
    }
}

/// Takes a message as if all were well: it is delivered, and the server does not know of it.
fn swallow(moment: &mut Moment<'_>, message: Option<Message>) {
    if message.is_some() {
        moment.lose();
        moment.acknowledge();
        deliver_to_itself(moment, message);
    }
}
