//! What a server keeps for a client, and what it says about it.

use crate::fault::moment::{Moment, with_dup};
use crate::fault::proxy_fault::{On, ProxyFault, client, fault, server, when};
use crate::fault::theme::connect::text;
use model::packet::PacketType::{Connack, Connect, Disconnect, Publish};
use model::packet::{Packet, ProtocolVersion, Qos};
use std::time::Duration;

const REPEATED: &[&str] = &[
    "3.1.1:MQTT-4.4.0-1",
    "5.0:MQTT-4.4.0-1",
    "5.0:MQTT-4.3.2-3",
    "5.0:MQTT-4.3.3-3",
    "V31-18",
    "P-SES-6",
    "X-14",
    "X-15",
];

pub(super) static FAULTS: &[ProxyFault] = &[
    fault(
        "session-present-always-0",
        "CONNACK says that there is no session, also where there is one.",
        &["3.1.1:MQTT-3.2.2-2", "5.0:MQTT-3.2.2-3"],
        &[server(Connack, |moment| {
            if let Some(connack) = moment.accepting() {
                connack.session_present = false;
            }
        })],
    ),
    fault(
        "session-present-always-1",
        "CONNACK says that there is a session, also where there is none.",
        &["3.1.1:MQTT-3.2.2-1", "3.1.1:MQTT-3.2.2-3", "5.0:MQTT-3.2.2-2", "5.0:MQTT-3.2.2-3", "X-37"],
        &[server(Connack, |moment| {
            if moment.version() != ProtocolVersion::V3_1
                && let Some(connack) = moment.accepting()
            {
                connack.session_present = true;
            }
        })],
    ),
    fault(
        "session-present-in-3-1",
        "CONNACK of 3.1 has a Session Present flag where a session was kept.",
        &["V31-6"],
        &[server(Connack, |moment| {
            if moment.link > 0 {
                moment.rewrite(|bytes| {
                    if let Some(flags) = bytes.get_mut(2) {
                        *flags |= 1;
                    }
                });
            }
        })],
    ),
    fault(
        "session-present-in-a-refusal",
        "A CONNACK that refuses has the Session Present flag.",
        &["3.1.1:MQTT-3.2.2-4", "5.0:MQTT-3.2.2-6"],
        &[server(Connack, |moment| {
            if moment.accepting().is_none() {
                moment.rewrite(|bytes| {
                    if let Some(flags) = bytes.get_mut(2) {
                        *flags |= 1;
                    }
                });
            }
        })],
    ),
    fault(
        "every-session-is-kept",
        "CONNECT goes on with the old session whatever it asks for, and every session is kept.",
        &[
            "3.1.1:MQTT-3.1.2-6",
            "3.1.1:MQTT-3.1.4-3",
            "5.0:MQTT-3.1.2-4",
            "5.0:MQTT-3.1.4-4",
            "P-SES-2",
            "N-SEX-2",
            "N-SEX-3",
            "P-SES-1",
        ],
        &[client(Connect, |moment| {
            if let Some(Packet::Connect(connect)) = &mut moment.packet
                && !connect.client_id.is_empty()
            {
                connect.clean_start = false;
            }
            keep(moment);
        })],
    ),
    fault(
        "every-session-begins-anew",
        "CONNECT begins a new session, whatever it asks for.",
        &[
            "3.1.1:MQTT-3.1.2-4",
            "3.1.1:MQTT-3.1.4-3",
            "5.0:MQTT-3.1.2-5",
            "5.0:MQTT-3.1.4-4",
            "P-SES-3",
            "N-SEX-2",
            "P-SES-1",
            "X-40",
        ],
        &[client(Connect, |moment| {
            if let Some(Packet::Connect(connect)) = &mut moment.packet {
                connect.clean_start = true;
            }
        })],
    ),
    fault(
        "session-expiry-taken-for-0",
        "A session ends with its connection, whatever its Session Expiry Interval.",
        &["5.0:MQTT-3.1.2-23", "N-SEX-1", "N-SEX-2"],
        &[client(Connect, |moment| {
            if let Some(Packet::Connect(connect)) = &mut moment.packet {
                connect.properties.session_expiry_interval = None;
            }
        })],
    ),
    fault(
        "session-expiry-taken-for-longer",
        "A session with a Session Expiry Interval is kept for a minute at least.",
        &["5.0:MQTT-4.1.0-2", "N-SEX-1", "N-SEX-3"],
        &[client(Connect, |moment| {
            if let Some(Packet::Connect(connect)) = &mut moment.packet
                && let Some(interval) = &mut connect.properties.session_expiry_interval
            {
                *interval = 60.max(*interval);
            }
        })],
    ),
    fault(
        "unasked-session-is-kept",
        "A session for which no Session Expiry Interval was asked is kept for a minute.",
        &["5.0:MQTT-4.1.0-2"],
        &[client(Connect, keep)],
    ),
    fault(
        "session-expiry-of-disconnect-ignored",
        "A Session Expiry Interval in DISCONNECT has no meaning.",
        &["5.0:MQTT-4.1.0-2", "5.0:MQTT-3.1.2-23", "N-SEX-1"],
        &[client(Disconnect, |moment| {
            if let Some(Packet::Disconnect(disconnect)) = &mut moment.packet {
                disconnect.properties.session_expiry_interval = None;
            }
        })],
    ),
    fault(
        "session-expiry-counts-from-connect",
        "A session of which the expiry is shorter than its connection ends while the client is there.",
        &["5.0:MQTT-4.1.0-1"],
        &[
            server(Connack, |moment| {
                let it = moment.it();
                let interval = it.connect.as_ref().and_then(|connect| connect.properties.session_expiry_interval);
                if let Some(seconds) = interval.filter(|seconds| (1..30).contains(seconds)) {
                    it.alarm = Some(tokio::time::Instant::now() + Duration::from_secs(u64::from(seconds)));
                }
            }),
            when(On::Alarm, |moment| {
                moment.it().kept = vec![Packet::Pingreq];
            }),
            server(Publish, |moment| {
                if !moment.it().kept.is_empty() {
                    moment.lose_delivery();
                }
            }),
        ],
    ),
    fault(
        "repeated-delivery-lost",
        "What a client did not acknowledge does not come again when it is back.",
        REPEATED,
        &[server(Publish, |moment| {
            if is_repeated(moment) {
                moment.lose_delivery();
            }
        })],
    ),
    fault(
        "repeated-delivery-without-dup",
        "What a client did not acknowledge comes again as if for the first time.",
        &["MQTT-3.3.1-1"],
        &[server(Publish, |moment| {
            if let Some(publish) = moment.publish() {
                publish.delivery = with_dup(publish.delivery, false);
            }
        })],
    ),
    fault(
        "repeated-delivery-under-another-id",
        "What a client did not acknowledge comes again under another identifier.",
        &["3.1.1:MQTT-4.4.0-1", "5.0:MQTT-4.4.0-1", "V31-18"],
        &[server(Publish, |moment| {
            if is_repeated(moment) {
                let id = moment.it().free_id();
                moment.rename_delivery(id);
            }
        })],
    ),
    fault(
        "repeated-without-a-reconnect",
        "A delivery comes again at once, with DUP, on the same connection.",
        &["5.0:MQTT-4.4.0-1", "X-14"],
        &[server(Publish, |moment| {
            if let Some(mut again) = moment.publish().cloned().filter(|publish| publish.qos() != Qos::AtMostOnce) {
                again.delivery = with_dup(again.delivery, true);
                moment.follow_with(&Packet::Publish(again));
            }
        })],
    ),
    fault(
        "repeated-at-once-without-dup",
        "A delivery comes twice under one identifier, both times as if for the first time.",
        &["MQTT-3.3.1-1", "X-14"],
        &[server(Publish, |moment| {
            if moment.publish().is_some_and(|publish| publish.qos() != Qos::AtMostOnce) {
                moment.twice();
            }
        })],
    ),
    fault(
        "acknowledged-delivery-comes-again",
        "A delivery that the client has acknowledged, or refused, comes again when it is back.",
        &[
            "3.1.1:MQTT-4.4.0-1",
            "5.0:MQTT-4.4.0-2",
            "5.0:MQTT-4.4.0-1",
            "3.1.1:MQTT-4.3.2-1",
            "5.0:MQTT-4.3.2-3",
            "P-SES-6",
        ],
        &[server(Connack, |moment| {
            if moment.accepting().is_some()
                && let Some(mut again) = moment.scene.acknowledged_before(moment.link)
            {
                again.delivery = with_dup(again.delivery, true);
                let id = again.packet_id();
                moment.it().invented.extend(id);
                moment.follow_with(&Packet::Publish(again));
            }
        })],
    ),
    fault(
        "sessions-mixed-up",
        "A client that comes back gets the session of another one.",
        &["MQTT-3.1.3-2"],
        &[client(Connect, |moment| {
            let all: Vec<String> = moment.scene.sessions.keys().cloned().collect();
            if let Some(Packet::Connect(connect)) = &mut moment.packet
                && !connect.clean_start
                && all.iter().any(|session| session == connect.client_id.as_str())
                && let Some(other) = all.iter().find(|session| *session != connect.client_id.as_str())
            {
                connect.client_id = text(other);
            }
        })],
    ),
    fault(
        "idle-session-forgotten",
        "After a second without a packet of the client nothing is delivered to it any more.",
        &["3.1.1:MQTT-4.1.0-2", "5.0:MQTT-4.1.0-1"],
        &[server(Publish, |moment| {
            if moment.it().heard.elapsed() > Duration::from_secs(1) {
                moment.lose_delivery();
            }
        })],
    ),
    fault(
        "expired-delivery-not-repeated",
        "A delivery with a Message Expiry Interval does not come again when the client is back.",
        &["5.0:MQTT-4.3.3-7"],
        &[server(Publish, |moment| {
            if moment
                .publish()
                .is_some_and(|publish| publish.dup() && publish.properties.message_expiry_interval.is_some())
            {
                moment.lose_delivery();
            }
        })],
    ),
];

fn is_repeated(moment: &mut Moment<'_>) -> bool {
    moment.publish().is_some_and(|publish| publish.dup())
}

/// Has the server keep the session.
fn keep(moment: &mut Moment<'_>) {
    if let Some(Packet::Connect(connect)) = &mut moment.packet
        && moment.scene.version == ProtocolVersion::V5_0
        && connect.properties.session_expiry_interval.is_none()
    {
        connect.properties.session_expiry_interval = Some(60);
    }
}
