//! A request to the API: an action and its parameters.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::fmt;

/// An action with its own parameters, as text; what every request carries (key, nonce, signature) is not among them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    /// `Pub`, `RRpc`, ..
    pub action: String,
    /// By name; repeated ones are `DeviceName.1`, `DeviceName.2`, ..
    pub parameters: BTreeMap<String, String>,
}

impl Request {
    /// A request without parameters.
    #[must_use]
    pub fn new(action: impl Into<String>) -> Request {
        Request { action: action.into(), parameters: BTreeMap::new() }
    }

    /// The same with a parameter.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Request {
        self.parameters.insert(name.into(), value.into());
        self
    }

    /// The value of a parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// The values of a repeated parameter, in the order of their numbers.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<&str> {
        (1..).map_while(|number| self.parameter(&format!("{name}.{number}"))).collect()
    }
}

/// What a parameter in Base64 says, if that is text.
fn readable(name: &str, value: &str) -> Option<String> {
    let is_encoded = matches!(name, "MessageContent" | "RequestBase64Byte");
    let decoded = STANDARD.decode(value).ok().filter(|_| is_encoded)?;
    String::from_utf8(decoded).ok().filter(|text| !text.chars().any(char::is_control))
}

/// `Pub {MessageContent: "on", ProductKey: a1B2, Qos: 1}`: contents as they read, without their Base64.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.action)?;
        if self.parameters.is_empty() {
            return Ok(());
        }
        let shown = |(name, value): (&String, &String)| match readable(name, value) {
            Some(text) => format!("{name}: {text:?}"),
            None => format!("{name}: {value}"),
        };
        let parameters: Vec<String> = self.parameters.iter().map(shown).collect();
        write!(f, " {{{}}}", parameters.join(", "))
    }
}
