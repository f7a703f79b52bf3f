//! What the platform's log may say of devices: no line is owed, but a server that is permitted gives out these.

use crate::cloud::LogLine;
use crate::device::Device;
use crate::packet::{Publish, PublishProperties, Qos, Utf8String};
use std::collections::BTreeMap;

/// How many lines of a device are remembered: nobody looks further back than its script.
const LINES: usize = 16;

/// The latest lines of each device, newest first.
#[derive(Debug, Clone, Default, Hash)]
pub(super) struct Logs(BTreeMap<Device, Vec<LogLine>>);

impl Logs {
    /// The lines of a device.
    pub(super) fn of(&self, device: &Device) -> Vec<LogLine> {
        self.0.get(device).cloned().unwrap_or_default()
    }

    /// A device publishes (P-LOG-2, P-LOG-6).
    pub(super) fn uplink(&mut self, device: &Device, topic: &str, publish: &Publish) {
        self.append(device, uplink_line(topic, publish.qos(), &publish.properties));
    }

    /// A device publishes where it may not (P-LOG-3).
    pub(super) fn uplink_refused(&mut self, device: &Device, topic: &str) {
        self.append(device, line("device-to-cloud", format!("No authorization, topic:{topic}"), "500"));
    }

    /// The cloud publishes to a topic of a device (P-LOG-4).
    pub(super) fn downlink(&mut self, topic: &str, qos: Qos) {
        let mut levels = topic.split('/').skip(1);
        if let (Some(product_key), Some(name)) = (levels.next(), levels.next()) {
            let content = format!("Publish message to device,QoS={qos}");
            self.append(&Device::new(product_key, name), line("cloud-to-device", content, "200"));
        }
    }

    /// A device is offline now, and why (P-LOG-5).
    pub(super) fn offline(&mut self, device: &Device, why: &str) {
        self.append(device, line("offline", why.to_owned(), "200"));
    }

    fn append(&mut self, device: &Device, line: LogLine) {
        let lines = self.0.entry(device.clone()).or_default();
        lines.truncate(LINES - 1);
        lines.insert(0, line);
    }
}

/// The line of a message that a device has published (P-LOG-2, P-LOG-6).
pub(super) fn uplink_line(topic: &str, qos: Qos, properties: &PublishProperties) -> LogLine {
    let pair = |(name, value): &(Utf8String, Utf8String)| (name.to_string(), value.to_string());
    let user_properties = properties.user_properties.iter().map(pair).collect();
    let content = format!("Device publish message to topic:{topic},QoS={qos}");
    LogLine { user_properties, ..line("device-to-cloud", content, "200") }
}

/// Whether a line as the platform words it holds this one: how it lays out User Properties is not published.
pub(super) fn is_held_by(owed: &LogLine, line: &LogLine) -> bool {
    let parts: Vec<&str> = line.user_properties.iter().flat_map(|(name, value)| [name.as_str(), value]).collect();
    let shows = |text: &String| parts.contains(&text.as_str()) || line.content.contains(text.as_str());
    let properties = owed.user_properties.iter().flat_map(|(name, value)| [name, value]);
    line.content.contains(&owed.content) && properties.into_iter().all(shows)
}

fn line(operation: &str, content: String, status: &str) -> LogLine {
    let (operation, status) = (operation.to_owned(), status.to_owned());
    LogLine { operation, content, status, message_id: None, user_properties: Vec::new() }
}
