//! What a packet of the server shows by itself, against what was announced; and which statements a violation names.

use crate::trace::{Trace, V5, V311, connack, connect, id, pair, puback, qos1, subscribe};
use model::judge::{Judgement, Observation};
use model::packet::{
    Acknowledgement, Connack, ConnackCode, ConnackProperties, Connect, ConnectReturnCode, Packet, ProtocolVersion, Qos,
    ReasonCode, ReasonProperties, Suback, Unsuback, UnsubscribeProperties, Will, WillProperties,
};
use model::wire::Crafted;
use std::num::NonZeroU32;

fn reason(text: &str) -> ReasonProperties {
    ReasonProperties { reason_string: Some(text.try_into().unwrap()), user_properties: Vec::new() }
}

fn user(name: &str) -> ReasonProperties {
    let pair = (name.try_into().unwrap(), name.try_into().unwrap());
    ReasonProperties { reason_string: None, user_properties: vec![pair] }
}

fn explained_puback(properties: ReasonProperties) -> Packet {
    Packet::Puback(Acknowledgement { properties, ..Acknowledgement::success(id(1)) })
}

/// A publisher that wants no explanations, after its QoS 1 message.
fn silent(asks: Option<bool>) -> Trace {
    let mut terms = connect("pub");
    terms.properties.request_problem_information = asks;
    Trace::new("standard", V5).connected_with(1, terms, false).send(1, &qos1("t/a", "m1", 1, false))
}

#[test]
fn explanations_come_only_to_those_who_want_them() {
    silent(Some(false)).receive(1, &puback(1)).conforms();
    silent(Some(true)).receive(1, &explained_puback(reason("fine"))).conforms();
    silent(None).receive(1, &explained_puback(user("fine"))).conforms();
    let rule = "problem-information-on-request";
    silent(Some(false)).receive(1, &explained_puback(reason("fine"))).violates(rule, "MQTT-3.1.2-29");
    silent(Some(false)).receive(1, &explained_puback(user("fine"))).violates(rule, "MQTT-3.1.2-29");
}

#[test]
fn connack_may_explain_what_nobody_asked_for() {
    let mut terms = connect("sub");
    terms.properties.request_problem_information = Some(false);
    let properties =
        ConnackProperties { reason_string: Some("hi".try_into().unwrap()), ..ConnackProperties::default() };
    let code = ConnackCode::Reason(ReasonCode::Success);
    Trace::new("standard", V5)
        .see(1, Observation::Opened)
        .send(1, &Packet::Connect(terms))
        .receive(1, &Packet::Connack(Connack { session_present: false, code, properties }))
        .conforms();
}

#[test]
fn after_such_a_breach_the_session_goes_on() {
    let trace = silent(Some(false)).receive(1, &explained_puback(reason("fine"))).send(1, &Packet::Pingreq);
    let Judgement::Violates(violations) = trace.verdict() else { panic!("two rules are broken") };
    let rules: Vec<&str> = violations.iter().map(|violation| violation.rule).collect();
    assert_eq!(rules, ["problem-information-on-request", "pingreq-is-answered"]);
}

#[test]
fn explanations_that_do_not_fit_are_left_out() {
    let limited = || {
        let mut terms = connect("sub");
        terms.properties.maximum_packet_size = NonZeroU32::new(20);
        Trace::new("standard", V5).connected_with(1, terms, false)
    };
    let published = || limited().send(1, &qos1("t/a", "m1", 1, false));
    published().receive(1, &explained_puback(reason("short"))).conforms();
    let long = "much too long for that client";
    let violation =
        published().receive(1, &explained_puback(reason(long))).violates("explanation-fits", "MQTT-3.4.2-2");
    assert_eq!(violation.statements, ["MQTT-3.4.2-2", "MQTT-3.4.2-3"]);
    let codes = vec![ReasonCode::Success];
    let suback = Packet::Suback(Suback { packet_id: id(1), properties: user(long), codes: codes.clone() });
    let subscribed = limited().send(1, &subscribe(1, "t/a", Qos::AtMostOnce)).receive(1, &suback);
    let violation = subscribed.violates("explanation-fits", "MQTT-3.9.2-1");
    assert_eq!(violation.statements, ["MQTT-3.9.2-1", "MQTT-3.9.2-2"]);
    let unsuback = Packet::Unsuback(Unsuback { packet_id: id(2), properties: reason(long), codes });
    let filters = vec!["t/a".try_into().unwrap()];
    let unsubscribe =
        model::packet::Unsubscribe { packet_id: id(2), properties: UnsubscribeProperties::default(), filters };
    let unsubscribed = limited().send(1, &Packet::Unsubscribe(unsubscribe)).receive(1, &unsuback);
    unsubscribed.violates("explanation-fits", "MQTT-3.11.2-2");
}

fn assigning(connection: u32, trace: Trace, assigned: &str) -> Trace {
    let code = ConnackCode::Reason(ReasonCode::Success);
    let assigned_client_identifier = Some(assigned.try_into().unwrap());
    let properties = ConnackProperties { assigned_client_identifier, ..ConnackProperties::default() };
    trace
        .see(connection, Observation::Opened)
        .send(connection, &Packet::Connect(connect("")))
        .receive(connection, &Packet::Connack(Connack { session_present: false, code, properties }))
}

#[test]
fn assigned_identifiers_are_unique() {
    let rule = "assigned-identifier-is-unique";
    let two = |one, other| assigning(2, assigning(1, Trace::new("standard", V5), one), other);
    two("auto-1", "auto-2").conforms();
    two("auto-1", "auto-1").violates(rule, "MQTT-3.2.2-16");
    let taken = assigning(2, Trace::new("standard", V5).connected(1, "mine"), "mine");
    taken.violates(rule, "MQTT-3.1.3-6");
    let left = Trace::new("standard", V5).connected(1, "mine").see(1, Observation::ClosedByClient);
    assigning(2, left, "mine").conforms();
}

#[test]
fn unused_bits_of_3_1_are_zero() {
    let v31 = ProtocolVersion::V3_1;
    let connecting =
        || Trace::new("standard", v31).see(1, Observation::Opened).send(1, &Packet::Connect(connect("sub")));
    let rule = "unused-bits-are-zero";
    connecting().see(1, Observation::Received(&[0x20, 2, 0, 0])).conforms();
    let violation = connecting().see(1, Observation::Received(&[0x20, 2, 1, 0])).violates(rule, "V31-6");
    assert_eq!(violation.statements, ["V31-6", "V31-10"]);
    let pinging = || connecting().receive(1, &connack(v31, false)).send(1, &Packet::Pingreq);
    pinging().receive(1, &Packet::Pingresp).conforms();
    pinging().see(1, Observation::Received(&[0xD8, 0])).violates(rule, "V31-10");
    let subscribing = || connecting().receive(1, &connack(v31, false)).send(1, &subscribe(1, "t/a", Qos::AtLeastOnce));
    subscribing().see(1, Observation::Received(&[0x90, 3, 0, 1, 1])).conforms();
    subscribing().see(1, Observation::Received(&[0x90, 3, 0, 1, 5])).violates(rule, "V31-10");
}

#[test]
fn a_will_beyond_the_offer_is_not_accepted() {
    let accepted = |qos, retain, properties: ConnackProperties| {
        let will = Will {
            topic: "w".try_into().unwrap(),
            payload: Vec::new(),
            qos,
            retain,
            properties: WillProperties::default(),
        };
        let code = ConnackCode::Reason(ReasonCode::Success);
        Trace::new("standard", V5)
            .see(1, Observation::Opened)
            .send(1, &Packet::Connect(Connect { will: Some(will), ..connect("sub") }))
            .receive(1, &Packet::Connack(Connack { session_present: false, code, properties }))
    };
    let up_to_1 = || ConnackProperties { maximum_qos: Some(Qos::AtLeastOnce), ..ConnackProperties::default() };
    let nothing_retained = || ConnackProperties { retain_available: Some(false), ..ConnackProperties::default() };
    accepted(Qos::ExactlyOnce, true, ConnackProperties::default()).conforms();
    accepted(Qos::AtLeastOnce, true, up_to_1()).conforms();
    accepted(Qos::ExactlyOnce, false, nothing_retained()).conforms();
    accepted(Qos::ExactlyOnce, false, up_to_1()).violates("will-fits-the-offer", "MQTT-3.2.2-12");
    accepted(Qos::AtMostOnce, true, nothing_retained()).violates("will-fits-the-offer", "MQTT-3.2.2-13");
}

/// What a violation names when the server answers what it should have refused with PINGRESP.
fn tolerated(version: ProtocolVersion, bad: &[u8]) -> Vec<&'static str> {
    let trace = pair(version).see(1, Observation::Sent(bad)).receive(1, &Packet::Pingresp);
    trace.violates("offence-is-refused", "").statements
}

#[test]
fn a_violation_names_what_the_client_had_broken() {
    let second = |version| model::wire::encode(&Packet::Connect(connect("sub")), version).unwrap();
    assert_eq!(tolerated(V5, &second(V5)), ["MQTT-3.1.0-2", "MQTT-4.13.1-1"]);
    assert_eq!(tolerated(V311, &second(V311)), ["MQTT-3.1.0-2", "MQTT-4.8.0-1"]);
    let flags = |packet, version| Crafted::of(&packet, version).unwrap().flags(3).to_bytes();
    let subscribing = |version| flags(subscribe(7, "t/b", Qos::AtMostOnce), version);
    assert_eq!(tolerated(V5, &subscribing(V5)), ["MQTT-2.1.3-1", "MQTT-3.8.1-1", "MQTT-4.13.1-1"]);
    assert_eq!(tolerated(V311, &subscribing(V311)), ["MQTT-2.2.2-1", "MQTT-2.2.2-2", "MQTT-3.8.1-1", "MQTT-4.8.0-1"]);
}

#[test]
fn a_violation_names_only_what_binds_a_server() {
    // That no PUBLISH may come first is the client's duty: the server's is to end it.
    let trace = Trace::new("standard", V311)
        .see(1, Observation::Opened)
        .see(1, Observation::Sent(&[0xC0, 0]))
        .see(1, Observation::Received(&[0xD0, 0]));
    assert_eq!(trace.violates("offence-is-refused", "").statements, ["MQTT-4.8.0-1"]);
}

#[test]
fn an_identifier_that_is_not_valid_is_refused_in_its_own_words() {
    let refused = |code| {
        let invalid = Connect { clean_start: false, ..connect("") };
        Trace::new("standard", V311).see(1, Observation::Opened).send(1, &Packet::Connect(invalid)).receive(
            1,
            &Packet::Connack(Connack {
                session_present: false,
                code: ConnackCode::Return(code),
                properties: ConnackProperties::default(),
            }),
        )
    };
    let identifier_rejected = refused(ConnectReturnCode::IdentifierRejected);
    identifier_rejected.see(1, Observation::ClosedByServer).conforms();
    let statements = refused(ConnectReturnCode::ServerUnavailable).violates("offence-is-refused", "").statements;
    assert_eq!(statements, ["MQTT-3.1.3-8", "MQTT-4.8.0-1"]);
}
