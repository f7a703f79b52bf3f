//! What a server's packets look like.

use crate::fault::moment::Moment;
use crate::fault::proxy_fault::{On, ProxyFault, client, fault, server, when};
use crate::fault::theme::exactly_once::unknown_code;
use model::packet::PacketType::{Pingresp, Puback, Publish, Pubrel, Suback, Subscribe, Unsuback, Unsubscribe};
use model::packet::{Packet, ProtocolVersion};

const FLAGS: &[&str] = &["V31-10", "3.1.1:MQTT-2.2.2-1", "5.0:MQTT-2.1.3-1"];

pub(super) static FAULTS: &[ProxyFault] = &[
    fault(
        "pingresp-with-reserved-flags",
        "PINGRESP has a reserved flag set.",
        FLAGS,
        &[server(Pingresp, |moment| moment.craft(|packet| packet.flags(1)))],
    ),
    fault(
        "suback-with-reserved-flags",
        "SUBACK has a reserved flag set.",
        FLAGS,
        &[server(Suback, |moment| moment.craft(|packet| packet.flags(2)))],
    ),
    fault(
        "unsuback-with-reserved-flags",
        "UNSUBACK has a reserved flag set.",
        FLAGS,
        &[server(Unsuback, |moment| moment.craft(|packet| packet.flags(2)))],
    ),
    fault(
        "length-longer-than-needed",
        "Remaining Length takes a byte more than it needs.",
        &["5.0:MQTT-1.5.5-1"],
        &[when(On::AnyFromServer, |moment| {
            moment.rewrite(|bytes| {
                if bytes[1] < 0x80 {
                    bytes[1] |= 0x80;
                    bytes.insert(2, 0);
                }
            });
        })],
    ),
    fault(
        "unknown-puback-code",
        "PUBACK carries a code that is none of its own.",
        &["5.0:MQTT-3.4.2-1", "5.0:P-RC-14"],
        &[server(Puback, unknown_code)],
    ),
    fault(
        "topic-with-broken-utf-8",
        "A topic arrives with a byte that is no UTF-8.",
        &["MQTT-3.3.2-1", "3.1.1:MQTT-1.5.3-1", "5.0:MQTT-1.5.4-1"],
        &[server(Publish, |moment| {
            if moment.publish().is_some_and(|publish| !publish.topic.is_empty()) {
                moment.craft(|packet| packet.patch(2, &[0xFF]));
            }
        })],
    ),
    fault(
        "topic-with-null-character",
        "A topic arrives with U+0000 in it.",
        &["3.1.1:MQTT-1.5.3-2", "5.0:MQTT-1.5.4-2", "MQTT-4.7.3-2", "V31-19"],
        &[server(Publish, |moment| {
            if moment.publish().is_some_and(|publish| !publish.topic.is_empty()) {
                moment.craft(|packet| packet.patch(2, &[0]));
            }
        })],
    ),
    fault(
        "puback-with-id-0",
        "PUBACK names the identifier 0.",
        &["3.1.1:MQTT-2.3.1-6", "5.0:MQTT-2.2.1-5"],
        &[server(Puback, |moment| moment.craft(|packet| packet.packet_id(0)))],
    ),
    fault(
        "suback-with-id-0",
        "SUBACK names the identifier 0.",
        &["3.1.1:MQTT-2.3.1-7", "5.0:MQTT-2.2.1-6"],
        &[server(Suback, |moment| moment.craft(|packet| packet.packet_id(0)))],
    ),
    fault(
        "dup-of-a-request-refused",
        "A PUBREL, SUBSCRIBE or UNSUBSCRIBE of 3.1 with DUP ends the connection.",
        &["V31-16"],
        &[client(Pubrel, refuse_dup), client(Subscribe, refuse_dup), client(Unsubscribe, refuse_dup)],
    ),
    fault(
        "server-sends-packets-of-a-client",
        "A PINGREQ comes from the server.",
        &["3.1.1:MQTT-3.12.4-1", "5.0:MQTT-3.12.4-1"],
        &[when(On::AnyFromServer, |moment| {
            if let Some(Packet::Pingresp) = moment.packet {
                moment.rewrite(|bytes| bytes[0] = 0xC0);
            }
        })],
    ),
];

fn refuse_dup(moment: &mut Moment<'_>) {
    if moment.version() == ProtocolVersion::V3_1 && moment.bytes.first().is_some_and(|byte| byte & 0x08 != 0) {
        moment.lose();
        moment.close();
    }
}
