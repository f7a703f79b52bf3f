//! Which topics a device may use, as patterns.

use crate::topic::{TopicError, TopicFilter};
use std::fmt;
use std::str::FromStr;

/// Topics of devices by what may be done with them; patterns name the device by `{productKey}` and `{deviceName}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicClasses {
    /// A device may publish to them.
    pub publish: Vec<TopicPattern>,
    /// A device may subscribe to them.
    pub subscribe: Vec<TopicPattern>,
    /// The server may publish to them although nobody has subscribed.
    pub pushed: Vec<TopicPattern>,
    /// What a device publishes to them is for the platform. Whether a subscriber gets it too is not said.
    pub consumed: Vec<TopicPattern>,
}

/// A Topic Filter with places for a device's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPattern {
    levels: Vec<Level>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Level {
    Literal(String),
    ProductKey,
    DeviceName,
    /// `+`
    One,
    /// `#`
    Rest,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is no Topic Filter either.
    #[error("`{0}` is no topic filter: {1}")]
    Filter(String, TopicError),
    /// Braces around something else.
    #[error("`{0}` names no part of a device: write {{productKey}} or {{deviceName}} as a whole level")]
    Place(String),
}

impl TopicPattern {
    /// Whether every topic that `filter` matches is one of this device's topics of the pattern. A Topic Name is a filter
    /// without wildcards.
    #[must_use]
    pub fn covers(&self, product_key: &str, device_name: &str, filter: &str) -> bool {
        let mut levels = filter.split('/');
        for wanted in &self.levels {
            let level = levels.next();
            let fits = match wanted {
                // The parent level belongs to it, as in a filter.
                Level::Rest => return true,
                Level::One => level.is_some_and(|level| level != "#"),
                Level::Literal(text) => level == Some(text),
                Level::ProductKey => level == Some(product_key),
                Level::DeviceName => level == Some(device_name),
            };
            if !fits {
                return false;
            }
        }
        levels.next().is_none()
    }
}

impl FromStr for TopicPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<TopicPattern, PatternError> {
        TopicFilter::plain(text).map_err(|error| PatternError::Filter(text.to_owned(), error))?;
        let level = |level: &str| match level {
            "{productKey}" => Ok(Level::ProductKey),
            "{deviceName}" => Ok(Level::DeviceName),
            "+" => Ok(Level::One),
            "#" => Ok(Level::Rest),
            _ if level.contains(['{', '}']) => Err(PatternError::Place(level.to_owned())),
            _ => Ok(Level::Literal(level.to_owned())),
        };
        Ok(TopicPattern { levels: text.split('/').map(level).collect::<Result<_, _>>()? })
    }
}

impl fmt::Display for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, level) in self.levels.iter().enumerate() {
            let text = match level {
                Level::Literal(text) => text,
                Level::ProductKey => "{productKey}",
                Level::DeviceName => "{deviceName}",
                Level::One => "+",
                Level::Rest => "#",
            };
            write!(f, "{}{text}", if position == 0 { "" } else { "/" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_lies_within_it() {
        for (pattern, filter, covered) in [
            ("/{productKey}/{deviceName}/user/#", "/pk/dn/user/a", true),
            ("/{productKey}/{deviceName}/user/#", "/pk/dn/user/a/+/#", true),
            ("/{productKey}/{deviceName}/user/#", "/pk/dn/user", true),
            ("/{productKey}/{deviceName}/user/#", "/pk/dn/#", false),
            ("/{productKey}/{deviceName}/user/#", "/pk/+/user/a", false),
            ("/{productKey}/{deviceName}/user/#", "/pk/other/user/a", false),
            ("/{productKey}/{deviceName}/user/#", "#", false),
            ("/sys/{productKey}/{deviceName}/rrpc/request/+", "/sys/pk/dn/rrpc/request/+", true),
            ("/sys/{productKey}/{deviceName}/rrpc/request/+", "/sys/pk/dn/rrpc/request/7", true),
            ("/sys/{productKey}/{deviceName}/rrpc/request/+", "/sys/pk/dn/rrpc/request/#", false),
            ("/sys/{productKey}/{deviceName}/rrpc/request/+", "/sys/pk/dn/rrpc/request", false),
            ("/sys/{productKey}/{deviceName}/rrpc/request/+", "/sys/pk/dn/rrpc/request/7/8", false),
            ("/ext/notify", "/ext/notify", true),
        ] {
            let parsed: TopicPattern = pattern.parse().unwrap();
            assert_eq!(parsed.covers("pk", "dn", filter), covered, "{pattern} over {filter}");
            assert_eq!(parsed.to_string(), pattern);
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for (text, expected) in [
            ("/a/#/b", "`/a/#/b` is no topic filter: `#` stands alone in the last level only"),
            (
                "/{device}/a",
                "`{device}` names no part of a device: write {productKey} or {deviceName} as a whole level",
            ),
            ("/x{deviceName}/a", "`x{deviceName}` names no part"),
        ] {
            let message = text.parse::<TopicPattern>().unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }
}
