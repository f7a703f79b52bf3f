//! `mqttspec probe`: what a broker says of itself, and a first profile.

use crate::fake_peer::{Answer, FakePeer, broker, listen_only};
use crate::program::{folder, mqttspec};
use harness::exit_code::{NO_JUDGEMENT, USAGE};
use model::packet::Packet;

/// CONNACK of 5.0: success, Retain Available 0, Maximum Packet Size 4096.
const CONNACK_5_0: [u8; 12] = [0x20, 10, 0, 0, 7, 0x25, 0, 0x27, 0, 0, 0x10, 0];

#[test]
fn a_profile_of_what_connack_announces_can_be_run_with() {
    // The first connection is of 3.1, the second of 3.1.1, the third of 5.0.
    let peer = FakePeer::serve(|stream, number| {
        broker(stream, |packet| match packet {
            Packet::Connect(_) if number == 2 => Answer::Bytes(CONNACK_5_0.to_vec()),
            _ => Answer::Properly,
        });
    });
    let path = folder().join("mine.yaml").display().to_string();
    let finished = mqttspec(&["probe", &peer.url(), "--profile-out", &path]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    for line in ["MQTT 5.0    accepted", "  Retain                    no", "  Maximum Packet Size       4096 bytes"] {
        assert!(finished.stdout.lines().any(|other| other == line), "{line:?} is not in\n{}", finished.stdout);
    }
    let listed = mqttspec(&["list", "--profile", &path, "--verbose", "--run", "mine/retained/stored/**"]);
    assert!(listed.stdout.contains("# not applicable: mine lacks retained-messages"), "{}", listed.stdout);
    assert!(listed.stdout.lines().any(|line| line.ends_with("/mqtt:3.1.1")), "{}", listed.stdout);
}

#[test]
fn who_speaks_no_mqtt_has_no_profile() {
    let peer = FakePeer::serve(|stream, _| listen_only(stream));
    let path = folder().join("none.yaml");
    let arguments = ["probe", &peer.url(), "--timeout", "0.2", "--profile-out", &path.display().to_string()];
    mqttspec(&arguments).fails_with(NO_JUDGEMENT, "does not answer a CONNECT");
    assert!(!path.exists());
    mqttspec(&["probe", "http://broker.example"]).fails_with(USAGE, "http");
}
