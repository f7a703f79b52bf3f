//! What a version cannot say is refused, with a message that names it.

use ProtocolVersion::{V3_1, V3_1_1, V5_0};
use model::packet::{
    Acknowledgement, Auth, AuthProperties, Connack, ConnackCode, ConnackProperties, Connect, ConnectReturnCode,
    Delivery, Disconnect, Packet, PacketId, ProtocolVersion, Publish, PublishProperties, Qos, ReasonCode, Suback,
    Subscribe, SubscriptionOptions, SubscriptionRequest, Unsuback, Unsubscribe, Utf8String, Will, WillProperties,
};
use model::wire::encode;

fn text(text: &str) -> Utf8String {
    text.try_into().unwrap()
}

#[track_caller]
fn refused(packet: Packet, version: ProtocolVersion, message: &str) {
    match encode(&packet, version) {
        Ok(bytes) => panic!("{packet} was encoded as {bytes:02x?}"),
        Err(error) => assert_eq!(error.to_string(), message),
    }
}

fn connack(session_present: bool, code: ConnackCode) -> Packet {
    Packet::Connack(Connack { session_present, code, properties: ConnackProperties::default() })
}

fn publish(topic: &str, properties: PublishProperties) -> Packet {
    Packet::Publish(Publish {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: text(topic),
        properties,
        payload: Vec::new(),
    })
}

fn subscribe(options: SubscriptionOptions) -> Packet {
    Packet::Subscribe(Subscribe {
        packet_id: PacketId::FIRST,
        properties: Default::default(),
        requests: vec![SubscriptionRequest { filter: text("t"), options }],
    })
}

fn suback(codes: Vec<ReasonCode>) -> Packet {
    Packet::Suback(Suback { packet_id: PacketId::FIRST, properties: Default::default(), codes })
}

fn unsuback(codes: Vec<ReasonCode>) -> Packet {
    Packet::Unsuback(Unsuback { packet_id: PacketId::FIRST, properties: Default::default(), codes })
}

#[test]
fn properties_before_5_0() {
    let properties = PublishProperties { content_type: Some(text("x")), ..Default::default() };
    for version in [V3_1, V3_1_1] {
        let message = format!("PUBLISH of MQTT {version} has no properties, found Content Type");
        refused(publish("t", properties.clone()), version, &message);
    }
    let will = Will {
        topic: text("t"),
        payload: Vec::new(),
        qos: Qos::AtMostOnce,
        retain: false,
        properties: WillProperties { will_delay_interval: Some(0), ..Default::default() },
    };
    refused(
        Packet::Connect(Connect { will: Some(will), ..Connect::default() }),
        V3_1_1,
        "CONNECT of MQTT 3.1.1 has no properties, found Will Delay Interval",
    );
    let mut acknowledgement = Acknowledgement::success(PacketId::FIRST);
    acknowledgement.properties.reason_string = Some(text("x"));
    refused(Packet::Puback(acknowledgement), V3_1_1, "PUBACK of MQTT 3.1.1 has no properties, found Reason String");
}

#[test]
fn auth_before_5_0_and_without_method() {
    let auth = |reason, properties| Packet::Auth(Auth { reason, properties });
    refused(auth(ReasonCode::Success, AuthProperties::default()), V3_1_1, "MQTT 3.1.1 has no AUTH");
    let message = "AUTH needs an Authentication Method here";
    refused(auth(ReasonCode::ContinueAuthentication, AuthProperties::default()), V5_0, message);
    let data = AuthProperties { authentication_data: Some(vec![1]), ..Default::default() };
    refused(auth(ReasonCode::Success, data), V5_0, message);
}

#[test]
fn codes_that_the_packet_may_not_carry() {
    let acknowledgement =
        |reason| Acknowledgement { packet_id: PacketId::FIRST, reason, properties: Default::default() };
    let wrong = ReasonCode::NotAuthorized;
    refused(Packet::Puback(acknowledgement(wrong)), V3_1_1, "PUBACK of MQTT 3.1.1 cannot carry 0x87 Not authorized");
    refused(Packet::Pubrel(acknowledgement(wrong)), V5_0, "PUBREL may not carry 0x87 Not authorized");
    refused(
        Packet::Disconnect(Disconnect::because(wrong)),
        V3_1,
        "DISCONNECT of MQTT 3.1 cannot carry 0x87 Not authorized",
    );
    refused(Packet::Disconnect(Disconnect::because(ReasonCode::Banned)), V5_0, "DISCONNECT may not carry 0x8A Banned");
    refused(suback(vec![wrong]), V3_1_1, "SUBACK of MQTT 3.1.1 cannot carry 0x87 Not authorized");
    refused(suback(vec![ReasonCode::UnspecifiedError]), V3_1, "SUBACK of MQTT 3.1 cannot carry 0x80 Unspecified error");
    refused(suback(vec![ReasonCode::NoSubscriptionExisted]), V5_0, "SUBACK may not carry 0x11 No subscription existed");
    refused(unsuback(vec![ReasonCode::Success]), V3_1_1, "UNSUBACK of MQTT 3.1.1 cannot carry 0x00 Success");
    refused(unsuback(vec![ReasonCode::GrantedQos1]), V5_0, "UNSUBACK may not carry 0x01 Granted QoS 1");
}

#[test]
fn lists_that_may_not_be_empty() {
    let none = Subscribe { packet_id: PacketId::FIRST, properties: Default::default(), requests: Vec::new() };
    refused(Packet::Subscribe(none), V3_1_1, "SUBSCRIBE needs at least one Topic Filter");
    let none = Unsubscribe { packet_id: PacketId::FIRST, properties: Default::default(), filters: Vec::new() };
    refused(Packet::Unsubscribe(none), V5_0, "UNSUBSCRIBE needs at least one Topic Filter");
    refused(suback(Vec::new()), V3_1_1, "SUBACK needs a code for each Topic Filter, found none");
    refused(unsuback(Vec::new()), V5_0, "UNSUBACK needs a code for each Topic Filter, found none");
}

#[test]
fn connect_and_connack_that_contradict_themselves() {
    let connect = |connect| Packet::Connect(connect);
    let password = Connect { password: Some(vec![1]), ..Connect::default() };
    let message = "CONNECT of MQTT 3.1.1 may not have a Password without a User Name";
    refused(connect(password.clone()), V3_1_1, message);
    assert!(encode(&connect(password), V5_0).is_ok());
    let mut data = Connect::default();
    data.properties.authentication_data = Some(vec![1]);
    refused(connect(data), V5_0, "CONNECT needs an Authentication Method here");

    let accepted = ConnackCode::Return(ConnectReturnCode::Accepted);
    refused(connack(true, accepted), V3_1, "CONNACK of MQTT 3.1 has no Session Present");
    refused(
        connack(true, ConnackCode::Return(ConnectReturnCode::NotAuthorized)),
        V3_1_1,
        "CONNACK with code 0x05 may not have Session Present 1",
    );
    refused(connack(false, accepted), V5_0, "CONNACK of MQTT 5.0 carries a Reason Code, not a Connect Return Code");
    refused(
        connack(false, ConnackCode::Reason(ReasonCode::Success)),
        V3_1_1,
        "CONNACK of MQTT 3.1.1 carries a Connect Return Code, not a Reason Code",
    );
    refused(
        connack(false, ConnackCode::Reason(ReasonCode::KeepAliveTimeout)),
        V5_0,
        "CONNACK may not carry 0x8D Keep Alive timeout",
    );
    let maximum_qos = ConnackProperties { maximum_qos: Some(Qos::ExactlyOnce), ..Default::default() };
    refused(
        Packet::Connack(Connack {
            session_present: false,
            code: ConnackCode::Reason(ReasonCode::Success),
            properties: maximum_qos,
        }),
        V5_0,
        "Maximum QoS may not be 2",
    );
}

#[test]
fn subscription_options_of_5_0() {
    let no_local = SubscriptionOptions { no_local: true, ..Default::default() };
    refused(subscribe(no_local), V3_1_1, "SUBSCRIBE of MQTT 3.1.1 has no No Local");
    let as_published = SubscriptionOptions { retain_as_published: true, ..Default::default() };
    refused(subscribe(as_published), V3_1, "SUBSCRIBE of MQTT 3.1 has no Retain As Published");
}

#[test]
fn a_publish_without_topic() {
    refused(publish("", PublishProperties::default()), V3_1_1, "PUBLISH of MQTT 3.1.1 needs a Topic Name");
    refused(publish("", PublishProperties::default()), V5_0, "PUBLISH of MQTT 5.0 needs a Topic Name or a Topic Alias");
}

#[test]
fn a_disconnect_that_nobody_may_send() {
    let mut disconnect = Disconnect::because(ReasonCode::ServerShuttingDown);
    disconnect.properties.session_expiry_interval = Some(1);
    refused(
        Packet::Disconnect(disconnect),
        V5_0,
        "Session Expiry Interval is for a Client and 0x8B Server shutting down for a Server, found both in DISCONNECT",
    );
}

#[test]
fn what_is_too_long() {
    let password = vec![0; 65_536];
    let connect = Connect { user_name: Some(text("u")), password: Some(password.clone()), ..Connect::default() };
    refused(Packet::Connect(connect), V3_1_1, "Password has 65536 bytes, the limit is 65535");
    let properties = PublishProperties { correlation_data: Some(password), ..Default::default() };
    refused(publish("t", properties), V5_0, "Correlation Data has 65536 bytes, the limit is 65535");
}
