//! What is expected: only what is said is compared, and all of it.

use super::{V5, scope, steps};
use crate::case::{Action, Expectation, PacketPattern, Step};
use model::packet::{
    Acknowledgement, Connack, ConnackCode, ConnackProperties, ConnectReturnCode, Delivery, Packet, PacketId,
    PacketType, Publish, PublishProperties, ReasonCode, Suback, SubscriptionIdentifier,
};

fn pattern(step: &Step) -> &PacketPattern {
    match &step.action {
        Action::Expect { expectation: Expectation::Packet(pattern), .. } => pattern,
        other => panic!("{other:?} expects no packet"),
    }
}

fn mismatches_in(head: &str, step: &str, packet: &Packet) -> Vec<String> {
    let steps = steps(head, &["sub -> CONNECT", step]);
    pattern(&steps[1]).compare(packet, &scope()).iter().map(ToString::to_string).collect()
}

fn mismatches(step: &str, packet: &Packet) -> Vec<String> {
    mismatches_in(V5, step, packet)
}

fn publish() -> Publish {
    Publish {
        delivery: Delivery::AtLeastOnce { packet_id: PacketId::FIRST, dup: false },
        retain: true,
        topic: "p/1/a".try_into().unwrap(),
        properties: PublishProperties::default(),
        payload: b"m1".to_vec(),
    }
}

#[test]
fn what_is_not_said_is_not_compared() {
    assert_eq!(mismatches("sub <- PUBLISH", &Packet::Publish(publish())), [""; 0]);
    let all = "sub <- PUBLISH: {topic: $t/a, qos: 1, retain: true, dup: false, id: 1, payload: m1}";
    assert_eq!(mismatches(all, &Packet::Publish(publish())), [""; 0]);
}

#[test]
fn all_that_differs_is_reported() {
    let wrong = "sub <- PUBLISH: {topic: $t/b, qos: 0, retain: false, dup: true, id: 2, payload: {hex: \"00 01\"}}";
    assert_eq!(
        mismatches(wrong, &Packet::Publish(publish())),
        [
            "topic: expected \"p/1/b\", came \"p/1/a\"",
            "qos: expected 0, came 1",
            "retain: expected false, came true",
            "dup: expected true, came false",
            "id: expected 2, came 1",
            "payload: expected hex 00 01, came \"m1\"",
        ]
    );
    assert_eq!(mismatches("sub <- PUBACK", &Packet::Pingresp), ["packet: expected PUBACK, came PINGRESP"]);
}

#[test]
fn a_size_is_compared_by_length() {
    assert_eq!(mismatches("sub <- PUBLISH: {payload: {size: 2}}", &Packet::Publish(publish())), [""; 0]);
    let long = Packet::Publish(Publish { payload: vec![b'x'; 100], ..publish() });
    let expected = format!("payload: expected 2 bytes, came \"{}\"... (100 bytes)", "x".repeat(64));
    assert_eq!(mismatches("sub <- PUBLISH: {payload: {size: 2}}", &long), [expected]);
}

#[test]
fn properties_are_compared_one_by_one() {
    let identifiers = [5, 3].map(|id| SubscriptionIdentifier::new(id).unwrap());
    let properties = PublishProperties {
        message_expiry_interval: Some(9),
        subscription_identifiers: identifiers.into(),
        user_properties: vec![("a".try_into().unwrap(), "b".try_into().unwrap())],
        ..PublishProperties::default()
    };
    let packet = Packet::Publish(Publish { properties, ..publish() });
    let right = "sub <- PUBLISH: {properties: {message_expiry_interval: 9, subscription_identifiers: [3, 5], \
                 user_properties: [{a: b}], response_topic: null}}";
    assert_eq!(mismatches(right, &packet), [""; 0]);
    let wrong = "sub <- PUBLISH: {properties: {message_expiry_interval: null, subscription_identifiers: [3], \
                 user_properties: [{a: c}], response_topic: r}}";
    assert_eq!(
        mismatches(wrong, &packet),
        [
            "properties.message_expiry_interval: expected absent, came 9",
            "properties.response_topic: expected \"r\", came absent",
            "properties.subscription_identifiers: expected 3, came 3, 5",
            "properties.user_properties: expected \"a\": \"c\", came \"a\": \"b\"",
        ]
    );
}

#[test]
fn codes_are_names_numbers_or_classes() {
    let puback = |reason| Packet::Puback(Acknowledgement { reason, ..Acknowledgement::success(PacketId::FIRST) });
    let none = puback(ReasonCode::NoMatchingSubscribers);
    for right in ["no-matching-subscribers", "0x10", "16", "[success, 0x10]", "any-success"] {
        assert_eq!(mismatches(&format!("sub <- PUBACK: {{code: {right}}}"), &none), [""; 0], "{right}");
    }
    assert_eq!(
        mismatches("sub <- PUBACK: {code: any-error}", &none),
        ["code: expected any error code, came 0x10 No matching subscribers"]
    );
    assert_eq!(
        mismatches("sub <- PUBACK: {code: [success, not-authorized]}", &none),
        ["code: expected 0x00 Success or 0x87 Not authorized, came 0x10 No matching subscribers"]
    );
}

#[test]
fn the_codes_of_a_connack_have_one_name_in_all_versions() {
    let head = "cites: [MQTT-3.3.4-1]\nmqtt: [\"3.1.1\"]";
    let connack = Packet::Connack(Connack {
        session_present: false,
        code: ConnackCode::Return(ConnectReturnCode::IdentifierRejected),
        properties: ConnackProperties::default(),
    });
    for right in ["client-identifier-not-valid", "identifier-rejected", "2", "any-error"] {
        assert_eq!(mismatches_in(head, &format!("sub <- CONNACK: {{code: {right}}}"), &connack), [""; 0], "{right}");
    }
    assert_eq!(
        mismatches_in(head, "sub <- CONNACK: {code: success}", &connack),
        ["code: expected 0 accepted, came 2 identifier-rejected"]
    );
}

#[test]
fn each_filter_has_its_code() {
    let suback = Packet::Suback(Suback {
        packet_id: PacketId::FIRST,
        properties: Default::default(),
        codes: vec![ReasonCode::GrantedQos1, ReasonCode::NotAuthorized],
    });
    assert_eq!(mismatches("sub <- SUBACK: {codes: [[granted-qos-0, 1], any-error]}", &suback), [""; 0]);
    assert_eq!(
        mismatches("sub <- SUBACK: {codes: [1, 2]}", &suback),
        ["codes[1]: expected 0x02 Granted QoS 2, came 0x87 Not authorized"]
    );
    assert_eq!(
        mismatches("sub <- SUBACK: {codes: [1]}", &suback),
        ["codes: expected 1 of them, came [0x01 Granted QoS 1, 0x87 Not authorized]"]
    );
}

#[test]
fn a_variable_without_a_value_fits_nothing() {
    let script = [
        "sub -> CONNECT",
        "sub <- CONNACK: {as: k}",
        "sub <- PUBLISH: {properties: {topic_alias: $k.topic_alias_maximum}}",
    ];
    let steps = steps(V5, &script);
    assert_eq!(pattern(&steps[1]).packet_type(), PacketType::Connack);
    let found = pattern(&steps[2]).compare(&Packet::Publish(publish()), &scope());
    assert_eq!(found.len(), 1);
    assert!(found[0].expected.contains("no packet was bound with `as: k`"), "{}", found[0]);
}
