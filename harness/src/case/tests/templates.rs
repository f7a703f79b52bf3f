//! What is sent: defaults, variables, and deliberate faults.

use super::{V5, scope, steps, template};
use crate::case::Action;
use model::packet::{
    Acknowledgement, Connack, ConnackCode, Connect, Delivery, Packet, PacketId, ProtocolVersion, Publish, Qos,
    ReasonCode, Utf8String,
};

const VERSION: ProtocolVersion = ProtocolVersion::V5_0;

/// The packet that the last step sends, when all steps before it have been played with these packets coming in.
fn last_packet(script: &[&str], received: &[Packet]) -> Packet {
    let steps = steps(V5, script);
    let mut scope = scope();
    let mut received = received.iter();
    let mut last = None;
    for step in &steps {
        match &step.action {
            Action::Send { actor, template } => {
                last = template.build(&mut scope, actor, VERSION).unwrap_or_else(|error| panic!("{error}")).packet;
            }
            Action::Expect { actor, bind, .. } => {
                let packet = received.next().expect("a packet for each expectation");
                scope.received(actor, packet);
                if let Some(name) = bind {
                    scope.bind(name, packet);
                }
            }
            _ => {}
        }
    }
    last.expect("a packet was sent, and it is right")
}

fn publish(id: u16, qos: Qos) -> Packet {
    let packet_id = PacketId::new(id).unwrap();
    let delivery = match qos {
        Qos::AtMostOnce => Delivery::AtMostOnce,
        Qos::AtLeastOnce => Delivery::AtLeastOnce { packet_id, dup: false },
        Qos::ExactlyOnce => Delivery::ExactlyOnce { packet_id, dup: false },
    };
    Packet::Publish(Publish {
        delivery,
        retain: false,
        topic: "x/y".try_into().unwrap(),
        properties: Default::default(),
        payload: b"\x00\xFFm".to_vec(),
    })
}

fn bytes(step: &str) -> Vec<u8> {
    let steps = steps(V5, &[step]);
    let (actor, template) = template(&steps[0]);
    template.build(&mut scope(), actor, VERSION).unwrap().bytes
}

#[test]
fn a_connect_has_sound_defaults() {
    let connect = Connect {
        clean_start: true,
        keep_alive: 60,
        client_id: "c1sub".try_into().unwrap(),
        user_name: Some("mqttspec".try_into().unwrap()),
        password: Some(b"mqttspec".to_vec()),
        ..Connect::default()
    };
    assert_eq!(last_packet(&["sub -> CONNECT"], &[]), Packet::Connect(connect.clone()));
    let anonymous = Connect { user_name: None, password: None, keep_alive: 5, clean_start: false, ..connect };
    let step = "sub -> CONNECT: {user_name: null, password: null, keep_alive: 5, clean: false}";
    assert_eq!(last_packet(&[step], &[]), Packet::Connect(anonymous));
}

#[test]
fn a_will_may_name_its_actor() {
    let steps = steps(V5, &["sub -> CONNECT: {will: {topic: $sub/gone, payload: $c}}"]);
    let built = template(&steps[0]).1.build(&mut scope(), "sub", VERSION).unwrap();
    assert_eq!(built.keep_alive, Some(60));
    let Some(Packet::Connect(connect)) = built.packet else { panic!("it is right") };
    let will = connect.will.unwrap();
    assert_eq!((will.topic.as_str(), will.payload.as_slice()), ("c1sub/gone", b"c1".as_slice()));
}

#[test]
fn identifiers_are_allocated_to_each_actor() {
    let id = |script: &[&str]| last_packet(script, &[]).packet_id().map(PacketId::value);
    let publish = "sub -> PUBLISH: {topic: a, qos: 1}";
    assert_eq!(id(&[publish]), Some(1));
    assert_eq!(id(&["pub -> SUBSCRIBE: {filter: a}", "sub -> SUBSCRIBE: {filter: a}", publish]), Some(2));
    assert_eq!(id(&["sub -> UNSUBSCRIBE: {filter: a, id: 7}", publish]), Some(8));
    assert_eq!(id(&["sub -> PUBLISH: {topic: a, qos: 2, id: 65535}", publish]), Some(1));
    assert_eq!(id(&["sub -> PUBLISH: {topic: a}"]), None);
}

#[test]
fn an_acknowledgement_answers_the_oldest_packet_that_waits() {
    let script =
        ["sub -> CONNECT", "sub <- PUBLISH", "sub <- PUBLISH", "sub <- PUBLISH", "sub -> PUBACK", "sub -> PUBACK"];
    let two = [publish(9, Qos::AtLeastOnce), publish(3, Qos::ExactlyOnce), publish(5, Qos::AtLeastOnce)];
    let success = |id| Acknowledgement::success(PacketId::new(id).unwrap());
    assert_eq!(last_packet(&script, &two), Packet::Puback(success(5)));
    assert_eq!(last_packet(&script[..5], &two), Packet::Puback(success(9)));
    let pubrec = ["sub -> CONNECT", "sub <- PUBLISH", "sub <- PUBLISH", "sub -> PUBREC: {code: 0x87}"];
    let refused = Acknowledgement { reason: ReasonCode::NotAuthorized, ..success(3) };
    assert_eq!(last_packet(&pubrec, &two), Packet::Pubrec(refused));
    let release = ["pub -> PUBLISH: {topic: a, qos: 2}", "pub <- PUBREC", "pub -> PUBREL"];
    assert_eq!(last_packet(&release, &[Packet::Pubrec(success(1))]), Packet::Pubrel(success(1)));
}

#[test]
fn a_message_that_comes_again_waits_once() {
    let mut scope = scope();
    let puback = &steps(V5, &["sub -> CONNECT", "sub <- PUBLISH", "sub -> PUBACK"])[2];
    for _ in 0..2 {
        scope.received("sub", &publish(4, Qos::AtLeastOnce));
    }
    assert!(template(puback).1.build(&mut scope, "sub", VERSION).is_ok());
    let error = template(puback).1.build(&mut scope, "sub", VERSION).unwrap_err();
    assert_eq!(error.to_string(), "nothing that came to `sub` waits for a PUBACK: give an `id`");
}

#[test]
fn a_variable_keeps_its_type() {
    let script = [
        "sub -> CONNECT",
        "sub <- PUBLISH: {as: m}",
        "pub -> PUBLISH: {topic: $m.topic/$m.id, qos: $m.qos, payload: $m.payload}",
    ];
    let Packet::Publish(sent) = last_packet(&script, &[publish(7, Qos::AtLeastOnce)]) else { panic!("a PUBLISH") };
    assert_eq!((sent.topic.as_str(), sent.qos()), ("x/y/7", Qos::AtLeastOnce));
    assert_eq!(sent.payload, b"\x00\xFFm");
}

#[test]
fn what_is_sent_can_be_bound() {
    let script = [
        "sub -> PUBLISH: {topic: $t/$$a, qos: 1, as: m}",
        "sub -> PUBLISH: {topic: $m.topic, qos: 1, id: $m.id, dup: true}",
    ];
    let Packet::Publish(again) = last_packet(&script, &[]) else { panic!("a PUBLISH") };
    assert_eq!(again.topic.as_str(), "p/1/$a");
    assert_eq!(again.delivery, Delivery::AtLeastOnce { packet_id: PacketId::FIRST, dup: true });
}

#[test]
fn a_value_that_did_not_come_is_an_error_when_it_is_needed() {
    let steps =
        steps(V5, &["sub -> CONNECT", "sub <- CONNACK: {as: k}", "sub -> CONNECT: {keep_alive: $k.server_keep_alive}"]);
    let mut scope = scope();
    let connack = Connack {
        session_present: false,
        code: ConnackCode::Reason(ReasonCode::Success),
        properties: Default::default(),
    };
    scope.bind("k", &Packet::Connack(connack));
    let error = template(&steps[2]).1.build(&mut scope, "sub", VERSION).unwrap_err();
    assert_eq!(error.to_string(), "`$k.server_keep_alive` has no value: the CONNACK has none");
}

#[test]
fn payloads_are_text_hex_or_a_size() {
    let payload = |written: &str| {
        let step = format!("sub -> PUBLISH: {{topic: a, payload: {written}}}");
        match last_packet(&[&step], &[]) {
            Packet::Publish(publish) => publish.payload,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(payload("'1 $$'"), b"1 $");
    assert_eq!(payload("{hex: \"00 ff 'a'\"}"), b"\x00\xFFa");
    assert_eq!(payload("{size: 28}"), b"abcdefghijklmnopqrstuvwxyzab");
}

#[test]
fn properties_have_their_names() {
    let step = "sub -> PUBLISH: {properties: {topic_alias: 3, correlation_data: {hex: \"01\"}, payload_format_indicator: 1, \
                response_topic: $t/r, user_properties: [{a: b}, {a: $sub}]}}";
    let Packet::Publish(publish) = last_packet(&[step], &[]) else { panic!("a PUBLISH") };
    let text = |text: &str| Utf8String::try_from(text).unwrap();
    assert_eq!(publish.properties.topic_alias.map(u16::from), Some(3));
    assert_eq!(publish.properties.correlation_data, Some(vec![1]));
    assert_eq!(publish.properties.payload_format_indicator, Some(true));
    assert_eq!(publish.properties.response_topic, Some(text("p/1/r")));
    assert_eq!(publish.properties.user_properties, [(text("a"), text("b")), (text("a"), text("c1sub"))]);
}

#[test]
fn raw_makes_a_packet_wrong() {
    assert_eq!(bytes("sub -> PINGREQ"), [0xC0, 0x00]);
    assert_eq!(bytes("sub -> PINGREQ: {raw: {flags: 1}}"), [0xC1, 0x00]);
    assert_eq!(bytes("sub -> PINGREQ: {raw: {first_byte: 0x0f}}"), [0x0F, 0x00]);
    assert_eq!(bytes("sub -> PINGREQ: {raw: {extra: 'aa'}}"), [0xC0, 0x01, 0xAA]);
    assert_eq!(bytes("sub -> PINGREQ: {raw: {declared_length: 2}}"), [0xC0, 0x02]);
    assert_eq!(bytes("sub -> PINGREQ: {raw: {length_bytes: '80 00'}}"), [0xC0, 0x80, 0x00]);
    assert_eq!(bytes("sub -> PUBACK: {id: 1, raw: {packet_id: 0}}"), [0x40, 0x02, 0x00, 0x00]);
    assert_eq!(bytes("sub -> PUBACK: {id: 1, raw: {cut: 1}}"), [0x40, 0x01, 0x00]);
    assert_eq!(bytes("sub -> PUBACK: {id: 1, raw: {patch: {at: 0, bytes: 'ff'}}}"), [0x40, 0x02, 0xFF, 0x01]);
    let with_property = bytes("sub -> PUBLISH: {topic: a, raw: {properties: '23 0000'}}");
    assert_eq!(with_property, [0x30, 0x07, 0x00, 0x01, b'a', 0x03, 0x23, 0x00, 0x00]);
    let steps = steps(V5, &["sub -> PINGREQ: {raw: {flags: 1}}"]);
    assert_eq!(template(&steps[0]).1.build(&mut scope(), "sub", VERSION).unwrap().packet, None);
}
