//! What the cloud side asked and was told, beside what its devices did.
//!
//! ```text
//!   api ── Asked ──►  message on its way to all sessions ─── Answered: success ──► due ── refused ──► never was
//!                     call ── request on the device's connection ── its PUBLISH ── Answered: how it ended
//! ```
//!
//! Each request has a connection of its own. Connections have no common order: what was asked may be done as soon as it was
//! asked, whenever the answer comes. A call is followed by [`Call`], with every state that explains what was seen. Its
//! number shows when the request comes to the device, or with the answer.

use super::Judge;
use super::logs::Logs;
use super::track::Decided;
use super::track::Sending;
use crate::cloud::{Answer, Command, MessageContent, PlatformMessage, Refusal, Request, RrpcCode, custom_topic};
use crate::device::{Device, Extras};
use crate::packet::{Delivery, PacketId, ProtocolVersion, Publish, PublishProperties, Qos};
use crate::profile::{Feature, Offence, Profile};
use crate::server::rate::Rate;
use crate::server::rrpc::{self, Call, CallTerms, CallTopic, MessageId, Outcome, Presence, Reach};
use crate::server::vocabulary::{Content, SenderKey};
use crate::server::{Breach, ConnectionId, ContentKey, Context, Input, MessageKey, Millis, Rule};
use std::collections::{BTreeMap, BTreeSet};

/// All that concerns the cloud side.
#[derive(Debug, Clone, Default, Hash)]
pub(super) struct Cloud {
    exchanges: BTreeMap<ConnectionId, Exchange>,
    devices: BTreeMap<Device, Whereabouts>,
    pub(super) logs: Logs,
    /// How many messages each device was sent by the cloud lately.
    downlink: BTreeMap<Device, Rate>,
    pub(super) disabled: BTreeSet<Device>,
}

/// A request and its answer.
#[derive(Debug, Clone, Hash)]
struct Exchange {
    deed: Deed,
    is_answered: bool,
}

/// What was asked.
#[derive(Debug, Clone, Hash)]
enum Deed {
    /// Something that must be refused, with this code if a row names it.
    Refused {
        refusal: Refused,
        is_named: bool,
    },
    /// Messages to topics.
    Publishing {
        messages: Vec<MessageKey>,
        may_be_too_many: bool,
    },
    /// A message to every device of a product that is online.
    Pushing {
        to: BTreeMap<ConnectionId, Pushed>,
    },
    Calling(Box<OpenCall>),
    Disabling(Device),
    Enabling(Device),
    /// The log of a device.
    Reading(Device),
}

/// A refusal as a right server words it.
#[derive(Debug, Clone, Hash)]
struct Refused {
    code: String,
    message: String,
}

/// What is still to come to one device.
#[derive(Debug, Clone, Hash)]
struct Pushed {
    contents: [ContentKey; 2],
    has_come: bool,
}

/// A call that may be under way.
#[derive(Debug, Clone, Hash)]
struct OpenCall {
    /// What explains it.
    states: BTreeSet<Call>,
    payload: Vec<u8>,
    /// Its number, once it has shown.
    number: Option<MessageId>,
    /// The number that a server could give it, and the request with it in 3.x and 5.0.
    proposed: MessageId,
    contents: [ContentKey; 2],
}

/// Where a device is, as far as it shows.
#[derive(Debug, Clone, Default, Hash)]
struct Whereabouts {
    connection: Option<ConnectionId>,
    extras: Extras,
    /// Until when a server need not be sure that it is gone.
    half_until: Millis,
    /// Nobody can say whether the server takes it for connected: it has asked, or said goodbye, and got no answer yet.
    is_open: bool,
}

/// How a device parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Departure {
    /// Its end of the connection is gone, without a word.
    Lost,
    /// It has said DISCONNECT.
    Left,
    /// The server has ended the connection.
    Ended,
}

/// Something that a server could do for the cloud side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloudOffer {
    /// An answer, on the connection of its request.
    Answer(ConnectionId, Box<Answer>),
    /// A PUBLISH at QoS 0 on the connection of a device.
    Push(ConnectionId, ContentKey),
    /// A message of a device to a business server that listens on this connection.
    Message(ConnectionId, Box<PlatformMessage>),
}

/// How many messages the cloud may publish to the topics of one device within a second (P-LIM-3).
const DOWNLINK_PER_SECOND: u16 = 50;
/// Numbers that a server could give: no trace has so small ones.
const FIRST_NUMBER: u64 = 1_001;

impl Cloud {
    /// Whether a device is connected, as far as anybody can tell.
    pub(super) fn is_online(&self, device: &Device) -> bool {
        self.devices.get(device).is_some_and(|known| known.connection.is_some())
    }

    /// Counts a message to a topic of a device. Whether it is one too many (P-LIM-3).
    fn is_too_much_downlink(&mut self, at: Millis, topic: &str) -> bool {
        let mut levels = topic.split('/').skip(1);
        let (Some(product_key), Some(name)) = (levels.next(), levels.next()) else { return false };
        let rate = self.downlink.entry(Device::new(product_key, name)).or_default();
        rate.exceeds(at, DOWNLINK_PER_SECOND, 1000)
    }

    /// Messages that are not decided.
    pub(super) fn messages(&self) -> impl Iterator<Item = MessageKey> {
        self.exchanges.values().flat_map(|exchange| match &exchange.deed {
            Deed::Publishing { messages, .. } => messages.clone(),
            _ => Vec::new(),
        })
    }

    fn calls_of(&mut self, device: &Device) -> impl Iterator<Item = &mut OpenCall> {
        self.exchanges.values_mut().filter_map(move |exchange| match &mut exchange.deed {
            Deed::Calling(call) if call.device() == Some(device) => Some(&mut **call),
            _ => None,
        })
    }
}

impl OpenCall {
    fn terms(&self) -> Option<&CallTerms> {
        self.states.first().map(Call::terms)
    }

    fn device(&self) -> Option<&Device> {
        self.terms().map(|terms| &terms.device)
    }

    /// The states that follow when all of them take an input.
    fn hear(&mut self, profile: &Profile, now: Millis, input: &rrpc::Input) {
        self.states = self.states.iter().flat_map(|call| call.input(profile, now, input)).collect();
    }

    /// The states that allow an output; the first objection if there is none.
    fn accept(&mut self, now: Millis, output: &rrpc::Output) -> Result<(), Breach> {
        let mut objection = None;
        let mut next = BTreeSet::new();
        for call in &self.states {
            match call.accept(now, output) {
                Ok(call) => drop(next.insert(call)),
                Err(breach) => drop(objection.get_or_insert(breach)),
            }
        }
        match objection {
            Some(breach) if next.is_empty() => Err(breach),
            _ => {
                self.states = next;
                Ok(())
            }
        }
    }

    fn is_numbered(&mut self, number: MessageId) {
        self.number = Some(number);
        self.states = self.states.iter().map(|call| call.clone().numbered(number)).collect();
    }

    /// Whether nobody could tell the two apart but by their numbers.
    fn is_like(&self, other: &OpenCall) -> bool {
        let key =
            |call: &OpenCall| call.terms().map(|terms| (terms.device.clone(), terms.topic.clone(), terms.timeout));
        self.payload == other.payload && key(self) == key(other)
    }
}

/// What a PUBLISH to a device is, if it is the request of a call.
fn requested(device: &Device, topic: &str) -> Option<(MessageId, CallTopic)> {
    let system = format!("/sys/{}/{}/rrpc/request/", device.product_key(), device.name());
    if let Some(id) = topic.strip_prefix(&system) {
        return Some((MessageId(id.parse().ok()?), CallTopic::System));
    }
    let (id, rest) = topic.strip_prefix("/ext/rrpc/")?.split_once('/')?;
    Some((MessageId(id.parse().ok()?), CallTopic::Custom(format!("/{rest}"))))
}

impl Judge {
    /// The business server asks for something.
    pub(super) fn cloud_asks(&mut self, at: Millis, connection: ConnectionId, request: &Request, in_order: bool) {
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
            Command::QueryLog(device) => Deed::Reading(device),
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

    /// A message of the cloud is on its way to every session. Nobody says anything of the order of several.
    fn cloud_publishes(
        &mut self,
        at: Millis,
        connection: ConnectionId,
        topic: String,
        content: &MessageContent,
    ) -> MessageKey {
        // An alias is read as the topic that it stands for: whether there is one is the server's choice (X-36).
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
        terms.reach = Reach::of(&terms.topic, is_subscribed, known.extras);
        let contents = self.pushed_contents(request_topic, &payload);
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

    /// The platform answers.
    pub(super) fn cloud_answers(&mut self, at: Millis, connection: ConnectionId, answer: &Answer) {
        let Some(exchange) = self.cloud.exchanges.get_mut(&connection) else { return };
        if std::mem::replace(&mut exchange.is_answered, true) {
            let breach = Breach::of(Rule::ApiRequestIsAnswered, "no second answer");
            return self.report_of_cloud(at, connection, &breach, answer.to_string());
        }
        let needs_all = self.profile.promises(Feature::FullService);
        let broken = match exchange.deed.clone() {
            Deed::Refused { refusal, is_named } => {
                let fits = !answer.success && (!is_named || answer.code.as_deref() == Some(&refusal.code));
                let expected = match is_named {
                    true => format!("refused with {}", refusal.code),
                    false => "refused".to_owned(),
                };
                (!fits).then(|| Breach::of(Rule::ApiRequestIsChecked, expected))
            }
            Deed::Publishing { messages, may_be_too_many } => {
                let decided = match answer.success {
                    true => (messages, Vec::new()),
                    false => (Vec::new(), messages),
                };
                let taken = Decided { taken: decided.0, doubtful: Vec::new() };
                self.pass_on(at, &taken, &decided.1);
                let is_served = answer.success || !needs_all || may_be_too_many;
                (!is_served).then(served)
            }
            Deed::Calling(_) => self.call_ends(at, connection, answer).err(),
            Deed::Disabling(device) => {
                if answer.success {
                    self.cloud.disabled.insert(device);
                }
                (needs_all && !answer.success).then(served)
            }
            Deed::Enabling(device) => {
                if answer.success {
                    self.cloud.disabled.remove(&device);
                }
                (needs_all && !answer.success).then(served)
            }
            Deed::Pushing { .. } | Deed::Reading(_) => None,
        };
        if let Some(breach) = broken {
            self.report_of_cloud(at, connection, &breach, answer.to_string());
        }
    }

    fn call_ends(&mut self, at: Millis, connection: ConnectionId, answer: &Answer) -> Result<(), Breach> {
        self.settle_numbers(connection, answer);
        let needs_all = self.profile.promises(Feature::FullService);
        let Some(Exchange { deed: Deed::Calling(call), .. }) = self.cloud.exchanges.get_mut(&connection) else {
            return Ok(());
        };
        let outcome = match answer.call_code() {
            Some(RrpcCode::Success) => Outcome::Success(answer.payload.clone().unwrap_or_default()),
            Some(RrpcCode::Timeout) => Outcome::Timeout,
            Some(RrpcCode::Offline) => Outcome::Offline,
            Some(RrpcCode::HalfConnected) => Outcome::HalfConnected,
            // It was not made: too many, or something has gone wrong (P-RPC-13).
            Some(RrpcCode::Unknown) | None if answer.success => {
                return Err(Breach::of(Rule::RrpcCallEnds, "how the call has ended"));
            }
            Some(RrpcCode::Unknown) | None if needs_all => return Err(served()),
            Some(RrpcCode::Unknown) | None => return Ok(()),
        };
        let last = call.states.iter().map(|state| state.ends_by(&self.profile)).max().unwrap_or(at);
        if at > last + self.timing.early {
            return Err(Breach::of(Rule::RrpcCallEnds, format!("an end {} ms before", at - last)));
        }
        call.accept(at + self.timing.early, &rrpc::Output::Ended(outcome))
    }

    /// The answer names the number of its call: if the request with this number was taken for another call that is like it,
    /// the two change places.
    fn settle_numbers(&mut self, connection: ConnectionId, answer: &Answer) {
        let Some(number) = answer.message_id.as_ref().and_then(|id| id.parse().ok()).map(MessageId) else { return };
        let Some(Exchange { deed: Deed::Calling(own), .. }) = self.cloud.exchanges.get(&connection) else { return };
        if own.number == Some(number) {
            return;
        }
        let twin = self.cloud.exchanges.iter().find_map(|(other, exchange)| match &exchange.deed {
            Deed::Calling(call) if call.number == Some(number) && call.is_like(own) => Some(*other),
            _ => None,
        });
        let Some(twin) = twin else { return };
        let Some(mut one) = self.cloud.exchanges.remove(&connection) else { return };
        if let Some(other) = self.cloud.exchanges.get_mut(&twin) {
            std::mem::swap(&mut one.deed, &mut other.deed);
        }
        self.cloud.exchanges.insert(connection, one);
    }

    /// A device asks for a connection: it may have it before it knows.
    pub(super) fn device_asks(&mut self, connection: ConnectionId) {
        let Some((device, _)) = self.devices.on(connection) else { return };
        self.cloud.devices.entry(device.clone()).or_default().is_open = true;
    }

    /// A device is on this connection from now on.
    pub(super) fn device_arrives(&mut self, at: Millis, connection: ConnectionId) {
        let Some((device, extras)) = self.devices.on(connection) else { return };
        let (device, extras) = (device.clone(), extras);
        let whereabouts = Whereabouts { connection: Some(connection), extras, half_until: 0, is_open: false };
        self.cloud.devices.insert(device.clone(), whereabouts);
        let profile = &self.profile;
        self.cloud.calls_of(&device).for_each(|call| call.hear(profile, at, &rrpc::Input::Connected));
    }

    /// The connection of a device has ended.
    pub(super) fn device_departs(&mut self, at: Millis, connection: ConnectionId, how: Departure) {
        let Some((device, _)) = self.devices.on(connection) else { return };
        let device = device.clone();
        let Some(known) = self.cloud.devices.get_mut(&device) else { return };
        if known.connection.is_none() && how == Departure::Ended {
            known.is_open = false;
        }
        if known.connection != Some(connection) {
            return;
        }
        let heard = self.readings.get(&connection);
        let keep_alive = heard.and_then(|reading| reading.connect.as_ref()).map_or(0, |connect| connect.keep_alive);
        let until = heard.map_or(at, |reading| reading.last_sent) + Millis::from(keep_alive) * 1_000;
        known.connection = None;
        known.half_until = if how == Departure::Lost { until } else { 0 };
        // The server may not have read it yet.
        known.is_open = how == Departure::Left;
        let input = match how {
            Departure::Lost => rrpc::Input::Lost { until },
            Departure::Left | Departure::Ended => rrpc::Input::Left,
        };
        let profile = &self.profile;
        self.cloud.calls_of(&device).for_each(|call| call.hear(profile, at, &input));
    }

    /// A device publishes: perhaps the answer to a call.
    pub(super) fn device_publishes(&mut self, at: Millis, connection: ConnectionId, publish: &Publish, topic: &str) {
        let Some((device, _)) = self.devices.on(connection) else { return };
        self.cloud.logs.uplink(device, topic, publish);
        let input = rrpc::Input::Published {
            device: device.clone(),
            topic: topic.to_owned(),
            qos: publish.qos(),
            payload: publish.payload.clone(),
        };
        let profile = &self.profile;
        for exchange in self.cloud.exchanges.values_mut() {
            if let Deed::Calling(call) = &mut exchange.deed {
                call.hear(profile, at, &input);
            }
        }
    }

    /// The server publishes to a device: perhaps the request of a call, or what is for all devices.
    pub(super) fn device_is_sent(
        &mut self,
        at: Millis,
        connection: ConnectionId,
        publish: &Publish,
        topic: &str,
    ) -> Result<(), Breach> {
        for exchange in self.cloud.exchanges.values_mut() {
            if let Deed::Pushing { to } = &mut exchange.deed
                && let Some(pushed) = to.get_mut(&connection)
                && self.vocabulary.content_of(pushed.contents[0]).payload == publish.payload
                && topic.contains("/broadcast/request/")
            {
                pushed.has_come = true;
            }
        }
        let Some((device, _)) = self.devices.on(connection) else { return Ok(()) };
        let device = device.clone();
        let Some((number, call_topic)) = requested(&device, topic) else { return Ok(()) };
        let has_cloud = !self.cloud.exchanges.is_empty();
        let is_it = |call: &&mut OpenCall| call.number == Some(number);
        let is_new = |call: &&mut OpenCall| {
            let asks_for_it = call.terms().is_some_and(|terms| terms.topic == call_topic);
            call.number.is_none() && asks_for_it && call.payload == publish.payload
        };
        let is_known = self.cloud.calls_of(&device).any(|call| is_it(&call));
        let found = match is_known {
            true => self.cloud.calls_of(&device).find(is_it),
            false => self.cloud.calls_of(&device).find(is_new),
        };
        let Some(call) = found else {
            // Where the cloud side is not seen, nobody knows what it has asked for.
            return match has_cloud && !publish.dup() {
                true => Err(Breach::of(Rule::RrpcRequestFits, "no request that nobody has asked for")),
                false => Ok(()),
            };
        };
        call.is_numbered(number);
        if call.payload != publish.payload {
            return Err(Breach::of(Rule::RrpcRequestFits, "the payload that was asked for"));
        }
        call.accept(at, &rrpc::Output::Request { topic: topic.to_owned(), qos: publish.qos(), dup: publish.dup() })
    }

    /// What is missing if nothing more comes: on which connection, and the rule.
    pub(super) fn owed_by_cloud(&self, at: Millis) -> Option<(ConnectionId, Breach)> {
        let arrives = self.profile.promises(Feature::Qos0Arrives);
        self.cloud.exchanges.iter().find_map(|(connection, exchange)| {
            let owed = match &exchange.deed {
                Deed::Pushing { to } if exchange.is_answered && arrives => {
                    let is_missing = |(to, pushed): (&ConnectionId, &Pushed)| !pushed.has_come && self.is_there(*to);
                    to.iter().any(is_missing).then(|| Breach::of(Rule::ApiRequestIsServed, "a PUBLISH to every device"))
                }
                Deed::Calling(call) if !exchange.is_answered => owed_call(&self.profile, call, at),
                _ if !exchange.is_answered => Some(Breach::of(Rule::ApiRequestIsAnswered, "an answer")),
                _ => None,
            };
            owed.map(|breach| (*connection, breach))
        })
    }

    /// Whether a device is still on this connection.
    fn is_there(&self, connection: ConnectionId) -> bool {
        self.cloud.devices.values().any(|known| known.connection == Some(connection))
    }

    /// Everything has come to rest: keeps the states of calls in which nothing is owed. False if there is none.
    pub(super) fn cloud_rests(&mut self, at: Millis) -> bool {
        if self.owed_by_cloud(at).is_some() || self.owed_to_consumers(at).is_some() {
            return false;
        }
        let profile = &self.profile;
        // At the last moment its end is due: a moment later it would be late.
        let owes = |state: &Call| state.owed(profile, at).is_some() || at >= state.ends_by(profile);
        self.cloud.exchanges.values_mut().filter(|exchange| !exchange.is_answered).all(|exchange| {
            let Deed::Calling(call) = &mut exchange.deed else { return true };
            call.states.retain(|state| !owes(state));
            !call.states.is_empty()
        })
    }

    /// When time alone changes what may come of calls.
    pub(super) fn turns_of_cloud(&self) -> impl Iterator<Item = Millis> {
        let open = self.cloud.exchanges.values().filter(|exchange| !exchange.is_answered);
        open.flat_map(|exchange| match &exchange.deed {
            Deed::Calling(call) => call
                .states
                .iter()
                .flat_map(|state| {
                    let last = state.ends_by(&self.profile);
                    [last - Millis::from(self.profile.limits().rrpc.lateness), last]
                })
                .collect::<Vec<_>>(),
            _ => Vec::new(),
        })
    }

    /// What a server could do for the cloud side now.
    #[must_use]
    pub fn cloud_offers(&self, at: Millis) -> Vec<CloudOffer> {
        let needs_all = self.profile.promises(Feature::FullService);
        let mut offers: Vec<CloudOffer> = self.consumer_offers().collect();
        for (connection, exchange) in &self.cloud.exchanges {
            let mut answer = |answer: Answer| offers.push(CloudOffer::Answer(*connection, Box::new(answer)));
            let busy = || {
                let (code, message) = ("iot.messagebroker.RateLimit".to_owned(), "too many".to_owned());
                Answer::refused(Refusal { code, message })
            };
            match &exchange.deed {
                Deed::Pushing { to } => {
                    if !exchange.is_answered {
                        answer(Answer::done());
                    }
                    let missing = to.iter().filter(|(_, pushed)| !pushed.has_come);
                    let pushes = missing.filter_map(|(to, pushed)| self.push_offer(*to, pushed.contents));
                    offers.extend(pushes);
                }
                _ if exchange.is_answered => {}
                Deed::Refused { refusal: Refused { code, message }, .. } => {
                    answer(Answer::refused(Refusal { code: code.clone(), message: message.clone() }));
                }
                Deed::Publishing { .. } => {
                    answer(Answer { message_id: Some("1".to_owned()), ..Answer::done() });
                    if !needs_all {
                        answer(busy());
                    }
                }
                Deed::Disabling(_) | Deed::Enabling(_) => answer(Answer::done()),
                Deed::Reading(device) => {
                    let log = self.cloud.logs.of(device);
                    answer(Answer { log, ..Answer::done() });
                }
                Deed::Calling(call) => {
                    let outputs: BTreeSet<Outcome> = call
                        .states
                        .iter()
                        .flat_map(|state| state.outputs(at))
                        .filter_map(|output| match output {
                            rrpc::Output::Ended(outcome) => Some(outcome),
                            rrpc::Output::Request { .. } => None,
                        })
                        .collect();
                    outputs.into_iter().for_each(|outcome| answer(ended(call.proposed, outcome)));
                    if !needs_all {
                        answer(busy());
                    }
                    let device = call.device().and_then(|device| self.cloud.devices.get(device));
                    let there = device.and_then(|known| known.connection).filter(|_| call.number.is_none());
                    offers.extend(there.and_then(|connection| self.push_offer(connection, call.contents)));
                }
            }
        }
        offers
    }

    fn push_offer(&self, connection: ConnectionId, contents: [ContentKey; 2]) -> Option<CloudOffer> {
        let version = self.readings.get(&connection)?.version()?;
        Some(CloudOffer::Push(connection, contents[usize::from(version.has_properties())]))
    }

    pub(super) fn report_of_cloud(&mut self, at: Millis, connection: ConnectionId, breach: &Breach, seen: String) {
        // Rows are the same in all versions.
        let statements = breach.statements(&self.profile, ProtocolVersion::V5_0);
        self.record(at, connection, breach.rule, statements, breach.expected.clone(), seen);
    }

    /// Whose session is on a connection.
    #[must_use]
    pub fn session_on(&self, connection: ConnectionId) -> Option<SenderKey> {
        self.readings.get(&connection)?.sender
    }
}

fn served() -> Breach {
    Breach::of(Rule::ApiRequestIsServed, "success")
}

/// What every state of a call owes.
fn owed_call(profile: &Profile, call: &OpenCall, at: Millis) -> Option<Breach> {
    let mut owed = call.states.iter().map(|state| state.owed(profile, at));
    let first = owed.next()??;
    owed.all(|owed| owed.is_some()).then_some(first)
}

/// The answer that tells of an end.
fn ended(number: MessageId, outcome: Outcome) -> Answer {
    let message_id = Some(number.to_string());
    let not = |code: RrpcCode| Answer {
        rrpc_code: Some(code),
        code: Some(format!("iot.messagebroker.{code}")),
        message_id: message_id.clone(),
        ..Answer::default()
    };
    match outcome {
        Outcome::Success(payload) => Answer {
            rrpc_code: Some(RrpcCode::Success),
            payload: Some(payload),
            message_id: message_id.clone(),
            ..Answer::done()
        },
        Outcome::Timeout => not(RrpcCode::Timeout),
        Outcome::Offline => not(RrpcCode::Offline),
        Outcome::HalfConnected => not(RrpcCode::HalfConnected),
    }
}
