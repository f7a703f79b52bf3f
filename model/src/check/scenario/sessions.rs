//! One client identifier, several connections.

use super::super::properties;
use super::world::{Role, Scale, Scenario, Step, World};
use crate::packet::{ProtocolVersion, Qos};

pub(super) fn takeover(scale: Scale) -> Scenario {
    let mut world = World::new(ProtocolVersion::V3_1_1, "standard");
    let publisher = world.publisher(&[Qos::AtLeastOnce].repeat(scale.of(2, 3, 4)));
    let script = vec![Step::Connect, world.subscribe(Qos::AtLeastOnce)];
    let first = Role { lasting: true, script, breaks: scale.of(0, 1, 1), ..Role::new("sub") };
    let second = Role { lasting: true, script: vec![Step::Connect], ..Role::new("sub again") };
    world.scenario(
        "takeover",
        "A second connection with the subscriber's client identifier takes its session over.",
        vec![vec![first, second], vec![publisher]],
        &[
            properties::OLDER_CONNECTION_CLOSES,
            properties::DELIVERY_IS_REPEATED,
            properties::SESSION_IS_RESUMED,
            properties::CONNECTION_IS_TAKEN_OVER,
            properties::ALL_ARRIVE,
        ],
    )
}
