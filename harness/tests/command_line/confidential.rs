//! Secrets that a platform hands out, in what a run leaves behind when it fails.

use crate::fake_peer::{Answer, FakePeer, broker};
use crate::program::{file, folder, mqttspec};
use model::packet::Packet;
use std::fs;

const CASE: &str = r#"suite: confidential
about: A broker that hands out a secret.
target: broker
profiles: [standard]
cases:
  - id: something-else-comes
    about: A client gets a message.
    cites: [MQTT-3.3.4-1]
    mqtt: ["3.1.1"]
    steps:
      - dev -> CONNECT
      - dev <- CONNACK
      - dev <- PUBLISH: {payload: something else}
"#;

/// Short enough to stand whole wherever payloads stand.
const ANSWER: &str = r#"{"deviceSecret":"s3cr3t-01"}"#;

/// A broker whose CONNACK is followed by a PUBLISH with this first byte and topic; what the run says, and its reports.
fn run(first: u8, topic: &str) -> Vec<String> {
    let body = format!("\0{}{topic}{ANSWER}", char::from(u8::try_from(topic.len()).expect("it is short")));
    let length = u8::try_from(body.len()).expect("it is short");
    let publish = [&[first, length], body.as_bytes()].concat();
    let peer = FakePeer::serve(move |stream, _| {
        broker(stream, |packet| match packet {
            Packet::Connect(connect) if connect.client_id.as_str().ends_with("dev") => {
                Answer::Bytes([&[0x20, 2, 0, 0], publish.as_slice()].concat())
            }
            _ => Answer::Properly,
        });
    });
    let reports = ["report.json", "report.xml"].map(|name| folder().join(name));
    let [json, junit] = reports.each_ref().map(|path| path.display().to_string());
    let cases = file("confidential.yaml", CASE);
    let finished = mqttspec(&[
        "run",
        &peer.url(),
        "--cases",
        &cases,
        "--timeout",
        "2",
        "--json",
        &json,
        "--junit",
        &junit,
        "--verbose",
    ]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let reports = reports.map(|path| fs::read_to_string(path).expect("it was written"));
    reports.into_iter().chain([finished.stdout, finished.stderr]).collect()
}

#[test]
fn a_secret_stands_in_no_report_whatever_its_packet_looks_like() {
    for (first, topic, shown) in [
        (0x30, "/ext/register", "(28 bytes)"),
        (0x30, "elsewhere", "*********"),
        (0x36, "/ext/register", "2a 2a 2a 2a 2a 2a 2a 2a 2a 22 7d"),
    ] {
        let said = run(first, topic);
        for text in &said {
            assert!(!text.contains("s3cr3t") && !text.contains("73 33 63 72 33 74"), "{first:#x} {topic}: {text}");
        }
        assert!(said[0].contains(shown), "{first:#x} {topic}: {}", said[0]);
    }
}
