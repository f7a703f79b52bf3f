//! Devices that have no secret yet: who proves to be of a product is given one (P-REG-1 to P-REG-7).

use super::broker::{ConnectionId, Core};
use super::connect::Refused;
use crate::switch::Switch;
use model::device::{Answer, Device, ExtendedIdentifier, Registration, Registry, Secret, SignMethod, Transport};
use model::packet::{ConnectReturnCode, Delivery, Packet, Publish, PublishProperties, ReasonCode, Utf8String};

fn refused(says: &'static str) -> Refused {
    Refused::new(ConnectReturnCode::BadUserNameOrPassword, ReasonCode::BadUserNameOrPassword, says)
}

impl Core {
    /// Whether a device may register in this way, and proves that it is of its product.
    pub(super) fn check_registration(
        &self,
        id: ConnectionId,
        registry: &Registry,
        registration: Registration,
        identifier: &ExtendedIdentifier,
        device: &Device,
        password: &[u8],
    ) -> Result<(), Refused> {
        if self.transport_of(id) != Transport::Encrypted {
            return Err(Refused::client_id("a secret is given out over TLS only")); // P-REG-1
        }
        let product = registry.product(device.product_key());
        let secret = product.filter(|product| product.registrations.contains(&registration));
        let secret =
            secret.and_then(|product| product.secret.as_ref()).ok_or_else(|| refused("registration refused"))?;
        let is_signed = Registration::is_signed_by(identifier, device, secret, password) == Ok(true)
            || self.settings.misbehaves(Switch::RegistrationNotChecked);
        let is_known = registration == Registration::Token
            || registry.device(device).is_some()
            || self.settings.misbehaves(Switch::AnybodyRegisters);
        let is_free = !self.devices.is_activated(device) || self.settings.misbehaves(Switch::RegisteredTwice);
        if is_signed && is_known && is_free && !self.devices.is_disabled(device) {
            Ok(())
        } else {
            Err(refused("registration refused"))
        }
    }

    /// Gives the device what its connection is there for.
    pub(super) fn answer_registration(&mut self, id: ConnectionId, registration: Registration, device: &Device) {
        if self.settings.misbehaves(Switch::RegistrationNotAnswered) {
            return;
        }
        let answer = match registration {
            Registration::Secret => {
                let secret = self.new_secret("secret", device);
                if !(self.settings.misbehaves(Switch::FirstSecretCounts) && self.devices.secret(device).is_some()) {
                    self.devices.give_secret(device, secret.clone());
                }
                Answer::Secret { device: device.clone(), secret }
            }
            Registration::Token => {
                let token = self.new_secret("token", device);
                let client_id = self.new_secret("client identifier", device).reveal()[..16].to_owned();
                self.devices.give_token(device, client_id.clone(), token.clone());
                Answer::Token { device: device.clone(), client_id, token }
            }
        };
        let publish = Publish {
            delivery: Delivery::AtMostOnce,
            retain: false,
            topic: Utf8String::new(registration.topic()).expect("it is short and holds no U+0000"),
            properties: PublishProperties::default(),
            payload: answer.to_json().into_bytes(),
        };
        self.send(id, Packet::Publish(publish));
    }

    /// A secret that nobody can know who does not know the source of all.
    fn new_secret(&mut self, kind: &str, device: &Device) -> Secret {
        let number = self.devices.next_number();
        let content = format!("{kind} {number} of {device}");
        let code = SignMethod::HmacSha256.sign(&self.settings.secret_source, content.as_bytes());
        Secret::new(&code[..32])
    }
}
