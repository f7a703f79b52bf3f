//! What a server owes the cloud side, and what it could do for it.

use super::{CloudOffer, Deed, Pushed, Refused};
use crate::cloud::{Answer, Refusal, RrpcCode};
use crate::judge::Judge;
use crate::profile::Feature;
use crate::server::rrpc::{self, Call, MessageId, Outcome};
use crate::server::{Breach, ConnectionId, ContentKey, Millis, Rule};
use std::collections::BTreeSet;

/// What a PUBLISH has beside topic and payload at most, with the digits of a number that a server may give.
const ROOM: usize = 32;

impl Judge {
    /// What is missing if nothing more comes: on which connection, and the rule.
    pub(in crate::judge) fn owed_by_cloud(&self, at: Millis) -> Option<(ConnectionId, Breach)> {
        let arrives = self.profile.promises(Feature::Qos0Arrives);
        self.cloud.exchanges.iter().find_map(|(connection, exchange)| {
            let owed = match &exchange.deed {
                Deed::Pushing { to } if exchange.is_answered && arrives => {
                    let is_missing = |(to, pushed): (&ConnectionId, &Pushed)| {
                        let is_owed = self.is_there(*to) && self.fits(*to, pushed.contents);
                        !pushed.has_come && is_owed
                    };
                    to.iter().any(is_missing).then(|| Breach::of(Rule::ApiRequestIsServed, "a PUBLISH to every device"))
                }
                Deed::Calling(call) if !exchange.is_answered => call.owed(&self.profile, at),
                _ if !exchange.is_answered => Some(Breach::of(Rule::ApiRequestIsAnswered, "an answer")),
                _ => None,
            };
            owed.map(|breach| (*connection, breach))
        })
    }

    /// Whether a device is still on this connection.
    fn is_there(&self, connection: ConnectionId) -> bool {
        self.cloud.devices.values().any(|known| known.connection == Some(connection))
    }

    /// Whether the client on this connection certainly takes a PUBLISH with this content: what is larger than its Maximum Packet
    /// Size is not sent (5.0: MQTT-3.1.2-24). How long the number in the topic is only the server knows.
    pub(in crate::judge) fn fits(&self, connection: ConnectionId, contents: [ContentKey; 2]) -> bool {
        let connect = self.readings.get(&connection).and_then(|reading| reading.connect.as_ref());
        let maximum = connect.and_then(|connect| connect.properties.maximum_packet_size);
        maximum.is_none_or(|maximum| {
            let content = self.vocabulary.content_of(contents[1]);
            let size = content.topic.len() + content.payload.len() + ROOM;
            u32::try_from(size).is_ok_and(|size| size <= maximum.get())
        })
    }

    /// Everything has come to rest: keeps the states of calls in which nothing is owed. False if there is none.
    pub(in crate::judge) fn cloud_rests(&mut self, at: Millis) -> bool {
        if self.owed_by_cloud(at).is_some() || self.owed_to_consumers(at).is_some() {
            return false;
        }
        let profile = &self.profile;
        // At the last moment its end is due: a moment later it would be late.
        let owes = |state: &Call| state.owed(profile, at).is_some() || at >= state.ends_by(profile);
        self.cloud.exchanges.values_mut().filter(|exchange| !exchange.is_answered).all(|exchange| {
            let Deed::Calling(call) = &mut exchange.deed else { return true };
            call.states.retain(|state| !owes(state));
            !call.states.is_empty()
        })
    }

    /// When time alone changes what may come of calls.
    pub(in crate::judge) fn turns_of_cloud(&self) -> impl Iterator<Item = Millis> {
        let open = self.cloud.exchanges.values().filter(|exchange| !exchange.is_answered);
        open.flat_map(|exchange| match &exchange.deed {
            Deed::Calling(call) => call
                .states
                .iter()
                .flat_map(|state| {
                    let last = state.ends_by(&self.profile);
                    [last - Millis::from(self.profile.limits().rrpc.lateness), last]
                })
                .collect::<Vec<_>>(),
            _ => Vec::new(),
        })
    }

    /// What a server could do for the cloud side now.
    #[must_use]
    pub fn cloud_offers(&self, at: Millis) -> Vec<CloudOffer> {
        let needs_all = self.profile.promises(Feature::FullService);
        let mut offers: Vec<CloudOffer> = self.consumer_offers().collect();
        for (connection, exchange) in &self.cloud.exchanges {
            let mut answer = |answer: Answer| offers.push(CloudOffer::Answer(*connection, Box::new(answer)));
            let busy = || {
                let (code, message) = ("iot.messagebroker.RateLimit".to_owned(), "too many".to_owned());
                Answer::refused(Refusal { code, message })
            };
            match &exchange.deed {
                Deed::Pushing { to } => {
                    if !exchange.is_answered {
                        answer(Answer::done());
                    }
                    let missing = to.iter().filter(|(_, pushed)| !pushed.has_come);
                    let pushes = missing.filter_map(|(to, pushed)| self.push_offer(*to, pushed.contents));
                    offers.extend(pushes);
                }
                _ if exchange.is_answered => {}
                Deed::Refused { refusal: Refused { code, message }, .. } => {
                    answer(Answer::refused(Refusal { code: code.clone(), message: message.clone() }));
                }
                Deed::Publishing { .. } => {
                    answer(Answer { message_id: Some("1".to_owned()), ..Answer::done() });
                    if !needs_all {
                        answer(busy());
                    }
                }
                Deed::Disabling(_) | Deed::Enabling(_) => answer(Answer::done()),
                Deed::Reading { device, .. } => {
                    let log = self.cloud.logs.of(device);
                    answer(Answer { log, ..Answer::done() });
                }
                Deed::Calling(call) => {
                    let outputs: BTreeSet<Outcome> = call
                        .states
                        .iter()
                        .flat_map(|state| state.outputs(at))
                        .filter_map(|output| match output {
                            rrpc::Output::Ended(outcome) => Some(outcome),
                            rrpc::Output::Request { .. } => None,
                        })
                        .collect();
                    outputs.into_iter().for_each(|outcome| answer(ended(call.proposed, outcome)));
                    if !needs_all {
                        answer(busy());
                    }
                    let device = call.device().and_then(|device| self.cloud.devices.get(device));
                    let there = device.and_then(|known| known.connection).filter(|_| call.number.is_none());
                    offers.extend(there.and_then(|connection| self.push_offer(connection, call.contents)));
                }
            }
        }
        offers
    }

    fn push_offer(&self, connection: ConnectionId, contents: [ContentKey; 2]) -> Option<CloudOffer> {
        let version = self.readings.get(&connection)?.version()?;
        Some(CloudOffer::Push(connection, contents[usize::from(version.has_properties())]))
    }
}

/// The answer that tells of an end.
fn ended(number: MessageId, outcome: Outcome) -> Answer {
    let message_id = Some(number.to_string());
    let not = |code: RrpcCode| Answer {
        rrpc_code: Some(code),
        code: Some(format!("iot.messagebroker.{code}")),
        message_id: message_id.clone(),
        ..Answer::default()
    };
    match outcome {
        Outcome::Success(payload) => Answer {
            rrpc_code: Some(RrpcCode::Success),
            payload: Some(payload),
            message_id: message_id.clone(),
            ..Answer::done()
        },
        Outcome::Timeout => not(RrpcCode::Timeout),
        Outcome::Offline => not(RrpcCode::Offline),
        Outcome::HalfConnected => not(RrpcCode::HalfConnected),
    }
}
