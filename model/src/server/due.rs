//! What could be delivered next, and what must be.

use super::Millis;
use super::alphabet::Output;
use super::deliver::Seen;
use super::delivery::{Delivery, Kind, Progress};
use super::rule::{Breach, Context, Rule, SeededBug};
use super::session::{Kept, Phase, Session};
use crate::packet::{PacketId, Qos};

impl Session {
    /// Each PUBLISH that may come next, with the lowest free identifier.
    pub(super) fn possible_deliveries(&self, context: &Context<'_>, now: Millis) -> Vec<Output> {
        let (Some(link), Some(kept)) = (&self.link, &self.kept) else { return Vec::new() };
        let mut outputs = Vec::new();
        for delivery in kept.deliveries.iter().filter(|delivery| delivery.progress.is_before_publish()) {
            let message = context.vocabulary.of(delivery.message);
            let fresh = match context.has_bug(SeededBug::ReusesIdentifiers) {
                true => PacketId::FIRST,
                false => kept.free_id(),
            };
            let repeated = matches!(delivery.progress, Progress::Unacknowledged(_));
            for qos in delivery.forms.qos.iter() {
                for retain in [false, true].into_iter().filter(|retain| delivery.forms.retain.admits(*retain)) {
                    let lists = delivery.forms.identifier_lists();
                    let lists = if link.version.has_properties() { lists } else { vec![&[][..]] };
                    for identifiers in lists {
                        let seen = Seen {
                            content: message.content(link.version),
                            qos,
                            id: (qos > Qos::AtMostOnce).then(|| delivery.progress.id().unwrap_or(fresh)),
                            dup: repeated && !context.has_bug(SeededBug::RepeatsWithoutDup),
                            retain,
                            identifiers,
                            expiry: message
                                .expiry
                                .filter(|_| link.version.has_properties())
                                .map(|expiry| expiry.left(now)),
                        };
                        if self.deliver_as(context, now, link, kept, delivery, &seen).is_ok() {
                            outputs.push(seen.as_output());
                        }
                    }
                }
            }
        }
        outputs
    }

    /// A delivery that silence would break.
    pub(super) fn owed_delivery(&self, context: &Context<'_>) -> Option<Breach> {
        let link = self.link.as_ref().filter(|link| link.phase == Phase::Connected)?;
        let kept = self.kept.as_ref()?;
        if let Some(overtaken) = kept.deliveries.iter().find(|delivery| delivery.owed && delivery.forms.qos.is_empty())
        {
            let expected = format!("{} before its successor", context.vocabulary.describe(overtaken.message));
            return Some(Breach::of(Rule::OrderIsKept, expected));
        }
        let owed = |progress: fn(&Progress) -> bool| {
            kept.deliveries.iter().find(move |delivery| delivery.owed && progress(&delivery.progress))
        };
        let describe = |delivery: &Delivery| {
            format!("PUBLISH {} at {}", context.vocabulary.describe(delivery.message), delivery.forms.qos)
        };
        if let Some(breach) = kept.owed_release(context) {
            return Some(breach);
        }
        // A server may let a PUBREL of an earlier connection count too, until its PUBCOMP.
        let is_open = |delivery: &&Delivery| !delivery.progress.is_before_publish();
        let open = kept.deliveries.iter().filter(is_open).count();
        let window_is_open = open < usize::from(link.receive_maximum);
        if let Some(delivery) =
            owed(|progress| matches!(progress, Progress::Unacknowledged(_))).filter(|_| window_is_open)
        {
            return Some(Breach::of(Rule::UnacknowledgedIsRepeated, describe(delivery)));
        }
        // A server may keep its window smaller than Receive Maximum, but never shut (MQTT-4.9.0-1).
        owed(|progress| matches!(progress, Progress::Waiting | Progress::PerhapsSent)).filter(|_| open == 0).map(
            |delivery| match delivery.kind {
                Kind::Further => {
                    let expected = format!("all Subscription Identifiers, or a further copy: {}", describe(delivery));
                    Breach::of(Rule::IdentifiersOfSubscriptions, expected)
                }
                Kind::Live | Kind::Retained => Breach::of(Rule::DeliveryIsMade, describe(delivery)),
            },
        )
    }

    /// What may be delivered, in words.
    pub(super) fn waiting_deliveries(&self, context: &Context<'_>) -> String {
        let kept = self.kept.iter().flat_map(|kept| &kept.deliveries).map(|delivery| delivery.message);
        let floating =
            self.floating.iter().filter(|floating| floating.routing.may_come()).map(|floating| floating.message);
        let mut messages: Vec<String> =
            kept.chain(floating).take(4).map(|message| context.vocabulary.describe(message)).collect();
        messages.dedup();
        match messages.is_empty() {
            true => "no delivery: nothing waits for this client".to_owned(),
            false => messages.join(", or "),
        }
    }
}

impl Kept {
    /// The lowest identifier that no delivery uses.
    fn free_id(&self) -> PacketId {
        let mut id = PacketId::FIRST;
        while self.deliveries.iter().any(|delivery| delivery.progress.id() == Some(id)) {
            id = id.next();
        }
        id
    }
}

impl Seen<'_> {
    fn as_output(&self) -> Output {
        Output::Publish {
            content: self.content,
            qos: self.qos,
            id: self.id,
            dup: self.dup,
            retain: self.retain,
            identifiers: self.identifiers.to_vec(),
            expiry: self.expiry,
        }
    }
}
