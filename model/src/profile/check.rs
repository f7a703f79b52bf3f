//! A profile must not contradict itself.

use super::{Feature, Offence, Profile};
use crate::packet::ProtocolVersion;

/// Two things in a profile that cannot both hold.
pub(super) struct Contradiction {
    /// The YAML key to look at.
    pub(super) key: &'static str,
    /// What is wrong.
    pub(super) message: String,
}

impl Profile {
    /// Looks for contradictions.
    pub(super) fn check(&self) -> Result<(), Contradiction> {
        let fail = |key, message: String| Err(Contradiction { key, message });
        if self.versions.is_empty() {
            return fail("mqtt", "it has no protocol version".to_owned());
        }
        if !self.topics.contains("{unique}") {
            return fail("topics", "`topics` must contain {unique}, which keeps two tests apart".to_owned());
        }
        let keep_alive = self.limits().keep_alive;
        if keep_alive.minimum > keep_alive.maximum {
            let (low, high) = (keep_alive.minimum, keep_alive.maximum);
            return fail("keep-alive", format!("`keep-alive` ends ({high}) before it begins ({low})"));
        }
        if self.has(Feature::ShortKeepAlive) != (keep_alive.minimum <= 1) {
            let verb = if self.has(Feature::ShortKeepAlive) { "has" } else { "lacks" };
            let low = keep_alive.minimum;
            return fail("short-keep-alive", format!("it {verb} short-keep-alive, but keep-alive begins at {low}"));
        }
        if self.has_in(Feature::TopicAlias, ProtocolVersion::V5_0) && self.limits().topic_alias_maximum == 0 {
            return fail("topic-alias", "it has topic-alias, but topic-alias-maximum is 0".to_owned());
        }
        let without = |version: &ProtocolVersion| {
            self.has_in(Feature::FullGrants, *version) && !self.has_in(Feature::SubscriberQos, *version)
        };
        if self.versions.iter().any(without) {
            return fail("full-grants", "full-grants has no meaning without subscriber-qos".to_owned());
        }
        if let Some([low, high]) = self.limits().rrpc.timeout
            && low > high
        {
            return fail("rrpc-timeout", format!("`rrpc-timeout` ends ({high}) before it begins ({low})"));
        }
        if self.has(Feature::Rrpc) && self.limits().rrpc.timeout.is_none() {
            return fail("rrpc", "it has rrpc, but no `rrpc-timeout`".to_owned());
        }
        if self.has(Feature::DeviceLoginOnly) && !self.has(Feature::DeviceLogin) {
            return fail("device-login-only", "device-login-only has no meaning without device-login".to_owned());
        }
        for &offence in Offence::ALL {
            for &version in &self.versions {
                let reactions = self.reactions(offence, version);
                if reactions.is_empty() {
                    return fail(offence.name(), format!("`{offence}` has no permitted reaction in {version}"));
                }
                if let Some(why) = reactions.iter().find_map(|reaction| reaction.contradiction(version)) {
                    return fail(offence.name(), format!("`{offence}`: {why}"));
                }
            }
        }
        Ok(())
    }
}
