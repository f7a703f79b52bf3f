//! What the broker does and how far it goes: everything a dialect can change about it.

use model::packet::ProtocolVersion;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;

/// The decisions and bounds of one broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Name of the profile these settings were made from.
    pub profile: String,
    /// Protocol versions it serves.
    pub versions: Vec<ProtocolVersion>,
    /// Keep Alive values it serves, in seconds; `None` serves all of them, 0 included.
    pub keep_alive: Option<RangeInclusive<u16>>,
    /// Whether a Client of 3.1.1 or 5.0 may leave its Client Identifier empty.
    pub empty_client_id: bool,
    /// What becomes of a Will.
    pub wills: Wills,
    /// Who decides the QoS of a delivery.
    pub delivered_qos: DeliveredQos,
    /// Whether Retain As Published is obeyed; otherwise every delivery has RETAIN 0.
    pub retain_as_published: bool,
    /// How much a CONNACK of 5.0 tells.
    pub announcement: Announcement,
    /// Highest Topic Alias a Client may use.
    pub topic_alias_maximum: u16,
    /// Bounds.
    pub limits: Limits,
}

/// What becomes of a Will.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wills {
    /// Published as the standard says.
    Published,
    /// Accepted in CONNECT and never published.
    Discarded,
}

/// Who decides the QoS of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveredQos {
    /// The lower of the publisher's and the granted one (MQTT-3.8.4-8).
    LowerOfBoth,
    /// The publisher's, whatever the subscriber asked for; SUBACK always grants 1 (P-QOS-2, P-QOS-5).
    Publisher,
}

/// How much a CONNACK of 5.0 tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    /// Only what differs from the values that the standard gives to absent properties.
    Differences,
    /// Also what is as it always is, and the Client's own Keep Alive and Session Expiry Interval (N-ACK-1).
    Everything,
}

/// Bounds on what Clients send and on what the broker keeps for them. `None` is no bound of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest packet a Client may send, in bytes: announced in 5.0, enforced in all versions.
    pub maximum_packet_size: NonZeroU32,
    /// Topic Filters in one SUBSCRIBE; those beyond are refused.
    pub filters_per_subscribe: Option<usize>,
    /// Subscriptions of one session.
    pub subscriptions: usize,
    /// Levels of a Topic Filter. The subscription index holds a node for each.
    pub filter_levels: usize,
    /// Bytes of a Topic Name or Topic Filter.
    pub topic_bytes: Option<usize>,
    /// Slashes in a Topic Name or Topic Filter.
    pub topic_slashes: Option<usize>,
    /// Limits on the properties of CONNECT and PUBLISH.
    pub properties: Option<PropertyLimits>,
    /// Unacknowledged deliveries of one session, below the Client's Receive Maximum.
    pub in_flight: u16,
    /// Messages waiting in one session; the oldest makes room.
    pub queued_messages: usize,
    /// Topic and payload bytes of the messages waiting in one session; the oldest make room.
    pub queued_bytes: usize,
    /// Seconds a message may wait in a session, whatever its own expiry.
    pub queued_seconds: Option<u32>,
    /// Sessions, connected or not; a CONNECT that needs one more is refused.
    pub sessions: usize,
    /// Milliseconds from the opening of a connection to its CONNECT.
    pub connect_within: u64,
    /// Bytes written for one connection that its Client has not read; one more and it is cut off.
    pub unread_bytes: usize,
}

/// Limits on the properties of CONNECT and PUBLISH (P-V5-6 to P-V5-12; units as X-32 decides).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PropertyLimits {
    /// User Properties in one packet.
    pub user_properties: usize,
    /// Characters of a User Property: name and value together.
    pub user_property_characters: usize,
    /// A User Property's name may not begin with this.
    pub reserved_name_prefix: char,
    /// Characters of a Response Topic.
    pub response_topic_characters: usize,
    /// Bytes of Correlation Data.
    pub correlation_data_bytes: usize,
}

impl Limits {
    /// Bounds that only keep the broker's memory finite.
    #[must_use]
    pub fn generous() -> Limits {
        Limits {
            maximum_packet_size: NonZeroU32::new(1024 * 1024).unwrap_or(NonZeroU32::MAX),
            filters_per_subscribe: None,
            subscriptions: 100_000,
            filter_levels: 1_000,
            topic_bytes: None,
            topic_slashes: None,
            properties: None,
            in_flight: u16::MAX,
            queued_messages: 10_000,
            queued_bytes: 64 * 1024 * 1024,
            queued_seconds: None,
            sessions: 100_000,
            connect_within: 30_000,
            unread_bytes: 16 * 1024 * 1024,
        }
    }
}

impl Settings {
    /// The OASIS dialects: 3.1, 3.1.1 and 5.0.
    #[must_use]
    pub fn standard() -> Settings {
        Settings {
            profile: "standard".to_owned(),
            versions: ProtocolVersion::ALL.to_vec(),
            keep_alive: None,
            empty_client_id: true,
            wills: Wills::Published,
            delivered_qos: DeliveredQos::LowerOfBoth,
            retain_as_published: true,
            announcement: Announcement::Differences,
            topic_alias_maximum: 0,
            limits: Limits::generous(),
        }
    }

    /// The dialect of the IoT Platform.
    #[must_use]
    pub fn platform() -> Settings {
        Settings {
            profile: "platform".to_owned(),
            keep_alive: Some(30..=1200),
            wills: Wills::Discarded,
            delivered_qos: DeliveredQos::Publisher,
            retain_as_published: false,
            announcement: Announcement::Everything,
            topic_alias_maximum: 20,
            limits: Limits {
                maximum_packet_size: NonZeroU32::new(262_144).unwrap_or(NonZeroU32::MAX),
                filters_per_subscribe: Some(8),
                subscriptions: 100,
                topic_bytes: Some(128),
                topic_slashes: Some(7),
                properties: Some(PropertyLimits {
                    user_properties: 20,
                    user_property_characters: 128,
                    reserved_name_prefix: '_',
                    response_topic_characters: 128,
                    correlation_data_bytes: 128,
                }),
                in_flight: 50,
                queued_messages: 1_000,
                queued_seconds: Some(7 * 24 * 60 * 60),
                ..Limits::generous()
            },
            ..Settings::standard()
        }
    }

    /// The settings for the profile of this name, if the broker knows it.
    #[must_use]
    pub fn named(profile: &str) -> Option<Settings> {
        match profile {
            "standard" => Some(Settings::standard()),
            "platform" => Some(Settings::platform()),
            _ => None,
        }
    }
}
