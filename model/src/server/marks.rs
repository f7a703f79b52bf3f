//! Whether a PUBLISH to the client may look like this: DUP, QoS, RETAIN, Subscription Identifiers, Message Expiry Interval,
//! Packet Identifier.

use super::Millis;
use super::deliver::Seen;
use super::delivery::{Delivery, Kind, Progress};
use super::rule::{Breach, Context, Rule, SeededBug};
use super::session::{Connection, Kept};
use crate::packet::{PacketId, ProtocolVersion, SubscriptionIdentifier};

/// DUP tells of the delivery's own repetition and of nothing else (MQTT-3.3.1-1, MQTT-3.3.1-3).
pub(super) fn check_dup(
    context: &Context<'_>,
    link: &Connection,
    progress: Progress,
    seen: &Seen<'_>,
) -> Result<(), Breach> {
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
pub(super) fn check_forms(link: &Connection, delivery: &Delivery, seen: &Seen<'_>) -> Result<(), Breach> {
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
pub(super) fn check_expiry(
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

/// A repetition keeps its identifier, another message has a free one.
pub(super) fn check_identifier(
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
        true => Err(Breach::of(Rule::IdentifierIsFree, format!("an identifier other than id{id}, which is in use"))),
        false => Ok(()),
    }
}
