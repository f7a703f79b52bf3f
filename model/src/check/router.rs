//! The server between its sessions: where messages go, what is retained, and the time.

use super::ghost::Event;
use super::intern::{EmissionKey, EventKey, InputsKey, PartyKey, RouterKey, SessionKey};
use super::system::{State, System};
use crate::packet::{Qos, RetainHandling};
use crate::profile::Feature;
use crate::server::{ConnectionId, Input, MessageKey, Millis, Moment, RetainedMessages, SeededBug, Session, Shares};
use std::sync::Arc;

/// A session at a moment: time is part of it, so rules that look at the clock are memoised like any other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Timed {
    pub(super) session: Session,
    pub(super) now: Millis,
}

/// What the server holds beside its sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Router {
    pub(super) now: Millis,
    pub(super) retained: RetainedMessages,
}

/// What a server may do for a session by itself.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) link: Option<ConnectionId>,
    /// What it may send, with the number of its choice.
    pub(super) emissions: Vec<(EmissionKey, SessionKey, usize)>,
    /// Wills that it may publish, and the session without them.
    pub(super) wills: Vec<(MessageKey, SessionKey)>,
}

/// What follows when the server takes an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) session: SessionKey,
    /// The message that it brings to others.
    pub(super) message: Option<MessageKey>,
    /// What the watcher hears.
    pub(super) event: Option<EventKey>,
}

impl System {
    pub(super) fn service(&self, key: SessionKey) -> &Service {
        self.sessions.derived(key, |Timed { session, now }| {
            let context = self.context();
            let moment = Moment { now: *now, silence: 0 };
            let timed = |session| self.sessions.key(Timed { session, now: *now });
            let mut emissions = Vec::new();
            for (connection, output) in session.outputs(&context, moment) {
                let accepted = session.accept(&context, moment, connection, &output);
                let emission = self.emissions.key((connection, output, *now));
                for (choice, after) in accepted.unwrap_or_default().into_iter().enumerate() {
                    emissions.push((emission, timed(after), choice));
                }
            }
            let wills = session.possible_wills(moment, 0).map(|will| (will, timed(session.without_will(will))));
            Service { link: session.link.as_ref().map(|link| link.id), emissions, wills: wills.collect() }
        })
    }

    /// What may follow when the server takes an input for a session.
    pub(super) fn taken(&self, key: SessionKey, inputs: InputsKey) -> Arc<[Taken]> {
        self.taken.get((key, inputs), || {
            let context = self.context();
            let Timed { session, now } = self.sessions.get(key);
            let [input] = self.inputs.get(inputs).as_slice() else { return Arc::default() };
            let message = match input {
                // A QoS 2 message that comes again goes nowhere.
                Input::Publish { message, id: Some(id), .. }
                    if context.vocabulary.of(*message).qos == Qos::ExactlyOnce && session.has_taken(&context, *id) =>
                {
                    None
                }
                Input::Publish { message, .. } => Some(*message),
                _ => None,
            };
            let event = met_by(session, input).or_else(|| Event::of_taking(input, *now));
            let event = event.map(|event| self.events.key(event));
            let successors = session.input(&context, *now, input).into_iter().map(|mut session| {
                if self.bug == Some(SeededBug::KeepsOlderConnection) {
                    session.older.clear();
                }
                Taken { session: self.sessions.key(Timed { session, now: *now }), message, event }
            });
            successors.collect()
        })
    }

    /// A SUBSCRIBE as it reaches the session: with the retained messages that its filters fit.
    pub(super) fn met(&self, router: RouterKey, inputs: InputsKey) -> InputsKey {
        self.met.get((router, inputs), || {
            let (mut packets, retained) = (self.inputs.get(inputs).clone(), &self.routers.get(router).retained);
            let vocabulary = &self.scenario.vocabulary;
            for packet in &mut packets {
                let Input::Subscribe { requests, .. } = packet else { continue };
                for request in requests {
                    request.retained = retained.met_by(|topic| vocabulary.matches(request.filter, topic));
                }
            }
            self.inputs.key(packets)
        })
    }

    /// Those who may get a message for the group of a Shared Subscription; nobody if there is no group, or no member.
    pub(super) fn members(&self, state: &State, message: MessageKey) -> Vec<usize> {
        let Some(share) = self.scenario.share else { return Vec::new() };
        if !self.scenario.vocabulary.matches(share, self.scenario.vocabulary.of(message).topic) {
            return Vec::new();
        }
        let is_member = |session: &Session| {
            session.kept.iter().flat_map(|kept| &kept.subscriptions).any(|subscription| subscription.filter == share)
        };
        let identities = self.identities(state).iter().enumerate();
        let members = identities.filter(|(_, identity)| is_member(&self.sessions.get(identity.session).session));
        members.map(|(index, _)| index).collect()
    }

    /// The message meets the subscriptions of every session at once; for a Shared Subscription one member is chosen.
    pub(super) fn route(&self, state: &mut State, publisher: usize, message: MessageKey, member: Option<usize>) {
        for index in 0..self.scenario.clients.len() {
            let key = state.identities[index].session;
            let (own, chosen) = (index == publisher, member == Some(index));
            state.identities[index].session = self.routed.get((key, message, own, chosen), || {
                let context = self.context();
                let Timed { session, now } = self.sessions.get(key);
                let chosen = self.scenario.share.filter(|_| chosen);
                let shares = Shares::Chosen(chosen.as_slice());
                let routing = session.routing(&context, self.scenario.vocabulary.of(message), own, shares);
                let session = session.float(message, routing).settle(&context, message);
                self.sessions.key(Timed { session, now: *now })
            });
        }
        let published = self.scenario.vocabulary.of(message);
        if published.retain && self.scenario.profile.has_in(Feature::RetainedMessages, self.scenario.version) {
            let mut router = self.routers.get(state.router).clone();
            router.retained.sent(published.topic, message, false, false);
            router.retained.taken(published.topic, message);
            state.router = self.routers.key(router);
        }
    }

    /// The next moment that the scenario looks at. Message Expiry Intervals count from the beginning: so time waits for all
    /// that is published.
    pub(super) fn next_moment(&self, state: &State) -> Option<Millis> {
        if self.scenario.moments.is_empty() {
            return None;
        }
        let has_published = |party: PartyKey| self.parties.get(party).has_published(&self.scenario);
        if !self.identities(state).iter().all(|identity| has_published(identity.party)) {
            return None;
        }
        let now = self.routers.get(state.router).now;
        self.scenario.moments.iter().copied().find(|moment| *moment > now)
    }

    /// The time passes, for all at once.
    pub(super) fn pass(&self, state: &mut State, now: Millis) {
        let router = self.routers.get(state.router).clone();
        state.router = self.routers.key(Router { now, ..router });
        for identity in &mut state.identities[..self.scenario.clients.len()] {
            let session = self.sessions.get(identity.session).session.clone();
            identity.session = self.sessions.key(Timed { session, now });
        }
    }
}

/// What the watcher hears of a SUBSCRIBE: the retained messages that it asks for (3.8.3.1 of 5.0).
fn met_by(session: &Session, input: &Input) -> Option<Event> {
    let Input::Subscribe { requests, .. } = input else { return None };
    let subscriptions = || session.kept.iter().flat_map(|kept| &kept.subscriptions);
    let asked = requests.iter().filter(|request| match request.options.retain_handling {
        RetainHandling::Send => true,
        RetainHandling::SendIfNew => !subscriptions().any(|held| held.filter == request.filter),
        RetainHandling::DoNotSend => false,
    });
    let met: Vec<MessageKey> = asked.flat_map(|request| &request.retained).map(|met| met.message).collect();
    (!met.is_empty()).then_some(Event::Meets(met))
}
