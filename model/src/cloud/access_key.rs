//! Access keys, and how they sign requests.

use super::request::Request;
use crate::device::{Secret, SignMethod};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What a business server signs with: a name that everybody may know, and a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// Its name.
    pub id: String,
    secret: Secret,
}

/// The edition of the vendor's API for the platform.
const VERSION: &str = "2018-01-20";

impl AccessKey {
    /// The key of this name.
    #[must_use]
    pub fn new(id: impl Into<String>, secret: Secret) -> AccessKey {
        AccessKey { id: id.into(), secret }
    }

    /// The HMAC of a content under the secret.
    #[must_use]
    pub fn code(&self, method: SignMethod, content: &[u8]) -> Vec<u8> {
        method.code(&self.secret, content)
    }

    /// Whether this is the HMAC of a content, compared in constant time.
    #[must_use]
    pub fn is_code(&self, method: SignMethod, content: &[u8], code: &[u8]) -> bool {
        method.verifies(&self.secret, content, code)
    }

    /// All parameters of a signed request; `verb` is `GET` or `POST`, the nonce is used once, the time is now.
    #[must_use]
    pub fn sign(&self, verb: &str, request: &Request, nonce: &str, timestamp: &str) -> BTreeMap<String, String> {
        let mut all = request.parameters.clone();
        let common = [
            ("Action", request.action.as_str()),
            ("Version", VERSION),
            ("Format", "JSON"),
            ("AccessKeyId", &self.id),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("SignatureNonce", nonce),
            ("Timestamp", timestamp),
        ];
        for (name, value) in common {
            // What the request says itself stands: it may be wrong on purpose.
            all.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
        let code = SignMethod::HmacSha1.code(&self.of_api(), string_to_sign(verb, &all).as_bytes());
        all.insert("Signature".to_owned(), STANDARD.encode(code));
        all
    }

    /// Whether a request is signed with this key.
    #[must_use]
    pub fn verifies(&self, verb: &str, parameters: &BTreeMap<String, String>) -> bool {
        let signature = parameters.get("Signature").and_then(|signature| STANDARD.decode(signature).ok());
        let content = string_to_sign(verb, parameters);
        signature.is_some_and(|code| SignMethod::HmacSha1.verifies(&self.of_api(), content.as_bytes(), &code))
    }

    /// The key of the vendor's signature: the secret of the account, and behind `&` that of a session, which there is none of.
    fn of_api(&self) -> Secret {
        Secret::new(format!("{}&", self.secret.reveal()))
    }
}

/// What is signed.
fn string_to_sign(verb: &str, parameters: &BTreeMap<String, String>) -> String {
    let signed = parameters.iter().filter(|(name, _)| *name != "Signature");
    let query: Vec<String> =
        signed.map(|(name, value)| format!("{}={}", percent_encoded(name), percent_encoded(value))).collect();
    format!("{verb}&{}&{}", percent_encoded("/"), percent_encoded(&query.join("&")))
}

/// The query of an HTTP request with these parameters.
#[must_use]
pub fn query(parameters: &BTreeMap<String, String>) -> String {
    let pair = |(name, value): (&String, &String)| format!("{}={}", percent_encoded(name), percent_encoded(value));
    parameters.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// A text with all but letters, digits and `-_.~` as percent signs with two digits.
#[must_use]
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(byte.into()),
            _ => write!(encoded, "%{byte:02X}").expect("a String takes everything"),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> AccessKey {
        AccessKey::new("testid", Secret::new("testsecret"))
    }

    #[test]
    fn the_vendors_published_example_comes_out() {
        let parameters = [
            ("Timestamp", "2016-02-23T12:46:24Z"),
            ("Format", "XML"),
            ("AccessKeyId", "testid"),
            ("Action", "DescribeRegions"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"),
            ("Version", "2014-05-26"),
            ("SignatureVersion", "1.0"),
        ];
        let mut all: BTreeMap<String, String> =
            parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let code = SignMethod::HmacSha1.code(&key().of_api(), string_to_sign("GET", &all).as_bytes());
        assert_eq!(STANDARD.encode(code), "OLeaidS1JvxuMvnyHOwuJ+uX5qY=");
        all.insert("Signature".to_owned(), "OLeaidS1JvxuMvnyHOwuJ+uX5qY=".to_owned());
        assert!(key().verifies("GET", &all));
        assert!(!key().verifies("POST", &all));
        assert!(!AccessKey::new("testid", Secret::new("other")).verifies("GET", &all));
    }

    #[test]
    fn whatever_is_changed_breaks_the_signature() {
        let request = Request::new("Pub").with("TopicFullName", "/a/b c*~é").with("MessageContent", "aGk=");
        let signed = key().sign("POST", &request, "n", "2026-01-01T00:00:00Z");
        assert!(key().verifies("POST", &signed));
        for name in signed.keys() {
            let mut changed = signed.clone();
            changed.insert(name.clone(), "x".to_owned());
            assert!(!key().verifies("POST", &changed), "{name}");
            changed.remove(name);
            assert!(!key().verifies("POST", &changed), "{name}");
        }
        assert_eq!(percent_encoded("/a b*~é+"), "%2Fa%20b%2A~%C3%A9%2B");
    }

    #[test]
    fn the_secret_does_not_show() {
        assert!(!format!("{:?}", key()).contains("testsecret"));
    }
}
