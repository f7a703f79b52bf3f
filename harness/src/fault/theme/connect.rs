//! How a server answers CONNECT.

use crate::fault::moment::{Moment, lost, twice};
use crate::fault::proxy_fault::{On, ProxyFault, client, fault, server, when};
use model::packet::PacketType::{Connack, Connect, Disconnect, Publish};
use model::packet::{
    ConnectProperties, ConnectReturnCode, Delivery, Packet, ProtocolVersion, Publish as Message, PublishProperties,
    ReasonCode, Utf8String,
};
use std::time::Duration;

const ACCEPTED: &[&str] = &["3.1.1:MQTT-3.1.4-4", "5.0:MQTT-3.1.4-5", "3.1.1:P-RC-1", "P-VER-1", "P-VER-3"];

pub(super) static FAULTS: &[ProxyFault] =
    &[
        fault("connack-lost", "No CONNACK arrives.", ACCEPTED, &[server(Connack, lost)]),
        fault("connack-twice", "CONNACK comes twice.", &["5.0:MQTT-3.2.0-2"], &[server(Connack, twice)]),
        fault(
            "connack-behind-another-packet",
            "A PINGRESP comes before CONNACK.",
            &["MQTT-3.2.0-1"],
            &[server(Connack, |moment| {
                if moment.accepting().is_some() {
                    moment.send_to_client(&Packet::Pingresp);
                }
            })],
        ),
        fault(
            "stored-message-before-connack",
            "What waited for a client comes before the CONNACK.",
            &["MQTT-3.2.0-1"],
            &[
                server(Connack, |moment| {
                    let is_resumed = moment.scene.subscriptions(moment.link).next().is_some();
                    if moment.accepting().is_some() && is_resumed {
                        moment.it().kept = moment.packet.iter().cloned().collect();
                        moment.lose();
                        moment.wake_after(Duration::from_millis(1));
                    }
                }),
                server(Publish, follow_with_kept),
                when(On::Alarm, |moment| {
                    for packet in std::mem::take(&mut moment.it().kept) {
                        moment.send_to_client(&packet);
                    }
                }),
            ],
        ),
        fault(
            "valid-connect-refused",
            "A valid CONNECT is refused, as if the server were not available.",
            ACCEPTED,
            &[client(Connect, |moment| {
                if moment.it().connack.is_none() {
                    moment.refuse(ConnectReturnCode::ServerUnavailable, ReasonCode::ServerUnavailable);
                }
            })],
        ),
        fault(
            "valid-connect-closed",
            "A valid CONNECT is answered by the end of the connection.",
            ACCEPTED,
            &[server(Connack, |moment| {
                if moment.accepting().is_some() {
                    moment.lose();
                    moment.close();
                }
            })],
        ),
        fault(
            "plain-client-id-refused",
            "A client id of at most 23 letters and digits is refused.",
            &["MQTT-3.1.3-5"],
            &[client(Connect, |moment| {
                let is_plain =
                    |id: &str| (1..=23).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
                if let Some(Packet::Connect(connect)) = &moment.packet
                    && is_plain(&connect.client_id)
                {
                    moment.refuse(ConnectReturnCode::IdentifierRejected, ReasonCode::ClientIdentifierNotValid);
                }
            })],
        ),
        fault(
            "unusual-client-id-refused-with-another-code",
            "An unusual client id is refused as if its user were not authorized.",
            &["3.1.1:MQTT-3.1.3-9"],
            &[client(Connect, |moment| {
                if has_unusual_id(moment) && moment.version() == ProtocolVersion::V3_1_1 {
                    moment.refuse(ConnectReturnCode::NotAuthorized, ReasonCode::NotAuthorized);
                }
            })],
        ),
        fault(
            "unusual-client-id-left-hanging",
            "A CONNECT with an unusual client id is neither answered nor ended.",
            &["3.1.1:MQTT-3.1.3-9", "5.0:MQTT-3.1.3-8"],
            &[client(Connect, |moment| {
                if has_unusual_id(moment) {
                    moment.lose();
                }
            })],
        ),
        fault(
            "empty-client-ids-share-a-session",
            "All clients without a client id get the same one, so that they oust each other.",
            &["3.1.1:MQTT-3.1.3-6", "5.0:MQTT-3.1.3-6", "5.0:MQTT-3.2.2-16"],
            &[client(Connect, |moment| {
                if let Some(Packet::Connect(connect)) = &mut moment.packet
                    && connect.client_id.is_empty()
                {
                    connect.client_id = text("nobody");
                }
            })],
        ),
        fault(
            "assigned-client-id-untold",
            "CONNACK does not tell the client id that the server has assigned.",
            &["5.0:MQTT-3.1.3-7", "5.0:MQTT-3.2.2-16", "P-CID-13"],
            &[server(Connack, |moment| {
                if let Some(connack) = moment.accepting() {
                    connack.properties.assigned_client_identifier = None;
                }
            })],
        ),
        fault(
            "another-assigned-client-id",
            "CONNACK tells another client id than the one of the session.",
            &["5.0:MQTT-3.1.3-7"],
            &[server(Connack, |moment| {
                if let Some(connack) = moment.accepting()
                    && let Some(id) = &mut connack.properties.assigned_client_identifier
                {
                    *id = text(&format!("{id}x"));
                }
            })],
        ),
        fault(
            "unknown-connack-code",
            "CONNACK carries a code that does not exist.",
            &["V31-7", "3.1.1:MQTT-3.2.2-6", "5.0:MQTT-3.2.2-8"],
            &[server(Connack, |moment| moment.craft(|packet| packet.patch(1, &[0x7F])))],
        ),
        fault(
            "connack-with-reserved-acknowledge-flags",
            "CONNACK has a reserved acknowledge flag set.",
            &["5.0:MQTT-3.2.2-1"],
            &[server(Connack, |moment| {
                moment.rewrite(|bytes| {
                    if let Some(flags) = bytes.get_mut(2) {
                        *flags |= 0x80;
                    }
                })
            })],
        ),
        fault(
            "unasked-response-information",
            "CONNACK has Response Information that nobody asked for.",
            &["5.0:MQTT-3.1.2-28"],
            &[server(Connack, |moment| {
                let asked =
                    moment.it().connect.as_ref().and_then(|connect| connect.properties.request_response_information);
                if asked != Some(true)
                    && let Some(connack) = moment.accepting()
                {
                    connack.properties.response_information = Some(text("r/"));
                }
            })],
        ),
        fault(
            "connect-properties-refused",
            "A CONNECT with properties is refused.",
            &["5.0:MQTT-3.1.4-5", "N-UPR-1"],
            &[client(Connect, |moment| {
                if let Some(Packet::Connect(connect)) = &moment.packet
                    && connect.properties != ConnectProperties::default()
                {
                    moment.refuse(ConnectReturnCode::ServerUnavailable, ReasonCode::UnspecifiedError);
                }
            })],
        ),
        fault(
            "client-without-a-session-refused",
            "A client that asks for its session is refused where there is none.",
            &["3.1.1:MQTT-3.1.2-4", "5.0:MQTT-3.1.2-6"],
            &[server(Connack, |moment| {
                let asks = moment.it().connect.as_ref().is_some_and(|connect| !connect.clean_start);
                if moment.accepting().is_some_and(|connack| !connack.session_present) && asks {
                    moment.it().connack = None;
                    moment.refuse(ConnectReturnCode::IdentifierRejected, ReasonCode::UnspecifiedError);
                }
            })],
        ),
        fault(
            "failed-check-left-hanging",
            "A CONNECT that is in order and refused nevertheless is neither answered nor ended.",
            &["5.0:MQTT-3.1.4-2"],
            &[
                server(Connack, |moment| {
                    if moment.accepting().is_none() && moment.it().refused_rule.is_none() {
                        moment.lose();
                    }
                }),
                when(On::ServerCloses, |moment| {
                    if moment.it().is_refused && moment.it().refused_rule.is_none() {
                        moment.lose();
                    }
                }),
            ],
        ),
        fault(
            "keep-alive-off-refused",
            "A CONNECT that turns Keep Alive off is refused.",
            ACCEPTED,
            &[client(Connect, |moment| {
                if let Some(Packet::Connect(connect)) = &moment.packet
                    && connect.keep_alive == 0
                {
                    moment.refuse(ConnectReturnCode::ServerUnavailable, ReasonCode::UnspecifiedError);
                }
            })],
        ),
        fault(
            "newer-connection-refused",
            "A client id that is connected already is refused a second time.",
            &["V31-13", "3.1.1:MQTT-3.1.4-2", "5.0:MQTT-3.1.4-3", "P-CON-4", "X-38", "X-39"],
            &[client(Connect, |moment| {
                if let Some(Packet::Connect(connect)) = moment.packet.clone()
                    && moment.scene.served().into_iter().any(|link| {
                        link != moment.link && moment.scene.links[link].session == connect.client_id.as_str()
                    })
                {
                    moment.refuse(ConnectReturnCode::IdentifierRejected, ReasonCode::ClientIdentifierNotValid);
                }
            })],
        ),
        fault(
            "older-connection-stays",
            "The older connection of a client id is not ended.",
            &["V31-13", "3.1.1:MQTT-3.1.4-2", "5.0:MQTT-3.1.4-3", "P-CON-4", "X-38", "X-39"],
            &[
                server(Disconnect, |moment| {
                    if is_ousted(moment) {
                        moment.lose();
                    }
                }),
                when(On::ServerCloses, |moment| {
                    if is_ousted(moment) {
                        moment.lose();
                    }
                }),
            ],
        ),
        fault(
            "refused-client-is-served",
            "What a client publishes behind a CONNECT that is refused reaches the subscribers.",
            &["3.1.1:MQTT-3.1.4-5", "5.0:MQTT-3.1.4-6"],
            &[client(Publish, |moment| {
                let is_refusable = moment.it().connect.as_ref().is_some_and(|connect| {
                    connect.properties.authentication_method.is_some()
                        || connect.client_id.is_empty() && !connect.clean_start
                });
                if let (true, Some(publish)) = (is_refusable, moment.publish().cloned()) {
                    moment.deliver_to_subscribers(&publish);
                }
            })],
        ),
        fault(
            "refused-client-has-a-will",
            "The Will of a client whose CONNECT is refused is published.",
            &["3.1.1:MQTT-3.1.4-5", "5.0:MQTT-3.1.4-6"],
            &[server(Connack, |moment| {
                let will = moment.it().connect.as_ref().and_then(|connect| connect.will.clone());
                if moment.accepting().is_none()
                    && let Some(will) = will
                {
                    let message = Message {
                        delivery: Delivery::AtMostOnce,
                        retain: false,
                        topic: will.topic,
                        properties: PublishProperties::default(),
                        payload: will.payload,
                    };
                    moment.deliver_to_subscribers(&message);
                }
            })],
        ),
    ];

fn follow_with_kept(moment: &mut Moment<'_>) {
    for packet in std::mem::take(&mut moment.it().kept) {
        moment.follow_with(&packet);
    }
}

fn has_unusual_id(moment: &Moment<'_>) -> bool {
    let is_plain = |id: &str| id.len() <= 23 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    matches!(&moment.packet, Some(Packet::Connect(connect)) if !is_plain(&connect.client_id))
}

/// Whether a later connection has the same client id.
fn is_ousted(moment: &mut Moment<'_>) -> bool {
    let session = moment.it().session.clone();
    let said_goodbye = moment.it().client_said_disconnect;
    !said_goodbye && moment.scene.links[moment.link + 1..].iter().any(|later| later.session == session)
}

/// A text that is short and has no null character.
pub(super) fn text(text: &str) -> Utf8String {
    Utf8String::new(text).unwrap_or_default()
}
