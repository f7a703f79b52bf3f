//! A registry from YAML.
//!
//! No message repeats what stands in the file, but product keys, device names and the names of variables: a secret may stand
//! anywhere where it was put by mistake.

use super::{Device, Environment, Product, Registered, Registration, Registry, SecretSource};
use crate::nearest::suggestion;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, SeqAccess, Visitor};
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// Why a registry cannot be used. It prints as `file:line:column: message`, and holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{}{message}", position(*at))]
pub struct RegistryError {
    /// The file as it was named.
    pub file: String,
    /// Line and column, counted from 1, where they are known.
    pub at: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
}

fn position(at: Option<(usize, usize)>) -> String {
    at.map_or_else(|| " ".to_owned(), |(line, column)| format!("{line}:{column}: "))
}

/// A file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sheet {
    products: ProductSheets,
    // One file may serve a broker and who tests it: where the broker is, and who asks it, is for the other one.
    #[serde(default, rename = "endpoints")]
    _endpoints: IgnoredAny,
    #[serde(default, rename = "accessKey")]
    _access_key: IgnoredAny,
}

/// The products of a file, each key once. A file that says more than a registry does holds one of these.
pub struct ProductSheets(Vec<ProductSheet>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ProductSheet {
    product_key: Name,
    product_secret: Option<SecretSource>,
    #[serde(default)]
    registration: Vec<Way>,
    #[serde(default)]
    devices: DeviceSheets,
}

/// The devices of a product, each name once.
#[derive(Default)]
struct DeviceSheets(Vec<DeviceSheet>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct DeviceSheet {
    device_name: Name,
    device_secret: Option<SecretSource>,
    #[serde(default)]
    disabled: bool,
}

/// A product key or the name of a device.
struct Name(String);

/// A way to register.
struct Way(Registration);

impl Registry {
    /// Reads a registry. `file` is named in errors, `environment` is asked for secrets that the file does not hold.
    ///
    /// ```
    /// use model::device::{Device, Registry};
    ///
    /// let text = "
    /// products:
    ///   - productKey: a1B2c3D4e5F
    ///     productSecret: product-secret-01
    ///     registration: [register, regnwl]
    ///     devices:
    ///       - {deviceName: lamp-01, deviceSecret: s3cr3t-of-lamp-01}
    ///       - {deviceName: lamp-02, deviceSecret: {variable: LAMP_02}, disabled: true}
    /// ";
    /// let environment = |name: &str| (name == "LAMP_02").then(|| "s3cr3t-of-lamp-02".to_owned());
    /// let registry = Registry::load("devices.yaml", text, &environment)?;
    /// assert!(registry.device(&Device::new("a1B2c3D4e5F", "lamp-02")).is_some_and(|device| device.is_disabled));
    /// # Ok::<(), model::device::RegistryError>(())
    /// ```
    ///
    /// # Errors
    /// On YAML that is wrong or no registry (with line and column), on names that stand twice or cannot be in a login, and on
    /// variables that are not set.
    pub fn load(file: &str, text: &str, environment: Environment<'_>) -> Result<Registry, RegistryError> {
        let sheet: Sheet = serde_yaml::from_str(text).map_err(|error| RegistryError::of_yaml(file, &error))?;
        sheet.products.to_registry(file, environment)
    }
}

impl RegistryError {
    /// What serde_yaml says, without what it found in the file.
    #[must_use]
    pub fn of_yaml(file: &str, error: &serde_yaml::Error) -> RegistryError {
        let at = error.location().map(|location| (location.line(), location.column()));
        RegistryError { file: file.to_owned(), at, message: without_values(&error.to_string()) }
    }
}

/// Only what was expected, and where: what was found may be a secret in the wrong place. A slip of the pen is recognised: what it
/// is near to is no secret.
fn without_values(message: &str) -> String {
    // serde_yaml prints the position behind its message; ours stands in front.
    let message = message.rsplit_once(" at line ").map_or(message, |(head, _)| head);
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let place = ["invalid type: ", "invalid value: ", "invalid length ", "unknown field ", "unknown variant "]
        .iter()
        .filter_map(|kind| found.find(kind))
        .min();
    let place = place.unwrap_or(0);
    let near = match found[place..].strip_prefix("unknown field ") {
        Some(word) => suggestion(word.trim_matches('`'), expected.split('`').skip(1).step_by(2)),
        None => String::new(),
    };
    format!("{}expected {expected}{near}", &found[..place])
}

impl ProductSheets {
    /// The registry, with the secrets that stand in the environment.
    ///
    /// # Errors
    /// On variables that are not set.
    pub fn to_registry(&self, file: &str, environment: Environment<'_>) -> Result<Registry, RegistryError> {
        let fetch = |source: &Option<SecretSource>, whose: &str| {
            source.as_ref().map(|source| source.fetch(whose, file, environment)).transpose()
        };
        let mut registry = Registry::new();
        for sheet in &self.0 {
            let key = &sheet.product_key.0;
            let secret = fetch(&sheet.product_secret, &format!("product {key}"))?;
            let registrations: BTreeSet<Registration> = sheet.registration.iter().map(|way| way.0).collect();
            if secret.is_none() && !registrations.is_empty() {
                let message = format!("product {key}: who registers signs with its productSecret, and there is none");
                return Err(RegistryError { file: file.to_owned(), at: None, message });
            }
            registry.add_product(key, Product::new(secret, registrations));
            for DeviceSheet { device_name, device_secret, disabled } in &sheet.devices.0 {
                let device = Device::new(key, &device_name.0);
                let secret = fetch(device_secret, &format!("device {device}"))?;
                registry.add_device(&device, Registered { secret, is_disabled: *disabled });
            }
        }
        Ok(registry)
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Name, String> {
        match Device::check_name(text) {
            Ok(()) => Ok(Name(text.to_owned())),
            Err(error) => Err(format!("no name of a product or device: {error}")),
        }
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
        deserializer.deserialize_str(Text(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Way {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Way, D::Error> {
        deserializer.deserialize_str(Text(PhantomData)).map(Way)
    }
}

/// Reads what stands as a text. Parsed here and not behind it, its errors have the place of the text.
struct Text<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// A list whose entries each have a name that stands once.
struct Unique<T>(Vec<T>);

trait Named {
    /// What an entry is called in messages.
    const KIND: &'static str;
    fn name(&self) -> &str;
}

impl Named for ProductSheet {
    const KIND: &'static str = "product";
    fn name(&self) -> &str {
        &self.product_key.0
    }
}

impl Named for DeviceSheet {
    const KIND: &'static str = "device";
    fn name(&self) -> &str {
        &self.device_name.0
    }
}

impl<'de, T: Named + Deserialize<'de>> Deserialize<'de> for Unique<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Unique<T>, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Named + Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Unique<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of {}s", T::KIND)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Unique<T>, A::Error> {
                let mut unique: Vec<T> = Vec::new();
                let mut names = BTreeSet::new();
                while let Some(entry) = entries.next_element::<T>()? {
                    if !names.insert(entry.name().to_owned()) {
                        return Err(A::Error::custom(format_args!("{} {} stands twice", T::KIND, entry.name())));
                    }
                    unique.push(entry);
                }
                Ok(Unique(unique))
            }
        }

        deserializer.deserialize_seq(Entries(PhantomData))
    }
}

impl<'de> Deserialize<'de> for ProductSheets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ProductSheets, D::Error> {
        Unique::deserialize(deserializer).map(|unique| ProductSheets(unique.0))
    }
}

impl<'de> Deserialize<'de> for DeviceSheets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<DeviceSheets, D::Error> {
        Unique::deserialize(deserializer).map(|unique| DeviceSheets(unique.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        Registry::load("devices.yaml", text, &|_| None).unwrap_err().to_string()
    }

    #[test]
    fn a_target_file_is_a_registry_too() {
        let text = "endpoints: {mqtt: 'mqtt://h'}\naccessKey: {id: a, secret: {variable: NONE}}\nproducts: [{productKey: pk}]\n";
        assert!(Registry::load("target.yaml", text, &|_| None).unwrap().product("pk").is_some());
        assert_eq!(
            message("endpoint: {}\nproducts: []\n"),
            "devices.yaml:1:1: expected one of `products`, `endpoints`, `accessKey`, did you mean `endpoints`?"
        );
    }

    #[test]
    fn an_error_tells_where_and_shows_no_secret() {
        let product = "products:\n  - productKey: pk\n";
        for (text, expected) in [
            ("", "devices.yaml:1:1: missing field `products`"),
            ("products: s3cr3t\n", "devices.yaml:1:11: products: expected a list of products"),
            ("products: [{}]\n", "devices.yaml:1:12: products[0]: missing field `productKey`"),
            (
                "products: [{productKey: a/b}]\n",
                "devices.yaml:1:25: products[0].productKey: no name of a product or device: it holds `/`, which separates names \
                 in topics and logins",
            ),
            (
                &format!("{product}    s3cr3t: pk\n"),
                "devices.yaml:3:5: products[0]: expected one of `productKey`, `productSecret`, `registration`, `devices`",
            ),
            (
                &format!("{product}    productsecret: s3cr3t\n"),
                "devices.yaml:3:5: products[0]: expected one of `productKey`, `productSecret`, `registration`, `devices`, did you \
                 mean `productSecret`?",
            ),
            (
                &format!("{product}    productSecret: 123456\n"),
                "devices.yaml:3:20: products[0].productSecret: expected a secret in quotes, or {variable: NAME} for one in the \
                 environment",
            ),
            (
                &format!("{product}    devices: [{{deviceName: lamp, disabled: 's3cr3t, expected x'}}]\n"),
                "devices.yaml:3:44: products[0].devices[0].disabled: expected a boolean",
            ),
            (
                &format!("{product}    registration: [register, s3cr3t]\n"),
                "devices.yaml:3:30: products[0].registration[1]: there is `register` for the secret of a device that is known, \
                 and `regnwl` for the token of any",
            ),
            (
                &format!("{product}    registration: [register]\n"),
                "devices.yaml: product pk: who registers signs with its productSecret, and there is none",
            ),
            (
                &format!("{product}    devices:\n      - deviceName: lamp\n      - deviceName: lamp\n"),
                "devices.yaml:4:7: products[0].devices: device lamp stands twice",
            ),
            (&format!("{product}  - productKey: pk\n"), "devices.yaml:2:3: products: product pk stands twice"),
            (
                &format!("{product}    devices: [{{deviceName: lamp, deviceSecret: {{variable: LAMP}}}}]\n"),
                "devices.yaml: the variable LAMP of the environment, the secret of device lamp&pk, is not set",
            ),
            (
                &format!("{product}    devices: [{{deviceName: lamp, deviceSecret: ''}}]\n"),
                "devices.yaml:3:48: products[0].devices[0].deviceSecret: the secret is empty",
            ),
        ] {
            let message = message(text);
            assert_eq!(message, expected, "{text}");
            assert!(!message.contains("s3cr3t") && !message.contains("123456"), "{message}");
        }
    }
}
