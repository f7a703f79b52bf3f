//! Handshakes, windows, aliases and expiry: messages on their way over connections that break.

use super::super::properties;
use super::world::{Role, Scale, Scenario, Step, World};
use crate::packet::{ProtocolVersion, Qos};
use crate::server::expiry::Expiry;

pub(super) fn broken_link(scale: Scale) -> Scenario {
    broken_link_of(scale.of(3, 4, 5), scale.of(1, 1, 2))
}

/// The scenario `broken-link` with so many messages, at most eight, and so many broken connections: the QoS 1 core, in the
/// sizes of its twin.
#[must_use]
pub fn broken_link_of(messages: usize, breaks: u8) -> Scenario {
    let mut world = World::new(ProtocolVersion::V5_0, "standard");
    let publisher = world.publisher(&[Qos::AtLeastOnce].repeat(messages));
    let script = vec![Step::Connect, world.subscribe(Qos::AtLeastOnce)];
    let subscriber = Role { lasting: true, receive_maximum: 2, breaks, script, ..Role::new("sub") };
    world.scenario(
        "broken-link",
        "QoS 1: the subscriber keeps its session, and its connection breaks.",
        vec![vec![subscriber], vec![publisher]],
        &[
            properties::WINDOW_IS_OBEYED,
            properties::DELIVERY_IS_REPEATED,
            properties::SESSION_IS_RESUMED,
            properties::WINDOW_IS_FULL,
            properties::ALL_ARRIVE,
        ],
    )
}

pub(super) fn fan_out(scale: Scale) -> Scenario {
    let mut world = World::new(ProtocolVersion::V5_0, "standard");
    let publisher = world.publisher(&[Qos::AtLeastOnce].repeat(scale.of(2, 3, 2)));
    let script = vec![Step::Connect, world.subscribe(Qos::AtLeastOnce)];
    let (lasting, breaks) = scale.of((false, 0), (false, 0), (true, 1));
    let subscriber = |name| Role { lasting, receive_maximum: 2, breaks, script: script.clone(), ..Role::new(name) };
    world.scenario(
        "fan-out",
        "One publisher and two subscribers that are alike: each has its own window and its own identifiers.",
        vec![vec![subscriber("sub 1")], vec![subscriber("sub 2")], vec![publisher]],
        &[properties::WINDOW_IS_OBEYED, properties::WINDOW_IS_FULL, properties::ALL_ARRIVE],
    )
}

pub(super) fn exactly_once(scale: Scale) -> Scenario {
    let mut world = World::new(ProtocolVersion::V5_0, "standard");
    let publisher = world.publisher(&[Qos::ExactlyOnce].repeat(scale.of(2, 2, 3)));
    // One identifier for all its messages: it comes into use again as soon as it is free.
    let publisher = Role { lasting: true, breaks: 1, identifiers: 1, ..publisher };
    let script = vec![Step::Connect, world.subscribe(Qos::ExactlyOnce)];
    let breaks = scale.of(0, 1, 1);
    let subscriber = Role { lasting: true, breaks, receive_maximum: 2, script, ..Role::new("sub") };
    world.scenario(
        "exactly-once",
        "QoS 2 in both directions: the connections of publisher and subscriber break.",
        vec![vec![subscriber], vec![publisher]],
        &[properties::DELIVERED_ONCE, properties::SESSION_IS_RESUMED, properties::ALL_ARRIVE],
    )
}

pub(super) fn flow_control(scale: Scale) -> Scenario {
    let mut world = World::new(ProtocolVersion::V5_0, "standard");
    let levels = [Qos::ExactlyOnce, Qos::AtLeastOnce, Qos::ExactlyOnce, Qos::AtLeastOnce];
    let publisher = world.publisher(&levels[..scale.of(2, 3, 4)]);
    let script = vec![Step::Connect, world.subscribe(Qos::ExactlyOnce)];
    let subscriber = Role { lasting: true, breaks: scale.of(0, 1, 1), receive_maximum: 1, script, ..Role::new("sub") };
    world.scenario(
        "flow-control",
        "Receive Maximum 1: the server waits for PUBACK or PUBCOMP before it sends the next message.",
        vec![vec![subscriber], vec![publisher]],
        &[properties::WINDOW_IS_OBEYED, properties::WINDOW_IS_FULL, properties::ALL_ARRIVE],
    )
}

pub(super) fn alias(scale: Scale) -> Scenario {
    let mut world = World::new(ProtocolVersion::V5_0, "standard");
    let publisher = world.publisher(&[Qos::AtLeastOnce].repeat(scale.of(2, 3, 4)));
    let publisher = Role { lasting: true, breaks: 1, uses_alias: true, ..publisher };
    let subscriber = Role { script: vec![Step::Connect, world.subscribe(Qos::AtLeastOnce)], ..Role::new("sub") };
    world.scenario(
        "alias",
        "The publisher sets a Topic Alias on each connection, and uses it from then on.",
        vec![vec![subscriber], vec![publisher]],
        &[properties::CONNECTION_IS_KEPT, properties::ALL_ARRIVE],
    )
}

/// When the expiring messages are over, in seconds.
const INTERVAL: u32 = 10;

pub(super) fn expiry(scale: Scale) -> Scenario {
    let mut world = World::new(ProtocolVersion::V5_0, "standard");
    let expiry = Expiry { interval: INTERVAL, earliest: 0, latest: Some(0) };
    let expires = world.message(Qos::AtLeastOnce, |message| message.expiry = Some(expiry));
    let stays = (0..scale.of(1, 2, 3)).map(|_| world.message(Qos::AtLeastOnce, |_| {}));
    let publish: Vec<Step> = std::iter::once(expires).chain(stays).map(Step::Publish).collect();
    let publisher = Role { script: [&[Step::Connect][..], &publish].concat(), ..Role::new("pub") };
    let script = vec![Step::Connect, world.subscribe(Qos::AtLeastOnce)];
    let subscriber = Role { lasting: true, breaks: scale.of(1, 1, 2), script, ..Role::new("sub") };
    let clients = vec![vec![subscriber], vec![publisher]];
    Scenario {
        moments: vec![u64::from(INTERVAL) * 3_000],
        ..world.scenario(
            "expiry",
            "A message with an expiry waits for a client that is away, or slow.",
            clients,
            &[properties::EXPIRED_IS_DROPPED, properties::MESSAGE_EXPIRES, properties::ALL_ARRIVE],
        )
    }
}
