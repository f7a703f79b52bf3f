//! The cloud's side of the broker: messages to devices, whether a device is there, what is heard from devices.
//!
//! ```text
//!   publish_from_cloud, call, disable ──►┌──────┐──► PUBLISH to devices (router, connections)
//!                                        │ Core │
//!              next_cloud_event ◄────────└──────┘◄── PUBLISH from devices
//! ```
//!
//! Devices are known by their login; a client that logs in without naming a device is none, and the cloud knows nothing of
//! it.

use super::broker::{ConnectionId, Core, Milliseconds};
use super::calls::{CallOutcome, OpenCall};
use super::connection::{Connection, Link};
use super::limits;
use super::log::{Entry, Log, Operation};
use super::login::Owner;
use super::message::{Message, Origin};
use super::session::SessionId;
use crate::switch::Switch;
use model::device::Device;
use model::packet::{self, PublishProperties, Qos, ReasonCode, Utf8String};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::num::NonZeroU16;

/// The number of a message, unique in the life of a broker (P-RPC-5, P-API-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// The first one has 19 digits, like those of the platform.
const BEFORE_FIRST_ID: u64 = 1_000_000_000_000_000_000;

/// A message that the cloud publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudMessage {
    /// Where.
    pub topic: Utf8String,
    /// What.
    pub payload: Vec<u8>,
    /// At which QoS: 0 or 1 (P-QOS-7).
    pub qos: Qos,
    /// Whether it is to be retained, in a dialect that retains messages.
    pub retain: bool,
    /// What subscribers of 5.0 get beside it.
    pub properties: PublishProperties,
    /// The Topic Alias by which those that take it are told the topic.
    pub topic_alias: Option<NonZeroU16>,
}

/// A message that a device published, as the business side gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceMessage {
    /// Its number.
    pub id: MessageId,
    /// Who published it.
    pub device: Device,
    /// Where.
    pub topic: Utf8String,
    /// What.
    pub payload: Vec<u8>,
    /// At which QoS.
    pub qos: Qos,
    /// When the broker took it.
    pub at: Milliseconds,
    /// Its properties of 5.0.
    pub properties: PublishProperties,
}

/// What the cloud hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloudEvent {
    /// A call has ended.
    CallEnded {
        /// Which.
        id: MessageId,
        /// How.
        outcome: CallOutcome,
    },
    /// A device has published a message.
    Published(Box<DeviceMessage>),
}

/// Why a message of the cloud is not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPublished {
    /// More messages in a second than the device may get (P-LIM-3).
    #[error("more messages a second than the device may get")]
    RateLimit,
}

/// Where a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is connected.
    Online,
    /// Its connection broke without a word, less than one keep alive after its last packet (P-RPC-12, X-47).
    HalfConnected,
    /// It is not connected.
    Offline,
}

/// Why a connection ended, as the log has it (P-LOG-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Departure {
    Kicked,
    Lost,
    Broken,
    Left,
    KeepAlive,
}

/// What the cloud knows.
#[derive(Debug, Default)]
pub(super) struct Cloud {
    issued: u64,
    pub(super) calls: BTreeMap<MessageId, OpenCall>,
    devices: BTreeMap<Device, Whereabouts>,
    events: VecDeque<CloudEvent>,
    log: Log,
}

/// What is known of a device that is or was connected.
#[derive(Debug, Default)]
struct Whereabouts {
    connection: Option<ConnectionId>,
    custom_calls: bool,
    /// Until when nobody can be sure that it is gone.
    half_until: Milliseconds,
    /// Messages that it was sent by the cloud in the second that began then.
    downlink: (Milliseconds, u32),
}

impl Whereabouts {
    /// Whether forgetting it changes nothing any more.
    fn is_over(&self, now: Milliseconds) -> bool {
        self.connection.is_none() && self.half_until <= now && self.downlink.0 + SECOND <= now
    }
}

/// Messages of the cloud that a device gets in a second (P-LIM-3).
const DOWNLINK_PER_SECOND: u32 = 50;
const SECOND: Milliseconds = 1_000;
/// What is known of so many devices is looked through for what can be forgotten when one more comes.
const MANY: usize = 1_000;

impl Departure {
    /// Of a connection that the broker ends.
    pub(super) fn for_cause(reason: ReasonCode) -> Departure {
        match reason {
            ReasonCode::SessionTakenOver => Departure::Kicked,
            ReasonCode::KeepAliveTimeout => Departure::KeepAlive,
            _ => Departure::Broken,
        }
    }

    fn says(self) -> &'static str {
        match self {
            Departure::Kicked => "Kicked by the same device",
            Departure::Lost => "Connection reset by peer",
            Departure::Broken => "Connection occurs exception",
            Departure::Left => "Device disconnect",
            Departure::KeepAlive => "Keepalive timeout",
        }
    }
}

impl Core {
    /// Publishes a message of the cloud to all who have subscribed to its topic (P-API-3).
    ///
    /// # Errors
    /// When the device whose topic it is has got too many already.
    pub fn publish_from_cloud(&mut self, now: Milliseconds, message: CloudMessage) -> Result<MessageId, NotPublished> {
        self.advance(now);
        let owner = owner_of(&message.topic);
        if let Some(device) = &owner {
            let halves = self.settings.misbehaves(Switch::DownlinkHalved);
            let limit = if halves { DOWNLINK_PER_SECOND / 2 } else { DOWNLINK_PER_SECOND };
            self.cloud.count_downlink(self.now, device, limit)?;
        }
        let id = self.cloud.next_id();
        if self.settings.misbehaves(Switch::PubLost) {
            return Ok(id);
        }
        if let Some(device) = owner {
            let content = format!("Publish message to device,QoS={}", message.qos);
            self.note(Entry::new(device, Operation::Downlink, content).of_message(id));
        }
        if self.settings.misbehaves(Switch::PubToUnsubscribed)
            && let Some((connection, _)) = owner_of(&message.topic).and_then(|device| self.connection_of(&device))
        {
            self.push(connection, &message.topic, &message.payload);
            return Ok(id);
        }
        self.route(self.message_of_cloud(message));
        Ok(id)
    }

    /// Sends a message to every device of a product that is online, whether it has subscribed or not (P-API-8). Returns how
    /// many there are.
    pub fn push_to_online(&mut self, now: Milliseconds, product_key: &str, payload: &[u8]) -> (MessageId, usize) {
        self.advance(now);
        let id = self.cloud.next_id();
        let online: Vec<(Device, ConnectionId)> = self.cloud.online(product_key).collect();
        let count = online.len();
        for (device, connection) in online {
            if self.settings.misbehaves(Switch::BroadcastLost) {
                continue;
            }
            let topic = format!("/sys/{}/{}/broadcast/request/{id}", device.product_key(), device.name());
            self.push(connection, &topic, payload);
        }
        (id, count)
    }

    /// Where a device is.
    #[must_use]
    pub fn presence(&self, device: &Device) -> Presence {
        match self.cloud.devices.get(device) {
            Some(Whereabouts { connection: Some(_), .. }) => Presence::Online,
            Some(known) if known.half_until > self.now => Presence::HalfConnected,
            _ => Presence::Offline,
        }
    }

    /// Whether a message of the cloud may have these properties.
    ///
    /// # Errors
    /// When a bound of the dialect is exceeded: which.
    pub fn check_properties(&self, properties: &PublishProperties) -> Result<(), String> {
        limits::check_publish(&self.settings.limits, properties).map_err(|exceeded| exceeded.says)
    }

    /// The oldest thing for the cloud to hear that it has not heard yet.
    pub fn next_cloud_event(&mut self) -> Option<CloudEvent> {
        self.cloud.events.pop_front()
    }

    /// The device log.
    #[must_use]
    pub fn device_log(&self) -> &Log {
        &self.cloud.log
    }

    /// Whoever has this session is on this connection now.
    pub(super) fn arrives(&mut self, session: SessionId, connection: ConnectionId) {
        let Some(device) = self.device_of(session) else { return };
        let extras = match self.connections.get(&connection) {
            Some(Connection::Established(link)) => link.extras,
            _ => return,
        };
        let now = self.now;
        if self.cloud.devices.len() >= MANY {
            self.cloud.devices.retain(|_, known| !known.is_over(now));
        }
        let known = self.cloud.devices.entry(device.clone()).or_default();
        known.connection = Some(connection);
        known.custom_calls = extras.custom_calls;
        known.half_until = 0;
        self.note(Entry::new(device, Operation::Online, "Device connect".to_owned()));
    }

    fn device_of(&self, session: SessionId) -> Option<Device> {
        self.sessions.find(session)?.owner.device().cloned()
    }

    /// The connection of a device has ended.
    pub(super) fn departs(&mut self, link: &Link, connection: ConnectionId, departure: Departure) {
        let Some(device) = self.device_of(link.session) else { return };
        if let Some(known) = self.cloud.devices.get_mut(&device)
            && known.connection == Some(connection)
        {
            known.connection = None;
            // One and a half keep alives are what the timer allows.
            let keep_alive = link.longest_silence.unwrap_or(0) / 3 * 2;
            known.half_until = if departure == Departure::Lost { link.last_heard + keep_alive } else { 0 };
        }
        self.note(Entry::new(device, Operation::Offline, departure.says().to_owned()));
    }

    /// A message of a device that is in order. Returns whether it was for the platform alone, so that no subscriber gets it.
    pub(super) fn hears(&mut self, session: SessionId, publish: &packet::Publish, topic: &Utf8String) -> bool {
        let Some(device) = self.device_of(session) else { return false };
        let id = self.cloud.next_id();
        let protocol_id = publish.packet_id().map_or(0, packet::PacketId::value);
        let qos = publish.qos();
        let content = format!("Device publish message to topic:{topic},QoS={qos},protocolMessageId:{protocol_id}");
        let mut properties = publish.properties.user_properties.clone();
        if self.settings.misbehaves(Switch::LogWithoutUserProperties) {
            properties.clear();
        }
        self.note(Entry::new(device.clone(), Operation::Uplink, content).of_message(id).with(properties));
        if self.takes_answer(&device, topic, &publish.payload) {
            return true;
        }
        self.cloud.events.push_back(CloudEvent::Published(Box::new(DeviceMessage {
            id,
            device,
            topic: topic.clone(),
            payload: publish.payload.clone(),
            qos,
            at: self.now,
            properties: PublishProperties { topic_alias: None, ..publish.properties.clone() },
        })));
        false
    }

    /// A device published what it may not, or too much.
    pub(super) fn refuses_uplink(&mut self, session: SessionId, topic: &str, says: &str) {
        if let Some(device) = self.device_of(session) {
            self.note(Entry::new(device, Operation::Uplink, format!("{says}, topic:{topic}")).failed());
        }
    }

    /// The connection of a device that takes calls on custom topics or does not.
    pub(super) fn connection_of(&self, device: &Device) -> Option<(ConnectionId, bool)> {
        let known = self.cloud.devices.get(device)?;
        known.connection.map(|connection| (connection, known.custom_calls))
    }

    /// Sends a message at QoS 0 on a connection whose device need not have subscribed (P-TOP-18).
    pub(super) fn push(&mut self, connection: ConnectionId, topic: &str, payload: &[u8]) {
        let Ok(topic) = Utf8String::new(topic) else { return };
        self.send_publish(
            connection,
            packet::Publish {
                delivery: packet::Delivery::AtMostOnce,
                retain: false,
                topic,
                properties: PublishProperties::default(),
                payload: payload.to_vec(),
            },
        );
    }

    pub(super) fn note(&mut self, entry: Entry) {
        let now = self.now;
        self.cloud.log.append(now, entry);
    }

    fn message_of_cloud(&self, message: CloudMessage) -> Message {
        let CloudMessage { topic, payload, qos, retain, properties, topic_alias } = message;
        let delivery = packet::Delivery::AtMostOnce;
        let publish = packet::Publish { delivery, retain, topic: topic.clone(), properties, payload };
        // No session has this owner: what the cloud says is nobody's own message.
        let origin = Origin { owner: Owner::Client(Utf8String::default()), at: self.now };
        let mut message = Message::from_publish(publish, topic, origin);
        message.qos = match qos {
            _ if self.settings.misbehaves(Switch::PubAtQos0) => Qos::AtMostOnce,
            _ if self.settings.misbehaves(Switch::PubAtQos1) => Qos::AtLeastOnce,
            qos => qos,
        };
        message.topic_alias = topic_alias;
        message.retain &= !self.settings.retained_messages.is_empty();
        message
    }
}

impl Cloud {
    pub(super) fn next_id(&mut self) -> MessageId {
        self.issued += 1;
        MessageId(BEFORE_FIRST_ID + self.issued)
    }

    pub(super) fn tell(&mut self, event: CloudEvent) {
        self.events.push_back(event);
    }

    fn online<'a>(&'a self, product_key: &'a str) -> impl Iterator<Item = (Device, ConnectionId)> + 'a {
        let of_product = self.devices.iter().filter(move |(device, _)| device.product_key() == product_key);
        of_product.filter_map(|(device, known)| Some((device.clone(), known.connection?)))
    }

    fn count_downlink(&mut self, now: Milliseconds, device: &Device, limit: u32) -> Result<(), NotPublished> {
        if self.devices.len() >= MANY {
            self.devices.retain(|_, known| !known.is_over(now));
        }
        let known = self.devices.entry(device.clone()).or_default();
        if now >= known.downlink.0 + SECOND {
            known.downlink = (now, 0);
        }
        if known.downlink.1 >= limit {
            return Err(NotPublished::RateLimit);
        }
        known.downlink.1 += 1;
        Ok(())
    }
}

/// The device whose topic it is: `/{productKey}/{deviceName}/..` or `/sys/{productKey}/{deviceName}/..` (P-TOP-1, P-TOP-2).
fn owner_of(topic: &str) -> Option<Device> {
    let levels = topic.strip_prefix("/sys/").or_else(|| topic.strip_prefix('/'))?;
    let mut levels = levels.split('/');
    match (levels.next()?, levels.next()?) {
        ("broadcast" | "ext" | "ota" | "shadow", _) => None,
        (product_key, name) => Some(Device::new(product_key, name)),
    }
}

/// Decimal, as devices copy it.
impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
