//! A synchronous call of the cloud (RRPC) beside the device's session: the device is the first client identifier.

use super::ghost::Event;
use super::intern::{CallOutputKey, InputsKey, RouterKey};
use super::router::Router;
use super::state::State;
use super::system::System;
use crate::server::rrpc::{self, Call, CallTerms, Outcome, Presence};
use crate::server::session::Phase;
use crate::server::{Input, MessageKey, Millis, SeededBug, Session};

/// The call that a scenario makes, once, at any moment.
#[derive(Debug, Clone)]
pub(super) struct CallPlan {
    pub(super) terms: CallTerms,
    /// What the device publishes when it gets the request.
    pub(super) answer: MessageKey,
}

/// How long a server may be unsure of a connection that broke, in milliseconds.
const HALF_CONNECTED: Millis = 2_000;

impl System {
    /// The call can be made: what the server holds then. It is made once.
    pub(super) fn possible_call(&self, state: &State) -> Option<RouterKey> {
        let plan = self.scenario.call.as_ref()?;
        let router = self.routers.get(state.router);
        // One that is not over at the last moment would never be.
        let is_late = self.scenario.moments.last().is_none_or(|last| router.now + plan.terms.timeout > *last);
        if router.call.is_some() || is_late {
            return None;
        }
        let presence = match self.device(state).link.as_ref().map(|link| link.phase) {
            Some(Phase::Connecting { .. } | Phase::Connected) => Presence::Connected,
            _ => Presence::Offline,
        };
        let call = Call::new(self.scenario.profile, router.now, plan.terms.clone(), presence).ok()?;
        Some(self.routers.key(Router { call: Some(call), ..router.clone() }))
    }

    /// The call is made.
    pub(super) fn call(&self, state: &mut State, router: RouterKey) {
        state.router = router;
        if let Some(call) = &self.routers.get(router).call {
            let due = self.routers.get(router).now + call.terms().timeout;
            self.note(state, 0, self.events.key(Event::Calls { due }));
        }
    }

    fn device(&self, state: &State) -> &Session {
        &self.sessions.get(state.identities[0].session).session
    }

    /// What the server may hold after it has taken an input of the device; nothing if the call does not hear of it.
    pub(super) fn call_hears(&self, state: &State, identity: usize, inputs: InputsKey) -> Vec<RouterKey> {
        let router = self.routers.get(state.router);
        let (Some(plan), Some(call), 0) = (&self.scenario.call, &router.call, identity) else {
            return Vec::new();
        };
        let heard = match self.inputs.get(inputs).as_slice() {
            [Input::Connect(_)] => rrpc::Input::Connected,
            [Input::Lost] => rrpc::Input::Lost { until: router.now + HALF_CONNECTED },
            [Input::Disconnect { .. }] => rrpc::Input::Left,
            [Input::Publish { message, .. }]
                if *message == plan.answer && self.bug != Some(SeededBug::IgnoresAnswers) =>
            {
                let published = self.scenario.vocabulary.of(*message);
                let content = self.scenario.vocabulary.content_of(published.content_3);
                rrpc::Input::Published {
                    device: plan.terms.device.clone(),
                    topic: content.topic.clone(),
                    qos: published.qos,
                    payload: content.payload.clone(),
                }
            }
            _ => return Vec::new(),
        };
        let after = call.input(self.scenario.profile, router.now, &heard).into_iter();
        after.map(|call| self.routers.key(Router { call: Some(call), ..router.clone() })).collect()
    }

    /// What the server may send for the call, to the device or to the cloud. Faults are planted here: the rules of a call know
    /// none.
    pub(super) fn call_emissions(&self, state: &State) -> Vec<(CallOutputKey, RouterKey)> {
        let router = self.routers.get(state.router);
        let Some(call) = &router.call else { return Vec::new() };
        let is_connected = self.device(state).link.as_ref().is_some_and(|link| link.phase == Phase::Connected);
        let now = match self.bug {
            Some(SeededBug::TimesOutEarly) => router.now + call.terms().timeout,
            _ => router.now,
        };
        let is_possible = |output: &rrpc::Output| match output {
            rrpc::Output::Request { .. } => is_connected,
            rrpc::Output::Ended(Outcome::Success(_)) => true,
            rrpc::Output::Ended(_) => self.bug != Some(SeededBug::ForgetsCalls),
        };
        let outputs = call.outputs(now).into_iter().filter(is_possible);
        let emissions = outputs.filter_map(|output| {
            let after = match (&output, self.bug) {
                (rrpc::Output::Ended(_), Some(SeededBug::EndsCallsTwice)) => call.clone(),
                _ => call.accept(now, &output).ok()?,
            };
            Some((self.call_outputs.key(output), self.routers.key(Router { call: Some(after), ..router.clone() })))
        });
        emissions.collect()
    }

    /// The device gets a request, or the cloud its result.
    pub(super) fn call_emits(&self, state: &mut State, output: CallOutputKey, router: RouterKey) {
        let now = self.routers.get(state.router).now;
        state.router = router;
        match self.call_outputs.get(output) {
            rrpc::Output::Request { .. } => {
                let party = self.parties.get(state.identities[0].party);
                let link = self.device(state).link.as_ref().map(|link| link.id);
                let called =
                    link.zip(self.scenario.call.as_ref()).and_then(|(link, plan)| party.called(link, plan.answer));
                if let Some(called) = called {
                    state.identities[0].party = self.parties.key(called);
                    self.note(state, 0, self.events.key(Event::Called));
                }
            }
            rrpc::Output::Ended(outcome) => {
                let event = match outcome {
                    Outcome::Success(_) => Event::CallSucceeds,
                    outcome => Event::CallFails { by_timeout: *outcome == Outcome::Timeout, now },
                };
                self.note(state, 0, self.events.key(event));
            }
        }
    }

    /// Whether a call is on its way.
    pub(super) fn is_calling(&self, state: &State) -> bool {
        self.routers.get(state.router).call.as_ref().is_some_and(|call| !call.is_ended())
    }
}
