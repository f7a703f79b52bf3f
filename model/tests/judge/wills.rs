//! Wills: when they come, and when they do not.

use crate::trace::*;
use model::judge::Observation;
use model::packet::{Connack, ConnackCode, ConnackProperties, Connect, Packet, Qos, ReasonCode, Will, WillProperties};

fn with_will(connect: Connect, delay: Option<u32>) -> Connect {
    let properties = WillProperties { will_delay_interval: delay, ..WillProperties::default() };
    let will = Will {
        topic: "w".try_into().unwrap(),
        payload: b"gone".to_vec(),
        qos: Qos::AtLeastOnce,
        retain: false,
        properties,
    };
    Connect { will: Some(will), ..connect }
}

/// `dev` has a Will, `sub` waits for it.
fn armed(version: model::packet::ProtocolVersion, delay: Option<u32>) -> Trace {
    Trace::new("standard", version)
        .connected_with(1, Connect { keep_alive: 0, ..connect("sub") }, false)
        .subscribed(1, 1, "w", Qos::AtLeastOnce)
        .connected_with(2, with_will(lasting("dev", version), delay), false)
}

#[test]
fn it_comes_when_the_connection_breaks() {
    for version in [V311, V5] {
        let broken = || armed(version, None).see(2, Observation::ClosedByClient);
        broken().receive(1, &qos1("w", "gone", 1, false)).conforms();
        broken().later(10_000).violates("delivery-is-made", "");
        armed(version, None).receive(1, &qos1("w", "gone", 1, false)).violates("will-has-its-time", "MQTT-3.1.2-8");
    }
}

#[test]
fn disconnect_takes_it_back() {
    for version in [V311, V5] {
        let left = || {
            armed(version, None)
                .send(2, &goodbye(ReasonCode::Success))
                .see(2, Observation::ClosedByServer)
                .later(20_000)
        };
        left().conforms();
        left().receive(1, &qos1("w", "gone", 1, false)).violates("will-has-its-time", "MQTT-3.14.4-3");
    }
    let wanted =
        || armed(V5, None).send(2, &goodbye(ReasonCode::DisconnectWithWillMessage)).see(2, Observation::ClosedByServer);
    wanted().receive(1, &qos1("w", "gone", 1, false)).conforms();
    wanted().later(20_000).violates("delivery-is-made", "");
}

#[test]
fn it_waits_for_its_delay_or_the_end_of_the_session() {
    let broken = |delay| armed(V5, Some(delay)).see(2, Observation::ClosedByClient);
    broken(30).receive(1, &qos1("w", "gone", 1, false)).violates("will-has-its-time", "MQTT-3.1.2-8");
    broken(30).later(30_000).receive(1, &qos1("w", "gone", 1, false)).conforms();
    broken(30).later(29_000).conforms();
    broken(30).later(60_000).violates("delivery-is-made", "");
    // The session ends after 100 s.
    broken(1_000).later(100_000).receive(1, &qos1("w", "gone", 1, false)).conforms();
}

#[test]
fn a_client_that_is_back_in_time_takes_it_back() {
    let back = |connect| {
        armed(V5, Some(30))
            .see(2, Observation::ClosedByClient)
            .later(10_000)
            .connected_with(3, connect, true)
            .later(90_000)
    };
    let kept = || back(Connect { keep_alive: 0, ..lasting("dev", V5) });
    kept().conforms();
    kept().receive(1, &qos1("w", "gone", 1, false)).violates("will-has-its-time", "MQTT-3.1.3-9");
    let renewed = || {
        armed(V5, Some(30)).see(2, Observation::ClosedByClient).later(10_000).connected_with(
            3,
            Connect { keep_alive: 0, ..connect("dev") },
            false,
        )
    };
    renewed().receive(1, &qos1("w", "gone", 1, false)).conforms();
    renewed().later(20_000).violates("delivery-is-made", "");
}

#[test]
fn a_takeover_publishes_it_unless_it_has_a_delay() {
    let taken_over =
        |delay| armed(V5, delay).connected_with(3, lasting("dev", V5), true).see(2, Observation::ClosedByServer);
    taken_over(None).receive(1, &qos1("w", "gone", 1, false)).conforms();
    taken_over(Some(30)).conforms();
    taken_over(Some(30)).receive(1, &qos1("w", "gone", 1, false)).violates("will-has-its-time", "");
}

#[test]
fn the_platform_has_none() {
    let broken = Trace::new("platform", V311)
        .connected(1, "sub")
        .subscribed(1, 1, "w", Qos::AtLeastOnce)
        .connected_with(2, with_will(connect("dev"), None), false)
        .see(2, Observation::ClosedByClient);
    broken.receive(1, &qos1("w", "gone", 1, false)).violates("delivery-was-subscribed", "");
}

#[test]
fn a_server_may_not_have_what_a_will_asks_for() {
    let refused = |reason| {
        Trace::new("standard", V5)
            .see(1, Observation::Opened)
            .send(1, &Packet::Connect(with_will(connect("dev"), None)))
            .receive(1, &refusal(reason))
            .see(1, Observation::ClosedByServer)
    };
    refused(ReasonCode::QosNotSupported).conforms();
    let mut wildcard = with_will(connect("dev"), None);
    wildcard.will.as_mut().unwrap().topic = "w/+".try_into().unwrap();
    let sent = |reply: &Packet| {
        Trace::new("standard", V5)
            .see(1, Observation::Opened)
            .send(1, &Packet::Connect(wildcard.clone()))
            .receive(1, reply)
    };
    sent(&refusal(ReasonCode::TopicNameInvalid)).see(1, Observation::ClosedByServer).conforms();
    sent(&connack(V5, false)).violates("offence-is-refused", "MQTT-4.7.0-1");
}

fn refusal(reason: ReasonCode) -> Packet {
    Packet::Connack(Connack {
        session_present: false,
        code: ConnackCode::Reason(reason),
        properties: ConnackProperties::default(),
    })
}

#[test]
fn of_two_the_one_that_came_last_is_retained() {
    let retained = |delay, payload: &str, connect: Connect| {
        let mut armed = with_will(connect, Some(delay));
        let will = armed.will.as_mut().unwrap();
        will.retain = true;
        will.payload = payload.as_bytes().to_vec();
        armed
    };
    let met = |payload: &str| {
        let mut message = qos1("w", payload, 1, false);
        if let Packet::Publish(publish) = &mut message {
            publish.retain = true;
        }
        Trace::new("standard", V5)
            .connected_with(1, retained(20, "late", lasting("one", V5)), false)
            .see(1, Observation::ClosedByClient)
            .connected_with(2, retained(0, "early", lasting("two", V5)), false)
            .see(2, Observation::ClosedByClient)
            .later(60_000)
            .connected(3, "sub")
            .subscribed(3, 1, "w", Qos::AtLeastOnce)
            .receive(3, &message)
    };
    met("late").conforms();
    met("early").violates("will-has-its-time", "");
}
