//! PUBACK, PUBREC, PUBREL and PUBCOMP: one shape, four packets.

use super::{PacketId, ReasonCode, ReasonProperties};

/// What PUBACK, PUBREC, PUBREL and PUBCOMP carry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Acknowledgement {
    /// The identifier of the PUBLISH that the exchange is about.
    pub packet_id: PacketId,
    /// 5.0 only; Success in 3.x.
    pub reason: ReasonCode,
    /// 5.0 only.
    pub properties: ReasonProperties,
}

impl Acknowledgement {
    /// A plain acknowledgement with reason code Success.
    #[must_use]
    pub fn success(packet_id: PacketId) -> Acknowledgement {
        Acknowledgement { packet_id, reason: ReasonCode::Success, properties: ReasonProperties::default() }
    }
}
