//! The order of messages: each topic of a client has a lane for each QoS, and what comes in it comes in order.

use super::delivery::{Delivery, Kind};
use super::qos_set::QosSet;
use super::rule::{Breach, Context, Rule, SeededBug};
use super::session::{Connection, Session};
use super::vocabulary::{Message, MessageKey, Vocabulary};
use crate::packet::Qos;
use crate::profile::Feature;

/// Whether two messages share a lane, in which order is kept (3.1.1: MQTT-4.6.0-6; 5.0: MQTT-4.6.0-5). A Will is no PUBLISH of the
/// client and has no place in its order.
pub(super) fn same_lane(one: &Message, other: &Message) -> bool {
    one.sender == other.sender && one.topic == other.topic && one.qos == other.qos && !one.is_will && !other.is_will
}

/// Whether a message comes before another one in their lane, however often it was sent.
pub(super) fn precedes(vocabulary: &Vocabulary, one: MessageKey, other: MessageKey) -> bool {
    same_lane(vocabulary.of(one), vocabulary.of(other)) && vocabulary.is_sent_before(one, other)
}

/// Whether what comes on a connection comes in order.
pub(super) fn keeps_order(context: &Context<'_>, link: &Connection) -> bool {
    context.profile.has_in(Feature::MessageOrder, link.version)
}

impl Session {
    /// Nothing that precedes `delivery` in its lane may still be waiting, if it comes at the same QoS (3.1.1: MQTT-4.6.0-6;
    /// 5.0: MQTT-4.6.0-5).
    pub(super) fn check_order(&self, context: &Context<'_>, delivery: &Delivery, qos: Qos) -> Result<(), Breach> {
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
}
