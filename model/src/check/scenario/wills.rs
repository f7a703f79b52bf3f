//! A Will and its delay, against a client that comes back.

use super::super::properties;
use super::world::{Role, Scale, Scenario, Step, World};
use crate::packet::{ProtocolVersion, Qos};
use crate::server::{Millis, Will};

/// Will Delay Interval.
const DELAY: Millis = 60_000;

pub(super) fn will(scale: Scale) -> Scenario {
    let mut world = World::new(ProtocolVersion::V5_0, "standard");
    let message = world.message(Qos::AtLeastOnce, |message| message.is_will = true);
    let script = vec![Step::Connect, Step::Disconnect];
    let will = Some(Will { message, delay: DELAY });
    let owner = Role { lasting: true, breaks: 1, will, script, ..Role::new("owner") };
    let script = vec![Step::Connect, world.subscribe(Qos::AtLeastOnce)];
    let witness = Role { lasting: true, breaks: scale.of(0, 1, 2), script, ..Role::new("witness") };
    let mut clients = vec![vec![witness], vec![owner]];
    if scale == Scale::Deep {
        clients.push(vec![world.publisher(&[Qos::AtLeastOnce].repeat(2))]);
    }
    Scenario {
        // Two delays: the connection may break at the first moment or at the second.
        moments: vec![DELAY, 2 * DELAY],
        ..world.scenario(
            "will",
            "The owner's connection breaks; it comes back before its Will is due, just then, or never, or leaves in order.",
            clients,
            &[
                properties::WILL_IS_IN_PLACE,
                properties::WILL_IS_PUBLISHED,
                properties::WILL_ARRIVES,
                properties::SESSION_IS_RESUMED,
            ],
        )
    }
}
