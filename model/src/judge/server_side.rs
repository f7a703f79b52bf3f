//! What came from the server: bytes to outputs of the model, and what a packet shows by itself.

use super::Judge;
use super::reading::Reading;
use crate::packet::{Connack, ConnackProperties, Packet, ProtocolVersion, Publish, Qos, ReasonCode};
use crate::server::session::Moment;
use crate::server::vocabulary::Content;
use crate::server::{Announcement, Breach, ConnectionId, Context, Lifetime, Millis, Output, Rule};
use crate::wire::{Decoded, Refusal};

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
                if let Some(breach) = check_connack(reading, connack, version) {
                    self.report(at, connection, breach, seen);
                    return None;
                }
                take_offer(reading, &connack.properties);
                // A client that comes back with the identifier it was given finds its session (MQTT-3.1.3-7).
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
                let Some(topic) = delivered_topic(reading, publish) else {
                    let expected = "a topic, or an alias within the client's maximum that stands for one".to_owned();
                    let breach = Breach::of(Rule::TopicAliasIsWithinMaximum, expected);
                    self.report(at, connection, breach, seen);
                    return None;
                };
                if publish.qos() == Qos::ExactlyOnce {
                    self.give_up("QoS 2");
                    return None;
                }
                let content =
                    Content { topic, payload: publish.payload.clone(), properties: publish.properties.clone() };
                Output::Publish {
                    content: self.vocabulary.content(content.seen_by(version)),
                    qos: publish.qos(),
                    id: publish.packet_id(),
                    dup: publish.dup(),
                    retain: publish.retain,
                }
            }
            Packet::Pubrec(_) | Packet::Pubrel(_) | Packet::Pubcomp(_) => {
                let expected = "no answer of QoS 2".to_owned();
                self.report(at, connection, Breach::of(Rule::PubackNamesItsPublish, expected), seen);
                return None;
            }
            Packet::Auth(_) => {
                let expected = "no AUTH: CONNECT named no method".to_owned();
                self.report(at, connection, Breach::of(Rule::NoUncalledAuthentication, expected), seen);
                return None;
            }
            // The decoder refuses what only a client sends.
            Packet::Connect(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::Pingreq => return None,
        };
        self.accept(at, connection, silence, &output, &seen)
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
        let mut taken = track.taken_messages();
        let mut refused = None;
        if let Output::Puback { id, code } = output {
            let message = track.open.remove(id).map(|unanswered| unanswered.message);
            if let Some(reading) = self.readings.get_mut(&connection) {
                reading.open.remove(id);
            }
            match ReasonCode::from_value(*code).is_some_and(ReasonCode::is_error) {
                true => refused = message,
                false => taken.extend(message),
            }
        }
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        for track in self.tracks.values_mut() {
            taken.iter().for_each(|message| track.settle(&context, *message));
            refused.iter().for_each(|message| track.discard(*message));
        }
        Some(())
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

/// What CONNACK must or must not hold in answer to this CONNECT.
fn check_connack(reading: &Reading, connack: &Connack, version: ProtocolVersion) -> Option<Breach> {
    let connect = reading.connect.as_ref()?;
    let properties = &connack.properties;
    let breach = |rule, expected: &str| Some(Breach::of(rule, expected));
    if version.has_properties()
        && connack.code.is_accepted()
        && connect.client_id.is_empty()
        && properties.assigned_client_identifier.is_none()
    {
        return breach(Rule::EmptyIdentifierIsAssigned, "an Assigned Client Identifier");
    }
    if properties.response_information.is_some() && connect.properties.request_response_information != Some(true) {
        return breach(Rule::ResponseInformationOnRequest, "no Response Information");
    }
    if properties.authentication_method.is_some() && connect.properties.authentication_method.is_none() {
        return breach(Rule::NoUncalledAuthentication, "no Authentication Method");
    }
    None
}

fn take_offer(reading: &mut Reading, properties: &ConnackProperties) {
    let offer = &mut reading.offer;
    offer.maximum_qos = properties.maximum_qos.unwrap_or(offer.maximum_qos);
    offer.retain = properties.retain_available.unwrap_or(offer.retain);
    offer.shared_subscriptions = properties.shared_subscription_available.unwrap_or(offer.shared_subscriptions);
    offer.subscription_identifiers =
        properties.subscription_identifier_available.unwrap_or(offer.subscription_identifiers);
    offer.topic_alias_maximum = properties.topic_alias_maximum.unwrap_or(offer.topic_alias_maximum);
    offer.receive_maximum = properties.receive_maximum.map_or(offer.receive_maximum, std::num::NonZeroU16::get);
    if let Some(maximum) = properties.maximum_packet_size {
        // A server may close as soon as it has seen the length.
        reading.from_client.set_maximum_packet_size(maximum.get());
    }
}

fn announcement(properties: &ConnackProperties) -> Announcement {
    Announcement {
        lifetime: properties.session_expiry_interval.map(Lifetime::of_interval),
        keep_alive: properties.server_keep_alive.map(|seconds| Millis::from(seconds) * 1000),
        maximum_qos: properties.maximum_qos,
    }
}

/// The Topic Name of a delivery, its alias resolved and remembered.
fn delivered_topic(reading: &mut Reading, publish: &Publish) -> Option<String> {
    let topic = publish.topic.to_string();
    let maximum = reading.connect.as_ref().and_then(|connect| connect.properties.topic_alias_maximum).unwrap_or(0);
    match publish.properties.topic_alias.map(std::num::NonZeroU16::get) {
        Some(alias) if alias > maximum => None,
        None => (!topic.is_empty()).then_some(topic),
        Some(alias) if topic.is_empty() => reading.server_aliases.get(&alias).cloned(),
        Some(alias) => {
            reading.server_aliases.insert(alias, topic.clone());
            Some(topic)
        }
    }
}
