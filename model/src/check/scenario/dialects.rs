//! Where dialects differ.

use super::super::properties;
use super::world::{Role, Scale, Scenario, World};
use crate::packet::{ProtocolVersion, Qos};
use crate::server::Will;

pub(super) fn publisher_decides(scale: Scale) -> Scenario {
    let mut world = World::new(ProtocolVersion::V3_1_1, "platform");
    let levels = [Qos::AtLeastOnce, Qos::AtMostOnce].repeat(2);
    let mut device = world.publisher(&levels[..scale.of(2, 2, 3)]);
    device.script.insert(1, world.subscribe(Qos::AtMostOnce));
    let device = Role { name: "dev", lasting: true, breaks: scale.of(1, 3, 3), ..device };
    world.scenario(
        "publisher-decides",
        "A device of the platform asks for QoS 0, publishes at QoS 1 and 0, and gets its messages as they were published.",
        vec![vec![device]],
        &[properties::QOS_IS_RAISED, properties::ALL_ARRIVE],
    )
}

pub(super) fn no_wills(scale: Scale) -> Scenario {
    let mut world = World::new(ProtocolVersion::V3_1_1, "platform");
    let message = world.message(Qos::AtLeastOnce, |message| message.is_will = true);
    let will = Some(Will { message, delay: 0 });
    let mut device = world.publisher(&[Qos::AtLeastOnce].repeat(scale.of(1, 2, 3)));
    device.script.insert(1, world.subscribe(Qos::AtLeastOnce));
    let device = Role { name: "dev", lasting: true, breaks: scale.of(1, 2, 2), will, ..device };
    world.scenario(
        "no-wills",
        "A device of the platform connects with a Will, and its connection breaks: nothing comes of it.",
        vec![vec![device]],
        &[properties::NO_WILLS, properties::ALL_OTHERS_ARRIVE],
    )
}
