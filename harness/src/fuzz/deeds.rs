//! What clients do on their connections.

use super::command::{Alias, Authentication, Content, Deed, Request, Terms};
use super::link::Link;
use super::memory::Again;
use super::packets;
use super::walk::Walker;
use crate::trace::ConnectionId;
use model::packet::{Packet, PacketId, PacketType, ProtocolVersion, Publish, ReasonCode};
use model::wire::encode;

impl Walker {
    /// A deed on an open connection. `false` if it does not apply.
    pub(super) fn does_on(&mut self, id: ConnectionId, deed: &Deed) -> bool {
        let Some(link) = self.links.get_mut(&id) else { return false };
        let can_speak = !link.left;
        let names = self.names.of(link.client);
        match deed {
            Deed::PublishOften { count, content } => return self.publish_often(id, *count, content),
            Deed::SubscribeToMany(count) => return self.subscribe_to_many(id, *count),
            Deed::Frames(frames) => return self.send_frames(id, frames),
            Deed::TextFrame(bytes) => return self.send_text(id, bytes),
            Deed::Cut => self.cut(id),
            Deed::StopReading if link.reading => link.reading = false,
            Deed::Stall if !link.stalled => link.stalled = true,
            Deed::Resume if link.stalled || !link.reading => self.resume(id),
            Deed::StopReading | Deed::Stall | Deed::Resume => return false,
            Deed::Malformed(bytes) if can_speak => self.write_unsound(id, bytes),
            Deed::CutWithin(bytes) if can_speak && link.client_id.is_some() => {
                let Ok(whole) = encode(&packets::half_sent(&names), link.version) else { return false };
                self.write_unsound(id, &whole[..*bytes.min(&(whole.len() - 1))]);
                self.cut(id);
            }
            deed => match self.packet(id, deed) {
                Some(packet) => self.send(id, packet),
                None => return false,
            },
        }
        true
    }

    /// The packet that a deed sends on an open connection; `None` if it does not apply.
    fn packet(&mut self, id: ConnectionId, deed: &Deed) -> Option<Packet> {
        let link = self.links.get_mut(&id)?;
        let client_id = link.client_id.filter(|_| !link.left)?;
        let (client, version) = (link.client, link.version);
        let names = self.names.of(client);
        if let Deed::SecondConnect(terms) = deed {
            let terms = Terms { version, ..terms.clone() };
            let presented = self.present(client, &terms)?;
            self.links.get_mut(&id)?.sound = false;
            return Some(packets::connect(&terms, &names, presented.identity));
        }
        let memory = self.memories.entry(client_id).or_default();
        let packet = match deed {
            Deed::Subscribe { id: packet_id, requests, identifier } => {
                let means = |request: &Request| has_one_meaning(version, request.filter);
                let requests: Vec<Request> = requests.iter().copied().filter(means).collect();
                if requests.is_empty() || !memory.is_free(*packet_id) {
                    return None;
                }
                memory.request(*packet_id, id);
                packets::subscribe(*packet_id, version, &requests, *identifier, &names)
            }
            Deed::Unsubscribe { id: packet_id, filters } => {
                let means = |filter: &&'static str| has_one_meaning(version, filter);
                let filters: Vec<&'static str> = filters.iter().copied().filter(means).collect();
                if filters.is_empty() || !memory.is_free(*packet_id) {
                    return None;
                }
                memory.request(*packet_id, id);
                packets::unsubscribe(*packet_id, &filters, &names)
            }
            Deed::Publish { id: packet_id, content } => self.publish(id, *packet_id, content)?,
            Deed::Answer { request, payload, naming } => self.answer_to_call(id, request, payload, *naming)?,
            Deed::Resend(packet_id) => match memory.again(*packet_id, version, id)? {
                Again::Publish(publish) => Packet::Publish(packets::again(&publish)),
                Again::Release => packets::acknowledgement(PacketType::Pubrel, *packet_id, ReasonCode::Success)?,
            },
            Deed::Release(packet_id) => {
                if !memory.release(*packet_id, id) {
                    return None;
                }
                packets::acknowledgement(PacketType::Pubrel, *packet_id, ReasonCode::Success)?
            }
            Deed::Acknowledge { payload, refused } => {
                let refused = *refused && version.has_properties();
                let (packet, packet_id) = link.deliveries.acknowledge(payload, refused)?;
                let refusal = ReasonCode::UnspecifiedError;
                let reason = if refused && packet != PacketType::Pubcomp { refusal } else { ReasonCode::Success };
                packets::acknowledgement(packet, packet_id, reason)?
            }
            Deed::Misacknowledge { payload, packet } => {
                packets::acknowledgement(*packet, link.deliveries.find(payload)?, ReasonCode::Success)?
            }
            Deed::AcknowledgeUnknown(packet) => {
                packets::acknowledgement(*packet, PacketId::new(9_999)?, ReasonCode::Success)?
            }
            Deed::Reauthenticate => {
                if link.authentication == Authentication::None {
                    return None;
                }
                packets::auth(ReasonCode::ReAuthenticate, None)
            }
            Deed::Ping => {
                link.pings += 1;
                Packet::Pingreq
            }
            Deed::Disconnect { session_expiry, with_will } => {
                link.left = true;
                packets::disconnect(version, *session_expiry, *with_will)
            }
            Deed::CutWithin(_)
            | Deed::SecondConnect(_)
            | Deed::PublishOften { .. }
            | Deed::SubscribeToMany(_)
            | Deed::Frames(_)
            | Deed::TextFrame(_)
            | Deed::Connect { .. }
            | Deed::Cut
            | Deed::StopReading
            | Deed::Stall
            | Deed::Resume
            | Deed::Malformed(_) => {
                return None;
            }
        };
        Some(packet)
    }

    /// Whether two connections would contend for a session while one of them authenticates: the judge knows only of
    /// takeovers at CONNECT.
    pub(super) fn is_contested(&self, terms: &Terms) -> bool {
        let authenticates = |authentication| authentication != Authentication::None;
        let its = |link: &&Link| link.client_id == Some(terms.client_id) && !terms.client_id.is_empty();
        self.links.values().filter(its).any(|link| {
            let newer = terms.version.has_properties() && authenticates(terms.authentication);
            newer || (authenticates(link.authentication) && !link.greeted)
        })
    }

    /// A PUBLISH on an open connection; `None` if it does not apply.
    pub(super) fn publish(&mut self, id: ConnectionId, packet_id: PacketId, content: &Content) -> Option<Packet> {
        let link = self.links.get(&id).filter(|link| !link.left)?;
        let client_id = link.client_id?;
        let names = self.names.of(link.client);
        let version = link.version;
        // What a Topic Alias may be is not known before CONNACK.
        let alias = if version.has_properties() && link.greeted { content.alias } else { Alias::None };
        let publish: Publish = packets::publish(packet_id, version, content, alias, &names);
        let memory = self.memories.entry(client_id).or_default();
        if publish.packet_id().is_some_and(|packet_id| !memory.is_free(packet_id)) {
            return None;
        }
        memory.publish(&publish, version, id);
        Some(Packet::Publish(publish))
    }
}

/// Whether a filter cannot have been meant otherwise by another connection of the session: what becomes of `$share` when 5.0
/// and 3.x take turns is not said anywhere.
fn has_one_meaning(version: ProtocolVersion, filter: &str) -> bool {
    version.has_properties() || !filter.starts_with("$$share")
}
