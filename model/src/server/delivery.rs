//! A message on its way to one client: how it may look, how far it is, and whether it has reached the session at all.

use super::qos_set::QosSet;
use super::vocabulary::{FilterKey, MessageKey};
use crate::packet::{PacketId, Qos, SubscriptionIdentifier};
use std::collections::BTreeSet;
use std::fmt;

/// The forms in which a copy of a message may come.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Forms {
    /// The levels at which it may be delivered.
    pub qos: QosSet,
    /// What RETAIN may say.
    pub retain: Flag,
    /// The lists of Subscription Identifiers that it may carry, sorted, each sorted; none means none.
    pub identifiers: Vec<Vec<SubscriptionIdentifier>>,
}

/// What a bit may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// 0.
    #[default]
    Clear,
    /// 1.
    Set,
    /// 0 or 1.
    Either,
}

/// A message that the server has for the client.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Delivery {
    /// The message.
    pub message: MessageKey,
    /// How it may come.
    pub forms: Forms,
    /// Whether it must be delivered.
    pub owed: bool,
    /// Why it is delivered.
    pub kind: Kind,
    /// The Shared Subscriptions that it may come for, sorted. No order is promised for them (5.0: MQTT-4.6.0-6): it may have
    /// been another member's before.
    pub shares: Vec<FilterKey>,
    /// How far it is.
    pub progress: Progress,
    /// The SUBSCRIBE whose SUBACK will tell at which level it comes, as long as that is open.
    pub undecided: Option<PacketId>,
}

/// Why a message is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It met a subscription when it was published: it has its place in the order.
    Live,
    /// It is a further copy, for an overlapping subscription.
    Further,
    /// It was retained when the client subscribed.
    Retained,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Progress {
    /// Never sent.
    Waiting,
    /// Perhaps sent on a connection that broke, and not seen.
    PerhapsSent,
    /// Sent on this connection and not acknowledged.
    Open(PacketId),
    /// Sent on an earlier connection and not acknowledged.
    Unacknowledged(PacketId),
    /// QoS 2: PUBREC has come, PUBREL is owed.
    Received(PacketId, Sent),
    /// QoS 2: PUBREL was sent on this connection, PUBCOMP is missing.
    Released(PacketId, Sent),
}

/// On which connection a PUBLISH of QoS 2 was sent: on this one it counts against Receive Maximum until PUBCOMP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sent {
    /// On this one.
    Here,
    /// On an earlier one.
    Earlier,
}

/// A message that may or may not have reached the session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Floating {
    /// The message.
    pub message: MessageKey,
    /// Where it may have met the subscriptions of this session.
    pub routing: Routing,
    /// How often it was sent: a message with DUP may be taken for a new one (4.3.2).
    pub times: u8,
    /// Whether a connection has broken meanwhile on which it may have been sent.
    pub perhaps_sent: bool,
}

/// What the subscriptions of a session make of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Routing {
    /// Whether it may have met none.
    pub missed: bool,
    /// The copy that is due; without level there is none.
    pub due: Forms,
    /// Further copies.
    pub further: Forms,
    /// How many further copies there may be.
    pub further_copies: u8,
    /// Whether a copy that lacks some of the Subscription Identifiers is not the only one (5.0: MQTT-3.3.4-4).
    pub is_all_or_several: bool,
    /// The Shared Subscriptions that may be among what it has met, sorted.
    pub shares: Vec<FilterKey>,
}

impl Delivery {
    /// Whether it has its place in the order of what is delivered.
    pub(super) fn is_ordered(&self) -> bool {
        self.kind != Kind::Retained && self.shares.is_empty()
    }

    /// Whether nothing but the message tells this one from another that is owed no more than it.
    pub(super) fn stands_beside(&self, other: &Delivery) -> bool {
        self.forms == other.forms
            && self.progress == other.progress
            && self.undecided == other.undecided
            && self.owed >= other.owed
    }

    /// Whether a copy that may be one or the other can be taken for this one: what remains then explains no less.
    pub(super) fn stands_for(&self, other: &Delivery) -> bool {
        let same_forms = self.forms.retain == other.forms.retain && self.forms.identifiers == other.forms.identifiers;
        let as_new = self.progress == other.progress
            || (self.progress == Progress::Waiting && other.progress == Progress::PerhapsSent);
        self.message == other.message
            && (self.shares.is_empty() || self.shares == other.shares)
            && self.undecided == other.undecided
            && same_forms
            && as_new
            && self.owed >= other.owed
            && self.forms.qos.union(other.forms.qos) == other.forms.qos
    }
}

impl Forms {
    /// All that is in one or the other.
    #[must_use]
    pub fn union(self, other: &Forms) -> Forms {
        if self.qos.is_empty() {
            return other.clone();
        }
        if other.qos.is_empty() {
            return self;
        }
        Forms {
            qos: self.qos.union(other.qos),
            retain: self.retain.or(other.retain),
            identifiers: either_list(self.identifiers, &other.identifiers),
        }
    }

    /// It does not come at this level. Tells whether it may come at another.
    pub(super) fn lose(&mut self, qos: Qos) -> bool {
        self.qos = self.qos.without(qos);
        !self.qos.is_empty()
    }

    /// The lists of Subscription Identifiers that a copy may carry.
    #[must_use]
    pub fn identifier_lists(&self) -> Vec<&[SubscriptionIdentifier]> {
        match self.identifiers.is_empty() {
            true => vec![&[]],
            false => self.identifiers.iter().map(Vec::as_slice).collect(),
        }
    }

    /// It does not come with these lists of Subscription Identifiers, if it can come with another.
    pub(super) fn drop_identifiers(&mut self, is_dropped: impl Fn(&[SubscriptionIdentifier]) -> bool) {
        if self.identifiers.iter().any(|list| !is_dropped(list)) {
            self.identifiers.retain(|list| !is_dropped(list));
        }
    }

    /// Whether a copy may carry more Subscription Identifiers than these.
    #[must_use]
    pub fn may_carry_more(&self, identifiers: &[SubscriptionIdentifier]) -> bool {
        let different = |list: &[SubscriptionIdentifier]| list.iter().collect::<BTreeSet<_>>().len();
        self.identifiers.iter().any(|list| different(list) > different(identifiers))
    }

    /// Whether a copy may carry these Subscription Identifiers.
    #[must_use]
    pub fn admits_identifiers(&self, identifiers: &[SubscriptionIdentifier]) -> bool {
        self.identifier_lists().contains(&identifiers)
    }
}

/// The lists of one or the other; that none means the empty list is kept in mind.
fn either_list(
    one: Vec<Vec<SubscriptionIdentifier>>,
    other: &[Vec<SubscriptionIdentifier>],
) -> Vec<Vec<SubscriptionIdentifier>> {
    if one == other {
        return one;
    }
    let or_empty =
        |lists: &[Vec<SubscriptionIdentifier>]| if lists.is_empty() { vec![Vec::new()] } else { lists.to_vec() };
    let mut all = [or_empty(&one), or_empty(other)].concat();
    all.sort();
    all.dedup();
    all
}

impl Flag {
    /// The bit that is just this.
    #[must_use]
    pub fn of(set: bool) -> Flag {
        if set { Flag::Set } else { Flag::Clear }
    }

    /// Whether the bit may be `set`.
    #[must_use]
    pub fn admits(self, set: bool) -> bool {
        self == Flag::Either || self == Flag::of(set)
    }

    /// What one or the other may be.
    #[must_use]
    pub fn or(self, other: Flag) -> Flag {
        if self == other { self } else { Flag::Either }
    }
}

impl Progress {
    /// The identifier in use.
    #[must_use]
    pub fn id(self) -> Option<PacketId> {
        match self {
            Progress::Open(id)
            | Progress::Unacknowledged(id)
            | Progress::Received(id, _)
            | Progress::Released(id, _) => Some(id),
            Progress::Waiting | Progress::PerhapsSent => None,
        }
    }

    /// Whether it counts against the client's Receive Maximum (MQTT-4.9.0-2).
    #[must_use]
    pub fn is_counted(self) -> bool {
        match self {
            Progress::Open(_) | Progress::Received(_, Sent::Here) | Progress::Released(_, Sent::Here) => true,
            Progress::Waiting | Progress::PerhapsSent | Progress::Unacknowledged(_) => false,
            Progress::Received(_, Sent::Earlier) | Progress::Released(_, Sent::Earlier) => false,
        }
    }

    /// Whether PUBLISH may still come, on this connection, for the first time.
    #[must_use]
    pub fn is_before_publish(self) -> bool {
        matches!(self, Progress::Waiting | Progress::PerhapsSent | Progress::Unacknowledged(_))
    }

    /// The same after the connection is gone.
    #[must_use]
    pub fn after_loss(self) -> Progress {
        match self {
            Progress::Open(id) => Progress::Unacknowledged(id),
            Progress::Waiting => Progress::PerhapsSent,
            Progress::Received(id, _) | Progress::Released(id, _) => Progress::Received(id, Sent::Earlier),
            Progress::PerhapsSent | Progress::Unacknowledged(_) => self,
        }
    }
}

impl Routing {
    /// It meets nothing.
    #[must_use]
    pub fn none() -> Routing {
        Routing { missed: true, ..Routing::default() }
    }

    /// Its successor has come at this level: it does not come at it any more. If there was no other, and it has certainly met a
    /// subscription, it is missing as soon as the server has taken it over, unless it `may_be_lost`. Tells whether it still
    /// matters.
    pub(super) fn lose(&mut self, qos: Qos, may_be_lost: bool) -> bool {
        if self.due.qos.contains(qos) {
            self.missed |= may_be_lost;
            self.due.lose(qos);
            self.further.lose(qos);
        }
        self.may_come() || !self.missed
    }

    /// Whether a copy may still come.
    #[must_use]
    pub fn may_come(&self) -> bool {
        !self.due.qos.is_empty() || (self.further_copies > 0 && !self.further.qos.is_empty())
    }

    /// Whether it has been overtaken by its successor.
    #[must_use]
    pub fn is_overtaken(&self) -> bool {
        !self.missed && self.due.qos.is_empty()
    }

    /// What one or the other may have been.
    #[must_use]
    pub fn or(self, other: Routing) -> Routing {
        let either = |mut shares: Vec<FilterKey>, others: Vec<FilterKey>| {
            shares.extend(others);
            shares.sort_unstable();
            shares.dedup();
            shares
        };
        Routing {
            missed: self.missed || other.missed,
            due: self.due.union(&other.due),
            further: self.further.union(&other.further),
            further_copies: self.further_copies.max(other.further_copies),
            is_all_or_several: self.is_all_or_several && other.is_all_or_several,
            shares: either(self.shares, other.shares),
        }
    }
}

impl Floating {
    /// Whether it was sent more than once.
    pub(super) fn is_repeated(&self) -> bool {
        self.times > 1
    }

    /// What it was met by, each time that it was sent.
    pub(crate) fn copies(&self) -> Routing {
        let routing = self.routing.clone();
        if !self.is_repeated() || routing.due.qos.is_empty() {
            return routing;
        }
        let copies = routing.further_copies.saturating_add(1).saturating_mul(self.times) - 1;
        let further = routing.further.union(&routing.due);
        Routing { further, further_copies: copies, is_all_or_several: false, ..routing }
    }

    /// How far its delivery may be.
    pub(super) fn progress(&self) -> Progress {
        if self.perhaps_sent { Progress::PerhapsSent } else { Progress::Waiting }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Progress::Waiting => f.write_str("waiting"),
            Progress::PerhapsSent => f.write_str("perhaps sent"),
            Progress::Open(id) => write!(f, "open as id{id}"),
            Progress::Unacknowledged(id) => write!(f, "unacknowledged as id{id}"),
            Progress::Received(id, _) => write!(f, "received as id{id}"),
            Progress::Released(id, _) => write!(f, "released as id{id}"),
        }
    }
}
