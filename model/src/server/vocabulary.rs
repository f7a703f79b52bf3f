//! Tokens for what a session need not look into: topics, filters, contents of messages.
//!
//! A token is an index into a [`Vocabulary`], filled where bytes are read (judge) or where a scenario is written
//! (checker). Whether a filter matches a topic is computed once, when both are known.

use super::Millis;
use super::expiry::Expiry;
use super::mentions::Live;
use crate::packet::{ProtocolVersion, PublishProperties, Qos};
use crate::topic::TopicFilter;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

macro_rules! keys {
    ($($(#[$doc:meta])* $key:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $key(pub u32);
    )*};
}

keys! {
    /// A Topic Name.
    TopicKey;
    /// A Topic Filter.
    FilterKey;
    /// What a subscriber sees of a message: topic, payload and properties.
    ContentKey;
    /// An Application Message on its way: one for each that was published.
    MessageKey;
    /// Who published: the session of a client identifier.
    SenderKey;
}

/// What a subscriber sees of a message. Topic Alias and Message Expiry Interval are not part of it: the first belongs to a
/// connection, the second changes while the message waits (MQTT-3.3.2-6).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Content {
    /// Topic Name.
    pub topic: String,
    /// Payload.
    pub payload: Vec<u8>,
    /// Properties that travel with the message; empty for a subscriber of 3.x, which knows none.
    pub properties: PublishProperties,
}

impl Content {
    /// The content as a subscriber of `version` sees it.
    #[must_use]
    pub fn seen_by(mut self, version: ProtocolVersion) -> Content {
        if version.has_properties() {
            self.properties.topic_alias = None;
            self.properties.message_expiry_interval = None;
            self.properties.subscription_identifiers.clear();
            // Absent and 0 mean the same: unspecified bytes (3.3.2.3.2).
            self.properties.payload_format_indicator = self.properties.payload_format_indicator.filter(|utf8| *utf8);
        } else {
            self.properties = PublishProperties::default();
        }
        self
    }
}

/// A published message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Message {
    /// Whose it is.
    pub sender: SenderKey,
    /// Which of the sender's connections it was published on, in the order of their CONNECT packets.
    pub connection: u32,
    /// Which of them were gone when that one began: their messages come before this one, those of others in any order.
    pub after: u32,
    /// Where it was published to.
    pub topic: TopicKey,
    /// The QoS that it was published with.
    pub qos: Qos,
    /// The size of the PUBLISH that brought it, in bytes: about what is forwarded.
    pub size: u32,
    /// How long it may wait in the server, if that has an end.
    pub expiry: Option<Expiry>,
    /// RETAIN of its PUBLISH, or Will Retain.
    pub retain: bool,
    /// Whether it is a Will.
    pub is_will: bool,
    /// What a subscriber of 3.x sees.
    pub content_3: ContentKey,
    /// What a subscriber of 5.0 sees.
    pub content_5: ContentKey,
}

impl Message {
    /// What a subscriber of `version` sees.
    #[must_use]
    pub fn content(&self, version: ProtocolVersion) -> ContentKey {
        if version.has_properties() { self.content_5 } else { self.content_3 }
    }
}

/// All tokens of a trace or of a scenario, and what they stand for.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    topics: BTreeMap<TopicKey, String>,
    topic_keys: BTreeMap<String, TopicKey>,
    /// With the parsed filter, unless the text is none: such a filter matches nothing.
    filters: BTreeMap<FilterKey, (String, Option<TopicFilter>)>,
    filter_keys: BTreeMap<String, FilterKey>,
    contents: BTreeMap<ContentKey, Content>,
    content_keys: std::collections::HashMap<Content, ContentKey>,
    messages: BTreeMap<MessageKey, Message>,
    /// Where messages stand that were sent once more, and up to where the connections of their sender were gone by then.
    repeated: BTreeMap<MessageKey, (Place, u32)>,
    /// Which messages of QoS 2 their client has released, and as which one of all.
    released: BTreeMap<MessageKey, u32>,
    coined: Coined,
}

/// Where a message stands among those of its sender: the connection, and what was published before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(u32, MessageKey);

/// Two that have given the same tokens to the same things are the same: the maps say it once more.
impl Hash for Vocabulary {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Vocabulary { topics, filters, contents, messages, repeated, released, .. } = self;
        (topics, contents, messages, repeated, released).hash(state);
        filters.values().for_each(|(text, _)| text.hash(state));
    }
}

impl Vocabulary {
    /// Forgets what is not live. The latest messages stay: what comes may be one of them, changed on its way.
    pub fn sweep(&mut self, live: &Live) {
        const LATEST: usize = 64;
        let latest = self.messages.keys().rev().nth(LATEST).copied();
        self.messages.retain(|key, _| latest.is_none_or(|latest| *key > latest) || live.messages.contains(key));
        self.repeated.retain(|key, _| self.messages.contains_key(key));
        self.released.retain(|key, _| self.messages.contains_key(key));
        let topics: BTreeSet<TopicKey> = self.messages.values().map(|message| message.topic).collect();
        let of_message = |message: &Message| [message.content_3, message.content_5];
        let contents: BTreeSet<ContentKey> = self.messages.values().flat_map(of_message).collect();
        self.topics.retain(|key, _| topics.contains(key) || live.topics.contains(key));
        self.filters.retain(|key, _| live.filters.contains(key));
        self.contents.retain(|key, _| contents.contains(key));
        self.topic_keys.retain(|_, key| self.topics.contains_key(key));
        self.filter_keys.retain(|_, key| self.filters.contains_key(key));
        self.content_keys.retain(|_, key| self.contents.contains_key(key));
    }

    /// How many tokens it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.topics.len() + self.filters.len() + self.contents.len() + self.messages.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The token of a Topic Name.
    pub fn topic(&mut self, name: &str) -> TopicKey {
        if let Some(key) = self.topic_keys.get(name) {
            return *key;
        }
        let key = TopicKey(coin(&mut self.coined.topics));
        self.topics.insert(key, name.to_owned());
        self.topic_keys.insert(name.to_owned(), key);
        key
    }

    /// The token of a Topic Filter as sent.
    pub fn filter(&mut self, text: &str) -> FilterKey {
        if let Some(key) = self.filter_keys.get(text) {
            return *key;
        }
        let key = FilterKey(coin(&mut self.coined.filters));
        self.filters.insert(key, (text.to_owned(), text.parse().ok()));
        self.filter_keys.insert(text.to_owned(), key);
        key
    }

    /// The token of a content.
    pub fn content(&mut self, content: Content) -> ContentKey {
        if let Some(key) = self.content_keys.get(&content) {
            return *key;
        }
        let key = ContentKey(coin(&mut self.coined.contents));
        self.contents.insert(key, content.clone());
        self.content_keys.insert(content, key);
        key
    }

    /// A new message.
    pub fn message(&mut self, message: Message) -> MessageKey {
        let key = MessageKey(coin(&mut self.coined.messages));
        self.messages.insert(key, message);
        key
    }

    /// The message of a token.
    #[must_use]
    pub fn of(&self, key: MessageKey) -> &Message {
        &self.messages[&key]
    }

    /// Where a message stands: a connection is done when its client's next one begins.
    #[must_use]
    pub fn place(&self, key: MessageKey) -> Place {
        Place(self.of(key).connection, key)
    }

    /// Where it stands when its sender has sent it once more: the last of these places.
    #[must_use]
    pub fn last_place(&self, key: MessageKey) -> Place {
        self.repeated.get(&key).map_or(self.place(key), |(place, _)| *place)
    }

    /// Whether all of one message was sent before the other: on the same connection, or on one that was gone when the
    /// other's began. Of connections that are open at once nobody knows which one the server reads first. A client that
    /// releases the other one first (against MQTT-4.6.0-4; 3.1 does not forbid it) leaves their order open: a server may pass
    /// a message of QoS 2 on as soon as it is published or not before it is released (4.3.3).
    #[must_use]
    pub fn is_sent_before(&self, one: MessageKey, other: MessageKey) -> bool {
        let is_past =
            |place: Place, begin: Place, after: u32| place < begin && (place.0 == begin.0 || place.0 <= after);
        // The first copy may be read behind the last one: its connection may have been open all the time.
        let precedes = |begin: Place, after: u32| {
            is_past(self.place(one), begin, after) && is_past(self.last_place(one), begin, after)
        };
        let copy_is_later = |(place, after): &(Place, u32)| is_past(self.place(one), *place, *after);
        let is_sent =
            precedes(self.place(other), self.of(other).after) && self.repeated.get(&other).is_none_or(copy_is_later);
        is_sent && !self.is_released_before(other, one)
    }

    fn is_released_before(&self, one: MessageKey, other: MessageKey) -> bool {
        self.released.get(&one).is_some_and(|place| self.released.get(&other).is_none_or(|others| place < others))
    }

    /// The client releases a message of QoS 2: what counts is the first time.
    pub fn release(&mut self, key: MessageKey) {
        if !self.released.contains_key(&key) {
            self.released.insert(key, coin(&mut self.coined.releases));
        }
    }

    /// Whether its sender has sent it once more on a connection after this one.
    #[must_use]
    pub fn is_repeated_after(&self, key: MessageKey, connection: u32) -> bool {
        self.repeated.get(&key).is_some_and(|(place, _)| place.0 > connection)
    }

    /// A message is sent once more, on this connection of its sender, whose connections up to `after` were gone when it began.
    pub fn repeat(&mut self, key: MessageKey, connection: u32, after: u32) {
        self.repeated.insert(key, (Place(connection, MessageKey(self.coined.messages)), after));
    }

    /// Every message, in the order in which they were published.
    pub fn messages(&self) -> impl Iterator<Item = (MessageKey, &Message)> {
        self.messages.iter().map(|(key, message)| (*key, message))
    }

    /// The server has taken a message over at `now` at the latest.
    pub fn taken(&mut self, key: MessageKey, now: Millis) {
        if let Some(expiry) = self.messages.get_mut(&key).and_then(|message| message.expiry.as_mut()) {
            expiry.latest.get_or_insert(now);
        }
    }

    /// Whether a filter is that of a Shared Subscription.
    #[must_use]
    pub fn is_shared(&self, filter: FilterKey) -> bool {
        self.filters[&filter].1.as_ref().is_some_and(|filter| filter.share().is_some())
    }

    /// The content of a token.
    #[must_use]
    pub fn content_of(&self, key: ContentKey) -> &Content {
        &self.contents[&key]
    }

    /// The text of a Topic Name.
    #[must_use]
    pub fn topic_name(&self, key: TopicKey) -> &str {
        &self.topics[&key]
    }

    /// The text of a filter.
    #[must_use]
    pub fn filter_text(&self, key: FilterKey) -> &str {
        &self.filters[&key].0
    }

    /// Whether a subscription to this filter is for this topic.
    #[must_use]
    pub fn matches(&self, filter: FilterKey, topic: TopicKey) -> bool {
        let parsed = self.filters[&filter].1.as_ref();
        parsed.is_some_and(|filter| filter.matches(&self.topics[&topic]))
    }

    /// The same where only the levels count: a server of 3.1 may see it like that (V31-25).
    #[must_use]
    pub fn matches_levels(&self, filter: FilterKey, topic: TopicKey) -> bool {
        let parsed = self.filters[&filter].1.as_ref();
        parsed.is_some_and(|filter| filter.matches_levels(&self.topics[&topic]))
    }

    /// A message in a few words, for charts: `t/a "m1"`.
    #[must_use]
    pub fn describe(&self, key: MessageKey) -> String {
        let content = self.content_of(self.of(key).content_5);
        format!("{} \"{}\"", content.topic, String::from_utf8_lossy(&content.payload))
    }
}

/// How many tokens of each kind there ever were: none is used again.
#[derive(Debug, Clone, Copy, Default)]
struct Coined {
    topics: u32,
    filters: u32,
    contents: u32,
    messages: u32,
    releases: u32,
}

/// The next number. 32 bits are wide enough: traces are bounded far below that.
fn coin(coined: &mut u32) -> u32 {
    let number = *coined;
    *coined = number.saturating_add(1);
    number
}
