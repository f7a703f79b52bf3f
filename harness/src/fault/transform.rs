//! Benign transforms: what a proxy does with the freedoms that a server and a network have. No verdict may change.

use super::interference::Style;
use super::moment::{Moment, with_dup};
use super::proxy_fault::{On, Rule, server, when};
use crate::case::suggestion;
use model::packet::PacketType::{
    Connack, Disconnect, Pingresp, Puback, Pubcomp, Publish, Pubrec, Pubrel, Suback, Unsuback,
};
use model::packet::{Packet, ProtocolVersion, UserProperty, Utf8String};
use model::wire::encode;
use std::fmt;
use std::num::NonZeroU16;
use std::time::Duration;

/// A change of the traffic that breaks nothing.
pub struct Transform {
    /// Its name in words: `each-byte-alone`.
    pub name: &'static str,
    /// What happens, in a sentence.
    pub about: &'static str,
    pub(super) style: Style,
    pub(super) rules: &'static [Rule],
}

/// How long what is overtaken waits.
const WAIT: Duration = Duration::from_millis(10);

/// How long a server of 3.x waits for an acknowledgement before it repeats a delivery.
const PATIENCE: Duration = Duration::from_secs(20);

/// All transforms.
pub static TRANSFORMS: &[Transform] = &[
    carried("each-byte-alone", "Every byte arrives by itself, in both directions.", Style::EachByte),
    carried("coalesced", "Packets wait for each other and arrive together, in both directions.", Style::Coalesced),
    carried("late", "Every packet arrives a moment late.", Style::Late),
    transform(
        "acknowledgements-behind-deliveries",
        "Messages overtake the acknowledgements that the server sends.",
        &[
            server(Puback, put_off),
            server(Pubrec, put_off),
            server(Pubcomp, put_off),
            server(Suback, put_off),
            server(Unsuback, put_off),
            server(Disconnect, catch_up),
            when(On::ServerCloses, catch_up),
            when(On::Alarm, catch_up),
        ],
    ),
    transform(
        "deliveries-behind-acknowledgements",
        "Acknowledgements and answers of the server overtake its messages.",
        &[
            server(Publish, put_off),
            // A PUBREL belongs behind its PUBLISH, and PINGRESP stands for all that was sent before PINGREQ.
            server(Pubrel, put_off),
            server(Pingresp, put_off),
            server(Disconnect, catch_up),
            when(On::ServerCloses, catch_up),
            when(On::Alarm, catch_up),
        ],
    ),
    transform(
        "repeated-when-unacknowledged",
        "A delivery of 3.x that is not acknowledged for 20 seconds comes again, with DUP.",
        &[
            server(Publish, |moment| {
                if !moment.is_5_0() && moment.publish().is_some_and(|publish| publish.packet_id().is_some()) {
                    moment.wake_after(PATIENCE);
                }
            }),
            when(On::Alarm, |moment| {
                for mut again in moment.it().in_flight.values().cloned().collect::<Vec<_>>() {
                    again.delivery = with_dup(again.delivery, true);
                    moment.send_to_client(&Packet::Publish(again));
                }
            }),
        ],
    ),
    transform(
        "explained",
        "Answers of 5.0 carry a Reason String and a User Property, where the client takes them.",
        &[when(On::AnyFromServer, |moment| {
            let mut explained = moment.packet.clone();
            if let Some((reason_string, user_properties)) = explanation(&mut explained) {
                *reason_string = Some(words("as it should be"));
                user_properties.push((words("why"), words("because")));
            }
            if may_explain(moment) && fits(moment, explained.as_ref()) {
                moment.packet = explained;
            }
        })],
    ),
    transform(
        "defaults-spelled-out",
        "CONNACK of 5.0 states what holds without a word, too.",
        &[server(Connack, |moment| {
            let mut spelled_out = moment.packet.clone();
            let keep_alive = moment.it().connect.as_ref().map(|connect| connect.keep_alive);
            if let Some(Packet::Connack(connack)) = &mut spelled_out
                && moment.accepting().is_some()
            {
                let properties = &mut connack.properties;
                properties.receive_maximum.get_or_insert(NonZeroU16::MAX);
                properties.retain_available.get_or_insert(true);
                properties.wildcard_subscription_available.get_or_insert(true);
                properties.subscription_identifier_available.get_or_insert(true);
                properties.shared_subscription_available.get_or_insert(true);
                properties.topic_alias_maximum.get_or_insert(0);
                properties.server_keep_alive = properties.server_keep_alive.or(keep_alive);
            }
            if moment.is_5_0() && fits(moment, spelled_out.as_ref()) {
                moment.packet = spelled_out;
            }
        })],
    ),
    transform(
        "long-forms",
        "Acknowledgements of 5.0 state their reason code and Property Length also where they need not.",
        &[server(Puback, long_form), server(Pubrec, long_form), server(Pubrel, long_form), server(Pubcomp, long_form)],
    ),
    transform(
        "long-lengths",
        "Remaining Length takes a byte more than it needs, which only 5.0 forbids.",
        &[when(On::AnyFromServer, |moment| {
            if !moment.is_5_0() {
                moment.rewrite(|bytes| {
                    if bytes[1] < 0x80 {
                        bytes[1] |= 0x80;
                        bytes.insert(2, 0);
                    }
                });
            }
        })],
    ),
];

/// A transform of how bytes are carried.
const fn carried(name: &'static str, about: &'static str, style: Style) -> Transform {
    Transform { name, about, style, rules: &[] }
}

/// A transform of packets.
const fn transform(name: &'static str, about: &'static str, rules: &'static [Rule]) -> Transform {
    Transform { name, about, style: Style::AsItComes, rules }
}

impl Transform {
    /// The transform of this name.
    ///
    /// # Errors
    /// When there is none: what was probably meant.
    pub fn named(name: &str) -> Result<&'static Transform, String> {
        TRANSFORMS.iter().find(|transform| transform.name == name).ok_or_else(|| {
            let near = suggestion(name, TRANSFORMS.iter().map(|transform| transform.name));
            format!("there is no transform `{name}`{near}; `mqttspec faults` lists them")
        })
    }

    /// Whether something may be under way although nothing is left to do: then idleness proves nothing.
    pub(super) fn delays(&self) -> bool {
        matches!(self.style, Style::Coalesced | Style::Late) || self.rules.iter().any(|rule| rule.on == On::Alarm)
    }
}

/// The packet that passes waits until others had the time to overtake it.
fn put_off(moment: &mut Moment<'_>) {
    if let Some(packet) = moment.packet.clone() {
        moment.lose();
        moment.it().kept.push(packet);
        moment.wake_after(WAIT);
    }
}

/// What was put off goes its way.
fn catch_up(moment: &mut Moment<'_>) {
    for packet in std::mem::take(&mut moment.it().kept) {
        moment.send_to_client(&packet);
    }
}

/// The Reason String and the User Properties of a packet of the server.
pub(super) fn explanation(packet: &mut Option<Packet>) -> Option<(&mut Option<Utf8String>, &mut Vec<UserProperty>)> {
    Some(match packet.as_mut()? {
        Packet::Connack(connack) => (&mut connack.properties.reason_string, &mut connack.properties.user_properties),
        Packet::Puback(it) | Packet::Pubrec(it) | Packet::Pubrel(it) | Packet::Pubcomp(it) => {
            (&mut it.properties.reason_string, &mut it.properties.user_properties)
        }
        Packet::Suback(suback) => (&mut suback.properties.reason_string, &mut suback.properties.user_properties),
        Packet::Unsuback(it) => (&mut it.properties.reason_string, &mut it.properties.user_properties),
        Packet::Disconnect(it) => (&mut it.properties.reason_string, &mut it.properties.user_properties),
        Packet::Auth(auth) => (&mut auth.properties.reason_string, &mut auth.properties.user_properties),
        _ => return None,
    })
}

/// Whether the client takes explanations in the packet that passes (5.0: MQTT-3.1.2-29).
fn may_explain(moment: &mut Moment<'_>) -> bool {
    let always = matches!(moment.packet, Some(Packet::Connack(_) | Packet::Disconnect(_)));
    let connect = moment.it().connect.as_ref();
    let wanted = connect.and_then(|connect| connect.properties.request_problem_information);
    // Before a CONNECT is understood nothing is known of what its client takes.
    moment.is_5_0() && moment.it().connect.is_some() && (always || wanted != Some(false))
}

/// Whether a packet is not larger than the client takes (5.0: MQTT-3.1.2-24).
fn fits(moment: &mut Moment<'_>, packet: Option<&Packet>) -> bool {
    let connect = moment.it().connect.as_ref();
    let limit = connect.and_then(|connect| connect.properties.maximum_packet_size);
    let size =
        packet.and_then(|packet| encode(packet, ProtocolVersion::V5_0).ok()).map_or(usize::MAX, |bytes| bytes.len());
    limit.is_none_or(|limit| size <= limit.get() as usize)
}

/// `40 02 id` as `40 04 id 00 00`.
fn long_form(moment: &mut Moment<'_>) {
    if moment.is_5_0() {
        moment.rewrite(|bytes| {
            if bytes.len() == 4 {
                bytes[1] = 4;
                bytes.extend([0, 0]);
            }
        });
    }
}

/// A text that is short and has no null character.
fn words(text: &str) -> Utf8String {
    Utf8String::new(text).unwrap_or_default()
}

impl fmt::Debug for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transform({})", self.name)
    }
}
