//! SUBSCRIBE, its answer, and the retained messages that a new subscription meets.

use super::alphabet::FilterRequest;
use super::delivery::{Delivery, Flag, Forms, Kind, Progress};
use super::qos_set::QosSet;
use super::response::{Grant, Response};
use super::rule::{Breach, Context, Rule, SeededBug};
use super::session::{Kept, Phase, Session, Subscription, SubscriptionTerms};
use super::vocabulary::{FilterKey, Message};
use crate::packet::{PacketId, PacketType, ProtocolVersion, Qos, RetainHandling};
use crate::profile::{Code, Feature, Offence, Reaction};

/// Whether a session has no room for one more subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Full {
    Certainly,
    Perhaps,
}

impl Session {
    /// SUBSCRIBE is taken: each filter acts as a SUBSCRIBE of its own, with one joint SUBACK (3.1.1: MQTT-3.8.4-4; 5.0: MQTT-3.8.4-5).
    pub(super) fn subscribe(&self, context: &Context<'_>, id: PacketId, requests: &[FilterRequest]) -> Vec<Session> {
        let limit = context.profile.limits().filters_per_subscribe;
        let too_many = limit.is_some_and(|limit| requests.len() > usize::from(limit));
        let whole = too_many.then_some(Offence::TooManyFilters);
        let grant = |position: usize| {
            let room = self.room(context, &requests[..position], requests[position].filter);
            self.grant(context, &requests[position], whole, room)
        };
        let grants: Vec<Grant> = (0..requests.len()).map(grant).collect();
        let mut served = self.responding(Response::Suback(id, grants.clone()));
        // Who ends the connection behind the SUBACK need not look for retained messages any more.
        let may_end = |offence: Offence| {
            let reactions = context.profile.reactions(offence, self.version());
            reactions.iter().any(|reaction| matches!(reaction, Reaction::SubackThenClose(_)))
        };
        let may_end = grants.iter().flat_map(|grant| grant.offences).flatten().any(may_end);
        // What stands in front of an offence, by the offences in their order.
        let mut offences: Vec<(Offence, Session)> = Vec::new();
        let mut held = self.clone();
        for (place, (request, grant)) in requests.iter().zip(&grants).enumerate() {
            let is_one_more = limit.is_some_and(|limit| place == usize::from(limit));
            let found = request.offences.into_iter().flatten().chain(whole.filter(|_| is_one_more));
            offences.extend(found.map(|offence| (offence, held.clone())));
            served.hold(context, id, request, grant, whole.is_some() || may_end);
            held.hold(context, id, request, grant, true);
        }
        if offences.is_empty() {
            return vec![served];
        }
        let taken = [
            (Reaction::Suback(Code::AnyError), served.clone()),
            (Reaction::SubackThenClose(Code::AnyError), served.clone()),
            (Reaction::Accept, served),
        ];
        let mut successors: Vec<Session> = offences
            .into_iter()
            .flat_map(|(offence, mut before)| {
                // No SUBACK will tell what was granted.
                before.kept.iter_mut().for_each(|kept| kept.decide(id));
                self.offend_behind(context, offence, &before, &taken)
            })
            .collect();
        successors.sort();
        successors.dedup();
        successors
    }

    /// The same filter again replaces the subscription (3.1.1: MQTT-3.8.4-3; 5.0: MQTT-3.8.4-3); either meets the retained messages.
    fn hold(&mut self, context: &Context<'_>, id: PacketId, request: &FilterRequest, grant: &Grant, offends: bool) {
        let version = self.version();
        let shared = context.vocabulary.is_shared(request.filter);
        let fits = |delivery: &Delivery| {
            self.link.as_ref().is_none_or(|link| link.takes(context.vocabulary.of(delivery.message)))
        };
        let Some(kept) = &self.kept else { return };
        let replaced = kept.subscriptions.iter().find(|held| held.filter == request.filter).copied();
        if grant.granted.is_empty() && replaced.is_none() {
            return;
        }
        let may_fail = grant.may_refuse || grant.offences != [None; 2] || offends;
        let terms = SubscriptionTerms {
            granted: grant.granted,
            no_local: request.options.no_local,
            retain_as_published: request.options.retain_as_published && version.has_properties(),
            identifier: request.identifier,
        };
        let mut met = match grant.granted.is_empty() || context.has_bug(SeededBug::WithholdsRetained) {
            true => Vec::new(),
            false => terms.meet(context, version, id, request, replaced.is_some()),
        };
        for delivery in &mut met {
            delivery.owed &= !may_fail && fits(delivery);
        }
        let inherited = request.inherited.iter().map(|message| Delivery {
            message: *message,
            forms: terms.forms(context, context.vocabulary.of(*message), version),
            owed: false,
            kind: Kind::Further,
            shares: vec![request.filter],
            progress: Progress::Waiting,
            undecided: None,
        });
        // What the same packet has asked for in vain before stands for nothing.
        let stood =
            replaced.and_then(|held| if held.terms.granted.is_empty() { held.before } else { Some(held.terms) });
        let Some(kept) = &mut self.kept else { return };
        kept.deliveries.extend(inherited);
        kept.subscriptions.retain(|held| held.filter != request.filter);
        kept.subscriptions.push(Subscription {
            filter: request.filter,
            terms,
            pending: Some(id),
            before: stood.filter(|_| may_fail),
        });
        kept.subscriptions.sort();
        if !shared {
            kept.deliveries.extend(met);
        }
        kept.deliveries.sort();
    }

    /// What SUBACK may state for a filter.
    fn grant(
        &self,
        context: &Context<'_>,
        request: &FilterRequest,
        whole: Option<Offence>,
        room: Option<Full>,
    ) -> Grant {
        let [first, second] = request.offences;
        let of_request = first.or(whole);
        let too_many = room.map(|_| Offence::TooManySubscriptions);
        let offence = match of_request {
            // A QoS that is not served alone need not fail: where there is no room, that is what SUBACK tells of.
            Some(Offence::SubscriptionQosNotSupported) => too_many.or(of_request),
            _ => of_request.or(too_many),
        };
        let accepts = |offence| context.profile.reactions(offence, self.version()).contains(&Reaction::Accept);
        let accepted = request.offences.into_iter().flatten().all(accepts);
        let granted = match accepted && room != Some(Full::Certainly) {
            true => self.permitted_grants(context, request.options.qos),
            false => QosSet::EMPTY,
        };
        let may_refuse = !context.profile.has(Feature::FullGrants) && context.profile.has(Feature::SubscriberQos);
        Grant { filter: request.filter, granted, offences: [offence, second], may_refuse }
    }

    /// Whether the session has as many subscriptions as it may have (P-TOP-14): one that the SUBACK may still refuse counts
    /// perhaps.
    fn room(&self, context: &Context<'_>, earlier: &[FilterRequest], filter: FilterKey) -> Option<Full> {
        let limit = usize::from(context.profile.limits().subscriptions_per_session?);
        let held = &self.kept.as_ref()?.subscriptions;
        let is_held = |filter: FilterKey| held.iter().any(|subscription| subscription.filter == filter);
        if is_held(filter) {
            return None;
        }
        let certain = held.iter().filter(|subscription| subscription.pending.is_none()).count();
        // The same filter once more takes the room of the first, if there was some.
        let is_another = |request: &&FilterRequest| request.filter != filter && !is_held(request.filter);
        let possible = held.len() + earlier.iter().filter(is_another).count();
        match (certain >= limit, possible >= limit) {
            (true, _) => Some(Full::Certainly),
            (false, true) => Some(Full::Perhaps),
            (false, false) => None,
        }
    }

    /// The levels that a request for `asked` may be granted.
    fn permitted_grants(&self, context: &Context<'_>, asked: Qos) -> QosSet {
        let supported = self.link.as_ref().map_or(Qos::ExactlyOnce, |link| link.maximum_qos);
        // A server of 3.x without QoS 2 cannot announce it: it grants less (3.8.4 of 3.1.1).
        let is_promised = context.profile.promises(Feature::Qos2);
        let unannounced = asked == Qos::ExactlyOnce && !self.version().has_properties() && !is_promised;
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
                    subscription.terms.granted = qos.map_or(QosSet::EMPTY, QosSet::only);
                    if let Some(terms) = subscription.before.take().filter(|_| qos.is_none()) {
                        fallen_back.push(Subscription { terms, ..*subscription });
                    }
                }
            }
            kept.subscriptions.retain(|held| held.pending.is_some() || !held.terms.granted.is_empty());
            if let Some(granted) = qos {
                kept.narrow_retained(context, id, &grants, grant.filter, granted);
            }
        }
        next.kept.iter_mut().for_each(|kept| kept.decide(id));
        // Whether a refused request leaves what it would have replaced is not said, nor whether the connection goes on where
        // the server may end it behind its SUBACK.
        let mut successors = vec![next];
        for (grant, code) in grants.iter().zip(codes) {
            let of_code = |offence: &Offence| self.may_close_behind(context, *offence, *code);
            for offence in grant.offences.into_iter().flatten().filter(of_code) {
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
        let known = grant.offences.into_iter().flatten().any(|offence| {
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
}

impl SubscriptionTerms {
    /// The retained messages that go out because of the SUBSCRIBE: always, or only if it is new, or not at all
    /// (5.0: MQTT-3.3.1-9, 5.0: MQTT-3.3.1-10, 5.0: MQTT-3.3.1-11; 3.1.1: MQTT-3.3.1-6, MQTT-3.3.1-8).
    fn meet(
        &self,
        context: &Context<'_>,
        version: ProtocolVersion,
        id: PacketId,
        request: &FilterRequest,
        existed: bool,
    ) -> Vec<Delivery> {
        let sent = match request.options.retain_handling {
            _ if context.has_bug(SeededBug::IgnoresRetainHandling) => true,
            RetainHandling::Send => true,
            RetainHandling::SendIfNew => !existed,
            RetainHandling::DoNotSend => false,
        };
        if !sent {
            return Vec::new();
        }
        let forms = |qos| Forms {
            qos,
            // V31-21: advice, no more.
            retain: if version == ProtocolVersion::V3_1 { Flag::Either } else { Flag::Set },
            identifiers: self.identifier.map(|identifier| vec![identifier]).into_iter().collect(),
        };
        let arrives = |qos: QosSet| !qos.contains(Qos::AtMostOnce) || context.profile.promises(Feature::Qos0Arrives);
        let met = request.retained.iter().map(|met| {
            let message = context.vocabulary.of(met.message);
            let qos = self.delivered_qos(context, message.qos);
            let lasts = message.expiry.is_none() || context.profile.is_counted_on();
            let is_sure = met.certain && lasts && version != ProtocolVersion::V3_1;
            Delivery {
                message: met.message,
                // A server may discard a retained message of QoS 0 (3.3.1.3).
                owed: is_sure && message.qos > Qos::AtMostOnce && arrives(qos) && !self.no_local,
                forms: forms(qos),
                kind: Kind::Retained,
                shares: Vec::new(),
                progress: Progress::Waiting,
                undecided: (qos.iter().count() > 1).then_some(id),
            }
        });
        met.collect()
    }
}

impl Kept {
    /// SUBACK has stated a grant: the retained messages that this filter has met come at no higher level. Where filters of the
    /// SUBSCRIBE overlap, a delivery does not tell which of them it is for.
    fn narrow_retained(
        &mut self,
        context: &Context<'_>,
        id: PacketId,
        grants: &[Grant],
        filter: FilterKey,
        granted: Qos,
    ) {
        if !context.profile.has(Feature::SubscriberQos) {
            return;
        }
        for delivery in self.deliveries.iter_mut().filter(|delivery| delivery.undecided == Some(id)) {
            let Message { topic, qos, .. } = context.vocabulary.of(delivery.message);
            let matching = grants.iter().filter(|grant| context.vocabulary.matches(grant.filter, *topic)).count();
            let level = granted.min(*qos);
            if matching == 1 && context.vocabulary.matches(filter, *topic) && delivery.forms.qos.contains(level) {
                delivery.forms.qos = QosSet::only(level);
            }
        }
    }

    /// What the SUBACK of this SUBSCRIBE has not decided stays open.
    fn decide(&mut self, id: PacketId) {
        let undecided = self.deliveries.iter_mut().filter(|delivery| delivery.undecided == Some(id));
        undecided.for_each(|delivery| delivery.undecided = None);
        self.deliveries.sort();
    }
}
