//! What a scenario is made of, and how one is put together.

use super::super::properties::{self, Claim};
use super::super::system::IDENTITIES;
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
    pub(in crate::check) vocabulary: Vocabulary,
    /// Those who share a client identifier stand together.
    pub(in crate::check) clients: Vec<Vec<Role>>,
    /// The Shared Subscription, if there is one: all its members are one group.
    pub(in crate::check) share: Option<FilterKey>,
    /// Moments to which time may move, in milliseconds since the beginning; none: nothing here looks at the clock.
    pub(in crate::check) moments: Vec<Millis>,
    pub(in crate::check) claims: Vec<Claim>,
}

/// A client: its script, and how often its connection may break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::check) struct Role {
    pub(in crate::check) name: &'static str,
    pub(in crate::check) lasting: bool,
    pub(in crate::check) receive_maximum: u16,
    /// How many identifiers it uses in turn for its messages, above that of SUBSCRIBE.
    pub(in crate::check) identifiers: u16,
    pub(in crate::check) will: Option<Will>,
    /// Whether it publishes with a Topic Alias.
    pub(in crate::check) uses_alias: bool,
    pub(in crate::check) breaks: u8,
    pub(in crate::check) script: Vec<Step>,
}

/// What a client does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::check) enum Step {
    Connect,
    Subscribe(FilterKey, SubscriptionOptions),
    Unsubscribe(FilterKey),
    Publish(MessageKey),
    /// The end.
    Disconnect,
}

impl Scenario {
    /// The first of those who play the same part as this client.
    pub(in crate::check) fn part(&self, client: usize) -> usize {
        let are_alike = |one: &[Role], other: &[Role]| {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is_like(other))
        };
        self.clients.iter().position(|other| are_alike(other, &self.clients[client])).unwrap_or(client)
    }

    /// How many of the first clients are alike: they differ in their names only.
    pub(in crate::check) fn alike(&self) -> usize {
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
    pub(super) fn of<N>(self, small: N, quick: N, deep: N) -> N {
        match self {
            Scale::Small => small,
            Scale::Quick => quick,
            Scale::Deep => deep,
        }
    }
}

impl Role {
    pub(super) fn new(name: &'static str) -> Role {
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
    pub(in crate::check) fn identifier(&self, message: MessageKey) -> PacketId {
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
pub(super) struct World {
    vocabulary: Vocabulary,
    version: ProtocolVersion,
    profile: &'static Profile,
    /// Whose messages are new ones.
    sender: SenderKey,
}

impl World {
    pub(super) fn new(version: ProtocolVersion, profile: &str) -> World {
        let profile = Profile::builtin(profile).expect("scenarios name built-in profiles");
        World { vocabulary: Vocabulary::default(), version, profile, sender: SenderKey(0) }
    }

    pub(super) fn filter(&mut self) -> FilterKey {
        self.vocabulary.filter(TOPIC)
    }

    /// The same topic for a group.
    pub(super) fn shared_filter(&mut self) -> FilterKey {
        self.vocabulary.filter(&format!("$share/group/{TOPIC}"))
    }

    pub(super) fn subscribe(&mut self, qos: Qos) -> Step {
        Step::Subscribe(self.filter(), SubscriptionOptions { qos, ..SubscriptionOptions::default() })
    }

    pub(super) fn unsubscribe(&mut self) -> Step {
        Step::Unsubscribe(self.filter())
    }

    /// A client that connects and publishes a message at each of these levels.
    pub(super) fn publisher(&mut self, levels: &[Qos]) -> Role {
        self.sender.0 += 1;
        let publish = levels.iter().map(|qos| Step::Publish(self.message(*qos, |_| {})));
        let script = std::iter::once(Step::Connect).chain(publish).collect();
        Role { script, ..Role::new("pub") }
    }

    /// A new message: m1, m2 and so on.
    pub(super) fn message(&mut self, qos: Qos, change: impl FnOnce(&mut Message)) -> MessageKey {
        let topic = self.vocabulary.topic(TOPIC);
        let number = self.vocabulary.messages().count() + 1;
        let content = self.vocabulary.content(Content {
            topic: TOPIC.to_owned(),
            payload: format!("m{number}").into_bytes(),
            properties: PublishProperties::default(),
        });
        let mut message = Message {
            sender: self.sender,
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
        change(&mut message);
        self.vocabulary.message(message)
    }

    pub(super) fn scenario(
        self,
        name: &'static str,
        about: &'static str,
        clients: Vec<Vec<Role>>,
        claims: &[Claim],
    ) -> Scenario {
        assert!(clients.len() <= IDENTITIES, "a state has room for {IDENTITIES} client identifiers");
        let World { vocabulary, version, profile, .. } = self;
        let claims = [&properties::EVERYWHERE, claims].concat();
        Scenario { name, about, profile, version, vocabulary, clients, share: None, moments: Vec::new(), claims }
    }
}
