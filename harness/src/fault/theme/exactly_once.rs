//! QoS 2, with the server at either end.

use crate::fault::moment::{Moment, lost, twice, with_dup};
use crate::fault::proxy_fault::{ProxyFault, client, fault, server};
use model::packet::PacketType::{Pubcomp, Publish, Pubrec, Pubrel};
use model::packet::{Acknowledgement, Disconnect, DisconnectProperties, Packet, Qos, ReasonCode};

const RECEIVES: &[&str] = &["MQTT-3.3.4-1", "3.1.1:MQTT-4.3.3-2", "5.0:MQTT-4.3.3-8"];
const COMPLETES: &[&str] = &["3.1.1:MQTT-4.3.3-2", "5.0:MQTT-4.3.3-11"];
const RELEASES: &[&str] = &["3.1.1:MQTT-4.3.3-1", "5.0:MQTT-4.3.3-4"];

pub(super) static FAULTS: &[ProxyFault] = &[
    fault("pubrec-lost", "No PUBREC arrives.", RECEIVES, &[server(Pubrec, lost)]),
    fault("pubrec-twice", "PUBREC comes twice.", RECEIVES, &[server(Pubrec, twice)]),
    fault(
        "pubrec-for-another-id",
        "PUBREC names another identifier than PUBLISH.",
        &["3.1.1:MQTT-2.3.1-6", "5.0:MQTT-2.2.1-5"],
        &[server(Pubrec, next_id)],
    ),
    fault(
        "puback-for-qos-2",
        "A PUBLISH of QoS 2 is answered by PUBACK.",
        RECEIVES,
        &[server(Pubrec, |moment| {
            if let Some(Packet::Pubrec(pubrec)) = moment.packet.clone() {
                moment.packet = Some(Packet::Puback(pubrec));
            }
        })],
    ),
    fault(
        "refused-identifier-stays-taken",
        "After a PUBREC that refuses, its identifier is refused as one in use.",
        &["5.0:MQTT-4.3.3-9"],
        &[server(Pubrec, |moment| {
            let Some(Packet::Pubrec(pubrec)) = moment.packet.clone() else { return };
            let refused = |kept: &Packet| matches!(kept, Packet::Pubrec(other) if other.packet_id == pubrec.packet_id);
            if pubrec.reason.is_error() {
                moment.it().kept.push(Packet::Pubrec(pubrec));
            } else if moment.it().kept.iter().any(refused) {
                moment.packet =
                    Some(Packet::Pubrec(Acknowledgement { reason: ReasonCode::PacketIdentifierInUse, ..pubrec }));
            }
        })],
    ),
    fault(
        "qos-2-refused-unannounced",
        "A PUBLISH of QoS 2 ends the connection, though CONNACK announced no Maximum QoS.",
        &["5.0:MQTT-3.2.2-9"],
        &[client(Publish, |moment| {
            let announced = moment.it().connack.as_ref().and_then(|connack| connack.properties.maximum_qos);
            if announced.is_none() && moment.publish().is_some_and(|publish| publish.qos() == Qos::ExactlyOnce) {
                moment.lose();
                let properties = DisconnectProperties::default();
                let reason = ReasonCode::QosNotSupported;
                moment.send_to_client(&Packet::Disconnect(Disconnect { reason, properties }));
                moment.close();
            }
        })],
    ),
    fault("pubcomp-lost", "No PUBCOMP arrives.", COMPLETES, &[server(Pubcomp, lost)]),
    fault("pubcomp-twice", "PUBCOMP comes twice.", COMPLETES, &[server(Pubcomp, twice)]),
    fault(
        "pubcomp-for-another-id",
        "PUBCOMP names another identifier than PUBREL.",
        &["5.0:MQTT-2.2.1-5", "5.0:MQTT-4.3.3-11", "3.1.1:MQTT-4.3.3-2"],
        &[server(Pubcomp, next_id)],
    ),
    fault(
        "pubcomp-before-pubrel",
        "PUBCOMP follows PUBREC at once.",
        COMPLETES,
        &[server(Pubrec, |moment| {
            if let Some(Packet::Pubrec(pubrec)) = moment.packet.clone() {
                moment.follow_with(&Packet::Pubcomp(Acknowledgement::success(pubrec.packet_id)));
            }
        })],
    ),
    fault(
        "pubrel-answered-by-pubrec",
        "PUBREL is answered by PUBREC.",
        COMPLETES,
        &[server(Pubcomp, |moment| {
            if let Some(Packet::Pubcomp(pubcomp)) = moment.packet.clone() {
                moment.packet = Some(Packet::Pubrec(pubcomp));
            }
        })],
    ),
    fault("pubrel-lost", "PUBREC of the client is not answered by PUBREL.", RELEASES, &[server(Pubrel, lost)]),
    fault(
        "pubrel-for-another-id",
        "PUBREL names another identifier than PUBLISH.",
        &["3.1.1:MQTT-2.3.1-6", "5.0:MQTT-2.2.1-5", "5.0:MQTT-4.3.3-4"],
        &[server(Pubrel, next_id)],
    ),
    fault(
        "pubrel-with-reserved-flags",
        "PUBREL has other flags than 0010.",
        &["V31-10", "MQTT-3.6.1-1", "3.1.1:MQTT-2.2.2-1", "5.0:MQTT-2.1.3-1"],
        &[server(Pubrel, |moment| {
            moment.craft(|packet| packet.flags(0));
        })],
    ),
    fault(
        "publish-after-pubrel",
        "A PUBLISH comes again behind its PUBREL.",
        &["3.1.1:MQTT-4.3.3-1", "5.0:MQTT-4.3.3-6"],
        &[server(Pubrel, |moment| {
            let id = moment.packet.as_ref().and_then(Packet::packet_id);
            let again = id.and_then(|id| moment.it().in_flight.get(&id).cloned());
            if let Some(mut again) = again {
                again.delivery = with_dup(again.delivery, true);
                moment.follow_with(&Packet::Publish(again));
            }
        })],
    ),
    fault(
        "qos-2-delivered-at-qos-1",
        "A message of QoS 2 arrives at QoS 1, though QoS 2 was granted.",
        &["3.1.1:MQTT-3.8.4-6", "5.0:MQTT-3.8.4-8"],
        &[server(Publish, |moment| {
            if let Some(publish) = moment.publish().cloned().filter(|publish| publish.qos() == Qos::ExactlyOnce) {
                moment.lose_delivery();
                let link = moment.link;
                moment.deliver(link, &publish, Qos::AtLeastOnce);
            }
        })],
    ),
    fault(
        "qos-2-delivered-twice",
        "A message of QoS 2 is delivered again as a new one.",
        &["3.1.1:MQTT-4.3.3-2", "5.0:MQTT-4.3.3-10", "5.0:MQTT-4.3.3-1"],
        &[server(Publish, |moment| {
            if let Some(publish) = moment.publish().cloned().filter(|publish| publish.qos() == Qos::ExactlyOnce) {
                let link = moment.link;
                moment.deliver(link, &publish, Qos::ExactlyOnce);
            }
        })],
    ),
    fault(
        "qos-2-delivered-before-it-is-released-again",
        "A QoS 2 message that comes again before PUBREL is taken for a new one.",
        &["3.1.1:MQTT-4.3.3-2", "5.0:MQTT-4.3.3-10"],
        &[client(Publish, |moment| {
            let message =
                moment.publish().cloned().filter(|publish| publish.dup() && publish.qos() == Qos::ExactlyOnce);
            if let Some(message) = message {
                moment.deliver_to_subscribers(&message);
            }
        })],
    ),
    fault(
        "pubrel-not-repeated",
        "A PUBREL that was not answered does not come again when the client is back.",
        &["3.1.1:MQTT-4.4.0-1", "5.0:MQTT-4.4.0-1", "5.0:MQTT-4.3.3-5"],
        &[server(Pubrel, |moment| {
            if moment.it().deliveries == 0 {
                moment.lose();
            }
        })],
    ),
    fault(
        "publish-instead-of-pubrel-repeated",
        "A PUBLISH comes again when the client is back, where its PUBREL had gone out.",
        &["3.1.1:MQTT-4.3.3-1", "5.0:MQTT-4.3.3-6"],
        &[server(Pubrel, |moment| {
            let (link, id) = (moment.link, moment.packet.as_ref().and_then(Packet::packet_id));
            let earlier = moment.scene.links[..link].iter().rev().find_map(|link| link.in_flight.get(&id?).cloned());
            if moment.it().deliveries == 0
                && let Some(mut again) = earlier
            {
                moment.lose();
                again.delivery = with_dup(again.delivery, true);
                moment.send_to_client(&Packet::Publish(again));
            }
        })],
    ),
    fault(
        "unknown-pubrec-code",
        "PUBREC carries a code that is none of its own.",
        &["5.0:MQTT-3.5.2-1"],
        &[server(Pubrec, unknown_code)],
    ),
    fault(
        "unknown-pubcomp-code",
        "PUBCOMP carries a code that is none of its own.",
        &["5.0:MQTT-3.7.2-1"],
        &[server(Pubcomp, unknown_code)],
    ),
    fault(
        "unknown-pubrel-code",
        "PUBREL carries a code that is none of its own.",
        &["5.0:MQTT-3.6.2-1"],
        &[server(Pubrel, unknown_code)],
    ),
    fault(
        "expired-message-is-not-completed",
        "PUBREL of a message with a Message Expiry Interval is not answered.",
        &["5.0:MQTT-4.3.3-13"],
        &[client(Pubrel, |moment| {
            let id = moment.packet.as_ref().and_then(Packet::packet_id);
            let upload = id.and_then(|id| moment.it().uploads.get(&id));
            if upload.is_some_and(|upload| upload.properties.message_expiry_interval.is_some()) {
                moment.lose();
            }
        })],
    ),
    fault(
        "refused-delivery-is-released",
        "A PUBREC that refuses a delivery is answered by PUBREL.",
        &["5.0:MQTT-4.4.0-2"],
        &[client(Pubrec, |moment| {
            if let Some(Packet::Pubrec(pubrec)) = moment.packet.clone()
                && pubrec.reason.is_error()
            {
                moment.send_to_client(&Packet::Pubrel(Acknowledgement::success(pubrec.packet_id)));
            }
        })],
    ),
    fault(
        "refused-id-never-freed",
        "After a PUBREC that refuses a message its identifier still stands for it: the next one with it is not answered.",
        &["5.0:MQTT-4.3.3-9"],
        &[
            server(Pubrec, |moment| {
                if let Some(Packet::Pubrec(pubrec)) = &moment.packet
                    && pubrec.reason.is_error()
                {
                    let id = usize::from(pubrec.packet_id.value());
                    moment.it().counted = id;
                }
            }),
            client(Publish, |moment| {
                let id = moment.publish().and_then(|publish| publish.packet_id());
                if id.is_some_and(|id| usize::from(id.value()) == moment.it().counted) {
                    moment.lose();
                }
            }),
        ],
    ),
];

fn next_id(moment: &mut Moment<'_>) {
    if let Some(Packet::Pubrec(it) | Packet::Pubcomp(it) | Packet::Pubrel(it)) = &mut moment.packet {
        it.packet_id = it.packet_id.next();
    }
}

/// 0x01 is a code of SUBACK only.
pub(super) fn unknown_code(moment: &mut Moment<'_>) {
    moment.rewrite(|bytes| {
        bytes.truncate(4);
        bytes.push(0x01);
        bytes[1] = 3;
    });
}
