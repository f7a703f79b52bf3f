//! What clients see of the server, and what they still expect of it.

use super::ghost::{Delivered, Event, bit};
use super::party::{Actor, Party, TOLERANCE};
use super::scenario::{Scenario, Step};
use crate::packet::Qos;
use crate::profile::Feature;
use crate::server::{ConnectionId, Input, Message, MessageKey, Millis, Output};

impl Party {
    /// The client that holds `connection` gets a call, and will answer it. If it is gone, nobody does.
    pub(super) fn called(&self, connection: ConnectionId, answer: MessageKey) -> Option<Party> {
        let index = self.actors.iter().position(|actor| actor.link == Some(connection) && !actor.done)?;
        let mut actor = self.actors[index].clone();
        actor.answers.push(Input::Publish { message: answer, id: None, alias: None, offences: Vec::new() });
        Some(self.with(index, actor))
    }

    /// The client that holds `connection` sees an output at `now`, and the watcher hears of it. If it is gone, nobody does.
    pub(super) fn see(
        &self,
        scenario: &Scenario,
        connection: ConnectionId,
        output: &Output,
        now: Millis,
    ) -> Option<(Party, Option<Event>)> {
        let index = self.actors.iter().position(|actor| actor.link == Some(connection))?;
        let mut actor = self.actors[index].clone();
        if actor.done && *output != Output::Close {
            return None;
        }
        let event = match output {
            Output::Connack { session_present, .. } => {
                actor.connected = true;
                if !session_present {
                    actor.incoming.clear();
                }
                Some(Event::Connected { session_present: *session_present })
            }
            Output::Suback { .. } => {
                actor.asking = false;
                Some(Event::Subscribed { excluded: self.excluded(scenario) })
            }
            Output::Unsuback { .. } => {
                actor.asking = false;
                Some(Event::Unsubscribed)
            }
            Output::Puback { id, .. } | Output::Pubcomp { id, .. } => {
                let position = actor.unanswered.iter().position(|unanswered| unanswered.id == *id);
                let complete = position.map(|position| actor.unanswered.remove(position));
                complete.filter(|complete| !complete.released).map(|complete| Event::Acknowledged(complete.message))
            }
            Output::Pubrec { id, .. } => {
                actor.answers.push(Input::Pubrel { id: *id });
                let unanswered = actor.unanswered.iter_mut().find(|unanswered| unanswered.id == *id);
                unanswered.filter(|unanswered| !unanswered.released).map(|unanswered| {
                    unanswered.released = true;
                    Event::Acknowledged(unanswered.message)
                })
            }
            Output::Pubrel { id, .. } => {
                actor.incoming.retain(|known| known != id);
                actor.answers.push(Input::Pubcomp { id: *id });
                None
            }
            Output::Publish { .. } => self.delivered(scenario, index, &mut actor, output, now),
            Output::Close => {
                let has_reason = actor.done || self.actors.len() > 1;
                actor = Actor { done: true, ..actor.after_losing_connection() };
                (!has_reason).then_some(Event::ClosedWithoutReason)
            }
            Output::Pingresp | Output::Disconnect { .. } | Output::Auth { .. } => None,
        };
        Some((self.with(index, actor), event))
    }

    /// A message comes to one of them.
    fn delivered(
        &self,
        scenario: &Scenario,
        index: usize,
        actor: &mut Actor,
        output: &Output,
        now: Millis,
    ) -> Option<Event> {
        let Output::Publish { content, qos, id, dup, retain, .. } = output else { return None };
        let mut messages = scenario.vocabulary.messages();
        let (message, published) = messages.find(|(_, message)| message.content(scenario.version) == *content)?;
        let asked = self.asked(scenario);
        let delivered = Delivered {
            message,
            qos: *qos,
            id: *id,
            dup: *dup,
            retain: *retain,
            open: actor.open.clone(),
            receive_maximum: scenario.clients[self.part][index].receive_maximum,
            permitted: match scenario.profile.has(Feature::SubscriberQos) {
                true => published.qos.min(asked),
                false => published.qos,
            },
            asked,
            is_known: id.is_some_and(|id| actor.incoming.contains(&id)),
            lane: lane_of(scenario, published),
            is_unwanted: self.own_unwanted(scenario) & bit(message) != 0,
            // What has begun in time may be finished.
            is_expired: !dup
                && published.expiry.is_some_and(|expiry| now > Millis::from(expiry.interval) * 1000 + TOLERANCE),
        };
        if let Some(id) = *id {
            if !actor.open.contains(&(id, message)) {
                actor.open.push((id, message));
            }
            if *qos == Qos::ExactlyOnce && !actor.incoming.contains(&id) {
                actor.incoming.push(id);
                actor.incoming.sort();
            }
            actor.answers.push(match qos {
                Qos::ExactlyOnce => Input::Pubrec { id, refused: false },
                _ => Input::Puback { id },
            });
        }
        Some(Event::Delivered(delivered))
    }

    fn steps<'a>(&self, scenario: &'a Scenario) -> impl Iterator<Item = &'a Step> {
        scenario.clients[self.part].iter().flat_map(|role| &role.script)
    }

    /// The QoS that the script asks for.
    fn asked(&self, scenario: &Scenario) -> Qos {
        let asked = self.steps(scenario).filter_map(|step| match step {
            Step::Subscribe(_, options) => Some(options.qos),
            _ => None,
        });
        asked.max().unwrap_or_default()
    }

    /// Messages that need not come to its subscription, as a bit set.
    fn excluded(&self, scenario: &Scenario) -> u8 {
        let is_shared = |step: &Step| matches!(step, Step::Subscribe(filter, _) if Some(*filter) == scenario.share);
        if self.steps(scenario).any(is_shared) {
            return u8::MAX;
        }
        let may_stay_away = |message: &Message| {
            let has_wills = scenario.profile.has_in(Feature::Will, scenario.version);
            message.expiry.is_some() || (message.is_will && !has_wills)
        };
        let messages = scenario.vocabulary.messages().filter(|(_, message)| may_stay_away(message));
        messages.fold(self.own_unwanted(scenario), |set, (message, _)| set | bit(message))
    }

    /// Its own messages, if it has asked for No Local, as a bit set.
    fn own_unwanted(&self, scenario: &Scenario) -> u8 {
        let no_local = |step: &Step| matches!(step, Step::Subscribe(_, options) if options.no_local);
        if !self.steps(scenario).any(no_local) {
            return 0;
        }
        self.steps(scenario).fold(0, |set, step| match step {
            Step::Publish(message) => set | bit(*message),
            _ => set,
        })
    }

    /// Whether all that its scripts publish has reached the server once.
    pub(super) fn has_published(&self, scenario: &Scenario) -> bool {
        let is_publish = |input: &Input| matches!(input, Input::Publish { .. });
        self.actors.iter().zip(&scenario.clients[self.part]).all(|(actor, role)| {
            let to_come = role.script.iter().skip(actor.step).any(|step| matches!(step, Step::Publish(_)));
            !to_come && actor.unanswered.is_empty() && !actor.sent.iter().any(is_publish)
        })
    }
}

/// The messages among which order is kept, as a bit set: of one sender and QoS, on the one topic that there is.
fn lane_of(scenario: &Scenario, one: &Message) -> u8 {
    let in_lane = |other: &Message| other.sender == one.sender && other.qos == one.qos;
    let messages = scenario.vocabulary.messages().filter(|(_, other)| in_lane(other));
    messages.fold(0, |lane, (message, _)| lane | bit(message))
}
