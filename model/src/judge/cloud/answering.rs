//! What the platform answers.

use super::{Deed, Exchange};
use crate::cloud::{Answer, LogLine, RrpcCode};
use crate::judge::Judge;
use crate::judge::logs::is_held_by;
use crate::judge::track::Decided;
use crate::packet::ProtocolVersion;
use crate::profile::Feature;
use crate::server::rrpc::{self, MessageId, Outcome};
use crate::server::{Breach, ConnectionId, Millis, Rule};

impl Judge {
    /// The platform answers.
    pub(in crate::judge) fn cloud_answers(&mut self, at: Millis, connection: ConnectionId, answer: &Answer) {
        let Some(exchange) = self.cloud.exchanges.get_mut(&connection) else { return };
        if std::mem::replace(&mut exchange.is_answered, true) {
            let breach = Breach::of(Rule::ApiRequestIsAnswered, "no second answer");
            return self.report_of_cloud(at, connection, &breach, answer.to_string());
        }
        let needs_all = self.profile.promises(Feature::FullService);
        let broken = match exchange.deed.clone() {
            Deed::Refused { refusal, is_named } => {
                let fits = !answer.success && (!is_named || answer.code.as_deref() == Some(&refusal.code));
                let expected = match is_named {
                    true => format!("refused with {}", refusal.code),
                    false => "refused".to_owned(),
                };
                (!fits).then(|| Breach::of(Rule::ApiRequestIsChecked, expected))
            }
            Deed::Publishing { messages, may_be_too_many } => {
                let decided = match answer.success {
                    true => (messages, Vec::new()),
                    false => (Vec::new(), messages),
                };
                let taken = Decided { taken: decided.0, doubtful: Vec::new() };
                self.pass_on(at, &taken, &decided.1);
                let is_served = answer.success || !needs_all || may_be_too_many;
                (!is_served).then(served)
            }
            Deed::Calling(_) => self.call_ends(at, connection, answer).err(),
            Deed::Disabling(device) => {
                if answer.success {
                    self.cloud.disabled.insert(device);
                }
                (needs_all && !answer.success).then(served)
            }
            Deed::Enabling(device) => {
                if answer.success {
                    self.cloud.disabled.remove(&device);
                }
                (needs_all && !answer.success).then(served)
            }
            Deed::Reading { owed, .. } => {
                let is_there = |owed: &&LogLine| answer.log.iter().any(|line| is_held_by(owed, line));
                let missing = owed.iter().find(|owed| !is_there(owed)).filter(|_| answer.success);
                missing.map(|line| {
                    Breach::of(Rule::DeviceLogIsKept, format!("a line with {}, and its User Properties", line.content))
                })
            }
            Deed::Pushing { .. } if answer.success => None,
            // P-API-8: it may be one too many within a minute, and is pushed to nobody then.
            Deed::Pushing { .. } => {
                if let Some(Exchange { deed: Deed::Pushing { to }, .. }) = self.cloud.exchanges.get_mut(&connection) {
                    to.clear();
                }
                None
            }
        };
        if let Some(breach) = broken {
            self.report_of_cloud(at, connection, &breach, answer.to_string());
        }
    }

    fn call_ends(&mut self, at: Millis, connection: ConnectionId, answer: &Answer) -> Result<(), Breach> {
        self.settle_numbers(connection, answer);
        let needs_all = self.profile.promises(Feature::FullService);
        let Some(Exchange { deed: Deed::Calling(call), .. }) = self.cloud.exchanges.get_mut(&connection) else {
            return Ok(());
        };
        let outcome = match answer.call_code() {
            Some(RrpcCode::Success) => Outcome::Success(answer.payload.clone().unwrap_or_default()),
            Some(RrpcCode::Timeout) => Outcome::Timeout,
            Some(RrpcCode::Offline) => Outcome::Offline,
            Some(RrpcCode::HalfConnected) => Outcome::HalfConnected,
            // It was not made: too many, or something has gone wrong (P-RPC-13).
            Some(RrpcCode::Unknown) | None if answer.success => {
                return Err(Breach::of(Rule::RrpcCallEnds, "how the call has ended"));
            }
            Some(RrpcCode::Unknown) | None if needs_all => return Err(served()),
            Some(RrpcCode::Unknown) | None => return Ok(()),
        };
        let last = call.states.iter().map(|state| state.ends_by(&self.profile)).max().unwrap_or(at);
        if at > last + self.timing.early {
            return Err(Breach::of(Rule::RrpcCallEnds, format!("an end {} ms before", at - last)));
        }
        call.accept(at + self.timing.early, &rrpc::Output::Ended(outcome))
    }

    /// The answer names the number of its call: if the request with this number was taken for another call that is like it,
    /// the two change places.
    fn settle_numbers(&mut self, connection: ConnectionId, answer: &Answer) {
        let Some(number) = answer.message_id.as_ref().and_then(|id| id.parse().ok()).map(MessageId) else { return };
        let Some(Exchange { deed: Deed::Calling(own), .. }) = self.cloud.exchanges.get(&connection) else { return };
        if own.number == Some(number) {
            return;
        }
        let twin = self.cloud.exchanges.iter().find_map(|(other, exchange)| match &exchange.deed {
            Deed::Calling(call) if call.number == Some(number) && call.is_like(own) => Some(*other),
            _ => None,
        });
        let Some(twin) = twin else { return };
        let Some(mut one) = self.cloud.exchanges.remove(&connection) else { return };
        if let Some(other) = self.cloud.exchanges.get_mut(&twin) {
            std::mem::swap(&mut one.deed, &mut other.deed);
        }
        self.cloud.exchanges.insert(connection, one);
    }

    pub(in crate::judge) fn report_of_cloud(
        &mut self,
        at: Millis,
        connection: ConnectionId,
        breach: &Breach,
        seen: String,
    ) {
        // Rows are the same in all versions.
        let statements = breach.statements(&self.profile, ProtocolVersion::V5_0);
        self.record(at, connection, breach.rule, statements, breach.expected.clone(), seen);
    }
}

fn served() -> Breach {
    Breach::of(Rule::ApiRequestIsServed, "success")
}
