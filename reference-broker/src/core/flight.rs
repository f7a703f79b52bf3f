//! Deliveries above QoS 0 that a connection has begun, until the Client's last acknowledgement.

use super::delivery::Copy;
use model::packet::{PacketId, Qos};
use std::collections::BTreeMap;

/// The deliveries of a session that are in flight, by Packet Identifier.
#[derive(Debug, Default)]
pub(super) struct Flights {
    by_id: BTreeMap<PacketId, Flight>,
    bytes: usize,
    /// Steps so far: the order in which messages are published and released again.
    steps: u64,
}

#[derive(Debug)]
struct Flight {
    step: u64,
    stage: Stage,
}

/// How far a delivery is.
#[derive(Debug)]
enum Stage {
    /// PUBLISH was sent: PUBACK or PUBREC is to come.
    Published(Copy),
    /// QoS 2: PUBREC came and PUBREL was sent, PUBCOMP is to come. Nothing is left of the message but its identifier.
    Released,
}

/// What an acknowledgement from the Client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It is about no delivery.
    Unknown,
    /// It is about a delivery that awaits another packet.
    Unexpected,
    /// PUBREL is to be sent.
    Release,
    /// The delivery has ended; its identifier is free.
    Settled,
}

impl Flights {
    /// Messages in flight, released ones included.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Bytes of the messages that may have to be sent again.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn contains(&self, id: PacketId) -> bool {
        self.by_id.contains_key(&id)
    }

    /// PUBLISH goes out with this identifier.
    pub(super) fn publish(&mut self, id: PacketId, copy: Copy) {
        self.bytes += copy.message.size();
        self.step(id, Stage::Published(copy));
    }

    /// Ends a delivery, however far it is.
    pub(super) fn settle(&mut self, id: PacketId) {
        if let Some(Flight { stage: Stage::Published(copy), .. }) = self.by_id.remove(&id) {
            self.bytes -= copy.message.size();
        }
    }

    pub(super) fn puback(&mut self, id: PacketId) -> Effect {
        match self.by_id.get(&id).map(|flight| &flight.stage) {
            None => Effect::Unknown,
            Some(Stage::Published(copy)) if copy.qos == Qos::AtLeastOnce => {
                self.settle(id);
                Effect::Settled
            }
            Some(Stage::Published(_) | Stage::Released) => Effect::Unexpected,
        }
    }

    /// PUBREC; one that reports an error ends the delivery (MQTT-4.3.3-4).
    pub(super) fn pubrec(&mut self, id: PacketId, is_error: bool) -> Effect {
        match self.by_id.get(&id).map(|flight| &flight.stage) {
            None => Effect::Unknown,
            Some(Stage::Published(copy)) if copy.qos < Qos::ExactlyOnce => Effect::Unexpected,
            Some(Stage::Published(_)) if is_error => {
                self.settle(id);
                Effect::Settled
            }
            Some(Stage::Published(copy)) => {
                self.bytes -= copy.message.size();
                self.step(id, Stage::Released);
                Effect::Release
            }
            Some(Stage::Released) if is_error => Effect::Unexpected,
            Some(Stage::Released) => Effect::Release,
        }
    }

    pub(super) fn pubcomp(&mut self, id: PacketId) -> Effect {
        match self.by_id.get(&id).map(|flight| &flight.stage) {
            None => Effect::Unknown,
            Some(Stage::Published(_)) => Effect::Unexpected,
            Some(Stage::Released) => {
                self.settle(id);
                Effect::Settled
            }
        }
    }

    /// Takes out what has to be published again on another connection, in its order.
    pub(super) fn take_published(&mut self) -> Vec<(PacketId, Copy)> {
        let (mut published, mut released) = (Vec::new(), BTreeMap::new());
        for (id, flight) in std::mem::take(&mut self.by_id) {
            match flight.stage {
                Stage::Published(copy) => published.push((flight.step, id, copy)),
                Stage::Released => {
                    released.insert(id, flight);
                }
            }
        }
        (self.by_id, self.bytes) = (released, 0);
        published.sort_by_key(|(step, ..)| *step);
        published.into_iter().map(|(_, id, copy)| (id, copy)).collect()
    }

    /// Identifiers whose PUBCOMP is to come, in the order of their PUBRECs (MQTT-4.6.0-4).
    pub(super) fn released(&self) -> Vec<PacketId> {
        let mut released: Vec<(u64, PacketId)> = self
            .by_id
            .iter()
            .filter(|(_, flight)| matches!(flight.stage, Stage::Released))
            .map(|(&id, flight)| (flight.step, id))
            .collect();
        released.sort_unstable();
        released.into_iter().map(|(_, id)| id).collect()
    }

    fn step(&mut self, id: PacketId, stage: Stage) {
        self.steps += 1;
        self.by_id.insert(id, Flight { step: self.steps, stage });
    }
}
