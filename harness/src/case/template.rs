//! Packets to send: fields, defaults and deliberate faults.

use super::scope::Scope;
use model::packet::{Packet, PacketType, ProtocolVersion};

/// A packet to be sent, with variables in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketTemplate {
    packet_type: PacketType,
}

/// What a template became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The bytes to send.
    pub bytes: Vec<u8>,
    /// The packet; none if the bytes are deliberately wrong.
    pub packet: Option<Packet>,
    /// The Keep Alive in seconds, if it is a CONNECT.
    pub keep_alive: Option<u16>,
}

/// Why a step cannot be carried out with what is known when it is played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BuildError(pub String);

impl PacketTemplate {
    /// The type of the packet.
    #[must_use]
    pub fn packet_type(&self) -> PacketType {
        self.packet_type
    }

    /// Builds the packet for `actor`; allocates identifiers, and binds it if the step says `as:`.
    ///
    /// # Errors
    /// When a variable has no value, or one that does not fit.
    pub fn build(&self, scope: &mut Scope, actor: &str, version: ProtocolVersion) -> Result<Built, BuildError> {
        let _ = (scope, actor, version);
        Err(BuildError("not yet".to_owned()))
    }
}
