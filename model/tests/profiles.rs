//! Profiles load strictly: what is wrong in a file is named with its place.

use model::packet::ProtocolVersion;
use model::profile::{Code, Feature, Offence, Profile, Reaction};

#[test]
fn built_in_profiles_load_and_inherit() {
    for name in Profile::builtin_names() {
        assert_eq!(Profile::builtin(name).unwrap().name, name);
    }
    let standard = Profile::builtin("standard").unwrap();
    let platform = Profile::builtin("platform").unwrap();
    let newer = Profile::builtin("platform-2026").unwrap();
    assert!(standard.has(Feature::SharedTopics) && !platform.has(Feature::SharedTopics));
    assert!(!platform.has(Feature::Will) && newer.has(Feature::Will));
    let has_will = |version| newer.has_in(Feature::Will, version);
    assert!(has_will(ProtocolVersion::V5_0) && !has_will(ProtocolVersion::V3_1_1));
    assert_eq!(newer.limits().keep_alive.minimum, 30);
    let v5 = ProtocolVersion::V5_0;
    assert_eq!(platform.reactions(Offence::SecondConnect, v5), standard.reactions(Offence::SecondConnect, v5));
    assert_eq!(standard.reactions(Offence::SecondConnect, v5)[0], Reaction::Disconnect(Code::Exactly(0x82)));
    assert!(Profile::builtin("nonsense").is_none());
}

#[test]
fn a_file_of_ones_own_extends_a_built_in_one() {
    let text =
        "name: mine\nabout: Ours.\nextends: standard\nfeatures: {qos-2: false}\nlimits: {keep-alive: [0, 600]}\n";
    let mine = Profile::load("mine.yaml", text).unwrap();
    assert!(!mine.has(Feature::Qos2) && mine.has(Feature::Will));
    assert_eq!(mine.limits().keep_alive.maximum, 600);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let head = "name: mine\nabout: Ours.\nextends: standard\n";
    for (body, expected) in [
        ("colour: red\n", "mine.yaml:4:1: unknown field `colour`"),
        ("features: {qos-3: true}\n", "unknown feature `qos-3`: expected one of shared-topics"),
        ("features:\n  will: perhaps\n", "mine.yaml:5:9: features.will: invalid type"),
        ("features: {will: [\"4\"]}\n", "features.will: unknown MQTT version `4`"),
        ("limits:\n  keep-alive: [9, 3]\n", "mine.yaml:5:3: the profile contradicts itself: `keep-alive` ends (3)"),
        ("features: {full-grants: true}\n", ""),
        ("features:\n  subscriber-qos: false\n", "full-grants has no meaning without subscriber-qos"),
        ("topics: here\n", "mine.yaml:4:1: the profile contradicts itself: `topics` must contain {unique}"),
        (
            "reactions:\n  second-connect:\n    \"3.1\": [explode]\n",
            "mine.yaml:6:12: reactions.second-connect.3.1: unknown reaction `explode`",
        ),
        ("reactions:\n  second-connect:\n    \"3.1\": []\n", "`second-connect` has no permitted reaction in 3.1"),
        ("reactions:\n  second-connect:\n    \"3.1\": [disconnect 0x82]\n", "a server of 3.1 has no DISCONNECT"),
        ("reactions:\n  second-connect:\n    \"5.0\": [disconnect 0x85]\n", "DISCONNECT of 5.0 cannot say 0x85 here"),
        (
            "reactions:\n  second-connect:\n    \"5.0\": [puback 0x87 then close]\n",
            "`puback 0x87 then close`: only a suback can stand before `then close`",
        ),
        (
            "reactions:\n  topic-not-permitted:\n    \"3.1\": [suback 0x80 then close]\n",
            "SUBACK of 3.1 cannot say 0x80 here",
        ),
        (
            "topic-classes:\n  pushed: [\"/x/{device}\"]\n",
            "mine.yaml:5:11: topic-classes.pushed: `{device}` names no part of a device",
        ),
        ("limits: {rrpc-timeout: [9, 3]}\n", "`rrpc-timeout` ends (3) before it begins (9)"),
        ("features: {rrpc: true}\n", "it has rrpc, but no `rrpc-timeout`"),
        ("features: {device-login-only: true}\n", "device-login-only has no meaning without device-login"),
        ("rows: [Q]\n", "unknown part of the fact sheet `Q`: expected one of P, N, X"),
        ("features: [\n", "mine.yaml:4:11: features: invalid type"),
        ("about: twice\n", "mine.yaml:1:1: duplicate field `about`"),
    ] {
        let result = Profile::load("mine.yaml", &format!("{head}{body}"));
        if expected.is_empty() {
            result.unwrap();
            continue;
        }
        let message = result.unwrap_err().to_string();
        assert!(message.starts_with("mine.yaml:") && message.contains(expected), "{body}: {message}");
    }
    let stranger = Profile::load("p.yaml", "name: p\nabout: A.\nextends: nowhere\n").unwrap_err().to_string();
    assert!(stranger.starts_with("p.yaml:3:1: `extends: nowhere`: only standard, platform"), "{stranger}");
}
