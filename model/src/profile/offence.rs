//! What a client may do wrong, as far as dialects differ in what follows.

use super::named::named;

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
        /// Keep Alive 0 where it cannot be turned off.
        KeepAliveOff = "keep-alive-off",
        /// A Keep Alive below the dialect's range.
        KeepAliveTooLow = "keep-alive-too-low",
        /// A Keep Alive above the dialect's range. A server that accepts it counts with the highest value.
        KeepAliveTooHigh = "keep-alive-too-high",
        /// A Will where there is none.
        WillNotSupported = "will-not-supported",
        /// RETAIN 1 where nothing is retained.
        RetainNotSupported = "retain-not-supported",
        /// A QoS above what the server has.
        QosNotSupported = "qos-not-supported",
        /// A PUBLISH to a topic with wildcards, or to none.
        TopicNameInvalid = "topic-name-invalid",
        /// A filter with misplaced wildcards, or none.
        TopicFilterInvalid = "topic-filter-invalid",
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
        /// User Properties, Response Topic or Correlation Data beyond the dialect's limits.
        PropertyLimitExceeded = "property-limit-exceeded",
    }
}
