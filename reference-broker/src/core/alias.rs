//! Topic Aliases of one connection: those that the Client sets, and those that the broker sets.

use super::broker::Core;
use super::connection::Connection;
use super::disconnect::Violation;
use crate::switch::Switch;
use model::packet::{Publish, ReasonCode, Utf8String};
use model::topic::TopicName;
use std::collections::BTreeMap;
use std::num::NonZeroU16;

/// The topics behind the Client's Topic Aliases.
#[derive(Debug, Clone, Default)]
pub(super) struct ReceivedAliases(BTreeMap<NonZeroU16, Utf8String>);

impl ReceivedAliases {
    /// The Topic Name of a PUBLISH: its own, or the one behind its Topic Alias, of which there may be `maximum`.
    pub(super) fn topic_of(&mut self, publish: &Publish, maximum: u16) -> Result<Utf8String, Violation> {
        let alias = publish.properties.topic_alias;
        if alias.is_some_and(|alias| alias.get() > maximum) {
            let says = format!("topic alias maximum is {maximum}");
            return Err(Violation::new(ReasonCode::TopicAliasInvalid, says));
        }
        if let Some(alias) = alias
            && publish.topic.is_empty()
        {
            let unset = || Violation::new(ReasonCode::ProtocolError, format!("topic alias {alias} is not set"));
            return self.0.get(&alias).cloned().ok_or_else(unset);
        }
        if let Err(error) = publish.topic.parse::<TopicName>() {
            return Err(Violation::new(ReasonCode::TopicNameInvalid, error.to_string()));
        }
        if let Some(alias) = alias {
            self.0.insert(alias, publish.topic.clone());
        }
        Ok(publish.topic.clone())
    }
}

impl Core {
    /// The Client's Topic Aliases on a new connection: none (MQTT-3.3.2-7).
    pub(super) fn first_aliases(&self) -> ReceivedAliases {
        if !self.settings.misbehaves(Switch::TopicAliasLeaks) {
            return ReceivedAliases::default();
        }
        let mut others = self.connections.values().rev().filter_map(|connection| match connection {
            Connection::Established(link) => Some(&link.received_aliases),
            Connection::AwaitingConnect { .. } | Connection::Authenticating(_) => None,
        });
        others.find(|aliases| !aliases.0.is_empty()).cloned().unwrap_or_default()
    }
}

/// The broker's own Topic Aliases: one for each topic in the order of their first delivery, until all are taken.
#[derive(Debug)]
pub(super) struct SentAliases {
    by_topic: BTreeMap<Utf8String, NonZeroU16>,
    maximum: u16,
}

impl SentAliases {
    /// At most so many.
    pub(super) fn new(maximum: u16) -> SentAliases {
        SentAliases { by_topic: BTreeMap::new(), maximum }
    }

    /// The PUBLISH with a Topic Alias: instead of its topic, or with it when the alias is new. `None` if none is left.
    pub(super) fn shorten(&self, publish: &Publish) -> Option<Publish> {
        let known = self.by_topic.get(&publish.topic).copied();
        let alias = known.or_else(|| self.next())?;
        let mut publish = publish.clone();
        publish.properties.topic_alias = Some(alias);
        if known.is_some() {
            publish.topic = Utf8String::default();
        }
        Some(publish)
    }

    /// A PUBLISH with this topic went out with its alias.
    pub(super) fn learn(&mut self, topic: Utf8String) {
        if let Some(next) = self.next() {
            self.by_topic.entry(topic).or_insert(next);
        }
    }

    fn next(&self) -> Option<NonZeroU16> {
        let next = u16::try_from(self.by_topic.len() + 1).ok().filter(|&next| next <= self.maximum)?;
        NonZeroU16::new(next)
    }
}
