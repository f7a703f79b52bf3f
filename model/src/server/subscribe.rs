//! SUBSCRIBE and UNSUBSCRIBE, their answers, and where a message meets the subscriptions.

use super::alphabet::FilterRequest;
use super::qos_set::QosSet;
use super::rule::{Breach, Context, Rule, SeededBug};
use super::session::{Grant, Phase, Response, Routing, Session, Subscription};
use super::vocabulary::{FilterKey, Message};
use crate::packet::{PacketId, PacketType, Qos};
use crate::profile::{Code, Feature, Offence, Reaction};

impl Session {
    /// SUBSCRIBE is taken: each filter acts as a SUBSCRIBE of its own, with one joint SUBACK (MQTT-3.8.4-4; 5.0: -5).
    pub(super) fn subscribe(&self, context: &Context<'_>, id: PacketId, requests: &[FilterRequest]) -> Vec<Session> {
        let limit = context.profile.limits().filters_per_subscribe;
        let too_many = limit.is_some_and(|limit| requests.len() > usize::from(limit));
        let whole = too_many.then_some(Offence::TooManyFilters);
        let grants: Vec<Grant> = requests.iter().map(|request| self.grant(context, request, whole)).collect();
        let mut served = self.responding(Response::Suback(id, grants.clone()));
        if let Some(kept) = &mut served.kept {
            for (request, grant) in requests.iter().zip(&grants) {
                if grant.granted.is_empty() {
                    continue;
                }
                // The same filter again replaces the subscription (MQTT-3.8.4-3).
                let same = |held: &Subscription| held.filter == request.filter;
                let replaced = kept.subscriptions.iter().find(|held| same(held)).copied();
                let may_fail = grant.may_refuse || grant.offence.is_some() || whole.is_some();
                kept.subscriptions.retain(|held| !same(held));
                kept.subscriptions.push(Subscription {
                    filter: request.filter,
                    granted: grant.granted,
                    pending: Some(id),
                    no_local: request.options.no_local,
                    before: replaced.filter(|_| may_fail).map(|held| (held.granted, held.no_local)),
                });
            }
            kept.subscriptions.sort();
        }
        match whole.or_else(|| requests.iter().find_map(|request| request.offence)) {
            None => vec![served],
            Some(offence) => self.offend(
                context,
                offence,
                &[
                    (Reaction::Suback(Code::AnyError), served.clone()),
                    (Reaction::SubackThenClose(Code::AnyError), served.clone()),
                    (Reaction::Accept, served),
                ],
            ),
        }
    }

    /// What SUBACK may state for a filter.
    fn grant(&self, context: &Context<'_>, request: &FilterRequest, whole: Option<Offence>) -> Grant {
        let offence = request.offence.or(whole);
        let accepted = match offence {
            Some(offence) => context.profile.reactions(offence, self.version()).contains(&Reaction::Accept),
            None => true,
        };
        let granted = match accepted || request.offence.is_none() {
            true => self.permitted_grants(context, request.options.qos),
            false => QosSet::EMPTY,
        };
        let may_refuse = !context.profile.has(Feature::FullGrants) && context.profile.has(Feature::SubscriberQos);
        Grant { filter: request.filter, granted, offence, may_refuse }
    }

    /// The levels that a request for `asked` may be granted.
    fn permitted_grants(&self, context: &Context<'_>, asked: Qos) -> QosSet {
        let supported = self.link.as_ref().map_or(Qos::ExactlyOnce, |link| link.maximum_qos);
        // A server of 3.x without QoS 2 cannot announce it: it grants less (3.8.4 of 3.1.1).
        let unannounced = asked == Qos::ExactlyOnce && !self.version().has_properties();
        if !context.profile.has(Feature::SubscriberQos) {
            // P-QOS-2 and X-13: the grant says nothing about what is delivered.
            QosSet::up_to(Qos::AtLeastOnce)
        } else if !context.profile.has(Feature::FullGrants) || supported < asked || unannounced {
            QosSet::up_to(asked)
        } else {
            QosSet::only(asked)
        }
    }

    /// SUBACK comes.
    pub(super) fn suback(&self, context: &Context<'_>, id: PacketId, codes: &[u8]) -> Result<Vec<Session>, Breach> {
        let waiting = |response: &Response| matches!(response, Response::Suback(of, _) if *of == id);
        let (next, response) = self
            .answered(waiting)
            .ok_or_else(|| Breach::of(Rule::SubackNamesItsSubscribe, self.waiting_responses()))?;
        let Response::Suback(_, grants) = response else { return Ok(vec![next]) };
        if grants.len() != codes.len() {
            return Err(Breach::of(Rule::SubackHasACodeAFilter, format!("{} codes", grants.len())));
        }
        let mut next = next;
        let mut fallen_back: Vec<Subscription> = Vec::new();
        for (position, (grant, code)) in grants.iter().zip(codes).enumerate() {
            let qos = Qos::from_value(*code).filter(|qos| grant.granted.contains(*qos));
            if qos.is_none() && !self.may_refuse(context, grant, *code) {
                let expected = match grant.granted.is_empty() {
                    true => "a failure".to_owned(),
                    false => grant.granted.to_string(),
                };
                let filter = context.vocabulary.filter_text(grant.filter);
                return Err(Breach::of(Rule::SubackGrants, format!("{expected} for `{filter}`")));
            }
            // Of the same filter twice in one packet the last one holds: each acts as a SUBSCRIBE of its own.
            let replaced = grants[position + 1..].iter().any(|later| later.filter == grant.filter);
            let Some(kept) = next.kept.as_mut().filter(|_| !replaced) else { continue };
            for subscription in &mut kept.subscriptions {
                if subscription.filter == grant.filter && subscription.pending == Some(id) {
                    subscription.pending = None;
                    subscription.granted = qos.map_or(QosSet::EMPTY, QosSet::only);
                    if let Some((granted, no_local)) = subscription.before.take().filter(|_| qos.is_none()) {
                        fallen_back.push(Subscription { granted, no_local, ..*subscription });
                    }
                }
            }
            kept.subscriptions.retain(|subscription| !subscription.granted.is_empty());
        }
        // Whether a refused request leaves what it would have replaced is not said, nor whether the connection goes on where
        // the server may end it behind its SUBACK.
        let mut successors = vec![next];
        for (grant, code) in grants.iter().zip(codes) {
            if let Some(offence) = grant.offence.filter(|offence| self.may_close_behind(context, *offence, *code)) {
                successors
                    .push(successors[0].with_link(|link| link.phase = Phase::Condemned { offence, greeted: true }));
            }
        }
        for subscription in fallen_back {
            for successor in successors.clone() {
                let mut keeping = successor;
                if let Some(kept) = &mut keeping.kept {
                    kept.subscriptions.push(subscription);
                    kept.subscriptions.sort();
                }
                successors.push(keeping);
            }
        }
        Ok(successors)
    }

    /// Whether this failure code is permitted for the filter.
    fn may_refuse(&self, context: &Context<'_>, grant: &Grant, code: u8) -> bool {
        let version = self.version();
        let known = grant.offence.is_some_and(|offence| {
            context.profile.reactions(offence, version).iter().any(
                |reaction| matches!(reaction, Reaction::Suback(wanted) | Reaction::SubackThenClose(wanted) if wanted.admits(code, PacketType::Suback, version)),
            )
        });
        known || (grant.may_refuse && code >= 0x80)
    }

    /// Whether the server may end the connection behind a SUBACK with this code.
    fn may_close_behind(&self, context: &Context<'_>, offence: Offence, code: u8) -> bool {
        let version = self.version();
        context.profile.reactions(offence, version).iter().any(|reaction| {
            matches!(reaction, Reaction::SubackThenClose(wanted) if wanted.admits(code, PacketType::Suback, version))
        })
    }

    /// UNSUBSCRIBE is taken: filters are compared character by character (MQTT-3.10.4-1).
    pub(super) fn unsubscribe(&self, context: &Context<'_>, id: PacketId, filters: &[FilterKey]) -> Session {
        let mut existed = Vec::new();
        let mut next = self.clone();
        if let Some(kept) = &mut next.kept {
            for filter in filters {
                let before = kept.subscriptions.len();
                if context.has_bug(SeededBug::KeepsSubscription) {
                    existed.push(kept.subscriptions.iter().any(|subscription| subscription.filter == *filter));
                    continue;
                }
                kept.subscriptions.retain(|subscription| subscription.filter != *filter);
                existed.push(kept.subscriptions.len() < before);
            }
            // What waits may still be delivered, but need not (3.10.4); what has begun is finished (MQTT-3.10.4-3).
            for delivery in kept.deliveries.iter_mut().filter(|delivery| delivery.progress.id().is_none()) {
                let topic = context.vocabulary.of(delivery.message).topic;
                delivery.owed &= kept.subscriptions.iter().any(|held| context.vocabulary.matches(held.filter, topic));
            }
            kept.deliveries.sort();
        }
        next.responding(Response::Unsuback(id, existed))
    }

    /// UNSUBACK comes. Which of its codes is which is for the server to say: 0x11 is not demanded of a filter that was not
    /// subscribed.
    pub(super) fn unsuback(&self, id: PacketId, codes: &[u8]) -> Result<Vec<Session>, Breach> {
        let waiting = |response: &Response| matches!(response, Response::Unsuback(of, _) if *of == id);
        let (next, response) = self
            .answered(waiting)
            .ok_or_else(|| Breach::of(Rule::UnsubackNamesItsUnsubscribe, self.waiting_responses()))?;
        match response {
            Response::Unsuback(_, existed) if self.version().has_properties() => {
                let right = existed.len() == codes.len()
                    && existed.iter().zip(codes).all(|(existed, code)| !*existed || *code != 0x11);
                match right {
                    true => Ok(vec![next]),
                    false => {
                        Err(Breach::of(Rule::UnsubackHasACodeAFilter, format!("{} codes that fit", existed.len())))
                    }
                }
            }
            _ => Ok(vec![next]),
        }
    }

    /// PINGRESP comes.
    pub(super) fn pingresp(&self) -> Result<Vec<Session>, Breach> {
        self.answered(|response| *response == Response::Pingresp)
            .map(|(next, _)| vec![next])
            .ok_or_else(|| Breach::of(Rule::PingrespAnswers, self.waiting_responses()))
    }

    /// This session without the first answer that fits, and that answer.
    pub(super) fn answered(&self, fits: impl Fn(&Response) -> bool) -> Option<(Session, Response)> {
        let position = self.link.as_ref()?.responses.iter().position(fits)?;
        let mut next = self.clone();
        let response = next.link.as_mut()?.responses.remove(position);
        Some((next, response))
    }

    /// The answers that are owed, in words.
    pub(super) fn waiting_responses(&self) -> String {
        let responses = self.link.as_ref().map_or(&[][..], |link| &link.responses);
        match responses {
            [] => "no answer: none is owed".to_owned(),
            owed => owed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", or "),
        }
    }

    /// What the subscriptions of this session make of a message. `own` says whether the session published it (No Local).
    #[must_use]
    pub fn routing(&self, context: &Context<'_>, message: &Message, own: bool) -> Routing {
        let Some(kept) = &self.kept else { return Routing { missed: true, ..Routing::default() } };
        let mut routing = Routing { missed: true, ..Routing::default() };
        for held in kept.subscriptions.iter().filter(|held| context.vocabulary.matches(held.filter, message.topic)) {
            let heard = |no_local: bool| !(own && no_local);
            let before = held.before.filter(|(_, no_local)| heard(*no_local)).map(|(granted, _)| granted);
            let granted = match (heard(held.no_local).then_some(held.granted), before) {
                (Some(granted), before) => granted.union(before.unwrap_or(QosSet::EMPTY)),
                (None, Some(before)) => before,
                (None, None) => continue,
            };
            let qos = match context.profile.has(Feature::SubscriberQos) {
                _ if context.has_bug(SeededBug::LowersQos) => QosSet::only(Qos::AtMostOnce),
                // The lower of publish QoS and grant (MQTT-3.8.4-6; 5.0: -8).
                true => granted.map(|granted| granted.min(message.qos)),
                // P-QOS-2: the publisher's QoS decides.
                false => QosSet::only(message.qos),
            };
            // Overlap: one copy at the highest QoS is due, further copies are permitted (MQTT-3.3.5-1; 5.0: MQTT-3.3.4-2).
            let met = match routing.missed {
                true if routing.qos.is_empty() => Routing { missed: false, qos, ..Routing::default() },
                missed => Routing {
                    missed: false,
                    qos: routing.qos.maxima(qos).union(if missed { qos } else { QosSet::EMPTY }),
                    further: routing.further.union(routing.qos).union(qos),
                    further_copies: routing.further_copies.saturating_add(1),
                },
            };
            // As long as the SUBACK may refuse it, nobody knows whether it holds.
            routing = if held.before.is_some() { routing.or(met) } else { met };
        }
        routing
    }
}
