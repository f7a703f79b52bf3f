//! What came from the server: bytes to outputs of the model, and what a packet shows by itself.

use super::Judge;
use super::cloud::Departure;
use super::connack::{announcement, check_connack, take_offer};
use super::reading::Reading;
use super::track::{Decided, Sending, Unanswered};
use crate::packet::{Packet, PacketId, ProtocolVersion, Publish, Qos, ReasonCode};
use crate::server::vocabulary::Content;
use crate::server::{Breach, ConnectionId, Context, MessageKey, Millis, Moment, Output, Rule, Vocabulary};
use crate::wire::{Decoded, Refusal};
use std::collections::BTreeSet;
use std::num::NonZeroU32;

impl Judge {
    pub(super) fn server_sent(&mut self, at: Millis, connection: ConnectionId, bytes: &[u8]) {
        let Some(reading) = self.readings.get_mut(&connection).filter(|reading| reading.is_open()) else { return };
        for (_, decoder) in &mut reading.from_server {
            decoder.feed(bytes);
        }
        loop {
            let Some(reading) = self.readings.get_mut(&connection) else { return };
            match next_packet(reading) {
                Ok(None) => return,
                Ok(Some((version, decoded))) => {
                    reading.speak(version);
                    if self.server_packet(at, connection, version, &decoded).is_none() {
                        return;
                    }
                }
                Err(refusal) => {
                    reading.close();
                    let expected = format!("a well-formed packet ({})", refusal.what);
                    let seen = format!("bytes that are none: {refusal}");
                    let statements = refusal.statements.to_vec();
                    self.record(at, connection, Rule::PacketIsWellFormed, statements, expected, seen);
                    return;
                }
            }
        }
    }

    pub(super) fn server_closed(&mut self, at: Millis, connection: ConnectionId) {
        let Some(reading) = self.readings.get_mut(&connection).filter(|reading| reading.is_open()) else { return };
        let silence = at.saturating_sub(reading.last_sent);
        reading.close();
        self.device_departs(at, connection, Departure::Ended);
        self.accept(at, connection, silence, &Output::Close, "the server closes the connection");
    }

    /// One packet of the server; none if the connection is not to be followed any further.
    fn server_packet(
        &mut self,
        at: Millis,
        connection: ConnectionId,
        version: ProtocolVersion,
        decoded: &Decoded,
    ) -> Option<()> {
        if !self.check_announced(at, connection, version, decoded) {
            return None;
        }
        let reading = self.readings.get_mut(&connection)?;
        let silence = at.saturating_sub(reading.last_sent);
        let seen = decoded.packet.to_string();
        let output = match &decoded.packet {
            Packet::Connack(connack) => {
                if let Some(breach) = check_connack(&self.profile, reading, connack, version) {
                    self.report(at, connection, breach, seen);
                    return None;
                }
                take_offer(reading, &connack.properties);
                // A client need not wait for CONNACK (3.1.4); a server that has its limit need not wait either.
                let exceeds = |maximum: NonZeroU32| reading.largest > maximum.get() as usize;
                if connack.properties.maximum_packet_size.is_some_and(exceeds)
                    && let Some(track) = reading.sender.and_then(|sender| self.tracks.get_mut(&sender))
                {
                    track.follow_leniently();
                }
                // A client that comes back with the identifier it was given finds its session (5.0: MQTT-3.1.3-7).
                let assigned = connack.properties.assigned_client_identifier.as_ref();
                if let (Some(assigned), Some(sender)) = (assigned, reading.sender) {
                    self.senders.insert(assigned.to_string(), sender);
                }
                Output::Connack {
                    session_present: connack.session_present,
                    code: connack.code.value(),
                    announced: announcement(&connack.properties),
                }
            }
            Packet::Puback(puback) => Output::Puback { id: puback.packet_id, code: puback.reason.value() },
            Packet::Suback(suback) => {
                Output::Suback { id: suback.packet_id, codes: suback.codes.iter().map(|code| code.value()).collect() }
            }
            Packet::Unsuback(unsuback) => Output::Unsuback {
                id: unsuback.packet_id,
                codes: unsuback.codes.iter().map(|code| code.value()).collect(),
            },
            Packet::Pingresp => Output::Pingresp,
            Packet::Disconnect(disconnect) => Output::Disconnect { code: disconnect.reason.value() },
            Packet::Publish(publish) => {
                let Some(topic) = delivered_topic(&mut self.vocabulary, reading, publish) else {
                    let expected = "a topic, or an alias within the client's maximum that stands for one".to_owned();
                    let breach = Breach::of(Rule::TopicAliasIsWithinMaximum, expected);
                    self.report(at, connection, breach, seen);
                    return None;
                };
                let mut identifiers = publish.properties.subscription_identifiers.clone();
                identifiers.sort_unstable();
                let expiry = publish.properties.message_expiry_interval;
                self.devices.learns(connection, &topic, &publish.payload);
                if let Err(breach) = self.device_is_sent(at, connection, publish, &topic) {
                    self.report(at, connection, breach, seen);
                    return None;
                }
                match self.devices.receives(&self.profile, connection, &topic) {
                    Ok(true) if !publish.dup() => self.offer_pushed(at, connection, publish, &topic),
                    Ok(_) => {}
                    Err(breach) => {
                        self.report(at, connection, breach, seen);
                        return None;
                    }
                }
                let content =
                    Content { topic, payload: publish.payload.clone(), properties: publish.properties.clone() };
                let content = self.vocabulary.content(content.seen_by(version));
                self.note_will(content);
                Output::Publish {
                    content,
                    qos: publish.qos(),
                    id: publish.packet_id(),
                    dup: publish.dup(),
                    retain: publish.retain,
                    identifiers,
                    expiry,
                }
            }
            Packet::Pubrec(pubrec) => Output::Pubrec { id: pubrec.packet_id, code: pubrec.reason.value() },
            Packet::Pubrel(pubrel) => Output::Pubrel { id: pubrel.packet_id, code: pubrel.reason.value() },
            Packet::Pubcomp(pubcomp) => Output::Pubcomp { id: pubcomp.packet_id, code: pubcomp.reason.value() },
            Packet::Auth(auth) => {
                let named =
                    reading.connect.as_ref().and_then(|connect| connect.properties.authentication_method.clone());
                if named.is_some() && named != auth.properties.authentication_method {
                    let expected = format!("Authentication Method {named:?}");
                    self.report(at, connection, Breach::of(Rule::AuthenticationMethodStays, expected), seen);
                    return None;
                }
                Output::Auth { code: auth.reason.value() }
            }
            // The decoder refuses what only a client sends.
            Packet::Connect(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::Pingreq => return None,
        };
        let is_accepted = matches!(output, Output::Connack { code: 0, .. });
        self.accept(at, connection, silence, &output, &seen)?;
        if is_accepted {
            self.device_arrives(at, connection);
        }
        Some(())
    }

    /// Moves the session of this connection over an output, and tells the others what it shows of messages on their way.
    fn accept(
        &mut self,
        at: Millis,
        connection: ConnectionId,
        silence: Millis,
        output: &Output,
        seen: &str,
    ) -> Option<()> {
        if let Err(breach) = self.check_share(connection, output) {
            self.report(at, connection, breach, seen.to_owned());
            return None;
        }
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        let sender = self.readings.get(&connection)?.sender;
        let Some(track) = sender.and_then(|sender| self.tracks.get_mut(&sender)) else {
            // A connection that has sent nothing: the server may close it, and may say nothing.
            if !matches!(output, Output::Close) {
                let expected = "nothing before CONNECT".to_owned();
                self.report(at, connection, Breach::of(Rule::ConnackComesFirst, expected), seen.to_owned());
            }
            return None;
        };
        let moment = Moment { now: at, silence: silence + self.timing.early };
        if let Err(breach) = track.accept(&context, moment, connection, output) {
            let breach = self.explain(breach, output);
            self.report(at, connection, breach, seen.to_owned());
            return None;
        }
        let Decided { mut taken, doubtful: mut doubted } = track.decided();
        let mut refused = Vec::new();
        if matches!(output, Output::Connack { code, .. } if *code != 0) {
            // What came behind a CONNECT that is refused goes nowhere (3.1.1: MQTT-3.1.4-5; 5.0: MQTT-3.1.4-6).
            let connected = self.readings.get(&connection).map_or(0, |reading| reading.connected);
            let behind = |message: &MessageKey| self.vocabulary.of(*message).connection == connected;
            refused.extend(track.under_way().filter(behind));
            track.open.retain(|_, unanswered| !refused.contains(&unanswered.message));
            refused.iter().for_each(|message| track.answered(*message));
        }
        let says_present =
            self.readings.get(&connection).and_then(|reading| reading.version()) != Some(ProtocolVersion::V3_1);
        if let Output::Connack { session_present: false, code: 0, .. } = output
            && says_present
        {
            // The server knows of no earlier exchange of QoS 2: what comes again is new to it, or never comes again.
            let vocabulary = &self.vocabulary;
            let begun = |first: &u32| track.has_begun_after(*first);
            let before: BTreeSet<u32> = track.open.values().map(|open| open.first).filter(begun).collect();
            track
                .open
                .retain(|_, open| !before.contains(&open.first) || vocabulary.of(open.message).qos < Qos::ExactlyOnce);
        }
        let mut on_its_way_again = None;
        let acknowledged = match Answer::of(output) {
            Some((id, Answer::Acknowledged)) => track.acknowledged(&context, connection, id).map(|found| (id, found)),
            _ => None,
        };
        if let Some((id, (message, again))) = acknowledged {
            taken.push(message);
            on_its_way_again = again.then_some(message);
            if let Some(reading) = self.readings.get_mut(&connection) {
                reading.open.remove(&id);
            }
        } else if let Some((id, answer)) = Answer::of(output) {
            let connected = self.readings.get(&connection).map_or(0, |reading| reading.connected);
            let vocabulary = &self.vocabulary;
            // What is refused on one connection may have been taken on a later one.
            let is_past = |known: &Unanswered| {
                matches!(answer, Answer::Refused(_)) && vocabulary.is_repeated_after(known.message, connected)
            };
            let known = track.open.get(&id).copied().filter(|known| !is_past(known));
            let qos = known.map(|unanswered| self.vocabulary.of(unanswered.message).qos);
            let fits = qos == Some(answer.of_qos());
            match (known.filter(|_| fits), answer) {
                (Some(unanswered), Answer::Received) => {
                    track.open.insert(id, Unanswered { received: true, ..unanswered });
                }
                // An earlier one of the same message may have been taken.
                (Some(unanswered), Answer::Refused(_)) if unanswered.times > 1 => doubted.push(unanswered.message),
                (Some(unanswered), Answer::Refused(_)) => refused.push(unanswered.message),
                (Some(unanswered), Answer::Acknowledged) => taken.push(unanswered.message),
                // PUBCOMP without PUBREC may answer a PUBREL that the server could not place.
                (Some(unanswered), Answer::Complete) if !unanswered.received => {}
                // And a message that was never released may be lost with the session that had it.
                (Some(unanswered), Answer::Complete) if track.may_have_begun_after(unanswered.first) => {
                    doubted.push(unanswered.message);
                }
                (Some(unanswered), Answer::Complete) => taken.push(unanswered.message),
                (None, _) => {}
            }
            if let Some(unanswered) = known.filter(|_| fits && answer != Answer::Received) {
                let Unanswered { message, .. } = unanswered;
                if answer == Answer::Complete && track.completed(connection, message) {
                    track.open.insert(id, Unanswered { received: false, ..unanswered });
                    on_its_way_again = Some(message);
                } else {
                    track.open.remove(&id);
                    track.answered(message);
                }
                if let Some(reading) = self.readings.get_mut(&connection) {
                    reading.open.remove(&id);
                }
            }
        }
        self.pass_on(at, &Decided { taken, doubtful: doubted }, &refused);
        if let Some(message) = on_its_way_again {
            let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
            self.tracks.values_mut().for_each(|track| track.float(&context, message, Sending::Another));
        }
        Some(())
    }

    /// Tells the sessions, and who keeps what is retained, what the server has decided on messages.
    pub(super) fn pass_on(&mut self, at: Millis, decided: &Decided, refused: &[MessageKey]) {
        let Decided { taken, doubtful } = decided;
        if taken.is_empty() && doubtful.is_empty() && refused.is_empty() {
            return;
        }
        self.consumers_learn(taken, refused);
        for message in taken.iter().chain(refused) {
            self.vocabulary.taken(*message, at);
            let published = self.vocabulary.of(*message);
            if published.retain {
                match refused.contains(message) {
                    true => self.retained.refused(published.topic, *message),
                    false => self.retained.taken(published.topic, *message),
                }
            }
        }
        taken.iter().for_each(|message| self.share_out(*message));
        for message in doubtful {
            self.retained.doubted(self.vocabulary.of(*message).topic, *message);
        }
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        for track in self.tracks.values_mut() {
            doubtful.iter().for_each(|message| track.settle_doubtful(&context, *message));
            taken.iter().for_each(|message| track.settle(&context, *message));
            refused.iter().for_each(|message| track.discard(*message));
        }
    }
}

/// The next packet, in the first version that can read it.
fn next_packet(reading: &mut Reading) -> Result<Option<(ProtocolVersion, Decoded)>, Refusal> {
    let mut refused = None;
    let mut incomplete = false;
    for (version, decoder) in &mut reading.from_server {
        match decoder.next_packet() {
            Ok(Some(decoded)) => return Ok(Some((*version, decoded))),
            Ok(None) => incomplete = true,
            Err(refusal) => refused = Some(refusal),
        }
    }
    match refused {
        Some(refusal) if !incomplete => Err(refusal),
        _ => Ok(None),
    }
}

/// The Topic Name of a delivery, its alias resolved and remembered.
fn delivered_topic(vocabulary: &mut Vocabulary, reading: &mut Reading, publish: &Publish) -> Option<String> {
    let named = (!publish.topic.is_empty()).then(|| publish.topic.to_string());
    let Some(alias) = publish.properties.topic_alias.map(std::num::NonZeroU16::get) else { return named };
    let maximum = reading.connect.as_ref().and_then(|connect| connect.properties.topic_alias_maximum).unwrap_or(0);
    let key = named.map(|name| vocabulary.topic(&name));
    let topic = reading.server_aliases.resolve(maximum, alias, key).ok()?;
    Some(vocabulary.topic_name(topic).to_owned())
}

/// What the server says of a PUBLISH of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// PUBACK.
    Acknowledged,
    /// PUBREC.
    Received,
    /// PUBCOMP.
    Complete,
    /// PUBACK or PUBREC with an error, at this QoS.
    Refused(Qos),
}

impl Answer {
    fn of(output: &Output) -> Option<(PacketId, Answer)> {
        let is_error = |code: u8| ReasonCode::from_value(code).is_some_and(ReasonCode::is_error);
        match *output {
            Output::Puback { id, code } if is_error(code) => Some((id, Answer::Refused(Qos::AtLeastOnce))),
            Output::Pubrec { id, code } if is_error(code) => Some((id, Answer::Refused(Qos::ExactlyOnce))),
            Output::Puback { id, .. } => Some((id, Answer::Acknowledged)),
            Output::Pubrec { id, .. } => Some((id, Answer::Received)),
            Output::Pubcomp { id, .. } => Some((id, Answer::Complete)),
            _ => None,
        }
    }

    fn of_qos(self) -> Qos {
        match self {
            Answer::Acknowledged => Qos::AtLeastOnce,
            Answer::Received | Answer::Complete => Qos::ExactlyOnce,
            Answer::Refused(qos) => qos,
        }
    }
}
