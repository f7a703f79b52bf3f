//! How a router tells a session of a message that was published: what its subscriptions make of it, and when it is due.

use super::alias::AliasTable;
use super::delivery::{Delivery, Flag, Floating, Forms, Kind, Progress, Routing};
use super::qos_set::QosSet;
use super::rule::{Context, SeededBug};
use super::session::{Connection, Kept, Session, Subscription, SubscriptionTerms};
use super::shared::Shared;
use super::vocabulary::{FilterKey, Message, MessageKey};
use crate::packet::{ProtocolVersion, Qos, SubscriptionIdentifier};
use crate::profile::Feature;

/// Which members of Shared Subscriptions a message goes to.
#[derive(Debug, Clone, Copy)]
pub enum Shares<'a> {
    /// Nobody knows: this session may be the one that is chosen (4.8.2).
    Undecided,
    /// This session is chosen for these, and for no others.
    Chosen(&'a [FilterKey]),
}

/// What of a session decides what it makes of a message: many states have it in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hearing {
    version: ProtocolVersion,
    maximum_packet_size: Option<u32>,
    /// None without session state.
    subscriptions: Option<Vec<Subscription>>,
}

impl Hearing {
    /// What the subscriptions make of a message. `own` says whether the session published it (No Local).
    #[must_use]
    pub fn routing(&self, context: &Context<'_>, message: &Message, own: bool, shares: Shares<'_>) -> Routing {
        let Some(subscriptions) = &self.subscriptions else { return Routing::none() };
        let mut routing = Routing::none();
        let mut shared = Vec::new();
        let mut identifiers: Vec<SubscriptionIdentifier> = Vec::new();
        let mut is_sure = true;
        let is_certain = |held: &Subscription| context.vocabulary.matches(held.filter, message.topic);
        let may_match = |held: &&Subscription| match self.version {
            ProtocolVersion::V3_1 => context.vocabulary.matches_levels(held.filter, message.topic),
            ProtocolVersion::V3_1_1 | ProtocolVersion::V5_0 => is_certain(held),
        };
        for held in subscriptions.iter().filter(may_match) {
            let heard =
                |terms: &&SubscriptionTerms| !(own && terms.no_local && !context.has_bug(SeededBug::IgnoresNoLocal));
            let terms = [Some(held.terms), held.before];
            let mut forms =
                terms.iter().flatten().filter(heard).map(|terms| terms.forms(context, message, self.version));
            let Some(first) = forms.next() else { continue };
            let forms = forms.fold(first, |all, other| all.union(&other));
            if context.vocabulary.is_shared(held.filter) {
                match shares {
                    Shares::Undecided => shared.push((held.filter, forms, true)),
                    Shares::Chosen(chosen) if chosen.contains(&held.filter) => shared.push((held.filter, forms, false)),
                    Shares::Chosen(_) if context.has_bug(SeededBug::SendsToEveryMember) => {
                        shared.push((held.filter, forms, false))
                    }
                    Shares::Chosen(_) => {}
                }
                continue;
            }
            identifiers.extend(terms.iter().flatten().filter(heard).filter_map(|terms| terms.identifier));
            let met = routing.clone().meeting(forms);
            // As long as the SUBACK may refuse it, nobody knows whether it holds.
            let holds = held.before.is_none() && is_certain(held);
            is_sure &= holds;
            routing = if holds { met } else { routing.or(met) };
        }
        routing.join_identifiers(identifiers, is_sure && shared.is_empty());
        for (share, forms, undecided) in shared {
            let met = routing.clone().meeting(forms).or(Routing { shares: vec![share], ..Routing::default() });
            routing = if undecided { routing.or(met) } else { met };
        }
        // A connection that does not take the message lets it be dropped (MQTT-3.1.2-25), whichever one comes next.
        routing.missed |= !message.fits(self.maximum_packet_size);
        routing
    }
}

impl Session {
    /// What decides what it makes of a message.
    #[must_use]
    pub fn hearing(&self) -> Hearing {
        Hearing {
            version: self.version(),
            maximum_packet_size: self.link.as_ref().and_then(|link| link.maximum_packet_size),
            subscriptions: self.kept.as_ref().map(|kept| kept.subscriptions.clone()),
        }
    }

    /// The same without what has no part in its subscriptions, now or later.
    #[must_use]
    pub fn bare(&self) -> Session {
        let Session { link, older, refused, kept, floating: _, wills: _ } = self.clone();
        let bare_link = |mut link: Shared<Connection>| {
            if !link.responses.is_empty() || link.will.is_some() || link.aliases != AliasTable::default() {
                link.responses.clear();
                link.will = None;
                link.aliases = AliasTable::default();
            }
            link
        };
        let bare_kept = |kept: Shared<Kept>| {
            let Kept { ends_at, subscriptions, .. } = &*kept;
            Shared::from(Kept { ends_at: *ends_at, subscriptions: subscriptions.clone(), ..Kept::default() })
        };
        Session { link: link.map(bare_link), older, refused, kept: kept.map(bare_kept), ..Session::default() }
    }

    /// What its subscriptions make of a message. `own` says whether it published it.
    #[must_use]
    pub fn routing(&self, context: &Context<'_>, message: &Message, own: bool, shares: Shares<'_>) -> Routing {
        self.hearing().routing(context, message, own, shares)
    }

    /// Whether the message is on its way to this session.
    #[must_use]
    pub fn floats(&self, message: MessageKey) -> bool {
        self.floating.iter().any(|floating| floating.message == message)
    }

    /// The message is on its way: from now on it may come, as far as `routing` lets it.
    #[must_use]
    pub fn float(&self, message: MessageKey, routing: Routing) -> Session {
        self.clone().floating(message, routing)
    }

    /// The same for who has done with the state before: sessions are large, and most of what happens is this.
    pub(crate) fn floating(mut self, message: MessageKey, routing: Routing) -> Session {
        match self.floating.iter_mut().find(|floating| floating.message == message) {
            Some(floating) => floating.routing = std::mem::take(&mut floating.routing).or(routing),
            None => self.floating.push(Floating { message, routing, times: 1, perhaps_sent: false }),
        }
        self.floating.sort();
        self
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

    /// The server has taken the message over: what it met is decided, and it is due where it met a subscription
    /// (MQTT-4.5.0-1).
    #[must_use]
    pub fn settle(&self, context: &Context<'_>, message: MessageKey) -> Session {
        self.clone().settling(context, message)
    }

    /// The same for who has done with the state before.
    pub(crate) fn settling(mut self, context: &Context<'_>, message: MessageKey) -> Session {
        let Some(position) = self.floating.iter().position(|floating| floating.message == message) else { return self };
        let floating = self.floating.remove(position);
        let routing = floating.copies();
        let connected = self.link.is_some();
        if !connected && context.has_bug(SeededBug::DropsWhileDisconnected) {
            return self;
        }
        let Some(kept) = &mut self.kept else { return self };
        kept.push_due(context, self.link.as_deref(), message, &routing, floating.progress());
        kept.push_further(context, self.link.as_deref(), message, &routing, floating.progress());
        kept.deliveries.sort();
        self
    }

    /// The server has refused the message: it must not come any more.
    #[must_use]
    pub fn discard(&self, message: MessageKey) -> Session {
        let mut next = self.clone();
        next.floating.retain(|floating| floating.message != message);
        next
    }
}

impl SubscriptionTerms {
    /// How a message comes to a subscription on these terms.
    pub(super) fn forms(&self, context: &Context<'_>, message: &Message, version: ProtocolVersion) -> Forms {
        let qos = self.delivered_qos(context, message.qos);
        let retain = match version {
            // V31-21: advice, no more.
            ProtocolVersion::V3_1 if message.retain => Flag::Either,
            // 3.1.1: MQTT-3.3.1-9; 5.0: MQTT-3.3.1-12, MQTT-3.3.1-13.
            _ => Flag::of(message.retain && self.retain_as_published),
        };
        Forms { qos, retain, identifiers: self.identifier.map(|identifier| vec![identifier]).into_iter().collect() }
    }

    /// The levels at which a message that was published at `published` may be delivered.
    pub(crate) fn delivered_qos(&self, context: &Context<'_>, published: Qos) -> QosSet {
        match context.profile.has(Feature::SubscriberQos) {
            _ if context.has_bug(SeededBug::LowersQos) => QosSet::only(Qos::AtMostOnce),
            // The lower of publish QoS and grant (3.1.1: MQTT-3.8.4-6; 5.0: MQTT-3.8.4-8).
            true => self.granted.map(|granted| granted.min(published)),
            // P-QOS-2: the publisher's QoS decides.
            false => QosSet::only(published),
        }
    }
}

impl Routing {
    /// One more subscription is met. Overlap: one copy at the highest QoS is due, further copies are permitted
    /// (MQTT-3.3.5-1; 5.0: MQTT-3.3.4-2).
    fn meeting(self, forms: Forms) -> Routing {
        if self.missed && self.due.qos.is_empty() {
            return Routing { missed: false, due: forms, shares: self.shares, ..Routing::default() };
        }
        let highest = self.due.qos.maxima(forms.qos).union(if self.missed { forms.qos } else { QosSet::EMPTY });
        let either = self.due.clone().union(&forms);
        Routing {
            missed: false,
            due: Forms { qos: highest, ..either.clone() },
            further: self.further.union(&either),
            further_copies: self.further_copies.saturating_add(1),
            is_all_or_several: false,
            shares: self.shares,
        }
    }

    /// One copy for several subscriptions has all their identifiers (MQTT-3.3.4-4); of several copies each has its own
    /// (MQTT-3.3.4-5). `is_sure` says whether all of them have certainly been met.
    fn join_identifiers(&mut self, mut identifiers: Vec<SubscriptionIdentifier>, is_sure: bool) {
        if self.further_copies == 0 || identifiers.is_empty() {
            return;
        }
        identifiers.sort_unstable();
        let are_different = identifiers.first() != identifiers.last();
        let joint = Forms { identifiers: vec![identifiers], ..self.due.clone() };
        self.due = std::mem::take(&mut self.due).union(&joint);
        self.is_all_or_several = is_sure && are_different;
    }

    /// Whether a further copy is owed, as long as the first one does not stand for all.
    pub(super) fn owes_further(&self, context: &Context<'_>, link: Option<&Connection>, message: MessageKey) -> bool {
        self.is_all_or_several && self.owes(&self.further, context, link, message)
    }

    /// Whether a copy in one of these forms is owed: unless it may have met nothing, or may be lost or left out.
    fn owes(&self, forms: &Forms, context: &Context<'_>, link: Option<&Connection>, message: MessageKey) -> bool {
        // QoS 0 may be lost at any time, unless a case counts on the opposite.
        let arrives = context.profile.promises(Feature::Qos0Arrives) && link.is_some();
        let above_qos_0 = !forms.qos.contains(Qos::AtMostOnce) || arrives;
        // QoS 0 (MQTT-4.3.1-1) need not be stored.
        let stored = link.is_some() || context.profile.has(Feature::OfflineMessages);
        let published = context.vocabulary.of(message);
        let fits = link.is_none_or(|link| link.takes(published));
        let lasts = published.expiry.is_none() || context.profile.is_counted_on();
        !self.missed && above_qos_0 && stored && fits && lasts
    }
}

impl Floating {
    /// Whether the copy that is due will be owed once the server has taken the message over, however that goes.
    pub(super) fn will_be_owed(&self, context: &Context<'_>, link: &Connection) -> bool {
        let is_first = !self.is_repeated() && !self.perhaps_sent;
        is_first && self.routing.owes(&self.routing.due, context, Some(link), self.message)
    }
}

impl Kept {
    /// The copy that is due, if there is one.
    pub(super) fn push_due(
        &mut self,
        context: &Context<'_>,
        link: Option<&Connection>,
        message: MessageKey,
        routing: &Routing,
        progress: Progress,
    ) {
        if routing.due.qos.is_empty() && !routing.is_overtaken() {
            return;
        }
        self.deliveries.push(Delivery {
            message,
            forms: routing.due.clone(),
            owed: routing.owes(&routing.due, context, link, message),
            kind: Kind::Live,
            shares: routing.shares.clone(),
            progress,
            undecided: None,
        });
    }

    /// The further copies that there may be. One of them is owed, as long as the first copy does not stand for all.
    pub(super) fn push_further(
        &mut self,
        context: &Context<'_>,
        link: Option<&Connection>,
        message: MessageKey,
        routing: &Routing,
        progress: Progress,
    ) {
        let is_owed = routing.owes_further(context, link, message);
        for copy in 0..routing.further_copies {
            self.deliveries.push(Delivery {
                message,
                forms: routing.further.clone(),
                owed: copy == 0 && is_owed,
                kind: Kind::Further,
                shares: routing.shares.clone(),
                progress,
                undecided: None,
            });
        }
    }

    /// The copy that was due has come with a part of the Subscription Identifiers: the other one that is owed is for another
    /// subscription (MQTT-3.3.4-5).
    pub(super) fn part_came(&mut self, message: MessageKey, part: &[SubscriptionIdentifier]) {
        for further in self.waiting_copies(message, Kind::Further).filter(|further| further.owed) {
            further.forms.drop_identifiers(|list| list == part);
        }
    }

    /// It has come with all of them: no other one is owed (MQTT-3.3.4-4).
    pub(super) fn all_came(&mut self, message: MessageKey) {
        self.waiting_copies(message, Kind::Further).for_each(|further| further.owed = false);
    }

    /// Another copy has come before it: it is for another subscription, and not for all.
    pub(super) fn further_came(&mut self, message: MessageKey, part: &[SubscriptionIdentifier]) {
        for due in self.waiting_copies(message, Kind::Live) {
            due.forms.drop_identifiers(|list| list == part || list.len() > 1);
        }
    }

    fn waiting_copies(&mut self, message: MessageKey, kind: Kind) -> impl Iterator<Item = &mut Delivery> {
        let waits = move |copy: &&mut Delivery| copy.message == message && copy.kind == kind;
        self.deliveries.iter_mut().filter(waits).filter(|copy| copy.progress.id().is_none())
    }
}
