//! The numbers of a dialect.

use crate::packet::{PublishProperties, UserProperty};

/// Limits of a dialect; `None` is no limit beyond the format's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Keep Alive that a CONNECT may ask for, in seconds.
    pub keep_alive: KeepAliveRange,
    /// How late, in seconds, a server may notice that 1.5 times the Keep Alive have passed.
    pub keep_alive_lateness: u16,
    /// How late, in seconds, a server may notice that a Session Expiry Interval is over.
    pub session_expiry_lateness: u16,
    /// Largest packet that a server takes, in bytes.
    pub maximum_packet_size: Option<u32>,
    /// Topic Alias Maximum of a server.
    pub topic_alias_maximum: u16,
    /// Filters in one SUBSCRIBE.
    pub filters_per_subscribe: Option<u16>,
    /// Subscriptions of one session.
    pub subscriptions_per_session: Option<u16>,
    /// Length of a topic or filter in bytes of UTF-8.
    pub topic_bytes: Option<u16>,
    /// Slashes in a topic or filter.
    pub topic_separators: Option<u16>,
    /// User Properties of a packet.
    pub user_properties: Option<u16>,
    /// Characters of a User Property, name and value together.
    pub user_property_characters: Option<u16>,
    /// Characters of a Response Topic.
    pub response_topic_characters: Option<u16>,
    /// Bytes of Correlation Data.
    pub correlation_data_bytes: Option<u16>,
    /// Characters of the part of a device's Client Identifier that its user chooses.
    pub client_identifier_characters: Option<u16>,
    /// CONNECT packets of one device within a minute.
    pub connects_per_minute: Option<u16>,
    /// PUBLISH packets of one device within a second, at QoS 0 and at QoS 1.
    pub uplink_per_second: Option<[u16; 2]>,
    /// QoS 1 PUBLISH packets of one client that may wait for PUBACK.
    pub uplink_in_flight: Option<u16>,
    /// Deliveries above QoS 0 to one client that a server has open at most, whatever the client's Receive Maximum.
    pub downlink_in_flight: Option<u16>,
    /// RRPC calls.
    pub rrpc: RrpcLimits,
}

/// The numbers of synchronous calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RrpcLimits {
    /// Lowest and highest timeout of a call, in milliseconds.
    pub timeout: Option<[u16; 2]>,
    /// How late, in milliseconds, a server may notice that a call's time is over.
    pub lateness: u16,
    /// Bytes of an answer that must be taken; `None`: as many as a packet holds.
    pub answer_bytes: Option<u16>,
}

/// What the length of a text is counted in: the fact sheet says "characters" and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Code points: the fewest.
    Characters,
    /// Bytes of UTF-8: the most.
    Bytes,
}

impl Unit {
    fn length(self, text: &str) -> usize {
        match self {
            Unit::Characters => text.chars().count(),
            Unit::Bytes => text.len(),
        }
    }
}

/// The topic that limits measure: of a call, the one that it was asked for, which keeps its own levels behind
/// `/ext/rrpc/{messageId}` (P-RPC-3, P-RPC-4).
#[must_use]
pub fn called_topic(topic: &str) -> &str {
    let called = topic.strip_prefix("/ext/rrpc/").and_then(|rest| rest.find('/').map(|at| &rest[at..]));
    called.unwrap_or(topic)
}

impl Limits {
    /// Whether a topic or filter is longer or deeper than the dialect allows.
    #[must_use]
    pub fn is_too_long(&self, topic: &str) -> bool {
        let topic = called_topic(topic);
        exceeds(self.topic_bytes, topic.len()) || exceeds(self.topic_separators, topic.matches('/').count())
    }

    /// The User Properties without those beyond the limits: of a reserved name, too long, or too many (P-V5-6 to -8).
    #[must_use]
    pub fn permitted_user_properties(&self, unit: Unit, properties: &[UserProperty]) -> Vec<UserProperty> {
        let limit = self.user_property_characters;
        let is_reserved = |name: &str| limit.is_some() && name.starts_with('_');
        let is_long = |name: &str, value: &str| exceeds(limit, unit.length(name) + unit.length(value));
        let count = self.user_properties.map_or(usize::MAX, usize::from);
        let permitted = properties.iter().filter(|(name, value)| !is_reserved(name) && !is_long(name, value));
        permitted.take(count).cloned().collect()
    }

    /// What a receiver may see of a message's properties: those beyond the limits are left out (P-V5-6 to -8, -11, -12).
    #[must_use]
    pub fn permitted_properties(&self, unit: Unit, properties: &PublishProperties) -> PublishProperties {
        let mut permitted = properties.clone();
        permitted.user_properties = self.permitted_user_properties(unit, &properties.user_properties);
        permitted.response_topic.take_if(|topic| exceeds(self.response_topic_characters, unit.length(topic)));
        permitted.correlation_data.take_if(|data| exceeds(self.correlation_data_bytes, data.len()));
        permitted
    }
}

fn exceeds(limit: Option<u16>, length: usize) -> bool {
    limit.is_some_and(|limit| length > usize::from(limit))
}

/// A range of Keep Alive in seconds, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepAliveRange {
    /// Lowest value.
    pub minimum: u16,
    /// Highest value.
    pub maximum: u16,
}

impl KeepAliveRange {
    /// Whether `seconds` is in range.
    #[must_use]
    pub fn contains(self, seconds: u16) -> bool {
        (self.minimum..=self.maximum).contains(&seconds)
    }
}

impl Default for KeepAliveRange {
    fn default() -> Self {
        KeepAliveRange { minimum: 0, maximum: u16::MAX }
    }
}
