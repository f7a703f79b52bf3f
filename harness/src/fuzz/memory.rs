//! The exchanges that a client has not finished: those that it began, and those that the server began.

use crate::trace::ConnectionId;
use model::packet::{Packet, PacketId, PacketType, ProtocolVersion, Publish, Qos};
use std::collections::BTreeMap;

/// Identifiers of old exchanges come again soon: so many there are at first.
const FEW: u16 = 2;

/// What a client keeps beyond its connection.
#[derive(Debug, Default)]
pub(super) struct Memory {
    last_id: u16,
    fresh: u16,
    own: BTreeMap<PacketId, Own>,
}

/// An exchange that the client began.
#[derive(Debug)]
struct Own {
    /// Where its last packet was sent: only what comes from there belongs to it.
    on: ConnectionId,
    stage: Stage,
}

/// What was sent, or came, last.
#[derive(Debug)]
enum Stage {
    /// SUBSCRIBE or UNSUBSCRIBE.
    Requested,
    /// PUBLISH in this version. One with a Topic Alias means nothing on another connection, and is not kept.
    Published(ProtocolVersion, Option<Publish>),
    /// PUBREC came.
    Received,
    /// PUBREL.
    Released,
}

impl Memory {
    /// Whether no exchange of the client has this identifier.
    pub(super) fn is_free(&self, id: PacketId) -> bool {
        !self.own.contains_key(&id)
    }

    /// An identifier that no exchange of the client has.
    pub(super) fn next_id(&self) -> PacketId {
        let soon = (1..=FEW).map(|step| (self.last_id + step - 1) % FEW + 1);
        let mut ids = soon.chain(FEW + 1..).filter_map(PacketId::new);
        ids.find(|id| self.is_free(*id)).expect("a walk has no 65,535 exchanges")
    }

    /// An identifier that the client never had.
    pub(super) fn fresh_id(&self) -> PacketId {
        PacketId::new(1_001 + self.fresh).expect("a walk has no 64,535 exchanges")
    }

    /// Takes note of an identifier that is used now.
    fn used(&mut self, id: PacketId) {
        if id.0.get() > 1_000 {
            self.fresh = self.fresh.max(id.0.get() - 1_000);
        } else {
            self.last_id = id.0.get();
        }
    }

    /// A session begins anew, as far as the client knows.
    pub(super) fn clear(&mut self) {
        self.own.clear();
    }

    /// What was asked for on another connection will not be answered.
    pub(super) fn reconnect(&mut self) {
        self.own.retain(|_, own| !matches!(own.stage, Stage::Requested));
    }

    pub(super) fn request(&mut self, id: PacketId, on: ConnectionId) {
        self.used(id);
        self.own.insert(id, Own { on, stage: Stage::Requested });
    }

    pub(super) fn publish(&mut self, publish: &Publish, version: ProtocolVersion, on: ConnectionId) {
        if let Some(id) = publish.packet_id() {
            self.used(id);
            let kept = publish.properties.topic_alias.is_none().then(|| publish.clone());
            self.own.insert(id, Own { on, stage: Stage::Published(version, kept) });
        }
    }

    /// A packet came from the server.
    pub(super) fn learn(&mut self, packet: &Packet, from: ConnectionId) {
        let (id, next) = match packet {
            Packet::Suback(suback) => (suback.packet_id, None),
            Packet::Unsuback(unsuback) => (unsuback.packet_id, None),
            Packet::Puback(puback) => (puback.packet_id, None),
            Packet::Pubrec(pubrec) if pubrec.reason.is_error() => (pubrec.packet_id, None),
            Packet::Pubrec(pubrec) => (pubrec.packet_id, Some(Stage::Received)),
            Packet::Pubcomp(pubcomp) => (pubcomp.packet_id, None),
            _ => return,
        };
        let Some(own) = self.own.get_mut(&id).filter(|own| own.on == from) else { return };
        match next {
            // A late PUBREC changes nothing.
            Some(_) if matches!(own.stage, Stage::Released) => {}
            Some(stage) => own.stage = stage,
            None => {
                self.own.remove(&id);
            }
        }
    }

    /// The messages that can be sent again in this version: PUBLISH or PUBREL.
    pub(super) fn unfinished(&self, version: ProtocolVersion) -> Vec<PacketId> {
        let is_open = |own: &Own| match &own.stage {
            Stage::Published(sent_in, kept) => *sent_in == version && kept.is_some(),
            Stage::Released => true,
            Stage::Requested | Stage::Received => false,
        };
        self.own.iter().filter(|(_, own)| is_open(own)).map(|(id, _)| *id).collect()
    }

    /// Sends one of the unfinished messages again on this connection.
    pub(super) fn again(&mut self, id: PacketId, version: ProtocolVersion, on: ConnectionId) -> Option<Again> {
        let own = self.own.get_mut(&id)?;
        let again = match &own.stage {
            Stage::Published(sent_in, Some(publish)) if *sent_in == version => Again::Publish(publish.clone()),
            Stage::Released => Again::Release,
            _ => return None,
        };
        own.on = on;
        Some(again)
    }

    /// The messages whose PUBREC came.
    pub(super) fn received(&self) -> Vec<PacketId> {
        self.own.iter().filter(|(_, own)| matches!(own.stage, Stage::Received)).map(|(id, _)| *id).collect()
    }

    /// PUBREL for one of them goes out on this connection.
    pub(super) fn release(&mut self, id: PacketId, on: ConnectionId) -> bool {
        match self.own.get_mut(&id) {
            Some(own) if matches!(own.stage, Stage::Received) => {
                *own = Own { on, stage: Stage::Released };
                true
            }
            _ => false,
        }
    }
}

/// What is sent again.
#[derive(Debug)]
pub(super) enum Again {
    Publish(Publish),
    Release,
}

/// The deliveries on one connection that are not finished, in the order of their last packets.
#[derive(Debug, Default)]
pub(super) struct Deliveries(Vec<Delivery>);

#[derive(Debug)]
struct Delivery {
    id: PacketId,
    /// Empty if PUBLISH came on an earlier connection.
    payload: Vec<u8>,
    next: Next,
}

/// What comes next in a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Puback,
    Pubrec,
    /// PUBREL, from the server.
    Pubrel,
    Pubcomp,
}

impl Deliveries {
    /// A packet came from the server.
    pub(super) fn learn(&mut self, packet: &Packet) {
        let (id, payload, next) = match packet {
            Packet::Publish(publish) => match (publish.packet_id(), publish.qos()) {
                (None, _) => return,
                (Some(id), Qos::ExactlyOnce) => (id, Some(&publish.payload), Next::Pubrec),
                (Some(id), _) => (id, Some(&publish.payload), Next::Puback),
            },
            Packet::Pubrel(pubrel) => (pubrel.packet_id, None, Next::Pubcomp),
            _ => return,
        };
        let known = self.0.iter().position(|delivery| delivery.id == id).map(|index| self.0.remove(index));
        let payload = payload.cloned().or(known.map(|known| known.payload)).unwrap_or_default();
        self.0.push(Delivery { id, payload, next });
    }

    /// The payloads of those that wait for the client.
    pub(super) fn waiting(&self) -> Vec<Vec<u8>> {
        self.0.iter().filter(|it| it.next != Next::Pubrel).map(|it| it.payload.clone()).collect()
    }

    /// The payloads of all of them.
    pub(super) fn all(&self) -> Vec<Vec<u8>> {
        self.0.iter().map(|delivery| delivery.payload.clone()).collect()
    }

    /// The next acknowledgement of the oldest with this payload that waits for the client.
    pub(super) fn acknowledge(&mut self, payload: &[u8], refused: bool) -> Option<(PacketType, PacketId)> {
        let waits = |delivery: &Delivery| delivery.payload == payload && delivery.next != Next::Pubrel;
        let index = self.0.iter().position(waits)?;
        let Delivery { id, next, .. } = self.0[index];
        if next == Next::Pubrec && !refused {
            self.0[index].next = Next::Pubrel;
        } else {
            self.0.remove(index);
        }
        let packet = match next {
            Next::Puback => PacketType::Puback,
            Next::Pubrec => PacketType::Pubrec,
            Next::Pubrel | Next::Pubcomp => PacketType::Pubcomp,
        };
        Some((packet, id))
    }

    /// The identifier of the oldest with this payload.
    pub(super) fn find(&self, payload: &[u8]) -> Option<PacketId> {
        self.0.iter().find(|delivery| delivery.payload == payload).map(|delivery| delivery.id)
    }
}
