//! What only a device and the platform know.

use super::signature::SignMethod;
use std::fmt;

/// The secret of a device or product, or a token. It prints as nothing, in no way.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Secret(String);

impl Secret {
    /// This secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// What it is, for who has to send or store it. It must not get into a message, a report or a log.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether a text is this secret. How long the answer takes tells nothing of it.
    #[must_use]
    pub fn is(&self, text: &[u8]) -> bool {
        // The codes are compared in constant time, and who does not know the secret cannot steer them.
        let code = SignMethod::HmacSha256.code(self, self.0.as_bytes());
        SignMethod::HmacSha256.verifies(self, text, &code)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shows_nothing_of_itself() {
        let secret = Secret::new("s3cr3t");
        assert_eq!(format!("{secret:?} {:#?}", Some(&secret)), "Secret(..) Some(\n    Secret(..),\n)");
        assert!(secret.is(b"s3cr3t") && !secret.is(b"s3cr3") && !secret.is(b"S3cr3t") && !secret.is(b""));
        assert!(Secret::new("").is(b""));
    }
}
