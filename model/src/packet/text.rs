//! UTF-8 Encoded Strings.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

/// A UTF-8 Encoded String: at most 65,535 bytes, no U+0000 (3.1.1: MQTT-1.5.3-1, MQTT-1.5.3-2; 5.0: MQTT-1.5.4-1,
/// MQTT-1.5.4-2).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Utf8String(String);

/// Why a text is no UTF-8 Encoded String.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Longer than the two-byte length can say.
    #[error("the text has {0} bytes, the limit is 65535")]
    TooLong(usize),
    /// Holds the null character.
    #[error("the text holds U+0000 at byte {0}")]
    Null(usize),
}

impl Utf8String {
    /// Checks `text` and wraps it.
    ///
    /// # Errors
    /// When it is too long or holds U+0000.
    pub fn new(text: impl Into<String>) -> Result<Utf8String, TextError> {
        let text = text.into();
        if text.len() > usize::from(u16::MAX) {
            return Err(TextError::TooLong(text.len()));
        }
        match text.find('\0') {
            Some(at) => Err(TextError::Null(at)),
            None => Ok(Utf8String(text)),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Utf8String {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Utf8String {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Utf8String {
    type Error = TextError;

    fn try_from(text: &str) -> Result<Self, TextError> {
        Utf8String::new(text)
    }
}

impl TryFrom<String> for Utf8String {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        Utf8String::new(text)
    }
}

impl fmt::Display for Utf8String {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
