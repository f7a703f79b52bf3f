//! What a server is like where the standard leaves it open, and does not change its mind.

use crate::packet::{
    Connack, ConnackProperties, Connect, Packet, PacketId, ProtocolVersion, Qos, ReasonProperties, Utf8String,
};
use crate::profile::{Feature, Profile};
use crate::server::identity::Login;
use std::collections::BTreeSet;
use std::num::{NonZeroU16, NonZeroU32};

/// What a server is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Character {
    /// It says what it must and offers what there is; its deliveries have the lowest free identifier.
    Plain,
    /// It explains itself wherever it may, announces what it offers, and never uses an identifier again.
    Talkative,
    /// It offers only what a case needs, and takes one message at a time.
    Reserved,
}

/// What a server has to go by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) profile: &'a Profile,
    /// What a case needs.
    pub(super) needs: &'a BTreeSet<Feature>,
}

impl Terms<'_> {
    /// What a CONNACK of the dialect says in any case. No rule of the model asks for it yet.
    fn announced(&self, connect: &Connect) -> ConnackProperties {
        let held_to = |row: &str| self.profile.is_held_to(row, ProtocolVersion::V5_0);
        let limits = self.profile.limits();
        let is_new = held_to("N-ACK-1");
        let has = |feature| self.profile.has_in(feature, ProtocolVersion::V5_0);
        ConnackProperties {
            maximum_packet_size: limits.maximum_packet_size.filter(|_| held_to("P-V5-2")).and_then(NonZeroU32::new),
            topic_alias_maximum: held_to("P-V5-16").then_some(limits.topic_alias_maximum),
            server_keep_alive: held_to("P-KA-9").then_some(connect.keep_alive),
            maximum_qos: (held_to("P-QOS-1") && !has(Feature::Qos2)).then_some(Qos::AtLeastOnce),
            retain_available: (held_to("P-WR-2") && !has(Feature::RetainedMessages)).then_some(false),
            subscription_identifier_available: (is_new && !has(Feature::SubscriptionIdentifiers)).then_some(false),
            session_expiry_interval: connect.properties.session_expiry_interval.filter(|_| is_new),
            ..ConnackProperties::default()
        }
    }
}

/// Identifiers that a talkative server counts down from.
const HIGHEST_ID: u16 = 0xFFF0;

impl Character {
    /// All of them.
    pub const ALL: [Character; 3] = [Character::Plain, Character::Talkative, Character::Reserved];

    /// In a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Character::Plain => "plain",
            Character::Talkative => "talkative",
            Character::Reserved => "reserved",
        }
    }

    /// The identifier of a delivery that begins, after so many others.
    pub(super) fn identifier(self, lowest: PacketId, begun: u16) -> PacketId {
        match self {
            Character::Plain | Character::Reserved => lowest,
            Character::Talkative => PacketId::new(HIGHEST_ID.saturating_sub(begun)).unwrap_or(lowest),
        }
    }

    /// What it says beside what it must, in the forms that it would like best; the packet as it is comes last.
    pub(super) fn wordings(self, packet: Packet, connect: Option<&Connect>, terms: &Terms<'_>) -> Vec<Packet> {
        if let Packet::Connack(connack) = &packet
            && connack.code.is_accepted()
            && let Some(connect) = connect
        {
            return self.greetings(connack, connect, terms);
        }
        let mut explained = packet.clone();
        match (self, explanation(&mut explained)) {
            (Character::Talkative, Some(properties)) => {
                properties.reason_string = text("because");
                properties.user_properties.extend(text("server").zip(text("talkative")));
                vec![explained, packet]
            }
            _ => vec![packet],
        }
    }

    fn greetings(self, connack: &Connack, connect: &Connect, terms: &Terms<'_>) -> Vec<Packet> {
        let greeting = |properties: ConnackProperties| Packet::Connack(Connack { properties, ..connack.clone() });
        let is_named =
            connect.client_id.is_empty() || Login::leaves_its_name(terms.profile, connect, ProtocolVersion::V5_0);
        let assigned_client_identifier = is_named.then(|| text("assigned")).flatten();
        let needs = terms.needs;
        let announced = terms.announced(connect);
        let topic_alias_maximum = announced.topic_alias_maximum.or(needs.contains(&Feature::TopicAlias).then_some(1));
        let plain = ConnackProperties { assigned_client_identifier, topic_alias_maximum, ..announced };
        let has = |feature| terms.profile.has_in(feature, ProtocolVersion::V5_0);
        let lacks = |feature| (!needs.contains(&feature)).then_some(false);
        let takes_all = has(Feature::Qos2) || plain.maximum_qos.is_some();
        let chosen = match self {
            Character::Plain => return vec![greeting(plain)],
            Character::Talkative => ConnackProperties {
                receive_maximum: NonZeroU16::new(20)
                    .filter(|_| !terms.profile.is_held_to("P-SES-7", ProtocolVersion::V5_0)),
                topic_alias_maximum: plain.topic_alias_maximum.or(Some(5)),
                maximum_qos: if takes_all { plain.maximum_qos } else { Some(Qos::AtLeastOnce) },
                retain_available: Some(has(Feature::RetainedMessages)),
                wildcard_subscription_available: Some(has(Feature::WildcardSubscriptions)),
                subscription_identifier_available: Some(has(Feature::SubscriptionIdentifiers)),
                shared_subscription_available: Some(has(Feature::SharedSubscriptions)),
                server_keep_alive: Some(connect.keep_alive),
                reason_string: text("welcome"),
                user_properties: text("server").zip(text("talkative")).into_iter().collect(),
                ..plain.clone()
            },
            Character::Reserved => ConnackProperties {
                receive_maximum: NonZeroU16::new(if needs.contains(&Feature::Pipelining) { 5 } else { 1 }),
                maximum_qos: (!needs.contains(&Feature::Qos2)).then_some(Qos::AtLeastOnce),
                retain_available: lacks(Feature::RetainedMessages),
                wildcard_subscription_available: lacks(Feature::WildcardSubscriptions),
                subscription_identifier_available: lacks(Feature::SubscriptionIdentifiers),
                shared_subscription_available: lacks(Feature::SharedSubscriptions),
                ..plain.clone()
            },
        };
        vec![greeting(chosen), greeting(plain)]
    }
}

/// Reason String and User Property of an answer.
fn explanation(packet: &mut Packet) -> Option<&mut ReasonProperties> {
    match packet {
        Packet::Puback(answer) | Packet::Pubrec(answer) | Packet::Pubrel(answer) | Packet::Pubcomp(answer) => {
            Some(&mut answer.properties)
        }
        Packet::Suback(answer) => Some(&mut answer.properties),
        Packet::Unsuback(answer) => Some(&mut answer.properties),
        _ => None,
    }
}

fn text(text: &str) -> Option<Utf8String> {
    text.try_into().ok()
}
