//! What is at stake when a client offends: the statements behind each offence.
//!
//! Two kinds stand together. Some are the server's duty in this very case ("a second CONNECT makes it close"); they say
//! why the reactions of a profile are the only ones. Others are the client's, and broken already; they say what the server
//! is answering. That it must answer at all is the rule [`OffenceIsRefused`](super::Rule::OffenceIsRefused), which brings
//! the statements on errors in general. An offence that only a dialect knows has none here.

use crate::citation::Statements;
use crate::profile::Offence;

/// The statements at stake in an offence.
#[must_use]
pub const fn at_stake(offence: Offence) -> Statements {
    match offence {
        // CONNECT
        Offence::InvalidProtocolName => Statements::new(&["V31-1", "V31-3"], &["MQTT-3.1.2-1"], &["MQTT-3.1.2-1"]),
        Offence::UnsupportedProtocolVersion => {
            Statements::new(&["V31-2", "V31-3"], &["MQTT-3.1.2-2"], &["MQTT-3.1.2-2"])
        }
        Offence::FirstPacketNotConnect => Statements::new(&[], &["MQTT-3.1.0-1"], &["MQTT-3.1.0-1", "MQTT-3.14.0-1"]),
        Offence::SecondConnect => Statements::new(&[], &["MQTT-3.1.0-2"], &["MQTT-3.1.0-2"]),
        Offence::MalformedConnect => Statements::new(&[], &["MQTT-3.1.4-1"], &["MQTT-3.1.4-1"]),
        Offence::ClientIdentifierNotValid => {
            Statements::new(&["V31-4", "V31-5"], &["MQTT-3.1.3-7", "MQTT-3.1.3-8"], &["MQTT-3.1.3-8"])
        }
        Offence::ClientIdentifierUnusual => Statements::new(&["V31-4", "V31-5"], &["MQTT-3.1.3-9"], &["MQTT-3.1.3-8"]),
        Offence::AuthenticationMethodGiven | Offence::BadAuthenticationMethod => {
            Statements::new(&[], &[], &["MQTT-4.12.0-1"])
        }
        Offence::WillNotSupported | Offence::WillDemanding => {
            Statements::new(&[], &[], &["MQTT-3.2.2-12", "MQTT-3.2.2-13"])
        }
        Offence::WillTopicInvalid => Statements::new(&[], &["MQTT-4.7.1-1"], &["MQTT-4.7.0-1"]),
        // PUBLISH
        Offence::TopicNameInvalid => Statements::new(
            &[],
            &["MQTT-3.3.2-2", "MQTT-4.7.1-1", "MQTT-4.7.3-1"],
            &["MQTT-3.3.2-2", "MQTT-3.3.2-14", "MQTT-4.7.0-1", "MQTT-4.7.3-1"],
        ),
        Offence::TopicOfTheServer => Statements::new(&["V31-15"], &["MQTT-3.3.5-2"], &[]),
        Offence::QosNotSupported => Statements::new(&[], &[], &["MQTT-3.2.2-11"]),
        Offence::RetainNotSupported => Statements::new(&[], &[], &["MQTT-3.2.2-14"]),
        Offence::TopicAliasInvalid => Statements::new(
            &[],
            &[],
            &["MQTT-3.2.2-17", "MQTT-3.2.2-18", "MQTT-3.3.2-7", "MQTT-3.3.2-8", "MQTT-3.3.2-9"],
        ),
        Offence::ReceiveMaximumExceeded => Statements::new(&[], &[], &["MQTT-3.3.4-7"]),
        // SUBSCRIBE
        Offence::TopicFilterInvalid | Offence::UnsubscribeFilterInvalid => Statements::new(
            &[],
            &["MQTT-4.7.1-2", "MQTT-4.7.1-3", "MQTT-4.7.3-1"],
            &["MQTT-4.7.1-1", "MQTT-4.7.1-2", "MQTT-4.7.3-1", "MQTT-4.8.2-1", "MQTT-4.8.2-2"],
        ),
        // any packet
        Offence::PacketTooLarge => Statements::new(&[], &[], &["MQTT-3.2.2-15"]),
        // What is wrong with the bytes, the refusal of the decoder says.
        Offence::MalformedPacket | Offence::ProtocolError => Statements::new(&[], &[], &[]),
        // Stated without a number.
        Offence::SharedSubscriptionNotSupported
        | Offence::SubscriptionIdentifierNotSupported
        | Offence::LoginMissing
        | Offence::PayloadFormatInvalid
        | Offence::UnknownPacketIdentifier => Statements::new(&[], &[], &[]),
        // Limits of a dialect.
        Offence::KeepAliveOff
        | Offence::KeepAliveTooLow
        | Offence::KeepAliveTooHigh
        | Offence::ConnectRateExceeded
        | Offence::TopicTooLong
        | Offence::TooManyFilters
        | Offence::TooManySubscriptions
        | Offence::SubscriptionQosNotSupported
        | Offence::UplinkInFlightExceeded
        | Offence::UplinkRateExceeded
        | Offence::TopicAliasRemapped
        | Offence::RrpcAnswerQos
        | Offence::PropertyLimitExceeded => Statements::new(&[], &[], &[]),
        // Checks of a dialect on who may connect.
        Offence::BadUserNameOrPassword
        | Offence::DeviceDisabled
        | Offence::SignMethodUnknown
        | Offence::SecureModeMismatch
        | Offence::VersionSteppedBack
        | Offence::ClientIdentifierShared => Statements::new(&[], &[], &["MQTT-3.1.4-2"]),
        // What a device may do: the rules on answers and deliveries have the statements on permission.
        Offence::TopicNotPermitted => Statements::new(&[], &[], &[]),
    }
}
