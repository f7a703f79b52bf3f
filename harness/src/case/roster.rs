//! Which devices the actors of a script are, on a platform that knows its devices.

use model::device::{Device, Product, Registered, Registration, Registry, Secret, Transport};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The names that a `login` may give beside those of actors, and what they stand for.
pub(crate) const STRANGERS: [&str; 3] = [UNKNOWN, DISABLED, UNREGISTERED];

/// A device that nobody knows.
pub(crate) const UNKNOWN: &str = "unknown";
/// A device that is known and may not log in.
pub(crate) const DISABLED: &str = "disabled";
/// A device that is known and has no secret yet.
pub(crate) const UNREGISTERED: &str = "unregistered";

/// The product of devices that are made up.
const PRODUCT: &str = "mqttspec";

/// The devices of the actors of one variant, and the registry that knows them.
#[derive(Debug, Clone)]
pub struct Roster {
    registry: Arc<Registry>,
    devices: BTreeMap<String, Device>,
    /// What carries connections that a script says nothing of.
    transport: Transport,
    topics: String,
    unique: String,
}

impl Roster {
    /// Devices that are made up, for a broker that is told of them; `transport` is what they say in their logins where a
    /// script says nothing, `topics` the profile's pattern.
    #[must_use]
    pub fn made_up(actors: &BTreeSet<&str>, transport: Transport, topics: &str, unique: &str) -> Roster {
        let named = |name: &str| Device::new(PRODUCT, format!("{unique}{name}"));
        let secret = |name: &str| Secret::new(format!("secret of {unique}{name}"));
        let mut registry = Registry::new();
        let ways = BTreeSet::from([Registration::Secret, Registration::Token]);
        registry.add_product(PRODUCT, Product::new(Some(secret("product")), ways));
        for actor in actors {
            registry.add_device(&named(actor), Registered::with_secret(secret(actor)));
        }
        registry.add_device(
            &named(DISABLED),
            Registered { is_disabled: true, ..Registered::with_secret(secret(DISABLED)) },
        );
        registry.add_device(&named(UNREGISTERED), Registered::default());
        let names = actors.iter().copied().chain(STRANGERS);
        let devices = names.map(|name| (name.to_owned(), named(name))).collect();
        Roster {
            registry: Arc::new(registry),
            devices,
            transport,
            topics: topics.to_owned(),
            unique: unique.to_owned(),
        }
    }

    /// Devices that a target knows: `taken` are those that the actors are, in the order of their names.
    #[must_use]
    pub fn of_target(
        registry: Arc<Registry>,
        devices: BTreeMap<String, Device>,
        transport: Transport,
        topics: &str,
        unique: &str,
    ) -> Roster {
        Roster { registry, devices, transport, topics: topics.to_owned(), unique: unique.to_owned() }
    }

    /// The registry.
    #[must_use]
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// The device of an actor, or of a stranger.
    #[must_use]
    pub fn device(&self, actor: &str) -> Option<&Device> {
        self.devices.get(actor)
    }

    /// The secret of a device; one that nobody knows has some.
    pub(super) fn secret(&self, device: &Device) -> Secret {
        let known = self.registry.device(device).and_then(|known| known.secret.clone());
        known.unwrap_or_else(|| Secret::new("nobody knows"))
    }

    /// The secret of a product; one without has some.
    pub(super) fn product_secret(&self, device: &Device) -> Secret {
        let product = self.registry.product(device.product_key());
        product.and_then(|product| product.secret.clone()).unwrap_or_else(|| Secret::new("nobody knows"))
    }

    /// What carries connections that a script says nothing of.
    pub(super) fn transport(&self) -> Transport {
        self.transport
    }

    /// What `$t` stands for in what this actor does.
    #[must_use]
    pub fn topics(&self, actor: &str) -> Option<String> {
        let device = self.device(actor)?;
        let topics = self.topics.replace("{productKey}", device.product_key());
        Some(topics.replace("{deviceName}", device.name()).replace("{unique}", &self.unique))
    }

    /// The devices that are actors'.
    pub fn lent(&self) -> impl Iterator<Item = &Device> {
        let is_lent = |(name, _): &(&String, &Device)| !STRANGERS.contains(&name.as_str());
        self.devices.iter().filter(is_lent).map(|(_, device)| device)
    }

    /// What `$t` stands for, for every actor.
    pub fn all_topics(&self) -> impl Iterator<Item = String> {
        self.devices.keys().filter_map(|actor| self.topics(actor))
    }

    /// The actors and their devices.
    pub(super) fn actors(&self) -> impl Iterator<Item = &str> {
        self.devices.keys().map(String::as_str)
    }
}
