//! Secrets that a platform hands out and passwords, in what a run leaves behind when it fails.

use crate::fake_peer::{Answer, FakePeer, broker};
use crate::program::{command, file, finish, folder, mqttspec};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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

const PASSWORD: &str = "s3cr3t-of-lamp";

/// A CONNECT with a reserved flag, and one with too short a length, in hex digits; and one that is right.
const MALFORMED: &str = r#"suite: confidential
about: Passwords in what is no CONNECT.
target: broker
profiles: [standard]
cases:
  - id: nobody-closes
    about: What is malformed is refused.
    cites: [MQTT-3.1.2-3]
    mqtt: ["3.1.1"]
    rows:
      - {id: reserved-flag, bytes: "10 22 00 04 4d 51 54 54 04 c3 00 3c 00 04 6c616d70 00 02 6d65 HEX"}
      - {id: length, bytes: "10 0c 00 04 'MQTT' 04 c2 00 3c s'lamp' s'me' s'TEXT'"}
      - {id: client-id-without-end, bytes: "10 22 00 04 'MQTT' 04 c2 00 3c 00 f4 'lamp' s'me' s'TEXT'"}
    steps:
      - dev -> BYTES: $row.bytes
      - dev <- closed
  - id: it-comes-back
    about: A client gets a message.
    cites: [MQTT-3.3.4-1]
    mqtt: ["3.1.1"]
    steps:
      - dev -> CONNECT: {password: TEXT}
      - dev <- CONNACK
      - dev <- PUBLISH: {payload: TEXT and more}
"#;

fn hex(between: &str) -> String {
    PASSWORD.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(between)
}

/// Whatever could give the password away; of what was cut, its beginning.
fn gives_away(text: &str) -> bool {
    let base64 = STANDARD.encode(PASSWORD);
    let text = text.to_lowercase();
    [&PASSWORD[..6], &hex(" ")[..17], &hex("")[..12]].iter().any(|part| text.contains(*part))
        || text.contains(&base64[..8].to_lowercase())
}

#[test]
fn a_password_stands_in_no_report_however_wrong_its_connect_is() {
    let payload = format!("{PASSWORD} {} {}", hex(""), STANDARD.encode(PASSWORD));
    let length = |length: usize| u8::try_from(length).expect("it is short");
    let publish = [&[0x30, length(payload.len() + 3), 0, 1, b't'], payload.as_bytes()].concat();
    let peer = FakePeer::serve(move |stream, _| {
        broker(stream, |packet| match packet {
            Packet::Connect(connect) if connect.client_id.as_str().ends_with("dev") => {
                Answer::Bytes([&[0x20, 2, 0, 0], publish.as_slice()].concat())
            }
            _ => Answer::Properly,
        });
    });
    let text = MALFORMED.replace("TEXT", PASSWORD).replace("HEX", &format!("00 0e {}", hex(" ")));
    let cases = file("malformed.yaml", &text);
    let reports = ["malformed.json", "malformed.xml"].map(|name| folder().join(name));
    let [json, junit] = reports.each_ref().map(|path| path.display().to_string());
    let options = ["--timeout", "1", "--json", &json, "--junit", &junit, "--verbose"];
    let finished = mqttspec(&[&["run", &peer.url(), "--cases", &cases], &options[..]].concat());
    assert_eq!(finished.last_line(), "0 passed, 4 failed, 0 skipped", "{finished:?}");
    let explained = mqttspec(&["explain", "standard/confidential/**", "--cases", &cases]);
    assert_eq!(explained.code, Some(0), "{explained:?}");
    let proved = mqttspec(&["prove", "--profile", "standard", "--cases", &cases]);
    assert!(proved.stdout.contains("REFUTED"), "{proved:?}");
    let reports = reports.map(|path| fs::read_to_string(path).expect("it was written"));
    for said in [&finished, &explained, &proved].iter().flat_map(|it| [&it.stdout, &it.stderr]).chain(&reports) {
        assert!(!gives_away(said), "{said}");
    }
    // What is no password is there to be seen.
    for part in ["CONNECT? 10 22 00 04 4d 51 54 54 04 c3 00 3c 00 04 6c 61 6d 70 00 02", "PUBLISH t \"**************"] {
        assert!(finished.stdout.contains(part), "{part:?} is not in {}", finished.stdout);
    }
    assert!(explained.stdout.contains("6c616d70 00 02 6d65 00 0e *****"), "{}", explained.stdout);
}

#[test]
fn a_password_stands_in_no_finding_of_a_walk() {
    let save = folder().join("confidential-findings");
    let mut fuzz = command(&["fuzz", "--fault", "no-local-ignored", "--seed", "2", "--runs", "20"]);
    fuzz.args(["--user-name", "lamp", "--password-env", "MQTTSPEC_TEST_PASSWORD", "--save"]).arg(&save);
    fuzz.env("MQTTSPEC_TEST_PASSWORD", PASSWORD);
    let finished = finish(fuzz.spawn().expect("the program was built for this test"));
    assert!(finished.stdout.contains("CONNECT ") && finished.stdout.contains("password (14 bytes)"), "{finished:?}");
    let saved = fs::read_dir(&save).expect("it was saved").map(|entry| entry.expect("it is there").path());
    let saved: Vec<String> = saved.map(|path| fs::read_to_string(path).expect("it is text")).collect();
    assert!(!saved.is_empty());
    for said in saved.iter().chain([&finished.stdout, &finished.stderr]) {
        assert!(!gives_away(said), "{said}");
    }
}
