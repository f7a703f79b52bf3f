//! A server that takes packets which break the rules of the format: they never reach it.

use crate::fault::proxy_fault::{On, ProxyFault, Rule, fault, when};
use model::packet::{Acknowledgement, Packet, PacketId};

/// A protocol violation ends the connection.
pub(super) const ENDED: &[&str] = &["3.1.1:MQTT-4.8.0-1", "5.0:MQTT-4.13.1-1", "X-50"];

pub(super) static FAULTS: &[ProxyFault] = &[
    fault(
        "reserved-flags-ignored",
        "Reserved flags of packets have no meaning.",
        &["3.1.1:MQTT-2.2.2-2", "3.1.1:MQTT-4.8.0-1", "5.0:MQTT-2.1.3-1", "5.0:MQTT-4.13.1-1"],
        &[ignore(&[
            "FLAGS",
            "FLAGS_OF_SUBSCRIBE",
            "FLAGS_OF_UNSUBSCRIBE",
            "FLAGS_OF_DISCONNECT",
            "FLAGS_OF_PUBREL",
            "FLAGS_OF_AUTH",
        ])],
    ),
    fault(
        "reserved-flags-of-subscribe-ignored",
        "Reserved flags of SUBSCRIBE have no meaning.",
        &["MQTT-3.8.1-1"],
        &[ignore(&["FLAGS_OF_SUBSCRIBE"])],
    ),
    fault(
        "reserved-flags-of-unsubscribe-ignored",
        "Reserved flags of UNSUBSCRIBE have no meaning.",
        &["MQTT-3.10.1-1"],
        &[ignore(&["FLAGS_OF_UNSUBSCRIBE"])],
    ),
    fault(
        "reserved-flags-of-disconnect-ignored",
        "Reserved flags of DISCONNECT have no meaning.",
        &["3.1.1:MQTT-3.14.1-1", "5.0:MQTT-3.14.1-1"],
        &[ignore(&["FLAGS_OF_DISCONNECT"])],
    ),
    fault(
        "reserved-flags-of-pubrel-ignored",
        "Reserved flags of PUBREL have no meaning.",
        &["MQTT-3.6.1-1"],
        &[ignore(&["FLAGS_OF_PUBREL"])],
    ),
    fault(
        "reserved-flags-of-auth-ignored",
        "Reserved flags of AUTH have no meaning.",
        &["5.0:MQTT-3.15.1-1"],
        &[ignore(&["FLAGS_OF_AUTH"])],
    ),
    fault(
        "null-character-in-a-topic-delivered",
        "A PUBLISH with U+0000 in its topic is delivered as it is.",
        &["V31-19", "3.1.1:MQTT-1.5.3-2", "5.0:MQTT-1.5.4-2", "MQTT-4.7.3-2"],
        &[when(On::Refused(&["NULL_IN_TOPIC"]), |moment| {
            if moment.bytes.first() == Some(&0x30) {
                for link in moment.scene.served() {
                    if link != moment.link {
                        moment.send_bytes_to_client_of(link, moment.bytes.clone());
                    }
                }
            }
        })],
    ),
    fault(
        "reserved-packet-types-ignored",
        "Packets of a type that does not exist are skipped.",
        ENDED,
        &[ignore(&["RESERVED_PACKET_TYPE", "NOT_IN_THIS_VERSION"])],
    ),
    fault(
        "packets-of-a-server-ignored",
        "Packets that only a server sends are skipped.",
        ENDED,
        &[ignore(&["WRONG_SENDER"])],
    ),
    fault(
        "five-bytes-of-length-ignored",
        "A Remaining Length of five bytes is skipped.",
        ENDED,
        &[ignore(&["LONG_INTEGER"])],
    ),
    fault(
        "qos-3-ignored",
        "A PUBLISH with both QoS bits set is skipped.",
        &["MQTT-3.3.1-4", "3.1.1:MQTT-4.8.0-1", "5.0:MQTT-4.13.1-1"],
        &[ignore(&["QOS_BITS"])],
    ),
    fault(
        "qos-3-acknowledged",
        "A PUBLISH with both QoS bits set is acknowledged.",
        &["MQTT-3.3.1-4", "3.1.1:MQTT-4.8.0-1", "5.0:MQTT-4.13.1-1"],
        &[when(On::Refused(&["QOS_BITS"]), |moment| {
            moment.lose();
            moment.send_to_client(&Packet::Puback(Acknowledgement::success(PacketId::FIRST)));
        })],
    ),
    fault("packet-id-0-ignored", "The packet identifier 0 is skipped.", ENDED, &[ignore(&["ID_OF_CLIENT_REQUEST"])]),
    fault(
        "packets-cut-short-ignored",
        "Packets that end before their fields are skipped.",
        ENDED,
        &[ignore_behind_connect(&["TRUNCATED", "TOPIC_NAME_MISSING", "OPTIONS_MISSING"])],
    ),
    fault(
        "surplus-bytes-ignored",
        "Bytes behind the fields of a packet are skipped.",
        ENDED,
        &[ignore_behind_connect(&["TRAILING"])],
    ),
    fault(
        "ill-formed-utf-8-ignored",
        "Packets with strings that are no UTF-8 are skipped.",
        &["3.1.1:MQTT-1.5.3-1", "5.0:MQTT-1.5.4-1"],
        &[ignore_behind_connect(ILL_FORMED)],
    ),
    fault(
        "ill-formed-topic-name-ignored",
        "A PUBLISH whose topic is no UTF-8 is skipped.",
        &["MQTT-3.3.2-1"],
        &[ignore(&["ILL_FORMED_TOPIC_NAME"])],
    ),
    fault(
        "ill-formed-user-property-ignored",
        "A User Property that is no UTF-8 is skipped.",
        &["5.0:MQTT-1.5.7-1"],
        &[ignore(&["ILL_FORMED_USER_PROPERTY"])],
    ),
    fault(
        "ill-formed-response-topic-ignored",
        "A Response Topic that is no UTF-8 is skipped.",
        &["5.0:MQTT-3.3.2-13"],
        &[ignore(&["ILL_FORMED_RESPONSE_TOPIC"])],
    ),
    fault(
        "ill-formed-content-type-ignored",
        "A Content Type that is no UTF-8 is skipped.",
        &["5.0:MQTT-3.3.2-19"],
        &[ignore(&["ILL_FORMED_CONTENT_TYPE"])],
    ),
    fault(
        "null-character-ignored",
        "Packets with U+0000 in a string are skipped.",
        &["3.1.1:MQTT-1.5.3-2", "5.0:MQTT-1.5.4-2", "MQTT-4.7.3-2"],
        &[ignore_behind_connect(&["NULL_CHARACTER", "NULL_IN_TOPIC", "NULL_IN_USER_PROPERTY"])],
    ),
    fault(
        "unknown-properties-ignored",
        "Properties that do not exist, or not in this packet, are skipped.",
        &["5.0:MQTT-4.13.1-1"],
        &[ignore_behind_connect(&["PROPERTY_UNKNOWN", "PROPERTY_FOREIGN"])],
    ),
    fault(
        "repeated-properties-ignored",
        "A property that is there twice counts once.",
        &["5.0:MQTT-4.13.1-1"],
        &[ignore_behind_connect(&["PROPERTY_REPEATED"])],
    ),
    fault(
        "property-length-ignored",
        "A Property Length beyond the packet has no meaning.",
        &["5.0:MQTT-4.13.1-1"],
        &[ignore_behind_connect(&["PROPERTY_LENGTH"])],
    ),
    fault(
        "property-values-ignored",
        "Values that a property must not have are skipped.",
        &["5.0:MQTT-4.13.1-1"],
        &[ignore_behind_connect(&["PROPERTY_VALUE", "SUBSCRIPTION_IDENTIFIER_FROM_CLIENT"])],
    ),
    fault(
        "alias-0-ignored",
        "A Topic Alias of 0 is skipped.",
        &["5.0:MQTT-3.3.2-8", "5.0:MQTT-4.13.1-1"],
        &[ignore(&["TOPIC_ALIAS_0"])],
    ),
    fault(
        "empty-topic-ignored",
        "A PUBLISH without a topic is skipped.",
        &["MQTT-4.7.3-1", "3.1.1:MQTT-4.8.0-1", "5.0:MQTT-4.13.1-1"],
        &[ignore(&["TOPIC_NAME_EMPTY"])],
    ),
    fault(
        "subscribe-without-filter-ignored",
        "A SUBSCRIBE or UNSUBSCRIBE without a filter is skipped.",
        ENDED,
        &[ignore(&["NO_SUBSCRIPTION", "NO_FILTER"])],
    ),
    fault(
        "reserved-options-ignored",
        "Reserved values in the options of SUBSCRIBE are skipped.",
        &["V31-23", "3.1.1:MQTT-3.8.3-4", "5.0:MQTT-3.8.3-5"],
        &[ignore(&["REQUESTED_QOS", "OPTION_RESERVED_BITS"])],
    ),
    fault(
        "subscribe-with-wrong-options-granted",
        "A SUBSCRIBE with reserved values in its options is granted.",
        &["3.1.1:MQTT-3.8.3-4", "5.0:MQTT-4.13.1-1"],
        &[when(On::Refused(&["REQUESTED_QOS", "OPTION_RESERVED_BITS", "OPTION_VALUE"]), |moment| {
            moment.lose();
            moment.grant(PacketId::FIRST, 1);
        })],
    ),
];

const ILL_FORMED: &[&str] = &[
    "ILL_FORMED_UTF8",
    "ILL_FORMED_TOPIC_NAME",
    "ILL_FORMED_SUBSCRIBE_FILTER",
    "ILL_FORMED_UNSUBSCRIBE_FILTER",
    "ILL_FORMED_RESPONSE_TOPIC",
    "ILL_FORMED_CONTENT_TYPE",
    "ILL_FORMED_USER_PROPERTY",
];

/// What breaks one of these rules is skipped.
pub(super) const fn ignore(rules: &'static [&'static str]) -> Rule {
    when(On::Refused(rules), |moment| moment.lose())
}

/// The same for rules that CONNECT can break too: that one is left as it is.
const fn ignore_behind_connect(rules: &'static [&'static str]) -> Rule {
    when(On::Refused(rules), |moment| {
        if moment.it().connect.is_some() {
            moment.lose();
        }
    })
}
