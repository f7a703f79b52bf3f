//! Occasions on which a server can break a statement in a way that the judge sees.

use model::packet::ProtocolVersion;

macro_rules! occasions {
    ($($(#[$doc:meta])* $occasion:ident
        v31 [$($v31:literal)*] v311 [$($v311:literal)*] v5 [$($v5:literal)*];)*) => {
        /// Something in a trace that puts a server to the test. Each stands with the statements that the judge holds the
        /// server to on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Occasion { $($(#[$doc])* $occasion,)* }

        impl Occasion {
            /// Every occasion.
            pub const ALL: &'static [Occasion] = &[$(Occasion::$occasion,)*];

            /// The statements of `version` that are put to the test. None of 3.1.1 for 3.1: there only what 3.1 says itself
            /// is an obligation.
            #[must_use]
            pub fn statements(self, version: ProtocolVersion) -> &'static [&'static str] {
                match (self, version) {
                    $(
                        (Occasion::$occasion, ProtocolVersion::V3_1) => &[$($v31),*],
                        (Occasion::$occasion, ProtocolVersion::V3_1_1) => &[$($v311),*],
                        (Occasion::$occasion, ProtocolVersion::V5_0) => &[$($v5),*],
                    )*
                }
            }
        }
    };
}

occasions! {
    /// The server sends any packet.
    Packet v31 [] v311 ["MQTT-2.2.2-1"] v5 ["MQTT-2.1.3-1" "MQTT-1.5.5-1"];
    /// The server sends a packet with a text in it.
    Text v31 [] v311 ["MQTT-1.5.3-1" "MQTT-1.5.3-2"] v5 ["MQTT-1.5.4-1" "MQTT-1.5.4-2"];
    /// The client's bytes are no packet, and the connection has an end. What they break beside, the refusal tells.
    MalformedPacket v31 [] v311 ["MQTT-4.8.0-1"] v5 ["MQTT-4.13.1-1"];

    /// CONNACK accepts.
    Accepted
        v31 [] v311 ["MQTT-3.2.0-1" "MQTT-3.1.4-4"] v5 ["MQTT-3.2.0-1" "MQTT-3.1.4-5" "MQTT-3.2.2-1" "MQTT-3.2.2-8"];
    /// The server goes on after CONNACK.
    PacketAfterConnack v31 [] v311 [] v5 ["MQTT-3.2.0-2"];
    /// CONNACK accepts a clean start.
    AcceptedClean v31 [] v311 ["MQTT-3.2.2-1"] v5 ["MQTT-3.2.2-2"];
    /// CONNACK has Session Present 1.
    SessionPresent v31 [] v311 ["MQTT-3.2.2-2"] v5 ["MQTT-3.2.2-3"];
    /// CONNACK has Session Present 0, though the client would have gone on with a session.
    SessionAbsent v31 [] v311 ["MQTT-3.2.2-3"] v5 ["MQTT-3.2.2-3"];
    /// CONNACK refuses, and the server closes.
    Refused v31 ["V31-7"] v311 ["MQTT-3.2.2-4" "MQTT-3.2.2-5"] v5 ["MQTT-3.2.2-6" "MQTT-3.2.2-7" "MQTT-3.2.2-8"];
    /// An empty client identifier is accepted.
    EmptyIdentifier v31 [] v311 [] v5 ["MQTT-3.2.2-16" "MQTT-3.1.3-7"];
    /// CONNACK comes to a client that wants no Response Information.
    NoResponseInformation v31 [] v311 [] v5 ["MQTT-3.1.2-28"];
    /// CONNACK comes to a client without Authentication Method.
    NoAuthenticationMethod v31 [] v311 [] v5 ["MQTT-4.12.0-6"];
    /// A connection is closed when its client identifier connects again.
    TakenOver v31 ["V31-13"] v311 ["MQTT-3.1.4-2"] v5 ["MQTT-3.1.4-3"];
    /// A second CONNECT on a connection, which ends.
    SecondConnect v31 [] v311 ["MQTT-3.1.0-2"] v5 ["MQTT-3.1.0-2"];
    /// A client is silent for more than its Keep Alive, and the server closes.
    Silence v31 [] v311 ["MQTT-3.1.2-24"] v5 ["MQTT-3.1.2-22"];
    /// The server sends DISCONNECT, and closes.
    Disconnect v31 [] v311 [] v5 ["MQTT-3.14.2-1" "MQTT-3.14.2-2" "MQTT-3.14.4-1" "MQTT-3.14.4-2"];
    /// AUTH.
    Auth v31 [] v311 [] v5 ["MQTT-4.12.0-2" "MQTT-4.12.0-5" "MQTT-3.15.2-1"];

    /// SUBACK.
    Suback
        v31 ["V31-14"] v311 ["MQTT-3.8.4-1" "MQTT-3.8.4-2" "MQTT-2.3.1-7" "MQTT-3.9.3-2"]
        v5 ["MQTT-3.8.4-1" "MQTT-3.8.4-2" "MQTT-2.2.1-6" "MQTT-3.8.4-7" "MQTT-3.9.3-2"];
    /// SUBACK for several filters.
    SubackForSeveral v31 [] v311 ["MQTT-3.8.4-5"] v5 ["MQTT-3.8.4-6"];
    /// UNSUBACK.
    Unsuback
        v31 [] v311 ["MQTT-3.10.4-4" "MQTT-2.3.1-7"]
        v5 ["MQTT-3.10.4-4" "MQTT-3.10.4-5" "MQTT-2.2.1-6" "MQTT-3.11.3-2"];
    /// PUBACK.
    Puback
        v31 [] v311 ["MQTT-3.3.4-1" "MQTT-4.3.2-2" "MQTT-2.3.1-6"]
        v5 ["MQTT-3.3.4-1" "MQTT-4.3.2-4" "MQTT-2.2.1-5" "MQTT-3.4.2-1"];
    /// PUBREC.
    Pubrec
        v31 [] v311 ["MQTT-3.3.4-1" "MQTT-2.3.1-6"]
        v5 ["MQTT-3.3.4-1" "MQTT-4.3.3-8" "MQTT-2.2.1-5" "MQTT-3.5.2-1"];
    /// PUBREL.
    Pubrel v31 [] v311 ["MQTT-2.3.1-6"] v5 ["MQTT-4.3.3-4" "MQTT-2.2.1-5" "MQTT-3.6.2-1"];
    /// PUBCOMP.
    Pubcomp v31 [] v311 ["MQTT-4.3.3-2"] v5 ["MQTT-4.3.3-11" "MQTT-2.2.1-5" "MQTT-3.7.2-1"];
    /// PINGRESP.
    Pingresp v31 [] v311 ["MQTT-3.12.4-1"] v5 ["MQTT-3.12.4-1"];
    /// An acknowledgement comes to a client that wants no explanations.
    NoProblemInformation v31 [] v311 [] v5 ["MQTT-3.1.2-29"];

    /// A message is delivered.
    Delivery
        v31 [] v311 ["MQTT-3.3.2-1" "MQTT-3.3.2-3" "MQTT-3.3.1-4" "MQTT-3.8.4-6" "MQTT-4.5.0-1"]
        v5 ["MQTT-3.3.2-1" "MQTT-3.3.2-3" "MQTT-3.3.1-4" "MQTT-3.8.4-8" "MQTT-4.5.0-1"];
    /// One at QoS 0.
    DeliveryAtQos0 v31 [] v311 ["MQTT-3.3.1-2"] v5 ["MQTT-3.3.1-2"];
    /// One at QoS 1 for the first time.
    FirstDeliveryAtQos1
        v31 [] v311 ["MQTT-3.3.1-3" "MQTT-2.3.1-1"] v5 ["MQTT-3.3.1-3" "MQTT-4.3.2-2" "MQTT-2.2.1-4"];
    /// One at QoS 2 for the first time.
    FirstDeliveryAtQos2
        v31 [] v311 ["MQTT-3.3.1-3" "MQTT-2.3.1-1"] v5 ["MQTT-3.3.1-3" "MQTT-4.3.3-2" "MQTT-2.2.1-4"];
    /// One with DUP.
    RepeatedDelivery v31 ["V31-18"] v311 ["MQTT-3.3.1-1" "MQTT-4.4.0-1"] v5 ["MQTT-3.3.1-1" "MQTT-4.4.0-1"];
    /// One at QoS 1, while another one waits for its acknowledgement.
    SecondOpenDelivery v31 [] v311 ["MQTT-2.3.1-4" "MQTT-4.3.2-1"] v5 ["MQTT-2.2.1-4" "MQTT-4.3.2-1"];
    /// Two at the same QoS of the same topic.
    SecondOfATopic v31 [] v311 ["MQTT-4.6.0-6"] v5 ["MQTT-4.6.0-5"];
    /// As many wait for their acknowledgements as the client takes at once.
    FullWindow v31 [] v311 [] v5 ["MQTT-3.3.4-9" "MQTT-4.9.0-2"];
    /// One with RETAIN 1 to a client that does not want RETAIN as published.
    RetainedDelivery v31 [] v311 ["MQTT-3.3.1-8"] v5 ["MQTT-3.3.1-9"];
    /// One with RETAIN 0, published with RETAIN 1, to a client that does not want it as published.
    LiveDelivery v31 [] v311 ["MQTT-3.3.1-9"] v5 ["MQTT-3.3.1-12"];
    /// One with a Subscription Identifier.
    SubscriptionIdentifier v31 [] v311 [] v5 ["MQTT-3.3.4-3"];
    /// One with several.
    SubscriptionIdentifiers v31 [] v311 [] v5 ["MQTT-3.3.4-4"];
    /// One with Payload Format Indicator.
    PayloadFormatIndicator v31 [] v311 [] v5 ["MQTT-3.3.2-4"];
    /// One with Message Expiry Interval.
    MessageExpiryInterval v31 [] v311 [] v5 ["MQTT-3.3.2-6"];
    /// One with Content Type.
    ContentType v31 [] v311 [] v5 ["MQTT-3.3.2-20"];
    /// One with Response Topic.
    ResponseTopic v31 [] v311 [] v5 ["MQTT-3.3.2-15"];
    /// One with Correlation Data.
    CorrelationData v31 [] v311 [] v5 ["MQTT-3.3.2-16"];
    /// One with User Property.
    UserProperty v31 [] v311 [] v5 ["MQTT-3.3.2-17"];
    /// One with several.
    UserProperties v31 [] v311 [] v5 ["MQTT-3.3.2-18"];
    /// One with Topic Alias.
    TopicAlias v31 [] v311 [] v5 ["MQTT-3.1.2-26" "MQTT-3.3.2-11"];
    /// One to a client that takes no Topic Alias.
    NoTopicAlias v31 [] v311 [] v5 ["MQTT-3.1.2-27"];
    /// A Will comes.
    Will v31 ["V31-12"] v311 ["MQTT-3.1.2-8"] v5 ["MQTT-3.1.2-8"];
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::citation::citations;
    use std::collections::BTreeSet;

    #[test]
    fn the_judge_holds_a_rule_on_every_statement() {
        for version in ProtocolVersion::ALL {
            let cited: BTreeSet<&str> = citations(version).into_iter().map(|citation| citation.statement).collect();
            for occasion in Occasion::ALL {
                for id in occasion.statements(version) {
                    assert!(cited.contains(id), "{occasion:?}: no rule of the model cites {id} of {version}");
                }
            }
        }
    }
}
