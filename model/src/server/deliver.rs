//! Messages on their way to the client: identifiers, DUP, order, Receive Maximum, and what is owed.

use super::alphabet::Output;
use super::qos_set::QosSet;
use super::rule::{Breach, Context, Rule, SeededBug};
use super::session::{Connection, Delivery, Floating, Kept, Phase, Progress, Routing, Session};
use super::vocabulary::{ContentKey, Message, MessageKey, Vocabulary};
use crate::packet::{PacketId, ProtocolVersion, Qos};
use crate::profile::{Feature, Offence};

/// A PUBLISH as it came.
pub(super) struct Seen {
    pub(super) content: ContentKey,
    pub(super) qos: Qos,
    pub(super) id: Option<PacketId>,
    pub(super) dup: bool,
    pub(super) retain: bool,
}

/// How a router tells a session of a message that another session has published.
impl Session {
    /// The message is on its way: from now on it may come, as far as `routing` lets it.
    #[must_use]
    pub fn float(&self, message: MessageKey, routing: Routing) -> Session {
        let mut next = self.clone();
        match next.floating.iter_mut().find(|floating| floating.message == message) {
            Some(floating) => floating.routing = floating.routing.or(routing),
            None => {
                next.floating.push(Floating { message, routing, times: 1, perhaps_sent: false });
            }
        }
        next.floating.sort();
        next
    }

    /// The message, which is on its way already, is sent once more.
    #[must_use]
    pub fn repeat(&self, message: MessageKey) -> Session {
        let mut next = self.clone();
        next.floating.iter_mut().filter(|floating| floating.message == message).for_each(|floating| {
            floating.times = floating.times.saturating_add(1);
        });
        next
    }

    /// The server has taken the message over: what it met is decided, and it is due where it met a subscription.
    #[must_use]
    pub fn settle(&self, context: &Context<'_>, message: MessageKey) -> Session {
        let mut next = self.clone();
        let Some(position) = next.floating.iter().position(|floating| floating.message == message) else { return next };
        let floating = next.floating.remove(position);
        let routing = floating.copies();
        let connected = next.link.is_some();
        if !connected && context.has_bug(SeededBug::DropsWhileDisconnected) {
            return next;
        }
        let Some(kept) = &mut next.kept else { return next };
        if !routing.qos.is_empty() {
            let above_qos_0 = !routing.qos.contains(Qos::AtMostOnce);
            // QoS 0 may be lost at any time (MQTT-4.3.1-1), and need not be stored.
            let stored = connected || context.profile.has(Feature::OfflineMessages);
            let fits = next.link.as_ref().is_none_or(|link| link.takes(context.vocabulary.of(message)));
            let owed = !routing.missed && above_qos_0 && stored && fits && !context.vocabulary.of(message).expires;
            kept.deliveries.push(Delivery {
                message,
                qos: routing.qos,
                owed,
                further: false,
                progress: floating.progress(),
            });
        }
        kept.push_further(message, &routing);
        kept.deliveries.sort();
        next
    }

    /// The server has refused the message: it must not come any more.
    #[must_use]
    pub fn discard(&self, message: MessageKey) -> Session {
        let mut next = self.clone();
        next.floating.retain(|floating| floating.message != message);
        next
    }
}

impl Floating {
    /// What it was met by, each time that it was sent.
    fn copies(&self) -> Routing {
        let routing = self.routing;
        if self.times == 1 || routing.qos.is_empty() {
            return routing;
        }
        let copies = routing.further_copies.saturating_add(1).saturating_mul(self.times) - 1;
        Routing { further: routing.further.union(routing.qos), further_copies: copies, ..routing }
    }

    /// How far its delivery may be.
    fn progress(&self) -> Progress {
        if self.perhaps_sent { Progress::PerhapsSent } else { Progress::Waiting }
    }
}

impl Kept {
    fn push_further(&mut self, message: MessageKey, routing: &Routing) {
        for _ in 0..routing.further_copies {
            self.deliveries.push(Delivery {
                message,
                qos: routing.further,
                owed: false,
                further: true,
                progress: Progress::Waiting,
            });
        }
    }

    /// The lowest identifier that no delivery uses.
    fn free_id(&self) -> PacketId {
        let mut id = PacketId::FIRST;
        while self.deliveries.iter().any(|delivery| delivery.progress.id() == Some(id)) {
            id = id.next();
        }
        id
    }

    fn open_deliveries(&self) -> usize {
        self.deliveries.iter().filter(|delivery| matches!(delivery.progress, Progress::Open(_))).count()
    }
}

impl Connection {
    /// Whether a message certainly fits into the client's Maximum Packet Size. One that does not is dropped as if it had been
    /// sent (MQTT-3.1.2-25); what a server may add to the packet leaves a margin in which nothing is owed.
    pub(super) fn takes(&self, message: &Message) -> bool {
        const MARGIN: u32 = 32;
        self.maximum_packet_size.is_none_or(|maximum| message.size.saturating_add(MARGIN) <= maximum)
    }
}

impl Progress {
    /// The identifier in use.
    #[must_use]
    pub fn id(self) -> Option<PacketId> {
        match self {
            Progress::Open(id) | Progress::Unacknowledged(id) => Some(id),
            Progress::Waiting | Progress::PerhapsSent => None,
        }
    }
}

/// Whether two messages share a lane, in which order is kept (MQTT-4.6.0-6; 5.0: MQTT-4.6.0-5).
fn same_lane(one: &Message, other: &Message) -> bool {
    one.sender == other.sender && one.topic == other.topic && one.qos == other.qos
}

/// Whether a message comes before another one in their lane: a connection is done when its client's next one begins.
fn precedes(vocabulary: &Vocabulary, one: MessageKey, other: MessageKey) -> bool {
    let place = |key: MessageKey| (vocabulary.of(key).connection, key);
    same_lane(vocabulary.of(one), vocabulary.of(other)) && place(one) < place(other)
}

impl Session {
    /// PUBLISH comes: which message is it, and may it come like this?
    pub(super) fn deliver(&self, context: &Context<'_>, seen: &Seen) -> Result<Vec<Session>, Breach> {
        let (Some(link), Some(kept)) = (&self.link, &self.kept) else {
            return Err(Breach::of(Rule::DeliveryWasSubscribed, "no delivery"));
        };
        if seen.retain {
            return Err(Breach::of(Rule::LiveDeliveryIsNotRetained, "RETAIN 0"));
        }
        let mut successors = Vec::new();
        let mut nearest: Option<Breach> = None;
        let mut lanes: Vec<MessageKey> = Vec::new();
        for candidate in self.candidates(context, link, kept, seen.content) {
            match self.deliver_as(context, link, kept, candidate, seen) {
                Ok(session) => {
                    // Of messages alike in one lane the first one that is owed is meant: they come in order. Further copies do not.
                    let message = context.vocabulary.of(candidate.message);
                    let in_lane = lanes.iter().any(|other| same_lane(context.vocabulary.of(*other), message));
                    if candidate.further || !in_lane {
                        successors.push(session);
                    }
                    // One that need not come may have been left out, above QoS 0 with consequences for the next.
                    if !candidate.further && (candidate.owed || message.qos == Qos::AtMostOnce) {
                        lanes.push(candidate.message);
                    }
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
        let floating =
            self.floating.iter().filter(|floating| !floating.routing.qos.is_empty()).map(|floating| Delivery {
                message: floating.message,
                qos: floating.routing.qos.union(floating.copies().further),
                owed: false,
                further: false,
                progress: floating.progress(),
            });
        let mut candidates: Vec<Delivery> = kept
            .deliveries
            .iter()
            .copied()
            .chain(floating)
            .filter(|delivery| context.vocabulary.of(delivery.message).content(link.version) == content)
            .collect();
        // The copy that is due before further ones.
        candidates.sort_by_key(|delivery| {
            (context.vocabulary.of(delivery.message).connection, delivery.message, delivery.further)
        });
        candidates
    }

    /// `seen` as this delivery.
    fn deliver_as(
        &self,
        context: &Context<'_>,
        link: &Connection,
        kept: &Kept,
        delivery: Delivery,
        seen: &Seen,
    ) -> Result<Session, Breach> {
        check_dup(context, link, delivery.progress, seen)?;
        if !delivery.qos.contains(seen.qos) {
            return Err(Breach::of(Rule::DeliveryQos, delivery.qos.to_string()));
        }
        if let Some(id) = seen.id {
            self.check_identifier(context, kept, &delivery, id)?;
            let repeated = matches!(delivery.progress, Progress::Open(_));
            let full = kept.open_deliveries() >= usize::from(link.receive_maximum) && !repeated;
            if full && !context.has_bug(SeededBug::IgnoresReceiveMaximum) {
                return Err(Breach::of(
                    Rule::ReceiveMaximumIsObeyed,
                    format!("no more than {} open deliveries", link.receive_maximum),
                ));
            }
        }
        self.check_order(context, &delivery)?;
        Ok(self.delivered(context, &delivery, seen))
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

    /// Nothing that precedes `delivery` in its lane may still be waiting.
    fn check_order(&self, context: &Context<'_>, delivery: &Delivery) -> Result<(), Breach> {
        if context.has_bug(SeededBug::Reorders) {
            return Ok(());
        }
        let vocabulary = context.vocabulary;
        let precedes = |other: MessageKey| precedes(vocabulary, other, delivery.message);
        let bound = self.kept.iter().flat_map(|kept| &kept.deliveries).find(|other| {
            other.owed && !other.further && precedes(other.message) && !matches!(other.progress, Progress::Open(_))
        });
        // What was not answered on an earlier connection may have gone down with it.
        let connection = vocabulary.of(delivery.message).connection;
        // A message that floats has met a definite set of subscriptions by now: its successor is here.
        let floating = self.floating.iter().find(|other| {
            let routing = other.routing;
            precedes(other.message)
                && vocabulary.of(other.message).connection == connection
                && !routing.missed
                && !routing.qos.contains(Qos::AtMostOnce)
                && !vocabulary.of(other.message).expires
        });
        match bound.map(|other| other.message).or(floating.map(|other| other.message)) {
            Some(earlier) => Err(Breach::of(Rule::OrderIsKept, format!("{} first", vocabulary.describe(earlier)))),
            None => Ok(()),
        }
    }

    /// The session after the delivery.
    fn delivered(&self, context: &Context<'_>, delivery: &Delivery, seen: &Seen) -> Session {
        let vocabulary = context.vocabulary;
        let overtaken = |other: MessageKey| precedes(vocabulary, other, delivery.message);
        let mut next = self.clone();
        let Some(kept) = &mut next.kept else { return next };
        let bound = kept.deliveries.iter().position(|known| known == delivery);
        let mut now = *delivery;
        match bound {
            Some(position) => drop(kept.deliveries.remove(position)),
            None => {
                if let Some(position) = next.floating.iter().position(|known| known.message == delivery.message) {
                    let routing = next.floating.remove(position).copies();
                    now.further = !routing.qos.contains(seen.qos);
                    if now.further {
                        // A further copy came first: the one that is due is still to come.
                        kept.deliveries.push(Delivery { qos: routing.qos, owed: !routing.missed, ..*delivery });
                        kept.push_further(
                            delivery.message,
                            &Routing { further_copies: routing.further_copies - 1, ..routing },
                        );
                    } else {
                        kept.push_further(delivery.message, &routing);
                    }
                }
            }
        }
        // What its successor has overtaken cannot come any more.
        kept.deliveries
            .retain(|other| other.owed || other.further || other.progress.id().is_some() || !overtaken(other.message));
        next.floating.retain(|other| !overtaken(other.message));
        if let Some(id) = seen.id {
            kept.deliveries.push(Delivery { qos: QosSet::only(seen.qos), progress: Progress::Open(id), ..now });
        }
        kept.deliveries.sort();
        next
    }

    /// PUBACK of the client is taken.
    pub(super) fn acknowledged(&self, context: &Context<'_>, id: PacketId) -> Vec<Session> {
        let found =
            self.kept.as_ref().and_then(|kept| kept.deliveries.iter().position(|d| d.progress.id() == Some(id)));
        let Some(position) = found else { return self.offend(context, Offence::UnknownPacketIdentifier, &[]) };
        let mut next = self.clone();
        if let Some(kept) = &mut next.kept {
            match kept.deliveries[position].progress {
                // For a delivery of an earlier connection the server may still repeat it.
                Progress::Unacknowledged(_) => kept.deliveries[position].owed = false,
                _ => drop(kept.deliveries.remove(position)),
            }
            kept.deliveries.sort();
        }
        vec![next]
    }

    /// Each PUBLISH that may come next, with the lowest free identifier.
    pub(super) fn possible_deliveries(&self, context: &Context<'_>) -> Vec<Output> {
        let (Some(link), Some(kept)) = (&self.link, &self.kept) else { return Vec::new() };
        let mut outputs = Vec::new();
        for delivery in kept.deliveries.iter().filter(|delivery| !matches!(delivery.progress, Progress::Open(_))) {
            for qos in delivery.qos.iter() {
                let fresh = match context.has_bug(SeededBug::ReusesIdentifiers) {
                    true => PacketId::FIRST,
                    false => kept.free_id(),
                };
                let repeated = matches!(delivery.progress, Progress::Unacknowledged(_));
                let seen = Seen {
                    content: context.vocabulary.of(delivery.message).content(link.version),
                    qos,
                    id: (qos > Qos::AtMostOnce).then(|| delivery.progress.id().unwrap_or(fresh)),
                    dup: repeated && !context.has_bug(SeededBug::RepeatsWithoutDup),
                    retain: false,
                };
                if self.deliver_as(context, link, kept, *delivery, &seen).is_ok() {
                    let Seen { content, qos, id, dup, retain } = seen;
                    outputs.push(Output::Publish { content, qos, id, dup, retain });
                }
            }
        }
        outputs
    }

    /// A delivery that silence would break.
    pub(super) fn owed_delivery(&self, context: &Context<'_>) -> Option<Breach> {
        let link = self.link.as_ref().filter(|link| link.phase == Phase::Connected)?;
        let kept = self.kept.as_ref()?;
        let owed = |progress: fn(&Progress) -> bool| {
            kept.deliveries.iter().find(move |delivery| delivery.owed && progress(&delivery.progress))
        };
        let describe = |delivery: &Delivery| {
            format!("PUBLISH {} at {}", context.vocabulary.describe(delivery.message), delivery.qos)
        };
        let window_is_open = kept.open_deliveries() < usize::from(link.receive_maximum);
        if let Some(delivery) =
            owed(|progress| matches!(progress, Progress::Unacknowledged(_))).filter(|_| window_is_open)
        {
            return Some(Breach::of(Rule::UnacknowledgedIsRepeated, describe(delivery)));
        }
        // A server may keep its window smaller than Receive Maximum, but never shut (MQTT-4.9.0-1).
        owed(|progress| matches!(progress, Progress::Waiting | Progress::PerhapsSent))
            .filter(|_| kept.open_deliveries() == 0)
            .map(|delivery| Breach::of(Rule::DeliveryIsMade, describe(delivery)))
    }

    /// What may be delivered, in words.
    fn waiting_deliveries(&self, context: &Context<'_>) -> String {
        let kept = self.kept.iter().flat_map(|kept| &kept.deliveries).map(|delivery| delivery.message);
        let floating = self.floating.iter().filter(|f| !f.routing.qos.is_empty()).map(|floating| floating.message);
        let mut messages: Vec<String> =
            kept.chain(floating).take(4).map(|message| context.vocabulary.describe(message)).collect();
        messages.dedup();
        match messages.is_empty() {
            true => "no delivery: nothing waits for this client".to_owned(),
            false => messages.join(", or "),
        }
    }
}

/// DUP tells of the delivery's own repetition and of nothing else (MQTT-3.3.1-1 and -3).
fn check_dup(context: &Context<'_>, link: &Connection, progress: Progress, seen: &Seen) -> Result<(), Breach> {
    match progress {
        Progress::Waiting if seen.dup => Err(Breach::of(Rule::FirstDeliveryHasNoDup, "DUP 0")),
        Progress::Unacknowledged(_) if !seen.dup && !context.has_bug(SeededBug::RepeatsWithoutDup) => {
            Err(Breach::of(Rule::RepeatedDeliveryHasDup, "DUP 1"))
        }
        Progress::Open(_) if !seen.dup => Err(Breach::of(Rule::DeliveryOnce, "no second copy")),
        // 3.x lets a sender repeat at any time (V31-17; 3.1.1, 4.4), but never without DUP.
        Progress::Open(_) if link.version == ProtocolVersion::V5_0 => {
            Err(Breach::of(Rule::RepeatedOnlyOnReconnect, "no repetition on this connection"))
        }
        _ => Ok(()),
    }
}
