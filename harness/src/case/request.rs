//! Requests of the business server to the platform's API, as a script writes them.

use super::data::Data;
use super::nullable::Nullable;
use super::property::Properties;
use super::roster::STRANGERS;
use super::scope::Scope;
use super::step_fields::OneOrMany;
use super::template::BuildError;
use super::value::{Text, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::cloud::Request;
use model::packet::{PublishProperties, Qos};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// What the API can be asked for, as steps write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    Pub,
    BatchPub,
    PubBroadcast,
    RRpc,
    DisableThing,
    EnableThing,
    QueryDeviceLog,
}

impl Asking {
    pub(super) const ALL: [Asking; 7] = [
        Asking::Pub,
        Asking::BatchPub,
        Asking::PubBroadcast,
        Asking::RRpc,
        Asking::DisableThing,
        Asking::EnableThing,
        Asking::QueryDeviceLog,
    ];

    /// The action's name in the API.
    pub(super) fn word(self) -> &'static str {
        match self {
            Asking::Pub => "Pub",
            Asking::BatchPub => "BatchPub",
            Asking::PubBroadcast => "PubBroadcast",
            Asking::RRpc => "RRpc",
            Asking::DisableThing => "DisableThing",
            Asking::EnableThing => "EnableThing",
            Asking::QueryDeviceLog => "QueryDeviceLog",
        }
    }
}

/// The fields of a request. Each stands for a parameter of the API; what is left out is not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestFields {
    /// `ProductKey`.
    #[serde(default)]
    pub(super) product: Option<Text>,
    /// `DeviceName`, or a list of them.
    #[serde(default)]
    #[schemars(with = "Option<OneOrMany<Text>>")]
    pub(super) device: Option<OneOrMany<Text>>,
    /// `TopicFullName`; in RRpc `Topic`, in BatchPub `TopicShortName`.
    #[serde(default)]
    pub(super) topic: Option<Text>,
    /// `MessageContent` or `RequestBase64Byte`: it is sent in Base64.
    #[serde(default)]
    pub(super) payload: Option<Data>,
    /// `Qos`.
    #[serde(default)]
    pub(super) qos: Option<Value<Qos>>,
    /// `Timeout` in milliseconds.
    #[serde(default)]
    pub(super) timeout: Option<Value<u32>>,
    /// What subscribers of 5.0 get beside the payload: `ResponseTopic`, `CorrelationData`, `UserProp` and others.
    #[serde(default)]
    pub(super) properties: Properties<PublishProperties>,
    /// Parameters as they are, before the request is signed; `null` takes one away.
    #[serde(default)]
    pub(super) parameters: BTreeMap<String, Nullable<Text>>,
    /// Parameters that are changed when the request is signed already; `null` takes one away.
    #[serde(default)]
    pub(super) tampered: BTreeMap<String, Nullable<Text>>,
}

/// A request with variables in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestTemplate {
    asking: Asking,
    fields: RequestFields,
}

/// A request that is ready to be signed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prepared {
    /// The request.
    pub request: Request,
    /// What every request carries and this one shall not.
    pub without: Vec<String>,
    /// What is changed behind the signature; none for what is taken away.
    pub tampered: BTreeMap<String, Option<String>>,
}

impl Prepared {
    /// How long a call may take by itself.
    pub(crate) fn call_time(&self) -> Duration {
        let timeout = self.request.parameter("Timeout").and_then(|timeout| timeout.parse().ok());
        timeout.map_or(Duration::ZERO, |timeout: u16| Duration::from_millis(timeout.into()))
    }
}

impl RequestTemplate {
    pub(super) fn new(asking: Asking, fields: RequestFields) -> RequestTemplate {
        RequestTemplate { asking, fields }
    }

    /// The action that is asked for.
    #[must_use]
    pub fn action(&self) -> &'static str {
        self.asking.word()
    }

    /// The device that is no actor's and that it is about.
    pub(super) fn stranger(&self) -> Option<&str> {
        let devices = self.fields.device.iter().flat_map(|devices| &devices.0);
        self.fields.product.iter().chain(devices).flat_map(Text::names).find(|name| STRANGERS.contains(name))
    }

    /// The request with the values of its variables.
    ///
    /// # Errors
    /// When a variable has no value, or one that does not fit.
    pub fn build(&self, scope: &Scope) -> Result<Prepared, BuildError> {
        let fields = &self.fields;
        let mut request = Request::new(self.action());
        let mut add = |name: &str, value: String| request.parameters.insert(name.to_owned(), value);
        if let Some(product) = &fields.product {
            add("ProductKey", product.resolve(scope)?);
        }
        match fields.device.as_ref().map(|devices| devices.0.as_slice()) {
            None => {}
            Some([device]) if self.asking != Asking::BatchPub => drop(add("DeviceName", device.resolve(scope)?)),
            Some(devices) => {
                for (number, device) in (1..).zip(devices) {
                    add(&format!("DeviceName.{number}"), device.resolve(scope)?);
                }
            }
        }
        if let Some(topic) = &fields.topic {
            let name = match self.asking {
                Asking::RRpc => "Topic",
                Asking::BatchPub => "TopicShortName",
                _ => "TopicFullName",
            };
            add(name, topic.resolve(scope)?);
        }
        if let Some(payload) = &fields.payload {
            let name = if self.asking == Asking::RRpc { "RequestBase64Byte" } else { "MessageContent" };
            add(name, STANDARD.encode(payload.resolve(scope)?));
        }
        if let Some(qos) = &fields.qos {
            add("Qos", qos.resolve(scope)?.to_string());
        }
        if let Some(timeout) = &fields.timeout {
            add("Timeout", timeout.resolve(scope)?.to_string());
        }
        properties(fields.properties.resolve(scope)?, &mut add);
        let mut without = Vec::new();
        for (name, value) in &fields.parameters {
            match value.value() {
                Some(value) => drop(request.parameters.insert(name.clone(), value.resolve(scope)?)),
                None => {
                    request.parameters.remove(name);
                    without.push(name.clone());
                }
            }
        }
        let tampered = fields.tampered.iter().map(|(name, value)| {
            let value = value.value().map(|value| value.resolve(scope)).transpose();
            value.map(|value| (name.clone(), value))
        });
        Ok(Prepared { request, without, tampered: tampered.collect::<Result<_, _>>()? })
    }
}

fn properties(properties: PublishProperties, add: &mut impl FnMut(&str, String) -> Option<String>) {
    let PublishProperties {
        payload_format_indicator,
        message_expiry_interval,
        topic_alias,
        response_topic,
        correlation_data,
        user_properties,
        content_type,
        // What only a broker says.
        subscription_identifiers: _,
    } = properties;
    let texts = [
        ("PayloadFormatIndicator", payload_format_indicator.map(|indicator| u8::from(indicator).to_string())),
        ("MessageExpiryInterval", message_expiry_interval.map(|seconds| seconds.to_string())),
        ("TopicAlias", topic_alias.map(|alias| alias.to_string())),
        ("ResponseTopic", response_topic.map(|topic| topic.to_string())),
        ("CorrelationData", correlation_data.map(|data| STANDARD.encode(data))),
        ("ContentType", content_type.map(|content_type| content_type.to_string())),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            add(name, value);
        }
    }
    for (number, (key, value)) in (1..).zip(user_properties) {
        add(&format!("UserProp.{number}.Key"), key.to_string());
        add(&format!("UserProp.{number}.Value"), value.to_string());
    }
}
