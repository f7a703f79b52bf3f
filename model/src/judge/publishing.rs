//! A client publishes: what message that is, whether it is new, and its way to every session.

use super::Judge;
use super::offences;
use super::reading::Reading;
use super::track::{Sending, Unanswered};
use crate::packet::{ProtocolVersion, Publish, Qos};
use crate::profile::{Feature, Offence, Reaction, Unit};
use crate::server::expiry::Expiry;
use crate::server::offence::always_ends;
use crate::server::vocabulary::{Content, Message, SenderKey};
use crate::server::{ConnectionId, Context, Input, MessageKey, Millis, Vocabulary};

impl Judge {
    pub(super) fn client_publishes(
        &mut self,
        at: Millis,
        connection: ConnectionId,
        sender: SenderKey,
        publish: &Publish,
        size: usize,
    ) {
        let Some(reading) = self.readings.get_mut(&connection) else { return };
        let remapped = remaps_alias(&mut self.vocabulary, reading, publish);
        let topic = match resolve_alias(&mut self.vocabulary, reading, publish) {
            Ok(topic) => topic,
            Err(offence) => return self.client_offends(at, connection, sender, offence),
        };
        let Some(version) = reading.version() else { return };
        let offer = reading.offer.clone();
        let (mut too_many, mut crowded) = (false, false);
        if let Some(id) = publish.packet_id() {
            let waiting = if reading.open.contains(&id) { 0 } else { reading.open.len() };
            too_many = waiting >= usize::from(offer.receive_maximum);
            crowded = self.profile.limits().uplink_in_flight.is_some_and(|limit| waiting >= usize::from(limit));
            reading.open.insert(id);
        }
        // The same identifier with DUP before the PUBACK is the same message once more (MQTT-3.3.1-1).
        let unanswered = publish.packet_id().filter(|_| publish.dup());
        let again = unanswered.and_then(|id| self.tracks.get(&sender)?.open.get(&id).copied());
        let again = again.filter(|known| self.is_repetition(known.message, publish, &topic));
        self.device_publishes(at, connection, publish, &topic);
        let content_topic = topic.clone();
        let of_device = self.devices.publishes(&self.profile, at, connection, publish, &topic);
        if of_device.contains(&Offence::TopicNotPermitted)
            && let Some((device, _)) = self.devices.on(connection)
        {
            self.cloud.logs.uplink_refused(device, &topic);
        }
        let is_consumed = self.devices.may_be_consumed(&self.profile, connection, &topic);
        let mut offences = offences::of_publish(&self.profile, publish, &topic, &offer, version);
        offences.extend(of_device);
        offences.extend(too_many.then_some(Offence::ReceiveMaximumExceeded));
        offences.extend(crowded.then_some(Offence::UplinkInFlightExceeded));
        offences.extend(remapped.then_some(Offence::TopicAliasRemapped));
        // What a dialect simply accepts is none there.
        offences.retain(|offence| self.profile.reactions(*offence, version) != [Reaction::Accept]);
        let message = match again {
            Some(unanswered) => {
                let connected = self.readings.get(&connection).map(|reading| (reading.connected, reading.after));
                let (connected, after) = connected.unwrap_or_default();
                self.vocabulary.repeat(unanswered.message, connected, after);
                unanswered.message
            }
            None => self.publish_message(at, connection, sender, publish, topic, size),
        };
        self.device_is_heard(connection, message, publish, &content_topic, !offences.is_empty());
        let (id, is_served) = (publish.packet_id(), offences.iter().all(|one| self.may_be_served(connection, *one)));
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        let ends = !offences.is_empty() && offences.iter().all(|offence| always_ends(&context, *offence, version));
        let offends = !offences.is_empty();
        // A server that has a QoS 2 message with this identifier does not take another one for new.
        let is_known = again.is_none()
            && publish.qos() == Qos::ExactlyOnce
            && publish
                .packet_id()
                .zip(self.tracks.get(&sender))
                .is_some_and(|(id, track)| track.may_hold(&context, id));
        let sending = self
            .tracks
            .get(&sender)
            .map_or(Sending::First, |track| track.sending(&context, connection, publish.qos(), again));
        self.push(at, connection, sender, Input::Publish { message, id, alias: None, offences });
        let in_doubt = offends || is_consumed || is_known;
        if let (Some(id), Some(track)) = (publish.packet_id(), self.tracks.get_mut(&sender)) {
            let unanswered = match again {
                Some(unanswered) if sending == Sending::Repetition => unanswered,
                Some(unanswered) => Unanswered {
                    times: unanswered.times.saturating_add(1),
                    first: track.ordinal(connection),
                    ..unanswered
                },
                None => Unanswered { message, times: 1, received: false, first: track.ordinal(connection) },
            };
            track.open.insert(id, unanswered);
        }
        if let Some(reading) = self.readings.get_mut(&connection) {
            reading.client_is_done |= ends;
        }
        if is_served {
            self.float(message, sending, in_doubt);
            if publish.retain && again.is_none() && self.profile.has_in(Feature::RetainedMessages, version) {
                self.retain(message, publish.payload.is_empty(), in_doubt);
            }
        }
    }

    /// Whether a PUBLISH with DUP is this message: it may be one whose first copy had no effect.
    fn is_repetition(&self, message: MessageKey, publish: &Publish, topic: &str) -> bool {
        let known = self.vocabulary.of(message);
        let content = self.vocabulary.content_of(known.content_5);
        known.qos == publish.qos() && content.topic == topic && content.payload == publish.payload
    }

    /// Whether a server may deliver what offends like this.
    fn may_be_served(&self, connection: ConnectionId, offence: Offence) -> bool {
        let version = self.readings.get(&connection).and_then(|reading| reading.version());
        version.is_some_and(|version| self.profile.reactions(offence, version).contains(&Reaction::Accept))
    }

    /// A message as subscribers may see it.
    pub(super) fn publish_message(
        &mut self,
        at: Millis,
        connection: ConnectionId,
        sender: SenderKey,
        publish: &Publish,
        topic: String,
        size: usize,
    ) -> MessageKey {
        // Where nothing is retained the flag means nothing.
        let retain = publish.retain && self.retains(connection);
        self.message_of(at, connection, sender, publish, topic, size, retain)
    }

    /// Whether a message of this connection can be retained.
    fn retains(&self, connection: ConnectionId) -> bool {
        let version = self.readings.get(&connection).and_then(|reading| reading.version());
        version.is_some_and(|version| self.profile.has_in(Feature::RetainedMessages, version))
    }

    /// The same, where it is known whether the message is retained.
    #[expect(clippy::too_many_arguments, reason = "a message has so many parts")]
    pub(super) fn message_of(
        &mut self,
        at: Millis,
        connection: ConnectionId,
        sender: SenderKey,
        publish: &Publish,
        topic: String,
        size: usize,
        retain: bool,
    ) -> MessageKey {
        // An alias may have shortened it.
        let size = u32::try_from(size + topic.len()).unwrap_or(u32::MAX);
        let properties = self.profile.limits().permitted_properties(Unit::Characters, &publish.properties);
        let content = Content { topic, payload: publish.payload.clone(), properties };
        let interval = publish.properties.message_expiry_interval;
        let topic = self.vocabulary.topic(&content.topic);
        let content_3 = self.vocabulary.content(content.clone().seen_by(ProtocolVersion::V3_1_1));
        let content_5 = self.vocabulary.content(content.seen_by(ProtocolVersion::V5_0));
        self.vocabulary.message(Message {
            sender,
            connection: self.readings.get(&connection).map_or(0, |reading| reading.connected),
            after: self.readings.get(&connection).map_or(0, |reading| reading.after),
            topic,
            qos: publish.qos(),
            size,
            expiry: interval.map(|interval| Expiry { interval, earliest: at, latest: None }),
            retain,
            is_will: false,
            content_3,
            content_5,
        })
    }

    /// The message is on its way to every session. One that offends is never owed.
    pub(super) fn float(&mut self, message: MessageKey, sending: Sending, in_doubt: bool) {
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        for track in self.tracks.values_mut() {
            track.float(&context, message, sending);
            if in_doubt {
                track.doubt(message);
            }
        }
    }

    /// A message with RETAIN is on its way.
    pub(super) fn retain(&mut self, message: MessageKey, clears: bool, in_doubt: bool) {
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        self.retained.sent(self.vocabulary.of(message).topic, message, clears, in_doubt);
        self.tracks.values_mut().for_each(|track| track.retain(&context, message));
    }
}

/// Whether a PUBLISH gives an alias another topic than it stands for.
fn remaps_alias(vocabulary: &mut Vocabulary, reading: &Reading, publish: &Publish) -> bool {
    let alias = publish.properties.topic_alias.map(std::num::NonZeroU16::get);
    let known = alias.and_then(|alias| reading.client_aliases.topic_of(alias));
    !publish.topic.is_empty() && known.is_some_and(|known| known != vocabulary.topic(&publish.topic))
}

/// The Topic Name of a PUBLISH, its alias resolved and remembered (MQTT-3.3.2-7 and following).
fn resolve_alias(vocabulary: &mut Vocabulary, reading: &mut Reading, publish: &Publish) -> Result<String, Offence> {
    let Some(alias) = publish.properties.topic_alias.map(std::num::NonZeroU16::get) else {
        return Ok(publish.topic.to_string());
    };
    let named = (!publish.topic.is_empty()).then(|| vocabulary.topic(&publish.topic));
    let topic = reading.client_aliases.resolve(reading.offer.topic_alias_maximum, alias, named)?;
    Ok(vocabulary.topic_name(topic).to_owned())
}
