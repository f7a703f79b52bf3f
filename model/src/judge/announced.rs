//! What a packet of the server shows by itself, held against what the two sides have announced to each other in CONNECT
//! and CONNACK. None of it needs the state of the session, and after a breach the session goes on.

use super::reading::Reading;
use super::{Judge, Violation};
use crate::packet::{Connack, Packet, ProtocolVersion, UserProperty, Utf8String};
use crate::server::{Breach, ConnectionId, Millis, Rule, binds_server};
use crate::wire::Decoded;

impl Judge {
    /// Holds a packet against what was announced. False if it is larger than the client takes: then nobody has received it.
    pub(super) fn check_announced(
        &mut self,
        at: Millis,
        connection: ConnectionId,
        version: ProtocolVersion,
        decoded: &Decoded,
    ) -> bool {
        let Some(reading) = self.readings.get(&connection) else { return false };
        if let Some(breach) = exceeds_maximum(reading, decoded) {
            let seen = format!("{} bytes: {}", decoded.bytes.len(), decoded.packet);
            self.report(at, connection, breach, seen);
            return false;
        }
        let uncalled = tells_uncalled(reading, &decoded.packet);
        let unused = sets_unused_bits(version, decoded);
        let will = accepts_too_great_a_will(reading, &decoded.packet);
        let taken = self.assigns_taken_identifier(connection, &decoded.packet);
        for breach in [uncalled, unused, will, taken].into_iter().flatten() {
            self.remark(at, connection, &breach, decoded.packet.to_string());
        }
        if let Packet::Connack(connack) = &decoded.packet
            && connack.code.is_accepted()
        {
            let connects = self.readings.values().map(|reading| reading.connected).max();
            if let Some(reading) = self.readings.get_mut(&connection) {
                reading.accepted_among = connects;
            }
        }
        true
    }

    /// The statements that a breach breaks. Where the client's bytes were at fault, they say what the server should have seen.
    pub(super) fn broken_by(&self, connection: ConnectionId, breach: &Breach) -> Vec<&'static str> {
        let Some(reading) = self.readings.get(&connection) else { return Vec::new() };
        let Some(version) = reading.version() else { return Vec::new() };
        let refusal = reading.refusal.iter().copied().filter(|id| binds_server(version, id));
        let mut statements: Vec<&str> = refusal.filter(|_| breach.rule == Rule::OffenceIsRefused).collect();
        for id in breach.statements(&self.profile, version) {
            if !statements.contains(&id) {
                statements.push(id);
            }
        }
        statements
    }

    /// Records a breach that leaves the session as it is.
    fn remark(&mut self, at: Millis, connection: ConnectionId, breach: &Breach, seen: String) {
        let statements = self.broken_by(connection, breach);
        self.violations.push(Violation {
            at,
            connection,
            rule: breach.rule.name(),
            says: breach.rule.says().to_owned(),
            statements,
            expected: breach.expected.clone(),
            seen,
        });
    }

    /// CONNACK assigns the identifier of a session that was there before this CONNECT was sent, and still is.
    fn assigns_taken_identifier(&self, connection: ConnectionId, packet: &Packet) -> Option<Breach> {
        let Packet::Connack(Connack { code, properties, .. }) = packet else { return None };
        let assigned = properties.assigned_client_identifier.as_ref().filter(|_| code.is_accepted())?;
        let own = self.readings.get(&connection)?;
        let holder = self.senders.get(assigned.as_str()).filter(|holder| own.sender != Some(**holder))?;
        let other = self.readings.iter().find(|(_, other)| {
            let was_there = other.accepted_among.is_some_and(|connects| connects < own.connected);
            other.sender == Some(*holder) && was_there && other.is_open() && !other.client_is_done
        });
        let (other, _) = other?;
        let expected = format!("an identifier other than `{assigned}`, which connection {other} has");
        Some(Breach::of(Rule::AssignedIdentifierIsUnique, expected))
    }
}

/// A packet larger than the client's Maximum Packet Size. Where it holds what only explains, that had to be left out first.
fn exceeds_maximum(reading: &Reading, decoded: &Decoded) -> Option<Breach> {
    let limit = reading.connect.as_ref()?.properties.maximum_packet_size?.get() as usize;
    if decoded.bytes.len() <= limit {
        return None;
    }
    Some(match explanation(&decoded.packet) {
        Some((reason, user)) if reason.is_some() || !user.is_empty() => {
            let expected = format!("at most {limit} bytes, without Reason String and User Property if need be");
            Breach::of(Rule::ExplanationFits, expected).seen_in(decoded.packet.packet_type())
        }
        _ => Breach::of(Rule::MaximumPacketSizeIsObeyed, format!("no packet of more than {limit} bytes")),
    })
}

/// Reason String or User Property in an answer, although the client has asked for none.
fn tells_uncalled(reading: &Reading, packet: &Packet) -> Option<Breach> {
    let asked = reading.connect.as_ref()?.properties.request_problem_information.unwrap_or(true);
    if asked || matches!(packet, Packet::Publish(_) | Packet::Connack(_) | Packet::Disconnect(_)) {
        return None;
    }
    let (reason, user) = explanation(packet)?;
    (reason.is_some() || !user.is_empty()).then(|| {
        let expected = "neither Reason String nor User Property: Request Problem Information is 0";
        Breach::of(Rule::ProblemInformationOnRequest, expected)
    })
}

/// Reason String and User Property of a packet that may have them.
fn explanation(packet: &Packet) -> Option<(Option<&Utf8String>, &[UserProperty])> {
    let (reason, user) = match packet {
        Packet::Connack(connack) => (&connack.properties.reason_string, &connack.properties.user_properties),
        Packet::Puback(answer) | Packet::Pubrec(answer) | Packet::Pubrel(answer) | Packet::Pubcomp(answer) => {
            (&answer.properties.reason_string, &answer.properties.user_properties)
        }
        Packet::Suback(suback) => (&suback.properties.reason_string, &suback.properties.user_properties),
        Packet::Unsuback(unsuback) => (&unsuback.properties.reason_string, &unsuback.properties.user_properties),
        Packet::Disconnect(disconnect) => {
            (&disconnect.properties.reason_string, &disconnect.properties.user_properties)
        }
        Packet::Auth(auth) => (&auth.properties.reason_string, &auth.properties.user_properties),
        Packet::Connect(_)
        | Packet::Publish(_)
        | Packet::Subscribe(_)
        | Packet::Unsubscribe(_)
        | Packet::Pingreq
        | Packet::Pingresp => return None,
    };
    Some((reason.as_ref(), user))
}

/// CONNACK accepts a Will of a QoS that it announces not to have, or a retained one where nothing is retained.
fn accepts_too_great_a_will(reading: &Reading, packet: &Packet) -> Option<Breach> {
    let Packet::Connack(Connack { code, properties, .. }) = packet else { return None };
    let will = reading.connect.as_ref()?.will.as_ref().filter(|_| code.is_accepted())?;
    let expected = if properties.maximum_qos.is_some_and(|maximum| will.qos > maximum) {
        "a refusal, such as 0x9B: the QoS of the Will is above Maximum QoS"
    } else if will.retain && properties.retain_available == Some(false) {
        "a refusal, such as 0x9A: the Will is retained, and Retain Available is 0"
    } else {
        return None;
    };
    Some(Breach::of(Rule::WillFitsTheOffer, expected))
}

/// Bits that 3.1 leaves unused and that should be 0. The decoder drops them, as a receiver may.
fn sets_unused_bits(version: ProtocolVersion, decoded: &Decoded) -> Option<Breach> {
    const RETAIN: u8 = 0b0001;
    const DUP: u8 = 0b1000;
    const QOS: u8 = 0b0110;
    const GRANT: u8 = 0b0011;
    if version != ProtocolVersion::V3_1 {
        return None;
    }
    let bytes = &decoded.bytes;
    let flags = bytes.first().copied().unwrap_or(0);
    let unused = match &decoded.packet {
        Packet::Publish(_) if flags & QOS == 0 => DUP,
        Packet::Publish(_) => 0,
        Packet::Pubrel(_) => RETAIN,
        _ => RETAIN | QOS | DUP,
    };
    let in_body = match &decoded.packet {
        // The byte before the return code.
        Packet::Connack(_) => bytes.iter().rev().nth(1).is_some_and(|byte| *byte != 0),
        Packet::Suback(suback) => bytes.iter().rev().take(suback.codes.len()).any(|code| code & !GRANT != 0),
        _ => false,
    };
    (flags & unused != 0 || in_body)
        .then(|| Breach::of(Rule::UnusedBitsAreZero, "0 in every bit that 3.1 does not use"))
}
