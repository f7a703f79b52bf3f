//! What a request means.

use super::parameter::{check_device, content, device, needed, payload, read_topic, topic};
use super::request::Request;
use super::request_fault::RequestFault;
use crate::device::Device;
use crate::packet::{PublishProperties, Qos, Utf8String};
use std::num::NonZeroU16;

/// What the API is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `Pub`: a message to a topic.
    Publish {
        /// Of which product the topic is.
        product_key: String,
        /// Where.
        topic: Utf8String,
        /// What.
        content: MessageContent,
    },
    /// `BatchPub`: one message to several devices of a product.
    PublishToMany {
        /// To whom.
        devices: Vec<Device>,
        /// Where, behind `/{productKey}/{deviceName}/user/`.
        suffix: String,
        /// What.
        content: MessageContent,
    },
    /// `PubBroadcast`.
    Broadcast {
        /// To the devices of which product.
        product_key: String,
        /// To those that have subscribed to this topic; without one, to all that are online.
        topic: Option<Utf8String>,
        /// What.
        payload: Vec<u8>,
    },
    /// `RRpc`: a call that waits for the device's answer.
    Call {
        /// Whom.
        device: Device,
        /// Where, without what is put before it; none for the system topics of calls.
        topic: Option<String>,
        /// What.
        payload: Vec<u8>,
        /// How long the caller waits, in milliseconds.
        timeout: u16,
    },
    /// `DisableThing`.
    Disable(Device),
    /// `EnableThing`.
    Enable(Device),
    /// `QueryDeviceLog`: the lines of the device log that are about a device. The vendor's own access to the log is another
    /// service's; this is the reference broker's.
    QueryLog(Device),
}

/// A message as the cloud publishes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageContent {
    /// Its bytes.
    pub payload: Vec<u8>,
    /// 0 or 1 (P-QOS-7).
    pub qos: Qos,
    /// Whether it is to be retained.
    pub retain: bool,
    /// What it brings to subscribers of 5.0 (P-API-1).
    pub properties: PublishProperties,
    /// The Topic Alias to use towards those that take it.
    pub topic_alias: Option<NonZeroU16>,
}

/// Devices of one BatchPub (P-API-6).
const DEVICES_AT_ONCE: usize = 100;

/// Bytes of one message (P-API-6, P-LIM-8) and of a broadcast (P-API-7).
const LARGEST_MESSAGE: usize = 256 * 1024;

const LARGEST_BROADCAST: usize = 64 * 1024;

/// Milliseconds of a call (P-RPC-9).
const TIMEOUTS: std::ops::RangeInclusive<u16> = 1_000..=8_000;

impl Command {
    /// Reads a request.
    ///
    /// # Errors
    /// When it is not right: the first thing that is wrong.
    pub fn read(request: &Request) -> Result<Command, RequestFault> {
        match request.action.as_str() {
            "Pub" => {
                let product_key = needed(request, "ProductKey")?;
                let topic = topic(request, "TopicFullName")?;
                let content = content(request, LARGEST_MESSAGE)?;
                check_publishable(&topic, &product_key)?;
                Ok(Command::Publish { product_key, topic, content })
            }
            "BatchPub" => {
                let product_key = needed(request, "ProductKey")?;
                let suffix = needed(request, "TopicShortName")?;
                let names = request.list("DeviceName");
                let devices: Vec<Device> = names.iter().map(|name| Device::new(&product_key, *name)).collect();
                if devices.is_empty() {
                    return Err(RequestFault::Missing("DeviceName.1"));
                }
                if devices.len() > DEVICES_AT_ONCE {
                    return Err(RequestFault::TooManyDevices(DEVICES_AT_ONCE));
                }
                let content = content(request, LARGEST_MESSAGE)?;
                for device in &devices {
                    check_device(device)?;
                    read_topic(&custom_topic(device, &suffix))?;
                }
                Ok(Command::PublishToMany { devices, suffix, content })
            }
            "PubBroadcast" => {
                let product_key = needed(request, "ProductKey")?;
                let payload = payload(request, "MessageContent", LARGEST_BROADCAST)?;
                let topic = request.parameter("TopicFullName").map(read_topic).transpose()?;
                let prefix = format!("/broadcast/{product_key}/");
                if topic.as_ref().is_some_and(|topic| !topic.starts_with(&prefix) || topic.len() == prefix.len()) {
                    return Err(RequestFault::InvalidTopicName);
                }
                Ok(Command::Broadcast { product_key, topic, payload })
            }
            "RRpc" => {
                let device = device(request)?;
                let payload = payload(request, "RequestBase64Byte", LARGEST_MESSAGE)?;
                let timeout = needed(request, "Timeout")?;
                let timeout = timeout.parse().ok().filter(|timeout| TIMEOUTS.contains(timeout));
                let timeout = timeout.ok_or(RequestFault::InvalidTimeout)?;
                let topic = request.parameter("Topic").map(read_topic).transpose()?;
                Ok(Command::Call { device, topic: topic.map(|topic| topic.to_string()), payload, timeout })
            }
            "DisableThing" => device(request).map(Command::Disable),
            "EnableThing" => device(request).map(Command::Enable),
            "QueryDeviceLog" => device(request).map(Command::QueryLog),
            other => Err(RequestFault::UnknownAction(other.to_owned())),
        }
    }
}

/// P-API-3, P-API-4: topics of the product's devices, and its broadcast topics; what has operations of its own is none of them.
fn check_publishable(topic: &str, product_key: &str) -> Result<(), RequestFault> {
    let mut levels = topic.split('/').skip(1);
    let first = levels.next().unwrap_or_default();
    let owner = match first {
        "sys" | "broadcast" => levels.next().unwrap_or_default(),
        _ => first,
    };
    if owner != product_key {
        return Err(RequestFault::InvalidTopicName);
    }
    match (first, topic.contains("/thing/service/")) {
        ("sys", true) => Err(RequestFault::TopicNotFound),
        _ => Ok(()),
    }
}

/// The topic of a device behind `user/` (P-TOP-1).
#[must_use]
pub fn custom_topic(device: &Device, suffix: &str) -> String {
    format!("/{}/{}/user/{suffix}", device.product_key(), device.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    fn pub_() -> Request {
        Request::new("Pub")
            .with("ProductKey", "pk")
            .with("TopicFullName", "/pk/lamp/user/get")
            .with("MessageContent", "aGk=")
    }

    fn rrpc() -> Request {
        let request = Request::new("RRpc").with("ProductKey", "pk").with("DeviceName", "lamp");
        request.with("RequestBase64Byte", "aGk=").with("Timeout", "1000")
    }

    #[test]
    fn right_requests_mean_what_they_say() {
        let request = pub_()
            .with("Qos", "1")
            .with("CorrelationData", "AP8=")
            .with("ResponseTopic", "/pk/lamp/user/update")
            .with("UserProp.1.Key", "k")
            .with("UserProp.1.Value", "v");
        let Ok(Command::Publish { content, topic, .. }) = Command::read(&request) else { panic!("it is right") };
        assert_eq!(
            (topic.as_str(), content.payload, content.qos),
            ("/pk/lamp/user/get", b"hi".to_vec(), Qos::AtLeastOnce)
        );
        assert_eq!(content.properties.correlation_data, Some(vec![0, 255]));
        assert_eq!(content.properties.user_properties.len(), 1);
        for (timeout, is_right) in [
            ("1000", true),
            ("8000", true),
            ("999", false),
            ("8001", false),
            ("99999", false),
            ("x", false),
            ("", false),
        ] {
            let read = Command::read(&rrpc().with("Timeout", timeout));
            assert_eq!(read.err(), (!is_right).then_some(RequestFault::InvalidTimeout), "{timeout}");
        }
        let batch = Request::new("BatchPub")
            .with("ProductKey", "pk")
            .with("TopicShortName", "get")
            .with("MessageContent", "aGk=");
        assert_eq!(Command::read(&batch).unwrap_err().code(), "MissingDeviceName");
        let many = (1..=101).fold(batch.clone(), |batch, n| batch.with(format!("DeviceName.{n}"), format!("d{n}")));
        assert_eq!(Command::read(&many), Err(RequestFault::TooManyDevices(100)));
        assert!(Command::read(&batch.with("DeviceName.1", "lamp")).is_ok());
    }

    #[test]
    fn wrong_requests_are_refused_by_name() {
        let without = |request: Request, name: &str| {
            let mut request = request;
            request.parameters.remove(name);
            request
        };
        let broadcast = Request::new("PubBroadcast").with("ProductKey", "pk").with("MessageContent", "aGk=");
        for (request, code) in [
            (Request::new("Publish"), "InvalidAction.NotFound"),
            (without(pub_(), "ProductKey"), "MissingProductKey"),
            (without(pub_(), "TopicFullName"), "MissingTopicFullName"),
            (without(pub_(), "MessageContent"), "MissingMessageContent"),
            (pub_().with("MessageContent", ""), "iot.messagebroker.NullMessageContent"),
            (pub_().with("MessageContent", "%%"), "iot.messagebroker.MessageContentIsNotBase64Encode"),
            (pub_().with("TopicFullName", ""), "iot.messagebroker.NullTopicName"),
            (pub_().with("TopicFullName", "pk/lamp/user/get"), "iot.messagebroker.InvalidFormattedTopicName"),
            (pub_().with("TopicFullName", "/pk/lamp/user/+"), "iot.messagebroker.InvalidFormattedTopicName"),
            (pub_().with("TopicFullName", "/other/lamp/user/get"), "iot.messagebroker.InvalidFormattedTopicName"),
            (
                pub_().with("TopicFullName", format!("/pk/{}", "x".repeat(128))),
                "iot.messagebroker.InvalidFormattedTopicName",
            ),
            (
                pub_().with("TopicFullName", "/sys/pk/lamp/thing/service/property/set"),
                "iot.messagebroker.TopicTemplateIsNotFound",
            ),
            (pub_().with("Qos", "2"), "InvalidParameter.Qos"),
            (pub_().with("UserProp.1.Key", "k"), "InvalidParameter.UserProp"),
            (
                pub_().with("MessageContent", STANDARD.encode(vec![0; 262_145])),
                "iot.messagebroker.PublishMessageFailed",
            ),
            (rrpc().with("DeviceName", "a/b"), "InvalidParameter.DeviceName"),
            (without(rrpc(), "Timeout"), "MissingTimeout"),
            (
                broadcast.clone().with("TopicFullName", "/broadcast/other/x"),
                "iot.messagebroker.InvalidFormattedTopicName",
            ),
            (broadcast.with("TopicFullName", "/broadcast/pk/"), "iot.messagebroker.InvalidFormattedTopicName"),
        ] {
            assert_eq!(Command::read(&request).unwrap_err().code(), code, "{request}");
        }
    }
}
