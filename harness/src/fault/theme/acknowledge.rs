//! How a server acknowledges what a client publishes at QoS 1.

use crate::fault::moment::{lost, twice};
use crate::fault::proxy_fault::{ProxyFault, client, fault, server};
use model::packet::PacketType::{Puback, Publish};
use model::packet::{Acknowledgement, Packet, PacketId, Qos};

/// The statements about the answer to a PUBLISH of QoS 1.
const ANSWER: &[&str] = &["MQTT-3.3.4-1", "3.1.1:MQTT-4.3.2-2", "5.0:MQTT-4.3.2-4"];

pub(super) static FAULTS: &[ProxyFault] = &[
    fault("puback-lost", "No PUBACK arrives.", ANSWER, &[server(Puback, lost)]),
    fault("puback-twice", "Every PUBACK comes twice.", ANSWER, &[server(Puback, twice)]),
    fault(
        "puback-for-another-id",
        "PUBACK names the identifier that follows the one of the PUBLISH.",
        &["3.1.1:MQTT-2.3.1-6", "5.0:MQTT-2.2.1-5", "3.1.1:MQTT-4.3.2-2", "5.0:MQTT-4.3.2-4"],
        &[server(Puback, |moment| {
            if let Some(Packet::Puback(puback)) = &mut moment.packet {
                puback.packet_id = puback.packet_id.next();
            }
        })],
    ),
    fault(
        "pubrec-for-qos-1",
        "A PUBLISH of QoS 1 is answered by PUBREC.",
        ANSWER,
        &[server(Puback, |moment| {
            if let Some(Packet::Puback(puback)) = moment.packet.clone() {
                moment.packet = Some(Packet::Pubrec(puback));
            }
        })],
    ),
    fault(
        "puback-for-qos-0",
        "A PUBLISH of QoS 0 is answered by PUBACK.",
        &["MQTT-3.3.4-1"],
        &[client(Publish, |moment| {
            if moment.publish().is_some_and(|publish| publish.qos() == Qos::AtMostOnce) {
                moment.send_to_client(&Packet::Puback(Acknowledgement::success(PacketId::FIRST)));
            }
        })],
    ),
    fault(
        "puback-with-reserved-flags",
        "PUBACK has a reserved flag set.",
        &["V31-10", "3.1.1:MQTT-2.2.2-1", "5.0:MQTT-2.1.3-1"],
        &[server(Puback, |moment| moment.craft(|packet| packet.flags(0x2)))],
    ),
];
