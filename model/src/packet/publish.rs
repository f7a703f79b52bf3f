//! PUBLISH: an Application Message on its way.

use super::{PacketId, PublishProperties, Utf8String};
use std::fmt;

/// Quality of Service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Qos {
    /// QoS 0.
    #[default]
    AtMostOnce = 0,
    /// QoS 1.
    AtLeastOnce = 1,
    /// QoS 2.
    ExactlyOnce = 2,
}

impl Qos {
    /// All levels, lowest first.
    pub const ALL: [Qos; 3] = [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce];

    /// The level with this number; 3 is not one.
    #[must_use]
    pub fn from_value(value: u8) -> Option<Qos> {
        Qos::ALL.get(usize::from(value)).copied()
    }

    /// The number on the wire.
    #[must_use]
    pub fn value(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Qos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

/// How a PUBLISH is delivered: DUP and Packet Identifier exist only above QoS 0
/// (MQTT-3.3.1-2; 3.1.1: MQTT-2.3.1-5; 5.0: MQTT-2.2.1-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "fields are the standard's own")]
pub enum Delivery {
    /// QoS 0.
    AtMostOnce,
    /// QoS 1.
    AtLeastOnce { packet_id: PacketId, dup: bool },
    /// QoS 2.
    ExactlyOnce { packet_id: PacketId, dup: bool },
}

impl Delivery {
    /// The same with another Packet Identifier, if it has one.
    #[must_use]
    pub fn with_id(self, packet_id: PacketId) -> Delivery {
        match self {
            Delivery::AtMostOnce => self,
            Delivery::AtLeastOnce { dup, .. } => Delivery::AtLeastOnce { packet_id, dup },
            Delivery::ExactlyOnce { dup, .. } => Delivery::ExactlyOnce { packet_id, dup },
        }
    }
}

/// The PUBLISH packet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Publish {
    /// QoS with what belongs to it.
    pub delivery: Delivery,
    /// RETAIN.
    pub retain: bool,
    /// Topic Name as sent: empty when a Topic Alias stands for it; not checked for wildcards.
    pub topic: Utf8String,
    /// 5.0 only.
    pub properties: PublishProperties,
    /// The Application Message.
    pub payload: Vec<u8>,
}

impl Publish {
    /// Its QoS.
    #[must_use]
    pub fn qos(&self) -> Qos {
        match self.delivery {
            Delivery::AtMostOnce => Qos::AtMostOnce,
            Delivery::AtLeastOnce { .. } => Qos::AtLeastOnce,
            Delivery::ExactlyOnce { .. } => Qos::ExactlyOnce,
        }
    }

    /// Its DUP flag.
    #[must_use]
    pub fn dup(&self) -> bool {
        match self.delivery {
            Delivery::AtMostOnce => false,
            Delivery::AtLeastOnce { dup, .. } | Delivery::ExactlyOnce { dup, .. } => dup,
        }
    }

    /// Its Packet Identifier above QoS 0.
    #[must_use]
    pub fn packet_id(&self) -> Option<PacketId> {
        match self.delivery {
            Delivery::AtMostOnce => None,
            Delivery::AtLeastOnce { packet_id, .. } | Delivery::ExactlyOnce { packet_id, .. } => Some(packet_id),
        }
    }
}
