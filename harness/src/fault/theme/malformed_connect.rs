//! A server that serves a CONNECT which it must not: the server itself gets a CONNECT that is in order.

use crate::fault::moment::Moment;
use crate::fault::proxy_fault::{On, ProxyFault, Rule, client, fault, server, when};
use crate::fault::theme::connect::text;
use model::packet::PacketType::{Connack, Connect};
use model::packet::{ConnackCode, Connect as ConnectPacket, ConnectReturnCode, Packet, ProtocolVersion, Qos};

/// A CONNECT that is wrong is not served.
const CHECKED: &[&str] = &["3.1.1:MQTT-3.1.4-1", "5.0:MQTT-3.1.4-1"];

pub(super) static FAULTS: &[ProxyFault] = &[
    fault(
        "unknown-protocol-name-served",
        "A CONNECT with a protocol name that is none is served.",
        &["3.1.1:MQTT-3.1.2-1", "5.0:MQTT-3.1.2-1"],
        &[mend(&["PROTOCOL_NAME"])],
    ),
    fault(
        "unknown-protocol-level-served",
        "A CONNECT with a protocol level that is none is served.",
        &["3.1.1:MQTT-3.1.2-2", "5.0:MQTT-3.1.2-2", "3.1.1:P-RC-2"],
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
        &["3.1.1:MQTT-3.1.2-2", "3.1.1:P-RC-2"],
        &[server(Connack, |moment| {
            if moment.it().refused_rule == Some("PROTOCOL_LEVEL")
                && let Some(Packet::Connack(connack)) = &mut moment.packet
            {
                connack.code = ConnackCode::Return(ConnectReturnCode::NotAuthorized);
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
        "malformed-connect-answered-by-an-unknown-code",
        "A CONNECT of 3.1.1 that is wrong, where no return code fits, is answered by one that does not exist.",
        &["3.1.1:MQTT-3.2.2-6", "3.1.1:MQTT-3.1.4-1"],
        &[when(On::Refused(IN_CONNECT), |moment| {
            if moment.it().connect.is_none() && moment.version() == ProtocolVersion::V3_1_1 {
                moment.lose();
                moment.send_bytes_to_client_of(moment.link, vec![0x20, 0x02, 0x00, 0x06]);
                moment.close();
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
        "will-of-qos-2-served",
        "A CONNECT whose Will has QoS 2 is served by a server that has no QoS 2.",
        &["5.0:MQTT-3.2.2-12"],
        &[client(Connect, |moment| {
            if !moment.scene.has_qos_2
                && let Some(Packet::Connect(connect)) = &mut moment.packet
            {
                connect.will = connect.will.take().filter(|will| will.qos != Qos::ExactlyOnce);
            }
        })],
    ),
    fault(
        "retained-will-served",
        "A CONNECT whose Will is to be retained is served by a server that has no retained messages.",
        &["5.0:MQTT-3.2.2-13"],
        &[client(Connect, |moment| {
            if !moment.scene.has_retained_messages
                && let Some(Packet::Connect(connect)) = &mut moment.packet
            {
                connect.will = connect.will.take().filter(|will| !will.retain);
            }
        })],
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
