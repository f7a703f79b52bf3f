//! Leaving a topic, one's own messages, and groups.

use super::super::properties;
use super::world::{Role, Scale, Scenario, Step, World};
use crate::packet::{ProtocolVersion, Qos, SubscriptionOptions};

pub(super) fn unsubscribe(scale: Scale) -> Scenario {
    let mut world = World::new(ProtocolVersion::V3_1_1, "standard");
    let levels = [Qos::AtLeastOnce, Qos::AtMostOnce].repeat(3);
    let publisher = world.publisher(&levels[..scale.of(3, 5, 6)]);
    let script = vec![Step::Connect, world.subscribe(Qos::AtLeastOnce), world.unsubscribe()];
    let subscriber = Role { script, ..Role::new("sub") };
    world.scenario(
        "unsubscribe",
        "A subscriber leaves a topic while messages are on their way to it.",
        vec![vec![subscriber], vec![publisher]],
        &[properties::SILENT_AFTER_UNSUBACK, properties::LATE_MESSAGE, properties::ALL_ARRIVE],
    )
}

pub(super) fn no_local(scale: Scale) -> Scenario {
    let mut world = World::new(ProtocolVersion::V5_0, "standard");
    let options = SubscriptionOptions { qos: Qos::AtLeastOnce, no_local: true, ..SubscriptionOptions::default() };
    let subscribe = Step::Subscribe(world.filter(), options);
    let mut client = world.publisher(&[Qos::AtLeastOnce].repeat(scale.of(1, 2, 3)));
    client.script.insert(1, subscribe);
    let client = Role { name: "both", lasting: true, breaks: 1, ..client };
    let publisher = world.publisher(&[Qos::AtLeastOnce].repeat(scale.of(1, 2, 3)));
    world.scenario(
        "no-local",
        "A client publishes to the topic to which it has subscribed with No Local; another one does too.",
        vec![vec![client], vec![publisher]],
        &[properties::OWN_IS_NOT_DELIVERED, properties::ALL_OTHERS_ARRIVE],
    )
}

pub(super) fn shared(scale: Scale) -> Scenario {
    let mut world = World::new(ProtocolVersion::V5_0, "standard");
    let share = world.shared_filter();
    let options = SubscriptionOptions { qos: Qos::AtLeastOnce, ..SubscriptionOptions::default() };
    let stays = vec![Step::Connect, Step::Subscribe(share, options)];
    let leaves = [&stays[..], &[Step::Unsubscribe(share)]].concat();
    let publisher = world.publisher(&[Qos::AtLeastOnce].repeat(scale.of(2, 3, 3)));
    let breaks = scale.of(0, 0, 1);
    let stays = Role { lasting: true, breaks, script: stays, ..Role::new("stays") };
    let leaves = Role { script: leaves, ..Role::new("leaves") };
    Scenario {
        share: Some(share),
        ..world.scenario(
            "shared",
            "Two clients share a subscription, and one of them leaves.",
            vec![vec![stays], vec![leaves], vec![publisher]],
            &[properties::ONE_MEMBER_GETS_IT, properties::LAST_MEMBER_GETS_ALL, properties::BOTH_GET_SOME],
        )
    }
}
