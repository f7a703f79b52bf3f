//! A target file: all that a run has to know of a target.
//!
//! ```yaml
//! endpoints:
//!   mqtt: mqtt://127.0.0.1:1883
//!   mqtts: {url: mqtts://localhost:8883, cafile: certificates/ca.pem}     # paths begin where the file is
//!   api: {url: https://localhost:8443, cafile: certificates/ca.pem}
//!   amqp: {url: amqps://localhost:5671, cafile: certificates/ca.pem, consumerGroup: TESTS}
//! accessKey: {id: AKEXAMPLE01, secret: {variable: KEY_SECRET}}
//! products: [{productKey: a1B2c3D4e5F, devices: [{deviceName: lamp-01, deviceSecret: {variable: LAMP_01}}]}]
//! ```
//!
//! A registry of the reference broker is such a file, and such a file is a registry. As there, no message repeats what stands in
//! the file.

use crate::cloud::{amqp_address, api_address};
use model::cloud::AccessKey;
use model::device::{Environment, ProductSheets, Registry, RegistryError, SecretSource};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use transport::{Address, Scheme};

/// All that a run has to know of a target.
#[derive(Debug, Clone, Default)]
pub struct TargetFile {
    /// The file as it was named.
    pub name: String,
    /// Where MQTT is spoken, by what carries it.
    pub mqtt: BTreeMap<Scheme, Endpoint>,
    /// Where the API is.
    pub api: Option<Endpoint>,
    /// Where messages of devices come from.
    pub amqp: Option<Endpoint>,
    /// The consumer group of those messages, if the file says it.
    pub consumer_group: Option<String>,
    /// What business servers sign with.
    pub access_key: Option<AccessKey>,
    /// The devices that the target knows; none if the file names no products.
    pub devices: Option<Arc<Registry>>,
}

/// Where something listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its address; the API and AMQP have one of what carries them.
    pub address: Address,
    /// The authorities to trust there and no others, PEM.
    pub cafile: Option<PathBuf>,
}

/// A file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Sheet {
    #[serde(default)]
    endpoints: EndpointSheets,
    access_key: Option<AccessKeySheet>,
    products: Option<ProductSheets>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessKeySheet {
    id: String,
    secret: SecretSource,
}

/// The endpoints by the keys that they stand behind.
#[derive(Default)]
struct EndpointSheets(BTreeMap<&'static str, EndpointSheet>);

struct EndpointSheet {
    address: Address,
    cafile: Option<PathBuf>,
    consumer_group: Option<String>,
}

/// Reads a URL.
type ReadUrl = fn(&str) -> Result<Address, String>;

const API: &str = "api";
const AMQP: &str = "amqp";

/// What an endpoint can be, how its URL is read, and how that looks.
const KINDS: [(&str, ReadUrl, &str); 6] = [
    ("mqtt", |text| mqtt(Scheme::Mqtt, text), "mqtt://HOST:PORT"),
    ("mqtts", |text| mqtt(Scheme::Mqtts, text), "mqtts://HOST:PORT"),
    ("ws", |text| mqtt(Scheme::Ws, text), "ws://HOST:PORT/PATH"),
    ("wss", |text| mqtt(Scheme::Wss, text), "wss://HOST:PORT/PATH"),
    (API, api_address, "http://HOST:PORT or https://HOST:PORT"),
    (AMQP, amqp_address, "amqp://HOST:PORT or amqps://HOST:PORT"),
];
const KEYS: [&str; 6] = [KINDS[0].0, KINDS[1].0, KINDS[2].0, KINDS[3].0, KINDS[4].0, KINDS[5].0];

fn mqtt(scheme: Scheme, text: &str) -> Result<Address, String> {
    let address: Address = text.parse()?;
    if address.scheme == scheme { Ok(address) } else { Err(format!("it begins with {}", address.scheme)) }
}

impl TargetFile {
    /// Reads a target file. `file` is its path; `environment` is asked for secrets that it does not hold.
    ///
    /// # Errors
    /// On YAML that is wrong or no target (with line and column), and on variables that are not set.
    pub fn load(file: &str, text: &str, environment: Environment<'_>) -> Result<TargetFile, RegistryError> {
        let sheet: Sheet = serde_yaml::from_str(text).map_err(|error| RegistryError::of_yaml(file, &error))?;
        let Sheet { endpoints: EndpointSheets(mut endpoints), access_key, products } = sheet;
        if endpoints.is_empty() && products.is_none() {
            let message = "it names neither `endpoints` nor `products`".to_owned();
            return Err(RegistryError { file: file.to_owned(), at: None, message });
        }
        let access_key = access_key.map(|AccessKeySheet { id, secret }| {
            let secret = secret.fetch(&format!("access key {id}"), file, environment)?;
            Ok(AccessKey::new(id, secret))
        });
        let folder = Path::new(file).parent().unwrap_or(Path::new(""));
        let endpoint = |sheet: EndpointSheet| Endpoint {
            address: sheet.address,
            cafile: sheet.cafile.map(|path| folder.join(path)),
        };
        let mut mqtt = BTreeMap::new();
        for scheme in Scheme::ALL {
            mqtt.extend(endpoints.remove(scheme.name()).map(|sheet| (scheme, endpoint(sheet))));
        }
        let api = endpoints.remove(API).map(endpoint);
        let amqp = endpoints.remove(AMQP);
        let consumer_group = amqp.as_ref().and_then(|amqp| amqp.consumer_group.clone());
        let devices = products.map(|products| products.to_registry(file, environment)).transpose()?;
        Ok(TargetFile {
            name: file.to_owned(),
            mqtt,
            api,
            amqp: amqp.map(endpoint),
            consumer_group,
            access_key: access_key.transpose()?,
            devices: devices.map(Arc::new),
        })
    }
}

impl<'de> Deserialize<'de> for EndpointSheets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<EndpointSheets, D::Error> {
        struct Endpoints;

        impl<'de> Visitor<'de> for Endpoints {
            type Value = EndpointSheets;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("endpoints by what they serve, such as {mqtt: mqtt://HOST:PORT}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EndpointSheets, A::Error> {
                let mut sheets = BTreeMap::new();
                while let Some(key) = map.next_key_seed(Key(&KEYS))? {
                    let kind = KINDS.into_iter().find(|(name, ..)| *name == key);
                    let (name, read, form) = kind.expect("KEYS are those of KINDS");
                    if sheets.insert(name, map.next_value_seed(OfKind { read, form, name })?).is_some() {
                        return Err(A::Error::custom(format_args!("{name} stands twice")));
                    }
                }
                Ok(EndpointSheets(sheets))
            }
        }

        deserializer.deserialize_map(Endpoints)
    }
}

/// Reads one of these keys where it stands, so that the error for another one has its place.
struct Key(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'static str, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key {
    type Value = &'static str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}", self.0.join(", "))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<&'static str, E> {
        self.0.iter().find(|key| **key == text).copied().ok_or_else(|| E::unknown_field(text, self.0))
    }
}

/// Reads the endpoint behind a key: a URL, or one with what belongs to it.
#[derive(Clone, Copy)]
struct OfKind {
    name: &'static str,
    read: ReadUrl,
    form: &'static str,
}

/// Reads a URL where it stands, so that its errors have its place.
struct Url(OfKind);

impl<'de> DeserializeSeed<'de> for OfKind {
    type Value = EndpointSheet;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<EndpointSheet, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OfKind {
    type Value = EndpointSheet;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, or {{url: .., cafile: FILE}}", self.form)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<EndpointSheet, E> {
        Ok(EndpointSheet { address: Url(self).visit_str(text)?, cafile: None, consumer_group: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EndpointSheet, A::Error> {
        const BESIDE: &[&str] = &["url", "cafile", "consumerGroup"];
        let known: &'static [&'static str] = if self.name == AMQP { BESIDE } else { &BESIDE[..2] };
        let (mut address, mut cafile, mut consumer_group) = (None, None, None);
        while let Some(key) = map.next_key_seed(Key(known))? {
            let is_again = match key {
                "url" => address.replace(map.next_value_seed(Url(self))?).is_some(),
                "cafile" => cafile.replace(map.next_value::<PathBuf>()?).is_some(),
                _ => consumer_group.replace(map.next_value::<String>()?).is_some(),
            };
            if is_again {
                return Err(A::Error::custom(format_args!("{key} stands twice")));
            }
        }
        let address: Address = address.ok_or_else(|| A::Error::missing_field("url"))?;
        if cafile.is_some() && !address.scheme.has_tls() {
            return Err(A::Error::custom("a cafile is for TLS, and this URL has none"));
        }
        Ok(EndpointSheet { address, cafile, consumer_group })
    }
}

impl<'de> DeserializeSeed<'de> for Url {
    type Value = Address;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Address, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Url {
    type Value = Address;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.form)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Address, E> {
        (self.0.read)(text).map_err(|_| E::custom(format_args!("write {}", self.0.form)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "\
endpoints:
  mqtt: mqtt://127.0.0.1
  mqtts: {url: 'mqtts://localhost:8884', cafile: certificates/ca.pem}
  wss: {url: wss://localhost/devices}
  api: {url: 'https://localhost:8443', cafile: /etc/ca.pem}
  amqp: {url: amqps://localhost, consumerGroup: TESTS}
accessKey: {id: AKEXAMPLE01, secret: {variable: KEY}}
products: [{productKey: pk, devices: [{deviceName: lamp, deviceSecret: s3cr3t}]}]
";

    fn load(text: &str) -> Result<TargetFile, RegistryError> {
        TargetFile::load("in/target.yaml", text, &|name| (name == "KEY").then(|| "s3cr3t-of-key".to_owned()))
    }

    #[test]
    fn endpoints_have_addresses_and_authorities_of_their_own() {
        let file = load(WHOLE).unwrap();
        let shown = |endpoint: &Endpoint| {
            let cafile = endpoint.cafile.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
            format!("{} {cafile}", endpoint.address)
        };
        let mqtt: Vec<String> = file.mqtt.values().map(shown).collect();
        let expected =
            ["mqtt://127.0.0.1:1883 ", "mqtts://localhost:8884 in/certificates/ca.pem", "wss://localhost:443/devices "];
        assert_eq!(mqtt, expected);
        assert_eq!(file.api.as_ref().map(shown).unwrap(), "mqtts://localhost:8443 /etc/ca.pem");
        assert_eq!(file.amqp.as_ref().map(shown).unwrap(), "mqtts://localhost:5671 ");
        assert_eq!(file.consumer_group.as_deref(), Some("TESTS"));
        assert!(file.access_key.is_some() && file.devices.is_some());
        assert!(!format!("{file:?}").contains("s3cr3t"), "{file:?}");
        let alone = load("endpoints: {mqtt: mqtt://h}").unwrap();
        assert!(alone.devices.is_none() && alone.access_key.is_none());
    }

    #[test]
    fn an_error_tells_where_and_what_to_write_and_shows_no_secret() {
        for (text, expected) in [
            ("{}", " it names neither `endpoints` nor `products`"),
            ("accessKey: {id: a, secret: s3cr3t}", " it names neither `endpoints` nor `products`"),
            ("endpoint: {}", "1:1: expected one of `endpoints`, `accessKey`, `products`, did you mean `endpoints`?"),
            (
                "endpoints:\n  mqt: mqtt://h\n",
                "2:3: endpoints: expected one of `mqtt`, `mqtts`, `ws`, `wss`, `api`, `amqp`, did you mean `mqtt`?",
            ),
            (
                "endpoints: s3cr3t",
                "1:12: endpoints: expected endpoints by what they serve, such as {mqtt: mqtt://HOST:PORT}",
            ),
            ("endpoints:\n  mqtts: mqtt://s3cr3t\n", "2:10: endpoints.mqtts: write mqtts://HOST:PORT"),
            ("endpoints:\n  mqtt: mqtt://me:s3cr3t@h\n", "2:9: endpoints.mqtt: write mqtt://HOST:PORT"),
            (
                "endpoints:\n  api: [s3cr3t]\n",
                "2:8: endpoints.api: expected http://HOST:PORT or https://HOST:PORT, or {url: .., cafile: FILE}",
            ),
            (
                "endpoints:\n  api: {url: 'ftp://s3cr3t'}\n",
                "2:14: endpoints.api.url: write http://HOST:PORT or https://HOST:PORT",
            ),
            ("endpoints:\n  api: {cafile: ca.pem}\n", "2:8: endpoints.api: missing field `url`"),
            (
                "endpoints:\n  api: {url: 'http://h', cafil: ca.pem}\n",
                "2:26: endpoints.api: expected `url` or `cafile`, did you mean `cafile`?",
            ),
            (
                "endpoints:\n  amqp: {url: 'amqp://h', cafile: ca.pem}\n",
                "2:9: endpoints.amqp: a cafile is for TLS, and this URL has none",
            ),
            ("endpoints: {mqtt: mqtt://h, mqtt: mqtt://h}", "1:12: endpoints: mqtt stands twice"),
            (
                "endpoints: {mqtt: mqtt://h}\naccessKey: {id: a, secret: 123456}\n",
                "2:28: accessKey.secret: expected a secret in quotes, or {variable: NAME} for one in the environment",
            ),
            (
                "endpoints: {mqtt: mqtt://h}\naccessKey: {id: a, secret: {variable: NONE}}\n",
                " the variable NONE of the environment, the secret of access key a, is not set",
            ),
        ] {
            let message = load(text).unwrap_err().to_string();
            assert_eq!(message, format!("in/target.yaml:{expected}"), "{text}");
            assert!(!message.contains("s3cr3t") && !message.contains("123456"), "{message}");
        }
    }
}
