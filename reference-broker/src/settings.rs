//! What the broker does and how far it goes: everything a dialect can change about it.

#[cfg(feature = "faults")]
use crate::switch::Switch;
use model::device::{Registry, Secret};
use model::packet::{ProtocolVersion, Qos};
use model::profile::{Feature, KeepAliveRange, Offence, Profile, Reaction, TopicClasses};
use std::collections::BTreeSet;
use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

/// The decisions and bounds of one broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Name of the profile these settings were made from.
    pub profile: String,
    /// Protocol versions it serves.
    pub versions: BTreeSet<ProtocolVersion>,
    /// Keep Alive values it serves, in seconds.
    pub keep_alive: KeepAliveRange,
    /// Whether a Client of 3.1.1 or 5.0 may leave its Client Identifier empty.
    pub empty_client_id: bool,
    /// Highest QoS it serves.
    pub maximum_qos: Qos,
    /// Versions whose Wills are published as the standard says; in others they are accepted in CONNECT, and that is all
    ///
    pub wills: BTreeSet<ProtocolVersion>,
    /// Versions whose Clients can have messages retained, and get those that are. In others RETAIN is refused (5.0) or
    /// has no meaning (3.x: X-10).
    pub retained_messages: BTreeSet<ProtocolVersion>,
    /// Who decides the QoS of a delivery. Neither takes it above the highest that is served.
    pub delivered_qos: DeliveredQos,
    /// Whether Clients of 5.0 may give their subscriptions identifiers.
    pub subscription_identifiers: bool,
    /// Whether Clients of 5.0 may share subscriptions.
    pub shared_subscriptions: bool,
    /// Whether a filter `$share/..` is one like any other in 3.x; otherwise it is refused there as in 5.0.
    pub share_means_nothing_in_3x: bool,
    /// Whether Clients of 5.0 may authenticate with [`AUTHENTICATION_METHOD`](crate::core::AUTHENTICATION_METHOD).
    pub authentication: bool,
    /// How much a CONNACK of 5.0 tells.
    pub announcement: Announcement,
    /// Highest Topic Alias a Client may use.
    pub topic_alias_maximum: u16,
    /// Topic Aliases that it sets itself on one connection, as far as the Client allows them.
    pub sent_topic_aliases: u16,
    /// Who may log in.
    pub logins: Logins,
    /// The topics of devices.
    pub topic_classes: TopicClasses,
    /// Whether a device that has used 5.0 may come back with an older version (N-VER-1).
    pub versions_step_back: bool,
    /// Whether a device of 5.0 that subscribes to topics of others loses its connection.
    pub forbidden_filter_ends: bool,
    /// What the secrets and tokens are made from that devices register for. Who knows it knows them all: outside of tests it
    /// must be random.
    pub secret_source: Secret,
    /// Bounds.
    pub limits: Limits,
    /// What it does wrong on purpose.
    #[cfg(feature = "faults")]
    pub misbehaviour: Option<Switch>,
}

/// Who may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logins {
    /// Clients, by their Client Identifiers; a User Name means nothing.
    Clients,
    /// Clients, and whoever says that it is a device: nobody knows any secret.
    Believed,
    /// The devices of a registry, and nobody else.
    Registered(Arc<Registry>),
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

/// Bounds on what Clients send and on what the broker keeps for them. Those of no concern to a dialect are `usize::MAX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest packet a Client may send, in bytes: announced in 5.0, enforced in all versions.
    pub maximum_packet_size: NonZeroU32,
    /// Characters of the part of a device's Client Identifier that its user chooses.
    pub client_identifier_characters: usize,
    /// Logins of one device within a minute.
    pub connects_per_minute: usize,
    /// PUBLISH packets of one device within a second, at QoS 0 and above.
    pub uplink_per_second: [usize; 2],
    /// Topic Filters in one SUBSCRIBE; those beyond are refused.
    pub filters_per_subscribe: usize,
    /// Subscriptions of one session.
    pub subscriptions: usize,
    /// Levels of a Topic Filter: the subscription index holds a node for each.
    pub filter_levels: usize,
    /// Bytes of a Topic Name or Topic Filter.
    pub topic_bytes: usize,
    /// Slashes in a Topic Name or Topic Filter.
    pub topic_separators: usize,
    /// User Properties in a CONNECT or PUBLISH.
    pub user_properties: usize,
    /// Characters of a User Property: name and value together.
    pub user_property_characters: usize,
    /// What a User Property's name may not begin with.
    pub reserved_name_prefix: Option<char>,
    /// Characters of a Response Topic.
    pub response_topic_characters: usize,
    /// Bytes of Correlation Data.
    pub correlation_data_bytes: usize,
    /// PUBLISH packets above QoS 0 that a Client of 5.0 may leave unfinished: announced, and enforced.
    pub receive_maximum: NonZeroU16,
    /// Unacknowledged deliveries of one session, if its Client's Receive Maximum is not lower.
    pub in_flight: u16,
    /// Messages waiting in one session; the oldest makes room.
    pub queued_messages: usize,
    /// Topic and payload bytes of the messages waiting in one session; the oldest make room. While as many are in flight,
    /// no further message is sent.
    pub queued_bytes: usize,
    /// Seconds a message may wait in a session, whatever its own expiry.
    pub queued_seconds: Option<u32>,
    /// Retained messages; one that needs more room is refused.
    pub retained_messages: usize,
    /// Topic and payload bytes of all retained messages.
    pub retained_bytes: usize,
    /// Sessions, connected or not; a CONNECT that needs one more is refused.
    pub sessions: usize,
    /// Milliseconds from the opening of a connection to its CONNECT.
    pub connect_within: u64,
    /// Bytes for one connection that its Client has not read yet; one more and it is cut off.
    pub unread_bytes: usize,
}

impl Settings {
    /// The settings for a dialect: what the profile tells, and this broker's own decisions where the dialect leaves them
    /// open.
    #[must_use]
    pub fn from_profile(profile: &Profile) -> Settings {
        // What the IoT Platform is known for beside what profiles tell.
        let iot_platform = profile.has(Feature::DeviceLogin);
        let limits = profile.limits();
        // A range may begin at 0 for its short values and still leave out 0 itself, which is no interval but "off".
        let lowest_keep_alive = if profile.has(Feature::KeepAliveOff) { 0 } else { 1 };
        let minimum = limits.keep_alive.minimum.max(lowest_keep_alive);
        // What the platform's newer pages add is for 5.0 (N-WIL-1, N-RET-1).
        let since = if iot_platform { ProtocolVersion::V5_0 } else { ProtocolVersion::V3_1 };
        let versions_with = |feature| {
            let served = profile.versions.iter().copied();
            served.filter(|&version| profile.has(feature) && version >= since).collect()
        };
        Settings {
            profile: profile.name.clone(),
            versions: profile.versions.clone(),
            keep_alive: KeepAliveRange { minimum, ..limits.keep_alive },
            empty_client_id: profile.has(Feature::EmptyClientId),
            maximum_qos: if profile.has(Feature::Qos2) { Qos::ExactlyOnce } else { Qos::AtLeastOnce },
            wills: versions_with(Feature::Will),
            retained_messages: versions_with(Feature::RetainedMessages),
            delivered_qos: if profile.has(Feature::SubscriberQos) {
                DeliveredQos::LowerOfBoth
            } else {
                DeliveredQos::Publisher
            },
            subscription_identifiers: profile.has(Feature::SubscriptionIdentifiers),
            shared_subscriptions: profile.has(Feature::SharedSubscriptions),
            share_means_nothing_in_3x: profile
                .reactions(Offence::SharedSubscriptionNotSupported, ProtocolVersion::V3_1_1)
                .first()
                .is_some_and(|preferred| *preferred == Reaction::Accept),
            authentication: !iot_platform,
            announcement: if iot_platform { Announcement::Everything } else { Announcement::Differences },
            topic_alias_maximum: limits.topic_alias_maximum.min(TOPIC_ALIASES),
            sent_topic_aliases: if iot_platform { 0 } else { TOPIC_ALIASES },
            logins: match profile.registry() {
                Some(registry) if iot_platform => Logins::Registered(Arc::clone(registry)),
                _ if iot_platform => Logins::Believed,
                _ => Logins::Clients,
            },
            topic_classes: profile.topic_classes().clone(),
            versions_step_back: profile
                .reactions(Offence::VersionSteppedBack, ProtocolVersion::V3_1_1)
                .contains(&Reaction::Accept),
            forbidden_filter_ends: profile
                .reactions(Offence::TopicNotPermitted, ProtocolVersion::V5_0)
                .iter()
                .any(|reaction| reaction.to_string().contains("then close")),
            secret_source: Secret::new("a secret source for tests"),
            limits: Limits::new(limits, iot_platform),
            #[cfg(feature = "faults")]
            misbehaviour: None,
        }
    }
}

impl Limits {
    fn new(dialect: &model::profile::Limits, iot_platform: bool) -> Limits {
        let size = |limit: Option<u16>| limit.map_or(usize::MAX, usize::from);
        Limits {
            maximum_packet_size: dialect.maximum_packet_size.and_then(NonZeroU32::new).unwrap_or(MEBIBYTE),
            client_identifier_characters: size(dialect.client_identifier_characters),
            connects_per_minute: size(dialect.connects_per_minute),
            uplink_per_second: dialect.uplink_per_second.map_or([usize::MAX; 2], |limits| limits.map(usize::from)),
            filters_per_subscribe: size(dialect.filters_per_subscribe),
            subscriptions: dialect.subscriptions_per_session.map_or(10_000, usize::from),
            filter_levels: 200,
            topic_bytes: size(dialect.topic_bytes),
            topic_separators: size(dialect.topic_separators),
            user_properties: size(dialect.user_properties),
            user_property_characters: size(dialect.user_property_characters),
            reserved_name_prefix: iot_platform.then_some('_'), // P-V5-7
            response_topic_characters: size(dialect.response_topic_characters),
            correlation_data_bytes: size(dialect.correlation_data_bytes),
            receive_maximum: NonZeroU16::MAX,
            in_flight: if iot_platform { 50 } else { u16::MAX }, // P-SES-8
            queued_messages: if iot_platform { 1_000 } else { 10_000 },
            queued_bytes: 64 * 1024 * 1024,
            queued_seconds: iot_platform.then_some(7 * 24 * 60 * 60), // P-SES-4
            retained_messages: 100_000,
            retained_bytes: 64 * 1024 * 1024,
            sessions: 100_000,
            connect_within: 30_000,
            unread_bytes: 16 * 1024 * 1024,
        }
    }
}

/// Enough for the topics of a device (P-V5-16).
const TOPIC_ALIASES: u16 = 20;

const MEBIBYTE: NonZeroU32 = NonZeroU32::new(1024 * 1024).expect("it is not zero");
