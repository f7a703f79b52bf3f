//! How devices log in, are called and are thrown out.

use crate::fault::moment::{Moment, delivery};
use crate::fault::proxy_fault::{On, ProxyFault, Rule, client, fault, server, when};
use model::packet::PacketType::{Connack, Connect, Disconnect, Publish, Suback};
use model::packet::{ConnackCode, ConnectReturnCode, Packet, Publish as Message, Qos, ReasonCode, Utf8String};
use std::time::Duration;

pub(super) static FAULTS: &[ProxyFault] = &[
    fault(
        "clock-checked",
        "A login with a timestamp that lies in the future is refused.",
        &["P-CID-6", "P-CID-14"],
        &[client(Connect, |moment| refuse_login(moment, "timestamp=2524608000000"))],
    ),
    fault(
        "empty-parameter-refused",
        "A login with a comma behind its last parameter is refused.",
        &["P-CID-11", "P-CID-14"],
        &[client(Connect, |moment| refuse_login(moment, ",|"))],
    ),
    fault(
        "empty-name-refused",
        "A login that leaves the name before its parameters to the server is refused.",
        &["P-CID-13"],
        &[client(Connect, |moment| {
            if let Some(Packet::Connect(connect)) = &moment.packet
                && connect.client_id.starts_with('|')
            {
                moment.refuse(ConnectReturnCode::IdentifierRejected, ReasonCode::ClientIdentifierNotValid);
            }
        })],
    ),
    fault(
        "user-name-of-a-device-refused",
        "A User Name that names a device and its product is refused.",
        &["P-CON-2"],
        &[client(Connect, |moment| {
            if let Some(Packet::Connect(connect)) = &moment.packet
                && connect.user_name.as_ref().is_some_and(|name| name.contains('&'))
            {
                moment.refuse(ConnectReturnCode::BadUserNameOrPassword, ReasonCode::BadUserNameOrPassword);
            }
        })],
    ),
    fault(
        "registration-refused",
        "A login that asks for a secret or a token is refused.",
        &["P-REG-2"],
        &[client(Connect, |moment| {
            refuse_login(moment, "authType=reg");
        })],
    ),
    fault(
        "filter-of-a-device-refused",
        "SUBACK says failure for every filter.",
        &["P-QOS-5", "N-OPT-2"],
        &[server(Suback, |moment| {
            if let Some(Packet::Suback(suback)) = &mut moment.packet {
                suback.codes.fill(ReasonCode::UnspecifiedError);
            }
        })],
    ),
    fault(
        "qos-2-granted",
        "SUBACK grants QoS 2.",
        &["P-QOS-1", "X-12", "X-13"],
        &[server(Suback, |moment| {
            if let Some(Packet::Suback(suback)) = &mut moment.packet {
                suback.codes.fill(ReasonCode::GrantedQos2);
            }
        })],
    ),
    fault(
        "alias-keeps-its-first-topic",
        "An alias that a client sets anew stands for the topic that it stood for first.",
        &["X-35", "5.0:MQTT-3.3.2-12"],
        &[client(Publish, |moment| {
            let Some(publish) = moment.publish().cloned() else { return };
            let alias = publish.properties.topic_alias;
            let sets = |earlier: &&Message| alias.is_some() && earlier.properties.topic_alias == alias;
            let first = moment.it().published.iter().find(sets).map(|earlier| earlier.topic.clone());
            if let Some(publish) = moment.publish()
                && let Some(first) = first.filter(|first| *first != publish.topic && !publish.topic.is_empty())
            {
                publish.topic = first;
            }
        })],
    ),
    fault(
        "refused-as-of-a-wrong-version",
        "Whatever is wrong with a CONNECT, CONNACK tells of its protocol version.",
        &[
            "P-RC-3",
            "3.1.1:P-RC-4",
            "P-RC-5",
            "3.1.1:P-RC-6",
            "3.1.1:P-RC-7",
            "X-4",
            "X-5",
            "X-6",
            "X-7",
            "X-8",
            "X-55",
            "X-56",
            "X-57",
        ],
        &[server(Connack, |moment| {
            if let Some(Packet::Connack(connack)) = &mut moment.packet
                && !connack.code.is_accepted()
            {
                connack.code = match connack.code {
                    ConnackCode::Return(_) => ConnackCode::Return(ConnectReturnCode::UnacceptableProtocolVersion),
                    ConnackCode::Reason(_) => ConnackCode::Reason(ReasonCode::UnsupportedProtocolVersion),
                };
            }
        })],
    ),
    fault(
        "keep-alive-above-the-range-served",
        "A Keep Alive above the range is served as it is.",
        &["P-KA-6", "X-1", "X-2"],
        &[
            client(Connect, |moment| {
                if let Some(Packet::Connect(connect)) = &mut moment.packet
                    && connect.keep_alive > HIGHEST
                {
                    connect.keep_alive = HIGHEST;
                }
            }),
            server(Disconnect, if_above_the_range),
            when(On::ServerCloses, if_above_the_range),
        ],
    ),
    fault(
        "kick-notice-lost",
        "A device that asked for notices is thrown out without one.",
        &["P-CON-5", "P-CID-9"],
        &[server(Publish, |moment| {
            if moment.publish().is_some_and(|publish| &*publish.topic == "/ext/notify") {
                moment.lose();
            }
        })],
    ),
    fault(
        "call-at-qos-2",
        "The request of a call comes at QoS 2.",
        &["X-42"],
        &[server(Publish, |moment| {
            let id = moment.it().free_id();
            if let Some(publish) = moment.publish().filter(|publish| publish.topic.contains("/rrpc/request/")) {
                publish.delivery = delivery(Qos::ExactlyOnce, id);
                moment.it().invented.insert(id);
            }
        })],
    ),
    fault(
        "answer-at-qos-1-ends-the-connection",
        "A device that answers a call at QoS 1 loses its connection.",
        &["X-43"],
        &[client(Publish, |moment| {
            let is_such = |it: &mut Message| it.qos() == Qos::AtLeastOnce && it.topic.contains("/rrpc/response/");
            if moment.publish().is_some_and(is_such) {
                moment.lose();
                moment.close();
            }
        })],
    ),
    fault(
        "topic-with-request-id-refused",
        "A message to a topic with a request id behind it ends the connection.",
        &["P-TOP-17"],
        &[client(Publish, |moment| {
            if moment.publish().is_some_and(|publish| publish.topic.contains("?_rid=")) {
                moment.lose();
                moment.close();
            }
        })],
    ),
    fault(
        "overlap-brings-three-copies",
        "A message that two filters of a client match comes three times.",
        &["X-49"],
        &[server(Publish, |moment| {
            let Some(message) = moment.publish().cloned() else { return };
            let link = moment.link;
            if moment.scene.matching(link, &message.topic).len() > 1 {
                moment.deliver(link, &message, message.qos());
                moment.deliver(link, &message, message.qos());
            }
        })],
    ),
    fault(
        "fifth-message-at-once-ends-the-connection",
        "A client that publishes five messages at once loses its connection.",
        &["X-19", "P-LIM-1"],
        &[client(Publish, |moment| {
            if moment.it().published.len() == 5 {
                moment.lose();
                moment.close();
            }
        })],
    ),
    fault(
        "long-user-property-cut",
        "Of a User Property with more than 128 bytes the value is cut.",
        &["X-32", "P-V5-8"],
        &[Rule::of_properties(|properties| {
            for (name, value) in &mut properties.user_properties {
                if name.len() + value.len() > 128 {
                    let cut: String = value.chars().take(16).collect();
                    *value = Utf8String::new(cut).unwrap_or_default();
                }
            }
        })],
    ),
];

/// The highest Keep Alive of the dialect, in seconds.
const HIGHEST: u16 = 1200;

/// Refuses a CONNECT with this in its client id.
fn refuse_login(moment: &mut Moment<'_>, parameter: &str) {
    if let Some(Packet::Connect(connect)) = &moment.packet
        && connect.client_id.contains(parameter)
    {
        moment.refuse(ConnectReturnCode::IdentifierRejected, ReasonCode::ClientIdentifierNotValid);
    }
}

/// The server ends the connection of a client that asked for a Keep Alive above the range, and has been silent.
fn if_above_the_range(moment: &mut Moment<'_>) {
    let it = moment.it();
    let asked = it.connect.as_ref().map_or(0, |connect| connect.keep_alive);
    if asked > HIGHEST && it.heard.elapsed() > Duration::from_secs(u64::from(HIGHEST)) {
        moment.lose();
    }
}
