//! Who may send what.

use crate::packet::{PacketType, ProtocolVersion, ReasonCode};
use std::fmt;

/// The side that sent the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sender {
    /// A Client.
    Client,
    /// A Server.
    Server,
}

impl Sender {
    /// Whether this side may send such a packet (table 2.1; 5.0: table 2-1).
    #[must_use]
    pub fn may_send(self, packet: PacketType, version: ProtocolVersion) -> bool {
        match packet {
            PacketType::Connect | PacketType::Subscribe | PacketType::Unsubscribe | PacketType::Pingreq => {
                self == Sender::Client
            }
            PacketType::Connack | PacketType::Suback | PacketType::Unsuback | PacketType::Pingresp => {
                self == Sender::Server
            }
            PacketType::Publish
            | PacketType::Puback
            | PacketType::Pubrec
            | PacketType::Pubrel
            | PacketType::Pubcomp => true,
            PacketType::Disconnect => self == Sender::Client || version == ProtocolVersion::V5_0,
            PacketType::Auth => version == ProtocolVersion::V5_0,
        }
    }

    /// Whether this side may give this reason for a DISCONNECT or AUTH of 5.0: the "sent by" columns of sections
    /// 3.14.2.1 and 3.15.2.1. Other packets have one sender, or the same codes for both.
    #[must_use]
    pub fn may_give(self, code: ReasonCode, packet: PacketType) -> bool {
        if !code.is_permitted_in(packet) {
            return false;
        }
        match (packet, code) {
            (PacketType::Disconnect, ReasonCode::DisconnectWithWillMessage) => self == Sender::Client,
            (
                PacketType::Disconnect,
                ReasonCode::NotAuthorized
                | ReasonCode::ServerBusy
                | ReasonCode::ServerShuttingDown
                | ReasonCode::KeepAliveTimeout
                | ReasonCode::SessionTakenOver
                | ReasonCode::TopicFilterInvalid
                | ReasonCode::RetainNotSupported
                | ReasonCode::QosNotSupported
                | ReasonCode::UseAnotherServer
                | ReasonCode::ServerMoved
                | ReasonCode::SharedSubscriptionsNotSupported
                | ReasonCode::ConnectionRateExceeded
                | ReasonCode::MaximumConnectTime
                | ReasonCode::SubscriptionIdentifiersNotSupported
                | ReasonCode::WildcardSubscriptionsNotSupported,
            ) => self == Sender::Server,
            (PacketType::Auth, ReasonCode::Success) => self == Sender::Server,
            (PacketType::Auth, ReasonCode::ReAuthenticate) => self == Sender::Client,
            _ => true,
        }
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Sender::Client => "client",
            Sender::Server => "server",
        })
    }
}
