//! The guide `docs/model.md` says what is true: its links lead somewhere, its names exist, its examples are real.
#![expect(clippy::unwrap_used, reason = "a test may panic, helpers of tests too")]

use model::judge::{ConnectionId, Judge, Judgement, Observation, Timing};
use model::packet::{
    Connack, ConnackCode, ConnackProperties, Connect, Delivery, Packet, PacketId, ProtocolVersion, Publish,
    PublishProperties, Qos, ReasonCode, ReasonProperties, Suback, Subscribe, SubscribeProperties, SubscriptionOptions,
    SubscriptionRequest,
};
use model::profile::Profile;
use model::wire::encode;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn guide() -> String {
    std::fs::read_to_string(docs().join("model.md")).unwrap()
}

/// All source text of the model below `folder`.
fn sources(folder: &Path) -> String {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .map(|path| match path.is_dir() {
            true => sources(&path),
            false if path.extension().is_some_and(|extension| extension == "rs") => {
                std::fs::read_to_string(path).unwrap()
            }
            false => String::new(),
        })
        .collect()
}

/// The text between each `open` and the next `close`.
fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> Vec<&'a str> {
    text.split(open).skip(1).filter_map(|rest| rest.split(close).next()).collect()
}

#[test]
fn links_lead_somewhere() {
    let guide = guide();
    let links = between(&guide, "](", ")");
    assert!(links.len() > 20, "the guide is full of links");
    for link in links {
        assert!(docs().join(link).exists(), "{link} is not there");
    }
}

#[test]
fn names_exist() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let guide = guide();
    // Without its blocks a guide has backticks in pairs.
    let prose: String = guide.split("```").step_by(2).collect();
    let mut names = 0;
    for code in prose.split('`').skip(1).step_by(2) {
        let is_name = code.chars().all(|c| c.is_ascii_alphabetic() || c == '_' || c == ':');
        if is_name && (code.contains('_') || code.contains("::")) && !code.starts_with("UPDATE_") {
            let name = code.rsplit("::").next().unwrap();
            assert!(sources.contains(name), "no `{code}` in the sources");
            names += 1;
        }
    }
    assert!(names >= 4, "{names} names");
}

#[test]
fn the_row_is_that_of_the_table() {
    let guide = guide();
    let row = between(&guide, "```rust\n", "```")[0].trim_end();
    let table = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server"));
    assert!(table.contains(row), "the table has no\n{row}");
}

fn subscribe(packet_id: PacketId) -> Packet {
    let options = SubscriptionOptions { qos: Qos::AtLeastOnce, ..SubscriptionOptions::default() };
    Packet::Subscribe(Subscribe {
        packet_id,
        properties: SubscribeProperties::default(),
        requests: vec![SubscriptionRequest { filter: "t/a".try_into().unwrap(), options }],
    })
}

fn suback(packet_id: PacketId) -> Packet {
    let codes = vec![ReasonCode::GrantedQos1];
    Packet::Suback(Suback { packet_id, properties: ReasonProperties::default(), codes })
}

fn publish(packet_id: PacketId, payload: &str) -> Packet {
    Packet::Publish(Publish {
        delivery: Delivery::AtLeastOnce { packet_id, dup: false },
        retain: false,
        topic: "t/a".try_into().unwrap(),
        properties: PublishProperties::default(),
        payload: payload.as_bytes().to_vec(),
    })
}

#[test]
fn the_violation_is_real() {
    let version = ProtocolVersion::V5_0;
    let mut judge = Judge::new(Profile::builtin("standard").unwrap(), Timing::virtual_time());
    let (link, first, second) = (ConnectionId(1), PacketId::new(1).unwrap(), PacketId::new(2).unwrap());
    let mut connect = Connect { client_id: "both".try_into().unwrap(), clean_start: true, ..Connect::default() };
    connect.properties.receive_maximum = NonZeroU16::new(1);
    let code = ConnackCode::Reason(ReasonCode::Success);
    let connack = Connack { session_present: false, code, properties: ConnackProperties::default() };
    judge.observe(0, link, Observation::Opened);
    let exchange = [
        (true, Packet::Connect(connect)),
        (false, Packet::Connack(connack)),
        (true, subscribe(first)),
        (false, suback(first)),
        (true, publish(first, "m1")),
        (true, publish(second, "m2")),
        (false, publish(first, "m1")),
        (false, publish(second, "m2")),
    ];
    for (sent, packet) in &exchange {
        let bytes = encode(packet, version).unwrap();
        judge.observe(1, link, if *sent { Observation::Sent(&bytes) } else { Observation::Received(&bytes) });
    }
    let Judgement::Violates(violations) = judge.finish(2) else { panic!("a window of 1 holds 1") };
    let violation = &violations[0];
    let shown = format!(
        "\nrule        {}\nsays        {}\nstatements  {}\nexpected    {}\nseen        {}\n",
        violation.rule,
        violation.says,
        violation.statements.join(", "),
        violation.expected,
        violation.seen
    );
    let guide = guide();
    assert!(guide.split("```").any(|block| block == shown), "the guide does not show{shown}");
}
