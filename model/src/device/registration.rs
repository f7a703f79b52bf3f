//! How a device without secret gets one: dynamic registration.

use super::{Device, ExtendedIdentifier, Secret, UnknownSignMethod, signed_at_registration};
use serde_json::{Value, json};
use std::fmt;
use std::str::FromStr;

/// What a connection asks for that is there to register a device: the parameter `authType` (P-REG-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Registration {
    /// `register`: the secret of a device that the platform knows (P-REG-4).
    Secret,
    /// `regnwl`: a token for a device that it need not know (P-REG-5).
    Token,
}

/// The answer of the platform, a JSON object on [`Registration::topic`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The device's secret, for logins as ever (P-REG-4).
    Secret {
        /// Whose.
        device: Device,
        /// Which.
        secret: Secret,
    },
    /// A token, for logins with `authType=connwl` (P-REG-5, P-REG-6).
    Token {
        /// Whose.
        device: Device,
        /// The Client Identifier that goes with it.
        client_id: String,
        /// What stands in the place of a signature.
        token: Secret,
    },
}

/// The text names no way to register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is `register` for the secret of a device that is known, and `regnwl` for the token of any")]
pub struct UnknownRegistration;

impl Registration {
    /// The word for a login with a token in place of a signature (P-REG-6).
    pub const TOKEN_LOGIN: &'static str = "connwl";

    /// What the connection with this Client Identifier asks for, if it is there to register.
    #[must_use]
    pub fn of(identifier: &ExtendedIdentifier) -> Option<Registration> {
        identifier.parameter("authType")?.parse().ok()
    }

    /// Where the answer comes.
    #[must_use]
    pub fn topic(self) -> &'static str {
        match self {
            Registration::Secret => "/ext/register",
            Registration::Token => "/ext/regnwl",
        }
    }

    /// Whether a Password is the signature of this request: with the secret of the product, over a random number of the login
    /// (P-REG-3).
    ///
    /// # Errors
    /// When the login names no method that there is.
    pub fn is_signed_by(
        identifier: &ExtendedIdentifier,
        device: &Device,
        product_secret: &Secret,
        password: &[u8],
    ) -> Result<bool, UnknownSignMethod> {
        let method = identifier.sign_method()?;
        let is_signature =
            |random| method.is_signature(product_secret, signed_at_registration(device, random).as_bytes(), password);
        Ok(identifier.parameter("random").is_some_and(is_signature))
    }
}

impl Answer {
    /// Whose it is.
    #[must_use]
    pub fn device(&self) -> &Device {
        match self {
            Answer::Secret { device, .. } | Answer::Token { device, .. } => device,
        }
    }

    /// As it stands in the PUBLISH.
    #[must_use]
    pub fn to_json(&self) -> String {
        let device = self.device();
        let (product_key, name) = (device.product_key(), device.name());
        match self {
            Answer::Secret { secret, .. } => {
                json!({"productKey": product_key, "deviceName": name, "deviceSecret": secret.reveal()})
            }
            Answer::Token { client_id, token, .. } => json!({
                "productKey": product_key,
                "deviceName": name,
                "clientId": client_id,
                "deviceToken": token.reveal(),
            }),
        }
        .to_string()
    }

    /// The answer in a PUBLISH on the topic of this registration, if it is one. Members that no row names are no offence.
    #[must_use]
    pub fn read(registration: Registration, payload: &[u8]) -> Option<Answer> {
        let object: Value = serde_json::from_slice(payload).ok()?;
        let text = |member: &str| object.get(member)?.as_str();
        let device = Device::new(text("productKey")?, text("deviceName")?);
        Some(match registration {
            Registration::Secret => Answer::Secret { device, secret: Secret::new(text("deviceSecret")?) },
            Registration::Token => {
                let client_id = text("clientId")?.to_owned();
                Answer::Token { device, client_id, token: Secret::new(text("deviceToken")?) }
            }
        })
    }
}

impl FromStr for Registration {
    type Err = UnknownRegistration;

    fn from_str(text: &str) -> Result<Registration, UnknownRegistration> {
        match text {
            "register" => Ok(Registration::Secret),
            "regnwl" => Ok(Registration::Token),
            _ => Err(UnknownRegistration),
        }
    }
}

impl fmt::Display for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Registration::Secret => "register",
            Registration::Token => "regnwl",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        let device = Device::new("pk", "lamp");
        let secret = Answer::Secret { device: device.clone(), secret: Secret::new("s\"1") };
        let token = Answer::Token { device, client_id: "id".to_owned(), token: Secret::new("t") };
        assert_eq!(Answer::read(Registration::Secret, secret.to_json().as_bytes()), Some(secret));
        assert_eq!(Answer::read(Registration::Token, token.to_json().as_bytes()), Some(token.clone()));
        for no_answer in ["", "[]", "{\"productKey\":\"pk\"}", &token.to_json()] {
            assert_eq!(Answer::read(Registration::Secret, no_answer.as_bytes()), None, "{no_answer}");
        }
    }

    #[test]
    fn a_request_is_signed_with_the_secret_of_the_product() {
        let (device, secret) = (Device::new("a1B2c3D4e5F", "lamp-01"), Secret::new("product-secret-01"));
        // V6
        let password = b"a5e5ba1e94177c6a898c98087f43f0340549b2a933fff7428d8038e848b56ea7";
        let is_signed = |id: &str| {
            let identifier: ExtendedIdentifier = id.parse().unwrap();
            Registration::is_signed_by(&identifier, &device, &secret, password)
        };
        let id = "lamp-01.a1B2c3D4e5F|securemode=2,authType=register,random=567345,signmethod=hmacsha256|";
        assert_eq!(is_signed(id), Ok(true));
        assert_eq!(is_signed(&id.replace("567345", "567346")), Ok(false));
        assert_eq!(is_signed(&id.replace("random=567345,", "")), Ok(false));
        assert!(is_signed(&id.replace("hmacsha256", "sha256")).is_err());
        assert_eq!(Registration::of(&id.parse().unwrap()), Some(Registration::Secret));
        assert_eq!(Registration::of(&"a|authType=connwl|".parse().unwrap()), None);
        for registration in [Registration::Secret, Registration::Token] {
            assert_eq!(registration.to_string().parse::<Registration>().unwrap(), registration);
        }
    }
}
