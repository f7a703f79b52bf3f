//! What is asked of a device, over which topics, and whether it must get it.

use crate::device::{Device, Extras};
use crate::profile::{Feature, Profile};
use crate::server::Millis;
use crate::server::identity::Identity;
use std::fmt;

/// The number of a call, unique and made by the cloud (P-RPC-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// Decimal, as the device copies it.
impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a call goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallTopic {
    /// The system topics of calls (P-RPC-2).
    System,
    /// A topic of the device: one of its own, or a thing service (P-RPC-3, P-RPC-4).
    Custom(String),
}

/// What the cloud asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallTerms {
    /// Its number.
    pub message_id: MessageId,
    /// The device that is called.
    pub device: Device,
    /// The topic, without what the platform puts before it.
    pub topic: CallTopic,
    /// How long the caller waits, in milliseconds.
    pub timeout: Millis,
    /// Whether the request must reach a device that is connected.
    pub reach: Reach,
}

impl CallTerms {
    /// The topic of the request.
    #[must_use]
    pub fn request_topic(&self) -> String {
        match &self.topic {
            CallTopic::System => self.system_topic("request"),
            CallTopic::Custom(topic) => format!("/ext/rrpc/{}{topic}", self.message_id),
        }
    }

    /// The topic of the answer.
    #[must_use]
    pub fn response_topic(&self) -> String {
        match &self.topic {
            CallTopic::System => self.system_topic("response"),
            // P-RPC-3: both ways the same.
            CallTopic::Custom(_) => self.request_topic(),
        }
    }

    fn system_topic(&self, direction: &str) -> String {
        let (device, id) = (&self.device, self.message_id);
        format!("/sys/{}/{}/rrpc/{direction}/{id}", device.product_key(), device.name())
    }
}

/// Whether a connected device must get the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// It must.
    Certain,
    /// The server may as well let the call time out.
    Open,
}

impl Reach {
    /// Whether a device must get a call: without a subscription it may (P-RPC-6), on a custom topic that it has not asked for
    /// it may as well.
    #[must_use]
    pub fn of(topic: &CallTopic, is_subscribed: bool, extras: Extras) -> Reach {
        match topic {
            CallTopic::Custom(_) if !extras.custom_calls => Reach::Open,
            _ if !is_subscribed => Reach::Open,
            _ => Reach::Certain,
        }
    }
}

/// Whether a device answers a call with a PUBLISH to this topic. In a dialect without calls it never does.
#[must_use]
pub fn is_answer(profile: &Profile, identity: &Identity, topic: &str) -> bool {
    let Some(device) = identity.device().filter(|_| profile.has(Feature::Rrpc)) else { return false };
    let is_id = |text: &str| text.parse::<u64>().is_ok();
    let system = || {
        let rest = topic.strip_prefix("/sys/")?.strip_prefix(device.product_key())?.strip_prefix('/')?;
        rest.strip_prefix(device.name())?.strip_prefix("/rrpc/response/").map(is_id)
    };
    let custom = || topic.strip_prefix("/ext/rrpc/")?.split_once('/').map(|(id, _)| is_id(id));
    system().or_else(custom).unwrap_or(false)
}
