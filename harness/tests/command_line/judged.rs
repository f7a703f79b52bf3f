//! Faults of a peer that no expectation of the case looks at: the judge finds them.

use crate::fake_peer::{Answer, FakePeer, broker};
use crate::program::{file, folder, mqttspec};
use model::packet::{Acknowledgement, Delivery, Packet, PacketId, ProtocolVersion, Publish, ReasonCode, Suback};
use model::wire::encode;
use serde_json::Value;
use std::fs;

/// Looks at payloads only: neither at DUP nor at identifiers.
const CASE: &str = r#"suite: judged
about: What the author of a case did not think of.
target: broker
profiles: [standard]
cases:
  - id: two-messages-come
    about: A client receives the two messages that it publishes.
    cites: [MQTT-3.3.4-1]
    mqtt: ["3.1.1"]
    steps:
      - dev -> CONNECT
      - dev <- CONNACK
      - dev -> SUBSCRIBE: {filter: $t/a, qos: 1}
      - dev <- SUBACK: {codes: [1]}
      - dev -> PUBLISH: {topic: $t/a, qos: 1, payload: m1}
      - dev <- PUBACK
      - dev <- PUBLISH: {payload: m1}
      - dev -> PUBLISH: {topic: $t/a, qos: 1, payload: m2}
      - dev <- PUBACK
      - dev <- PUBLISH: {payload: m2}
      - dev <- silence
"#;

/// A broker that sends every message back, each with what `delivery` makes of its number.
fn echo(delivery: fn(u16) -> Delivery) -> FakePeer {
    FakePeer::serve(move |stream, _| {
        let mut count = 0;
        broker(stream, |packet| {
            let answers = match packet {
                Packet::Subscribe(subscribe) => vec![Packet::Suback(Suback {
                    packet_id: subscribe.packet_id,
                    properties: model::packet::ReasonProperties::default(),
                    codes: vec![ReasonCode::GrantedQos1],
                })],
                Packet::Publish(publish) => {
                    count += 1;
                    let puback = publish.packet_id().map(|id| Packet::Puback(Acknowledgement::success(id)));
                    let back = Packet::Publish(Publish { delivery: delivery(count), ..publish.clone() });
                    puback.into_iter().chain([back]).collect()
                }
                _ => return Answer::Properly,
            };
            let bytes = answers
                .iter()
                .flat_map(|packet| encode(packet, ProtocolVersion::V3_1_1).expect("its packets can be said in 3.1.1"));
            Answer::Bytes(bytes.collect())
        });
    })
}

/// The reason and the statements of the one variant.
fn verdict(peer: &FakePeer) -> (String, String, Vec<String>) {
    let json = folder().join("report.json");
    let cases = file("judged.yaml", CASE);
    let path = json.display().to_string();
    let finished = mqttspec(&["run", &peer.url(), "--cases", &cases, "--timeout", "2", "--json", &path]);
    let report: Value = serde_json::from_str(&fs::read_to_string(json).expect("it was written")).expect("it is JSON");
    let variant = &report["variants"][0];
    let verdict = variant["verdict"].as_str().expect("a verdict").to_owned();
    assert_eq!(finished.code, Some(i32::from(verdict != "pass")), "{finished:?}");
    let reason = variant["reason"].as_str().unwrap_or_default().to_owned();
    let statements = variant["statements"].as_array().expect("statements");
    (verdict, reason, statements.iter().map(|statement| statement.as_str().expect("an id").to_owned()).collect())
}

fn delivery(number: u16, dup: bool) -> Delivery {
    Delivery::AtLeastOnce { packet_id: PacketId::new(number).expect("not zero"), dup }
}

#[test]
fn a_peer_without_fault_passes() {
    let (verdict, ..) = verdict(&echo(|count| delivery(count, false)));
    assert_eq!(verdict, "pass");
}

#[test]
fn dup_on_a_first_delivery_fails_a_case_whose_expectations_hold() {
    let (verdict, reason, statements) = verdict(&echo(|count| delivery(count, true)));
    assert_eq!(verdict, "fail");
    assert!(reason.contains("a first delivery has DUP 0"), "{reason}");
    assert!(statements.contains(&"MQTT-3.3.1-3".to_owned()), "{statements:?}");
}

#[test]
fn an_identifier_in_flight_that_is_used_again_fails_it_too() {
    let (verdict, reason, statements) = verdict(&echo(|_| delivery(1, false)));
    assert_eq!(verdict, "fail");
    assert!(reason.contains("a new delivery takes an identifier that is not in use"), "{reason}");
    assert!(statements.contains(&"MQTT-2.3.1-4".to_owned()), "{statements:?}");
}
