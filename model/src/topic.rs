//! Topic Names, Topic Filters and how they match.

use std::fmt;
use std::str::FromStr;

/// A Topic Name that may be published to: at least one character, no wildcard (MQTT-4.7.3-1, MQTT-3.3.2-2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName(String);

/// A Topic Filter, perhaps of a Shared Subscription.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicFilter {
    share: Option<String>,
    pattern: String,
}

/// Why a text is no Topic Name or Topic Filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// No character at all (MQTT-4.7.3-1).
    #[error("it is empty")]
    Empty,
    /// A wildcard in a Topic Name (MQTT-3.3.2-2).
    #[error("a topic name holds no `+` or `#`")]
    WildcardInName,
    /// `#` that is not a whole last level (3.1.1: MQTT-4.7.1-2; 5.0: MQTT-4.7.1-1).
    #[error("`#` stands alone in the last level only")]
    MisplacedMultiLevel,
    /// `+` that does not fill its level (3.1.1: MQTT-4.7.1-3; 5.0: MQTT-4.7.1-2).
    #[error("`+` fills a whole level")]
    MisplacedSingleLevel,
    /// `$share/` without a name, or without a filter behind it (MQTT-4.8.2-1, MQTT-4.8.2-2).
    #[error("a shared subscription is `$share/NAME/FILTER`, the name without `/`, `+` and `#`")]
    MalformedShare,
}

impl TopicName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TopicName {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<TopicName, TopicError> {
        if text.is_empty() {
            Err(TopicError::Empty)
        } else if text.contains(['+', '#']) {
            Err(TopicError::WildcardInName)
        } else {
            Ok(TopicName(text.to_owned()))
        }
    }
}

impl TopicFilter {
    /// A filter of a server that knows no Shared Subscriptions (3.x): `$share/..` has no meaning of its own.
    ///
    /// # Errors
    /// When the text is no Topic Filter.
    pub fn plain(text: &str) -> Result<TopicFilter, TopicError> {
        check_pattern(text)?;
        Ok(TopicFilter { share: None, pattern: text.to_owned() })
    }

    /// The ShareName of a Shared Subscription.
    #[must_use]
    pub fn share(&self) -> Option<&str> {
        self.share.as_deref()
    }

    /// The part that is matched with Topic Names.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Whether it holds `+` or `#`.
    #[must_use]
    pub fn has_wildcard(&self) -> bool {
        self.pattern.contains(['+', '#'])
    }

    /// Whether a message published to `topic` is for this filter: level by level, on the characters as sent
    /// (MQTT-4.7.3-4). A leading wildcard does not match topics that begin with `$` (MQTT-4.7.2-1).
    #[must_use]
    pub fn matches(&self, topic: &str) -> bool {
        !(topic.starts_with('$') && self.pattern.starts_with(['+', '#'])) && self.matches_levels(topic)
    }

    /// The same without the exception for topics that begin with `$`, which 3.1 does not make (V31-25).
    #[must_use]
    pub fn matches_levels(&self, topic: &str) -> bool {
        let mut levels = topic.split('/');
        for wanted in self.pattern.split('/') {
            match (wanted, levels.next()) {
                // `a/#` matches `a` too: the parent level belongs to it.
                ("#", _) => return true,
                ("+", Some(_)) => {}
                (literal, Some(level)) if literal == level => {}
                _ => return false,
            }
        }
        levels.next().is_none()
    }
}

fn check_pattern(pattern: &str) -> Result<(), TopicError> {
    if pattern.is_empty() {
        return Err(TopicError::Empty);
    }
    let mut levels = pattern.split('/').peekable();
    while let Some(level) = levels.next() {
        if level.contains('#') && (level != "#" || levels.peek().is_some()) {
            return Err(TopicError::MisplacedMultiLevel);
        }
        if level.contains('+') && level != "+" {
            return Err(TopicError::MisplacedSingleLevel);
        }
    }
    Ok(())
}

impl FromStr for TopicFilter {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<TopicFilter, TopicError> {
        let Some(rest) = text.strip_prefix("$share/") else {
            return TopicFilter::plain(text);
        };
        let (name, pattern) = rest.split_once('/').ok_or(TopicError::MalformedShare)?;
        if name.is_empty() || name.contains(['+', '#']) || pattern.is_empty() {
            return Err(TopicError::MalformedShare);
        }
        check_pattern(pattern)?;
        Ok(TopicFilter { share: Some(name.to_owned()), pattern: pattern.to_owned() })
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for TopicFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.share {
            Some(name) => write!(f, "$share/{name}/{}", self.pattern),
            None => f.pad(&self.pattern),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_level_by_level() {
        for (filter, topic, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a/B", false),
            ("a/+", "a/b", true),
            ("a/+", "a/b/c", false),
            ("a/+", "a", false),
            ("a/+", "a/", true),
            ("+/+", "/a", true),
            ("/+", "/a", true),
            ("+", "/a", false),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("#", "a/b", true),
            ("#", "$SYS/x", false),
            ("+/x", "$SYS/x", false),
            ("$SYS/#", "$SYS/x", true),
            ("$SYS/+", "$SYS/x", true),
            ("a/+/c", "a//c", true),
            ("\u{e9}", "e\u{301}", false),
            ("$share/g/a/+", "a/b", true),
        ] {
            let parsed: TopicFilter = filter.parse().unwrap();
            assert_eq!(parsed.matches(topic), expected, "{filter} against {topic}");
        }
    }

    #[test]
    fn misplaced_wildcards_and_shares_are_refused() {
        for (text, error) in [
            ("", TopicError::Empty),
            ("a#", TopicError::MisplacedMultiLevel),
            ("a/#/b", TopicError::MisplacedMultiLevel),
            ("##", TopicError::MisplacedMultiLevel),
            ("a+", TopicError::MisplacedSingleLevel),
            ("a/b+/c", TopicError::MisplacedSingleLevel),
            ("$share/g", TopicError::MalformedShare),
            ("$share//t", TopicError::MalformedShare),
            ("$share/g/", TopicError::MalformedShare),
            ("$share/g+/t", TopicError::MalformedShare),
        ] {
            assert_eq!(text.parse::<TopicFilter>(), Err(error), "{text}");
        }
        assert_eq!("a/+".parse::<TopicName>(), Err(TopicError::WildcardInName));
        assert_eq!("".parse::<TopicName>(), Err(TopicError::Empty));
        assert!("$share//t".parse::<TopicFilter>().is_err() && TopicFilter::plain("$share//t").is_ok());
    }
}
