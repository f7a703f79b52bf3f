//! UNSUBSCRIBE and its answer.

use super::delivery::Kind;
use super::response::Response;
use super::rule::{Breach, Context, Rule, SeededBug};
use super::session::{Kept, Session};
use super::vocabulary::FilterKey;
use crate::packet::PacketId;
use crate::profile::{Offence, Reaction};

impl Session {
    /// UNSUBSCRIBE is taken: filters are compared character by character (MQTT-3.10.4-1).
    pub(super) fn unsubscribe(
        &self,
        context: &Context<'_>,
        id: PacketId,
        filters: &[FilterKey],
        invalid: Option<usize>,
    ) -> Vec<Session> {
        let (taken, existed) = self.without_subscriptions(context, filters);
        let taken = taken.responding(Response::Unsuback(id, existed));
        // Nothing is subscribed with what is no filter, so a server may answer as ever; or it looks, and ends the connection
        // (3.1.1: MQTT-4.8.0-1; 5.0: section 4.13).
        match invalid {
            None => vec![taken],
            Some(place) => {
                let (before, _) = self.without_subscriptions(context, &filters[..place]);
                let answered = [(Reaction::Accept, taken)];
                self.offend_behind(context, Offence::UnsubscribeFilterInvalid, &before, &answered)
            }
        }
    }

    /// The same without these subscriptions, and which of them existed.
    fn without_subscriptions(&self, context: &Context<'_>, filters: &[FilterKey]) -> (Session, Vec<bool>) {
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
            kept.release_unsubscribed(context);
            next.floating.iter_mut().for_each(|floating| floating.routing.is_all_or_several = false);
        }
        (next, existed)
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
}

impl Kept {
    /// What waits may still be delivered after UNSUBSCRIBE, but need not (3.10.4); what has begun is finished
    /// (MQTT-3.10.4-3).
    fn release_unsubscribed(&mut self, context: &Context<'_>) {
        for delivery in self.deliveries.iter_mut().filter(|delivery| delivery.progress.id().is_none()) {
            let topic = context.vocabulary.of(delivery.message).topic;
            delivery.owed &= delivery.kind != Kind::Further
                && self.subscriptions.iter().any(|held| context.vocabulary.matches(held.filter, topic));
        }
        self.deliveries.sort();
    }
}
