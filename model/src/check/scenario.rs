//! The worlds that are explored.

use super::properties::{self, Claim};
use super::system::IDENTITIES;
use crate::packet::{PacketId, ProtocolVersion, PublishProperties, Qos, SubscriptionOptions};
use crate::profile::Profile;
use crate::server::vocabulary::{Content, Message, SenderKey};
use crate::server::{FilterKey, MessageKey, Millis, Vocabulary, Will};

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
    /// Those who share a client identifier stand together.
    pub(super) clients: Vec<Vec<Role>>,
    /// The Shared Subscription, if there is one: all its members are one group.
    pub(super) share: Option<FilterKey>,
    /// Moments to which time may move, in milliseconds since the beginning; none: nothing here looks at the clock.
    pub(super) moments: Vec<Millis>,
    pub(super) claims: Vec<Claim>,
}

/// A client: its script, and how often its connection may break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) name: &'static str,
    pub(super) lasting: bool,
    pub(super) receive_maximum: u16,
    /// How many identifiers it uses in turn for its messages, above that of SUBSCRIBE.
    pub(super) identifiers: u16,
    pub(super) will: Option<Will>,
    /// Whether it publishes with a Topic Alias.
    pub(super) uses_alias: bool,
    pub(super) breaks: u8,
    pub(super) script: Vec<Step>,
}

/// What a client does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Connect,
    Subscribe(FilterKey, SubscriptionOptions),
    Unsubscribe(FilterKey),
    Publish(MessageKey),
    /// The end.
    Disconnect,
}

impl Scenario {
    /// The first of those who play the same part as this client.
    pub(super) fn part(&self, client: usize) -> usize {
        let are_alike = |one: &[Role], other: &[Role]| {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is_like(other))
        };
        self.clients.iter().position(|other| are_alike(other, &self.clients[client])).unwrap_or(client)
    }

    /// How many of the first clients are alike: they differ in their names only.
    pub(super) fn alike(&self) -> usize {
        (0..self.clients.len()).take_while(|client| self.part(*client) == 0).count()
    }

    /// The same world with one question.
    #[must_use]
    pub fn asking(mut self, property: &str) -> Scenario {
        self.claims.retain(|claim| claim.name == property);
        self
    }
}

/// How large the worlds are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// For `cargo test` without optimisation.
    Small,
    /// Up to two million states each.
    Quick,
    /// Up to a hundred million.
    Deep,
}

impl Scale {
    /// The number for this scale.
    fn of<N>(self, small: N, quick: N, deep: N) -> N {
        match self {
            Scale::Small => small,
            Scale::Quick => quick,
            Scale::Deep => deep,
        }
    }
}

/// All scenarios, in the order in which they are best read.
#[must_use]
pub fn scenarios(scale: Scale) -> Vec<Scenario> {
    vec![broken_link(scale), fan_out(scale), takeover(scale), unsubscribe(scale), publisher_decides(scale)]
}

/// The scenario of this name.
#[must_use]
pub fn scenario(name: &str, scale: Scale) -> Option<Scenario> {
    scenarios(scale).into_iter().find(|scenario| scenario.name == name)
}

fn broken_link(scale: Scale) -> Scenario {
    broken_link_of(scale.of(3, 4, 5), scale.of(1, 1, 2))
}

/// The scenario `broken-link` with so many messages and broken connections: the QoS 1 core, in the sizes of its twin.
#[must_use]
pub fn broken_link_of(messages: usize, breaks: u8) -> Scenario {
    let mut world = World::new(ProtocolVersion::V5_0, "standard");
    let publisher = world.publisher(&[Qos::AtLeastOnce].repeat(messages));
    let script = vec![Step::Connect, world.subscribe(Qos::AtLeastOnce)];
    let subscriber = Role { lasting: true, receive_maximum: 2, breaks, script, ..Role::new("sub") };
    world.scenario(
        "broken-link",
        "Two clients on one topic; the subscriber keeps its session, and its connection breaks.",
        vec![vec![subscriber], vec![publisher]],
        &[
            properties::WINDOW_IS_OBEYED,
            properties::DELIVERY_IS_REPEATED,
            properties::SESSION_IS_RESUMED,
            properties::WINDOW_IS_FULL,
        ],
    )
}

fn fan_out(scale: Scale) -> Scenario {
    let mut world = World::new(ProtocolVersion::V5_0, "standard");
    let publisher = world.publisher(&[Qos::AtLeastOnce].repeat(scale.of(2, 3, 2)));
    let script = vec![Step::Connect, world.subscribe(Qos::AtLeastOnce)];
    let (lasting, breaks) = scale.of((false, 0), (false, 0), (true, 1));
    let subscriber = |name| Role { lasting, receive_maximum: 2, breaks, script: script.clone(), ..Role::new(name) };
    world.scenario(
        "fan-out",
        "One publisher and two subscribers that are alike: each has its own window and its own identifiers.",
        vec![vec![subscriber("sub 1")], vec![subscriber("sub 2")], vec![publisher]],
        &[properties::WINDOW_IS_OBEYED, properties::WINDOW_IS_FULL],
    )
}

fn takeover(scale: Scale) -> Scenario {
    let mut world = World::new(ProtocolVersion::V3_1_1, "standard");
    let publisher = world.publisher(&[Qos::AtLeastOnce].repeat(scale.of(2, 3, 4)));
    let script = vec![Step::Connect, world.subscribe(Qos::AtLeastOnce)];
    let first = Role { lasting: true, script, breaks: scale.of(0, 1, 1), ..Role::new("sub") };
    let second = Role { lasting: true, script: vec![Step::Connect], ..Role::new("sub again") };
    world.scenario(
        "takeover",
        "A second connection with the subscriber's client identifier takes its session over.",
        vec![vec![first, second], vec![publisher]],
        &[
            properties::OLDER_CONNECTION_CLOSES,
            properties::DELIVERY_IS_REPEATED,
            properties::SESSION_IS_RESUMED,
            properties::CONNECTION_IS_TAKEN_OVER,
        ],
    )
}

fn unsubscribe(scale: Scale) -> Scenario {
    let mut world = World::new(ProtocolVersion::V3_1_1, "standard");
    let publisher = world.publisher(&ALTERNATING[..scale.of(3, 5, 6)]);
    let script = vec![Step::Connect, world.subscribe(Qos::AtLeastOnce), world.unsubscribe()];
    let subscriber = Role { script, ..Role::new("sub") };
    world.scenario(
        "unsubscribe",
        "A subscriber leaves a topic while messages are on their way to it.",
        vec![vec![subscriber], vec![publisher]],
        &[properties::SILENT_AFTER_UNSUBACK, properties::LATE_MESSAGE],
    )
}

fn publisher_decides(scale: Scale) -> Scenario {
    let mut world = World::new(ProtocolVersion::V3_1_1, "platform");
    let mut device = world.publisher(&ALTERNATING[..scale.of(2, 2, 3)]);
    device.script.insert(1, world.subscribe(Qos::AtMostOnce));
    let device = Role { name: "dev", lasting: true, breaks: scale.of(1, 3, 3), ..device };
    world.scenario(
        "publisher-decides",
        "A device of the platform asks for QoS 0, publishes at QoS 1 and 0, and gets its messages as they were published.",
        vec![vec![device]],
        &[properties::QOS_IS_RAISED],
    )
}

/// Levels of messages that come by turns.
const ALTERNATING: [Qos; 6] =
    [Qos::AtLeastOnce, Qos::AtMostOnce, Qos::AtLeastOnce, Qos::AtMostOnce, Qos::AtLeastOnce, Qos::AtMostOnce];

impl Role {
    fn new(name: &'static str) -> Role {
        Role {
            name,
            lasting: false,
            receive_maximum: u16::MAX,
            identifiers: 8,
            will: None,
            uses_alias: false,
            breaks: 0,
            script: Vec::new(),
        }
    }

    /// The identifier of a message.
    pub(super) fn identifier(&self, message: MessageKey) -> PacketId {
        (0..message.0 % u32::from(self.identifiers)).fold(PacketId::FIRST.next(), |id, _| id.next())
    }

    /// Whether it does the same as another one.
    fn is_like(&self, other: &Role) -> bool {
        *self == Role { name: self.name, ..other.clone() }
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
        Step::Subscribe(self.vocabulary.filter(TOPIC), SubscriptionOptions { qos, ..SubscriptionOptions::default() })
    }

    fn unsubscribe(&mut self) -> Step {
        Step::Unsubscribe(self.vocabulary.filter(TOPIC))
    }

    /// A client that connects and publishes a message at each of these levels.
    fn publisher(&mut self, levels: &[Qos]) -> Role {
        let publish =
            levels.iter().zip(1..).map(|(qos, number)| Step::Publish(self.message(&format!("m{number}"), *qos)));
        let script = std::iter::once(Step::Connect).chain(publish).collect();
        Role { script, ..Role::new("pub") }
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

    fn scenario(self, name: &'static str, about: &'static str, clients: Vec<Vec<Role>>, claims: &[Claim]) -> Scenario {
        assert!(clients.len() <= IDENTITIES, "a state has room for {IDENTITIES} client identifiers");
        let World { vocabulary, version, profile } = self;
        let claims = [&properties::EVERYWHERE, claims, &[properties::ALL_ARRIVE]].concat();
        Scenario { name, about, profile, version, vocabulary, clients, share: None, moments: Vec::new(), claims }
    }
}
