//! The Client Identifier of a device login: a name that the user chose, and parameters of the login behind it.

use super::{Device, Secret, SignMethod, UnknownSignMethod, signed_at_login};
use std::fmt;
use std::str::FromStr;

/// A Client Identifier of the form `name|key=value,key=value|` (P-CID-1). What it prints is what it was read from, but for empty
/// elements (P-CID-11).
///
/// ```
/// use model::device::{ExtendedIdentifier, SignMethod};
///
/// let identifier: ExtendedIdentifier = "gate|securemode=3,signmethod=hmacsha1,ext=3,|".parse()?;
/// assert_eq!((identifier.name(), identifier.parameter("securemode")), ("gate", Some("3")));
/// assert_eq!(identifier.sign_method(), Ok(SignMethod::HmacSha1));
/// assert!(identifier.extras().notices);
///
/// let built = ExtendedIdentifier::new("gate").with("securemode", "3").with("signmethod", "hmacsha1");
/// assert_eq!(built.to_string(), "gate|securemode=3,signmethod=hmacsha1|");
/// # Ok::<(), model::device::IdentifierError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtendedIdentifier {
    name: String,
    /// In their order, those that are unknown too (P-CID-7, P-CID-8).
    parameters: Vec<(String, String)>,
}

/// Why a text is no Client Identifier of a device login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// There is no `|`, or one only.
    #[error("parameters stand between two `|`, the second at the end")]
    Unclosed,
    /// There is a third one.
    #[error("there are more than two `|`")]
    Bars,
    /// An element without `=`, or without a name before it.
    #[error("a parameter is written `name=value`")]
    Element,
}

/// The parameter `ext` (P-CID-9).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Extras {
    /// Synchronous calls on custom topics (P-CID-10).
    pub custom_calls: bool,
    /// Notices on `/ext/notify` (P-CON-5).
    pub notices: bool,
}

/// What carries the connection, where that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// TCP, ws.
    Plain,
    /// TLS, wss.
    Encrypted,
}

/// The parameter `securemode` (P-CID-3, P-TLS-9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecureMode {
    /// What the login says of its transport.
    pub transport: Transport,
    /// A service beside MQTT has logged the device in: the User Name is that service's and names no device (P-REG-9).
    pub is_guided: bool,
}

impl ExtendedIdentifier {
    /// Most characters of the part that the user chooses (P-CID-2).
    pub const NAME_CHARACTERS: usize = 64;

    /// An identifier with no parameters yet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> ExtendedIdentifier {
        ExtendedIdentifier { name: name.into(), parameters: Vec::new() }
    }

    /// With this parameter behind the others.
    #[must_use]
    pub fn with(mut self, parameter: impl Into<String>, value: impl Into<String>) -> ExtendedIdentifier {
        self.parameters.push((parameter.into(), value.into()));
        self
    }

    /// What the user chose.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first parameter of this name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a parameter stands there twice.
    #[must_use]
    pub fn repeats_a_parameter(&self) -> bool {
        let mut names: Vec<&str> = self.parameters.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| pair[0] == pair[1])
    }

    /// What it says of the transport, if it says anything.
    ///
    /// # Errors
    /// When it says what no row knows.
    pub fn secure_mode(&self) -> Result<Option<SecureMode>, UnknownSecureMode> {
        let mode = |transport, is_guided| Ok(Some(SecureMode { transport, is_guided }));
        match self.parameter("securemode") {
            None => Ok(None),
            Some("-2" | "2" | "7" | "8") => mode(Transport::Encrypted, false),
            Some("-1" | "5") => mode(Transport::Encrypted, true),
            Some("3" | "4") => mode(Transport::Plain, false),
            Some("0" | "1") => mode(Transport::Plain, true),
            Some(_) => Err(UnknownSecureMode),
        }
    }

    /// How the Password is signed: without the parameter with hmacmd5 (P-CID-4).
    ///
    /// # Errors
    /// When the parameter names no method.
    pub fn sign_method(&self) -> Result<SignMethod, UnknownSignMethod> {
        self.parameter("signmethod").map_or(Ok(SignMethod::default()), str::parse)
    }

    /// What the device asks for beside its session.
    #[must_use]
    pub fn extras(&self) -> Extras {
        let bits: u32 = self.parameter("ext").and_then(|bits| bits.parse().ok()).unwrap_or(0);
        Extras { custom_calls: bits & 1 != 0, notices: bits & 2 != 0 }
    }

    /// Whether a Password is the signature of this login. The Client Identifier need not be part of what was signed; a timestamp
    /// that the login has must be (P-SGN-3, P-CID-5).
    ///
    /// # Errors
    /// When the login names no method that there is.
    pub fn is_signed_by(&self, device: &Device, secret: &Secret, password: &[u8]) -> Result<bool, UnknownSignMethod> {
        let method = self.sign_method()?;
        let is_signed = |client_id| {
            let content = signed_at_login(device, client_id, self.parameter("timestamp"));
            method.is_signature(secret, content.as_bytes(), password)
        };
        Ok(is_signed(Some(self.name())) || is_signed(None))
    }
}

/// The parameter `securemode` has a value that no row knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such securemode: 2 is TLS, 3 is TCP")]
pub struct UnknownSecureMode;

impl FromStr for ExtendedIdentifier {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<ExtendedIdentifier, IdentifierError> {
        let (name, rest) = text.split_once('|').ok_or(IdentifierError::Unclosed)?;
        let elements = rest.strip_suffix('|').ok_or(IdentifierError::Unclosed)?;
        if elements.contains('|') {
            return Err(IdentifierError::Bars);
        }
        // P-CID-11: a vendor's client leaves an empty element behind a comma.
        let elements = elements.split(',').filter(|element| !element.is_empty());
        let parameter = |element: &str| match element.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
            _ => Err(IdentifierError::Element),
        };
        Ok(ExtendedIdentifier { name: name.to_owned(), parameters: elements.map(parameter).collect::<Result<_, _>>()? })
    }
}

impl fmt::Display for ExtendedIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}|", self.name)?;
        for (position, (name, value)) in self.parameters.iter().enumerate() {
            write!(f, "{}{name}={value}", if position == 0 { "" } else { "," })?;
        }
        f.write_str("|")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_is_read_again() {
        let built = ExtendedIdentifier::new("a").with("securemode", "2").with("_v", "x=y").with("signmethod", "");
        assert_eq!(built.to_string(), "a|securemode=2,_v=x=y,signmethod=|");
        assert_eq!(built.to_string().parse(), Ok(built));
        assert_eq!("||".parse(), Ok(ExtendedIdentifier::new("")));
        let empty_elements: ExtendedIdentifier = "a|,b=1,,c=2,|".parse().unwrap();
        assert_eq!(empty_elements.to_string(), "a|b=1,c=2|");
    }

    #[test]
    fn what_is_malformed_is_told() {
        for (text, expected) in [
            ("a", IdentifierError::Unclosed),
            ("|", IdentifierError::Unclosed),
            ("a|b=1", IdentifierError::Unclosed),
            ("a|b=1|c", IdentifierError::Unclosed),
            ("a|b=1|c=2|", IdentifierError::Bars),
            ("a|b|", IdentifierError::Element),
            ("a|=1|", IdentifierError::Element),
        ] {
            assert_eq!(text.parse::<ExtendedIdentifier>(), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_timestamp_is_signed_if_there_is_one() {
        let (device, secret) = (Device::new("pk", "lamp"), Secret::new("s"));
        let is_signed = |id: &str, client_id: Option<&str>, timestamp: Option<&str>| {
            let password = SignMethod::HmacMd5.sign(&secret, signed_at_login(&device, client_id, timestamp).as_bytes());
            let identifier: ExtendedIdentifier = id.parse().unwrap();
            identifier.is_signed_by(&device, &secret, password.as_bytes()).unwrap()
        };
        assert!(is_signed("a|timestamp=7|", Some("a"), Some("7")));
        assert!(is_signed("a|timestamp=7|", None, Some("7")));
        assert!(!is_signed("a|timestamp=7|", Some("a"), None));
        assert!(!is_signed("a|timestamp=7|", Some("a"), Some("8")));
        assert!(is_signed("a||", Some("a"), None) && is_signed("a||", None, None));
        assert!(!is_signed("a||", Some("b"), None) && !is_signed("a||", Some("a"), Some("7")));
    }
}
