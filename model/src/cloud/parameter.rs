//! The parameters of requests, each read or refused.

use super::command::MessageContent;
use super::request::Request;
use super::request_fault::RequestFault;
use crate::device::Device;
use crate::packet::{PublishProperties, Qos, Utf8String};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a topic may be (P-TOP-10).
const LONGEST_TOPIC: usize = 128;

pub(super) fn needed(request: &Request, name: &'static str) -> Result<String, RequestFault> {
    request.parameter(name).map(str::to_owned).ok_or(RequestFault::Missing(name))
}

pub(super) fn device(request: &Request) -> Result<Device, RequestFault> {
    let device = Device::new(needed(request, "ProductKey")?, needed(request, "DeviceName")?);
    check_device(&device)?;
    Ok(device)
}

pub(super) fn check_device(device: &Device) -> Result<(), RequestFault> {
    Device::check_name(device.product_key()).map_err(|_| RequestFault::InvalidParameter("ProductKey"))?;
    Device::check_name(device.name()).map_err(|_| RequestFault::InvalidParameter("DeviceName"))
}

pub(super) fn topic(request: &Request, name: &'static str) -> Result<Utf8String, RequestFault> {
    read_topic(&needed(request, name)?)
}

pub(super) fn read_topic(text: &str) -> Result<Utf8String, RequestFault> {
    if text.is_empty() {
        return Err(RequestFault::NullTopicName);
    }
    let is_right = text.starts_with('/') && text.len() <= LONGEST_TOPIC && !text.contains(['+', '#']);
    let read = Utf8String::new(text).ok().filter(|_| is_right);
    read.ok_or(RequestFault::InvalidTopicName)
}

pub(super) fn payload(request: &Request, name: &'static str, largest: usize) -> Result<Vec<u8>, RequestFault> {
    let text = needed(request, name)?;
    if text.is_empty() {
        return Err(RequestFault::NullMessageContent);
    }
    let payload = STANDARD.decode(text).map_err(|_| RequestFault::NotBase64(name))?;
    match payload.len() > largest {
        true => Err(RequestFault::TooLarge(largest)),
        false => Ok(payload),
    }
}

pub(super) fn content(request: &Request, largest: usize) -> Result<MessageContent, RequestFault> {
    let payload = payload(request, "MessageContent", largest)?;
    let qos = match request.parameter("Qos") {
        None | Some("0") => Qos::AtMostOnce,
        Some("1") => Qos::AtLeastOnce,
        Some(_) => return Err(RequestFault::InvalidParameter("Qos")),
    };
    let flag = |name: &'static str| match request.parameter(name) {
        None => Ok(None),
        Some("true" | "1") => Ok(Some(true)),
        Some("false" | "0") => Ok(Some(false)),
        Some(_) => Err(RequestFault::InvalidParameter(name)),
    };
    let topic_alias = request.parameter("TopicAlias").map(str::parse).transpose();
    Ok(MessageContent {
        payload,
        qos,
        retain: flag("Retained")?.unwrap_or(false),
        properties: properties(request)?,
        topic_alias: topic_alias.map_err(|_| RequestFault::InvalidParameter("TopicAlias"))?,
    })
}

fn properties(request: &Request) -> Result<PublishProperties, RequestFault> {
    let invalid = |name| move || RequestFault::InvalidParameter(name);
    let text = |name: &'static str| {
        let text = request.parameter(name).map(Utf8String::new);
        text.transpose().map_err(|_| RequestFault::InvalidParameter(name))
    };
    let indicator = match request.parameter("PayloadFormatIndicator") {
        None => None,
        Some("0") => Some(false),
        Some("1") => Some(true),
        Some(_) => return Err(RequestFault::InvalidParameter("PayloadFormatIndicator")),
    };
    let expiry = request.parameter("MessageExpiryInterval");
    let expiry = expiry.map(|text| text.parse().map_err(|_| RequestFault::InvalidParameter("MessageExpiryInterval")));
    let correlation = request.parameter("CorrelationData").map(|text| STANDARD.decode(text));
    let correlation = correlation.transpose().map_err(|_| RequestFault::NotBase64("CorrelationData"))?;
    let mut user_properties = Vec::new();
    for number in 1.. {
        let part = |part: &str| request.parameter(&format!("UserProp.{number}.{part}"));
        let (key, value) = match (part("Key"), part("Value")) {
            (None, None) => break,
            (Some(key), Some(value)) => (key, value),
            _ => return Err(RequestFault::InvalidParameter("UserProp")),
        };
        let text = |text: &str| Utf8String::new(text).map_err(|_| RequestFault::InvalidParameter("UserProp"));
        user_properties.push((text(key)?, text(value)?));
    }
    let response_topic = text("ResponseTopic")?;
    if response_topic.as_ref().is_some_and(|topic| topic.is_empty() || topic.contains(['+', '#'])) {
        return Err(invalid("ResponseTopic")());
    }
    Ok(PublishProperties {
        payload_format_indicator: indicator,
        message_expiry_interval: expiry.transpose()?,
        content_type: text("ContentType")?,
        response_topic,
        correlation_data: correlation,
        user_properties,
        ..PublishProperties::default()
    })
}
