//! A trace as a person reads it: packets with times and arrows.

use crate::concealing::ConcealedTrace;
use crate::trace::{ConnectionId, What};
use model::packet::{Packet, PacketType, ProtocolVersion};
use model::wire::{Decoded, Decoder, Refusal};
use std::collections::BTreeMap;
use std::time::Duration;

/// One line of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When, from the start of the variant.
    pub at: Duration,
    /// The actor; with the number of its connection if it had several.
    pub actor: String,
    /// `->` from the actor, `<-` to it, `--` the connection itself.
    pub arrow: &'static str,
    /// What it tells of.
    pub told: Told,
    /// The packet, or what happened.
    pub text: String,
}

/// What a line tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A connection was opened.
    Opening,
    /// A packet.
    Packet(Box<Packet>),
    /// Bytes of a packet that is not whole yet.
    Part,
    /// Bytes that are no packet: those that came with the offence, and the offence.
    Refused(Vec<u8>, Box<Refusal>),
    /// Bytes behind those that are no packet.
    Unread,
    /// The peer closed a connection.
    ClosedByPeer,
    /// The actor closed its connection.
    ClosedByActor,
    /// The platform's API was asked for something, or answered.
    Cloud,
}

/// How many bytes of what is no packet are shown.
const SHOWN: usize = 24;

/// One connection while it is followed.
struct Followed {
    actor: String,
    sent: Direction,
    received: Direction,
    /// Whether it is known from a CONNECT what the peer speaks.
    is_version_known: bool,
}

/// One direction of a connection.
struct Direction {
    decoder: Decoder,
    refused: bool,
    /// What to say of bytes that are refused.
    refusal_is: &'static str,
}

/// The lines of a trace. Of a connection without a CONNECT that can be read, the peer is taken to speak this version.
#[must_use]
pub fn exchange(concealed: &ConcealedTrace, version: ProtocolVersion) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut connections: BTreeMap<ConnectionId, Followed> = BTreeMap::new();
    let mut opened: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &concealed.trace().events {
        if let What::Opened(actor) = &event.what {
            let count = opened.entry(actor).or_default();
            *count += 1;
            let shown = if *count == 1 { actor.clone() } else { format!("{actor}#{count}") };
            let sent = Direction { decoder: Decoder::from_client(), refused: false, refusal_is: "on purpose" };
            let decoder = Decoder::from_server(version);
            let received = Direction { decoder, refused: false, refusal_is: "no MQTT" };
            let followed = Followed { actor: shown, sent, received, is_version_known: false };
            connections.insert(event.connection, followed);
        }
        let Some(connection) = connections.get_mut(&event.connection) else { continue };
        let one = |told, text: &str| vec![(told, text.to_owned())];
        let (arrow, texts) = match &event.what {
            What::Opened(_) => ("--", one(Told::Opening, "opens a connection")),
            // The names of cases and targets tell it.
            What::Carried(_) => continue,
            What::Sent(bytes) => {
                let texts = connection.sent.read(bytes);
                connection.learn_version();
                ("->", texts)
            }
            What::SentText(bytes) => ("->", vec![(Told::Unread, format!("a text frame: {}", raw(bytes)))]),
            What::Received(bytes) => ("<-", connection.received.read(bytes)),
            What::ClosedByPeer => ("--", one(Told::ClosedByPeer, "the peer closed the connection")),
            What::ClosedByHarness => ("--", one(Told::ClosedByActor, "closes the connection")),
            What::Asked { request, in_order } => {
                let standing = if *in_order { "" } else { " (not signed as it must be)" };
                ("->", one(Told::Cloud, &format!("{request}{standing}")))
            }
            What::Answered(answer) => ("<-", one(Told::Cloud, &format!("answer {answer}"))),
            What::Consumes => ("--", one(Told::Cloud, "listens")),
            What::Delivered(message) => ("<-", one(Told::Cloud, &message.to_string())),
            What::Settled { is_accepted: true, .. } => ("->", one(Told::Cloud, "settles")),
            What::Settled { is_accepted: false, .. } => ("->", one(Told::Cloud, "releases")),
        };
        let line = |(told, text): (Told, String)| {
            let text = concealed.secrets().conceal(&text);
            Line { at: event.at, actor: connection.actor.clone(), arrow, told, text }
        };
        lines.extend(texts.into_iter().map(line));
    }
    lines
}

impl Followed {
    /// The peer answers in the version of CONNECT.
    fn learn_version(&mut self) {
        if let Some(version) = self.sent.decoder.version().filter(|_| !self.is_version_known) {
            self.received.decoder = Decoder::from_server(version);
            self.is_version_known = true;
        }
    }
}

impl Direction {
    fn read(&mut self, bytes: &[u8]) -> Vec<(Told, String)> {
        if self.refused {
            return vec![(Told::Unread, raw(bytes))];
        }
        self.decoder.feed(bytes);
        let mut texts = Vec::new();
        loop {
            match self.decoder.next_packet() {
                Ok(Some(decoded)) => {
                    let text = text(&decoded, self.decoder.version());
                    texts.push((Told::Packet(Box::new(decoded.packet)), text));
                }
                Ok(None) => break,
                Err(refusal) => {
                    self.refused = true;
                    let text = format!("{} ({}: {refusal})", raw(bytes), self.refusal_is);
                    texts.push((Told::Refused(bytes.to_vec(), Box::new(refusal)), text));
                    break;
                }
            }
        }
        if texts.is_empty() {
            texts.push((Told::Part, format!("{} (a part of a packet)", raw(bytes))));
        }
        texts
    }
}

/// DUP, in the first byte of a packet.
const DUP: u8 = 0x08;

/// A packet as it came. In 3.1 there are bits that are no part of it: the byte that has Session Present later is reserved
/// (V31-6), and not only a PUBLISH has DUP (V31-16).
fn text(decoded: &Decoded, version: Option<ProtocolVersion>) -> String {
    let Decoded { packet, bytes, .. } = decoded;
    if version != Some(ProtocolVersion::V3_1) {
        return packet.to_string();
    }
    match (packet, bytes.as_slice()) {
        (Packet::Connack(connack), [_, _, reserved, ..]) if *reserved != 0 => {
            format!("CONNACK reserved byte 0x{reserved:02X} code {}", connack.code)
        }
        (Packet::Pubrel(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_), [first, ..]) if first & DUP != 0 => {
            format!("{packet} dup")
        }
        _ => packet.to_string(),
    }
}

/// Bytes that are no packet, with the name that the first one claims.
pub(super) fn raw(bytes: &[u8]) -> String {
    let claimed = bytes.first().and_then(|first| PacketType::from_code(first >> 4));
    match claimed {
        Some(packet_type) => format!("{packet_type}? {}", hex(bytes, SHOWN)),
        None => hex(bytes, SHOWN),
    }
}

/// Bytes as pairs of digits, at most `most` of them.
pub(super) fn hex(bytes: &[u8], most: usize) -> String {
    let mut pairs: Vec<String> = bytes.iter().take(most).map(|byte| format!("{byte:02x}")).collect();
    if bytes.len() > most {
        pairs.push(format!("... ({} bytes)", bytes.len()));
    }
    pairs.join(" ")
}

#[cfg(test)]
mod tests {
    use super::exchange;
    use crate::concealing::{ConcealedTrace, Secrets};
    use crate::trace::{ConnectionId, Event, Trace, What};
    use model::packet::ProtocolVersion;
    use std::time::Duration;

    #[test]
    fn what_3_1_does_not_name_is_shown_as_it_came() {
        let event = |what| Event { at: Duration::ZERO, connection: ConnectionId(0), what };
        let events = vec![
            event(What::Opened("dev".to_owned())),
            event(What::Sent(b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01a".to_vec())),
            event(What::Received(vec![0x20, 2, 1, 0])),
            event(What::Sent(vec![0x6A, 2, 0, 5])),
            event(What::Received(vec![0x20, 2, 0, 5])),
        ];
        let concealed = ConcealedTrace::of(Trace { events }, Secrets::default());
        let lines = exchange(&concealed, ProtocolVersion::V3_1);
        let texts: Vec<&str> = lines.iter().skip(2).map(|line| line.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "CONNACK reserved byte 0x01 code 0x00 Accepted",
                "PUBREL id5 dup",
                "CONNACK session-present 0 code 0x05 Not authorized"
            ]
        );
    }
}
