//! Profiles from YAML: parsed strictly, laid over what they extend, and checked.

use super::{Feature, KeepAliveRange, Limits, Offence, Profile, Reaction, Rows, TopicClasses, TopicPattern};
use crate::packet::ProtocolVersion;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// Why a profile cannot be used. It prints as `file:line:column: message`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{}{message}", position(*at))]
pub struct ProfileError {
    /// The file as it was named.
    pub file: String,
    /// Line and column, counted from 1, where they are known.
    pub at: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
}

fn position(at: Option<(usize, usize)>) -> String {
    at.map_or_else(|| " ".to_owned(), |(line, column)| format!("{line}:{column}: "))
}

type ReactionsByVersion = BTreeMap<Word<ProtocolVersion>, Vec<Word<Reaction>>>;

/// A file as written. A profile that extends another one leaves out what it takes over.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Sheet {
    name: String,
    about: String,
    #[serde(default)]
    extends: Option<String>,
    #[serde(default)]
    mqtt: Option<Vec<Word<ProtocolVersion>>>,
    #[serde(default)]
    topics: Option<String>,
    #[serde(default)]
    rows: Option<Vec<Word<Rows>>>,
    #[serde(default)]
    features: BTreeMap<Word<Feature>, Extent>,
    #[serde(default)]
    limits: LimitsSheet,
    #[serde(default)]
    topic_classes: TopicClassesSheet,
    #[serde(default)]
    reactions: BTreeMap<Word<Offence>, ReactionsByVersion>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LimitsSheet {
    keep_alive: Option<[u16; 2]>,
    keep_alive_lateness: Option<u16>,
    session_expiry_lateness: Option<u16>,
    maximum_packet_size: Option<u32>,
    topic_alias_maximum: Option<u16>,
    filters_per_subscribe: Option<u16>,
    subscriptions_per_session: Option<u16>,
    topic_bytes: Option<u16>,
    topic_separators: Option<u16>,
    user_properties: Option<u16>,
    user_property_characters: Option<u16>,
    response_topic_characters: Option<u16>,
    correlation_data_bytes: Option<u16>,
    client_identifier_characters: Option<u16>,
    connects_per_minute: Option<u16>,
    uplink_per_second: Option<[u16; 2]>,
    uplink_in_flight: Option<u16>,
    downlink_in_flight: Option<u16>,
    rrpc_timeout: Option<[u16; 2]>,
    rrpc_lateness: Option<u16>,
    rrpc_answer_bytes: Option<u16>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TopicClassesSheet {
    publish: Option<Vec<Word<TopicPattern>>>,
    subscribe: Option<Vec<Word<TopicPattern>>>,
    pushed: Option<Vec<Word<TopicPattern>>>,
    consumed: Option<Vec<Word<TopicPattern>>>,
}

/// A value that stands as a word in YAML.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Word<T>(T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Word).map_err(D::Error::custom)
    }
}

/// Where a dialect has a feature: `true`, `false`, or the versions that have it.
struct Extent(BTreeSet<ProtocolVersion>);

impl<'de> Deserialize<'de> for Extent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExtentVisitor)
    }
}

struct ExtentVisitor;

impl<'de> Visitor<'de> for ExtentVisitor {
    type Value = Extent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false or a list of versions such as [\"5.0\"]")
    }

    fn visit_bool<E>(self, has: bool) -> Result<Extent, E> {
        Ok(Extent(ProtocolVersion::ALL.into_iter().filter(|_| has).collect()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut versions: A) -> Result<Extent, A::Error> {
        let mut extent = BTreeSet::new();
        while let Some(Word(version)) = versions.next_element()? {
            extent.insert(version);
        }
        Ok(Extent(extent))
    }
}

impl Profile {
    /// Reads a profile. `file` is named in errors; `extends:` may name a built-in profile.
    ///
    /// # Errors
    /// On YAML that is wrong or not a profile (with line and column), and on one that contradicts itself.
    pub fn load(file: &str, text: &str) -> Result<Profile, ProfileError> {
        let fail = |at, message| ProfileError { file: file.to_owned(), at, message };
        let sheet: Sheet = serde_yaml::from_str(text).map_err(|error| {
            let at = error.location().map(|location| (location.line(), location.column()));
            fail(at, without_position(&error.to_string()))
        })?;
        let base = match &sheet.extends {
            None => None,
            Some(name) => {
                let source = Profile::builtin_source(name).filter(|_| *name != sheet.name).ok_or_else(|| {
                    let known = Profile::builtin_names().join(", ");
                    fail(line_of(text, "extends"), format!("`extends: {name}`: only {known} can be extended"))
                })?;
                Some(Profile::load(&format!("{name}.yaml"), source)?)
            }
        };
        let profile = sheet.lay_over(base).map_err(|message| fail(None, message))?;
        profile.check().map_err(|contradiction| {
            fail(line_of(text, contradiction.key), format!("the profile contradicts itself: {}", contradiction.message))
        })?;
        Ok(profile)
    }
}

/// serde_yaml prints the position behind its message; ours stands in front.
fn without_position(message: &str) -> String {
    message.rsplit_once(" at line ").map_or(message, |(head, _)| head).to_owned()
}

/// Where a key stands first in the text: good enough to send a reader to the right place.
fn line_of(text: &str, key: &str) -> Option<(usize, usize)> {
    text.lines().enumerate().find_map(|(index, line)| {
        let column = line.len() - line.trim_start().len();
        let found = line.trim_start().trim_matches('"').strip_prefix(key)?;
        found.trim_start_matches('"').starts_with(':').then_some((index + 1, column + 1))
    })
}

impl Sheet {
    fn lay_over(self, base: Option<Profile>) -> Result<Profile, String> {
        let extends = base.is_some();
        let mut profile = base.unwrap_or_else(|| Profile {
            name: String::new(),
            about: String::new(),
            versions: BTreeSet::new(),
            topics: String::new(),
            extends: None,
            rows: BTreeSet::new(),
            features: BTreeSet::new(),
            limits: Limits::default(),
            topic_classes: TopicClasses::default(),
            reactions: BTreeMap::new(),
            registry: None,
            promises: None,
        });
        profile.name = self.name;
        profile.extends = self.extends;
        profile.about = self.about;
        match self.mqtt {
            Some(versions) => profile.versions = versions.into_iter().map(|word| word.0).collect(),
            None if extends => {}
            None => return Err("it says neither `mqtt:` nor `extends:`".to_owned()),
        }
        match self.topics {
            Some(topics) => profile.topics = topics,
            None if extends => {}
            None => return Err("it says neither `topics:` nor `extends:`".to_owned()),
        }
        if let Some(rows) = self.rows {
            profile.rows = rows.into_iter().map(|word| word.0).collect();
        }
        for (Word(feature), Extent(versions)) in self.features {
            profile.features.retain(|(known, _)| *known != feature);
            profile.features.extend(versions.into_iter().map(|version| (feature, version)));
        }
        self.limits.lay_over(&mut profile.limits);
        self.topic_classes.lay_over(&mut profile.topic_classes);
        for (Word(offence), by_version) in self.reactions {
            for (Word(version), reactions) in by_version {
                let reactions = reactions.into_iter().map(|word| word.0).collect();
                profile.reactions.insert((offence, version), reactions);
            }
        }
        Ok(profile)
    }
}

impl LimitsSheet {
    fn lay_over(self, limits: &mut Limits) {
        if let Some([minimum, maximum]) = self.keep_alive {
            limits.keep_alive = KeepAliveRange { minimum, maximum };
        }
        limits.keep_alive_lateness = self.keep_alive_lateness.unwrap_or(limits.keep_alive_lateness);
        limits.session_expiry_lateness = self.session_expiry_lateness.unwrap_or(limits.session_expiry_lateness);
        limits.topic_alias_maximum = self.topic_alias_maximum.unwrap_or(limits.topic_alias_maximum);
        limits.maximum_packet_size = self.maximum_packet_size.or(limits.maximum_packet_size);
        limits.filters_per_subscribe = self.filters_per_subscribe.or(limits.filters_per_subscribe);
        limits.subscriptions_per_session = self.subscriptions_per_session.or(limits.subscriptions_per_session);
        limits.topic_bytes = self.topic_bytes.or(limits.topic_bytes);
        limits.topic_separators = self.topic_separators.or(limits.topic_separators);
        limits.user_properties = self.user_properties.or(limits.user_properties);
        limits.user_property_characters = self.user_property_characters.or(limits.user_property_characters);
        limits.response_topic_characters = self.response_topic_characters.or(limits.response_topic_characters);
        limits.correlation_data_bytes = self.correlation_data_bytes.or(limits.correlation_data_bytes);
        limits.client_identifier_characters = self.client_identifier_characters.or(limits.client_identifier_characters);
        limits.connects_per_minute = self.connects_per_minute.or(limits.connects_per_minute);
        limits.uplink_per_second = self.uplink_per_second.or(limits.uplink_per_second);
        limits.uplink_in_flight = self.uplink_in_flight.or(limits.uplink_in_flight);
        limits.downlink_in_flight = self.downlink_in_flight.or(limits.downlink_in_flight);
        limits.rrpc.timeout = self.rrpc_timeout.or(limits.rrpc.timeout);
        limits.rrpc.lateness = self.rrpc_lateness.unwrap_or(limits.rrpc.lateness);
        limits.rrpc.answer_bytes = self.rrpc_answer_bytes.or(limits.rrpc.answer_bytes);
    }
}

impl TopicClassesSheet {
    fn lay_over(self, classes: &mut TopicClasses) {
        let replace = |patterns: &mut Vec<TopicPattern>, words: Option<Vec<Word<TopicPattern>>>| {
            if let Some(words) = words {
                *patterns = words.into_iter().map(|word| word.0).collect();
            }
        };
        replace(&mut classes.publish, self.publish);
        replace(&mut classes.subscribe, self.subscribe);
        replace(&mut classes.pushed, self.pushed);
        replace(&mut classes.consumed, self.consumed);
    }
}
