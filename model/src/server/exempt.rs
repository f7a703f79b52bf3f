//! Obligations of a server that can be seen at one, but not by a model of the bytes: each with the reason.

use crate::packet::ProtocolVersion;

/// Statements that no rule can stand for.
#[derive(Debug, Clone, Copy)]
pub struct Exemption {
    /// The statements, by version.
    pub statements: &'static [(ProtocolVersion, &'static [&'static str])],
    /// Why, and who looks at them instead.
    pub reason: &'static str,
}

/// Every exemption.
pub const EXEMPT: &[Exemption] = &[
    Exemption {
        statements: &[
            (ProtocolVersion::V3_1_1, &["MQTT-6.0.0-1", "MQTT-6.0.0-2", "MQTT-6.0.0-4"]),
            (ProtocolVersion::V5_0, &["MQTT-6.0.0-1", "MQTT-6.0.0-2", "MQTT-6.0.0-4"]),
        ],
        reason: "the model begins where the MQTT bytes come out of the transport: WebSocket frames and the upgrade are below \
             it, and only whoever plays the other end of both can judge them",
    },
    Exemption {
        statements: &[(ProtocolVersion::V3_1, &["V31-21"])],
        reason: "3.1 gives its rules on retained messages as advice: the model lets a server of 3.1 retain or not, mark or \
                 not, so that nothing it does can break one",
    },
];
