//! The worlds that are explored.

use crate::packet::{ProtocolVersion, Qos};
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
    /// The properties that have something to say here, by their names.
    pub(super) properties: Vec<&'static str>,
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
    /// The names of its properties.
    #[must_use]
    pub fn properties(&self) -> &[&'static str] {
        &self.properties
    }

    /// The same world with one question.
    #[must_use]
    pub fn asking(mut self, property: &str) -> Scenario {
        self.properties.retain(|known| *known == property);
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

const ALWAYS: [&str; 6] = [
    "an acknowledged QoS 1 message reaches its subscriber",
    "identifiers of open deliveries are unique",
    "Session Present tells the truth",
    "a repeated delivery has DUP and its identifier",
    "messages of one publisher arrive in order",
    "a delivered QoS is what publisher and grant allow",
];

/// Two clients on one topic; the subscriber's connection breaks.
fn broken_link() -> Scenario {
    let mut world = World::new(ProtocolVersion::V5_0, "standard");
    let messages = [
        world.message("m1", Qos::AtLeastOnce),
        world.message("m2", Qos::AtLeastOnce),
        world.message("m3", Qos::AtLeastOnce),
    ];
    let filter = world.vocabulary.filter("t/a");
    let mut script = vec![Step::Connect];
    script.extend(messages.map(Step::Publish));
    let publisher = Role { script, ..Role::new("pub", 1) };
    let subscriber = Role {
        lasting: true,
        receive_maximum: 2,
        breaks: 1,
        script: vec![Step::Connect, Step::Subscribe(filter, Qos::AtLeastOnce)],
        ..Role::new("sub", 0)
    };
    world.scenario(
        "broken-link",
        "Two clients on one topic; the subscriber keeps its session, and its connection breaks.",
        vec![subscriber, publisher],
        &[
            ALWAYS[0],
            ALWAYS[1],
            ALWAYS[2],
            ALWAYS[3],
            ALWAYS[4],
            ALWAYS[5],
            "no more deliveries are open than Receive Maximum",
            "a delivery is repeated",
            "a session is resumed",
            "the window is full",
            "all messages have arrived",
        ],
    )
}

/// The same client identifier connects twice.
fn takeover() -> Scenario {
    let mut world = World::new(ProtocolVersion::V3_1_1, "standard");
    let messages = [world.message("m1", Qos::AtLeastOnce), world.message("m2", Qos::AtLeastOnce)];
    let filter = world.vocabulary.filter("t/a");
    let mut script = vec![Step::Connect];
    script.extend(messages.map(Step::Publish));
    let publisher = Role { script, ..Role::new("pub", 1) };
    let first = Role {
        lasting: true,
        script: vec![Step::Connect, Step::Subscribe(filter, Qos::AtLeastOnce)],
        ..Role::new("sub", 0)
    };
    let second = Role { lasting: true, script: vec![Step::Connect], ..Role::new("sub again", 0) };
    world.scenario(
        "takeover",
        "A second connection with the subscriber's client identifier takes its session over.",
        vec![first, second, publisher],
        &[
            ALWAYS[0],
            ALWAYS[1],
            ALWAYS[2],
            ALWAYS[3],
            ALWAYS[4],
            ALWAYS[5],
            "a connection that was taken over is closed",
            "a delivery is repeated",
            "a session is resumed",
            "a connection is taken over",
            "all messages have arrived",
        ],
    )
}

/// A client that unsubscribes while messages are on their way.
fn unsubscribe() -> Scenario {
    let mut world = World::new(ProtocolVersion::V3_1_1, "standard");
    let messages = [
        world.message("m1", Qos::AtLeastOnce),
        world.message("m2", Qos::AtMostOnce),
        world.message("m3", Qos::AtLeastOnce),
    ];
    let filter = world.vocabulary.filter("t/a");
    let mut script = vec![Step::Connect];
    script.extend(messages.map(Step::Publish));
    let publisher = Role { script, ..Role::new("pub", 1) };
    let subscriber = Role {
        script: vec![Step::Connect, Step::Subscribe(filter, Qos::AtLeastOnce), Step::Unsubscribe(filter)],
        ..Role::new("sub", 0)
    };
    world.scenario(
        "unsubscribe",
        "A subscriber leaves a topic while messages are on their way to it.",
        vec![subscriber, publisher],
        &[
            ALWAYS[1],
            ALWAYS[4],
            ALWAYS[5],
            "nothing published after the UNSUBACK is delivered",
            "a message overtakes the UNSUBACK",
            "all messages have arrived",
        ],
    )
}

/// On the platform the publisher's QoS decides, whatever the subscriber asked for.
fn publisher_decides() -> Scenario {
    let mut world = World::new(ProtocolVersion::V3_1_1, "platform");
    let messages = [world.message("m1", Qos::AtLeastOnce), world.message("m2", Qos::AtMostOnce)];
    let filter = world.vocabulary.filter("t/a");
    let mut script = vec![Step::Connect, Step::Subscribe(filter, Qos::AtMostOnce)];
    script.extend(messages.map(Step::Publish));
    let device = Role { lasting: true, breaks: 1, script, ..Role::new("dev", 0) };
    world.scenario(
        "publisher-decides",
        "A device of the platform asks for QoS 0, publishes at QoS 1 and 0, and gets its messages as they were published.",
        vec![device],
        &[ALWAYS[1], ALWAYS[2], ALWAYS[3], ALWAYS[5], "a QoS 1 message comes to a QoS 0 request", "all messages have arrived"],
    )
}

impl Role {
    fn new(name: &'static str, session: usize) -> Role {
        Role { name, session, lasting: false, receive_maximum: u16::MAX, breaks: 0, script: Vec::new() }
    }
}

/// Collects the messages of a scenario: all on one topic.
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

    fn message(&mut self, payload: &str, qos: Qos) -> MessageKey {
        let topic = self.vocabulary.topic("t/a");
        let content = self.vocabulary.content(Content {
            topic: "t/a".to_owned(),
            payload: payload.as_bytes().to_vec(),
            properties: crate::packet::PublishProperties::default(),
        });
        let message = Message {
            sender: SenderKey(1),
            connection: 0,
            topic,
            qos,
            size: 0,
            expires: false,
            content_3: content,
            content_5: content,
        };
        self.vocabulary.message(message)
    }

    fn scenario(
        self,
        name: &'static str,
        about: &'static str,
        roles: Vec<Role>,
        properties: &'static [&'static str],
    ) -> Scenario {
        let World { vocabulary, version, profile } = self;
        Scenario { name, about, profile, version, vocabulary, roles, properties: properties.to_vec() }
    }
}
