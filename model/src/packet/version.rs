//! The protocol versions and how CONNECT names them.

use std::fmt;
use std::str::FromStr;

/// A version of the protocol, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProtocolVersion {
    /// MQTT 3.1 (IBM and Eurotech, 2010): name `MQIsdp`, level 3.
    V3_1,
    /// MQTT 3.1.1 (OASIS, 2014): name `MQTT`, level 4.
    V3_1_1,
    /// MQTT 5.0 (OASIS, 2019): name `MQTT`, level 5.
    V5_0,
}

impl ProtocolVersion {
    /// All versions, oldest first.
    pub const ALL: [ProtocolVersion; 3] = [ProtocolVersion::V3_1, ProtocolVersion::V3_1_1, ProtocolVersion::V5_0];

    /// The Protocol Name of CONNECT.
    #[must_use]
    pub fn protocol_name(self) -> &'static str {
        match self {
            ProtocolVersion::V3_1 => "MQIsdp",
            ProtocolVersion::V3_1_1 | ProtocolVersion::V5_0 => "MQTT",
        }
    }

    /// The Protocol Level (5.0: Protocol Version) byte of CONNECT.
    #[must_use]
    pub fn level(self) -> u8 {
        match self {
            ProtocolVersion::V3_1 => 3,
            ProtocolVersion::V3_1_1 => 4,
            ProtocolVersion::V5_0 => 5,
        }
    }

    /// The number people write: `3.1`, `3.1.1`, `5.0`.
    #[must_use]
    pub fn number(self) -> &'static str {
        match self {
            ProtocolVersion::V3_1 => "3.1",
            ProtocolVersion::V3_1_1 => "3.1.1",
            ProtocolVersion::V5_0 => "5.0",
        }
    }

    /// Whether packets carry properties and acknowledgements reason codes.
    #[must_use]
    pub fn has_properties(self) -> bool {
        self == ProtocolVersion::V5_0
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.number())
    }
}

impl FromStr for ProtocolVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        ProtocolVersion::ALL
            .into_iter()
            .find(|version| version.number() == text)
            .ok_or_else(|| format!("unknown MQTT version `{text}`: write \"3.1\", \"3.1.1\" or \"5.0\""))
    }
}
