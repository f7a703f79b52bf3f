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

/// The broker's Topic Aliases on a connection: one for each topic in the order of their first delivery, until all of its own are
/// taken; and those that the cloud asks for.
#[derive(Debug)]
pub(super) struct SentAliases {
    by_topic: BTreeMap<Utf8String, NonZeroU16>,
    /// How many the broker takes by itself.
    own: u16,
    /// How many the Client takes.
    permitted: u16,
}

impl SentAliases {
    /// At most `permitted`, of which the broker takes `own` by itself.
    pub(super) fn new(own: u16, permitted: u16) -> SentAliases {
        SentAliases { by_topic: BTreeMap::new(), own: own.min(permitted), permitted }
    }

    /// The PUBLISH with a Topic Alias, `asked` if the Client takes that: instead of its topic, or with it when the alias is new
    /// to it. `None` if there is none for it.
    pub(super) fn shorten(&self, publish: &Publish, asked: Option<NonZeroU16>) -> Option<(NonZeroU16, Publish)> {
        let asked = asked.filter(|asked| asked.get() <= self.permitted);
        let known = self.by_topic.get(&publish.topic).copied();
        let alias = asked.or(known).or_else(|| self.next())?;
        let mut publish = publish.clone();
        publish.properties.topic_alias = Some(alias);
        if known == Some(alias) {
            publish.topic = Utf8String::default();
        }
        Some((alias, publish))
    }

    /// A PUBLISH with this topic went out with this alias, which stands for no other topic from now on.
    pub(super) fn learn(&mut self, topic: Utf8String, alias: NonZeroU16) {
        self.by_topic.retain(|_, known| *known != alias);
        self.by_topic.insert(topic, alias);
    }

    fn next(&self) -> Option<NonZeroU16> {
        let is_free = |alias: &NonZeroU16| !self.by_topic.values().any(|known| known == alias);
        (1..=self.own).filter_map(NonZeroU16::new).find(is_free)
    }
}
