//! A dialect as data: what it offers, its limits, and how a server may react where a client offends.
//!
//! Profiles are YAML files. Three are built in: `standard` (the OASIS dialects), `platform` and `platform-2026` (the IoT
//! Platform's). A file of your own begins with `extends: standard` and says what differs. Rules never ask for a profile's
//! name: whatever tells two dialects apart is a [`Feature`], a limit or a set of [`Reaction`]s.
//!
//! ```
//! use model::packet::ProtocolVersion;
//! use model::profile::{Feature, Offence, Profile};
//!
//! let platform = Profile::builtin("platform").expect("it is built in");
//! assert!(!platform.has(Feature::Qos2));
//! let reactions = platform.reactions(Offence::QosNotSupported, ProtocolVersion::V3_1_1);
//! assert!(reactions.iter().any(|reaction| reaction.to_string() == "close"));
//! ```

mod builtin;
mod check;
mod feature;
mod limits;
mod load;
mod named;
mod offence;
mod reaction;
mod rows;
mod topics;

pub use feature::Feature;
pub use limits::{KeepAliveRange, Limits, RrpcLimits, Unit, called_topic};
pub use load::ProfileError;
pub use offence::Offence;
pub use reaction::{Code, Reaction};
pub use rows::Rows;
pub use topics::{PatternError, TopicClasses, TopicPattern};

use crate::device::{Device, Registry};
use crate::packet::ProtocolVersion;
use crate::statement::catalogue;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A dialect of MQTT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name, as in `--profile`.
    pub name: String,
    /// What it is, in a sentence.
    pub about: String,
    /// The protocol versions that it has.
    pub versions: BTreeSet<ProtocolVersion>,
    /// The prefix of topics that a tester may use: `{unique}` stands for what keeps two tests apart, `{productKey}` and
    /// `{deviceName}` for the device that a tester is.
    pub topics: String,
    /// The built-in profile that it was laid over.
    extends: Option<String>,
    rows: BTreeSet<Rows>,
    features: BTreeSet<(Feature, ProtocolVersion)>,
    limits: Limits,
    topic_classes: TopicClasses,
    reactions: BTreeMap<(Offence, ProtocolVersion), Vec<Reaction>>,
    /// The devices that servers of the dialect know, where a tester knows them too.
    registry: Option<Arc<Registry>>,
    /// What servers are held to, where it is theirs to choose; none if nobody counts on anything.
    promises: Option<BTreeSet<Feature>>,
}

impl Profile {
    /// Whether the dialect has a feature, in one of its versions at least.
    #[must_use]
    pub fn has(&self, feature: Feature) -> bool {
        self.versions.iter().any(|version| self.has_in(feature, *version))
    }

    /// Whether the dialect has a feature in this version.
    #[must_use]
    pub fn has_in(&self, feature: Feature, version: ProtocolVersion) -> bool {
        self.features.contains(&(feature, version))
    }

    /// The dialect as a case may count on it: of the assumptions about the server under test only those that it needs, and
    /// to all that it needs the server is held.
    #[must_use]
    pub fn counting_on(&self, needs: &BTreeSet<Feature>) -> Profile {
        let mut profile = self.clone();
        profile.features.retain(|(feature, _)| !feature.is_assumption() || needs.contains(feature));
        profile.promises = Some(needs.clone());
        profile
    }

    /// The dialect as a server has it that knows these devices, and nobody else.
    #[must_use]
    pub fn knowing(&self, registry: Arc<Registry>) -> Profile {
        let mut profile = Profile { registry: Some(registry), ..self.clone() };
        profile.features.retain(|(feature, _)| *feature != Feature::PlainLogins);
        profile
    }

    /// The devices that a server knows; none if nobody told us.
    #[must_use]
    pub fn registry(&self) -> Option<&Arc<Registry>> {
        self.registry.as_ref()
    }

    /// Whether servers of the dialect are held to a feature that a server may have or not.
    #[must_use]
    pub fn promises(&self, feature: Feature) -> bool {
        self.promises.as_ref().is_some_and(|promises| promises.contains(&feature))
    }

    /// Whether this is a dialect as a case counts on it. Who asks what a server may do then tells the time too
    /// ([`Judge::pass_time`](crate::judge::Judge::pass_time)), so what can expire is owed until it may have.
    #[must_use]
    pub fn is_counted_on(&self) -> bool {
        self.promises.is_some()
    }

    /// The prefix of the topics of a tester that is no device, or one that nobody knows: `device` of the product `mqttspec`.
    #[must_use]
    pub fn topic_prefix(&self, unique: &str) -> String {
        self.topic_prefix_of(&Device::new("mqttspec", "device"), unique)
    }

    /// The prefix of the topics of a tester that is this device.
    #[must_use]
    pub fn topic_prefix_of(&self, device: &Device, unique: &str) -> String {
        let topics = self.topics.replace("{productKey}", device.product_key());
        topics.replace("{deviceName}", device.name()).replace("{unique}", unique)
    }

    /// Whether this row of the platform's fact sheet holds for the dialect in `version`.
    #[must_use]
    pub fn is_held_to(&self, row: &str, version: ProtocolVersion) -> bool {
        self.rows.iter().any(|rows| rows.include(row)) && catalogue().find(version, row).is_some()
    }

    /// The dialect whose cases it is tested with: the built-in profile that it is, or else the one that it extends. A
    /// profile that does neither is a dialect of its own.
    #[must_use]
    pub fn dialect(&self) -> &str {
        match &self.extends {
            Some(base) if !Profile::builtin_names().contains(&self.name.as_str()) => base,
            _ => &self.name,
        }
    }

    /// Its numbers.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The topics of devices, where devices have topics of their own.
    #[must_use]
    pub fn topic_classes(&self) -> &TopicClasses {
        &self.topic_classes
    }

    /// What a server may do when a client offends, the preferred reaction first; empty for a version that it has not.
    #[must_use]
    pub fn reactions(&self, offence: Offence, version: ProtocolVersion) -> &[Reaction] {
        self.reactions.get(&(offence, version)).map_or(&[], Vec::as_slice)
    }
}
