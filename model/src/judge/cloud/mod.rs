//! What the cloud side asked and was told, beside what its devices did.
//!
//! ```text
//!   api ── Asked ──►  message on its way to all sessions ─── Answered: success ──► due ── refused ──► never was
//!    `asking`         call ── request on the device's connection ── its PUBLISH ── Answered: how it ended
//!                     `call`                  `devices`                             `answering`
//!                               what is missing, what may come: `outlook`
//! ```
//!
//! Each request has a connection of its own. Connections have no common order: what was asked may be done as soon as it was
//! asked, whenever the answer comes. A call is followed by [`Call`](crate::server::rrpc::Call), with every state that explains
//! what was seen. Its number shows when the request comes to the device, or with the answer.

mod answering;
mod asking;
mod call;
mod devices;
mod outlook;

use super::logs::Logs;
use crate::cloud::{Answer, LogLine, PlatformMessage};
use crate::device::Device;
use crate::server::rate::Rate;
use crate::server::{ConnectionId, ContentKey, MessageKey, Millis};
use call::OpenCall;
use devices::Whereabouts;
use std::collections::{BTreeMap, BTreeSet};

pub(super) use devices::Departure;

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
    /// The log of a device, with what it must hold.
    Reading {
        device: Device,
        owed: Vec<LogLine>,
    },
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
