//! One call in the hands of the server: what may come of it, and when it must have ended.

use super::alphabet::{Input, Outcome, Output, readable};
use super::terms::{CallTerms, MessageId, Reach};
use crate::packet::Qos;
use crate::profile::Profile;
use crate::server::Millis;
use crate::server::rule::{Breach, Rule};

/// Where the called device is, as far as the server can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Presence {
    /// It has a connection.
    Connected,
    /// Its connection broke without a word. Until then the server need not be sure (P-RPC-12, X-47).
    Half {
        /// When one keep alive has passed since its last packet.
        until: Millis,
    },
    /// It has none.
    Offline,
}

/// A call in the hands of the server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    terms: CallTerms,
    /// When its time is over.
    deadline: Millis,
    presence: Presence,
    /// Whether the device was without connection at some time since the call was made, and whether the server could be
    /// unsure of it.
    was_absent: bool,
    was_half_connected: bool,
    /// Whether a connection that the device had during the call is gone: a request may have gone with it unseen.
    had_another: bool,
    /// Whether the device was certainly without connection, all the time since the call was made.
    was_never_there: bool,
    request: Request,
    /// The answer that counts, once it is there.
    answer: Option<Vec<u8>>,
    ended: bool,
}

/// How far the request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Request {
    Unsent,
    /// Sent on the connection that the device has.
    Sent(Qos),
    /// Sent on a connection that the device has no more.
    SentBefore(Qos),
}

/// The timeout of a call is out of range (P-RPC-9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a call waits {low} to {high} ms, not {timeout}")]
pub struct InvalidTimeout {
    low: u16,
    high: u16,
    timeout: Millis,
}

impl Call {
    /// A call that reaches the server at `now`.
    ///
    /// # Errors
    /// When its timeout is out of the dialect's range: then there is no call.
    pub fn new(profile: &Profile, now: Millis, terms: CallTerms, presence: Presence) -> Result<Call, InvalidTimeout> {
        let [low, high] = profile.limits().rrpc.timeout.unwrap_or([0, u16::MAX]);
        let timeout = terms.timeout;
        if !(Millis::from(low)..=Millis::from(high)).contains(&timeout) {
            return Err(InvalidTimeout { low, high, timeout });
        }
        Ok(Call {
            deadline: now.saturating_add(timeout),
            presence,
            was_absent: presence != Presence::Connected,
            was_half_connected: matches!(presence, Presence::Half { until } if now <= until),
            had_another: false,
            was_never_there: presence == Presence::Offline,
            request: Request::Unsent,
            answer: None,
            ended: false,
            terms,
        })
    }

    /// The same call with this number, which only a server knows before it shows.
    #[must_use]
    pub fn numbered(mut self, number: MessageId) -> Call {
        self.terms.message_id = number;
        self
    }

    /// What the cloud asked for.
    #[must_use]
    pub fn terms(&self) -> &CallTerms {
        &self.terms
    }

    /// Whether the caller has its result.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// When the call must have ended, whatever happens.
    #[must_use]
    pub fn ends_by(&self, profile: &Profile) -> Millis {
        self.deadline.saturating_add(Millis::from(profile.limits().rrpc.lateness))
    }

    /// The calls that may follow when `input` is taken at `now`. There is always one.
    #[must_use]
    pub fn input(&self, profile: &Profile, now: Millis, input: &Input) -> Vec<Call> {
        let mut next = self.clone();
        match input {
            Input::Connected => next.leave_connection(Presence::Connected),
            Input::Lost { until } => {
                next.leave_connection(Presence::Half { until: *until });
                next.was_half_connected |= now <= *until;
            }
            Input::Left => next.leave_connection(Presence::Offline),
            Input::Published { device, topic, qos, payload } => {
                let is_answer = *device == self.terms.device && *topic == self.terms.response_topic();
                // A device cannot know of a call whose request it never got.
                if !is_answer || self.request == Request::Unsent || self.answer.is_some() || self.ended {
                    return vec![next];
                }
                next.answer = Some(payload.clone());
                if self.counts(profile, now, *qos, payload) {
                    return vec![next];
                }
                return vec![next, self.clone()];
            }
        }
        vec![next]
    }

    /// The connection that the device had, if any, is gone.
    fn leave_connection(&mut self, presence: Presence) {
        self.had_another |= self.presence == Presence::Connected;
        self.was_absent |= presence != Presence::Connected;
        self.was_never_there &= presence == Presence::Offline;
        self.presence = presence;
        self.request = self.request.before();
    }

    /// Whether an answer certainly counts: in time, at QoS 0 (P-RPC-7, X-43) and of a length that nobody doubts.
    fn counts(&self, profile: &Profile, now: Millis, qos: Qos, payload: &[u8]) -> bool {
        let length = profile.limits().rrpc.answer_bytes;
        now < self.deadline
            && qos == Qos::AtMostOnce
            && length.is_none_or(|length| payload.len() <= usize::from(length))
    }

    /// The call that follows when exactly `output` comes at `now`.
    ///
    /// # Errors
    /// When it may not come now: the rule that forbids it.
    pub fn accept(&self, now: Millis, output: &Output) -> Result<Call, Breach> {
        match output {
            Output::Request { topic, qos, dup } => self.request(topic, *qos, *dup),
            Output::Ended(outcome) => self.end(now, outcome),
        }
    }

    fn request(&self, topic: &str, qos: Qos, dup: bool) -> Result<Call, Breach> {
        let breach = |expected: String| Err(Breach::of(Rule::RrpcRequestFits, expected));
        if self.presence != Presence::Connected {
            return breach("no request: the device has no connection".to_owned());
        }
        if topic != self.terms.request_topic() {
            return breach(format!("the topic {}", self.terms.request_topic()));
        }
        let repeated = match self.request {
            Request::Sent(_) => return breach("no second request on this connection".to_owned()),
            Request::SentBefore(first) => {
                // The session has been handed over: what was not acknowledged comes again.
                if first != Qos::AtLeastOnce || qos != first {
                    return breach("no second request: the first one was at QoS 0".to_owned());
                }
                true
            }
            Request::Unsent => false,
        };
        // One that broke off unseen is a repetition to the server.
        let may_repeat = qos == Qos::AtLeastOnce && (repeated || self.had_another);
        if qos == Qos::ExactlyOnce || (repeated && !dup) || (dup && !may_repeat) {
            return breach(format!("QoS 0 or 1, DUP {}", u8::from(repeated)));
        }
        Ok(Call { request: Request::Sent(qos), ..self.clone() })
    }

    fn end(&self, now: Millis, outcome: &Outcome) -> Result<Call, Breach> {
        let breach = |rule, expected: &str| Err(Breach::of(rule, expected));
        if self.ended {
            return breach(Rule::RrpcCallEnds, "nothing: the call has ended");
        }
        match (outcome, &self.answer) {
            (Outcome::Success(payload), Some(answer)) if payload == answer => {}
            (Outcome::Success(_), Some(answer)) => {
                return Err(Breach::of(Rule::RrpcAnswerIsTheDevices, format!("the answer {}", readable(answer))));
            }
            (Outcome::Success(_), None) => {
                return breach(Rule::RrpcAnswerIsTheDevices, "no SUCCESS: the device has not answered");
            }
            (_, Some(_)) => return breach(Rule::RrpcAnswerIsTheDevices, "SUCCESS: the device has answered in time"),
            (Outcome::Timeout, None) if now < self.deadline => {
                return breach(Rule::RrpcTimeoutIsDue, "no TIMEOUT before the time is over");
            }
            (Outcome::Timeout, None) if self.was_never_there => {
                return breach(Rule::RrpcOfflineIsTrue, "OFFLINE: the device had no connection all the time");
            }
            (Outcome::Timeout, None) if self.owes_request() => {
                return breach(Rule::RrpcRequestIsSent, "a request to the device, which was connected all the time");
            }
            (Outcome::Offline, None) if !self.was_absent => {
                return breach(Rule::RrpcOfflineIsTrue, "no OFFLINE: the device was connected all the time");
            }
            (Outcome::HalfConnected, None) if !self.was_half_connected => {
                return breach(Rule::RrpcOfflineIsTrue, "no HALFCONN: the server could be sure where the device is");
            }
            (Outcome::Timeout | Outcome::Offline | Outcome::HalfConnected, None) => {}
        }
        Ok(Call { ended: true, ..self.clone() })
    }

    /// Whether the request is still missing where it must come.
    fn owes_request(&self) -> bool {
        let was_there = !self.was_absent && !self.had_another;
        self.request == Request::Unsent && self.terms.reach == Reach::Certain && was_there
    }

    /// What a server in this state would send, in canonical form: requests at QoS 0.
    #[must_use]
    pub fn outputs(&self, now: Millis) -> Vec<Output> {
        let request = match self.request {
            Request::Unsent => Some((Qos::AtMostOnce, false)),
            Request::SentBefore(Qos::AtLeastOnce) => Some((Qos::AtLeastOnce, true)),
            Request::Sent(_) | Request::SentBefore(_) => None,
        };
        let request = request.map(|(qos, dup)| Output::Request { topic: self.terms.request_topic(), qos, dup });
        let answer = self.answer.clone().map(Outcome::Success);
        let ends = [Outcome::Timeout, Outcome::Offline, Outcome::HalfConnected].into_iter().chain(answer);
        let mut outputs: Vec<Output> = request.into_iter().filter(|_| !self.ended).collect();
        outputs.extend(ends.map(Output::Ended));
        outputs.retain(|output| self.accept(now, output).is_ok());
        outputs
    }

    /// What must still come although everything has come to rest at `now`: a call ends as soon as it can, and by its time at the
    /// latest.
    #[must_use]
    pub fn owed(&self, profile: &Profile, now: Millis) -> Option<Breach> {
        if self.ended {
            return None;
        }
        match &self.answer {
            Some(answer) => Some(Breach::of(Rule::RrpcCallEnds, format!("SUCCESS with {}", readable(answer)))),
            None if self.owes_request() => {
                Some(Breach::of(Rule::RrpcRequestIsSent, format!("PUBLISH {}", self.terms.request_topic())))
            }
            None if now > self.ends_by(profile) => Some(Breach::of(Rule::RrpcCallEnds, "TIMEOUT")),
            None => None,
        }
    }
}

impl Request {
    /// After the connection that it was sent on.
    fn before(self) -> Request {
        match self {
            Request::Sent(qos) | Request::SentBefore(qos) => Request::SentBefore(qos),
            Request::Unsent => Request::Unsent,
        }
    }
}
