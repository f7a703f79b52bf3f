//! CONNECT: a Client asks for a connection.

use super::{ConnectProperties, Qos, Utf8String, WillProperties};

/// The CONNECT packet. Its protocol name and level follow from the version that it is encoded for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Connect {
    /// Clean Start of 5.0, Clean Session of 3.x.
    pub clean_start: bool,
    /// Keep Alive in seconds; 0 turns it off.
    pub keep_alive: u16,
    /// 5.0 only.
    pub properties: ConnectProperties,
    /// Client Identifier.
    pub client_id: Utf8String,
    /// The Will, if Will Flag is set.
    pub will: Option<Will>,
    /// User Name.
    pub user_name: Option<Utf8String>,
    /// Password; 3.x allows it only together with a User Name.
    pub password: Option<Vec<u8>>,
}

/// The Will Message that the Server publishes when the connection breaks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Will {
    /// Will Topic.
    pub topic: Utf8String,
    /// Will Payload (3.x: Will Message).
    pub payload: Vec<u8>,
    /// Will QoS.
    pub qos: Qos,
    /// Will Retain.
    pub retain: bool,
    /// 5.0 only.
    pub properties: WillProperties,
}
