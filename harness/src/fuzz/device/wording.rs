//! The topics of devices: their own, those of the platform, and those of others.

use crate::fuzz::wording::Wording;
use proptest::prelude::{Strategy, prop_oneof};
use proptest::sample::select;
use proptest::strategy::BoxedStrategy;

const OWN_TOPICS: &[&str] = &["$t/a", "$t/a", "$t/b", "/$me.product_key/$me.device_name/user/get"];

const SYSTEM_TOPICS: &[&str] = &["/sys/$me.product_key/$me.device_name/thing/event/property/post"];

/// Of whoever these are: for all but one they are somebody else's.
const OTHERS_TOPICS: &[&str] = &["$ann.topics/a", "$bob.topics/a", "$eve.topics/a"];

const OWN_FILTERS: &[&str] = &[
    "$t/a",
    "$t/b",
    "$t/#",
    "$t/+",
    "/$me.product_key/$me.device_name/user/get",
    "/$me.product_key/$me.device_name/user/#",
];

const CALLS: &[&str] =
    &["/sys/$me.product_key/$me.device_name/rrpc/request/+", "/ext/rrpc/+/$me.product_key/$me.device_name/user/get"];

const SYSTEM_FILTERS: &[&str] = &[
    "/broadcast/$me.product_key/news",
    "/sys/$me.product_key/$me.device_name/thing/event/property/post_reply",
    "/sys/$me.product_key/$me.device_name/thing/service/property/set",
];

const OTHERS_FILTERS: &[&str] = &[
    "$ann.topics/a",
    "$bob.topics/a",
    "$eve.topics/#",
    "/$ann.product_key/$ann.device_name/user/#",
    "/sys/$bob.product_key/$bob.device_name/rrpc/request/+",
];

impl Wording {
    /// Topics to publish to.
    pub(in crate::fuzz) fn topics_of_devices() -> BoxedStrategy<&'static str> {
        prop_oneof![16 => select(OWN_TOPICS), 1 => select(SYSTEM_TOPICS), 3 => select(OTHERS_TOPICS)].boxed()
    }

    /// Filters to subscribe to, the usual and the unusual ones.
    pub(in crate::fuzz) fn filters_of_devices() -> BoxedStrategy<&'static str> {
        prop_oneof![
            14 => select(OWN_FILTERS),
            14 => select(CALLS),
            4 => select(SYSTEM_FILTERS),
            4 => select(OTHERS_FILTERS),
        ]
        .boxed()
    }
}
