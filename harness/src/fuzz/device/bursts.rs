//! Much at once: more than a rate or a number of the dialect allows.

use crate::fuzz::command::Content;
use crate::fuzz::link::Link;
use crate::fuzz::packets;
use crate::fuzz::walk::Walker;
use crate::trace::ConnectionId;
use model::packet::{PacketId, ProtocolVersion, SubscriptionOptions, SubscriptionRequest};
use std::time::Duration;

/// How long a message counts for the uplink rates.
pub(in crate::fuzz) const REST: Duration = Duration::from_millis(1_001);

/// How many filters one SUBSCRIBE holds: no dialect takes fewer.
const FILTERS: usize = 8;

impl Walker {
    /// The same message so many times, and a rest: as long as the rate counts them, nobody could tell which of the next
    /// messages are one too many.
    pub(in crate::fuzz) fn publish_often(&mut self, id: ConnectionId, count: usize, content: &Content) -> bool {
        let mut any = false;
        for _ in 0..count {
            let Some(packet_id) = self.next_id(id) else { break };
            let Some(packet) = self.publish(id, packet_id, content) else { break };
            self.send(id, packet);
            any = true;
        }
        if any {
            self.connections.sleep(REST);
        }
        any
    }

    /// So many subscriptions, each to a topic of its own.
    pub(in crate::fuzz) fn subscribe_to_many(&mut self, id: ConnectionId, count: usize) -> bool {
        // In 3.1 SUBACK cannot refuse (V31-14). The model has it grant what stands for nothing, the reference broker closes: as
        // long as they do not agree, walks leave it alone.
        let can_refuse = |link: &&Link| !link.left && link.version != ProtocolVersion::V3_1;
        let Some(client) = self.links.get(&id).filter(can_refuse).map(|link| link.client) else { return false };
        let names = self.names.of(client);
        let filters: Vec<String> = (1..=count).map(|number| format!("$t/s{number}")).collect();
        for filters in filters.chunks(FILTERS) {
            let Some(packet_id) = self.next_id(id) else { return false };
            let options = SubscriptionOptions::default();
            let requests =
                filters.iter().map(|filter| SubscriptionRequest { filter: names.spell(filter), options }).collect();
            self.request(id, packet_id);
            self.send(id, packets::subscribe_to(packet_id, requests, None));
        }
        true
    }

    fn next_id(&mut self, id: ConnectionId) -> Option<PacketId> {
        let client_id = self.links.get(&id).filter(|link| !link.left)?.client_id?;
        Some(self.memories.entry(client_id).or_default().next_id())
    }

    fn request(&mut self, id: ConnectionId, packet_id: PacketId) {
        if let Some(client_id) = self.links.get(&id).and_then(|link| link.client_id) {
            self.memories.entry(client_id).or_default().request(packet_id, id);
        }
    }
}
