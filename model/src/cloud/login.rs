//! How a business server logs in over AMQP: SASL PLAIN with a signed password (P-AMQ-2, P-AMQ-3).

use super::access_key::AccessKey;
use crate::device::SignMethod;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::str::FromStr;

/// What the user name of such a login says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerLogin {
    /// Chosen by the user, at most 64 characters.
    pub client_id: String,
    /// How the password is signed.
    pub sign_method: SignMethod,
    /// Milliseconds since 1970, as text: they are signed as they stand.
    pub timestamp: String,
    /// The access key.
    pub auth_id: String,
    /// The instance of the platform, if the account has several.
    pub instance_id: Option<String>,
    /// Whose messages it wants.
    pub consumer_group: String,
    /// Whether bodies come in Base64 (P-AMQ-12).
    pub base64_bodies: bool,
}

/// What is wrong with a user name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what each is")]
pub enum LoginError {
    #[error("it has not the form clientId|name=value,..|")]
    Form,
    #[error("the clientId has more than 64 characters, or none")]
    ClientId,
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} has no value that is known")]
    Unknown(&'static str),
}

/// Characters of a `clientId` (P-AMQ-2).
const LONGEST_CLIENT_ID: usize = 64;

impl ServerLogin {
    /// A login to a consumer group with this key.
    #[must_use]
    pub fn new(client_id: &str, key: &AccessKey, consumer_group: &str, timestamp: u64) -> ServerLogin {
        ServerLogin {
            client_id: client_id.to_owned(),
            sign_method: SignMethod::HmacSha256,
            timestamp: timestamp.to_string(),
            auth_id: key.id.clone(),
            instance_id: None,
            consumer_group: consumer_group.to_owned(),
            base64_bodies: false,
        }
    }

    fn signed(&self) -> String {
        format!("authId={}&timestamp={}", self.auth_id, self.timestamp)
    }

    /// The password: Base64, not hexadecimal.
    #[must_use]
    pub fn password(&self, key: &AccessKey) -> String {
        STANDARD.encode(key.code(self.sign_method, self.signed().as_bytes()))
    }

    /// Whether a password is the one of this login.
    #[must_use]
    pub fn is_signed_by(&self, key: &AccessKey, password: &[u8]) -> bool {
        let code = STANDARD.decode(password);
        code.is_ok_and(|code| key.is_code(self.sign_method, self.signed().as_bytes(), &code))
    }
}

impl fmt::Display for ServerLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ServerLogin { client_id, sign_method, timestamp, auth_id, instance_id, consumer_group, base64_bodies } =
            self;
        write!(f, "{client_id}|authMode=aksign,signMethod={sign_method},timestamp={timestamp},authId={auth_id}")?;
        if let Some(instance) = instance_id {
            write!(f, ",iotInstanceId={instance}")?;
        }
        write!(f, ",consumerGroupId={consumer_group}")?;
        if *base64_bodies {
            f.write_str(",encode=base64")?;
        }
        f.write_str("|")
    }
}

impl FromStr for ServerLogin {
    type Err = LoginError;

    fn from_str(text: &str) -> Result<ServerLogin, LoginError> {
        let (client_id, rest) = text.split_once('|').ok_or(LoginError::Form)?;
        let elements = rest.strip_suffix('|').filter(|rest| !rest.contains('|')).ok_or(LoginError::Form)?;
        let pairs: Option<Vec<(&str, &str)>> =
            elements.split(',').filter(|element| !element.is_empty()).map(|element| element.split_once('=')).collect();
        let pairs = pairs.ok_or(LoginError::Form)?;
        let optional = |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let needed =
            |name: &'static str| optional(name).filter(|value| !value.is_empty()).ok_or(LoginError::Missing(name));
        if !(1..=LONGEST_CLIENT_ID).contains(&client_id.chars().count()) {
            return Err(LoginError::ClientId);
        }
        if needed("authMode")? != "aksign" {
            return Err(LoginError::Unknown("authMode"));
        }
        let timestamp = needed("timestamp")?;
        timestamp.parse::<u64>().map_err(|_| LoginError::Unknown("timestamp"))?;
        let base64_bodies = match optional("encode") {
            None => false,
            Some("base64") => true,
            Some(_) => return Err(LoginError::Unknown("encode")),
        };
        Ok(ServerLogin {
            client_id: client_id.to_owned(),
            sign_method: needed("signMethod")?.parse().map_err(|_| LoginError::Unknown("signMethod"))?,
            timestamp: timestamp.to_owned(),
            auth_id: needed("authId")?.to_owned(),
            instance_id: optional("iotInstanceId").filter(|instance| !instance.is_empty()).map(str::to_owned),
            consumer_group: needed("consumerGroupId")?.to_owned(),
            base64_bodies,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Secret;

    /// V11 of the fact sheet.
    #[test]
    fn passwords_are_those_of_the_fact_sheet() {
        let key = AccessKey::new("AKEXAMPLE01", Secret::new("access-secret-01"));
        let login = ServerLogin::new("server-1", &key, "group-1", 1_700_000_000_000);
        for (sign_method, password) in [
            (SignMethod::HmacMd5, "RjiHrI2GTUtLtZ9N0vt8mQ=="),
            (SignMethod::HmacSha1, "Zfe2X+Z/E98yqSN0pJ5zkzcwUN4="),
            (SignMethod::HmacSha256, "GRbvttPRYShlf9FxbNu3VFLxII1LXzgD2BnvcO8PSno="),
        ] {
            let login = ServerLogin { sign_method, ..login.clone() };
            assert_eq!(login.password(&key), password);
            assert!(login.is_signed_by(&key, password.as_bytes()));
            assert!(!login.is_signed_by(&key, b"") && !login.is_signed_by(&key, b"RjiHrI2GTUtLtZ9N0vt8mA=="));
            assert_eq!(login.to_string().parse(), Ok(login));
        }
    }

    #[test]
    fn what_is_no_login_is_told_by_name() {
        let right = "c|authMode=aksign,signMethod=hmacsha1,timestamp=1,authId=a,consumerGroupId=g|";
        assert!(right.parse::<ServerLogin>().is_ok());
        let without = |part: &str| right.replace(part, "");
        for (text, error) in [
            (String::new(), LoginError::Form),
            ("c".to_owned(), LoginError::Form),
            (format!("{right}x"), LoginError::Form),
            (without("="), LoginError::Form),
            (right.replacen('c', "", 1), LoginError::ClientId),
            (right.replacen('c', &"x".repeat(65), 1), LoginError::ClientId),
            (without("authMode=aksign,"), LoginError::Missing("authMode")),
            (right.replace("aksign", "x"), LoginError::Unknown("authMode")),
            (without("signMethod=hmacsha1,"), LoginError::Missing("signMethod")),
            (right.replace("hmacsha1", "sha1"), LoginError::Unknown("signMethod")),
            (without("timestamp=1,"), LoginError::Missing("timestamp")),
            (right.replace("timestamp=1", "timestamp=x"), LoginError::Unknown("timestamp")),
            (without("authId=a,"), LoginError::Missing("authId")),
            (without("consumerGroupId=g"), LoginError::Missing("consumerGroupId")),
            (right.replace("=g|", "=g,encode=hex|"), LoginError::Unknown("encode")),
        ] {
            assert_eq!(text.parse::<ServerLogin>(), Err(error), "{text}");
        }
    }
}
