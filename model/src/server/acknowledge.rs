//! What the client answers to deliveries: PUBACK, PUBREC and PUBCOMP; and PUBREL, the server's part of QoS 2.

use super::alphabet::Output;
use super::delivery::{Delivery, Progress, Sent};
use super::response::{PACKET_IDENTIFIER_NOT_FOUND, Response};
use super::rule::{Breach, Context, Rule, SeededBug};
use super::session::{Kept, Session};
use crate::packet::{PacketId, ProtocolVersion, Qos};
use crate::profile::Offence;

impl Session {
    /// PUBACK of the client is taken.
    pub(super) fn puback_taken(&self, context: &Context<'_>, id: PacketId) -> Vec<Session> {
        let Some(position) = self.delivery_with(id, |delivery| !is_exactly_once(delivery)) else {
            return self.offend(context, Offence::UnknownPacketIdentifier, &[]);
        };
        let mut next = self.clone();
        if let Some(kept) = &mut next.kept {
            match kept.deliveries[position].progress {
                // For a delivery of an earlier connection the server may still repeat it.
                Progress::Unacknowledged(_) => kept.deliveries[position].owed = false,
                _ => drop(kept.deliveries.remove(position)),
            }
            kept.deliveries.sort();
        }
        vec![next]
    }

    /// PUBREC of the client is taken: PUBREL is owed (MQTT-4.3.3-4), or the exchange is over (MQTT-4.4.0-2).
    pub(super) fn pubrec_taken(&self, context: &Context<'_>, id: PacketId, refused: bool) -> Vec<Session> {
        let Some(position) = self.delivery_with(id, is_exactly_once) else {
            let mut successors = self.offend(context, Offence::UnknownPacketIdentifier, &[]);
            if !refused {
                successors.push(self.responding(Response::StrayPubrel(id)));
            }
            return successors;
        };
        let mut next = self.clone();
        let repeats = self.version() != ProtocolVersion::V5_0;
        let Some(kept) = &mut next.kept else { return vec![next] };
        let delivery = &mut kept.deliveries[position];
        let progress = delivery.progress;
        // An answer to a delivery of an earlier connection may come too late: the server repeats it. And in 3.x its PUBREL may
        // have been repeated already.
        let ignored = match delivery.progress {
            Progress::Unacknowledged(_) => true,
            Progress::Released(..) => self.version() != ProtocolVersion::V5_0,
            _ => false,
        };
        if refused {
            kept.deliveries.remove(position);
        } else {
            delivery.progress = match delivery.progress {
                Progress::Open(id) => Progress::Received(id, Sent::Here),
                Progress::Unacknowledged(id) => Progress::Received(id, Sent::Earlier),
                // A repeated PUBLISH of 3.x brings PUBREC once more: the PUBREL that was sent may count as the answer.
                Progress::Released(id, sent) if repeats => Progress::Released(id, sent),
                // PUBREC once more: PUBREL once more.
                Progress::Received(id, sent) | Progress::Released(id, sent) => Progress::Received(id, sent),
                unsent => unsent,
            };
            delivery.owed = true;
        }
        kept.deliveries.sort();
        // It has answered already: once more is no answer (MQTT-4.3.3-4), and a refusal least of all.
        let has_answered = matches!(progress, Progress::Received(..) | Progress::Released(..));
        let offended = match has_answered && !repeats {
            true => self.offend(context, Offence::UnknownPacketIdentifier, &[]),
            false => Vec::new(),
        };
        let ignored = ignored.then(|| self.clone());
        let mut successors: Vec<Session> = std::iter::once(next).chain(ignored).chain(offended).collect();
        successors.sort();
        successors.dedup();
        successors
    }

    /// PUBCOMP of the client is taken: the delivery is complete.
    pub(super) fn pubcomp_taken(&self, context: &Context<'_>, id: PacketId) -> Vec<Session> {
        let released = |delivery: &Delivery| matches!(delivery.progress, Progress::Released(..));
        let Some(position) = self.delivery_with(id, released) else {
            return self.offend(context, Offence::UnknownPacketIdentifier, &[]);
        };
        let mut next = self.clone();
        if let Some(kept) = &mut next.kept {
            kept.deliveries.remove(position);
        }
        vec![next]
    }

    fn delivery_with(&self, id: PacketId, fits: impl Fn(&Delivery) -> bool) -> Option<usize> {
        let has_id = |delivery: &Delivery| delivery.progress.id() == Some(id) && fits(delivery);
        self.kept.as_ref()?.deliveries.iter().position(has_id)
    }

    /// PUBREL comes.
    pub(super) fn pubrel(&self, id: PacketId, code: u8) -> Result<Vec<Session>, Breach> {
        let stray = |response: &Response| matches!(response, Response::StrayPubrel(of) if *of == id);
        if let Some((next, _)) = self.answered(stray) {
            return Ok(vec![next]);
        }
        let received = |delivery: &Delivery| matches!(delivery.progress, Progress::Received(..));
        let released = |delivery: &Delivery| matches!(delivery.progress, Progress::Released(..));
        let position = self.delivery_with(id, received);
        // 3.x lets a sender repeat at any time.
        let may_repeat = self.version() != ProtocolVersion::V5_0;
        let position = position.or_else(|| self.delivery_with(id, released).filter(|_| may_repeat));
        let Some(position) = position else {
            return match self.delivery_with(id, released) {
                Some(_) => Err(Breach::of(Rule::RepeatedOnlyOnReconnect, "no second PUBREL on this connection")),
                None => Err(Breach::of(Rule::PubrelNamesItsPubrec, self.waiting_releases())),
            };
        };
        if code == PACKET_IDENTIFIER_NOT_FOUND {
            return Err(Breach::of(Rule::PubrecIsAnswered, "PUBREL with code 0: the identifier is known"));
        }
        let mut next = self.clone();
        if let Some(kept) = &mut next.kept {
            let delivery = &mut kept.deliveries[position];
            if let Progress::Received(id, sent) = delivery.progress {
                delivery.progress = Progress::Released(id, sent);
            }
            kept.deliveries.sort();
        }
        Ok(vec![next])
    }

    /// Each PUBREL that may come next.
    pub(super) fn possible_releases(&self) -> Vec<Output> {
        let received = |delivery: &Delivery| match delivery.progress {
            Progress::Received(id, _) => Some(Output::Pubrel { id, code: 0 }),
            _ => None,
        };
        self.kept.iter().flat_map(|kept| &kept.deliveries).filter_map(received).collect()
    }

    fn waiting_releases(&self) -> String {
        let waiting =
            self.kept.iter().flat_map(|kept| &kept.deliveries).filter_map(|delivery| match delivery.progress {
                Progress::Received(id, _) => Some(format!("PUBREL id{id}")),
                _ => None,
            });
        let waiting: Vec<String> = waiting.collect();
        match waiting.is_empty() {
            true => "no PUBREL: no PUBREC waits for one".to_owned(),
            false => waiting.join(", or "),
        }
    }
}

/// Whether the delivery was sent at QoS 2.
fn is_exactly_once(delivery: &Delivery) -> bool {
    delivery.forms.qos.contains(Qos::ExactlyOnce) && delivery.forms.qos.iter().count() == 1
}

impl Kept {
    /// A PUBREL that must come: at once, whatever the window (MQTT-4.9.0-3), and again on each new connection
    /// (3.1.1: MQTT-4.4.0-1; 5.0: MQTT-4.4.0-1).
    pub(super) fn owed_release(&self, context: &Context<'_>) -> Option<Breach> {
        self.deliveries.iter().find_map(|delivery| match delivery.progress {
            Progress::Received(id, sent) => {
                let rule = match sent {
                    Sent::Here => Rule::PubrecIsAnswered,
                    Sent::Earlier => Rule::UnacknowledgedIsRepeated,
                };
                Some(Breach::of(rule, format!("PUBREL id{id} for {}", context.vocabulary.describe(delivery.message))))
            }
            _ => None,
        })
    }

    /// Deliveries that count against the client's Receive Maximum.
    pub(crate) fn open_deliveries(&self, context: &Context<'_>) -> usize {
        let counted = |delivery: &&Delivery| match delivery.progress {
            Progress::Received(..) | Progress::Released(..) if context.has_bug(SeededBug::CountsUntilPubrec) => false,
            progress => progress.is_counted(),
        };
        self.deliveries.iter().filter(counted).count()
    }
}
