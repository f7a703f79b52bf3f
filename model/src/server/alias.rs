//! Topic Aliases: numbers that stand for topics, on one connection and in one direction.

use super::vocabulary::TopicKey;
use crate::profile::Offence;

/// What the aliases of one direction stand for. It begins empty with each connection (MQTT-3.3.2-7).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AliasTable {
    /// Sorted by alias.
    topics: Vec<(u16, TopicKey)>,
}

impl AliasTable {
    /// The topic of a PUBLISH with this alias. One that names its topic too sets the alias, also anew (3.3.2.3.4).
    ///
    /// # Errors
    /// When the alias is above the receiver's maximum or stands for nothing.
    pub fn resolve(&mut self, maximum: u16, alias: u16, named: Option<TopicKey>) -> Result<TopicKey, Offence> {
        if alias == 0 || alias > maximum {
            return Err(Offence::TopicAliasInvalid);
        }
        let position = self.topics.binary_search_by_key(&alias, |(known, _)| *known);
        match (named, position) {
            (None, Ok(known)) => Ok(self.topics[known].1),
            (None, Err(_)) => Err(Offence::TopicAliasInvalid),
            (Some(topic), Ok(known)) => {
                self.topics[known].1 = topic;
                Ok(topic)
            }
            (Some(topic), Err(place)) => {
                self.topics.insert(place, (alias, topic));
                Ok(topic)
            }
        }
    }

    /// The topic that an alias stands for.
    #[must_use]
    pub fn topic_of(&self, alias: u16) -> Option<TopicKey> {
        self.topics.iter().find(|(known, _)| *known == alias).map(|(_, topic)| *topic)
    }

    /// The topics that aliases stand for.
    pub fn topics(&self) -> impl Iterator<Item = TopicKey> {
        self.topics.iter().map(|(_, topic)| *topic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_stands_for_the_topic_that_was_named_last() {
        let (one, other) = (TopicKey(1), TopicKey(2));
        let mut table = AliasTable::default();
        assert_eq!(table.resolve(2, 1, None), Err(Offence::TopicAliasInvalid), "never set");
        assert_eq!(table.resolve(2, 1, Some(one)), Ok(one));
        assert_eq!(table.resolve(2, 1, Some(other)), Ok(other));
        assert_eq!(table.resolve(2, 1, None), Ok(other));
        assert_eq!(table.resolve(2, 3, Some(one)), Err(Offence::TopicAliasInvalid), "above the maximum");
        assert_eq!(table.resolve(2, 0, Some(one)), Err(Offence::TopicAliasInvalid));
    }
}
