//! UNSUBSCRIBE and UNSUBACK.

use super::{PacketId, ReasonCode, ReasonProperties, UnsubscribeProperties, Utf8String};

/// The UNSUBSCRIBE packet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unsubscribe {
    /// Its identifier, repeated by UNSUBACK.
    pub packet_id: PacketId,
    /// 5.0 only.
    pub properties: UnsubscribeProperties,
    /// At least one Topic Filter (MQTT-3.10.3-2), as sent.
    pub filters: Vec<Utf8String>,
}

/// The UNSUBACK packet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unsuback {
    /// The identifier of the UNSUBSCRIBE.
    pub packet_id: PacketId,
    /// 5.0 only.
    pub properties: ReasonProperties,
    /// 5.0: one a filter, in their order; 3.x: empty.
    pub codes: Vec<ReasonCode>,
}
