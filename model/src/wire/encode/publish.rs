//! PUBLISH.

use super::properties::write_own;
use super::unencodable::Unencodable;
use super::writer::Frame;
use crate::packet::{PacketType, ProtocolVersion, Publish};

pub(super) fn publish(publish: &Publish, version: ProtocolVersion) -> Result<Frame, Unencodable> {
    let packet = PacketType::Publish;
    if publish.topic.is_empty() && publish.properties.topic_alias.is_none() {
        return Err(Unencodable::NoTopic { version });
    }
    let flags = u8::from(publish.dup()) << 3 | publish.qos().value() << 1 | u8::from(publish.retain);
    let mut frame = Frame::new(packet, flags);
    frame.text(&publish.topic);
    if let Some(packet_id) = publish.packet_id() {
        frame.packet_id(packet_id);
    }
    write_own(&publish.properties, packet, version, &mut frame)?;
    frame.body.extend_from_slice(&publish.payload);
    Ok(frame)
}
