//! The exchanges that a client has not finished: those that it began, and those that the server began.

use harness::trace::ConnectionId;
use model::packet::{Packet, PacketId, PacketType, ProtocolVersion, Publish, Qos};
use std::collections::BTreeMap;

/// What a client keeps beyond its connection.
#[derive(Default)]
pub(crate) struct Memory {
    last_id: u16,
    fresh: u16,
    own: BTreeMap<PacketId, Own>,
}

/// An exchange that the client began.
struct Own {
    /// Where its last packet was sent: only what comes from there belongs to it.
    on: ConnectionId,
    stage: Stage,
}

/// What was sent, or came, last.
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
    /// An identifier that no exchange of the client has; those of old exchanges come again soon.
    pub(crate) fn next_id(&mut self) -> PacketId {
        let soon = (1..=6).map(|step| (self.last_id + step - 1) % 6 + 1);
        let unused = soon.chain(7..).find(|id| PacketId::new(*id).is_some_and(|id| !self.own.contains_key(&id)));
        self.last_id = unused.expect("a walk has no 65,535 exchanges");
        PacketId::new(self.last_id).expect("they begin at 1")
    }

    /// An identifier that the client never had.
    pub(crate) fn fresh_id(&mut self) -> PacketId {
        self.fresh += 1;
        PacketId::new(1_000 + self.fresh).expect("they begin at 1001")
    }

    /// A session begins anew, as far as the client knows.
    pub(crate) fn clear(&mut self) {
        self.own.clear();
    }

    /// What was asked for on another connection will not be answered.
    pub(crate) fn reconnect(&mut self) {
        self.own.retain(|_, own| !matches!(own.stage, Stage::Requested));
    }

    pub(crate) fn request(&mut self, id: PacketId, on: ConnectionId) {
        self.own.insert(id, Own { on, stage: Stage::Requested });
    }

    pub(crate) fn publish(&mut self, publish: &Publish, version: ProtocolVersion, on: ConnectionId) {
        if let Some(id) = publish.packet_id() {
            let kept = publish.properties.topic_alias.is_none().then(|| publish.clone());
            self.own.insert(id, Own { on, stage: Stage::Published(version, kept) });
        }
    }

    /// A packet came from the server.
    pub(crate) fn learn(&mut self, packet: &Packet, from: ConnectionId) {
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

    /// One of the messages that can be sent again on this connection: PUBLISH or PUBREL.
    pub(crate) fn again(&mut self, which: usize, version: ProtocolVersion, on: ConnectionId) -> Option<Again> {
        let mut open: Vec<(PacketId, &mut Own)> = self.own.iter_mut().map(|(id, own)| (*id, own)).collect();
        open.retain(|(_, own)| match &own.stage {
            Stage::Published(sent_in, kept) => *sent_in == version && kept.is_some(),
            Stage::Released => true,
            Stage::Requested | Stage::Received => false,
        });
        let count = open.len();
        let (id, own) = open.into_iter().nth(which.checked_rem(count)?)?;
        own.on = on;
        match &own.stage {
            Stage::Published(_, Some(publish)) => Some(Again::Publish(publish.clone())),
            _ => Some(Again::Release(id)),
        }
    }

    /// One of the messages whose PUBREC came; its PUBREL goes out on this connection.
    pub(crate) fn release(&mut self, which: usize, on: ConnectionId) -> Option<PacketId> {
        let received: Vec<PacketId> =
            self.own.iter().filter(|(_, own)| matches!(own.stage, Stage::Received)).map(|(id, _)| *id).collect();
        let id = *received.get(which.checked_rem(received.len())?)?;
        self.own.insert(id, Own { on, stage: Stage::Released });
        Some(id)
    }
}

/// What is sent again.
pub(crate) enum Again {
    Publish(Publish),
    Release(PacketId),
}

/// The deliveries on one connection that are not finished.
#[derive(Default)]
pub(crate) struct Deliveries(Vec<(PacketId, Next)>);

/// What comes next in a delivery.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Puback,
    Pubrec,
    /// PUBREL, from the server.
    Pubrel,
    Pubcomp,
}

impl Deliveries {
    /// A packet came from the server.
    pub(crate) fn learn(&mut self, packet: &Packet) {
        let (id, next) = match packet {
            Packet::Publish(publish) => match (publish.packet_id(), publish.qos()) {
                (None, _) => return,
                (Some(id), Qos::ExactlyOnce) => (id, Next::Pubrec),
                (Some(id), _) => (id, Next::Puback),
            },
            Packet::Pubrel(pubrel) => (pubrel.packet_id, Next::Pubcomp),
            _ => return,
        };
        self.0.retain(|(known, _)| *known != id);
        self.0.push((id, next));
    }

    /// The next acknowledgement of one of those that wait for the client.
    pub(crate) fn acknowledge(&mut self, which: usize, refused: bool) -> Option<(PacketType, PacketId)> {
        let waiting: Vec<usize> = (0..self.0.len()).filter(|index| self.0[*index].1 != Next::Pubrel).collect();
        let index = *waiting.get(which.checked_rem(waiting.len())?)?;
        let (id, next) = self.0[index];
        if next == Next::Pubrec && !refused {
            self.0[index].1 = Next::Pubrel;
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

    /// Any of them.
    pub(crate) fn choose(&self, which: usize) -> Option<PacketId> {
        self.0.get(which.checked_rem(self.0.len())?).map(|(id, _)| *id)
    }
}
