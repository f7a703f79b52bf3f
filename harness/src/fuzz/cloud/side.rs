//! The business server's hands: what it asks, what it hears.

use super::command::CloudDeed;
use crate::case::{AMQP, API, Line, Settlement, line};
use crate::cloud::{Business, Consumer, Signer, Told, lock};
use crate::fuzz::connections::{Arrived, Connections};
use crate::fuzz::walk::Walker;
use crate::fuzz::walked::Did;
use crate::target::Peer;
use crate::trace::{ConnectionId, Event, Recorder, What};
use model::cloud::{Answer, PlatformMessage};
use model::packet::ProtocolVersion;
use model::profile::Profile;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// How long the platform may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the end of a walk waits for answers at most, and how long at once.
const LONGEST_CALL: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(500);

/// The cloud side of a peer, and what it knows.
#[derive(Debug)]
pub(in crate::fuzz) struct CloudSide {
    business: Business,
    signer: Signer,
    /// What comes over AMQP is noted here first, for it comes whenever it likes.
    recorder: Recorder,
    /// The numbers of requests that wait for their answers.
    waiting: BTreeMap<ConnectionId, u32>,
    consumer: Option<(ConnectionId, Consumer)>,
    /// Messages that are not settled, oldest first.
    unsettled: Vec<(usize, Vec<u8>)>,
    /// Calls that came to devices: what each says, and its topic.
    called: Vec<(Vec<u8>, String)>,
}

impl CloudSide {
    /// That of this peer.
    pub(in crate::fuzz) fn of(peer: &Peer, profile: &Profile, unique: &str, connections: &Connections) -> CloudSide {
        connections.run(async {
            let (business, key) = Business::of(peer, None, profile.registry());
            CloudSide {
                business,
                signer: Signer::new(key, unique),
                recorder: Recorder::start(),
                waiting: BTreeMap::new(),
                consumer: None,
                unsettled: Vec::new(),
                called: Vec::new(),
            }
        })
    }

    /// What came over AMQP, and what was done about it.
    pub(in crate::fuzz) fn take(&mut self) -> Vec<Event> {
        self.recorder.take().events
    }

    /// Whether the business server listens.
    pub(in crate::fuzz) fn listens(&self) -> bool {
        self.consumer.is_some()
    }

    /// The payloads of messages that are not settled.
    pub(in crate::fuzz) fn unsettled(&self) -> Vec<Vec<u8>> {
        self.unsettled.iter().map(|(_, payload)| payload.clone()).collect()
    }

    /// What the calls say that came to devices.
    pub(in crate::fuzz) fn calls(&self) -> Vec<Vec<u8>> {
        self.called.iter().map(|(payload, _)| payload.clone()).collect()
    }

    /// The topic of the request that says this.
    pub(in crate::fuzz) fn topic_of_call(&self, payload: &[u8]) -> Option<&str> {
        self.called.iter().rev().find(|(said, _)| said == payload).map(|(_, topic)| topic.as_str())
    }

    /// A device got a PUBLISH: it may be the request of a call.
    pub(in crate::fuzz) fn learn(&mut self, topic: &str, payload: &[u8]) {
        if topic.contains("/rrpc/") {
            self.called.push((payload.to_vec(), topic.to_owned()));
        }
    }
}

impl Walker {
    /// The cloud side does something. `false` if it does not apply.
    pub(in crate::fuzz) fn does_in_the_cloud(&mut self, deed: &CloudDeed) -> bool {
        if !self.names.are_of_devices() {
            return false;
        }
        match deed {
            CloudDeed::Ask { number, times, request } => (0..*times).all(|more| self.ask(number + more, request)),
            CloudDeed::Listen => !self.cloud.listens() && self.listen(),
            CloudDeed::Leave => self.leave(),
            CloudDeed::Settle { payload, is_accepted } => self.settle_message(payload, *is_accepted),
        }
    }

    fn ask(&mut self, number: u32, request: &str) -> bool {
        let request = request.replace("$N", &number.to_string());
        let step = format!("{API} -> {request}");
        let Ok(Line::Asks(prepared)) = line(&step, ProtocolVersion::V5_0, &mut self.scope) else { return false };
        let connection = self.next_connection();
        let signed = self.cloud.signer.sign(&prepared);
        self.record(connection, What::Opened(API.to_owned()));
        let asked = What::Asked { request: Box::new(prepared.request.clone()), in_order: signed.in_order };
        self.record(connection, asked);
        let asking = self.cloud.business.ask(&prepared.request, signed, PATIENCE + prepared.call_time());
        self.connections.expect(connection, async { Arrived::Answer(asking.await) });
        self.cloud.waiting.insert(connection, number);
        self.log(None, Did::Ask { number, request });
        true
    }

    /// An answer of the API came.
    pub(in crate::fuzz) fn answered(&mut self, at: Duration, connection: ConnectionId, answer: Result<Answer, String>) {
        let Some(number) = self.cloud.waiting.remove(&connection) else { return };
        // That there is none, the judge sees.
        if let Ok(answer) = answer {
            self.record_at(at, connection, What::Answered(Box::new(answer.clone())));
            self.log(None, Did::BeAnswered { number, answer: Box::new(answer) });
        }
    }

    fn listen(&mut self) -> bool {
        let connection = self.next_connection();
        self.record(connection, What::Opened(AMQP.to_owned()));
        let recorder = self.cloud.recorder.clone();
        let told = Told { connection, recorder, changed: Arc::new(Notify::new()), own: None };
        let Ok(consumer) = self.connections.run(self.cloud.business.consume(PATIENCE, told)) else { return false };
        self.record(connection, What::Consumes);
        self.cloud.consumer = Some((connection, consumer));
        self.log(None, Did::Listen);
        true
    }

    fn leave(&mut self) -> bool {
        let Some((connection, consumer)) = self.cloud.consumer.take() else { return false };
        self.cloud.business.stop_consuming(connection);
        drop(consumer);
        self.cloud.unsettled.clear();
        self.record(connection, What::ClosedByHarness);
        self.log(None, Did::Leave);
        true
    }

    fn settle_message(&mut self, payload: &[u8], is_accepted: bool) -> bool {
        let Some(index) = self.cloud.unsettled.iter().position(|(_, unsettled)| unsettled == payload) else {
            return false;
        };
        let Some((_, consumer)) = &self.cloud.consumer else { return false };
        let (number, payload) = self.cloud.unsettled.remove(index);
        let settlement = if is_accepted { Settlement::Accepted } else { Settlement::Released };
        consumer.settle(number, settlement);
        self.log(None, Did::Settle { payload, is_accepted });
        true
    }

    /// Something happened over AMQP.
    pub(in crate::fuzz) fn heard(&mut self, event: Event) {
        let Event { at, connection, what } = event;
        let message: Option<PlatformMessage> = match &what {
            What::Delivered(message) => Some((**message).clone()),
            _ => None,
        };
        self.record_at(at, connection, what);
        let Some(message) = message else { return };
        if let Some((_, consumer)) = &self.cloud.consumer {
            let arrived = std::mem::take(&mut lock(&consumer.inbox).messages);
            self.cloud.unsettled.extend(arrived.into_iter().map(|arrived| (arrived.number, arrived.message.payload)));
        }
        self.log(None, Did::Hear(Box::new(message)));
    }

    /// Waits for the answers that are still under way.
    pub(in crate::fuzz) fn await_answers(&mut self) {
        let mut waited = Duration::ZERO;
        while !self.cloud.waiting.is_empty() && waited < LONGEST_CALL {
            self.connections.sleep(PAUSE);
            waited += PAUSE;
            self.drain();
        }
    }
}
