//! SUBSCRIBE and SUBACK.

use super::{PacketId, Qos, ReasonCode, ReasonProperties, SubscribeProperties, Utf8String};

/// The SUBSCRIBE packet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subscribe {
    /// Its identifier, repeated by SUBACK.
    pub packet_id: PacketId,
    /// 5.0 only.
    pub properties: SubscribeProperties,
    /// At least one (3.1.1: MQTT-3.8.3-3; 5.0: MQTT-3.8.3-2).
    pub requests: Vec<SubscriptionRequest>,
}

/// A Topic Filter with its options.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SubscriptionRequest {
    /// Topic Filter as sent, not checked for its wildcards: a Server may refuse one filter of several.
    pub filter: Utf8String,
    /// Options; 3.x knows the QoS only.
    pub options: SubscriptionOptions,
}

/// Subscription Options.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionOptions {
    /// Maximum QoS (3.x: Requested QoS).
    pub qos: Qos,
    /// No Local, 5.0 only.
    pub no_local: bool,
    /// Retain As Published, 5.0 only.
    pub retain_as_published: bool,
    /// Retain Handling, 5.0 only.
    pub retain_handling: RetainHandling,
}

/// Retain Handling.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RetainHandling {
    /// 0: send retained messages at every subscribe.
    #[default]
    Send = 0,
    /// 1: send them only for a new subscription.
    SendIfNew = 1,
    /// 2: do not send them.
    DoNotSend = 2,
}

impl RetainHandling {
    /// The option with this number; 3 is not one.
    #[must_use]
    pub fn from_value(value: u8) -> Option<RetainHandling> {
        match value {
            0 => Some(RetainHandling::Send),
            1 => Some(RetainHandling::SendIfNew),
            2 => Some(RetainHandling::DoNotSend),
            _ => None,
        }
    }
}

/// The SUBACK packet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Suback {
    /// The identifier of the SUBSCRIBE.
    pub packet_id: PacketId,
    /// 5.0 only.
    pub properties: ReasonProperties,
    /// One a filter, in their order: in 3.1 there may be none. The Return Codes of 3.x are four of the Reason Codes.
    pub codes: Vec<ReasonCode>,
}
