//! Misbehaviours on purpose, one of them at a time: what a proxy in front of a broker cannot make it do.
//!
//! They exist to prove that tests can fail. Each is asked for in one line at the place of the rule that it breaks; only a
//! build with the feature `faults` can turn one on.

use crate::occasion::Occasion;
use crate::settings::Settings;

/// The misbehaviours: what the broker does, its name on command lines, on which occasions it shows (all of them must come
/// up), and the statements that it breaks.
macro_rules! switches {
    ($(#[doc = $about:literal] $switch:ident = $name:literal on [$($occasion:ident),*] breaks [$($statement:literal),+];)+) => {
        /// A misbehaviour.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Switch {
            $(#[doc = $about] $switch,)+
        }

        impl Switch {
            /// All of them.
            pub const ALL: &[Switch] = &[$(Switch::$switch),+];

            /// Its name on command lines.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Switch::$switch => $name,)+
                }
            }

            /// What the broker does, in a sentence.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self {
                    $(Switch::$switch => $about.trim_ascii(),)+
                }
            }

            /// What must come up before it can show: all of these.
            #[must_use]
            pub fn occasions(self) -> &'static [Occasion] {
                match self {
                    $(Switch::$switch => &[$(Occasion::$occasion),*],)+
                }
            }

            /// The statements that it breaks, as cases cite them: `5.0:` or `3.1.1:` stands before an id that means
            /// something else in the other version.
            #[must_use]
            pub fn statements(self) -> &'static [&'static str] {
                match self {
                    $(Switch::$switch => &[$($statement),+],)+
                }
            }
        }
    };
}

switches! {
    /// A session stays when its Session Expiry Interval is over.
    SessionKeptAfterExpiry = "session-kept-after-expiry" on [Return] breaks ["5.0:MQTT-4.1.0-2"];
    /// A session that is to end with its connection stays.
    SessionKeptAfterClose = "session-kept-after-close" on [Return] breaks ["3.1.1:MQTT-3.1.2-6", "5.0:MQTT-4.1.0-2"];
    /// CONNECT with Clean Start goes on with the old session, and says that it does not.
    SessionKeptOverCleanStart = "session-kept-over-clean-start" on [Return] breaks ["3.1.1:MQTT-3.1.2-6", "3.1.1:MQTT-3.1.4-3", "5.0:MQTT-3.1.2-4", "5.0:MQTT-3.1.4-4"];
    /// Every session ends with its connection.
    SessionLost = "session-lost" on [Return] breaks ["3.1.1:MQTT-3.1.2-4", "5.0:MQTT-3.1.2-5", "5.0:MQTT-3.1.2-23"];
    /// A session that is resumed has no subscriptions any more.
    SubscriptionsLost = "subscriptions-lost" on [Return, Subscribe] breaks ["3.1.1:MQTT-3.1.2-4", "5.0:MQTT-3.1.2-5"];
    /// What is published while a Client is away does not wait in its session.
    StoredMessageLost = "stored-message-lost" on [Return, Subscribe] breaks ["3.1.1:MQTT-3.1.2-5", "MQTT-4.5.0-1"];
    /// What the Client did not acknowledge is not sent again when its session is resumed.
    UnacknowledgedNotSentAgain = "unacknowledged-not-sent-again" on [Return, Subscribe] breaks ["3.1.1:MQTT-4.4.0-1", "5.0:MQTT-4.4.0-1"];
    /// A PUBREL that was not answered is not sent again when its session is resumed.
    ReleasedNotSentAgain = "released-not-sent-again" on [Return, Subscribe] breaks ["3.1.1:MQTT-4.4.0-1", "5.0:MQTT-4.4.0-1"];
    /// The connection that had the session before stays open.
    TakeoverLeavesOldConnection = "takeover-leaves-old-connection" on [Return] breaks ["3.1.1:MQTT-3.1.4-2", "5.0:MQTT-3.1.4-3", "X-38", "X-39", "P-CON-4"];
    /// A silent Client stays connected.
    KeepAliveNotEnforced = "keep-alive-not-enforced" on [Close] breaks ["3.1.1:MQTT-3.1.2-24", "5.0:MQTT-3.1.2-22"];
    /// The Will is published though the Client said DISCONNECT.
    WillAfterDisconnect = "will-after-disconnect" on [Will] breaks ["V31-12", "3.1.1:MQTT-3.1.2-8", "5.0:MQTT-3.1.2-8", "3.1.1:MQTT-3.14.4-3", "5.0:MQTT-3.14.4-3"];
    /// No Will is ever published.
    WillLost = "will-lost" on [Will] breaks ["V31-12", "3.1.1:MQTT-3.1.2-8", "5.0:MQTT-3.1.2-8"];
    /// A Will that was published stays in the session, and is published again when that ends.
    WillKeptOnceSent = "will-kept-once-sent" on [Will] breaks ["MQTT-3.1.2-10"];
    /// The Will is published at once, whatever its Will Delay Interval.
    WillDelayIgnored = "will-delay-ignored" on [Will] breaks ["5.0:MQTT-3.1.2-8"];
    /// A Will that waits is published when its Client resumes the session.
    WillSentThoughResumed = "will-sent-though-resumed" on [Will] breaks ["5.0:MQTT-3.1.3-9"];
    /// The first retained message of a topic stays, whatever comes later.
    RetainedNotReplaced = "retained-not-replaced" on [Retain] breaks ["3.1.1:MQTT-3.3.1-5", "5.0:MQTT-3.3.1-5"];
    /// A retained message without payload deletes nothing.
    RetainedNotDeleted = "retained-not-deleted" on [Retain] breaks ["3.1.1:MQTT-3.3.1-10", "5.0:MQTT-3.3.1-6"];
    /// Every SUBSCRIBE brings the retained messages, whatever its Retain Handling.
    RetainHandlingIgnored = "retain-handling-ignored" on [Retain] breaks ["5.0:MQTT-3.3.1-10", "5.0:MQTT-3.3.1-11", "N-OPT-1"];
    /// Messages that wait in a session are delivered after their expiry.
    MessageExpiryIgnored = "message-expiry-ignored" on [MessageExpiry] breaks ["5.0:MQTT-3.3.2-5", "N-EXP-1"];
    /// No Local has no meaning.
    NoLocalIgnored = "no-local-ignored" on [Subscribe, Publish] breaks ["5.0:MQTT-3.8.3-3", "N-OPT-1"];
    /// UNSUBSCRIBE is answered, and the subscription stays.
    UnsubscribeIgnored = "unsubscribe-ignored" on [Unsubscribe] breaks ["MQTT-3.10.4-1", "MQTT-3.10.4-2"];
    /// A second SUBSCRIBE with the same filter is granted and changes nothing.
    SubscriptionNotReplaced = "subscription-not-replaced" on [Subscribe, Publish] breaks ["3.1.1:MQTT-3.8.4-3", "5.0:MQTT-3.8.4-3"];
    /// Of overlapping subscriptions the one with the lowest QoS decides.
    LowestQosOfOverlap = "lowest-qos-of-overlap" on [Subscribe, Publish] breaks ["3.1.1:MQTT-3.3.5-1", "5.0:MQTT-3.3.4-2"];
    /// Two members of a Shared Subscription get each message.
    SharedToTwoMembers = "shared-to-two-members" on [Shared] breaks ["MQTT-4.5.0-1"];
    /// What was under way at QoS 2 to a member whose session ends goes to another member.
    SharedQos2HandedOn = "shared-qos-2-handed-on" on [Shared] breaks ["5.0:MQTT-4.8.2-5"];
    /// What comes last for a Client overtakes what waits already.
    OrderSwapped = "order-swapped" on [Subscribe, Publish] breaks ["3.1.1:MQTT-4.6.0-6", "5.0:MQTT-4.6.0-5"];
    /// A QoS 2 message that comes again before PUBREL is delivered again.
    Qos2DuplicatePassedOn = "qos-2-duplicate-passed-on" on [Qos2] breaks ["3.1.1:MQTT-4.3.3-2", "5.0:MQTT-4.3.3-10"];
    /// After PUBREL the identifier of a QoS 2 message still stands for it: the next message with it is lost.
    Qos2IdentifierNeverFreed = "qos-2-identifier-never-freed" on [Qos2] breaks ["3.1.1:MQTT-4.3.3-2", "5.0:MQTT-4.3.3-12"];
    /// The Client's Receive Maximum has no meaning.
    InFlightLimitOverrun = "in-flight-limit-overrun" on [Subscribe, Publish] breaks ["5.0:MQTT-3.3.4-9", "5.0:MQTT-4.9.0-2", "P-SES-8"];
    /// An acknowledgement makes no room for what waits.
    WindowNotReopened = "window-not-reopened" on [Subscribe, Publish] breaks ["MQTT-4.5.0-1"];
    /// Every delivery has the first Packet Identifier, also while another one is in flight.
    PacketIdentifierReused = "packet-identifier-reused" on [Subscribe, Publish] breaks ["3.1.1:MQTT-2.3.1-4", "5.0:MQTT-2.2.1-4"];
    /// A new connection knows the Topic Aliases that another one has set.
    TopicAliasLeaks = "topic-alias-leaks" on [Alias] breaks ["5.0:MQTT-3.3.2-7", "N-ALI-1"];
    /// The answer to a request for a WebSocket names no subprotocol.
    SubprotocolNotNamed = "subprotocol-not-named" on [WebSocket] breaks ["MQTT-6.0.0-4", "P-TLS-7"];
    /// WebSocket text frames are read like binary ones.
    TextFramesTaken = "text-frames-taken" on [WebSocket] breaks ["MQTT-6.0.0-1"];
    /// What is sent over WebSocket goes into text frames, as far as it is text.
    TextFramesSent = "text-frames-sent" on [WebSocket] breaks ["MQTT-6.0.0-1"];
    /// Each WebSocket frame is taken for one whole packet.
    FramesTakenForPackets = "frames-taken-for-packets" on [WebSocket] breaks ["MQTT-6.0.0-2"];
    /// A Keep Alive outside of the dialect's range is accepted.
    KeepAliveNotChecked = "keep-alive-not-checked" on [] breaks ["P-KA-2"];
    /// A SUBSCRIBE may hold any number of filters.
    FiltersNotCounted = "filters-not-counted" on [Subscribe] breaks ["P-TOP-13"];
    /// Any Password will do for a device.
    SignatureNotChecked = "signature-not-checked" on [Login] breaks ["P-RC-5", "P-SGN-1", "X-4"];
    /// A signature in capital letters is refused.
    SignatureOfOneCase = "signature-of-one-case" on [Login] breaks ["P-SGN-1"];
    /// Signatures other than by hmacsha256 are refused.
    SignatureOfOneMethod = "signature-of-one-method" on [Login] breaks ["P-CID-4", "P-SGN-1"];
    /// A sign method that there is not lets everybody in.
    SignMethodGuessed = "sign-method-guessed" on [Login] breaks ["P-CID-4", "X-56"];
    /// A signature over a timestamp is refused.
    TimestampNotSigned = "timestamp-not-signed" on [Login] breaks ["P-CID-5", "P-SGN-2"];
    /// A device that nobody knows may log in.
    UnknownDeviceAccepted = "unknown-device-accepted" on [Login] breaks ["P-RC-5", "X-5"];
    /// A device that was disabled may log in.
    DisabledDeviceAccepted = "disabled-device-accepted" on [Login] breaks ["P-RC-9", "X-6"];
    /// A device's Client Identifier may be of any length.
    ClientIdentifierNotMeasured = "client-identifier-not-measured" on [Login] breaks ["P-CID-2", "P-RC-3", "X-7"];
    /// A device that has connected too often once is refused for good.
    RefusedForGood = "refused-for-good" on [Login] breaks ["P-LIM-4", "X-8"];
    /// Who registers for a secret again keeps the first one.
    FirstSecretCounts = "first-secret-counts" on [Registration] breaks ["P-REG-7"];
    /// A token is the password of any device.
    TokenNotChecked = "token-not-checked" on [Registration] breaks ["P-REG-6"];
    /// A signature that leaves the Client Identifier out is refused.
    ClientIdentifierMustBeSigned = "client-identifier-must-be-signed" on [Login] breaks ["P-SGN-3"];
    /// A device that gives no Password is let in.
    PasswordNotAsked = "password-not-asked" on [Login] breaks ["P-CON-1", "P-RC-5"];
    /// A login whose parameters cannot be read is let in.
    MalformedParametersIgnored = "malformed-parameters-ignored" on [Login] breaks ["P-CID-1", "P-RC-3", "X-7"];
    /// A login that knows parameters which no document names is refused.
    UnknownParametersRefused = "unknown-parameters-refused" on [Login] breaks ["P-SGN-4", "P-CID-8", "P-CID-14"];
    /// The parameters of a login have to be in one order.
    ParametersInOrder = "parameters-in-order" on [Login] breaks ["P-CID-7"];
    /// Two devices with the same name before their parameters are one.
    NameIsTheSession = "name-is-the-session" on [Login] breaks ["P-CON-3", "X-41"];
    /// A device cannot use its custom topics.
    CustomTopicsRefused = "custom-topics-refused" on [Login, Publish] breaks ["P-TOP-1", "P-TOP-5"];
    /// A device cannot use its system topics.
    SystemTopicsRefused = "system-topics-refused" on [Login, Subscribe] breaks ["P-TOP-2", "P-TOP-3", "P-TOP-7"];
    /// A device that nobody knows gets a secret.
    AnybodyRegisters = "anybody-registers" on [Registration] breaks ["P-REG-4"];
    /// A message beyond the uplink rate ends the connection.
    RateEndsConnection = "rate-ends-connection" on [Login, Publish] breaks ["P-LIM-2", "X-27"];
    /// A device may hold any number of subscriptions.
    SubscriptionsNotCounted = "subscriptions-not-counted" on [Login, Subscribe] breaks ["P-TOP-14", "X-24"];
    /// A login over TCP is refused.
    TcpModeRefused = "tcp-mode-refused" on [Login] breaks ["P-CID-3", "P-TLS-2", "P-TLS-9"];
    /// A packet may be of any size.
    PacketSizeNotChecked = "packet-size-not-checked" on [] breaks ["P-LIM-8", "P-V5-2", "X-28"];
    /// A device publishes to topics of others.
    ForeignTopicPublished = "foreign-topic-published" on [Login, Publish] breaks ["P-TOP-6", "X-21"];
    /// A device subscribes to topics of others.
    ForeignFilterGranted = "foreign-filter-granted" on [Login, Subscribe] breaks ["P-TOP-6", "X-22", "P-TOP-16"];
    /// Who registers may sign with anything.
    RegistrationNotChecked = "registration-not-checked" on [Registration] breaks ["P-REG-3"];
    /// Who registers gets no answer.
    RegistrationNotAnswered = "registration-not-answered" on [Registration] breaks ["P-REG-4", "P-REG-5", "P-TOP-18"];
    /// A device that has logged in may register again.
    RegisteredTwice = "registered-twice" on [Registration] breaks ["P-REG-7"];
    /// The Keep Alive of who registers has to be in range.
    RegistrationKeepAliveChecked = "registration-keep-alive-checked" on [Registration] breaks ["P-REG-1"];
    /// Topics and filters may be of any length and depth.
    TopicLengthNotChecked = "topic-length-not-checked" on [Topic] breaks ["P-TOP-10", "P-TOP-11"];
    /// What the cloud publishes is taken and delivered to nobody.
    PubLost = "pub-lost" on [Cloud] breaks ["P-API-1", "P-API-3", "P-API-6", "P-API-7"];
    /// What the cloud publishes is delivered at QoS 0, whatever it asked for.
    PubAtQos0 = "pub-at-qos-0" on [Cloud] breaks ["P-QOS-7"];
    /// What the cloud publishes is delivered at QoS 1, whatever it asked for.
    PubAtQos1 = "pub-at-qos-1" on [Cloud] breaks ["P-QOS-7"];
    /// What the cloud publishes comes to the device whose topic it is on, subscribed or not.
    PubToUnsubscribed = "pub-to-unsubscribed" on [Cloud] breaks ["P-API-3"];
    /// The API answers requests that are not right as if they were.
    ApiRequestNotChecked = "api-request-not-checked" on [Cloud] breaks ["P-API-9", "P-API-4"];
    /// The API lets everybody in, as often as they like.
    ApiDoorOpen = "api-door-open" on [Cloud] breaks ["P-API-9"];
    /// What the cloud says to all devices of a product reaches nobody.
    BroadcastLost = "broadcast-lost" on [Cloud] breaks ["P-API-8", "P-TOP-18"];
    /// The API says of what it publishes that it failed.
    PubNotConfirmed = "pub-not-confirmed" on [Cloud] breaks ["P-API-2"];
    /// Of the messages that the cloud may publish to a device within a second, half are taken.
    DownlinkHalved = "downlink-halved" on [Cloud] breaks ["P-LIM-3"];
    /// The device log has no lines.
    LogEmpty = "log-empty" on [Cloud] breaks ["P-LOG-2", "P-LOG-3", "P-LOG-4", "P-LOG-5"];
    /// User Properties do not get into the device log.
    LogWithoutUserProperties = "log-without-user-properties" on [Cloud] breaks ["P-V5-10", "P-LOG-6"];
    /// What devices publish does not reach the business server.
    DeviceMessageLost = "device-message-lost" on [Cloud] breaks ["P-V5-13", "P-AMQ-6"];
    /// The business server gets Correlation Data as text, not in Base64.
    CorrelationDataAsText = "correlation-data-as-text" on [Cloud] breaks ["P-V5-14"];
    /// The business server gets messages without what 5.0 says beside them.
    DevicePropertiesLost = "device-properties-lost" on [Cloud] breaks ["P-AMQ-7", "P-V5-13"];
    /// What devices publish while no business server listens is lost.
    BacklogLost = "backlog-lost" on [Cloud] breaks ["P-AMQ-10"];
    /// A message that the business server gives back does not come again.
    ReleasedMessageLost = "released-message-lost" on [Cloud] breaks ["P-AMQ-8", "P-AMQ-9"];
    /// The request of a call is not sent.
    CallNotSent = "call-not-sent" on [Cloud] breaks ["P-RPC-1", "P-RPC-2", "P-RPC-3", "P-RPC-4", "P-CID-9", "P-CID-10", "P-RPC-8"];
    /// Half the time of a call is enough for its TIMEOUT.
    CallTimesOutEarly = "call-times-out-early" on [Cloud] breaks ["P-RPC-9", "P-RPC-11"];
    /// A call takes the answer of any device.
    ForeignAnswerTaken = "foreign-answer-taken" on [Cloud] breaks ["X-44", "P-RPC-5"];
    /// Whatever a device answers, it answers its oldest open call.
    LateAnswerTaken = "late-answer-taken" on [Cloud] breaks ["P-RPC-14", "X-44", "P-RPC-5"];
    /// A call may wait for any time.
    CallTimeoutNotChecked = "call-timeout-not-checked" on [Cloud] breaks ["P-RPC-9"];
    /// A call of a device that is not connected ends with SUCCESS.
    OfflineIsSuccess = "offline-is-success" on [Cloud] breaks ["P-RPC-11", "P-RPC-12", "X-47"];
    /// The answer to a call has no effect.
    AnswerIgnored = "answer-ignored" on [Cloud] breaks ["P-RPC-1", "P-RPC-10", "P-RPC-11", "P-RPC-7"];
    /// The answer to a call has one byte more at the caller.
    AnswerChanged = "answer-changed" on [Cloud] breaks ["P-RPC-1", "P-RPC-10"];
    /// A call of a device that is not connected ends with TIMEOUT, and at once.
    OfflineIsTimeout = "offline-is-timeout" on [Cloud] breaks ["P-RPC-11", "P-RPC-13"];
    /// A call without answer ends with OFFLINE.
    TimeoutIsOffline = "timeout-is-offline" on [Cloud] breaks ["P-RPC-11", "P-RPC-6", "X-46"];
}

impl Switch {
    /// The switch of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Switch> {
        Switch::ALL.iter().copied().find(|switch| switch.name() == name)
    }

    /// Whether it shows only where devices log in, on a broker that knows them.
    #[must_use]
    pub fn needs_devices(self) -> bool {
        self.occasions().iter().any(|occasion| matches!(occasion, Occasion::Login | Occasion::Registration))
    }

    /// Whether it shows only where a cloud side calls, publishes or listens.
    #[must_use]
    pub fn needs_cloud(self) -> bool {
        self.occasions().contains(&Occasion::Cloud)
    }

    /// The built-in profile whose broker shows it.
    #[must_use]
    pub fn profile(self) -> &'static str {
        match self {
            _ if self.statements().iter().any(|statement| statement.starts_with(['P', 'X'])) => "platform",
            _ => "standard",
        }
    }
}

impl Settings {
    /// Whether the broker is to misbehave in this way.
    #[cfg(feature = "faults")]
    pub(crate) fn misbehaves(&self, switch: Switch) -> bool {
        self.misbehaviour == Some(switch)
    }

    /// Whether the broker is to misbehave in this way: in a plain build it never is.
    #[cfg(not(feature = "faults"))]
    pub(crate) fn misbehaves(&self, _: Switch) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::Switch;
    use model::statement::catalogue;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_statements_exist() {
        let names: BTreeSet<&str> = Switch::ALL.iter().map(|switch| switch.name()).collect();
        assert_eq!(names.len(), Switch::ALL.len());
        for &switch in Switch::ALL {
            assert!(switch.about().ends_with('.'), "{switch:?}");
            assert!(!switch.statements().is_empty(), "{switch:?}");
            for cited in switch.statements() {
                let (version, id) = cited.split_once(':').map_or((None, *cited), |(version, id)| (Some(version), id));
                let known = catalogue().versions_of(id);
                let version = version.map(|version| version.parse().unwrap());
                let is_known = version.map_or(!known.is_empty(), |version| known.contains(&version));
                assert!(is_known, "{switch:?}: {cited}");
                let means_one =
                    version.is_some() || known.len() == 1 || catalogue().is_alike(id) || id.starts_with("P-");
                assert!(means_one, "{switch:?}: {cited} means different things in 3.1.1 and 5.0");
            }
        }
    }
}
