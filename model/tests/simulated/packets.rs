//! What a simulated server puts on the wire: the packets of a permitted server, and Topic Aliases for the clients.

use super::client::ALIASES;
use model::packet::{Packet, ProtocolVersion};
use model::permitted;
use model::server::{Output, Vocabulary};

/// The packet of an output; none if it is the end of the connection.
pub(crate) fn packet(output: &Output, version: ProtocolVersion, vocabulary: &Vocabulary) -> Option<Packet> {
    let mut packet = permitted::packet(output, version, |content| vocabulary.content_of(content));
    assert!(packet.is_some() || *output == Output::Close, "{output:?} has no packet in {version}");
    if let Some(Packet::Connack(connack)) = &mut packet {
        connack.properties.topic_alias_maximum = version.has_properties().then_some(ALIASES);
    }
    packet
}
