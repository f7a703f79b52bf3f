//! All scenarios by name.

use super::world::{Scale, Scenario};
use super::{deliveries, dialects, retained, sessions, subscriptions, wills};

/// All scenarios, in the order in which they are best read.
#[must_use]
pub fn scenarios(scale: Scale) -> Vec<Scenario> {
    vec![
        deliveries::broken_link(scale),
        deliveries::fan_out(scale),
        deliveries::exactly_once(scale),
        deliveries::flow_control(scale),
        deliveries::alias(scale),
        deliveries::expiry(scale),
        sessions::takeover(scale),
        subscriptions::unsubscribe(scale),
        subscriptions::no_local(scale),
        subscriptions::shared(scale),
        retained::retained(scale),
        wills::will(scale),
        dialects::publisher_decides(scale),
        dialects::no_wills(scale),
    ]
}

/// The scenario of this name.
#[must_use]
pub fn scenario(name: &str, scale: Scale) -> Option<Scenario> {
    scenarios(scale).into_iter().find(|scenario| scenario.name == name)
}
