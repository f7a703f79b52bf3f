//! QoS 2 in both directions.

use crate::trace::*;
use model::packet::{Packet, Qos, ReasonCode};

/// The publisher sends `m1` at QoS 2 and the exchange is completed.
fn published(trace: Trace) -> Trace {
    trace
        .send(2, &qos2("t/a", "m1", 7, false))
        .receive(2, &pubrec(7))
        .send(2, &pubrel(7))
        .receive(2, &pubcomp(7, ReasonCode::Success))
}

fn subscriber(version: model::packet::ProtocolVersion) -> Trace {
    Trace::new("standard", version).connected(1, "sub").subscribed(1, 1, "t/a", Qos::ExactlyOnce).connected(2, "pub")
}

#[test]
fn a_message_goes_through_both_exchanges() {
    for version in [V311, V5] {
        published(subscriber(version))
            .receive(1, &qos2("t/a", "m1", 1, false))
            .send(1, &pubrec(1))
            .receive(1, &pubrel(1))
            .send(1, &pubcomp(1, ReasonCode::Success))
            .conforms();
    }
    published(subscriber(V5)).violates("delivery-is-made", "MQTT-4.5.0-1");
}

#[test]
fn each_step_of_the_server_is_owed() {
    subscriber(V5).send(2, &qos2("t/a", "m1", 7, false)).violates("publish-is-received", "MQTT-4.3.3-8");
    let received = || subscriber(V5).send(2, &qos2("t/a", "m1", 7, false)).receive(2, &pubrec(7));
    received().conforms();
    received().send(2, &pubrel(7)).violates("pubrel-is-answered", "MQTT-4.3.3-11");
    let delivered = || published(subscriber(V5)).receive(1, &qos2("t/a", "m1", 1, false));
    delivered().conforms();
    delivered().send(1, &pubrec(1)).violates("pubrec-is-answered", "MQTT-4.3.3-4");
    delivered().receive(1, &pubrel(1)).violates("pubrel-names-its-pubrec", "MQTT-2.2.1-5");
}

#[test]
fn a_message_that_comes_again_is_delivered_once() {
    let again = || {
        subscriber(V311)
            .send(2, &qos2("t/a", "m1", 7, false))
            .receive(2, &pubrec(7))
            .send(2, &qos2("t/a", "m1", 7, true))
            .receive(2, &pubrec(7))
            .send(2, &pubrel(7))
            .receive(2, &pubcomp(7, ReasonCode::Success))
            .receive(1, &qos2("t/a", "m1", 1, false))
    };
    again().conforms();
    again().receive(1, &qos2("t/a", "m1", 2, false)).violates("delivery-once", "");
    // After PUBCOMP the same identifier is a new message.
    published(again()).receive(1, &qos2("t/a", "m1", 2, false)).conforms();
}

#[test]
fn after_pubrec_the_publish_does_not_come_again() {
    let lasting_subscriber = |version| {
        Trace::new("standard", version)
            .connected_with(1, lasting("sub", version), false)
            .connected(2, "pub")
            .subscribed(1, 1, "t/a", Qos::ExactlyOnce)
    };
    for version in [V311, V5] {
        let broken = || {
            published(lasting_subscriber(version))
                .receive(1, &qos2("t/a", "m1", 1, false))
                .send(1, &pubrec(1))
                .receive(1, &pubrel(1))
                .see(1, model::judge::Observation::ClosedByClient)
                .connected_with(3, lasting("sub", version), true)
        };
        broken().receive(3, &pubrel(1)).send(3, &pubcomp(1, ReasonCode::Success)).conforms();
        broken().receive(3, &qos2("t/a", "m1", 1, true)).violates("received-is-not-repeated", "");
        broken().violates("unacknowledged-is-repeated", "MQTT-4.4.0-1");
    }
}

#[test]
fn an_unknown_identifier_is_answered() {
    pair(V5).send(2, &pubrel(9)).receive(2, &pubcomp(9, ReasonCode::PacketIdentifierNotFound)).conforms();
    pair(V5).send(2, &pubrel(9)).receive(2, &pubcomp(9, ReasonCode::Success)).conforms();
    pair(V5).send(2, &pubrel(9)).violates("pubrel-is-answered", "MQTT-4.3.3-11");
    let known = subscriber(V5).send(2, &qos2("t/a", "m1", 7, false)).receive(2, &pubrec(7)).send(2, &pubrel(7));
    known.receive(2, &pubcomp(7, ReasonCode::PacketIdentifierNotFound)).violates("pubrel-is-answered", "");
}

#[test]
fn an_open_exchange_counts_until_pubcomp() {
    let mut narrow = connect("sub");
    narrow.properties.receive_maximum = std::num::NonZeroU16::new(1);
    let first = Trace::new("standard", V5).connected_with(1, narrow, false).connected(2, "pub").subscribed(
        1,
        1,
        "t/a",
        Qos::ExactlyOnce,
    );
    let first = published(first).send(2, &qos2("t/a", "m2", 8, false)).receive(2, &pubrec(8));
    let first = first.receive(1, &qos2("t/a", "m1", 1, false)).send(1, &pubrec(1)).receive(1, &pubrel(1));
    first.receive(1, &qos2("t/a", "m2", 2, false)).violates("receive-maximum-is-obeyed", "MQTT-3.3.4-9");
}

#[test]
fn a_refused_message_goes_nowhere() {
    let refusal = Packet::Pubrec(model::packet::Acknowledgement {
        reason: ReasonCode::QuotaExceeded,
        ..model::packet::Acknowledgement::success(id(7))
    });
    let refused = || subscriber(V5).send(2, &qos2("t/a", "m1", 7, false)).receive(2, &refusal);
    refused().conforms();
    refused().receive(1, &qos2("t/a", "m1", 1, false)).violates("delivery-was-subscribed", "");
}
