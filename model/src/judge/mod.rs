//! **The judge**: the model following a trace.
//!
//! The peer is right as long as at least one state of the model explains all that was seen. The judge keeps a small set of
//! such states for each session (`track`), reads the bytes of both directions itself (`client_side`, `server_side`), and
//! moves the sets from event to event (`connecting`, `publishing`). When a set gets empty, the last one tells what was
//! permitted or owed instead: a [`Violation`] with its rule and statements. Silence is judged at the end: nothing may be
//! owed.
//!
//! ```
//! use model::judge::{Judge, Judgement, Observation, Timing};
//! use model::profile::Profile;
//! use model::server::ConnectionId;
//!
//! let profile = Profile::builtin("standard").expect("it is built in");
//! let mut judge = Judge::new(profile, Timing::virtual_time());
//! let link = ConnectionId(1);
//! judge.observe(0, link, Observation::Opened);
//! judge.observe(1, link, Observation::Sent(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a"));
//! judge.observe(2, link, Observation::Received(&[0x20, 0x02, 0x00, 0x00]));
//! judge.observe(3, link, Observation::Sent(&[0xC0, 0x00]));
//! let Judgement::Violates(violations) = judge.finish(10) else { panic!("PINGRESP is owed") };
//! assert_eq!(violations[0].rule, "pingreq-is-answered");
//! assert_eq!(violations[0].statements, ["MQTT-3.12.4-1"]);
//! ```
//!
//! Where more states explain a session than the judge follows, a trace is [`Inconclusive`](Judgement::Inconclusive), never a
//! pass.

mod announced;
mod client_side;
mod cloud;
mod connack;
mod connecting;
mod consumers;
mod devices;
mod explain;
mod figures;
mod logs;
mod offences;
mod publishing;
mod reading;
mod registering;
mod resting;
mod secrets;
mod server_side;
mod shares;
mod sweep;
mod track;
mod wills;

use crate::cloud::{Answer, PlatformMessage, Request};
use crate::device::Transport;
use crate::profile::Profile;
use crate::server::shared::Shared;
use crate::server::vocabulary::SenderKey;
use crate::server::{Context, MessageKey, Millis, RetainedMessages, Rule, Vocabulary};
use devices::Devices;
use reading::Reading;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use track::Track;

pub use crate::server::ConnectionId;
pub use cloud::CloudOffer;
pub use figures::Figures;
pub use registering::Unanswered;
pub use resting::Offer;

/// Follows the traffic of one server with all its clients. Who looks for what the server may do next clones it for each thing
/// that it might, and little of it changes then.
#[derive(Debug, Clone)]
pub struct Judge {
    profile: Arc<Profile>,
    timing: Timing,
    vocabulary: Shared<Vocabulary>,
    devices: Shared<Devices>,
    readings: BTreeMap<ConnectionId, Shared<Reading>>,
    senders: BTreeMap<String, SenderKey>,
    tracks: BTreeMap<SenderKey, Shared<Track>>,
    retained: RetainedMessages,
    wills: BTreeMap<MessageKey, wills::Will>,
    /// Until when Wills have been followed.
    followed_to: Millis,
    shared: shares::SharedDeliveries,
    cloud: cloud::Cloud,
    consumers: consumers::Consumers,
    /// How many CONNECT packets there have been.
    connects: u32,
    /// The vocabulary is swept when it holds more tokens.
    sweep_above: usize,
    violations: Vec<Violation>,
}

/// Something seen on a connection, with the client as the tester's side and the server as the side under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observation<'a> {
    /// The connection was opened.
    Opened,
    /// This carries it, where that is known. Comes before the first bytes.
    Carried(Transport),
    /// The client sent these bytes.
    Sent(&'a [u8]),
    /// These bytes came from the server.
    Received(&'a [u8]),
    /// The server ended the connection.
    ClosedByServer,
    /// The client ended the connection.
    ClosedByClient,
    /// The business server asked the platform's API for something, on a connection that nobody else uses.
    Asked {
        /// What.
        request: &'a Request,
        /// Whether it was signed as it must be.
        in_order: bool,
    },
    /// The platform's API answered.
    Answered(&'a Answer),
    /// A business server listens to the messages of devices, over AMQP.
    Consumes,
    /// A message of a device came to it.
    Delivered(&'a PlatformMessage),
    /// It said what became of a message.
    Settled {
        /// Which.
        message_id: &'a str,
        /// It is done with; else it has to come again.
        is_accepted: bool,
    },
}

/// How exactly the times of a trace can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How much earlier than its due time an event may seem to come, in milliseconds.
    pub early: Millis,
}

impl Timing {
    /// Times are exact.
    #[must_use]
    pub fn virtual_time() -> Timing {
        Timing { early: 0 }
    }

    /// Times are those of a real clock: a server may count in whole seconds, and begin before our clock was read.
    #[must_use]
    pub fn real_time() -> Timing {
        Timing { early: 1000 }
    }
}

/// What the judge says of a whole trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// The model explains all that was seen.
    Conforms,
    /// It does not. In the order of the trace.
    Violates(Vec<Violation>),
    /// No verdict, and why.
    Inconclusive(String),
}

/// Something that the model does not permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// When.
    pub at: Millis,
    /// Where.
    pub connection: ConnectionId,
    /// The rule that is broken, by name.
    pub rule: &'static str,
    /// The rule in a sentence.
    pub says: String,
    /// The statements that it stands for in the version of the connection, and the rows that the dialect is held to.
    pub statements: Vec<&'static str>,
    /// What was permitted or owed.
    pub expected: String,
    /// What came.
    pub seen: String,
}

impl Judge {
    /// A judge for a server of this dialect.
    #[must_use]
    pub fn new(profile: &Profile, timing: Timing) -> Judge {
        Judge {
            profile: Arc::new(profile.clone()),
            timing,
            vocabulary: Shared::default(),
            devices: Shared::default(),
            readings: BTreeMap::new(),
            senders: BTreeMap::new(),
            tracks: BTreeMap::new(),
            retained: RetainedMessages::default(),
            wills: BTreeMap::new(),
            followed_to: 0,
            shared: shares::SharedDeliveries::default(),
            cloud: cloud::Cloud::default(),
            consumers: consumers::Consumers::default(),
            connects: 0,
            sweep_above: 0,
            violations: Vec::new(),
        }
    }

    /// Takes one event. `at` is in milliseconds and never runs backwards.
    pub fn observe(&mut self, at: Millis, connection: ConnectionId, what: Observation<'_>) {
        self.follow_wills(at);
        match what {
            Observation::Opened => drop(self.readings.insert(connection, Reading::new(at).into())),
            Observation::Carried(transport) => self.devices.carried(connection, transport),
            Observation::Sent(bytes) => self.client_sent(at, connection, bytes),
            Observation::Received(bytes) => {
                self.check_silence(at, connection);
                self.server_sent(at, connection, bytes);
            }
            Observation::ClosedByServer => {
                self.consumer_leaves(connection);
                self.check_silence(at, connection);
                self.server_closed(at, connection);
            }
            Observation::ClosedByClient => {
                self.consumer_leaves(connection);
                self.client_closed(at, connection);
            }
            Observation::Asked { request, in_order } => self.cloud_asks(at, connection, request, in_order),
            Observation::Answered(answer) => self.cloud_answers(at, connection, answer),
            Observation::Consumes => self.consumer_attaches(connection),
            Observation::Delivered(message) => self.consumer_is_sent(at, connection, message),
            Observation::Settled { message_id, is_accepted } => self.consumer_settles(at, message_id, is_accepted),
        }
        self.sweep();
    }

    /// What was found so far, in the order of the trace. What is owed shows in [`finish`](Self::finish) only.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// All that tells this judge from another one of the same dialect and timing: two that hash alike say the same of
    /// whatever comes. For who explores what may happen and comes to the same state on several ways.
    #[doc(hidden)]
    pub fn fingerprint<H: Hasher>(&self, state: &mut H) {
        let Judge {
            profile: _,
            timing: _,
            vocabulary,
            devices,
            readings,
            senders,
            tracks,
            retained,
            wills,
            // Each event and each question brings it to its own time first.
            followed_to: _,
            shared,
            cloud,
            consumers,
            violations,
            connects,
            // When it is swept changes nothing that it says.
            sweep_above: _,
        } = self;
        (vocabulary, devices, readings, senders, tracks, retained, wills, shared).hash(state);
        (cloud, consumers, violations.len(), connects).hash(state);
    }

    /// The verdict, when everything has come to rest at `at`: what is still owed now is missing.
    #[must_use]
    pub fn finish(mut self, at: Millis) -> Judgement {
        self.follow_wills(at);
        let connections: Vec<ConnectionId> = self.readings.keys().copied().collect();
        for connection in connections {
            self.check_silence(at, connection);
        }
        self.check_registrations(at);
        let senders: Vec<SenderKey> = self.tracks.keys().copied().collect();
        for sender in senders {
            let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
            let Some(track) = self.tracks.get_mut(&sender) else { continue };
            if let Some((connection, breach)) = track.rest(&context) {
                self.report(at, connection, breach, "silence".to_owned());
            }
        }
        if let Some((connection, breach)) = self.owed_by_cloud(at).or_else(|| self.owed_to_consumers(at)) {
            self.report_of_cloud(at, connection, &breach, "silence".to_owned());
        }
        if let Some(why) = self.tracks.values().find_map(|track| track.overflow()) {
            return Judgement::Inconclusive(why);
        }
        match self.violations.is_empty() {
            true => Judgement::Conforms,
            false => Judgement::Violates(self.violations),
        }
    }

    /// Records a breach, and stops judging the session that it is about: its states are gone.
    fn report(&mut self, at: Millis, connection: ConnectionId, breach: crate::server::Breach, seen: String) {
        let statements = self.broken_by(connection, &breach);
        self.record(at, connection, breach.rule, statements, breach.expected, seen);
    }

    fn record(
        &mut self,
        at: Millis,
        connection: ConnectionId,
        rule: Rule,
        statements: Vec<&'static str>,
        expected: String,
        seen: String,
    ) {
        self.violations.push(Violation {
            at,
            connection,
            rule: rule.name(),
            says: rule.says().to_owned(),
            statements,
            expected,
            seen,
        });
        if let Some(track) = self.readings.get(&connection).and_then(|r| r.sender).and_then(|s| self.tracks.get_mut(&s))
        {
            track.abandon();
        }
    }

    /// Reports a connection that is open although its client has been silent for too long.
    fn check_silence(&mut self, at: Millis, connection: ConnectionId) {
        let Some(reading) = self.readings.get(&connection).filter(|reading| reading.is_open()) else { return };
        let silence = at.saturating_sub(reading.last_sent);
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        let overdue = reading
            .sender
            .and_then(|sender| self.tracks.get(&sender))
            .and_then(|track| track.silence_limit(&context, connection).filter(|limit| silence > *limit));
        if let Some(limit) = overdue {
            let expected = format!("the close of the connection at most {limit} ms after the client's last packet");
            let breach = crate::server::Breach::of(Rule::KeepAliveCloses, expected);
            self.report(at, connection, breach, format!("an open connection after {silence} ms"));
        }
    }
}
