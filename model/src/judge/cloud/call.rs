//! A call that may be under way: a set of states, like a session's.

use crate::device::Device;
use crate::profile::Profile;
use crate::server::rrpc::{self, Call, CallTerms, CallTopic, MessageId};
use crate::server::{Breach, ContentKey, Millis};
use std::collections::BTreeSet;

/// A call that may be under way.
#[derive(Debug, Clone, Hash)]
pub(super) struct OpenCall {
    /// What explains it.
    pub(super) states: BTreeSet<Call>,
    pub(super) payload: Vec<u8>,
    /// Its number, once it has shown.
    pub(super) number: Option<MessageId>,
    /// The number that a server could give it, and the request with it in 3.x and 5.0.
    pub(super) proposed: MessageId,
    pub(super) contents: [ContentKey; 2],
}

impl OpenCall {
    pub(super) fn terms(&self) -> Option<&CallTerms> {
        self.states.first().map(Call::terms)
    }

    pub(super) fn device(&self) -> Option<&Device> {
        self.terms().map(|terms| &terms.device)
    }

    /// The states that follow when all of them take an input.
    pub(super) fn hear(&mut self, profile: &Profile, now: Millis, input: &rrpc::Input) {
        self.states = self.states.iter().flat_map(|call| call.input(profile, now, input)).collect();
    }

    /// The states that allow an output; the first objection if there is none.
    pub(super) fn accept(&mut self, now: Millis, output: &rrpc::Output) -> Result<(), Breach> {
        let mut objection = None;
        let mut next = BTreeSet::new();
        for call in &self.states {
            match call.accept(now, output) {
                Ok(call) => drop(next.insert(call)),
                Err(breach) => drop(objection.get_or_insert(breach)),
            }
        }
        match objection {
            Some(breach) if next.is_empty() => Err(breach),
            _ => {
                self.states = next;
                Ok(())
            }
        }
    }

    pub(super) fn is_numbered(&mut self, number: MessageId) {
        self.number = Some(number);
        self.states = self.states.iter().map(|call| call.clone().numbered(number)).collect();
    }

    /// Whether nobody could tell the two apart but by their numbers.
    pub(super) fn is_like(&self, other: &OpenCall) -> bool {
        let key =
            |call: &OpenCall| call.terms().map(|terms| (terms.device.clone(), terms.topic.clone(), terms.timeout));
        self.payload == other.payload && key(self) == key(other)
    }

    /// What it owes in every state.
    pub(super) fn owed(&self, profile: &Profile, at: Millis) -> Option<Breach> {
        let mut owed = self.states.iter().map(|state| state.owed(profile, at));
        let first = owed.next()??;
        owed.all(|owed| owed.is_some()).then_some(first)
    }
}

/// What a PUBLISH to a device is, if it is the request of a call.
pub(super) fn requested(device: &Device, topic: &str) -> Option<(MessageId, CallTopic)> {
    let system = format!("/sys/{}/{}/rrpc/request/", device.product_key(), device.name());
    if let Some(id) = topic.strip_prefix(&system) {
        return Some((MessageId(id.parse().ok()?), CallTopic::System));
    }
    let (id, rest) = topic.strip_prefix("/ext/rrpc/")?.split_once('/')?;
    Some((MessageId(id.parse().ok()?), CallTopic::Custom(format!("/{rest}"))))
}
