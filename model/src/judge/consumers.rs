//! Messages of devices that business servers get over AMQP.
//!
//! What comes there must have been published by a device, with what the device said beside it. It may come in any order, and
//! more than once (P-AMQ-11). That it comes at all is owed only where a case counts on full service: which messages a
//! consumer group gets is set in the console, where no trace shows it.

use super::Judge;
use super::cloud::CloudOffer;
use super::logs;
use crate::cloud::{LogLine, PlatformMessage};
use crate::device::Device;
use crate::packet::{Publish, PublishProperties, Qos, Utf8String};
use crate::profile::{Feature, Profile};
use crate::server::{Breach, ConnectionId, MessageKey, Millis, Rule, permission};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::{BTreeSet, VecDeque};

/// Who listens, and what there was to hear.
#[derive(Debug, Clone, Default, Hash)]
pub(super) struct Consumers {
    attached: BTreeSet<ConnectionId>,
    heard: VecDeque<Heard>,
    /// How many have been heard: they are numbered.
    count: u64,
}

/// A message that a device has published.
#[derive(Debug, Clone, Hash)]
struct Heard {
    number: u64,
    device: Device,
    message: MessageKey,
    topic: String,
    payload: Vec<u8>,
    qos: Qos,
    properties: PublishProperties,
    fate: Fate,
    /// What the platform called it when it last came: `messageId`, which is the same each time (P-AMQ-11).
    message_id: Option<String>,
    /// How often it was delivered.
    deliveries: u8,
    is_settled: bool,
    /// When the business server gave it back, if it has not come again since.
    released: Option<Millis>,
    /// The platform may keep it to itself.
    is_consumed: bool,
    /// Something is wrong with it, so it need not be served.
    offends: bool,
}

/// What the server has decided on a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Fate {
    Open,
    Taken,
    Refused,
}

/// More messages than that are forgotten, oldest first: they may still come, and are taken for right.
const REMEMBERED: usize = 4_096;
/// How often one message is delivered by a server of ours: what may come twice may come for ever.
const MOST_TIMES: u8 = 2;
/// So many of a device's latest messages are looked for in its log: the platform shows it page by page.
const LINES_OWED: usize = 4;
/// A message that was given back comes about a minute later (P-AMQ-9): in milliseconds, with room for what "about" means.
const COMES_AGAIN_WITHIN: Millis = 90_000;

impl Heard {
    /// Whether this is the message as it comes. Under which keys the properties of 5.0 come nobody has published, so that
    /// they come at all (P-AMQ-7) can be asked only of a server with the reference broker's.
    fn is_it(&self, profile: &Profile, seen: &PlatformMessage) -> bool {
        let is_whole = !profile.promises(Feature::FullService) || self.is_whole(seen);
        is_whole && self.is_like(seen)
    }

    /// Whether nothing of what the device said beside its message is missing.
    fn is_whole(&self, seen: &PlatformMessage) -> bool {
        let PublishProperties { response_topic, correlation_data, user_properties, .. } = &self.properties;
        let shown = seen.user_properties.as_deref().unwrap_or_default();
        let shows = |(name, value): &(Utf8String, Utf8String)| shown.contains(&**name) && shown.contains(&**value);
        response_topic.is_some() == seen.response_topic.is_some()
            && correlation_data.is_some() == seen.correlation_data.is_some()
            && (self.offends || user_properties.iter().all(shows))
    }

    fn is_like(&self, seen: &PlatformMessage) -> bool {
        let wanted = &self.properties;
        let data = seen.correlation_data.as_ref().map(|data| STANDARD.decode(data).ok());
        let has_right_data = data.is_none_or(|data| data.is_some() && data == wanted.correlation_data);
        let topic = wanted.response_topic.as_ref().map(ToString::to_string);
        self.topic == seen.topic
            && self.fate != Fate::Refused
            && self.payload == seen.payload
            && has_right_data
            && (seen.response_topic.is_none() || seen.response_topic == topic)
    }

    fn is_owed(&self, profile: &Profile, at: Millis) -> bool {
        let arrives = self.qos > Qos::AtMostOnce || profile.promises(Feature::Qos0Arrives);
        let is_missing = match self.released {
            Some(released) => at >= released + COMES_AGAIN_WITHIN,
            None => self.deliveries == 0 && self.fate == Fate::Taken && arrives,
        };
        profile.promises(Feature::FullService) && is_missing && !self.is_consumed && !self.offends
    }

    fn worded(&self) -> PlatformMessage {
        let PublishProperties { response_topic, correlation_data, user_properties, .. } = &self.properties;
        let pairs: Vec<String> = user_properties.iter().map(|(name, value)| format!("{name}={value}")).collect();
        PlatformMessage {
            topic: self.topic.clone(),
            message_id: self.number.to_string(),
            generate_time: None,
            qos: Some(self.qos.value()),
            response_topic: response_topic.as_ref().map(ToString::to_string),
            correlation_data: correlation_data.as_ref().map(|data| STANDARD.encode(data)),
            user_properties: (!pairs.is_empty()).then(|| pairs.join(", ")),
            payload: self.payload.clone(),
        }
    }
}

impl Judge {
    /// A device has sent a message, which the platform may pass on.
    pub(super) fn device_is_heard(
        &mut self,
        connection: ConnectionId,
        message: MessageKey,
        publish: &Publish,
        topic: &str,
        offends: bool,
    ) {
        let Some((device, _)) = self.devices.on(connection) else { return };
        let device = device.clone();
        let consumers = &mut self.consumers;
        consumers.count += 1;
        if consumers.heard.len() >= REMEMBERED {
            consumers.heard.pop_front();
        }
        consumers.heard.push_back(Heard {
            number: consumers.count,
            device,
            message,
            topic: topic.to_owned(),
            payload: publish.payload.clone(),
            qos: publish.qos(),
            properties: publish.properties.clone(),
            fate: Fate::Open,
            message_id: None,
            deliveries: 0,
            is_settled: false,
            released: None,
            is_consumed: permission::is_consumed(&self.profile, topic),
            offends,
        });
    }

    /// The server has decided on messages.
    pub(super) fn consumers_learn(&mut self, taken: &[MessageKey], refused: &[MessageKey]) {
        for heard in &mut self.consumers.heard {
            if taken.contains(&heard.message) {
                heard.fate = Fate::Taken;
            } else if refused.contains(&heard.message) {
                heard.fate = Fate::Refused;
            }
        }
    }

    /// The lines that the log of a device holds by now: those of its latest messages that were certainly taken.
    pub(super) fn lines_owed(&self, device: &Device) -> Vec<LogLine> {
        if !self.profile.promises(Feature::FullService) {
            return Vec::new();
        }
        let kept = self.cloud.logs.of(device);
        let is_taken = |heard: &&Heard| {
            heard.device == *device && heard.fate == Fate::Taken && !heard.offends && heard.qos > Qos::AtMostOnce
        };
        let latest = self.consumers.heard.iter().rev().filter(is_taken).take(LINES_OWED);
        let lines = latest.map(|heard| logs::uplink_line(&heard.topic, heard.qos, &heard.properties));
        lines.filter(|line| kept.contains(line)).collect()
    }

    /// A business server listens from now on.
    pub(super) fn consumer_attaches(&mut self, connection: ConnectionId) {
        self.consumers.attached.insert(connection);
    }

    /// It does not any more.
    pub(super) fn consumer_leaves(&mut self, connection: ConnectionId) {
        self.consumers.attached.remove(&connection);
    }

    /// A message comes to a business server.
    pub(super) fn consumer_is_sent(&mut self, at: Millis, connection: ConnectionId, seen: &PlatformMessage) {
        let profile = &self.profile;
        let fitting = self.consumers.heard.iter_mut().filter(|heard| heard.is_it(profile, seen));
        // Of two that are alike the one comes that its number and its QoS tell, else the one that had to be served.
        let known = fitting.min_by_key(|heard| {
            let is_another = heard.message_id.as_deref() != Some(&seen.message_id);
            let differs = seen.qos.is_some_and(|qos| qos != heard.qos.value());
            (is_another, differs, heard.deliveries, heard.offends)
        });
        match known {
            Some(heard) => {
                heard.deliveries = heard.deliveries.saturating_add(1);
                heard.released = None;
                heard.message_id = Some(seen.message_id.clone());
            }
            None if self.consumers.count > REMEMBERED as u64 => {}
            None => {
                let breach = Breach::of(Rule::AmqpMessageIsTheDevices, "a message that a device has published");
                self.report_of_cloud(at, connection, &breach, seen.to_string());
            }
        }
    }

    /// A business server has said what became of a message.
    pub(super) fn consumer_settles(&mut self, at: Millis, message_id: &str, is_accepted: bool) {
        let is_it = |heard: &&mut Heard| heard.message_id.as_deref() == Some(message_id);
        if let Some(heard) = self.consumers.heard.iter_mut().find(is_it) {
            heard.is_settled |= is_accepted;
            heard.released = (!is_accepted).then_some(at);
        }
    }

    /// What is missing if nothing more comes.
    pub(super) fn owed_to_consumers(&self, at: Millis) -> Option<(ConnectionId, Breach)> {
        let connection = self.consumers.attached.first()?;
        let missing = self.consumers.heard.iter().find(|heard| heard.is_owed(&self.profile, at))?;
        let expected = format!("the message on {}", missing.topic);
        Some((*connection, Breach::of(Rule::AmqpMessageArrives, expected)))
    }

    /// When what was given back must have come again.
    pub(super) fn turns_of_consumers(&self) -> impl Iterator<Item = Millis> {
        self.consumers.heard.iter().filter_map(|heard| Some(heard.released? + COMES_AGAIN_WITHIN))
    }

    /// What a server could send to business servers now.
    pub(super) fn consumer_offers(&self) -> impl Iterator<Item = CloudOffer> {
        let may_come = |heard: &&Heard| {
            let is_left = heard.fate != Fate::Refused && !heard.is_settled && heard.deliveries < MOST_TIMES;
            is_left && !heard.is_consumed
        };
        let messages = self.consumers.heard.iter().filter(may_come);
        // To the first that listens: which one it is makes no difference to any of them.
        let to = self.consumers.attached.first().copied();
        messages.filter_map(move |heard| Some(CloudOffer::Message(to?, Box::new(heard.worded()))))
    }
}
