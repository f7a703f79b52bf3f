//! The rules, each once, with the statements that it stands for.
//!
//! The table is the contents page of the model: a rule has a name, one sentence, and the statements of each version. Code
//! that enforces a rule names it; a breach reports it. 3.1 has numbers only where it differs from 3.1.1: where a rule names
//! none for 3.1, those of 3.1.1 say what is meant. Behind a semicolon stand statements on a particular case of the rule:
//! they are held by it, but named in no report, since only some breaches are theirs. A rule that the IoT Platform has, or
//! words in its own way, cites the rows of its fact sheet too: they are named where a profile is held to them.

use super::Vocabulary;
use crate::citation::Statements;
use crate::packet::ProtocolVersion;
use crate::profile::Profile;
use std::fmt;

pub use super::breach::Breach;

macro_rules! rules {
    ($($rule:ident $name:literal $says:literal
        v31 [$($v31:literal)* $(; $($v31_case:literal)*)?]
        v311 [$($v311:literal)* $(; $($v311_case:literal)*)?]
        v5 [$($v5:literal)* $(; $($v5_case:literal)*)?]
        $(platform [$($row:literal)*])?;)*) => {
        /// A rule that a server is held to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule { $(#[doc = $says] $rule,)* }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Rule] = &[$(Rule::$rule,)*];

            /// Its name in reports.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Rule::$rule => $name,)* }
            }

            /// The rule in a sentence.
            #[must_use]
            pub fn says(self) -> &'static str {
                match self { $(Rule::$rule => $says,)* }
            }

            /// The statements of `version` that every breach of it breaks.
            #[must_use]
            pub const fn statements(self, version: ProtocolVersion) -> &'static [&'static str] {
                match self {
                    $(Rule::$rule => Statements::new(&[$($v31),*], &[$($v311),*], &[$($v5),*]),)*
                }
                .of(version)
            }

            /// Statements on a particular case: a breach of the rule breaks one of them only where that case is at hand.
            #[must_use]
            pub const fn particular(self, version: ProtocolVersion) -> &'static [&'static str] {
                match self {
                    $(Rule::$rule => Statements::new(
                        &[$($($v31_case),*)?], &[$($($v311_case),*)?], &[$($($v5_case),*)?],
                    ),)*
                }
                .of(version)
            }

            /// The rows of the platform's fact sheet that it stands for.
            #[must_use]
            pub fn rows(self) -> &'static [&'static str] {
                match self { $(Rule::$rule => &[$($($row),*)?],)* }
            }
        }
    };
}

rules! {
    // connect
    ConnackComesFirst "connack-comes-first" "the server's first packet is CONNACK"
        v31 [] v311 ["MQTT-3.2.0-1"] v5 ["MQTT-3.2.0-1"; "MQTT-3.14.0-1"];
    ConnackComesOnce "connack-comes-once" "a connection has one CONNACK, in answer to CONNECT"
        v31 [] v311 ["MQTT-3.1.4-4"] v5 ["MQTT-3.2.0-2"];
    ConnectIsAccepted "connect-is-accepted" "a valid CONNECT is accepted"
        v31 [; "V31-8" "V31-9"] v311 ["MQTT-3.1.4-4"; "MQTT-3.1.3-5"] v5 ["MQTT-3.1.4-5"; "MQTT-3.1.3-5"]
        platform ["P-VER-1" "P-VER-4" "P-CON-2" "P-RC-1"];
    CleanStartHasNoSession "clean-start-has-no-session" "after a clean start Session Present is 0"
        v31 [] v311 ["MQTT-3.2.2-1"; "MQTT-3.1.2-6" "MQTT-3.1.4-3"] v5 ["MQTT-3.2.2-2"; "MQTT-3.1.2-4" "MQTT-3.1.4-4"]
        platform ["P-SES-2" "X-37" "P-SES-1"];
    StoredSessionIsPresent "stored-session-is-present" "Session Present is 1 when the session was stored"
        v31 [] v311 ["MQTT-3.2.2-2"; "MQTT-3.1.2-4" "MQTT-3.1.3-2" "MQTT-3.1.4-3"]
        v5 ["MQTT-3.2.2-3"; "MQTT-3.1.2-5" "MQTT-3.1.2-23" "MQTT-3.1.3-2" "MQTT-3.1.4-4"]
        platform ["P-SES-3" "X-37" "P-SES-1" "X-40"];
    NoSessionIsAbsent "no-session-is-absent" "Session Present is 0 when nothing was stored"
        v31 [] v311 ["MQTT-3.2.2-3"; "MQTT-3.1.3-2"] v5 ["MQTT-3.2.2-3"; "MQTT-3.1.2-6" "MQTT-3.1.3-2" "MQTT-4.1.0-2"];
    RefusalHasNoSession "refusal-has-no-session" "a CONNACK that refuses has Session Present 0"
        v31 [] v311 ["MQTT-3.2.2-4"] v5 ["MQTT-3.2.2-6"];
    RefusalCloses "refusal-closes" "a CONNACK that refuses is followed by a close, and by nothing else"
        v31 [] v311 ["MQTT-3.2.2-5"] v5 ["MQTT-3.2.2-7"; "MQTT-3.1.4-2" "MQTT-4.13.2-1"];
    EmptyIdentifierIsAssigned "empty-identifier-is-assigned" "an accepted empty client identifier is answered with an assigned one"
        v31 [] v311 ["MQTT-3.1.3-6"] v5 ["MQTT-3.2.2-16" "MQTT-3.1.3-7"; "MQTT-3.1.3-6"];
    UnnamedDeviceIsAssigned "unnamed-device-is-assigned" "a device that leaves its name to the server is told the one that it got"
        v31 [] v311 [] v5 []
        platform ["P-CID-13"];
    AssignedIdentifierIsUnique "assigned-identifier-is-unique" "no other session has the client identifier that a server assigns"
        v31 [] v311 [] v5 ["MQTT-3.2.2-16" "MQTT-3.1.3-6"];
    ResponseInformationOnRequest "response-information-on-request" "CONNACK has Response Information only on request"
        v31 [] v311 [] v5 ["MQTT-3.1.2-28"];
    NoUncalledAuthentication "no-uncalled-authentication" "without an Authentication Method in CONNECT there is none in CONNACK, and no AUTH"
        v31 [] v311 [] v5 ["MQTT-4.12.0-6"];
    WillFitsTheOffer "will-fits-the-offer" "a CONNECT whose Will asks for more than CONNACK announces is not accepted"
        v31 [] v311 [] v5 ["MQTT-3.2.2-12" "MQTT-3.2.2-13"];
    OlderConnectionCloses "older-connection-closes" "a connection is closed when its client identifier connects again"
        v31 ["V31-13"] v311 ["MQTT-3.1.4-2"] v5 ["MQTT-3.1.4-3"]
        platform ["P-CON-4" "X-38" "X-39"];
    // offences
    OffenceIsRefused "offence-is-refused" "what a client must not send is answered as the dialect permits, and has no effect"
        v31 [] v311 ["MQTT-4.8.0-1"] v5 ["MQTT-4.13.1-1"]
        platform ["P-RC-14"];
    UnprovokedClose "unprovoked-close" "the server ends a connection only for a reason that the client gave"
        v31 [; "V31-10" "V31-15"] v311 [] v5 [; "MQTT-3.3.2-12"];
    NothingAfterDisconnect "nothing-after-disconnect" "after its DISCONNECT the server sends nothing and closes"
        v31 [] v311 [] v5 ["MQTT-3.14.4-1" "MQTT-3.14.4-2"; "MQTT-4.13.2-1"];
    DisconnectHasAReason "disconnect-has-a-reason" "the server sends DISCONNECT only for a reason that the client gave"
        v31 [] v311 [] v5 ["MQTT-3.14.2-1"];
    // answers
    SubscribeIsAnswered "subscribe-is-answered" "SUBSCRIBE is answered by SUBACK"
        v31 [; "V31-16"] v311 ["MQTT-3.8.4-1"] v5 ["MQTT-3.8.4-1"; "MQTT-3.3.4-10" "MQTT-4.9.0-3"];
    SubackNamesItsSubscribe "suback-names-its-subscribe" "SUBACK has the identifier of a SUBSCRIBE that waits for it"
        v31 [] v311 ["MQTT-3.8.4-2" "MQTT-2.3.1-7"] v5 ["MQTT-3.8.4-2" "MQTT-2.2.1-6"];
    SubackHasACodeAFilter "suback-has-a-code-a-filter" "SUBACK has one code for each filter"
        v31 [] v311 ["MQTT-3.8.4-5"; "MQTT-3.8.4-4"] v5 ["MQTT-3.8.4-6"; "MQTT-3.8.4-5"];
    SubackGrants "suback-grants" "a SUBACK code states a permitted grant or a failure that the dialect knows"
        v31 ["V31-14"] v311 ["MQTT-3.8.4-5" "MQTT-3.9.3-1"; "MQTT-3.8.3-2"]
        v5 ["MQTT-3.8.4-7" "MQTT-3.9.3-1"; "MQTT-3.2.2-10"]
        platform ["P-QOS-5" "X-12" "X-13" "P-QOS-4"];
    UnsubscribeIsAnswered "unsubscribe-is-answered" "UNSUBSCRIBE is answered by UNSUBACK"
        v31 [; "V31-16"] v311 ["MQTT-3.10.4-4"; "MQTT-3.10.4-5" "MQTT-3.10.4-6"]
        v5 ["MQTT-3.10.4-4"; "MQTT-3.10.4-5" "MQTT-3.3.4-10" "MQTT-4.9.0-3"];
    UnsubackNamesItsUnsubscribe "unsuback-names-its-unsubscribe" "UNSUBACK has the identifier of an UNSUBSCRIBE that waits for it"
        v31 [] v311 ["MQTT-3.10.4-4" "MQTT-2.3.1-7"] v5 ["MQTT-3.10.4-5" "MQTT-2.2.1-6"];
    UnsubackHasACodeAFilter "unsuback-has-a-code-a-filter" "UNSUBACK of 5.0 has one code for each filter, in order"
        v31 [] v311 [] v5 ["MQTT-3.11.3-1" "MQTT-3.10.4-6"; "MQTT-3.10.4-1"]
        platform ["X-51"];
    PublishIsAnswered "publish-is-answered" "a QoS 1 PUBLISH is answered by PUBACK"
        v31 [; "V31-15"] v311 ["MQTT-3.3.4-1" "MQTT-4.3.2-2"; "MQTT-3.3.5-2"]
        v5 ["MQTT-3.3.4-1" "MQTT-4.3.2-4"; "MQTT-3.2.2-9" "MQTT-3.3.4-10" "MQTT-4.9.0-3"];
    PublishIsReceived "publish-is-received" "a QoS 2 PUBLISH is answered by PUBREC, each time that it comes"
        v31 [; "V31-15"] v311 ["MQTT-3.3.4-1" "MQTT-4.3.3-2"; "MQTT-3.3.5-2"]
        v5 ["MQTT-3.3.4-1" "MQTT-4.3.3-8"; "MQTT-3.2.2-9" "MQTT-4.3.3-10" "MQTT-3.3.4-10" "MQTT-4.9.0-3"];
    PubackNamesItsPublish "puback-names-its-publish" "PUBACK, PUBREC and PUBCOMP have the identifier of a packet that waits for them"
        v31 [] v311 ["MQTT-2.3.1-6"] v5 ["MQTT-2.2.1-5"];
    PubrelIsAnswered "pubrel-is-answered" "PUBREL is answered by PUBCOMP"
        v31 [] v311 ["MQTT-4.3.3-2"] v5 ["MQTT-4.3.3-11" "MQTT-4.3.3-13"; "MQTT-3.3.4-10" "MQTT-4.9.0-3"];
    PubrecIsAnswered "pubrec-is-answered" "PUBREC is answered by PUBREL, whatever the window"
        v31 [] v311 ["MQTT-4.3.3-1"] v5 ["MQTT-4.3.3-4"; "MQTT-3.3.4-10" "MQTT-4.9.0-3"];
    PubrelNamesItsPubrec "pubrel-names-its-pubrec" "PUBREL has the identifier of a PUBREC that waits for it"
        v31 [] v311 ["MQTT-2.3.1-6"] v5 ["MQTT-2.2.1-5"];
    AuthenticationIsAnswered "authentication-is-answered" "AUTH packets take turns: the server asks for more, accepts, or ends the connection"
        v31 [] v311 [] v5 ["MQTT-4.12.0-2" "MQTT-4.12.0-4" "MQTT-4.12.1-2"];
    AuthenticationMethodStays "authentication-method-stays" "AUTH and the accepting CONNACK repeat the method of CONNECT"
        v31 [] v311 [] v5 ["MQTT-4.12.0-5"];
    PingreqIsAnswered "pingreq-is-answered" "PINGREQ is answered by PINGRESP"
        v31 [] v311 ["MQTT-3.12.4-1"] v5 ["MQTT-3.12.4-1"; "MQTT-3.3.4-10" "MQTT-4.9.0-3"];
    PingrespAnswers "pingresp-answers" "PINGRESP answers a PINGREQ, one for one"
        v31 [] v311 ["MQTT-3.12.4-1"] v5 ["MQTT-3.12.4-1"];
    // deliveries
    DeliveryWasSubscribed "delivery-was-subscribed" "what is delivered waits for this client: published to a topic that it has subscribed to, and not delivered yet"
        v31 [; "V31-15"]
        v311 [
            "MQTT-3.3.2-3" "MQTT-3.10.4-2"; "MQTT-3.1.4-5" "MQTT-3.10.4-1" "MQTT-4.7.2-1" "MQTT-4.7.3-4"
            "MQTT-3.3.1-5" "MQTT-3.3.1-7" "MQTT-3.3.1-10" "MQTT-3.3.1-11" "MQTT-3.3.1-12"
        ]
        v5 [
            "MQTT-3.3.2-3" "MQTT-3.10.4-2"; "MQTT-3.1.4-6" "MQTT-3.8.3-3" "MQTT-3.10.4-1" "MQTT-4.4.0-2"
            "MQTT-4.7.2-1" "MQTT-4.7.3-4" "MQTT-3.3.1-5" "MQTT-3.3.1-6" "MQTT-3.3.1-7" "MQTT-3.3.1-8" "MQTT-3.3.1-10"
            "MQTT-3.3.1-11"
        ]
        platform ["P-WR-1" "P-SES-9" "P-TOP-6" "P-TOP-18"];
    DeliveryIsUnchanged "delivery-is-unchanged" "topic, payload and properties arrive as they were published"
        v31 [] v311 ["MQTT-3.3.2-3"; "MQTT-1.5.3-3" "MQTT-2.3.1-5"]
        v5 [
            "MQTT-3.3.2-4" "MQTT-3.3.2-15" "MQTT-3.3.2-16" "MQTT-3.3.2-17" "MQTT-3.3.2-18" "MQTT-3.3.2-20";
            "MQTT-1.5.4-3" "MQTT-2.2.1-2" "MQTT-3.1.2-7" "MQTT-3.1.3-10"
        ]
        platform ["P-V5-13" "N-PRP-1" "N-RRT-1"];
    DeliveryQos "delivery-qos" "the delivered QoS is what publisher and subscription allow"
        v31 [] v311 ["MQTT-3.8.4-6" "MQTT-3.3.5-1"; "MQTT-3.3.1-5"] v5 ["MQTT-3.8.4-8" "MQTT-3.3.4-2"; "MQTT-4.8.2-3"]
        platform ["P-QOS-2" "P-QOS-3"];
    DeliveryIsMade "delivery-is-made" "a message that the server took over reaches every matching subscriber"
        v31 [; "V31-12"]
        v311 [
            "MQTT-4.5.0-1" "MQTT-3.3.5-1"; "MQTT-3.1.2-5" "MQTT-3.8.3-2" "MQTT-3.8.4-3" "MQTT-4.1.0-2" "MQTT-4.3.2-2"
            "MQTT-4.7.3-4" "MQTT-3.1.2-7" "MQTT-3.1.2-8" "MQTT-3.1.2-17" "MQTT-3.3.1-5" "MQTT-3.3.1-6" "MQTT-3.3.1-10"
            "MQTT-3.3.1-12" "MQTT-4.3.3-2"
        ]
        v5 [
            "MQTT-4.5.0-1" "MQTT-3.3.4-2"; "MQTT-3.1.2-5" "MQTT-3.1.2-25" "MQTT-3.3.2-12" "MQTT-3.8.4-4"
            "MQTT-4.1.0-1" "MQTT-4.3.2-5" "MQTT-4.7.3-4" "MQTT-4.9.0-1" "MQTT-3.1.2-7" "MQTT-3.1.2-8" "MQTT-3.1.2-15"
            "MQTT-3.3.1-5" "MQTT-3.3.1-8" "MQTT-3.3.1-9" "MQTT-3.3.1-10" "MQTT-4.3.3-9" "MQTT-4.3.3-12"
        ]
        platform ["P-SES-3" "P-TOP-19"];
    DeliveryOnce "delivery-once" "a message is delivered once for each matching subscription at most"
        v31 [] v311 ["MQTT-4.3.2-1"; "MQTT-3.8.4-3" "MQTT-4.3.1-1"]
        v5 ["MQTT-4.3.2-1" "MQTT-4.4.0-1"; "MQTT-3.8.4-3" "MQTT-4.3.1-1" "MQTT-4.4.0-2"]
        platform ["X-49"];
    LiveDeliveryIsNotRetained "live-delivery-is-not-retained" "a message for an established subscription has RETAIN 0"
        v31 [] v311 ["MQTT-3.3.1-9"; "MQTT-3.1.2-16"] v5 ["MQTT-3.3.1-12"; "MQTT-3.1.2-14" "MQTT-3.3.1-13"]
        platform ["P-WR-2" "X-10"];
    RetainAsPublished "retain-as-published" "with Retain As Published a delivery has the RETAIN of its publisher"
        v31 [] v311 [] v5 ["MQTT-3.3.1-13"];
    RetainedDeliveryIsMarked "retained-delivery-is-marked" "a message that was retained when the client subscribed has RETAIN 1"
        v31 [] v311 ["MQTT-3.3.1-8"; "MQTT-3.1.2-17"] v5 ["MQTT-3.3.1-9"; "MQTT-3.1.2-15"]
        platform ["P-WR-2" "N-RET-1"];
    IdentifiersOfSubscriptions "identifiers-of-subscriptions" "a delivery carries the identifiers of the subscriptions that it is for"
        v31 [] v311 [] v5 ["MQTT-3.3.4-3" "MQTT-3.3.4-4" "MQTT-3.3.4-5"];
    ExpiredIsNotDelivered "expired-is-not-delivered" "a message that has expired before its delivery began is not delivered"
        v31 [] v311 [] v5 ["MQTT-3.3.2-5"]
        platform ["N-EXP-1" "N-RET-2"];
    ExpiryIsForwarded "expiry-is-forwarded" "Message Expiry Interval is forwarded less the time that the message has waited"
        v31 [] v311 [] v5 ["MQTT-3.3.2-6"];
    ReceivedIsNotRepeated "received-is-not-repeated" "after PUBREC the PUBLISH is not sent again"
        v31 [] v311 ["MQTT-4.3.3-1"] v5 ["MQTT-4.3.3-6" "MQTT-4.4.0-2"];
    WillHasItsTime "will-has-its-time" "a Will is published when connection and delay are over, and not if it was taken back"
        v31 ["V31-12"] v311 ["MQTT-3.1.2-8" "MQTT-3.1.2-10" "MQTT-3.1.2-12" "MQTT-3.14.4-3"; "MQTT-3.1.2-16"]
        v5 ["MQTT-3.1.2-8" "MQTT-3.1.2-10" "MQTT-3.1.3-9" "MQTT-3.14.4-3"; "MQTT-3.1.2-14"]
        platform ["P-WR-1" "X-9" "N-WIL-2" "N-WIL-3"];
    SharedDeliveryIsMadeOnce "shared-delivery-is-made-once" "a message goes to one member of a Shared Subscription"
        v31 [] v311 [] v5 ["MQTT-4.8.2-5" "MQTT-4.8.2-6"; "MQTT-4.8.2-4"]
        platform ["N-SHR-1"];
    FirstDeliveryHasNoDup "first-delivery-has-no-dup" "a first delivery has DUP 0, whatever the publisher sent"
        v31 [] v311 ["MQTT-3.3.1-3" "MQTT-4.3.2-1"; "MQTT-4.3.1-1" "MQTT-4.3.3-1"]
        v5 ["MQTT-3.3.1-3" "MQTT-4.3.2-2"; "MQTT-4.3.1-1" "MQTT-4.3.3-2"];
    RepeatedDeliveryHasDup "repeated-delivery-has-dup" "a delivery that is repeated has DUP 1"
        v31 [] v311 ["MQTT-3.3.1-1"] v5 ["MQTT-3.3.1-1"];
    RepeatedDeliveryKeepsItsId "repeated-delivery-keeps-its-id" "a delivery that is repeated has the identifier of the first one"
        v31 ["V31-18"] v311 ["MQTT-4.4.0-1" "MQTT-2.3.1-4"] v5 ["MQTT-4.4.0-1"];
    RepeatedOnlyOnReconnect "repeated-only-on-reconnect" "an unacknowledged delivery is repeated only after a reconnect"
        v31 [] v311 [] v5 ["MQTT-4.4.0-1"]
        platform ["X-14"];
    UnacknowledgedIsRepeated "unacknowledged-is-repeated" "an unacknowledged delivery is repeated when the session resumes"
        v31 ["V31-18"] v311 ["MQTT-4.4.0-1"; "MQTT-3.10.4-3" "MQTT-4.3.2-1" "MQTT-4.3.3-1"]
        v5 [
            "MQTT-4.4.0-1"; "MQTT-3.10.4-3" "MQTT-4.3.2-3" "MQTT-4.3.3-3" "MQTT-4.3.3-5" "MQTT-4.3.3-7" "MQTT-4.8.2-4"
        ]
        platform ["P-SES-6" "X-15"];
    IdentifierIsFree "identifier-is-free" "a new delivery takes an identifier that is not in use"
        v31 [] v311 ["MQTT-2.3.1-4" "MQTT-4.3.2-1"; "MQTT-4.3.3-1"]
        v5 ["MQTT-2.2.1-4" "MQTT-4.3.2-1"; "MQTT-4.3.2-3" "MQTT-4.3.3-1" "MQTT-4.3.3-3" "MQTT-4.3.3-5"];
    ReceiveMaximumIsObeyed "receive-maximum-is-obeyed" "no more deliveries are open than the client's Receive Maximum"
        v31 [] v311 [] v5 ["MQTT-3.3.4-9" "MQTT-4.9.0-2"; "MQTT-4.9.0-1"]
        platform ["P-V5-3" "P-V5-4" "P-SES-8" "X-18"];
    MaximumPacketSizeIsObeyed "maximum-packet-size-is-obeyed" "no packet is larger than the client's Maximum Packet Size"
        v31 [] v311 [] v5 ["MQTT-3.1.2-24"]
        platform ["P-V5-1"];
    TopicAliasIsWithinMaximum "topic-alias-is-within-maximum" "the server uses no Topic Alias above the client's maximum, and none before it has set it"
        v31 [] v311 [] v5 ["MQTT-3.1.2-26" "MQTT-3.1.2-27" "MQTT-3.3.2-11"; "MQTT-3.3.2-7"]
        platform ["P-V5-15" "P-V5-16" "X-36"];
    OrderIsKept "order-is-kept" "messages of one publisher, topic and QoS arrive in their order"
        v31 [] v311 ["MQTT-4.6.0-6"; "MQTT-4.6.0-5"] v5 ["MQTT-4.6.0-5"; "MQTT-4.6.0-6"]
        platform ["X-17"];
    DeliveryIsPermitted "delivery-is-permitted" "a device gets nothing but its own topics, and those that are pushed to it"
        v31 [] v311 [] v5 []
        platform ["P-TOP-6" "P-TOP-18" "P-REG-4" "P-REG-5" "X-22"];
    RegistrationIsAnswered "registration-is-answered" "who registers rightly is sent a secret or a token"
        v31 [] v311 [] v5 []
        platform ["P-REG-4" "P-REG-5"];
    // synchronous calls
    RrpcRequestFits "rrpc-request-fits" "the request of a call has the call's topic, QoS 0 or 1, and comes once on a connection"
        v31 [] v311 [] v5 []
        platform ["P-RPC-2" "P-RPC-3" "P-RPC-4" "P-RPC-5" "X-42"];
    RrpcRequestIsSent "rrpc-request-is-sent" "a call reaches the device that has asked for it and is connected"
        v31 [] v311 [] v5 []
        platform ["P-RPC-1" "P-RPC-6" "P-CID-10" "X-46"];
    RrpcAnswerIsTheDevices "rrpc-answer-is-the-devices" "SUCCESS brings the first answer of the called device that came in time"
        v31 [] v311 [] v5 []
        platform ["P-RPC-1" "P-RPC-7" "P-RPC-14" "X-43" "X-44" "X-45"];
    RrpcTimeoutIsDue "rrpc-timeout-is-due" "TIMEOUT comes when the time of a call is over, not before"
        v31 [] v311 [] v5 []
        platform ["P-RPC-9" "P-RPC-11"];
    RrpcOfflineIsTrue "rrpc-offline-is-true" "OFFLINE and HALFCONN tell of a device without connection, and TIMEOUT of one that had some"
        v31 [] v311 [] v5 []
        platform ["P-RPC-11" "P-RPC-12" "X-47"];
    RrpcCallEnds "rrpc-call-ends" "a call ends once, and when its time is over at the latest"
        v31 [] v311 [] v5 []
        platform ["P-RPC-9" "P-RPC-11" "X-44"];
    // the API of the cloud side
    ApiRequestIsAnswered "api-request-is-answered" "a request to the API is answered, once"
        v31 [] v311 [] v5 []
        platform ["P-API-2" "P-RPC-10"];
    ApiRequestIsChecked "api-request-is-checked" "a request to the API that is not in order is refused by name, and has no effect"
        v31 [] v311 [] v5 []
        platform ["P-API-9" "P-RPC-9" "P-API-4"];
    ApiRequestIsServed "api-request-is-served" "a request to the API that is in order is served"
        v31 [] v311 [] v5 []
        platform ["P-API-1" "P-API-3" "P-API-6" "P-API-7" "P-API-8" "P-QOS-7" "P-RPC-8"];
    AmqpMessageIsTheDevices "amqp-message-is-the-devices" "a message over AMQP is one that a device has published, as it was"
        v31 [] v311 [] v5 []
        platform ["P-AMQ-6" "P-AMQ-7" "P-V5-13" "P-V5-14"];
    AmqpMessageArrives "amqp-message-arrives" "a message of a device reaches the business server that listens"
        v31 [] v311 [] v5 []
        platform ["P-AMQ-7" "P-AMQ-8" "P-V5-13"];
    DeviceLogIsKept "device-log-is-kept" "the log of a device holds what it has published, with its User Properties"
        v31 [] v311 [] v5 []
        platform ["P-LOG-2" "P-LOG-6" "P-V5-10"];
    // time
    KeepAliveCloses "keep-alive-closes" "a client that is silent for 1.5 times its Keep Alive is disconnected"
        v31 [] v311 ["MQTT-3.1.2-24"] v5 ["MQTT-3.1.2-22"; "MQTT-3.2.2-22"]
        platform ["P-KA-3" "P-KA-4" "P-KA-8"];
    // bytes
    ExplanationFits "explanation-fits" "Reason String and User Property are left out where they would make an answer too large for the client"
        v31 [] v311 []
        v5 [
            "MQTT-3.2.2-19" "MQTT-3.2.2-20" "MQTT-3.4.2-2" "MQTT-3.4.2-3" "MQTT-3.5.2-2" "MQTT-3.5.2-3" "MQTT-3.6.2-2"
            "MQTT-3.6.2-3" "MQTT-3.7.2-2" "MQTT-3.7.2-3" "MQTT-3.9.2-1" "MQTT-3.9.2-2" "MQTT-3.11.2-1" "MQTT-3.11.2-2"
            "MQTT-3.14.2-3" "MQTT-3.14.2-4" "MQTT-3.15.2-2" "MQTT-3.15.2-3"
        ];
    ProblemInformationOnRequest "problem-information-on-request" "a client that does not want it gets no Reason String and no User Property in acknowledgements"
        v31 [] v311 [] v5 ["MQTT-3.1.2-29"];
    UnusedBitsAreZero "unused-bits-are-zero" "bits that 3.1 does not use are 0"
        v31 ["V31-6" "V31-10"] v311 [] v5 [];
    PacketIsWellFormed "packet-is-well-formed" "what the server sends is a well-formed packet"
        v31 [] v311 [] v5 [];
}

impl Rule {
    /// What the rule stands for in this dialect and version: statements, and the rows that the dialect is held to.
    #[must_use]
    pub fn cites(self, profile: &Profile, version: ProtocolVersion) -> Vec<&'static str> {
        let rows = self.rows().iter().filter(|row| profile.is_held_to(row, version));
        self.statements(version).iter().chain(rows).copied().collect()
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A fault planted in the model, to show that a property can fail. Only the checker ever sets one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SeededBug {
    /// Unacknowledged deliveries are forgotten when the connection breaks.
    ForgetsUnacknowledged,
    /// Every delivery takes the lowest identifier, in use or not.
    ReusesIdentifiers,
    /// The client's Receive Maximum is ignored.
    IgnoresReceiveMaximum,
    /// Session Present is always 0.
    DeniesSession,
    /// UNSUBSCRIBE is answered and has no effect.
    KeepsSubscription,
    /// A repeated delivery has DUP 0.
    RepeatsWithoutDup,
    /// A connection that was taken over stays open.
    KeepsOlderConnection,
    /// What comes for a client without connection is dropped.
    DropsWhileDisconnected,
    /// Everything is delivered at QoS 0.
    LowersQos,
    /// Messages of one lane overtake each other.
    Reorders,
    /// A QoS 2 message that comes again before its PUBREL is taken for a new one.
    TakesTwice,
    /// PUBREL does not free the identifier of a QoS 2 message.
    NeverFreesIncoming,
    /// A delivery of QoS 2 counts against Receive Maximum until PUBREC only.
    CountsUntilPubrec,
    /// No Local is ignored.
    IgnoresNoLocal,
    /// Retained messages are sent whatever Retain Handling says.
    IgnoresRetainHandling,
    /// A Will is published although its client has come back in time.
    PublishesWillAfterReturn,
    /// A Will is published in a dialect without Wills.
    PublishesForbiddenWill,
    /// Expired messages are delivered.
    DeliversExpired,
    /// A Will is not published.
    ForgetsWills,
    /// A new subscription gets nothing of what is retained.
    WithholdsRetained,
    /// A message for a group goes to every member.
    SendsToEveryMember,
    /// Topic Aliases are forgotten at once.
    ForgetsAliases,
    /// A call without answer never ends.
    ForgetsCalls,
    /// A call ends more than once.
    EndsCallsTwice,
    /// The answer of a device to a call is ignored.
    IgnoresAnswers,
    /// A call times out before its time is over.
    TimesOutEarly,
}

impl SeededBug {
    /// Every bug with its name on the command line.
    pub const ALL: [(SeededBug, &'static str); 26] = [
        (SeededBug::ForgetsUnacknowledged, "forgets-unacknowledged"),
        (SeededBug::ReusesIdentifiers, "reuses-identifiers"),
        (SeededBug::IgnoresReceiveMaximum, "ignores-receive-maximum"),
        (SeededBug::DeniesSession, "denies-session"),
        (SeededBug::KeepsSubscription, "keeps-subscription"),
        (SeededBug::RepeatsWithoutDup, "repeats-without-dup"),
        (SeededBug::KeepsOlderConnection, "keeps-older-connection"),
        (SeededBug::DropsWhileDisconnected, "drops-while-disconnected"),
        (SeededBug::LowersQos, "lowers-qos"),
        (SeededBug::Reorders, "reorders"),
        (SeededBug::TakesTwice, "takes-twice"),
        (SeededBug::NeverFreesIncoming, "never-frees-incoming"),
        (SeededBug::CountsUntilPubrec, "counts-until-pubrec"),
        (SeededBug::IgnoresNoLocal, "ignores-no-local"),
        (SeededBug::IgnoresRetainHandling, "ignores-retain-handling"),
        (SeededBug::PublishesWillAfterReturn, "publishes-will-after-return"),
        (SeededBug::PublishesForbiddenWill, "publishes-forbidden-will"),
        (SeededBug::DeliversExpired, "delivers-expired"),
        (SeededBug::ForgetsWills, "forgets-wills"),
        (SeededBug::WithholdsRetained, "withholds-retained"),
        (SeededBug::SendsToEveryMember, "sends-to-every-member"),
        (SeededBug::ForgetsAliases, "forgets-aliases"),
        (SeededBug::ForgetsCalls, "forgets-calls"),
        (SeededBug::EndsCallsTwice, "ends-calls-twice"),
        (SeededBug::IgnoresAnswers, "ignores-answers"),
        (SeededBug::TimesOutEarly, "times-out-early"),
    ];

    /// The bug of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<SeededBug> {
        SeededBug::ALL.iter().find(|(_, known)| *known == name).map(|(bug, _)| *bug)
    }
}

/// What every rule may look at beside the state.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The dialect.
    pub profile: &'a Profile,
    /// What the tokens stand for.
    pub vocabulary: &'a Vocabulary,
    /// A planted fault, in the checker only.
    pub bug: Option<SeededBug>,
}

impl Context<'_> {
    /// Whether this fault is planted.
    pub(crate) fn has_bug(&self, bug: SeededBug) -> bool {
        self.bug == Some(bug)
    }
}
