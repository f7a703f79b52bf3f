//! Small worlds, each about one thing that a server is free in.
//!
//! Client 0 publishes, client 1 subscribes. What a client does, it does in any order and at any time that its connection
//! lets it; the numbers say how often.

use crate::decisions::Decisions;
use crate::simulated::client::Deed;
use crate::simulated::terms::{Terms, Theme};
use crate::simulated::world::{Move, World};
use model::packet::{ProtocolVersion, Qos};
use model::profile::Profile;
use std::collections::BTreeMap;

/// How often a client does what; what is not listed never. Acknowledging is never limited.
type Script = &'static [(Deed, usize)];

const LIMITED: [Deed; 8] = [
    Deed::Connect,
    Deed::Subscribe,
    Deed::Unsubscribe,
    Deed::Publish,
    Deed::Ping,
    Deed::Leave,
    Deed::Break,
    Deed::Offend,
];

const ONCE: Script = &[(Deed::Connect, 1), (Deed::Publish, 1)];
pub(crate) const TWICE: Script = &[(Deed::Connect, 1), (Deed::Publish, 2)];
pub(crate) const SUBSCRIBES: Script = &[(Deed::Connect, 1), (Deed::Subscribe, 1)];
/// Of the subscriber.
const IS_CUT_OFF: Script = &[(Deed::Connect, 2), (Deed::Subscribe, 1), (Deed::Break, 1)];
const TAKES_OVER: Script = &[(Deed::Connect, 2), (Deed::Subscribe, 1)];
const UNSUBSCRIBES: Script = &[(Deed::Connect, 1), (Deed::Subscribe, 1), (Deed::Unsubscribe, 1)];
/// Of the publisher.
const COMES_BACK: Script = &[(Deed::Connect, 2), (Deed::Publish, 1), (Deed::Break, 1)];
const RETURNS: Script = &[(Deed::Connect, 2), (Deed::Publish, 1)];
const IS_LOST: Script = &[(Deed::Connect, 1), (Deed::Break, 1)];
const IS_MEMBER_TOO: Script = &[(Deed::Connect, 1), (Deed::Subscribe, 1), (Deed::Publish, 1)];

/// Two clients of 5.0 whose sessions last, at QoS 1.
pub(crate) fn between(publisher: Script, subscriber: Script) -> Terms {
    let often = |script: Script, deed: Deed| script.iter().find(|(known, _)| *known == deed).map_or(0, |(_, n)| *n);
    let limits = [publisher, subscriber]
        .into_iter()
        .enumerate()
        .flat_map(|(client, script)| LIMITED.into_iter().map(move |deed| ((client, deed), often(script, deed))));
    Terms {
        profile: Profile::builtin("standard").unwrap(),
        versions: &[ProtocolVersion::V5_0],
        clients: 2,
        topics: &["t"],
        filters: &["t"],
        qos: &[Qos::AtLeastOnce],
        intervals: &[u32::MAX],
        windows: &[0],
        clean_once_in: 0,
        themes: &[],
        // Nothing comes to rest here but by itself.
        calm: 0,
        limits: limits.collect::<BTreeMap<_, _>>(),
        capacity: if is_large() { 2 } else { 1 },
        inventive: false,
        bug: None,
    }
}

/// `MQTTSPEC_PRODUCT=large` looks through larger worlds: from nothing on, and with more on its way at once.
fn is_large() -> bool {
    std::env::var("MQTTSPEC_PRODUCT").is_ok_and(|size| size == "large")
}

/// With both clients connected; a larger world begins before that.
pub(crate) fn connected(terms: Terms) -> World {
    let mut world = World::new(terms);
    if !is_large() {
        both_do(&mut world, &[(0, Deed::Connect), (1, Deed::Connect)]);
    }
    world
}

/// With a subscription in place too.
pub(crate) fn subscribed(terms: Terms) -> World {
    let mut world = connected(terms);
    if !is_large() {
        both_do(&mut world, &[(1, Deed::Subscribe)]);
    }
    world
}

/// What comes before the part that is looked through: each deed with all that follows from it.
fn both_do(world: &mut World, deeds: &[(usize, Deed)]) {
    for (client, deed) in deeds {
        world.step(&Move::Do(*client, *deed), &mut Decisions::default());
        world.settle(&mut Decisions::default());
    }
}

pub(crate) fn of_3_1_1(terms: Terms) -> Terms {
    Terms { versions: &[ProtocolVersion::V3_1_1], ..terms }
}

pub(crate) fn exactly_once(terms: Terms) -> Terms {
    Terms { qos: &[Qos::ExactlyOnce], ..terms }
}

pub(crate) fn one_at_a_time(terms: Terms) -> Terms {
    Terms { windows: &[1], ..terms }
}

/// QoS 0 and 1 side by side: no order between them.
pub(crate) fn mixed() -> Terms {
    Terms { qos: &[Qos::AtMostOnce, Qos::AtLeastOnce], ..between(TWICE, SUBSCRIBES) }
}

/// The connection of the subscriber breaks.
pub(crate) fn subscriber_is_cut_off() -> Terms {
    between(ONCE, IS_CUT_OFF)
}

/// The connection of the publisher breaks, or is replaced: what was not answered comes again.
pub(crate) fn publisher_comes_back() -> Terms {
    between(COMES_BACK, SUBSCRIBES)
}

/// UNSUBSCRIBE while messages are under way.
pub(crate) fn unsubscribing() -> Terms {
    between(ONCE, UNSUBSCRIBES)
}

/// A second connection of the subscriber, beside its first one.
pub(crate) fn takeover() -> Terms {
    between(ONCE, TAKES_OVER)
}

/// The same, where the second connection may have Clean Start 1; from nothing the first one too.
pub(crate) fn takeover_anew() -> Terms {
    Terms { clean_once_in: 2, ..takeover() }
}

/// A message with RETAIN 1 or 0 against a new subscription with all its options.
pub(crate) fn retained() -> Terms {
    Terms { themes: &[Theme::Retained], ..between(ONCE, SUBSCRIBES) }
}

/// The same message comes again, and with it what is retained.
pub(crate) fn retained_again() -> Terms {
    Terms { themes: &[Theme::Retained], ..between(RETURNS, SUBSCRIBES) }
}

/// A client that may have a Will, now or with a delay, is lost.
pub(crate) fn will() -> Terms {
    Terms { themes: &[Theme::Wills], ..between(IS_LOST, SUBSCRIBES) }
}

/// Both clients may be members of a group, and one of them publishes.
pub(crate) fn group() -> Terms {
    Terms { themes: &[Theme::Shares], ..between(IS_MEMBER_TOO, SUBSCRIBES) }
}
