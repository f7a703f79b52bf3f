//! Reason Codes of 5.0, and which packet may carry which.

use super::PacketType;
use std::fmt;

macro_rules! reason_codes {
    ($($value:literal $variant:ident $name:literal in $($packet:ident)*;)*) => {
        /// A Reason Code of 5.0 (section 2.4). SUBACK of 3.x uses four of them as Return Codes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum ReasonCode { $(#[doc = $name] $variant = $value,)* }

        impl ReasonCode {
            /// All codes in order of their values.
            pub const ALL: &'static [ReasonCode] = &[$(ReasonCode::$variant,)*];

            /// The name as the standard prints it; the first one where it has several.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(ReasonCode::$variant => $name,)* }
            }

            /// Whether this packet may carry this code.
            #[must_use]
            pub fn is_permitted_in(self, packet: PacketType) -> bool {
                match self {
                    $(ReasonCode::$variant => [$(PacketType::$packet,)*].contains(&packet),)*
                }
            }
        }
    };
}

// The packets are those of table 2-6. It lists 0x8C (Bad authentication method) for DISCONNECT too, which the table in
// section 3.14.2.1 does not; 4.12.1 has a failed re-authentication end in a DISCONNECT, so the wider table holds here.
reason_codes! {
    0x00 Success "Success" in Connack Puback Pubrec Pubrel Pubcomp Suback Unsuback Disconnect Auth;
    0x01 GrantedQos1 "Granted QoS 1" in Suback;
    0x02 GrantedQos2 "Granted QoS 2" in Suback;
    0x04 DisconnectWithWillMessage "Disconnect with Will Message" in Disconnect;
    0x10 NoMatchingSubscribers "No matching subscribers" in Puback Pubrec;
    0x11 NoSubscriptionExisted "No subscription existed" in Unsuback;
    0x18 ContinueAuthentication "Continue authentication" in Auth;
    0x19 ReAuthenticate "Re-authenticate" in Auth;
    0x80 UnspecifiedError "Unspecified error" in Connack Puback Pubrec Suback Unsuback Disconnect;
    0x81 MalformedPacket "Malformed Packet" in Connack Disconnect;
    0x82 ProtocolError "Protocol Error" in Connack Disconnect;
    0x83 ImplementationSpecificError "Implementation specific error" in Connack Puback Pubrec Suback Unsuback Disconnect;
    0x84 UnsupportedProtocolVersion "Unsupported Protocol Version" in Connack;
    0x85 ClientIdentifierNotValid "Client Identifier not valid" in Connack;
    0x86 BadUserNameOrPassword "Bad User Name or Password" in Connack;
    0x87 NotAuthorized "Not authorized" in Connack Puback Pubrec Suback Unsuback Disconnect;
    0x88 ServerUnavailable "Server unavailable" in Connack;
    0x89 ServerBusy "Server busy" in Connack Disconnect;
    0x8A Banned "Banned" in Connack;
    0x8B ServerShuttingDown "Server shutting down" in Disconnect;
    0x8C BadAuthenticationMethod "Bad authentication method" in Connack Disconnect;
    0x8D KeepAliveTimeout "Keep Alive timeout" in Disconnect;
    0x8E SessionTakenOver "Session taken over" in Disconnect;
    0x8F TopicFilterInvalid "Topic Filter invalid" in Suback Unsuback Disconnect;
    0x90 TopicNameInvalid "Topic Name invalid" in Connack Puback Pubrec Disconnect;
    0x91 PacketIdentifierInUse "Packet Identifier in use" in Puback Pubrec Suback Unsuback;
    0x92 PacketIdentifierNotFound "Packet Identifier not found" in Pubrel Pubcomp;
    0x93 ReceiveMaximumExceeded "Receive Maximum exceeded" in Disconnect;
    0x94 TopicAliasInvalid "Topic Alias invalid" in Disconnect;
    0x95 PacketTooLarge "Packet too large" in Connack Disconnect;
    0x96 MessageRateTooHigh "Message rate too high" in Disconnect;
    0x97 QuotaExceeded "Quota exceeded" in Connack Puback Pubrec Suback Disconnect;
    0x98 AdministrativeAction "Administrative action" in Disconnect;
    0x99 PayloadFormatInvalid "Payload format invalid" in Connack Puback Pubrec Disconnect;
    0x9A RetainNotSupported "Retain not supported" in Connack Disconnect;
    0x9B QosNotSupported "QoS not supported" in Connack Disconnect;
    0x9C UseAnotherServer "Use another server" in Connack Disconnect;
    0x9D ServerMoved "Server moved" in Connack Disconnect;
    0x9E SharedSubscriptionsNotSupported "Shared Subscriptions not supported" in Suback Disconnect;
    0x9F ConnectionRateExceeded "Connection rate exceeded" in Connack Disconnect;
    0xA0 MaximumConnectTime "Maximum connect time" in Disconnect;
    0xA1 SubscriptionIdentifiersNotSupported "Subscription Identifiers not supported" in Suback Disconnect;
    0xA2 WildcardSubscriptionsNotSupported "Wildcard Subscriptions not supported" in Suback Disconnect;
}

impl ReasonCode {
    /// The code with this value, if 5.0 defines one.
    #[must_use]
    pub fn from_value(value: u8) -> Option<ReasonCode> {
        ReasonCode::ALL.iter().copied().find(|code| code.value() == value)
    }

    /// The byte on the wire.
    #[must_use]
    pub fn value(self) -> u8 {
        self as u8
    }

    /// Whether it reports a failure (0x80 and above).
    #[must_use]
    pub fn is_error(self) -> bool {
        self.value() >= 0x80
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:02X} {}", self.value(), self.name())
    }
}
