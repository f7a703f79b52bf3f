//! What the business server asks for, and what follows from it at once.

use super::call::OpenCall;
use super::{Deed, Exchange, Pushed, Refused};
use crate::cloud::{Command, MessageContent, Refusal, Request, custom_topic};
use crate::device::Device;
use crate::judge::Judge;
use crate::judge::track::Sending;
use crate::packet::{Delivery, PacketId, ProtocolVersion, Publish, PublishProperties, Qos};
use crate::profile::{Feature, Offence};
use crate::server::rrpc::{Call, CallTerms, CallTopic, MessageId, Presence, Reach};
use crate::server::vocabulary::Content;
use crate::server::{ConnectionId, ContentKey, Context, Input, MessageKey, Millis};
use std::collections::BTreeSet;

/// Numbers that a server could give: no trace has so small ones.
const FIRST_NUMBER: u64 = 1_001;

impl Judge {
    /// The business server asks for something.
    pub(in crate::judge) fn cloud_asks(
        &mut self,
        at: Millis,
        connection: ConnectionId,
        request: &Request,
        in_order: bool,
    ) {
        let deed = match (in_order, Command::read(request)) {
            (false, _) => {
                let refusal = Refused { code: "SignatureDoesNotMatch".to_owned(), message: String::new() };
                Deed::Refused { refusal, is_named: false }
            }
            (true, Err(fault)) => {
                let Refusal { code, message } = fault.refusal();
                Deed::Refused { refusal: Refused { code, message }, is_named: !fault.is_at_the_door() }
            }
            (true, Ok(command)) if self.is_of_no_product(&command) => {
                let code = "iot.prod.NotExistedProduct".to_owned();
                Deed::Refused { refusal: Refused { code, message: String::new() }, is_named: true }
            }
            (true, Ok(command)) => self.cloud_does(at, connection, command),
        };
        self.cloud.exchanges.insert(connection, Exchange { deed, is_answered: false });
    }

    /// Whether a command is for a product that the platform, as far as we know its products, does not have (P-API-9).
    fn is_of_no_product(&self, command: &Command) -> bool {
        let product_key = match command {
            Command::Publish { product_key, .. } | Command::Broadcast { product_key, .. } => product_key,
            Command::Call { device, .. } => device.product_key(),
            _ => return false,
        };
        self.profile.registry().is_some_and(|registry| registry.product(product_key).is_none())
    }

    fn cloud_does(&mut self, at: Millis, connection: ConnectionId, command: Command) -> Deed {
        match command {
            Command::Publish { topic, content, .. } => {
                let messages = vec![self.cloud_publishes(at, connection, topic.to_string(), &content)];
                self.cloud.logs.downlink(&topic, content.qos);
                Deed::Publishing { messages, may_be_too_many: self.cloud.is_too_much_downlink(at, &topic) }
            }
            Command::PublishToMany { devices, suffix, content } => {
                let topics = devices.iter().map(|device| custom_topic(device, &suffix));
                let messages = topics.map(|topic| self.cloud_publishes(at, connection, topic, &content)).collect();
                Deed::Publishing { messages, may_be_too_many: false }
            }
            Command::Broadcast { topic: Some(topic), payload, .. } => {
                let content = MessageContent { payload, ..MessageContent::default() };
                let messages = vec![self.cloud_publishes(at, connection, topic.to_string(), &content)];
                // P-API-7: one a second.
                Deed::Publishing { messages, may_be_too_many: true }
            }
            Command::Broadcast { product_key, topic: None, payload } => {
                let number = self.next_number();
                let there = self.cloud.devices.iter().filter(|(device, _)| device.product_key() == product_key);
                let there: Vec<(Device, ConnectionId)> =
                    there.filter_map(|(device, known)| Some((device.clone(), known.connection?))).collect();
                let to = there.into_iter().map(|(device, connection)| {
                    let (product_key, name) = (device.product_key(), device.name());
                    let topic = format!("/sys/{product_key}/{name}/broadcast/request/{number}");
                    (connection, Pushed { contents: self.pushed_contents(topic, &payload), has_come: false })
                });
                Deed::Pushing { to: to.collect() }
            }
            Command::Call { device, topic, payload, timeout } => self.cloud_calls(at, device, topic, payload, timeout),
            Command::Disable(device) => {
                if let Some(connection) = self.cloud.devices.get(&device).and_then(|known| known.connection) {
                    self.client_is_disabled(at, connection);
                }
                Deed::Disabling(device)
            }
            Command::Enable(device) => Deed::Enabling(device),
            Command::QueryLog(device) => Deed::Reading { owed: self.lines_owed(&device), device },
        }
    }

    /// A message of the cloud is on its way to every session. Nobody says anything of the order of several.
    fn cloud_publishes(
        &mut self,
        at: Millis,
        connection: ConnectionId,
        topic: String,
        content: &MessageContent,
    ) -> MessageKey {
        // An alias is read as the topic that it stands for: whether there is one is the server's choice.
        let MessageContent { payload, qos, retain, properties, topic_alias: _ } = content;
        let sender = self.sender(format!("\0cloud {connection} {topic}"));
        let delivery = match qos {
            Qos::AtMostOnce => Delivery::AtMostOnce,
            _ => Delivery::AtLeastOnce { packet_id: PacketId::FIRST, dup: false },
        };
        let size = payload.len();
        let publish = Publish {
            delivery,
            retain: *retain && self.profile.has(Feature::RetainedMessages),
            topic: crate::packet::Utf8String::default(),
            properties: properties.clone(),
            payload: payload.clone(),
        };
        let message = self.message_of(at, connection, sender, &publish, topic, size, publish.retain);
        self.float(message, Sending::First, false);
        if publish.retain {
            self.retain(message, payload.is_empty(), false);
        }
        message
    }

    fn cloud_calls(
        &mut self,
        at: Millis,
        device: Device,
        topic: Option<String>,
        payload: Vec<u8>,
        timeout: u16,
    ) -> Deed {
        let topic = topic.map_or(CallTopic::System, CallTopic::Custom);
        let known = self.cloud.devices.get(&device).cloned().unwrap_or_default();
        let presence = match known.connection {
            Some(_) => Presence::Connected,
            None if known.is_open || at < known.half_until => Presence::Half { until: known.half_until },
            None => Presence::Offline,
        };
        let proposed = self.next_number();
        let mut terms = CallTerms { message_id: proposed, device, topic, timeout: timeout.into(), reach: Reach::Open };
        let request_topic = terms.request_topic();
        let is_subscribed = known.connection.is_some_and(|connection| self.is_subscribed(connection, &request_topic));
        let contents = self.pushed_contents(request_topic, &payload);
        let fits = known.connection.is_none_or(|connection| self.fits(connection, contents));
        let reach = Reach::of(&terms.topic, is_subscribed, known.extras);
        terms.reach = if fits { reach } else { Reach::Open };
        match Call::new(&self.profile, at, terms, presence) {
            Ok(call) => {
                let states = BTreeSet::from([call]);
                Deed::Calling(Box::new(OpenCall { states, payload, number: None, proposed, contents }))
            }
            // The command has been read with its timeout in range; a dialect may have another one.
            Err(error) => {
                let refusal = Refused { code: String::new(), message: error.to_string() };
                Deed::Refused { refusal, is_named: false }
            }
        }
    }

    /// Whether the client on this connection has certainly subscribed to a topic.
    fn is_subscribed(&mut self, connection: ConnectionId, topic: &str) -> bool {
        let topic = self.vocabulary.topic(topic);
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        let track = self.readings.get(&connection).and_then(|reading| reading.sender).and_then(|s| self.tracks.get(&s));
        track.is_some_and(|track| track.is_certainly_subscribed(&context, topic))
    }

    fn client_is_disabled(&mut self, at: Millis, connection: ConnectionId) {
        if let Some(sender) = self.readings.get(&connection).and_then(|reading| reading.sender) {
            self.push(at, connection, sender, Input::Offence(Offence::DeviceDisabled));
        }
    }

    fn next_number(&self) -> MessageId {
        MessageId(FIRST_NUMBER + self.cloud.exchanges.len() as u64)
    }

    /// The content of what is pushed, as it looks in 3.x and in 5.0.
    fn pushed_contents(&mut self, topic: String, payload: &[u8]) -> [ContentKey; 2] {
        let content = Content { topic, payload: payload.to_vec(), properties: PublishProperties::default() };
        [ProtocolVersion::V3_1_1, ProtocolVersion::V5_0].map(|version| {
            let seen = content.clone().seen_by(version);
            self.vocabulary.content(seen)
        })
    }
}
