//! A server that tolerates what only the history of a connection shows to be wrong, and one that does not end it.

use crate::fault::proxy_fault::{On, ProxyFault, client, fault, server, when};
use crate::fault::theme::publish::resolved;
use model::packet::PacketType::{Auth, Connect, Disconnect, Publish, Subscribe};
use model::packet::{Packet, Utf8String};

use crate::fault::scene::parse;
use crate::fault::theme::malformed::{ENDED, ignore};

pub(super) static FAULTS: &[ProxyFault] = &[
    fault(
        "second-connect-ignored",
        "A second CONNECT on a connection has no effect.",
        &["3.1.1:MQTT-3.1.0-2", "5.0:MQTT-3.1.0-2", "X-50"],
        &[client(Connect, |moment| {
            if moment.it().connack.is_some() {
                moment.lose();
            }
        })],
    ),
    fault(
        "second-connect-answered",
        "A second CONNECT on a connection is answered like the first.",
        &["3.1.1:MQTT-3.1.0-2", "5.0:MQTT-3.1.0-2"],
        &[client(Connect, |moment| {
            if let Some(connack) = moment.it().connack.clone() {
                moment.lose();
                moment.send_to_client(&Packet::Connack(connack));
            }
        })],
    ),
    fault(
        "first-packet-other-than-connect-ignored",
        "Packets before CONNECT have no effect.",
        ENDED,
        &[ignore(&["FIRST_PACKET"])],
    ),
    fault(
        "disconnect-before-connack",
        "A first packet that is not CONNECT is answered by DISCONNECT.",
        &["5.0:MQTT-3.14.0-1"],
        &[when(On::Refused(&["FIRST_PACKET"]), |moment| {
            moment.lose();
            moment.send_bytes_to_client_of(moment.link, vec![0xE0, 0x01, 0x82]);
            moment.close();
        })],
    ),
    fault(
        "refused-connection-stays-open",
        "The connection stays open behind a CONNACK that refuses.",
        &["3.1.1:MQTT-3.2.2-5", "5.0:MQTT-3.2.2-7", "5.0:MQTT-3.1.4-2", "5.0:MQTT-4.12.0-4"],
        &[when(On::ServerCloses, |moment| {
            if moment.it().is_refused {
                moment.lose();
            }
        })],
    ),
    fault(
        "wildcard-in-a-topic-acknowledged",
        "A PUBLISH to a topic with wildcards is acknowledged and goes nowhere.",
        &["MQTT-3.3.2-2", "3.1.1:MQTT-4.7.1-1", "5.0:MQTT-4.7.0-1", "X-26"],
        &[client(Publish, |moment| {
            if moment.publish().is_some_and(|publish| publish.topic.contains(['+', '#'])) {
                moment.lose();
                moment.acknowledge();
            }
        })],
    ),
    fault(
        "wildcard-in-a-topic-delivered",
        "A PUBLISH to a topic with wildcards is delivered.",
        &["MQTT-3.3.2-2", "3.1.1:MQTT-4.7.1-1", "5.0:MQTT-4.7.0-1", "P-TOP-9", "X-26"],
        &[client(Publish, |moment| {
            if let Some(message) = resolved(moment).filter(|message| message.topic.contains(['+', '#'])) {
                moment.deliver_to_subscribers(&message);
            }
        })],
    ),
    fault(
        "wildcard-in-a-response-topic-delivered",
        "A message whose Response Topic has wildcards is delivered.",
        &["5.0:MQTT-3.3.2-14"],
        &[client(Publish, |moment| {
            let message = resolved(moment);
            let has_wildcard = |topic: &Utf8String| topic.contains(['+', '#']);
            if let Some(message) =
                message.filter(|message| message.properties.response_topic.as_ref().is_some_and(has_wildcard))
            {
                moment.deliver_to_subscribers(&message);
            }
        })],
    ),
    fault(
        "ill-formed-filter-granted",
        "A filter with misplaced wildcards is granted.",
        &["3.1.1:MQTT-3.8.4-5", "5.0:MQTT-3.8.4-7", "MQTT-4.7.3-1"],
        &[client(Subscribe, |moment| {
            let Some(Packet::Subscribe(subscribe)) = &moment.packet else { return };
            if subscribe.requests.iter().any(|request| parse(&request.filter).is_none()) {
                let (packet_id, count) = (subscribe.packet_id, subscribe.requests.len());
                moment.lose();
                moment.grant(packet_id, count);
            }
        })],
    ),
    fault(
        "auth-without-method-ignored",
        "An AUTH where CONNECT named no Authentication Method is skipped.",
        &["5.0:MQTT-4.13.1-1"],
        &[client(Auth, |moment| moment.lose()), ignore(&["AUTHENTICATION_METHOD_MISSING"])],
    ),
    fault(
        "session-expiry-invented-by-disconnect",
        "DISCONNECT can ask for a session that CONNECT did not ask for.",
        &["5.0:MQTT-4.1.0-2", "5.0:MQTT-4.13.1-1"],
        &[
            client(Connect, |moment| {
                if let Some(Packet::Connect(connect)) = &mut moment.packet
                    && connect.properties.session_expiry_interval.is_none()
                {
                    connect.properties.session_expiry_interval = Some(1);
                }
            }),
            client(Disconnect, |moment| {
                let told = moment.it().connect.as_ref().and_then(|connect| connect.properties.session_expiry_interval);
                if let Some(Packet::Disconnect(disconnect)) = &mut moment.packet
                    && told.is_none()
                    && disconnect.properties.session_expiry_interval.is_none()
                {
                    disconnect.properties.session_expiry_interval = Some(0);
                }
            }),
        ],
    ),
    fault(
        "disconnect-without-an-end",
        "The connection stays open behind a DISCONNECT of the server.",
        &["5.0:MQTT-3.14.4-2", "5.0:MQTT-4.13.2-1"],
        &[when(On::ServerCloses, |moment| {
            if moment.it().server_said_disconnect {
                moment.lose();
            }
        })],
    ),
    fault(
        "packets-behind-disconnect",
        "A PINGRESP follows the DISCONNECT of the server.",
        &["5.0:MQTT-3.14.4-1"],
        &[server(Disconnect, |moment| {
            moment.follow_with(&Packet::Pingresp);
        })],
    ),
    fault(
        "unknown-disconnect-code",
        "DISCONNECT of the server carries a code that is none of its own.",
        &["5.0:MQTT-3.14.2-1", "5.0:P-RC-14"],
        &[server(Disconnect, |moment| {
            moment.rewrite(|bytes| *bytes = vec![0xE0, 0x01, 0x01]);
        })],
    ),
    fault(
        "no-connection-is-ended",
        "The server ends no connection by itself.",
        &["3.1.1:MQTT-4.8.0-1", "5.0:MQTT-4.13.1-1", "3.1.1:MQTT-3.1.4-1", "5.0:MQTT-3.1.4-1"],
        &[
            when(On::ServerCloses, |moment| {
                if !moment.it().client_said_disconnect {
                    moment.lose();
                }
            }),
            server(Disconnect, |moment| moment.lose()),
        ],
    ),
];
