//! Connections that are there to register a device: each is owed an answer (P-REG-4, P-REG-5).

use super::Judge;
use crate::device::{Device, Registration};
use crate::server::vocabulary::SenderKey;
use crate::server::{Breach, ConnectionId, Millis, Rule};

/// A connection that waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// Which.
    pub connection: ConnectionId,
    /// Its session, which is good for nothing else.
    pub session: SenderKey,
    /// What it asks for.
    pub registration: Registration,
    /// For whom.
    pub device: Device,
}

impl Judge {
    /// The connections that were accepted, are there to register, and have no answer yet.
    pub fn unanswered(&self) -> impl Iterator<Item = Unanswered> {
        self.devices.registering().filter_map(|(connection, registration, device)| {
            let reading = self.readings.get(&connection)?;
            let waits = reading.is_open() && !reading.client_is_done && reading.accepted_among.is_some();
            let session = reading.sender.filter(|_| waits)?;
            Some(Unanswered { connection, session, registration, device: device.clone() })
        })
    }

    /// Reports those that have none at the end. How long a secret or a token is nobody knows: to who limits its packets it may be
    /// too large (5.0: MQTT-3.1.2-24).
    pub(super) fn check_registrations(&mut self, at: Millis) {
        let unanswered: Vec<Unanswered> = self.unanswered().collect();
        for Unanswered { connection, registration, device, .. } in unanswered {
            let connect = self.readings.get(&connection).and_then(|reading| reading.connect.as_ref());
            if connect.is_some_and(|connect| connect.properties.maximum_packet_size.is_some()) {
                continue;
            }
            let expected = format!("a PUBLISH on {} for {device}", registration.topic());
            self.report(at, connection, Breach::of(Rule::RegistrationIsAnswered, expected), "silence".to_owned());
        }
    }
}
