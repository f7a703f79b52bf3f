//! What a server is like where the standard leaves it open, and does not change its mind.

use crate::packet::{Connack, ConnackProperties, Connect, Packet, PacketId, Qos, ReasonProperties, Utf8String};
use crate::profile::Feature;
use std::collections::BTreeSet;
use std::num::NonZeroU16;

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
    pub(super) fn wordings(self, packet: Packet, connect: Option<&Connect>, needs: &BTreeSet<Feature>) -> Vec<Packet> {
        if let Packet::Connack(connack) = &packet
            && connack.code.is_accepted()
            && let Some(connect) = connect
        {
            return self.greetings(connack, connect, needs);
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

    fn greetings(self, connack: &Connack, connect: &Connect, needs: &BTreeSet<Feature>) -> Vec<Packet> {
        let greeting = |properties: ConnackProperties| Packet::Connack(Connack { properties, ..connack.clone() });
        let assigned_client_identifier = connect.client_id.is_empty().then(|| text("assigned")).flatten();
        let plain = ConnackProperties { assigned_client_identifier, ..connack.properties.clone() };
        let lacks = |feature| (!needs.contains(&feature)).then_some(false);
        let chosen = match self {
            Character::Plain => return vec![greeting(plain)],
            Character::Talkative => ConnackProperties {
                receive_maximum: NonZeroU16::new(20),
                topic_alias_maximum: Some(5),
                retain_available: Some(true),
                wildcard_subscription_available: Some(true),
                subscription_identifier_available: Some(true),
                shared_subscription_available: Some(true),
                server_keep_alive: Some(connect.keep_alive),
                reason_string: text("welcome"),
                user_properties: text("server").zip(text("talkative")).into_iter().collect(),
                ..plain.clone()
            },
            Character::Reserved => ConnackProperties {
                receive_maximum: NonZeroU16::new(1),
                topic_alias_maximum: needs.contains(&Feature::TopicAlias).then_some(1),
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
