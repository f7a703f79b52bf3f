//! What a client may do wrong, as far as dialects differ in what follows.

use super::Profile;
use super::named::named;
use crate::packet::ProtocolVersion;

named! {
    /// Something that a client must not do, or that a dialect does not offer.
    Offence, "offence" {
        /// Bytes that are no packet of the version.
        MalformedPacket = "malformed-packet",
        /// A well-formed packet that the version forbids here.
        ProtocolError = "protocol-error",
        /// A CONNECT whose Protocol Name is none.
        InvalidProtocolName = "invalid-protocol-name",
        /// A CONNECT with a level that no version has.
        UnsupportedProtocolVersion = "unsupported-protocol-version",
        /// A connection that does not begin with CONNECT.
        FirstPacketNotConnect = "first-packet-not-connect",
        /// A second CONNECT on a connection.
        SecondConnect = "second-connect",
        /// A CONNECT that contradicts its own format.
        MalformedConnect = "malformed-connect",
        /// A Client Identifier that the version forbids.
        ClientIdentifierNotValid = "client-identifier-not-valid",
        /// A Client Identifier that a server may accept or refuse: empty, long, or of unusual characters.
        ClientIdentifierUnusual = "client-identifier-unusual",
        /// A CONNECT with an Authentication Method: a server may have it or not.
        AuthenticationMethodGiven = "authentication-method-given",
        /// An Authentication Method that the server does not have.
        BadAuthenticationMethod = "bad-authentication-method",
        /// A CONNECT without a User Name: a server may want one.
        LoginMissing = "login-missing",
        /// Keep Alive 0 where it cannot be turned off.
        KeepAliveOff = "keep-alive-off",
        /// A Keep Alive below the dialect's range.
        KeepAliveTooLow = "keep-alive-too-low",
        /// A Keep Alive above the dialect's range. A server that accepts it counts with the highest value.
        KeepAliveTooHigh = "keep-alive-too-high",
        /// A Will where there is none.
        WillNotSupported = "will-not-supported",
        /// A Will with a QoS above 0, or to be retained: a server of 5.0 may not have it, and nobody knows before CONNACK.
        WillDemanding = "will-demanding",
        /// A Will Topic with wildcards.
        WillTopicInvalid = "will-topic-invalid",
        /// RETAIN 1 where nothing is retained.
        RetainNotSupported = "retain-not-supported",
        /// A QoS above what the server has.
        QosNotSupported = "qos-not-supported",
        /// A PUBLISH to a topic with wildcards, or to none.
        TopicNameInvalid = "topic-name-invalid",
        /// A PUBLISH to a topic that begins with `$`: a server may use such topics for itself.
        TopicOfTheServer = "topic-of-the-server",
        /// A payload that is no UTF-8, although its Payload Format Indicator says so: a server may look or not.
        PayloadFormatInvalid = "payload-format-invalid",
        /// A filter with misplaced wildcards, or none.
        TopicFilterInvalid = "topic-filter-invalid",
        /// An UNSUBSCRIBE with such a filter.
        UnsubscribeFilterInvalid = "unsubscribe-filter-invalid",
        /// A topic or filter beyond the dialect's limits.
        TopicTooLong = "topic-too-long",
        /// A SUBSCRIBE with more filters than the dialect allows.
        TooManyFilters = "too-many-filters",
        /// A Shared Subscription where there is none.
        SharedSubscriptionNotSupported = "shared-subscription-not-supported",
        /// A Subscription Identifier where there is none.
        SubscriptionIdentifierNotSupported = "subscription-identifier-not-supported",
        /// A packet above the server's Maximum Packet Size.
        PacketTooLarge = "packet-too-large",
        /// A Topic Alias of 0, above the maximum, or never set.
        TopicAliasInvalid = "topic-alias-invalid",
        /// More open PUBLISH packets than the server's Receive Maximum.
        ReceiveMaximumExceeded = "receive-maximum-exceeded",
        /// An acknowledgement of nothing.
        UnknownPacketIdentifier = "unknown-packet-identifier",
        /// A device login whose User Name or Password is wrong, badly formed or missing. That a signature is wrong, or a
        /// device unknown, no trace shows.
        BadUserNameOrPassword = "bad-user-name-or-password",
        /// A login of a device that the cloud side has disabled. No trace shows it.
        DeviceDisabled = "device-disabled",
        /// A device login with a signature method that there is none of.
        SignMethodUnknown = "sign-method-unknown",
        /// A device login whose secure mode is not the transport's, or none.
        SecureModeMismatch = "secure-mode-mismatch",
        /// More CONNECT packets of one device than the dialect allows in a minute.
        ConnectRateExceeded = "connect-rate-exceeded",
        /// A CONNECT of 3.x from a device that has used 5.0.
        VersionSteppedBack = "version-stepped-back",
        /// A device's Client Identifier comes from another device too.
        ClientIdentifierShared = "client-identifier-shared",
        /// A topic or filter that is not the device's, or not for that use.
        TopicNotPermitted = "topic-not-permitted",
        /// A SUBSCRIBE that asks for a QoS above what the dialect has.
        SubscriptionQosNotSupported = "subscription-qos-not-supported",
        /// A subscription beyond the number that one session may have.
        TooManySubscriptions = "too-many-subscriptions",
        /// More QoS 1 PUBLISH packets waiting for PUBACK than the dialect allows.
        UplinkInFlightExceeded = "uplink-in-flight-exceeded",
        /// More PUBLISH packets of one device than the dialect allows in a second.
        UplinkRateExceeded = "uplink-rate-exceeded",
        /// A Topic Alias that stands for another topic already.
        TopicAliasRemapped = "topic-alias-remapped",
        /// The answer to a synchronous call at QoS 1.
        RrpcAnswerQos = "rrpc-answer-qos",
        /// User Properties, Response Topic or Correlation Data beyond the dialect's limits.
        PropertyLimitExceeded = "property-limit-exceeded",
    }
}

impl Offence {
    /// The rows of the platform's fact sheet that say what follows, or leave it open.
    #[must_use]
    pub fn rows(self) -> &'static [&'static str] {
        match self {
            Offence::UnsupportedProtocolVersion => &["P-VER-1", "P-VER-3", "P-RC-2"],
            Offence::FirstPacketNotConnect | Offence::SecondConnect | Offence::MalformedPacket => &["X-50"],
            Offence::ClientIdentifierNotValid => &["P-CID-1", "P-CID-2", "P-RC-3", "X-7"],
            Offence::BadUserNameOrPassword => &["P-CON-1", "P-RC-5", "P-RC-7", "X-4", "X-5", "X-57"],
            Offence::DeviceDisabled => &["P-RC-6", "P-RC-9", "X-6"],
            Offence::SignMethodUnknown => &["P-CID-4", "X-56"],
            Offence::SecureModeMismatch => &["P-CID-3", "X-55"],
            Offence::ConnectRateExceeded => &["P-LIM-4", "P-RC-4", "X-8"],
            Offence::VersionSteppedBack => &["N-VER-1"],
            Offence::ClientIdentifierShared => &["P-CON-3", "X-41"],
            Offence::KeepAliveOff => &["P-KA-1", "X-3"],
            Offence::KeepAliveTooLow => &["P-KA-1", "P-KA-2", "P-KA-9", "X-1", "X-2"],
            Offence::KeepAliveTooHigh => &["P-KA-1", "P-KA-2", "P-KA-6", "P-KA-9", "X-1", "X-2"],
            Offence::WillNotSupported => &["P-WR-1", "X-9"],
            Offence::RetainNotSupported => &["P-WR-2", "X-10"],
            Offence::QosNotSupported => &["P-QOS-1", "P-QOS-6", "X-11"],
            Offence::SubscriptionQosNotSupported => &["P-QOS-1", "X-12"],
            Offence::TopicNameInvalid => &["P-TOP-9", "X-26"],
            Offence::TopicTooLong => &["P-TOP-10", "P-TOP-11", "X-25"],
            Offence::TopicNotPermitted => &["P-TOP-5", "P-TOP-6", "P-TOP-16", "X-21", "X-22", "N-WIL-4"],
            Offence::TooManyFilters => &["P-TOP-13", "X-23"],
            Offence::TooManySubscriptions => &["P-TOP-14", "X-24"],
            Offence::PacketTooLarge => &["P-V5-2", "P-LIM-8", "X-28"],
            Offence::TopicAliasInvalid => &["P-V5-16", "X-34"],
            Offence::TopicAliasRemapped => &["N-ALI-1", "X-35"],
            Offence::ReceiveMaximumExceeded => &["X-19"],
            Offence::UplinkInFlightExceeded => &["P-SES-7", "X-20"],
            Offence::UplinkRateExceeded => &["P-LIM-1", "P-LIM-2", "X-27"],
            Offence::RrpcAnswerQos => &["P-RPC-7", "X-43"],
            Offence::PropertyLimitExceeded => {
                &["P-V5-6", "P-V5-7", "P-V5-8", "P-V5-11", "P-V5-12", "N-UPR-1", "X-30", "X-31", "X-32", "X-33"]
            }
            _ => &[],
        }
    }

    /// Those of its rows that a dialect is held to in `version`.
    pub fn rows_in(self, profile: &Profile, version: ProtocolVersion) -> impl Iterator<Item = &'static str> {
        self.rows().iter().copied().filter(move |row| profile.is_held_to(row, version))
    }
}
