//! Retained messages against live ones.

use super::super::properties;
use super::world::{Role, Scale, Scenario, Step, World};
use crate::packet::{ProtocolVersion, Qos, RetainHandling, SubscriptionOptions};

pub(super) fn retained(scale: Scale) -> Scenario {
    let mut world = World::new(ProtocolVersion::V5_0, "standard");
    let messages = (0..scale.of(2, 3, 4)).map(|_| world.message(Qos::AtLeastOnce, |message| message.retain = true));
    let publish: Vec<Step> = messages.map(Step::Publish).collect();
    let publisher = Role { script: [&[Step::Connect][..], &publish].concat(), ..Role::new("pub") };
    let subscribe = |retain_handling| SubscriptionOptions {
        qos: Qos::AtLeastOnce,
        retain_handling,
        ..SubscriptionOptions::default()
    };
    let filter = world.filter();
    let [if_new, never] = [RetainHandling::SendIfNew, RetainHandling::DoNotSend].map(subscribe);
    // The second SUBSCRIBE is for a subscription that is there.
    let script = vec![Step::Connect, Step::Subscribe(filter, if_new), Step::Subscribe(filter, if_new)];
    let asks = Role { script, ..Role::new("asks") };
    let script = vec![Step::Connect, Step::Subscribe(filter, never)];
    let declines = Role { script, ..Role::new("declines") };
    let clients = match scale {
        Scale::Small => vec![vec![asks], vec![publisher]],
        Scale::Quick | Scale::Deep => vec![vec![asks], vec![declines], vec![publisher]],
    };
    world.scenario(
        "retained",
        "Clients subscribe while retained messages are published: what is held comes once and marked, what is live unmarked.",
        clients,
        &[properties::RETAINED_IS_ASKED_FOR, properties::RETAINED_ARRIVES, properties::BOTH_KINDS_ARRIVE],
    )
}
