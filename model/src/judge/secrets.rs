//! What devices prove at login, held against what a server knows: its registry, and what it gave out since.

use crate::device::{Answer, Device, ExtendedIdentifier, Registration, Registry, Secret};
use crate::packet::Connect;
use crate::profile::Offence;
use crate::server::identity::Identity;
use std::collections::{BTreeMap, BTreeSet};

/// What a server gave out in a trace, and who used it.
#[derive(Debug, Clone, Default, Hash)]
pub(super) struct Secrets {
    /// The last that a device registered for counts (P-REG-7).
    secrets: BTreeMap<Device, Secret>,
    /// With the Client Identifiers that go with them (P-REG-5).
    tokens: BTreeMap<Device, (String, Secret)>,
    activated: BTreeSet<Device>,
}

impl Secrets {
    /// What is wrong with a login of which the packet alone says nothing wrong.
    pub(super) fn check(&self, registry: &Registry, connect: &Connect, identity: &Identity) -> Option<Offence> {
        let (device, registers) = match identity {
            Identity::Device(device) => (device, false),
            Identity::Registration(device) => (device, true),
            Identity::Client(_) | Identity::Assigned => return None,
        };
        // Whoever is a device by now has a Client Identifier with parameters.
        let identifier: ExtendedIdentifier = connect.client_id.parse().ok()?;
        let password = connect.password.as_deref().unwrap_or_default();
        let proves = match (registers, identifier.parameter("authType")) {
            (true, _) => self.proves_product(registry, &identifier, device, password),
            (false, Some(Registration::TOKEN_LOGIN)) => self.tokens.get(device).is_some_and(|(client_id, token)| {
                client_id == identifier.name() && token.is(password) // P-REG-6
            }),
            (false, _) => {
                let known = registry.device(device).and_then(|known| known.secret.as_ref());
                let secret = self.secrets.get(device).or(known);
                secret.is_some_and(|secret| identifier.is_signed_by(device, secret, password) == Ok(true))
            }
        };
        if !proves {
            return Some(Offence::BadUserNameOrPassword);
        }
        let is_disabled = registry.device(device).is_some_and(|known| known.is_disabled);
        is_disabled.then_some(Offence::DeviceDisabled)
    }

    /// P-REG-3, P-REG-7
    fn proves_product(
        &self,
        registry: &Registry,
        identifier: &ExtendedIdentifier,
        device: &Device,
        password: &[u8],
    ) -> bool {
        let Some(registration) = Registration::of(identifier) else { return false };
        let product = registry.product(device.product_key());
        let product = product.filter(|product| product.registrations.contains(&registration));
        let is_signed = product
            .and_then(|product| product.secret.as_ref())
            .is_some_and(|secret| Registration::is_signed_by(identifier, device, secret, password) == Ok(true));
        let is_known = registration == Registration::Token || registry.device(device).is_some();
        is_signed && is_known && !self.activated.contains(device)
    }

    /// A device has logged in: what it registers for afterwards takes a reset (P-REG-7).
    pub(super) fn logs_in(&mut self, device: &Device) {
        if self.secrets.contains_key(device) || self.tokens.contains_key(device) {
            self.activated.insert(device.clone());
        }
    }

    /// What a server sends to a connection that is there to register (P-REG-4, P-REG-5).
    pub(super) fn learn(&mut self, topic: &str, payload: &[u8]) {
        let ways = [Registration::Secret, Registration::Token];
        let registration = ways.into_iter().find(|registration| registration.topic() == topic);
        match registration.and_then(|registration| Answer::read(registration, payload)) {
            Some(Answer::Secret { device, secret }) => drop(self.secrets.insert(device, secret)),
            Some(Answer::Token { device, client_id, token }) => drop(self.tokens.insert(device, (client_id, token))),
            None => {}
        }
    }
}
