//! A login as a device makes it.

use super::{Device, ExtendedIdentifier, Secret, SignMethod, signed_at_login};
use crate::packet::{Connect, TextError};

/// How a device logs in. Each part has a default and can be another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceLogin {
    /// Who.
    pub device: Device,
    /// The part of the Client Identifier that its user chooses.
    pub name: String,
    /// `securemode`: 2 over TLS, 3 over TCP (P-CID-3).
    pub secure_mode: String,
    /// `signmethod`
    pub sign_method: SignMethod,
    /// `timestamp`, in milliseconds: any will do, as long as it is the one that is signed (P-CID-5, P-CID-6).
    pub timestamp: Option<String>,
    /// Further parameters, behind those.
    pub parameters: Vec<(String, String)>,
}

/// What a CONNECT needs of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Client Identifier.
    pub client_id: String,
    /// User Name.
    pub user_name: String,
    /// Password. It gives nothing away of the secret, and lets whoever has it log in.
    pub password: String,
}

impl DeviceLogin {
    /// The login that vendor clients make: the device's names as Client Identifier, TCP, hmacsha256.
    #[must_use]
    pub fn new(device: Device) -> DeviceLogin {
        DeviceLogin {
            name: format!("{}.{}", device.product_key(), device.name()),
            device,
            secure_mode: "3".to_owned(),
            sign_method: SignMethod::HmacSha256,
            timestamp: None,
            parameters: Vec::new(),
        }
    }

    /// The Client Identifier.
    #[must_use]
    pub fn identifier(&self) -> ExtendedIdentifier {
        let mut identifier = ExtendedIdentifier::new(&self.name);
        if let Some(timestamp) = &self.timestamp {
            identifier = identifier.with("timestamp", timestamp);
        }
        identifier = identifier.with("securemode", &self.secure_mode).with("signmethod", self.sign_method.to_string());
        self.parameters.iter().fold(identifier, |identifier, (name, value)| identifier.with(name, value))
    }

    /// The login, signed.
    #[must_use]
    pub fn sign(&self, secret: &Secret) -> Credentials {
        let content = signed_at_login(&self.device, Some(&self.name), self.timestamp.as_deref());
        Credentials {
            client_id: self.identifier().to_string(),
            user_name: self.device.to_string(),
            password: self.sign_method.sign(secret, content.as_bytes()),
        }
    }
}

impl Credentials {
    /// Writes them into a CONNECT.
    ///
    /// # Errors
    /// When one of them is no text that fits MQTT.
    pub fn fill(self, connect: &mut Connect) -> Result<(), TextError> {
        connect.client_id = self.client_id.try_into()?;
        connect.user_name = Some(self.user_name.try_into()?);
        connect.password = Some(self.password.into_bytes());
        Ok(())
    }
}
