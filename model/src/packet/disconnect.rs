//! DISCONNECT: the last packet of a connection.

use super::{DisconnectProperties, ReasonCode};

/// The DISCONNECT packet. In 3.x only a Client sends it, without code.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Disconnect {
    /// 5.0 only; Success ("Normal disconnection") in 3.x.
    pub reason: ReasonCode,
    /// 5.0 only.
    pub properties: DisconnectProperties,
}

impl Disconnect {
    /// Normal disconnection.
    #[must_use]
    pub fn normal() -> Disconnect {
        Disconnect::because(ReasonCode::Success)
    }

    /// A DISCONNECT with this reason and no properties.
    #[must_use]
    pub fn because(reason: ReasonCode) -> Disconnect {
        Disconnect { reason, properties: DisconnectProperties::default() }
    }
}
