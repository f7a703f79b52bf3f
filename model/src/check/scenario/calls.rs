//! RRPC: a call against a device that is kicked, breaks off, leaves or is slow.

use super::super::calls::CallPlan;
use super::super::properties;
use super::world::{Role, Scale, Scenario, Step, World};
use crate::device::Device;
use crate::packet::{ProtocolVersion, Qos};
use crate::server::Millis;
use crate::server::rrpc::{CallTerms, CallTopic, MessageId, Reach};

const TIMEOUT: Millis = 5_000;

pub(super) fn call(scale: Scale) -> Scenario {
    let mut world = World::new(ProtocolVersion::V3_1_1, "platform");
    let terms = CallTerms {
        message_id: MessageId(1),
        device: Device::new("a1B2", "lamp"),
        topic: CallTopic::System,
        timeout: TIMEOUT,
        reach: Reach::Certain,
    };
    let answer = world.message_on(&terms.response_topic(), Qos::AtMostOnce, |_| {});
    let script = vec![Step::Connect, world.subscribe(Qos::AtLeastOnce), Step::Disconnect];
    let first = Role { lasting: true, breaks: scale.of(1, 1, 2), script, ..Role::new("lamp") };
    let second = Role { lasting: true, script: vec![Step::Connect], ..Role::new("lamp again") };
    Scenario {
        call: Some(CallPlan { terms, answer }),
        // A call that is made at the beginning is over then, and one that is made then is over at last.
        moments: vec![TIMEOUT, 2 * TIMEOUT],
        ..world.scenario(
            "call",
            "The cloud calls a device, which answers, is kicked by another connection of its own, breaks off or leaves.",
            vec![vec![first, second]],
            &[
                properties::CALL_ENDS,
                properties::CALL_ENDS_ONCE,
                properties::ANSWER_COUNTS,
                properties::TIMEOUT_IS_DUE,
                properties::CALL_SUCCEEDS,
                properties::CALL_FAILS,
                properties::CONNECTION_IS_TAKEN_OVER,
            ],
        )
    }
}
