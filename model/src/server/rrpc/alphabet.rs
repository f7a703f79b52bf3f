//! What comes to the server while a call is open, and what comes from it.

use crate::device::Device;
use crate::packet::Qos;
use crate::server::Millis;
use std::fmt;

/// What reaches the server while the call is open.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Input {
    /// The device connects; an older connection of it is taken over.
    Connected,
    /// The device's connection breaks.
    Lost {
        /// When one keep alive has passed since its last packet.
        until: Millis,
    },
    /// The device sends DISCONNECT.
    Left,
    /// A device publishes.
    Published {
        /// Which one.
        device: Device,
        /// Where.
        topic: String,
        /// At which QoS.
        qos: Qos,
        /// What.
        payload: Vec<u8>,
    },
}

/// What comes from the server for the call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Output {
    /// PUBLISH to the device.
    Request {
        /// Where.
        topic: String,
        /// At which QoS.
        qos: Qos,
        /// DUP.
        dup: bool,
    },
    /// The caller's result.
    Ended(Outcome),
}

/// How a call ends (P-RPC-11).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// SUCCESS, with the answer.
    Success(Vec<u8>),
    /// TIMEOUT.
    Timeout,
    /// OFFLINE.
    Offline,
    /// HALFCONN.
    HalfConnected,
}

/// As the platform's API spells it.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Success(payload) => write!(f, "SUCCESS {}", readable(payload)),
            Outcome::Timeout => f.write_str("TIMEOUT"),
            Outcome::Offline => f.write_str("OFFLINE"),
            Outcome::HalfConnected => f.write_str("HALFCONN"),
        }
    }
}

pub(super) fn readable(payload: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(payload))
}
