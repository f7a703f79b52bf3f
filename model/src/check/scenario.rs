//! The worlds that are explored.

use super::properties::{self, Claim};
use crate::packet::{ProtocolVersion, PublishProperties, Qos};
use crate::profile::Profile;
use crate::server::vocabulary::{Content, Message, SenderKey};
use crate::server::{FilterKey, MessageKey, Vocabulary};

/// A small world: who is in it and what they do.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// The dialect of the server.
    pub profile: &'static Profile,
    /// The version that all clients speak.
    pub version: ProtocolVersion,
    pub(super) vocabulary: Vocabulary,
    pub(super) roles: Vec<Role>,
    pub(super) claims: Vec<Claim>,
}

/// A client: its session, its script, and how often its connection may break.
#[derive(Debug, Clone)]
pub(super) struct Role {
    pub(super) name: &'static str,
    /// Roles with the same number share a client identifier.
    pub(super) session: usize,
    pub(super) lasting: bool,
    pub(super) receive_maximum: u16,
    pub(super) breaks: u8,
    pub(super) script: Vec<Step>,
}

/// What a client does next.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Connect,
    Subscribe(FilterKey, Qos),
    Unsubscribe(FilterKey),
    Publish(MessageKey),
}

impl Scenario {
    /// The same world with one question.
    #[must_use]
    pub fn asking(mut self, property: &str) -> Scenario {
        self.claims.retain(|claim| claim.name == property);
        self
    }
}

/// All scenarios, in the order in which they are best read.
#[must_use]
pub fn scenarios() -> Vec<Scenario> {
    vec![broken_link(), takeover(), unsubscribe(), publisher_decides()]
}

/// The scenario of this name.
#[must_use]
pub fn scenario(name: &str) -> Option<Scenario> {
    scenarios().into_iter().find(|scenario| scenario.name == name)
}

fn broken_link() -> Scenario {
    let mut world = World::new(ProtocolVersion::V5_0, "standard");
    let publisher = world.publisher(&[("m1", Qos::AtLeastOnce), ("m2", Qos::AtLeastOnce), ("m3", Qos::AtLeastOnce)]);
    let script = vec![Step::Connect, world.subscribe(Qos::AtLeastOnce)];
    let subscriber = Role { lasting: true, receive_maximum: 2, breaks: 1, script, ..Role::new("sub", 0) };
    world.scenario(
        "broken-link",
        "Two clients on one topic; the subscriber keeps its session, and its connection breaks.",
        vec![subscriber, publisher],
        &[
            properties::WINDOW_IS_OBEYED,
            properties::DELIVERY_IS_REPEATED,
            properties::SESSION_IS_RESUMED,
            properties::WINDOW_IS_FULL,
        ],
    )
}

fn takeover() -> Scenario {
    let mut world = World::new(ProtocolVersion::V3_1_1, "standard");
    let publisher = world.publisher(&[("m1", Qos::AtLeastOnce), ("m2", Qos::AtLeastOnce)]);
    let script = vec![Step::Connect, world.subscribe(Qos::AtLeastOnce)];
    let first = Role { lasting: true, script, ..Role::new("sub", 0) };
    let second = Role { lasting: true, script: vec![Step::Connect], ..Role::new("sub again", 0) };
    world.scenario(
        "takeover",
        "A second connection with the subscriber's client identifier takes its session over.",
        vec![first, second, publisher],
        &[
            properties::OLDER_CONNECTION_CLOSES,
            properties::DELIVERY_IS_REPEATED,
            properties::SESSION_IS_RESUMED,
            properties::CONNECTION_IS_TAKEN_OVER,
        ],
    )
}

fn unsubscribe() -> Scenario {
    let mut world = World::new(ProtocolVersion::V3_1_1, "standard");
    let publisher = world.publisher(&[("m1", Qos::AtLeastOnce), ("m2", Qos::AtMostOnce), ("m3", Qos::AtLeastOnce)]);
    let script = vec![Step::Connect, world.subscribe(Qos::AtLeastOnce), world.unsubscribe()];
    let subscriber = Role { script, ..Role::new("sub", 0) };
    world.scenario(
        "unsubscribe",
        "A subscriber leaves a topic while messages are on their way to it.",
        vec![subscriber, publisher],
        &[properties::SILENT_AFTER_UNSUBACK, properties::LATE_MESSAGE],
    )
}

fn publisher_decides() -> Scenario {
    let mut world = World::new(ProtocolVersion::V3_1_1, "platform");
    let mut device = world.publisher(&[("m1", Qos::AtLeastOnce), ("m2", Qos::AtMostOnce)]);
    device.script.insert(1, world.subscribe(Qos::AtMostOnce));
    let device = Role { name: "dev", session: 0, lasting: true, breaks: 1, ..device };
    world.scenario(
        "publisher-decides",
        "A device of the platform asks for QoS 0, publishes at QoS 1 and 0, and gets its messages as they were published.",
        vec![device],
        &[properties::QOS_IS_RAISED],
    )
}

impl Role {
    fn new(name: &'static str, session: usize) -> Role {
        Role { name, session, lasting: false, receive_maximum: u16::MAX, breaks: 0, script: Vec::new() }
    }
}

/// Where everything in a scenario is published.
const TOPIC: &str = "t/a";

/// Collects the tokens of a scenario.
struct World {
    vocabulary: Vocabulary,
    version: ProtocolVersion,
    profile: &'static Profile,
}

impl World {
    fn new(version: ProtocolVersion, profile: &str) -> World {
        let profile = Profile::builtin(profile).expect("scenarios name built-in profiles");
        World { vocabulary: Vocabulary::default(), version, profile }
    }

    fn subscribe(&mut self, qos: Qos) -> Step {
        Step::Subscribe(self.vocabulary.filter(TOPIC), qos)
    }

    fn unsubscribe(&mut self) -> Step {
        Step::Unsubscribe(self.vocabulary.filter(TOPIC))
    }

    /// A client that connects and publishes these.
    fn publisher(&mut self, messages: &[(&str, Qos)]) -> Role {
        let publish = messages.iter().map(|(payload, qos)| Step::Publish(self.message(payload, *qos)));
        let script = std::iter::once(Step::Connect).chain(publish).collect();
        Role { script, ..Role::new("pub", 1) }
    }

    fn message(&mut self, payload: &str, qos: Qos) -> MessageKey {
        let topic = self.vocabulary.topic(TOPIC);
        let content = self.vocabulary.content(Content {
            topic: TOPIC.to_owned(),
            payload: payload.as_bytes().to_vec(),
            properties: PublishProperties::default(),
        });
        let message = Message {
            sender: SenderKey(1),
            connection: 0,
            topic,
            qos,
            size: 0,
            expiry: None,
            retain: false,
            is_will: false,
            content_3: content,
            content_5: content,
        };
        self.vocabulary.message(message)
    }

    fn scenario(self, name: &'static str, about: &'static str, roles: Vec<Role>, claims: &[Claim]) -> Scenario {
        let World { vocabulary, version, profile } = self;
        let claims = [&properties::EVERYWHERE, claims, &[properties::ALL_ARRIVE]].concat();
        Scenario { name, about, profile, version, vocabulary, roles, claims }
    }
}
