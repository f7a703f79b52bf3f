//! A whole exchange, and answers that are missing, uncalled for or no packets at all.

use crate::trace::{Trace, V5, V311, connack, connect, pair, puback, qos1, suback, subscribe, unsuback, unsubscribe};
use model::judge::Observation;
use model::packet::{Disconnect, Packet, ProtocolVersion, Qos, ReasonCode};

#[test]
fn an_exchange_without_fault_conforms() {
    for version in ProtocolVersion::ALL {
        pair(version)
            .send(2, &qos1("t/a", "m1", 1, false))
            .receive(2, &puback(1))
            .receive(1, &qos1("t/a", "m1", 7, false))
            .send(1, &puback(7))
            .send(1, &Packet::Pingreq)
            .receive(1, &Packet::Pingresp)
            .send(1, &unsubscribe(2, "t/+"))
            .receive(1, &unsuback(2, if version == V5 { &[ReasonCode::Success] } else { &[] }))
            .send(1, &Packet::Disconnect(Disconnect::normal()))
            .see(1, Observation::ClosedByServer)
            .see(2, Observation::ClosedByClient)
            .conforms();
    }
}

#[test]
fn missing_answers_are_found_at_the_end() {
    pair(V311).send(1, &Packet::Pingreq).violates("pingreq-is-answered", "MQTT-3.12.4-1");
    pair(V311).send(1, &subscribe(5, "x", Qos::AtMostOnce)).violates("subscribe-is-answered", "MQTT-3.8.4-1");
    pair(V5).send(1, &unsubscribe(5, "x")).violates("unsubscribe-is-answered", "MQTT-3.10.4-4");
    pair(V5).send(2, &qos1("x", "m", 1, false)).violates("publish-is-answered", "MQTT-4.3.2-4");
    Trace::new("standard", V5)
        .see(1, Observation::Opened)
        .send(1, &Packet::Connect(connect("sub")))
        .violates("connect-is-accepted", "MQTT-3.1.4-5");
}

#[test]
fn answers_to_nothing_are_found() {
    pair(V311).receive(1, &Packet::Pingresp).violates("pingresp-answers", "MQTT-3.12.4-1");
    pair(V311).receive(1, &puback(9)).violates("puback-names-its-publish", "MQTT-2.3.1-6");
    pair(V311)
        .send(1, &subscribe(5, "x", Qos::AtMostOnce))
        .receive(1, &suback(6, &[ReasonCode::Success]))
        .violates("suback-names-its-subscribe", "MQTT-3.8.4-2");
    pair(V5)
        .send(1, &subscribe(5, "x", Qos::AtMostOnce))
        .receive(1, &suback(5, &[ReasonCode::Success, ReasonCode::Success]))
        .violates("suback-has-a-code-a-filter", "MQTT-3.8.4-6");
    pair(V311).receive(1, &connack(V311, false)).violates("connack-comes-once", "MQTT-3.1.4-4");
}

#[test]
fn bytes_that_are_no_packet_are_found() {
    let violation =
        pair(V311).see(1, Observation::Received(&[0xD1, 0])).violates("packet-is-well-formed", "MQTT-2.2.2-1");
    assert!(violation.seen.contains("found 0001"), "{violation:?}");
}
