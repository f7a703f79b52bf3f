//! Synchronous calls (RRPC): the cloud calls a device over topics and gets its answer, or learns why there is none.
//!
//! ```text
//!     cloud                        platform                          device
//!       │ Call::new ───────────────► │                                  │
//!       │                            │ ── Output::Request ────────────► │  /sys/{pk}/{dn}/rrpc/request/{id}
//!       │                            │ ◄──────── Input::Published ───── │  /sys/{pk}/{dn}/rrpc/response/{id}
//!       │ ◄──── Output::Ended ────── │                                  │
//! ```
//!
//! A [`Call`] follows one call, as a [`Session`](super::Session) follows one session: [`input`](Call::input) is what reaches the
//! server, [`accept`](Call::accept) asks whether an output may come now, [`outputs`](Call::outputs) are those of a server,
//! [`owed`](Call::owed) is what silence would break. Cloud and device are on different connections, so nothing is said of
//! the order in which one who watches both sees their ends: a call that has ended may have its request still on the way.

use super::Millis;
use super::identity::Identity;
use super::rule::{Breach, Rule};
use crate::device::{Device, Extras};
use crate::packet::Qos;
use crate::profile::{Feature, Profile};
use std::fmt;

/// The number of a call, unique and made by the cloud (P-RPC-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// Where a call goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallTopic {
    /// The system topics of calls (P-RPC-2).
    System,
    /// A topic of the device: one of its own, or a thing service (P-RPC-3, P-RPC-4).
    Custom(String),
}

/// What the cloud asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallTerms {
    /// Its number.
    pub message_id: MessageId,
    /// The device that is called.
    pub device: Device,
    /// The topic, without what the platform puts before it.
    pub topic: CallTopic,
    /// How long the caller waits, in milliseconds.
    pub timeout: Millis,
    /// Whether the request must reach a device that is connected.
    pub reach: Reach,
}

/// Whether a connected device must get the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// It must.
    Certain,
    /// The server may as well let the call time out.
    Open,
}

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

/// What reaches the server while the call is open.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Input {
    /// The device connects; an older connection of it is taken over.
    Connected,
    /// The device's connection breaks.
    Lost {
        /// When one keep alive has passed since its last packet.
        until: Millis,
    },
    /// The device sends DISCONNECT.
    Left,
    /// A device publishes.
    Published {
        /// Which one.
        device: Device,
        /// Where.
        topic: String,
        /// At which QoS.
        qos: Qos,
        /// What.
        payload: Vec<u8>,
    },
}

/// What comes from the server for the call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Output {
    /// PUBLISH to the device.
    Request {
        /// Where.
        topic: String,
        /// At which QoS.
        qos: Qos,
        /// DUP.
        dup: bool,
    },
    /// The caller's result.
    Ended(Outcome),
}

/// How a call ends (P-RPC-11).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// SUCCESS, with the answer.
    Success(Vec<u8>),
    /// TIMEOUT.
    Timeout,
    /// OFFLINE.
    Offline,
    /// HALFCONN.
    HalfConnected,
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

impl CallTerms {
    /// The topic of the request.
    #[must_use]
    pub fn request_topic(&self) -> String {
        match &self.topic {
            CallTopic::System => self.system_topic("request"),
            CallTopic::Custom(topic) => format!("/ext/rrpc/{}{topic}", self.message_id),
        }
    }

    /// The topic of the answer.
    #[must_use]
    pub fn response_topic(&self) -> String {
        match &self.topic {
            CallTopic::System => self.system_topic("response"),
            // P-RPC-3: both ways the same.
            CallTopic::Custom(_) => self.request_topic(),
        }
    }

    fn system_topic(&self, direction: &str) -> String {
        let (device, id) = (&self.device, self.message_id);
        format!("/sys/{}/{}/rrpc/{direction}/{id}", device.product_key(), device.name())
    }
}

impl Reach {
    /// Whether a device must get a call: without a subscription it may (P-RPC-6), on a custom topic that it has not asked for
    /// it may as well (X-46).
    #[must_use]
    pub fn of(topic: &CallTopic, is_subscribed: bool, extras: Extras) -> Reach {
        match topic {
            CallTopic::Custom(_) if !extras.custom_calls => Reach::Open,
            _ if !is_subscribed => Reach::Open,
            _ => Reach::Certain,
        }
    }
}

/// Whether a device answers a call with a PUBLISH to this topic. In a dialect without calls it never does.
#[must_use]
pub fn is_answer(profile: &Profile, identity: &Identity, topic: &str) -> bool {
    let Some(device) = identity.device().filter(|_| profile.has(Feature::Rrpc)) else { return false };
    let is_id = |text: &str| text.parse::<u64>().is_ok();
    let system = || {
        let rest = topic.strip_prefix("/sys/")?.strip_prefix(device.product_key())?.strip_prefix('/')?;
        rest.strip_prefix(device.name())?.strip_prefix("/rrpc/response/").map(is_id)
    };
    let custom = || topic.strip_prefix("/ext/rrpc/")?.split_once('/').map(|(id, _)| is_id(id));
    system().or_else(custom).unwrap_or(false)
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

    /// Whether an answer certainly counts: in time, at QoS 0 (P-RPC-7, X-43) and of a length that nobody doubts (X-45).
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
                // The session has been handed over (X-40): what was not acknowledged comes again.
                if first != Qos::AtLeastOnce || qos != first {
                    return breach("no second request: the first one was at QoS 0".to_owned());
                }
                true
            }
            Request::Unsent => false,
        };
        // X-42. One that broke off unseen is a repetition to the server.
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

fn readable(payload: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(payload))
}

/// Decimal, as the device copies it.
impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// As the platform's API spells it.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Success(payload) => write!(f, "SUCCESS {}", readable(payload)),
            Outcome::Timeout => f.write_str("TIMEOUT"),
            Outcome::Offline => f.write_str("OFFLINE"),
            Outcome::HalfConnected => f.write_str("HALFCONN"),
        }
    }
}
