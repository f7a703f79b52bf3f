//! The signature in a Password: an HMAC over what the login says of itself.

use super::{Device, Secret};
use hmac::Hmac;
use hmac::digest::{KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;
use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

/// The parameter `signmethod` (P-CID-4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignMethod {
    /// `hmacmd5`. It is also what a login without the parameter means.
    #[default]
    HmacMd5,
    /// `hmacsha1`
    HmacSha1,
    /// `hmacsha256`
    HmacSha256,
}

/// The text names no way to sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no sign method: there is hmacmd5, hmacsha1, hmacsha256")]
pub struct UnknownSignMethod(pub String);

impl SignMethod {
    /// All of them.
    pub const ALL: [SignMethod; 3] = [SignMethod::HmacMd5, SignMethod::HmacSha1, SignMethod::HmacSha256];

    /// The code of a content, as bytes: who logs in over AMQP sends them in Base64 (P-AMQ-3).
    #[must_use]
    pub fn code(self, secret: &Secret, content: &[u8]) -> Vec<u8> {
        let key = secret.reveal().as_bytes();
        match self {
            SignMethod::HmacMd5 => keyed::<Hmac<Md5>>(key, content).finalize().into_bytes().to_vec(),
            SignMethod::HmacSha1 => keyed::<Hmac<Sha1>>(key, content).finalize().into_bytes().to_vec(),
            SignMethod::HmacSha256 => keyed::<Hmac<Sha256>>(key, content).finalize().into_bytes().to_vec(),
        }
    }

    /// The code as a device sends it: hexadecimal (P-SGN-1).
    #[must_use]
    pub fn sign(self, secret: &Secret, content: &[u8]) -> String {
        self.code(secret, content).iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a String takes everything");
            text
        })
    }

    /// Whether this is the code of a content, compared in constant time.
    #[must_use]
    pub fn verifies(self, secret: &Secret, content: &[u8], code: &[u8]) -> bool {
        let key = secret.reveal().as_bytes();
        match self {
            SignMethod::HmacMd5 => keyed::<Hmac<Md5>>(key, content).verify_slice(code).is_ok(),
            SignMethod::HmacSha1 => keyed::<Hmac<Sha1>>(key, content).verify_slice(code).is_ok(),
            SignMethod::HmacSha256 => keyed::<Hmac<Sha256>>(key, content).verify_slice(code).is_ok(),
        }
    }

    /// Whether a Password is the signature of a content: hexadecimal, in letters of either case (P-SGN-1).
    #[must_use]
    pub fn is_signature(self, secret: &Secret, content: &[u8], password: &[u8]) -> bool {
        from_hexadecimal(password).is_some_and(|code| self.verifies(secret, content, &code))
    }
}

fn keyed<M: Mac + KeyInit>(key: &[u8], content: &[u8]) -> M {
    let code = <M as KeyInit>::new_from_slice(key).expect("an HMAC takes a key of any length");
    code.chain_update(content)
}

fn from_hexadecimal(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |pair: &[u8]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
    text.len().is_multiple_of(2).then(|| text.chunks_exact(2).map(byte).collect())?
}

/// What a device signs at login: names and values in alphabetical order of the names (P-SGN-2). Client Identifier and timestamp
/// need not be signed (P-SGN-3), but if they are, then as the login has them. All other parameters are not (P-SGN-4).
#[must_use]
pub fn signed_at_login(device: &Device, client_id: Option<&str>, timestamp: Option<&str>) -> String {
    let mut content = String::new();
    let pairs = [
        ("clientId", client_id),
        ("deviceName", Some(device.name())),
        ("productKey", Some(device.product_key())),
        ("timestamp", timestamp),
    ];
    for (name, value) in pairs.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        content.push_str(name);
        content.push_str(value);
    }
    content
}

/// What is signed, with the secret of the product, by who asks for a device's secret (P-REG-3).
#[must_use]
pub fn signed_at_registration(device: &Device, random: &str) -> String {
    format!("deviceName{}productKey{}random{random}", device.name(), device.product_key())
}

impl fmt::Display for SignMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SignMethod::HmacMd5 => "hmacmd5",
            SignMethod::HmacSha1 => "hmacsha1",
            SignMethod::HmacSha256 => "hmacsha256",
        })
    }
}

impl FromStr for SignMethod {
    type Err = UnknownSignMethod;

    fn from_str(text: &str) -> Result<SignMethod, UnknownSignMethod> {
        let named = SignMethod::ALL.into_iter().find(|method| method.to_string() == text);
        named.ok_or_else(|| UnknownSignMethod(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_hexadecimal_in_letters_of_either_case() {
        let secret = Secret::new("secret");
        for method in SignMethod::ALL {
            let signature = method.sign(&secret, b"content");
            let is_right = |text: &str| method.is_signature(&secret, b"content", text.as_bytes());
            assert!(is_right(&signature) && is_right(&signature.to_uppercase()));
            let (most, last) = signature.split_at(signature.len() - 1);
            let other = if last == "0" { "1" } else { "0" };
            for wrong in ["", most, &signature[2..], &format!("{most}{other}"), &format!("{most}g"), &"é".repeat(16)] {
                assert!(!is_right(wrong), "{method} {wrong}");
            }
            assert_eq!(method.to_string().parse(), Ok(method));
        }
        assert_eq!(
            "sha256".parse::<SignMethod>().unwrap_err().to_string(),
            "`sha256` is no sign method: there is hmacmd5, hmacsha1, hmacsha256"
        );
    }
}
