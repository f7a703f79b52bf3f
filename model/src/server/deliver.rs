//! PUBLISH to the client: which message it is, whether it may come now, and the session after it.

use super::Millis;
use super::candidate::Candidate;
use super::delivery::{Delivery, Kind, Progress, Routing};
use super::marks::{check_dup, check_expiry, check_forms, check_identifier};
use super::order::{keeps_order, precedes};
use super::qos_set::QosSet;
use super::rule::{Breach, Context, Rule, SeededBug};
use super::session::{Connection, Kept, Session};
use super::vocabulary::{ContentKey, Message, MessageKey};
use crate::packet::{PacketId, Qos, SubscriptionIdentifier};
use crate::profile::Feature;

/// A PUBLISH as it came.
pub(super) struct Seen<'a> {
    pub(super) content: ContentKey,
    pub(super) qos: Qos,
    pub(super) id: Option<PacketId>,
    pub(super) dup: bool,
    pub(super) retain: bool,
    pub(super) identifiers: &'a [SubscriptionIdentifier],
    pub(super) expiry: Option<u32>,
}

impl Message {
    /// Whether it certainly fits into a client's Maximum Packet Size, if there is one. A message that does not is dropped as if
    /// it had been sent (MQTT-3.1.2-25); what a server may add to the packet leaves a margin in which nothing is owed.
    pub(super) fn fits(&self, maximum_packet_size: Option<u32>) -> bool {
        const MARGIN: u32 = 32;
        maximum_packet_size.is_none_or(|maximum| self.size.saturating_add(MARGIN) <= maximum)
    }
}

impl Connection {
    /// Whether a message certainly fits into the client's Maximum Packet Size.
    pub(super) fn takes(&self, message: &Message) -> bool {
        message.fits(self.maximum_packet_size)
    }
}

impl Session {
    /// PUBLISH comes: which message is it, and may it come like this?
    pub(super) fn deliver(&self, context: &Context<'_>, now: Millis, seen: &Seen<'_>) -> Result<Vec<Session>, Breach> {
        let (Some(link), Some(kept)) = (&self.link, &self.kept) else {
            return Err(Breach::of(Rule::DeliveryWasSubscribed, "no delivery"));
        };
        let mut successors = Vec::new();
        let mut nearest: Option<(bool, Breach)> = None;
        let mut taken: Vec<Candidate<'_>> = Vec::new();
        for candidate in self.candidates(context, link, kept, seen.content) {
            if taken.iter().any(|other| other.is_copy_for(&candidate)) {
                continue;
            }
            match self.deliver_as(context, now, link, kept, &candidate.delivery, seen) {
                Ok(session) => {
                    if !taken.iter().any(|other| other.comes_before(context, link, &candidate)) {
                        successors.push(session);
                    }
                    taken.push(candidate);
                }
                Err(breach) => {
                    // One that might have come, only not now, says more than one that could not come in this form.
                    let fits = matches!(breach.rule, Rule::ReceiveMaximumIsObeyed | Rule::OrderIsKept)
                        && !candidate.delivery.forms.qos.is_empty();
                    if nearest.as_ref().is_none_or(|(known, _)| fits && !known) {
                        nearest = Some((fits, breach));
                    }
                }
            }
        }
        successors.sort();
        successors.dedup();
        match (successors.is_empty(), nearest) {
            (false, _) => Ok(successors),
            (true, Some((_, breach))) => Err(breach),
            (true, None) => Err(Breach::of(Rule::DeliveryWasSubscribed, self.waiting_deliveries(context))),
        }
    }

    /// `seen` as this delivery.
    pub(super) fn deliver_as(
        &self,
        context: &Context<'_>,
        now: Millis,
        link: &Connection,
        kept: &Kept,
        delivery: &Delivery,
        seen: &Seen<'_>,
    ) -> Result<Session, Breach> {
        if delivery.forms.qos.is_empty() {
            return Err(Breach::of(Rule::OrderIsKept, "no delivery: its successor has come"));
        }
        check_dup(context, link, delivery.progress, seen)?;
        check_forms(link, delivery, seen)?;
        check_expiry(context, now, link, delivery, seen)?;
        if let Some(id) = seen.id {
            check_identifier(context, kept, delivery, id)?;
            let repeated = matches!(delivery.progress, Progress::Open(_));
            let full = kept.open_deliveries(context) >= usize::from(link.receive_maximum) && !repeated;
            if full && !context.has_bug(SeededBug::IgnoresReceiveMaximum) {
                return Err(Breach::of(
                    Rule::ReceiveMaximumIsObeyed,
                    format!("no more than {} open deliveries", link.receive_maximum),
                ));
            }
        }
        if keeps_order(context, link) {
            self.check_order(context, delivery, seen.qos)?;
        }
        Ok(self.delivered(context, delivery, seen))
    }

    /// The session after the delivery.
    fn delivered(&self, context: &Context<'_>, delivery: &Delivery, seen: &Seen<'_>) -> Session {
        let vocabulary = context.vocabulary;
        // What has no place in the order overtakes nothing.
        let is_ordered = delivery.is_ordered() && self.link.as_ref().is_some_and(|link| keeps_order(context, link));
        let overtaken = |other: MessageKey| is_ordered && precedes(vocabulary, other, delivery.message);
        let mut next = self.clone();
        let Some(kept) = &mut next.kept else { return next };
        let mut now = delivery.clone();
        // A repetition tells nothing new.
        let mut is_sure = delivery.kind == Kind::Further && delivery.owed && delivery.progress.id().is_none();
        match kept.deliveries.iter().position(|known| known == delivery) {
            Some(position) => drop(kept.deliveries.remove(position)),
            None => {
                if let Some(position) = next.floating.iter().position(|known| known.message == delivery.message) {
                    let mut floating = next.floating.remove(position);
                    let routing = floating.routing.clone();
                    is_sure = !floating.is_repeated()
                        && routing.owes_further(context, self.link.as_deref(), delivery.message);
                    // It was sent once more: that may be taken for a new message, and meet what has been subscribed by then.
                    if floating.is_repeated() {
                        floating.times -= 1;
                        floating.routing.missed = true;
                        next.floating.insert(position, floating);
                    }
                    match delivery.kind {
                        // A further copy came first: the one that is due is still to come.
                        Kind::Further => {
                            let (message, progress) = (delivery.message, delivery.progress);
                            kept.push_due(context, self.link.as_deref(), message, &routing, progress);
                            let further_copies = routing.further_copies - 1;
                            let rest = Routing { further_copies, ..routing };
                            kept.push_further(context, self.link.as_deref(), message, &rest, progress);
                        }
                        _ => {
                            let link = self.link.as_deref();
                            kept.push_further(context, link, delivery.message, &routing, delivery.progress);
                        }
                    }
                }
            }
        }
        // 3.x has no place for Subscription Identifiers.
        let has_place = self.link.as_ref().is_some_and(|link| link.version.has_properties());
        match delivery.kind {
            Kind::Live if has_place && delivery.forms.may_carry_more(seen.identifiers) => {
                kept.part_came(delivery.message, seen.identifiers);
            }
            Kind::Live => kept.all_came(delivery.message),
            Kind::Further if has_place && is_sure => kept.further_came(delivery.message, seen.identifiers),
            Kind::Further | Kind::Retained => {}
        }
        // What its successor has overtaken cannot come at that QoS any more.
        kept.deliveries.retain_mut(|other| {
            let comes_first = other.is_ordered() && other.progress.is_before_publish();
            let stays = !comes_first || !overtaken(other.message);
            stays || other.forms.lose(seen.qos)
        });
        next.floating.retain_mut(|other| {
            let published = vocabulary.of(other.message);
            let expires = published.expiry.is_some();
            let is_unsure = seen.qos == Qos::AtMostOnce && !context.profile.promises(Feature::Qos0Arrives);
            // One of QoS 2 that was refused may come again, and is to be known by then.
            let comes_again = published.qos == Qos::ExactlyOnce;
            let stays = !other.routing.shares.is_empty() || !overtaken(other.message);
            stays || other.routing.lose(seen.qos, is_unsure || expires) || comes_again
        });
        if let Some(id) = seen.id {
            // What has begun is finished, also if nothing demanded it. A server may forget an expired one of QoS 1.
            now.owed = seen.qos == Qos::ExactlyOnce || vocabulary.of(delivery.message).expiry.is_none();
            now.forms.qos = QosSet::only(seen.qos);
            now.progress = Progress::Open(id);
            now.undecided = None;
            kept.deliveries.push(now);
        }
        kept.deliveries.sort();
        next
    }
}
