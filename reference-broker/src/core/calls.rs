//! Synchronous calls (RRPC): a request to a device, and one answer within the time of the caller.

use super::broker::{Core, Milliseconds};
use super::cloud::{CloudEvent, MessageId, Presence};
use super::log::{Entry, Operation};
use super::timers::Timer;
use crate::switch::Switch;
use model::device::Device;
use model::packet::Utf8String;

/// A call of the cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRequest {
    /// Whom.
    pub device: Device,
    /// A topic of the device, without what is put before it; none for the system topics of calls (P-RPC-2, P-RPC-3).
    pub topic: Option<String>,
    /// What the device gets.
    pub payload: Vec<u8>,
    /// How long the caller waits, in milliseconds.
    pub timeout: Milliseconds,
}

/// How a call ends (P-RPC-11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallOutcome {
    /// The device has answered this.
    Answered(Vec<u8>),
    /// It has not, in time.
    Timeout,
    /// It is not connected.
    Offline,
    /// Its connection broke a moment ago.
    HalfConnected,
}

/// A call that waits for its answer.
#[derive(Debug)]
pub(super) struct OpenCall {
    device: Device,
    response_topic: String,
    deadline: Milliseconds,
}

impl Core {
    /// Calls a device. How the call ends is told by [`next_cloud_event`](Core::next_cloud_event), perhaps at once.
    pub fn call(&mut self, now: Milliseconds, request: CallRequest) -> MessageId {
        self.advance(now);
        let id = self.cloud.next_id();
        let CallRequest { device, topic, payload, timeout } = request;
        let Some((connection, custom_calls)) = self.connection_of(&device) else {
            let outcome = match self.presence(&device) {
                Presence::HalfConnected => CallOutcome::HalfConnected,
                Presence::Online | Presence::Offline => CallOutcome::Offline,
            };
            self.end_call(id, device, outcome);
            return id;
        };
        let (request_topic, response_topic) = topics(&device, topic.as_deref(), id);
        // who has not asked for calls on custom topics gets none.
        let is_wanted = topic.is_none() || custom_calls;
        if is_wanted && !self.settings.misbehaves(Switch::CallNotSent) {
            let content = format!("Publish message to device,QoS=0,topic:{request_topic}");
            self.note(Entry::new(device.clone(), Operation::Downlink, content).of_message(id));
            self.push(connection, &request_topic, &payload);
        }
        let timeout = if self.settings.misbehaves(Switch::CallTimesOutEarly) { timeout / 2 } else { timeout };
        let deadline = self.now + timeout;
        self.timers.set(deadline, Timer::Call(id));
        self.cloud.calls.insert(id, OpenCall { device, response_topic, deadline });
        id
    }

    /// The time of a call is over.
    pub(super) fn call_is_due(&mut self, id: MessageId) {
        if let Some(call) = self.cloud.calls.remove(&id) {
            self.note(Entry::new(call.device.clone(), Operation::Call, "Response timeout".to_owned()).of_message(id));
            self.end_call(id, call.device, CallOutcome::Timeout);
        }
    }

    /// Whether a message is for a call, open or not: then it is nobody else's. The first one in time is the answer; a later
    /// one, or one of another device, has no effect (P-RPC-14, X-44).
    pub(super) fn takes_answer(&mut self, device: &Device, topic: &Utf8String, payload: &[u8]) -> bool {
        let Some(id) = answered_call(device, topic) else { return false };
        let takes_foreign = self.settings.misbehaves(Switch::ForeignAnswerTaken);
        let is_its = |call: &OpenCall| call.response_topic == topic.as_str() && call.device == *device;
        let Some(call) = self.cloud.calls.get(&id).filter(|call| is_its(call) || takes_foreign) else { return true };
        if self.settings.misbehaves(Switch::AnswerIgnored) {
            return true;
        }
        self.timers.cancel(call.deadline, Timer::Call(id));
        if let Some(call) = self.cloud.calls.remove(&id) {
            let mut payload = payload.to_vec();
            if self.settings.misbehaves(Switch::AnswerChanged) {
                payload.push(b'?');
            }
            self.end_call(id, call.device, CallOutcome::Answered(payload));
        }
        true
    }

    fn end_call(&mut self, id: MessageId, device: Device, outcome: CallOutcome) {
        let outcome = match outcome {
            CallOutcome::Offline if self.settings.misbehaves(Switch::OfflineIsTimeout) => CallOutcome::Timeout,
            CallOutcome::Timeout if self.settings.misbehaves(Switch::TimeoutIsOffline) => CallOutcome::Offline,
            outcome => outcome,
        };
        self.note(Entry::new(device, Operation::Call, "Rrpc finished".to_owned()).of_message(id));
        self.cloud.tell(CloudEvent::CallEnded { id, outcome });
    }
}

/// The topics of request and answer.
fn topics(device: &Device, custom: Option<&str>, id: MessageId) -> (String, String) {
    match custom {
        Some(topic) => {
            let both = format!("/ext/rrpc/{id}{topic}");
            (both.clone(), both)
        }
        None => {
            let (product_key, name) = (device.product_key(), device.name());
            let topic = |direction| format!("/sys/{product_key}/{name}/rrpc/{direction}/{id}");
            (topic("request"), topic("response"))
        }
    }
}

/// The call that a device answers with a message to this topic.
fn answered_call(device: &Device, topic: &str) -> Option<MessageId> {
    let system = || {
        let rest = topic.strip_prefix("/sys/")?.strip_prefix(device.product_key())?.strip_prefix('/')?;
        rest.strip_prefix(device.name())?.strip_prefix("/rrpc/response/")
    };
    let custom = || topic.strip_prefix("/ext/rrpc/")?.split_once('/').map(|(id, _)| id);
    system().or_else(custom)?.parse().ok().map(MessageId)
}
