//! What a dialect may have or lack.

use super::named::named;

named! {
    /// Something that one dialect has and another lacks. Cases say what they need; rules ask for it.
    Feature, "feature" {
        /// Any client may publish and subscribe to any topic. Without it a device has topics of its own.
        SharedTopics = "shared-topics",
        /// The QoS granted to a subscription caps what is delivered (MQTT-3.8.4-8). Without it the publisher's QoS decides.
        SubscriberQos = "subscriber-qos",
        /// A subscription is granted the QoS that it asks for, as far as the server supports it. The standard allows less:
        /// this is an assumption about the server under test.
        FullGrants = "full-grants",
        /// No request that is in order is refused. The standard lets a server of 5.0 refuse for reasons of its own, such as
        /// a quota: this is an assumption about the server under test, to which the judge does not hold it.
        FullService = "full-service",
        /// A QoS 0 message arrives at a client whose connection lasts, once the server has nothing else to do. The standard
        /// promises nothing: this too is an assumption, and not the judge's.
        Qos0Arrives = "qos-0-arrives",
        /// No Authentication Method is known to the server (5.0). A case can only hope that its method is none: this is an
        /// assumption too.
        NoAuthentication = "no-authentication",
        /// The server takes five messages above QoS 0 before it has acknowledged the first: its Receive Maximum is 5 at
        /// least (5.0). An assumption, for cases that have no use for a server that takes one at a time.
        Pipelining = "pipelining",
        /// Messages of one client, topic and QoS arrive in their order (3.1.1: MQTT-4.6.0-6). 3.1 speaks of order, and
        /// promises none.
        MessageOrder = "message-order",
        /// QoS 2.
        Qos2 = "qos-2",
        /// Retained messages.
        RetainedMessages = "retained-messages",
        /// Will messages.
        Will = "will",
        /// Wildcards in Topic Filters.
        WildcardSubscriptions = "wildcard-subscriptions",
        /// Shared Subscriptions (5.0).
        SharedSubscriptions = "shared-subscriptions",
        /// Subscription Identifiers (5.0).
        SubscriptionIdentifiers = "subscription-identifiers",
        /// Topic Aliases from client to server (5.0).
        TopicAlias = "topic-alias",
        /// An empty Client Identifier is accepted where the version allows it.
        EmptyClientId = "empty-client-id",
        /// Messages above QoS 0 are kept for sessions without a connection (3.1.1: MQTT-3.1.2-5).
        OfflineMessages = "offline-messages",
        /// Keep Alive below 30 seconds is accepted.
        ShortKeepAlive = "short-keep-alive",
        /// Keep Alive 0 is accepted and turns the timer off.
        KeepAliveOff = "keep-alive-off",
        /// Session Present tells of a stored session. Without it, it may also be 0 always.
        SessionPresent = "session-present",
        /// A User Name that names a device makes the session the device's, whatever the Client Identifier (P-CON-3).
        DeviceLogin = "device-login",
        /// A client may log in by its Client Identifier, without being a device that the server knows.
        PlainLogins = "plain-logins",
        /// Nobody but devices may log in.
        DeviceLoginOnly = "device-login-only",
        /// Synchronous calls over topics (platform.md section 9).
        Rrpc = "rrpc",
    }
}

impl Feature {
    /// Whether it is an assumption about the server under test, which no standard and no dialect makes. A case that does not
    /// need it must hold without.
    #[must_use]
    pub fn is_assumption(self) -> bool {
        matches!(
            self,
            Feature::FullGrants
                | Feature::FullService
                | Feature::Qos0Arrives
                | Feature::NoAuthentication
                | Feature::Pipelining
        )
    }
}
