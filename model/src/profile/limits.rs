//! The numbers of a dialect.

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
