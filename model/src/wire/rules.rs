//! What can be wrong with bytes: every rule that a refusal can name, with its fault and its statements.
//!
//! A rule names the statement that the sender broke. Some rules are numbered only as a duty of the receiver ("the
//! Server treats it as malformed"); then that number stands here. A rule without number has an empty list. 3.1 numbers
//! nothing: its column holds our `V31-n` where one fits.

use super::refusal::Fault;
use super::sender::Sender;
use crate::packet::{PacketType, ProtocolVersion};

/// A rule of the format.
#[derive(Debug)]
pub(super) struct Rule {
    /// Its name in this table.
    pub(super) name: &'static str,
    /// How breaking it is classed.
    pub(super) fault: Fault,
    v3_1: &'static [&'static str],
    v3_1_1: &'static [&'static str],
    v5_0: &'static [&'static str],
    /// For rules that can be broken before CONNECT has named a version.
    unversioned: &'static [&'static str],
}

impl Rule {
    /// The statements at stake when `sender` breaks the rule in a packet of this type.
    pub(super) fn statements(
        &self,
        sender: Sender,
        packet: Option<PacketType>,
        version: Option<ProtocolVersion>,
    ) -> &'static [&'static str] {
        let own = match version {
            None => self.unversioned,
            Some(ProtocolVersion::V3_1) => self.v3_1,
            Some(ProtocolVersion::V3_1_1) => self.v3_1_1,
            Some(ProtocolVersion::V5_0) => self.v5_0,
        };
        // A CONNECT that breaks a rule without number still breaks this one: the Server checks it against its format.
        let unnumbered_connect = own.is_empty() && sender == Sender::Client && packet == Some(PacketType::Connect);
        if unnumbered_connect && version != Some(ProtocolVersion::V3_1) {
            return UNNUMBERED_IN_CONNECT;
        }
        own
    }
}

const UNNUMBERED_IN_CONNECT: &[&str] = &["MQTT-3.1.4-1"];

/// The statements of `version` that the rules cite, by the name of the rule.
pub(crate) fn statements_of_format(version: ProtocolVersion) -> Vec<(&'static str, &'static [&'static str])> {
    let named = ALL.iter().map(|rule| {
        let own = match version {
            ProtocolVersion::V3_1 => rule.v3_1,
            ProtocolVersion::V3_1_1 => rule.v3_1_1,
            ProtocolVersion::V5_0 => rule.v5_0,
        };
        (rule.name, own)
    });
    let connect = (version != ProtocolVersion::V3_1).then_some(("UNNUMBERED_IN_CONNECT", UNNUMBERED_IN_CONNECT));
    named.chain(connect).collect()
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident $fault:ident [$($v3_1:literal)*] [$($v3_1_1:literal)*] [$($v5_0:literal)*]
        $(before $unversioned:literal)?;)*) => {
        $($(#[$doc])* pub(super) const $name: Rule = Rule {
            name: stringify!($name),
            fault: Fault::$fault,
            v3_1: &[$($v3_1,)*],
            v3_1_1: &[$($v3_1_1,)*],
            v5_0: &[$($v5_0,)*],
            unversioned: &[$($unversioned,)?],
        };)*

        const ALL: &[Rule] = &[$($name,)*];
    };
}

// Columns: fault, statements of 3.1, of 3.1.1, of 5.0, and those named as long as the version is unknown.
rules! {
    // Fixed header
    RESERVED_PACKET_TYPE MalformedPacket [] [] [];
    NOT_IN_THIS_VERSION MalformedPacket [] [] [];
    WRONG_SENDER ProtocolError [] [] [];
    FIRST_PACKET FirstPacketNotConnect [] ["MQTT-3.1.0-1"] ["MQTT-3.1.0-1"] before "MQTT-3.1.0-1";
    PACKET_TOO_LARGE_FROM_CLIENT PacketTooLarge [] [] ["MQTT-3.2.2-15"];
    PACKET_TOO_LARGE_FROM_SERVER PacketTooLarge [] [] ["MQTT-3.1.2-24"];
    FLAGS MalformedPacket [] ["MQTT-2.2.2-1" "MQTT-2.2.2-2"] ["MQTT-2.1.3-1"];
    FLAGS_OF_PUBREL MalformedPacket [] ["MQTT-2.2.2-1" "MQTT-2.2.2-2" "MQTT-3.6.1-1"] ["MQTT-2.1.3-1" "MQTT-3.6.1-1"];
    FLAGS_OF_SUBSCRIBE MalformedPacket
        [] ["MQTT-2.2.2-1" "MQTT-2.2.2-2" "MQTT-3.8.1-1"] ["MQTT-2.1.3-1" "MQTT-3.8.1-1"];
    FLAGS_OF_UNSUBSCRIBE MalformedPacket
        [] ["MQTT-2.2.2-1" "MQTT-2.2.2-2" "MQTT-3.10.1-1"] ["MQTT-2.1.3-1" "MQTT-3.10.1-1"];
    FLAGS_OF_DISCONNECT MalformedPacket
        [] ["MQTT-2.2.2-1" "MQTT-2.2.2-2" "MQTT-3.14.1-1"] ["MQTT-2.1.3-1" "MQTT-3.14.1-1"];
    FLAGS_OF_AUTH MalformedPacket [] [] ["MQTT-2.1.3-1" "MQTT-3.15.1-1"];
    QOS_BITS MalformedPacket [] ["MQTT-3.3.1-4"] ["MQTT-3.3.1-4"];
    DUP_AT_QOS_0 MalformedPacket [] ["MQTT-3.3.1-2"] ["MQTT-3.3.1-2"];

    // Shape and data types
    TRUNCATED MalformedPacket [] [] [];
    TRAILING MalformedPacket [] [] [];
    MINIMAL_INTEGER MalformedPacket [] [] ["MQTT-1.5.5-1"];
    LONG_INTEGER MalformedPacket [] [] [];
    ILL_FORMED_UTF8 MalformedPacket [] ["MQTT-1.5.3-1"] ["MQTT-1.5.4-1"];
    ILL_FORMED_CLIENT_ID MalformedPacket [] ["MQTT-1.5.3-1" "MQTT-3.1.3-4"] ["MQTT-1.5.4-1" "MQTT-3.1.3-4"];
    ILL_FORMED_WILL_TOPIC MalformedPacket [] ["MQTT-1.5.3-1" "MQTT-3.1.3-10"] ["MQTT-1.5.4-1" "MQTT-3.1.3-11"];
    ILL_FORMED_USER_NAME MalformedPacket [] ["MQTT-1.5.3-1" "MQTT-3.1.3-11"] ["MQTT-1.5.4-1" "MQTT-3.1.3-12"];
    ILL_FORMED_TOPIC_NAME MalformedPacket [] ["MQTT-1.5.3-1" "MQTT-3.3.2-1"] ["MQTT-1.5.4-1" "MQTT-3.3.2-1"];
    ILL_FORMED_SUBSCRIBE_FILTER MalformedPacket [] ["MQTT-1.5.3-1" "MQTT-3.8.3-1"] ["MQTT-1.5.4-1" "MQTT-3.8.3-1"];
    ILL_FORMED_UNSUBSCRIBE_FILTER MalformedPacket [] ["MQTT-1.5.3-1" "MQTT-3.10.3-1"] ["MQTT-1.5.4-1" "MQTT-3.10.3-1"];
    ILL_FORMED_RESPONSE_TOPIC MalformedPacket [] [] ["MQTT-1.5.4-1" "MQTT-3.3.2-13"];
    ILL_FORMED_CONTENT_TYPE MalformedPacket [] [] ["MQTT-1.5.4-1" "MQTT-3.3.2-19"];
    ILL_FORMED_USER_PROPERTY MalformedPacket [] [] ["MQTT-1.5.4-1" "MQTT-1.5.7-1"];
    NULL_CHARACTER MalformedPacket [] ["MQTT-1.5.3-2"] ["MQTT-1.5.4-2"];
    NULL_IN_TOPIC MalformedPacket ["V31-19"] ["MQTT-1.5.3-2" "MQTT-4.7.3-2"] ["MQTT-1.5.4-2" "MQTT-4.7.3-2"];
    NULL_IN_USER_PROPERTY MalformedPacket [] [] ["MQTT-1.5.4-2" "MQTT-1.5.7-1"];

    // Packet Identifiers
    ID_OF_CLIENT_REQUEST MalformedPacket [] ["MQTT-2.3.1-1"] ["MQTT-2.2.1-3"];
    ID_OF_SERVER_PUBLISH MalformedPacket [] ["MQTT-2.3.1-1"] ["MQTT-2.2.1-4"];
    ID_OF_ACKNOWLEDGEMENT MalformedPacket [] ["MQTT-2.3.1-6"] ["MQTT-2.2.1-5"];
    // 3.1.1 leaves PUBCOMP out of its numbered list of packets that repeat the identifier.
    ID_OF_PUBCOMP MalformedPacket [] [] ["MQTT-2.2.1-5"];
    ID_OF_ANSWER MalformedPacket [] ["MQTT-2.3.1-7"] ["MQTT-2.2.1-6"];

    // Properties
    PROPERTY_LENGTH_MISSING MalformedPacket [] [] ["MQTT-2.2.2-1"];
    PROPERTY_LENGTH MalformedPacket [] [] [];
    PROPERTY_UNKNOWN MalformedPacket [] [] [];
    PROPERTY_FOREIGN MalformedPacket [] [] [];
    PROPERTY_REPEATED ProtocolError [] [] [];
    PROPERTY_VALUE ProtocolError [] [] [];
    TOPIC_ALIAS_0 TopicAliasInvalid [] [] ["MQTT-3.3.2-8"];
    SUBSCRIPTION_IDENTIFIER_FROM_CLIENT ProtocolError [] [] ["MQTT-3.3.4-6"];
    SESSION_EXPIRY_FROM_SERVER ProtocolError [] [] ["MQTT-3.14.2-2"];
    AUTHENTICATION_METHOD_MISSING ProtocolError [] [] [];

    // CONNECT
    PROTOCOL_NAME InvalidProtocolName ["V31-1" "V31-3"] ["MQTT-3.1.2-1"] ["MQTT-3.1.2-1"] before "MQTT-3.1.2-1";
    PROTOCOL_LEVEL UnsupportedProtocolVersion [] ["MQTT-3.1.2-2"] ["MQTT-3.1.2-2"] before "MQTT-3.1.2-2";
    LEVEL_OF_MQISDP UnsupportedProtocolVersion ["V31-2" "V31-3"] [] [] before "V31-3";
    CONNECT_FLAG_0 MalformedPacket [] ["MQTT-3.1.2-3"] ["MQTT-3.1.2-3"];
    WILL_QOS_3 MalformedPacket [] ["MQTT-3.1.2-14"] ["MQTT-3.1.2-12"];
    WILL_QOS_WITHOUT_WILL MalformedPacket [] ["MQTT-3.1.2-11" "MQTT-3.1.2-13"] ["MQTT-3.1.2-11"];
    WILL_RETAIN_WITHOUT_WILL MalformedPacket [] ["MQTT-3.1.2-11" "MQTT-3.1.2-15"] ["MQTT-3.1.2-13"];
    PASSWORD_WITHOUT_USER_NAME MalformedPacket [] ["MQTT-3.1.2-22"] [];
    CLIENT_ID_MISSING MalformedPacket [] ["MQTT-3.1.3-3"] ["MQTT-3.1.3-3"];
    WILL_MISSING MalformedPacket [] ["MQTT-3.1.2-9"] ["MQTT-3.1.2-9"];
    USER_NAME_MISSING MalformedPacket [] ["MQTT-3.1.2-19"] ["MQTT-3.1.2-17"];
    PASSWORD_MISSING MalformedPacket [] ["MQTT-3.1.2-21"] ["MQTT-3.1.2-19"];

    // CONNACK
    CONNACK_FLAGS MalformedPacket [] [] ["MQTT-3.2.2-1"];
    SESSION_PRESENT_AT_FAILURE ProtocolError [] ["MQTT-3.2.2-4"] ["MQTT-3.2.2-6"];
    CONNECT_RETURN_CODE MalformedPacket ["V31-7"] ["MQTT-3.2.2-6"] [];

    // PUBLISH
    TOPIC_NAME_MISSING MalformedPacket [] ["MQTT-3.3.2-1"] ["MQTT-3.3.2-1"];
    TOPIC_NAME_EMPTY ProtocolError [] ["MQTT-4.7.3-1"] ["MQTT-4.7.3-1"];

    // SUBSCRIBE and UNSUBSCRIBE
    NO_SUBSCRIPTION ProtocolError [] ["MQTT-3.8.3-3"] ["MQTT-3.8.3-2"];
    OPTIONS_MISSING MalformedPacket [] ["MQTT-3.8.3-3"] ["MQTT-3.8.3-2"];
    REQUESTED_QOS MalformedPacket ["V31-23"] ["MQTT-3.8.3-4"] [];
    OPTION_RESERVED_BITS MalformedPacket [] [] ["MQTT-3.8.3-5"];
    OPTION_VALUE ProtocolError [] [] [];
    NO_FILTER ProtocolError [] ["MQTT-3.10.3-2"] ["MQTT-3.10.3-2"];

    // SUBACK and UNSUBACK
    NO_GRANT ProtocolError [] ["MQTT-3.8.4-5"] ["MQTT-3.8.4-6"];
    NO_UNSUBACK_CODE ProtocolError [] [] ["MQTT-3.11.3-1"];
    GRANTED_QOS MalformedPacket ["V31-14"] ["MQTT-3.9.3-2"] [];

    // Reason Codes of 5.0
    CONNACK_CODE ProtocolError [] [] ["MQTT-3.2.2-8"];
    PUBACK_CODE ProtocolError [] [] ["MQTT-3.4.2-1"];
    PUBREC_CODE ProtocolError [] [] ["MQTT-3.5.2-1"];
    PUBREL_CODE ProtocolError [] [] ["MQTT-3.6.2-1"];
    PUBCOMP_CODE ProtocolError [] [] ["MQTT-3.7.2-1"];
    SUBACK_CODE ProtocolError [] [] ["MQTT-3.9.3-2"];
    UNSUBACK_CODE ProtocolError [] [] ["MQTT-3.11.3-2"];
    DISCONNECT_CODE ProtocolError [] [] ["MQTT-3.14.2-1"];
    AUTH_CODE ProtocolError [] [] ["MQTT-3.15.2-1"];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::catalogue;
    use std::collections::BTreeSet;

    /// What a version numbers itself.
    fn numbered(version: ProtocolVersion) -> BTreeSet<&'static str> {
        catalogue().of_version(version).map(|statement| statement.id.as_str()).collect()
    }

    #[test]
    fn every_statement_exists_in_the_version_that_names_it() {
        let [v3_1, v3_1_1, v5_0] = ProtocolVersion::ALL.map(numbered);
        let shared: BTreeSet<_> = v3_1_1.intersection(&v5_0).chain(&v3_1).copied().collect();
        assert!(shared.contains("MQTT-3.1.4-1"), "the statement that any CONNECT may break");
        for rule in ALL {
            for (named, known, version) in [
                (rule.v3_1, &v3_1, "3.1"),
                (rule.v3_1_1, &v3_1_1, "3.1.1"),
                (rule.v5_0, &v5_0, "5.0"),
                (rule.unversioned, &shared, "all versions"),
            ] {
                for id in named {
                    assert!(known.contains(id), "{} names {id}, which is not in {version}", rule.name);
                }
            }
        }
    }
}
