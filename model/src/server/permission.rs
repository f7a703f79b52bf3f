//! Whose topics: what a device may publish and subscribe to, and what the server may send it.
//!
//! The patterns are the profile's ([`TopicClasses`](crate::profile::TopicClasses)). They bind devices only: a client that
//! logged in by its Client Identifier may use every topic, as the standard has it.

use super::identity::Identity;
use super::rule::{Breach, Rule};
use crate::device::Device;
use crate::profile::{Profile, TopicPattern};
use crate::topic::TopicFilter;

/// Whether a client may publish to this topic (P-TOP-5, P-TOP-6).
#[must_use]
pub fn may_publish(profile: &Profile, identity: &Identity, topic: &str) -> bool {
    identity.device().is_none_or(|device| cover(&profile.topic_classes().publish, device, without_request_id(topic)))
        && !is_registration(identity)
}

/// Whether a client may subscribe to this filter: every topic that it matches must be one of the device's. Of a Shared
/// Subscription the filter behind the name counts.
#[must_use]
pub fn may_subscribe(profile: &Profile, identity: &Identity, filter: &TopicFilter) -> bool {
    identity.device().is_none_or(|device| cover(&profile.topic_classes().subscribe, device, filter.pattern()))
        && !is_registration(identity)
}

/// Whether the server may publish to this topic on the client's connection although nobody has subscribed to it (P-TOP-18).
#[must_use]
pub fn may_be_pushed(profile: &Profile, identity: &Identity, topic: &str) -> bool {
    match identity {
        Identity::Device(device) | Identity::Registration(device) => {
            cover(&profile.topic_classes().pushed, device, topic)
        }
        Identity::Client(_) | Identity::Assigned => false,
    }
}

/// Whether what is published to this topic is for the platform: then nobody says whether a subscriber gets it too.
#[must_use]
pub fn is_consumed(profile: &Profile, topic: &str) -> bool {
    // These patterns name no device.
    profile.topic_classes().consumed.iter().any(|pattern| pattern.covers("", "", topic))
}

/// What comes to a device is on one of its own topics, whatever it has subscribed to (P-TOP-6, X-22).
///
/// # Errors
/// When the topic is another one's.
pub fn check_delivery(profile: &Profile, identity: &Identity, topic: &str) -> Result<(), Breach> {
    let owner = match identity {
        Identity::Client(_) | Identity::Assigned => return Ok(()),
        Identity::Device(device) | Identity::Registration(device) => device,
    };
    let is_own = identity.device().is_some_and(|device| cover(&profile.topic_classes().subscribe, device, topic));
    match is_own || may_be_pushed(profile, identity, topic) {
        true => Ok(()),
        false => Err(Breach::of(Rule::DeliveryIsPermitted, format!("nothing but topics of {owner}"))),
    }
}

fn cover(patterns: &[TopicPattern], device: &Device, filter: &str) -> bool {
    patterns.iter().any(|pattern| pattern.covers(device.product_key(), device.name(), filter))
}

/// A connection that asks for a secret is good for nothing else.
fn is_registration(identity: &Identity) -> bool {
    matches!(identity, Identity::Registration(_))
}

/// A vendor's client may append `?_rid=..` to the topic (P-TOP-17): it is not part of the name.
fn without_request_id(topic: &str) -> &str {
    topic.split_once("?_rid=").map_or(topic, |(topic, _)| topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lamp() -> Identity {
        Identity::Device(Device::new("pk", "lamp"))
    }

    fn platform() -> &'static Profile {
        Profile::builtin("platform").unwrap()
    }

    #[test]
    fn a_device_publishes_to_its_own_topics() {
        for (topic, permitted) in [
            ("/pk/lamp/user/update", true),
            ("/pk/lamp/user/a/b", true),
            ("/pk/lamp/update", true),
            ("/pk/lamp/get", false),
            ("/pk/lamp/other", false),
            ("/pk/tv/user/update", false),
            ("/other/lamp/user/update", false),
            ("/sys/pk/lamp/thing/event/property/post", true),
            ("/sys/pk/lamp/thing/event/property/post?_rid=7", true),
            ("/sys/pk/tv/thing/event/property/post", false),
            ("/sys/pk/lamp/rrpc/response/123", true),
            ("/ota/device/inform/pk/lamp", true),
            ("/ota/device/inform/pk/tv", false),
            ("/shadow/update/pk/lamp", true),
            ("/ext/ntp/pk/lamp/request", true),
            ("/broadcast/pk/all", false),
            ("free", false),
        ] {
            assert_eq!(may_publish(platform(), &lamp(), topic), permitted, "{topic}");
        }
    }

    #[test]
    fn a_device_subscribes_within_its_own_topics() {
        for (filter, permitted) in [
            ("/pk/lamp/user/#", true),
            ("/pk/lamp/user/+/get", true),
            ("/pk/lamp/get", true),
            ("/pk/lamp/update", false),
            ("/pk/lamp/#", false),
            ("/pk/+/user/a", false),
            ("#", false),
            ("/sys/pk/lamp/rrpc/request/+", true),
            ("/ext/rrpc/+/pk/lamp/user/get", true),
            ("/broadcast/pk/all", true),
            ("/broadcast/other/all", false),
            ("$share/g/pk/lamp/user/a", false),
            ("$share/g//pk/lamp/user/a", true),
        ] {
            assert_eq!(may_subscribe(platform(), &lamp(), &filter.parse().unwrap()), permitted, "{filter}");
        }
    }

    #[test]
    fn what_is_not_a_device_is_free() {
        let client = Identity::Client("sub".to_owned());
        assert!(may_publish(platform(), &client, "t") && may_subscribe(platform(), &client, &"#".parse().unwrap()));
        assert!(!may_be_pushed(platform(), &client, "/ext/notify"));
        assert!(check_delivery(platform(), &client, "t").is_ok());
    }

    #[test]
    fn some_topics_are_pushed() {
        for (topic, pushed) in [
            ("/ext/notify", true),
            ("/sys/pk/lamp/rrpc/request/123", true),
            ("/sys/pk/tv/rrpc/request/123", false),
            ("/ext/rrpc/123/pk/lamp/user/get", true),
            ("/ext/rrpc/123/sys/pk/lamp/thing/service/on", true),
            ("/ext/rrpc/123/pk/tv/user/get", false),
            ("/sys/pk/lamp/broadcast/request/9", true),
            ("/pk/lamp/user/get", false),
        ] {
            assert_eq!(may_be_pushed(platform(), &lamp(), topic), pushed, "{topic}");
        }
        let registering = Identity::Registration(Device::new("pk", "lamp"));
        assert!(may_be_pushed(platform(), &registering, "/ext/register"));
        assert!(check_delivery(platform(), &registering, "/pk/lamp/user/get").is_err());
        assert!(!may_publish(platform(), &registering, "/pk/lamp/user/update"));
    }

    #[test]
    fn nothing_comes_from_topics_of_others() {
        assert!(check_delivery(platform(), &lamp(), "/pk/lamp/user/get").is_ok());
        let breach = check_delivery(platform(), &lamp(), "/pk/tv/user/get").unwrap_err();
        assert_eq!(
            (breach.rule, breach.expected.as_str()),
            (Rule::DeliveryIsPermitted, "nothing but topics of lamp&pk")
        );
    }
}
