//! A packet in one line, as charts, reports and the explorer print it.
//!
//! `PUBLISH t/a "m1" qos1 id1 dup`: the type, then what it is about, then what is out of the ordinary. Passwords are
//! shown by their size only, for reports travel.

use super::{
    Acknowledgement, Auth, Connack, ConnackCode, Connect, ConnectReturnCode, Disconnect, Packet, Property, PropertySet,
    Publish, ReasonCode, RetainHandling, Suback, Subscribe, SubscriptionRequest, Unsuback, Unsubscribe, Will,
};
use std::fmt::{self, Display, Formatter};

/// The number of payload bytes that are shown.
const PAYLOAD_SHOWN: usize = 40;

impl Display for Packet {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.packet_type().fmt(f)?;
        match self {
            Packet::Connect(connect) => write_connect(connect, f),
            Packet::Connack(connack) => write_connack(connack, f),
            Packet::Publish(publish) => write_publish(publish, f),
            Packet::Puback(acknowledgement)
            | Packet::Pubrec(acknowledgement)
            | Packet::Pubrel(acknowledgement)
            | Packet::Pubcomp(acknowledgement) => write_acknowledgement(acknowledgement, f),
            Packet::Subscribe(subscribe) => write_subscribe(subscribe, f),
            Packet::Suback(Suback { packet_id, properties, codes })
            | Packet::Unsuback(Unsuback { packet_id, properties, codes }) => {
                write!(f, " id{packet_id}")?;
                write_codes(codes, f)?;
                write_properties(properties, f)
            }
            Packet::Unsubscribe(unsubscribe) => write_unsubscribe(unsubscribe, f),
            Packet::Pingreq | Packet::Pingresp => Ok(()),
            Packet::Disconnect(Disconnect { reason, properties }) => {
                write_failure(*reason, f)?;
                write_properties(properties, f)
            }
            Packet::Auth(Auth { reason, properties }) => {
                write!(f, " {reason}")?;
                write_properties(properties, f)
            }
        }
    }
}

fn write_connect(connect: &Connect, f: &mut Formatter<'_>) -> fmt::Result {
    let Connect { clean_start, keep_alive, properties, client_id, will, user_name, password } = connect;
    write!(f, " {}", Name(client_id))?;
    if *clean_start {
        f.write_str(" clean")?;
    }
    write!(f, " keep-alive {keep_alive}")?;
    if let Some(user_name) = user_name {
        write!(f, " user {}", Name(user_name))?;
    }
    if let Some(password) = password {
        write!(f, " password ({} bytes)", password.len())?;
    }
    if let Some(Will { topic, payload, qos, retain, properties }) = will {
        write!(f, " will [{} {} qos{qos}", Name(topic), Payload(payload))?;
        if *retain {
            f.write_str(" retain")?;
        }
        write_properties(properties, f)?;
        f.write_str("]")?;
    }
    write_properties(properties, f)
}

fn write_connack(connack: &Connack, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, " session-present {} code {}", u8::from(connack.session_present), connack.code)?;
    write_properties(&connack.properties, f)
}

fn write_publish(publish: &Publish, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, " {} ", Name(&publish.topic))?;
    match publish.topic.as_str() {
        // A device's secret or token (P-REG-4, P-REG-5).
        "/ext/register" | "/ext/regnwl" => write!(f, "({} bytes)", publish.payload.len())?,
        _ => write!(f, "{}", Payload(&publish.payload))?,
    }
    write!(f, " qos{}", publish.qos())?;
    if let Some(packet_id) = publish.packet_id() {
        write!(f, " id{packet_id}")?;
    }
    if publish.dup() {
        f.write_str(" dup")?;
    }
    if publish.retain {
        f.write_str(" retain")?;
    }
    write_properties(&publish.properties, f)
}

fn write_acknowledgement(acknowledgement: &Acknowledgement, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, " id{}", acknowledgement.packet_id)?;
    write_failure(acknowledgement.reason, f)?;
    write_properties(&acknowledgement.properties, f)
}

fn write_subscribe(subscribe: &Subscribe, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, " id{}", subscribe.packet_id)?;
    for (index, SubscriptionRequest { filter, options }) in subscribe.requests.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(f, "{comma} {} qos{}", Name(filter), options.qos)?;
        if options.no_local {
            f.write_str(" no-local")?;
        }
        if options.retain_as_published {
            f.write_str(" retain-as-published")?;
        }
        if options.retain_handling != RetainHandling::Send {
            write!(f, " retain-handling {}", options.retain_handling as u8)?;
        }
    }
    write_properties(&subscribe.properties, f)
}

fn write_unsubscribe(unsubscribe: &Unsubscribe, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, " id{}", unsubscribe.packet_id)?;
    for (index, filter) in unsubscribe.filters.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(f, "{comma} {}", Name(filter))?;
    }
    write_properties(&unsubscribe.properties, f)
}

/// A Reason Code where Success goes without saying, as it does on the wire.
fn write_failure(reason: ReasonCode, f: &mut Formatter<'_>) -> fmt::Result {
    if reason == ReasonCode::Success { Ok(()) } else { write!(f, " {reason}") }
}

/// A list of codes; nothing for the UNSUBACK of 3.x, which has none.
fn write_codes(codes: &[ReasonCode], f: &mut Formatter<'_>) -> fmt::Result {
    if codes.is_empty() {
        return Ok(());
    }
    f.write_str(" [")?;
    for (index, code) in codes.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(f, "{comma}0x{:02X}", code.value())?;
    }
    f.write_str("]")
}

fn write_properties(properties: &impl PropertySet, f: &mut Formatter<'_>) -> fmt::Result {
    let all = properties.to_properties();
    if all.is_empty() {
        return Ok(());
    }
    f.write_str(" {")?;
    for (index, property) in all.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(f, "{comma}{property}")?;
    }
    f.write_str("}")
}

impl Display for Property {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.id())?;
        match self {
            Property::PayloadFormatIndicator(value)
            | Property::RequestProblemInformation(value)
            | Property::RequestResponseInformation(value)
            | Property::RetainAvailable(value)
            | Property::WildcardSubscriptionAvailable(value)
            | Property::SubscriptionIdentifierAvailable(value)
            | Property::SharedSubscriptionAvailable(value) => u8::from(*value).fmt(f),
            Property::MaximumQos(qos) => qos.fmt(f),
            Property::ServerKeepAlive(value) | Property::TopicAliasMaximum(value) => value.fmt(f),
            Property::ReceiveMaximum(value) | Property::TopicAlias(value) => value.fmt(f),
            Property::MessageExpiryInterval(value)
            | Property::SessionExpiryInterval(value)
            | Property::WillDelayInterval(value) => value.fmt(f),
            Property::MaximumPacketSize(value) => value.fmt(f),
            Property::SubscriptionIdentifier(value) => value.value().fmt(f),
            Property::ContentType(text)
            | Property::ResponseTopic(text)
            | Property::AssignedClientIdentifier(text)
            | Property::AuthenticationMethod(text)
            | Property::ResponseInformation(text)
            | Property::ServerReference(text)
            | Property::ReasonString(text) => Name(text).fmt(f),
            Property::UserProperty((name, value)) => write!(f, "{}={}", Name(name), Name(value)),
            Property::CorrelationData(bytes) => Payload(bytes).fmt(f),
            // A secret, like a password.
            Property::AuthenticationData(bytes) => write!(f, "({} bytes)", bytes.len()),
        }
    }
}

impl Display for ConnackCode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            ConnackCode::Return(code) => code.fmt(f),
            ConnackCode::Reason(code) => code.fmt(f),
        }
    }
}

impl Display for ConnectReturnCode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = match self {
            ConnectReturnCode::Accepted => "Accepted",
            ConnectReturnCode::UnacceptableProtocolVersion => "Unacceptable protocol version",
            ConnectReturnCode::IdentifierRejected => "Identifier rejected",
            ConnectReturnCode::ServerUnavailable => "Server unavailable",
            ConnectReturnCode::BadUserNameOrPassword => "Bad user name or password",
            ConnectReturnCode::NotAuthorized => "Not authorized",
        };
        write!(f, "0x{:02X} {name}", *self as u8)
    }
}

/// A text that stands bare if it cannot be misread, else in quotes.
struct Name<'a>(&'a str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plain =
            |c: char| (c.is_ascii_graphic() && !"\",[]{}=".contains(c)) || (!c.is_ascii() && c.is_alphanumeric());
        if !self.0.is_empty() && self.0.chars().all(plain) { f.write_str(self.0) } else { write!(f, "{:?}", self.0) }
    }
}

/// Bytes as quoted text if they are text, else as hex; shortened, with their number, if there are many.
struct Payload<'a>(&'a [u8]);

impl Display for Payload<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let bytes = self.0;
        let shortened = bytes.len() > PAYLOAD_SHOWN;
        match std::str::from_utf8(bytes) {
            Ok(text) if !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) => {
                let mut end = bytes.len().min(PAYLOAD_SHOWN);
                while !text.is_char_boundary(end) {
                    end -= 1;
                }
                write!(f, "{:?}", &text[..end])?;
            }
            _ => {
                f.write_str("0x")?;
                for byte in bytes.iter().take(PAYLOAD_SHOWN) {
                    write!(f, "{byte:02x}")?;
                }
            }
        }
        if shortened { write!(f, "... ({} bytes)", bytes.len()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{
        ConnackProperties, Delivery, PacketId, PublishProperties, Qos, SubscriptionOptions, UnsubscribeProperties,
        Utf8String,
    };
    use std::num::NonZeroU16;

    fn text(text: &str) -> Utf8String {
        Utf8String::new(text).unwrap()
    }

    fn publish(topic: &str, payload: &[u8]) -> Publish {
        Publish {
            delivery: Delivery::AtMostOnce,
            retain: false,
            topic: text(topic),
            properties: PublishProperties::default(),
            payload: payload.to_vec(),
        }
    }

    #[track_caller]
    fn reads(packet: Packet, line: &str) {
        assert_eq!(packet.to_string(), line);
    }

    #[test]
    fn connect_shows_the_will_and_hides_the_password() {
        let mut connect = Connect { client_id: text("sub"), clean_start: true, keep_alive: 60, ..Connect::default() };
        reads(Packet::Connect(connect.clone()), "CONNECT sub clean keep-alive 60");
        connect.clean_start = false;
        connect.client_id = text("");
        connect.user_name = Some(text("lamp 1"));
        connect.password = Some(b"secret".to_vec());
        connect.properties.receive_maximum = NonZeroU16::new(5);
        connect.properties.user_properties = vec![(text("a"), text("b c")), (text("a"), text(""))];
        connect.will = Some(Will {
            topic: text("t/will"),
            payload: b"gone".to_vec(),
            qos: Qos::AtLeastOnce,
            retain: true,
            properties: crate::packet::WillProperties { will_delay_interval: Some(3), ..Default::default() },
        });
        reads(
            Packet::Connect(connect),
            "CONNECT \"\" keep-alive 60 user \"lamp 1\" password (6 bytes) will [t/will \"gone\" qos1 retain \
             {Will Delay Interval 3}] {Receive Maximum 5, User Property a=\"b c\", User Property a=\"\"}",
        );
    }

    #[test]
    fn connack_names_its_code() {
        let connack =
            |session_present, code| Connack { session_present, code, properties: ConnackProperties::default() };
        reads(
            Packet::Connack(connack(true, ConnackCode::Reason(ReasonCode::Success))),
            "CONNACK session-present 1 code 0x00 Success",
        );
        reads(
            Packet::Connack(connack(false, ConnackCode::Return(ConnectReturnCode::IdentifierRejected))),
            "CONNACK session-present 0 code 0x02 Identifier rejected",
        );
    }

    #[test]
    fn what_a_device_registered_for_is_not_shown() {
        let answer = publish("/ext/register", br#"{"deviceSecret":"s3cr3t"}"#);
        let shown = Packet::Publish(answer).to_string();
        assert!(shown.contains("(25 bytes)") && !shown.contains("s3cr3t"), "{shown}");
    }

    #[test]
    fn publish_shows_payloads_as_text_or_hex_and_shortens_them() {
        let mut again = publish("t/a", b"m1");
        again.delivery = Delivery::AtLeastOnce { packet_id: PacketId::FIRST, dup: true };
        reads(Packet::Publish(again), "PUBLISH t/a \"m1\" qos1 id1 dup");
        let mut retained = publish("t/a", b"");
        retained.retain = true;
        retained.properties.topic_alias = NonZeroU16::new(2);
        reads(Packet::Publish(retained), "PUBLISH t/a \"\" qos0 retain {Topic Alias 2}");
        reads(Packet::Publish(publish("t/a", &[0, 255])), "PUBLISH t/a 0x00ff qos0");
        reads(
            Packet::Publish(publish("t/a", &[b'x'; 300])),
            &format!("PUBLISH t/a \"{}\"... (300 bytes) qos0", "x".repeat(40)),
        );
        // Never in the middle of a character: 39 bytes and the first of two.
        let long = format!("{}é{}", "x".repeat(39), "x".repeat(10));
        reads(
            Packet::Publish(publish("t/a", long.as_bytes())),
            &format!("PUBLISH t/a \"{}\"... (51 bytes) qos0", "x".repeat(39)),
        );
        reads(
            Packet::Publish(publish("t/a", &[0; 41])),
            &format!("PUBLISH t/a 0x{}... (41 bytes) qos0", "00".repeat(40)),
        );
    }

    #[test]
    fn subscriptions_show_their_options() {
        let request = |filter: &str, options| SubscriptionRequest { filter: text(filter), options };
        let subscribe = Subscribe {
            packet_id: PacketId::FIRST,
            properties: Default::default(),
            requests: vec![
                request("t/a", SubscriptionOptions { qos: Qos::AtLeastOnce, ..Default::default() }),
                request(
                    "t/b",
                    SubscriptionOptions {
                        qos: Qos::AtMostOnce,
                        no_local: true,
                        retain_as_published: true,
                        retain_handling: RetainHandling::DoNotSend,
                    },
                ),
            ],
        };
        reads(
            Packet::Subscribe(subscribe),
            "SUBSCRIBE id1 t/a qos1, t/b qos0 no-local retain-as-published retain-handling 2",
        );
        let suback = Suback {
            packet_id: PacketId::FIRST,
            properties: Default::default(),
            codes: vec![ReasonCode::GrantedQos1, ReasonCode::NotAuthorized],
        };
        reads(Packet::Suback(suback), "SUBACK id1 [0x01, 0x87]");
        let unsubscribe = Unsubscribe {
            packet_id: PacketId::FIRST,
            properties: UnsubscribeProperties::default(),
            filters: vec![text("t/a"), text("+/b, c")],
        };
        reads(Packet::Unsubscribe(unsubscribe), "UNSUBSCRIBE id1 t/a, \"+/b, c\"");
        let unsuback = Unsuback { packet_id: PacketId::FIRST, properties: Default::default(), codes: Vec::new() };
        reads(Packet::Unsuback(unsuback), "UNSUBACK id1");
    }

    #[test]
    fn success_goes_without_saying() {
        let mut acknowledgement = Acknowledgement::success(PacketId::FIRST);
        reads(Packet::Puback(acknowledgement.clone()), "PUBACK id1");
        acknowledgement.reason = ReasonCode::NoMatchingSubscribers;
        acknowledgement.properties.reason_string = Some(text("nobody there"));
        reads(
            Packet::Pubrec(acknowledgement),
            "PUBREC id1 0x10 No matching subscribers {Reason String \"nobody there\"}",
        );
        reads(Packet::Pingreq, "PINGREQ");
        reads(Packet::Disconnect(Disconnect::normal()), "DISCONNECT");
        reads(
            Packet::Disconnect(Disconnect::because(ReasonCode::SessionTakenOver)),
            "DISCONNECT 0x8E Session taken over",
        );
        let auth = Auth {
            reason: ReasonCode::ContinueAuthentication,
            properties: crate::packet::AuthProperties {
                authentication_method: Some(text("SCRAM")),
                authentication_data: Some(vec![1, 2]),
                ..Default::default()
            },
        };
        reads(
            Packet::Auth(auth),
            "AUTH 0x18 Continue authentication {Authentication Method SCRAM, Authentication Data (2 bytes)}",
        );
    }
}
