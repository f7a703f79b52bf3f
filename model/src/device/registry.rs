//! Which products and devices there are, and their secrets.

use super::{Device, Registration, Secret};
use std::collections::{BTreeMap, BTreeSet};

/// The products and devices that a platform knows, with their secrets. It is data: what devices do with it (register, be
/// disabled) is for its owner to keep.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Registry {
    products: BTreeMap<String, Product>,
}

/// A product: a kind of device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Product {
    /// What a device registers with that has no secret of its own.
    pub secret: Option<Secret>,
    /// How its devices may register; in no way, if it is empty.
    pub registrations: BTreeSet<Registration>,
    devices: BTreeMap<String, Registered>,
}

/// A device as the platform knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Registered {
    /// Its secret; without one it has to register first.
    pub secret: Option<Secret>,
    /// Nobody may log in as it (P-RC-9).
    pub is_disabled: bool,
}

impl Registered {
    /// A device with this secret.
    #[must_use]
    pub fn with_secret(secret: Secret) -> Registered {
        Registered { secret: Some(secret), is_disabled: false }
    }
}

impl Registry {
    /// A registry that knows nobody.
    #[must_use]
    pub fn new() -> Registry {
        Registry::default()
    }

    /// The product of this key.
    #[must_use]
    pub fn product(&self, product_key: &str) -> Option<&Product> {
        self.products.get(product_key)
    }

    /// What is known of a device.
    #[must_use]
    pub fn device(&self, device: &Device) -> Option<&Registered> {
        self.products.get(device.product_key())?.devices.get(device.name())
    }

    /// What is known of a device, to be changed.
    #[must_use]
    pub fn device_mut(&mut self, device: &Device) -> Option<&mut Registered> {
        self.products.get_mut(device.product_key())?.devices.get_mut(device.name())
    }

    /// All products, in the order of their keys.
    pub fn products(&self) -> impl Iterator<Item = (&str, &Product)> {
        self.products.iter().map(|(key, product)| (key.as_str(), product))
    }

    /// All devices, in the order of their names within the order of products.
    pub fn devices(&self) -> impl Iterator<Item = (Device, &Registered)> {
        self.products.iter().flat_map(|(key, product)| {
            product.devices.iter().map(move |(name, registered)| (Device::new(key, name), registered))
        })
    }

    /// Adds a product, or changes what is known of it; its devices stay.
    pub fn add_product(&mut self, key: impl Into<String>, product: Product) {
        let known = self.products.entry(key.into()).or_default();
        known.secret = product.secret;
        known.registrations = product.registrations;
        known.devices.extend(product.devices);
    }

    /// Adds a device, and its product if there is none of the key yet.
    pub fn add_device(&mut self, device: &Device, registered: Registered) {
        let product = self.products.entry(device.product_key().to_owned()).or_default();
        product.devices.insert(device.name().to_owned(), registered);
    }
}

impl Product {
    /// A product without devices.
    #[must_use]
    pub fn new(secret: Option<Secret>, registrations: BTreeSet<Registration>) -> Product {
        Product { secret, registrations, devices: BTreeMap::new() }
    }

    /// Its devices, in the order of their names.
    pub fn devices(&self) -> impl Iterator<Item = (&str, &Registered)> {
        self.devices.iter().map(|(name, registered)| (name.as_str(), registered))
    }

    /// Adds a device.
    pub fn add_device(&mut self, name: impl Into<String>, registered: Registered) {
        self.devices.insert(name.into(), registered);
    }
}
