//! PUBLISH to the client: which message it is, and whether it may come like this: identifier, DUP, order, Receive Maximum.

use super::Millis;
use super::alphabet::Output;
use super::delivery::{Delivery, Kind, Progress, Routing};
use super::qos_set::QosSet;
use super::rule::{Breach, Context, Rule, SeededBug};
use super::session::{Connection, Kept, Phase, Session};
use super::vocabulary::{ContentKey, Message, MessageKey, Vocabulary};
use crate::packet::{PacketId, ProtocolVersion, Qos, SubscriptionIdentifier};
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

/// Whether two messages share a lane, in which order is kept (3.1.1: MQTT-4.6.0-6; 5.0: MQTT-4.6.0-5). A Will is no PUBLISH of the
/// client and has no place in its order.
fn same_lane(one: &Message, other: &Message) -> bool {
    one.sender == other.sender && one.topic == other.topic && one.qos == other.qos && !one.is_will && !other.is_will
}

/// Whether a message comes before another one in their lane, however often it was sent.
fn precedes(vocabulary: &Vocabulary, one: MessageKey, other: MessageKey) -> bool {
    same_lane(vocabulary.of(one), vocabulary.of(other)) && vocabulary.is_sent_before(one, other)
}

/// Whether what comes on a connection comes in order.
fn keeps_order(context: &Context<'_>, link: &Connection) -> bool {
    context.profile.has_in(Feature::MessageOrder, link.version)
}

impl Session {
    /// PUBLISH comes: which message is it, and may it come like this?
    pub(super) fn deliver(&self, context: &Context<'_>, now: Millis, seen: &Seen<'_>) -> Result<Vec<Session>, Breach> {
        let (Some(link), Some(kept)) = (&self.link, &self.kept) else {
            return Err(Breach::of(Rule::DeliveryWasSubscribed, "no delivery"));
        };
        let mut successors = Vec::new();
        let mut nearest: Option<Breach> = None;
        // Of messages alike in one lane the first one that is owed is meant: they come in order, and without an order it makes
        // no difference if nothing else tells them apart.
        let mut firsts: Vec<Delivery> = Vec::new();
        let in_order = keeps_order(context, link);
        let alike = |one: &Delivery, other: &Delivery| {
            let (message, others) = (context.vocabulary.of(one.message), context.vocabulary.of(other.message));
            same_lane(message, others) && (in_order || (one.stands_beside(other) && message.expiry == others.expiry))
        };
        let mut taken: Vec<(bool, Delivery)> = Vec::new();
        for candidate in self.candidates(context, link, kept, seen.content) {
            let floats = !kept.deliveries.contains(&candidate);
            // What the session will make of a message that still floats is open: then it may stand for no other.
            if taken.iter().any(|(other_floats, other)| *other_floats <= floats && other.stands_for(&candidate)) {
                continue;
            }
            match self.deliver_as(context, now, link, kept, &candidate, seen) {
                Ok(session) => {
                    // Further copies do not come in order, nor does a message that was taken twice.
                    let is_first_of = |other: &Delivery| other.message != candidate.message && alike(other, &candidate);
                    if candidate.kind != Kind::Live || !candidate.shares.is_empty() || !firsts.iter().any(is_first_of) {
                        successors.push(session);
                    }
                    // One that need not come may have been left out, above QoS 0 with consequences for the next.
                    let is_qos_0 = context.vocabulary.of(candidate.message).qos == Qos::AtMostOnce;
                    if candidate.kind == Kind::Live && (candidate.owed || is_qos_0) {
                        firsts.push(candidate.clone());
                    }
                    taken.push((floats, candidate));
                }
                Err(breach) => nearest = nearest.or(Some(breach)),
            }
        }
        successors.sort();
        successors.dedup();
        match (successors.is_empty(), nearest) {
            (false, _) => Ok(successors),
            (true, Some(breach)) => Err(breach),
            (true, None) => Err(Breach::of(Rule::DeliveryWasSubscribed, self.waiting_deliveries(context))),
        }
    }

    /// Deliveries with this content, in the order of their messages: bound ones, then those that still float.
    fn candidates(&self, context: &Context<'_>, link: &Connection, kept: &Kept, content: ContentKey) -> Vec<Delivery> {
        let has_content = |message: MessageKey| context.vocabulary.of(message).content(link.version) == content;
        let floating = self.floating.iter().filter(|floating| floating.routing.may_come());
        let floating = floating.filter(|floating| has_content(floating.message)).flat_map(|floating| {
            let Routing { due, further, further_copies, shares, .. } = floating.routing.clone();
            let copy = |forms, kind| Delivery {
                message: floating.message,
                forms,
                owed: false,
                kind,
                shares: shares.clone(),
                progress: floating.progress(),
                undecided: None,
            };
            let due = (!due.qos.is_empty()).then(|| copy(due, Kind::Live));
            let further = (further_copies > 0).then(|| copy(further, Kind::Further));
            due.into_iter().chain(further)
        });
        let bound = kept.deliveries.iter().filter(|delivery| has_content(delivery.message)).cloned();
        let mut candidates: Vec<Delivery> = bound.chain(floating).collect();
        // The copy that is due before further ones, and one whose DUP is certain before others.
        candidates.sort_by_key(|delivery| {
            let place = context.vocabulary.place(delivery.message);
            (place, delivery.kind, !delivery.owed, delivery.progress != Progress::Waiting)
        });
        candidates
    }

    /// `seen` as this delivery.
    fn deliver_as(
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
            self.check_identifier(context, kept, delivery, id)?;
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

    fn check_identifier(
        &self,
        context: &Context<'_>,
        kept: &Kept,
        delivery: &Delivery,
        id: PacketId,
    ) -> Result<(), Breach> {
        if let Some(first) = delivery.progress.id() {
            return match first == id {
                true => Ok(()),
                false => Err(Breach::of(Rule::RepeatedDeliveryKeepsItsId, format!("id{first}"))),
            };
        }
        let in_use = kept.deliveries.iter().any(|other| other.progress.id() == Some(id));
        match in_use && !context.has_bug(SeededBug::ReusesIdentifiers) {
            true => {
                Err(Breach::of(Rule::IdentifierIsFree, format!("an identifier other than id{id}, which is in use")))
            }
            false => Ok(()),
        }
    }

    /// Nothing that precedes `delivery` in its lane may still be waiting, if it comes at the same QoS (3.1.1: MQTT-4.6.0-6;
    /// 5.0: MQTT-4.6.0-5).
    fn check_order(&self, context: &Context<'_>, delivery: &Delivery, qos: Qos) -> Result<(), Breach> {
        if context.has_bug(SeededBug::Reorders) || !delivery.is_ordered() {
            return Ok(());
        }
        let vocabulary = context.vocabulary;
        let precedes = |other: MessageKey| precedes(vocabulary, other, delivery.message);
        // A further copy has its place once it was sent.
        let has_place = |other: &Delivery| other.kind != Kind::Further || other.progress.id().is_some();
        let bound = self.kept.iter().flat_map(|kept| &kept.deliveries).find(|other| {
            other.owed
                && other.is_ordered()
                && has_place(other)
                && other.forms.qos == QosSet::only(qos)
                && precedes(other.message)
                && other.progress.is_before_publish()
        });
        match bound {
            Some(earlier) => {
                Err(Breach::of(Rule::OrderIsKept, format!("{} first", vocabulary.describe(earlier.message))))
            }
            None => Ok(()),
        }
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
    fn waiting_deliveries(&self, context: &Context<'_>) -> String {
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

/// DUP tells of the delivery's own repetition and of nothing else (MQTT-3.3.1-1, MQTT-3.3.1-3).
fn check_dup(context: &Context<'_>, link: &Connection, progress: Progress, seen: &Seen<'_>) -> Result<(), Breach> {
    match progress {
        Progress::Waiting if seen.dup => Err(Breach::of(Rule::FirstDeliveryHasNoDup, "DUP 0")),
        Progress::Unacknowledged(_) if !seen.dup && !context.has_bug(SeededBug::RepeatsWithoutDup) => {
            Err(Breach::of(Rule::RepeatedDeliveryHasDup, "DUP 1"))
        }
        Progress::Received(..) | Progress::Released(..) => {
            Err(Breach::of(Rule::ReceivedIsNotRepeated, "no PUBLISH after PUBREC"))
        }
        Progress::Open(_) if !seen.dup => Err(Breach::of(Rule::DeliveryOnce, "no second copy")),
        // 3.x lets a sender repeat at any time (V31-17; 3.1.1, 4.4), but never without DUP.
        Progress::Open(_) if link.version == ProtocolVersion::V5_0 => {
            Err(Breach::of(Rule::RepeatedOnlyOnReconnect, "no repetition on this connection"))
        }
        _ => Ok(()),
    }
}

/// QoS, RETAIN and Subscription Identifiers are what the subscription makes of them.
fn check_forms(link: &Connection, delivery: &Delivery, seen: &Seen<'_>) -> Result<(), Breach> {
    let Delivery { forms, kind, .. } = delivery;
    if !forms.qos.contains(seen.qos) {
        return Err(Breach::of(Rule::DeliveryQos, forms.qos.to_string()));
    }
    if !forms.retain.admits(seen.retain) {
        let rule = match kind {
            Kind::Retained => Rule::RetainedDeliveryIsMarked,
            Kind::Live | Kind::Further if seen.retain => Rule::LiveDeliveryIsNotRetained,
            Kind::Live | Kind::Further => Rule::RetainAsPublished,
        };
        return Err(Breach::of(rule, format!("RETAIN {}", u8::from(!seen.retain))));
    }
    // A session of 5.0 may go on in 3.x, which has no place for them.
    let has_place = link.version.has_properties();
    if has_place && !forms.admits_identifiers(seen.identifiers) {
        let numbers = |list: &[SubscriptionIdentifier]| list.iter().map(|one| one.value()).collect::<Vec<u32>>();
        let lists = forms.identifier_lists();
        let lists: Vec<String> = lists.iter().map(|list| format!("{:?}", numbers(list))).collect();
        return Err(Breach::of(
            Rule::IdentifiersOfSubscriptions,
            format!("Subscription Identifiers {}", lists.join(" or ")),
        ));
    }
    Ok(())
}

/// A message that has waited too long is not sent, and one that is sent says how long it may still wait.
fn check_expiry(
    context: &Context<'_>,
    now: Millis,
    link: &Connection,
    delivery: &Delivery,
    seen: &Seen<'_>,
) -> Result<(), Breach> {
    // What had begun comes again with DUP.
    let begins = match delivery.progress {
        Progress::Waiting => true,
        Progress::PerhapsSent => !seen.dup,
        _ => false,
    };
    match context.vocabulary.of(delivery.message).expiry {
        Some(expiry) if begins && !expiry.may_begin(context, now) => {
            Err(Breach::of(Rule::ExpiredIsNotDelivered, "no delivery: the message has expired"))
        }
        Some(expiry) if begins && link.version.has_properties() => expiry.check_forwarded(now, seen.expiry),
        None if seen.expiry.is_some() => {
            Err(Breach::of(Rule::ExpiryIsForwarded, "no Message Expiry Interval: the publisher gave none"))
        }
        _ => Ok(()),
    }
}
