//! A server that tolerates what it must refuse: what it should not have been sent never reaches it.

use crate::fault::moment::Moment;
use crate::fault::proxy_fault::{On, ProxyFault, Rule, client, fault, server, when};
use crate::fault::theme::connect::text;
use crate::fault::theme::publish::resolved;
use model::packet::PacketType::{Auth, Connack, Connect, Disconnect, Publish, Subscribe};
use model::packet::{
    Acknowledgement, Connect as ConnectPacket, ConnectReturnCode, Packet, PacketId, Qos, ReasonCode, ReasonProperties,
    Suback,
};

/// A protocol violation ends the connection.
const ENDED: &[&str] = &["3.1.1:MQTT-4.8.0-1", "5.0:MQTT-4.13.1-1"];
/// A CONNECT that is wrong is not served.
const CHECKED: &[&str] = &["3.1.1:MQTT-3.1.4-1", "5.0:MQTT-3.1.4-1"];

pub(super) static FAULTS: &[ProxyFault] = &[
    fault(
        "second-connect-ignored",
        "A second CONNECT on a connection has no effect.",
        &["3.1.1:MQTT-3.1.0-2", "5.0:MQTT-3.1.0-2"],
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
            moment.send_bytes_to_client(vec![0xE0, 0x01, 0x82]);
            moment.close();
        })],
    ),
    fault(
        "unknown-protocol-name-served",
        "A CONNECT with a protocol name that is none is served.",
        &["3.1.1:MQTT-3.1.2-1", "5.0:MQTT-3.1.2-1"],
        &[mend(&["PROTOCOL_NAME"])],
    ),
    fault(
        "unknown-protocol-level-served",
        "A CONNECT with a protocol level that is none is served.",
        &["3.1.1:MQTT-3.1.2-2", "5.0:MQTT-3.1.2-2"],
        &[mend(&["PROTOCOL_LEVEL", "LEVEL_OF_MQISDP"])],
    ),
    fault(
        "unknown-protocol-served-in-3-1",
        "A CONNECT of 3.1 with a name or level that is none is served.",
        &["V31-3"],
        &[mend(&["PROTOCOL_NAME", "PROTOCOL_LEVEL", "LEVEL_OF_MQISDP"])],
    ),
    fault(
        "unknown-protocol-level-refused-with-another-code",
        "An unknown protocol level is refused as if the user were not authorized.",
        &["3.1.1:MQTT-3.1.2-2"],
        &[server(Connack, |moment| {
            if moment.it().refused_rule == Some("PROTOCOL_LEVEL")
                && let Some(Packet::Connack(connack)) = &mut moment.packet
            {
                connack.code = model::packet::ConnackCode::Return(ConnectReturnCode::NotAuthorized);
            }
        })],
    ),
    fault(
        "empty-client-id-with-session-served",
        "An empty client id that asks for a stored session is served.",
        &["V31-5", "3.1.1:MQTT-3.1.3-8"],
        &[client(Connect, |moment| {
            if let Some(Packet::Connect(connect)) = &mut moment.packet
                && connect.client_id.is_empty()
                && !connect.clean_start
            {
                connect.client_id = text("mended");
            }
        })],
    ),
    fault(
        "unknown-authentication-method-served",
        "A CONNECT with an Authentication Method that the server lacks is served without.",
        &["5.0:MQTT-4.12.0-1"],
        &[client(Connect, |moment| {
            if let Some(Packet::Connect(connect)) = &mut moment.packet {
                connect.properties.authentication_method = None;
                connect.properties.authentication_data = None;
            }
        })],
    ),
    fault(
        "refused-connection-stays-open",
        "The connection stays open behind a CONNACK that refuses.",
        &["3.1.1:MQTT-3.2.2-5", "5.0:MQTT-3.2.2-7"],
        &[when(On::ServerCloses, |moment| {
            if moment.it().is_refused {
                moment.lose();
            }
        })],
    ),
    fault(
        "malformed-connect-left-hanging",
        "A CONNECT that is wrong is neither answered nor ended.",
        CHECKED,
        &[when(On::Refused(IN_CONNECT), |moment| {
            if moment.it().connect.is_none() {
                moment.lose();
            }
        })],
    ),
    fault(
        "reserved-connect-flag-served",
        "A CONNECT with its reserved flag set is served.",
        &["MQTT-3.1.2-3"],
        &[mend(&["CONNECT_FLAG_0"])],
    ),
    fault(
        "will-flags-without-will-served",
        "A CONNECT with Will QoS or Will Retain and without a Will is served.",
        CHECKED,
        &[mend(&["WILL_QOS_WITHOUT_WILL", "WILL_RETAIN_WITHOUT_WILL"])],
    ),
    fault(
        "will-qos-3-served",
        "A CONNECT with a Will QoS of 3 is served.",
        &["3.1.1:MQTT-3.1.4-1", "5.0:MQTT-3.1.4-1", "5.0:MQTT-4.13.1-1"],
        &[mend(&["WILL_QOS_3"])],
    ),
    fault(
        "missing-login-served",
        "A CONNECT that announces a user name that is not there is served.",
        CHECKED,
        &[mend(&["USER_NAME_MISSING", "PASSWORD_MISSING"])],
    ),
    fault(
        "password-without-user-name-served",
        "A CONNECT of 3.1.1 with a password and no user name is served.",
        &["3.1.1:MQTT-3.1.4-1"],
        &[mend(&["PASSWORD_WITHOUT_USER_NAME"])],
    ),
    fault(
        "connect-of-wrong-length-served",
        "A CONNECT that is longer or shorter than its fields is served.",
        CHECKED,
        &[mend_connect(&["TRAILING", "TRUNCATED"])],
    ),
    fault(
        "connect-without-client-id-served",
        "A CONNECT without a payload is served.",
        CHECKED,
        &[mend(&["CLIENT_ID_MISSING"])],
    ),
    fault(
        "connect-with-wrong-property-served",
        "A CONNECT with a property that is wrong is served.",
        &["5.0:MQTT-3.1.4-1", "5.0:MQTT-4.13.1-1"],
        &[mend_connect(&[
            "PROPERTY_LENGTH",
            "PROPERTY_UNKNOWN",
            "PROPERTY_FOREIGN",
            "PROPERTY_REPEATED",
            "PROPERTY_VALUE",
            "AUTHENTICATION_METHOD_MISSING",
        ])],
    ),
    fault(
        "ill-formed-client-id-served",
        "A CONNECT whose client id is no permitted string is served.",
        &[
            "3.1.1:MQTT-1.5.3-1",
            "5.0:MQTT-1.5.4-1",
            "3.1.1:MQTT-1.5.3-2",
            "5.0:MQTT-1.5.4-2",
            "3.1.1:MQTT-3.1.4-1",
            "5.0:MQTT-3.1.4-1",
        ],
        &[mend_connect(&["ILL_FORMED_CLIENT_ID", "NULL_CHARACTER"])],
    ),
    fault(
        "credentials-demanded-in-3-1",
        "A CONNECT of 3.1 without the login that it announces is taken for malformed.",
        &["V31-8"],
        &[client(Connect, |moment| {
            if let Some(Packet::Connect(connect)) = &moment.packet
                && connect.user_name.is_none()
            {
                moment.lose();
                moment.close();
            }
        })],
    ),
    fault(
        "will-bits-checked-in-3-1",
        "A CONNECT of 3.1 with Will bits and without a Will is taken for malformed.",
        &["V31-9"],
        &[client(Connect, |moment| {
            if let Some(Packet::Connect(connect)) = &moment.packet
                && connect.user_name.is_none()
            {
                moment.lose();
                moment.close();
            }
        })],
    ),
    fault(
        "reserved-flags-ignored",
        "Reserved flags of packets have no meaning.",
        &["3.1.1:MQTT-2.2.2-2", "3.1.1:MQTT-4.8.0-1", "5.0:MQTT-2.1.3-1", "5.0:MQTT-4.13.1-1"],
        &[ignore(&["FLAGS", "FLAGS_OF_SUBSCRIBE", "FLAGS_OF_UNSUBSCRIBE", "FLAGS_OF_DISCONNECT", "FLAGS_OF_PUBREL"])],
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
        &["3.1.1:MQTT-3.8.3-4", "5.0:MQTT-3.8.3-5"],
        &[ignore(&["REQUESTED_QOS", "OPTION_RESERVED_BITS"])],
    ),
    fault(
        "subscribe-with-wrong-options-granted",
        "A SUBSCRIBE with reserved values in its options is granted.",
        &["3.1.1:MQTT-3.8.3-4", "5.0:MQTT-4.13.1-1"],
        &[when(On::Refused(&["REQUESTED_QOS", "OPTION_RESERVED_BITS", "OPTION_VALUE"]), |moment| {
            moment.lose();
            grant(moment, 1);
        })],
    ),
    fault(
        "wildcard-in-a-topic-acknowledged",
        "A PUBLISH to a topic with wildcards is acknowledged and goes nowhere.",
        &["MQTT-3.3.2-2", "3.1.1:MQTT-4.7.1-1", "5.0:MQTT-4.7.0-1"],
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
        &["MQTT-3.3.2-2", "3.1.1:MQTT-4.7.1-1", "5.0:MQTT-4.7.0-1"],
        &[client(Publish, |moment| {
            if let Some(message) = resolved(moment).filter(|message| message.topic.contains(['+', '#'])) {
                for link in moment.scene.served() {
                    if link != moment.link {
                        moment.deliver(link, &message, Qos::AtMostOnce);
                    }
                }
            }
        })],
    ),
    fault(
        "wildcard-in-a-response-topic-delivered",
        "A message whose Response Topic has wildcards is delivered.",
        &["5.0:MQTT-3.3.2-14"],
        &[client(Publish, |moment| {
            let message = resolved(moment);
            let has_wildcard = |topic: &model::packet::Utf8String| topic.contains(['+', '#']);
            if let Some(message) =
                message.filter(|message| message.properties.response_topic.as_ref().is_some_and(has_wildcard))
            {
                for link in moment.scene.served() {
                    if !moment.scene.matching(link, &message.topic).is_empty() {
                        moment.deliver(link, &message, Qos::AtMostOnce);
                    }
                }
            }
        })],
    ),
    fault(
        "ill-formed-filter-granted",
        "A filter with misplaced wildcards is granted.",
        ENDED,
        &[client(Subscribe, |moment| {
            let Some(Packet::Subscribe(subscribe)) = &moment.packet else { return };
            if subscribe.requests.iter().any(|request| crate::fault::scene::parse(&request.filter).is_none()) {
                let count = subscribe.requests.len();
                moment.lose();
                grant(moment, count);
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
        &["5.0:MQTT-3.14.2-1"],
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

const IN_CONNECT: &[&str] = &[
    "CONNECT_FLAG_0",
    "WILL_QOS_3",
    "WILL_QOS_WITHOUT_WILL",
    "WILL_RETAIN_WITHOUT_WILL",
    "PASSWORD_WITHOUT_USER_NAME",
    "CLIENT_ID_MISSING",
    "WILL_MISSING",
    "USER_NAME_MISSING",
    "PASSWORD_MISSING",
    "TRAILING",
    "TRUNCATED",
    "ILL_FORMED_CLIENT_ID",
    "NULL_CHARACTER",
    "PROPERTY_LENGTH",
    "PROPERTY_UNKNOWN",
    "PROPERTY_FOREIGN",
    "PROPERTY_REPEATED",
    "PROPERTY_VALUE",
    "AUTHENTICATION_METHOD_MISSING",
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
const fn ignore(rules: &'static [&'static str]) -> Rule {
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

/// A CONNECT that breaks one of these rules is served as if it were a plain one.
const fn mend(rules: &'static [&'static str]) -> Rule {
    when(On::Refused(rules), serve)
}

/// The same for rules that other packets can break too.
const fn mend_connect(rules: &'static [&'static str]) -> Rule {
    when(On::Refused(rules), |moment| {
        if moment.it().connect.is_none() {
            serve(moment);
        }
    })
}

fn serve(moment: &mut Moment<'_>) {
    let connect =
        ConnectPacket { clean_start: true, keep_alive: 60, client_id: text("mended"), ..ConnectPacket::default() };
    moment.lose();
    moment.it().connect = Some(connect.clone());
    moment.send_to_server(&Packet::Connect(connect));
}

/// Grants so many filters to the SUBSCRIBE that passes, or to one with the first identifier.
fn grant(moment: &mut Moment<'_>, count: usize) {
    let packet_id = moment.packet.as_ref().and_then(Packet::packet_id).unwrap_or(PacketId::FIRST);
    let codes = vec![ReasonCode::Success; count];
    moment.send_to_client(&Packet::Suback(Suback { packet_id, properties: ReasonProperties::default(), codes }));
}
