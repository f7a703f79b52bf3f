//! What the client sent: bytes to inputs of the model, each fault of the client named as an offence.

use super::cloud::Departure;
use super::offences;
use super::reading::Reading;
use super::track::{Sending, Unanswered};
use super::{Judge, Track};
use crate::packet::{Connect, Disconnect, Packet, ProtocolVersion, Publish, Qos, ReasonCode, Subscribe};
use crate::profile::{Feature, Offence, Reaction, Unit};
use crate::server::expiry::Expiry;
use crate::server::identity::Identity;
use crate::server::offence::always_ends;
use crate::server::session::{Connection, Session};
use crate::server::vocabulary::{Content, Message, SenderKey};
use crate::server::{
    ConnectTerms, ConnectionId, Context, FilterRequest, Input, Lifetime, MessageKey, Millis, Vocabulary,
};
use crate::wire::Refusal;

impl Judge {
    pub(super) fn client_sent(&mut self, at: Millis, connection: ConnectionId, bytes: &[u8]) {
        let Some(reading) = self.readings.get_mut(&connection) else { return };
        reading.last_sent = at;
        reading.from_client.feed(bytes);
        loop {
            let Some(reading) = self.readings.get_mut(&connection).filter(|reading| !reading.client_is_done) else {
                return;
            };
            match reading.from_client.next_packet() {
                Ok(None) => return,
                Ok(Some(decoded)) => {
                    let size = decoded.bytes.len();
                    self.client_packet(at, connection, &decoded.packet, size);
                }
                Err(refusal) => self.client_bytes_refused(at, connection, &refusal),
            }
        }
    }

    pub(super) fn client_closed(&mut self, at: Millis, connection: ConnectionId) {
        let Some(reading) = self.readings.get_mut(&connection).filter(|reading| reading.is_open()) else { return };
        reading.close();
        let sender = reading.sender;
        self.device_departs(at, connection, Departure::Lost);
        if let Some(sender) = sender {
            self.push(at, connection, sender, Input::Lost);
        }
    }

    /// Gives an input to the session of a client.
    pub(super) fn push(&mut self, at: Millis, connection: ConnectionId, sender: SenderKey, input: Input) {
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        if let Some(track) = self.tracks.get_mut(&sender) {
            track.push(&context, at, connection, input);
        }
    }

    fn client_packet(&mut self, at: Millis, connection: ConnectionId, packet: &Packet, size: usize) {
        let Some(reading) = self.readings.get(&connection) else { return };
        let Some(sender) = reading.sender else {
            // The decoder lets nothing but CONNECT come first.
            if let Packet::Connect(connect) = packet {
                self.client_connects(at, connection, connect);
            }
            return;
        };
        if self.tracks.get(&sender).is_some_and(|track| track.is_out(connection)) {
            // The client does not know it yet.
            return;
        }
        match packet {
            Packet::Connect(_) => {
                // 3.1 has no rule for it but that an older connection of the client ends: it may be served like any other.
                if let Some(track) =
                    self.tracks.get_mut(&sender).filter(|_| reading.version() == Some(ProtocolVersion::V3_1))
                {
                    track.follow_leniently();
                }
                self.client_offends(at, connection, sender, Offence::SecondConnect);
            }
            Packet::Publish(publish) => self.client_publishes(at, connection, sender, publish, size),
            Packet::Puback(puback) => self.push(at, connection, sender, Input::Puback { id: puback.packet_id }),
            Packet::Pubrec(pubrec) => {
                let refused = pubrec.reason.is_error();
                self.push(at, connection, sender, Input::Pubrec { id: pubrec.packet_id, refused });
            }
            Packet::Pubrel(pubrel) => {
                let open = self.tracks.get(&sender).and_then(|track| track.open.get(&pubrel.packet_id));
                if let Some(released) = open.filter(|open| self.vocabulary.of(open.message).qos == Qos::ExactlyOnce) {
                    self.vocabulary.release(released.message);
                }
                self.push(at, connection, sender, Input::Pubrel { id: pubrel.packet_id });
            }
            Packet::Pubcomp(pubcomp) => self.push(at, connection, sender, Input::Pubcomp { id: pubcomp.packet_id }),
            Packet::Subscribe(subscribe) => self.client_subscribes(at, connection, sender, subscribe),
            Packet::Unsubscribe(unsubscribe) => {
                let filters = unsubscribe.filters.iter().map(|filter| self.vocabulary.filter(filter)).collect();
                let version = reading.version();
                let offence = version.and_then(|version| offences::of_unsubscribe(unsubscribe, version));
                self.push(at, connection, sender, Input::Unsubscribe { id: unsubscribe.packet_id, filters, offence });
            }
            Packet::Pingreq => self.push(at, connection, sender, Input::Pingreq),
            Packet::Disconnect(disconnect) => self.client_leaves(at, connection, sender, disconnect),
            Packet::Auth(auth) => {
                let named =
                    reading.connect.as_ref().and_then(|connect| connect.properties.authentication_method.clone());
                match named.is_some() && named == auth.properties.authentication_method {
                    true => self.push(at, connection, sender, Input::Auth),
                    false => self.client_offends(at, connection, sender, Offence::ProtocolError),
                }
            }
            // The decoder refuses what only a server sends.
            Packet::Connack(_) | Packet::Suback(_) | Packet::Unsuback(_) | Packet::Pingresp => {}
        }
    }

    /// An offence that is not tied to one packet's own answer.
    fn client_offends(&mut self, at: Millis, connection: ConnectionId, sender: SenderKey, offence: Offence) {
        self.push(at, connection, sender, Input::Offence(offence));
        self.stop_listening_after(connection, offence);
    }

    /// After an offence that always ends the connection nothing more has an effect.
    fn stop_listening_after(&mut self, connection: ConnectionId, offence: Offence) {
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        if let Some(reading) = self.readings.get_mut(&connection)
            && reading.version().is_some_and(|version| always_ends(&context, offence, version))
        {
            reading.client_is_done = true;
        }
    }

    /// Bytes that are no packet. The rest of the stream has no meaning.
    fn client_bytes_refused(&mut self, at: Millis, connection: ConnectionId, refusal: &Refusal) {
        let Some(reading) = self.readings.get_mut(&connection) else { return };
        reading.refusal = refusal.statements;
        let version = reading.from_client.version();
        let offence = offences::of_bytes(refusal, reading.sender.is_some());
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        let may_go_on = version.is_some_and(|version| !always_ends(&context, offence, version));
        if let Some(track) = reading.sender.filter(|_| may_go_on).and_then(|sender| self.tracks.get_mut(&sender)) {
            track.follow_leniently();
        }
        reading.client_is_done = !may_go_on || !reading.from_client.step_over();
        match reading.sender {
            Some(sender) => self.push(at, connection, sender, Input::Offence(offence)),
            None => self.nobody_offends(connection, version, offence),
        }
    }

    /// An offence before there is a session. As long as no version is known, a server may answer in any that it has.
    fn nobody_offends(&mut self, connection: ConnectionId, version: Option<ProtocolVersion>, offence: Offence) {
        let versions = self.profile.versions.iter().copied().filter(|known| version.is_none_or(|it| it == *known));
        let condemned = |version| Session {
            link: Some(Connection::condemned(connection, version, offence).into()),
            ..Session::default()
        };
        let sessions = versions.map(condemned).collect();
        let sender = self.sender(format!("\0connection {connection}"));
        self.tracks.insert(sender, Track::starting_with(sender, sessions));
        if let Some(reading) = self.readings.get_mut(&connection) {
            reading.sender = Some(sender);
            if let Some(version) = version {
                reading.speak(version);
            }
        }
    }

    /// The session of an identity. A text with U+0000 is none, so it can name what has no identifier.
    pub(super) fn sender(&mut self, client_id: String) -> SenderKey {
        let next = SenderKey(u32::try_from(self.senders.len()).unwrap_or(u32::MAX));
        *self.senders.entry(client_id).or_insert(next)
    }

    fn client_connects(&mut self, at: Millis, connection: ConnectionId, connect: &Connect) {
        let Some(reading) = self.readings.get_mut(&connection) else { return };
        let Some(version) = reading.from_client.version() else { return };
        reading.speak(version);
        if let Some(maximum) = self.profile.limits().maximum_packet_size.filter(|_| !version.has_properties()) {
            // P-LIM-8: what CONNACK of 5.0 announces holds for all.
            reading.from_client.set_maximum_packet_size(maximum);
        }
        reading.connect = Some(connect.clone());
        let mut login = self.devices.connects(&self.profile, at, connection, connect, version);
        if login.identity.device().is_some_and(|device| self.cloud.disabled.contains(device)) {
            login.offence = login.offence.or(Some(Offence::DeviceDisabled));
        }
        if let Some(device) = login.identity.device().filter(|device| self.cloud.is_online(device)) {
            self.cloud.logs.offline(device, "Kicked by the same device");
        }
        self.device_asks(connection);
        let offence = offences::of_connect(&self.profile, connect, version, &login);
        let sender = self.sender(match login.identity {
            Identity::Client(id) => id,
            Identity::Device(device) => format!("\0device {device}"),
            // The server makes one up, or none: nobody else can have it.
            Identity::Assigned => format!("\0assigned {connection}"),
            Identity::Registration(_) => format!("\0registration {connection}"),
        });
        let under_way: Vec<MessageKey> = match self.tracks.contains_key(&sender) {
            true => Vec::new(),
            false => self.tracks.values().flat_map(Track::under_way).chain(self.floating_wills()).collect(),
        };
        let track = self.tracks.entry(sender).or_insert_with(|| Track::new(sender));
        // What others have sent before may still meet what this client will subscribe to.
        under_way.into_iter().for_each(|message| track.meet(message));
        let will = connect.will.as_ref().filter(|_| self.profile.has_in(Feature::Will, version));
        let will = will.map(|will| self.arm_will(at, sender, will));
        let terms = ConnectTerms {
            connection,
            version,
            clean_start: connect.clean_start,
            lifetime: match (version.has_properties(), connect.clean_start) {
                (true, _) => Lifetime::of_interval(connect.properties.session_expiry_interval.unwrap_or(0)),
                (false, true) => Lifetime::Connection,
                (false, false) => Lifetime::Forever,
            },
            keep_alive: Millis::from(connect.keep_alive) * 1000,
            receive_maximum: connect.properties.receive_maximum.map_or(u16::MAX, std::num::NonZeroU16::get),
            maximum_packet_size: connect.properties.maximum_packet_size.map(std::num::NonZeroU32::get),
            will,
            authenticates: connect.properties.authentication_method.is_some(),
            offence,
        };
        let Some(track) = self.tracks.get_mut(&sender) else { return };
        if terms.clean_start && offence.is_none() {
            track.open.clear();
        }
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        track.push(&context, at, connection, Input::Connect(terms));
        self.connects += 1;
        let connected = self.connects;
        let its = self.readings.values().filter(|reading| reading.sender == Some(sender) && reading.is_open());
        let after = its.map(|reading| reading.connected).min().unwrap_or(connected) - 1;
        if let Some(reading) = self.readings.get_mut(&connection) {
            reading.sender = Some(sender);
            reading.connected = connected;
            reading.after = after;
        }
        if let Some(offence) = offence {
            self.stop_listening_after(connection, offence);
        }
        for other in self.devices.sharing(connection) {
            if let Some(sender) = self.readings.get(&other).filter(|reading| reading.is_open()).and_then(|r| r.sender) {
                self.push(at, other, sender, Input::Offence(Offence::ClientIdentifierShared));
            }
        }
    }

    fn client_leaves(&mut self, at: Millis, connection: ConnectionId, sender: SenderKey, disconnect: &Disconnect) {
        let Some(reading) = self.readings.get_mut(&connection) else { return };
        let asked =
            reading.connect.as_ref().and_then(|connect| connect.properties.session_expiry_interval).unwrap_or(0);
        match disconnect.properties.session_expiry_interval {
            // 3.14.2.2.2: what was 0 in CONNECT cannot become more.
            Some(interval) if asked == 0 && interval > 0 => {
                self.client_offends(at, connection, sender, Offence::ProtocolError);
            }
            interval => {
                reading.client_is_done = true;
                if let Some((device, _)) = self.devices.on(connection) {
                    self.cloud.logs.offline(device, "Device disconnect");
                }
                let lifetime = interval.map(Lifetime::of_interval);
                let with_will = disconnect.reason != ReasonCode::Success;
                self.device_departs(at, connection, Departure::Left);
                self.push(at, connection, sender, Input::Disconnect { lifetime, with_will });
            }
        }
    }

    fn client_subscribes(&mut self, at: Millis, connection: ConnectionId, sender: SenderKey, subscribe: &Subscribe) {
        let Some(reading) = self.readings.get(&connection) else { return };
        let Some(version) = reading.version() else { return };
        let identifier = subscribe.properties.subscription_identifier;
        let identifiers =
            reading.offer.subscription_identifiers && self.profile.has_in(Feature::SubscriptionIdentifiers, version);
        let shares = reading.offer.shared_subscriptions && self.profile.has_in(Feature::SharedSubscriptions, version);
        let whole = match identifier {
            Some(_) if !identifiers => Some(Offence::SubscriptionIdentifierNotSupported),
            _ => None,
        };
        let most_filters = self.profile.limits().filters_per_subscribe.map_or(usize::MAX, usize::from);
        let mut requests = Vec::new();
        for request in &subscribe.requests {
            let filter = self.vocabulary.filter(&request.filter);
            let of_filter = offences::of_filter(&self.profile, request, version, shares);
            let of_device = || self.devices.subscribes(&self.profile, connection, &request.filter);
            // One filter too many comes before what a dialect may leave to its sender: a QoS, for one.
            let too_many = requests.len() >= most_filters && of_filter != Some(Offence::ProtocolError);
            let offence = match too_many {
                true => Some(Offence::TooManyFilters),
                false => whole.or(of_filter).or_else(of_device),
            };
            self.shared.any |= self.vocabulary.is_shared(filter);
            let fits = |topic| self.vocabulary.matches(filter, topic);
            let mut retained = match self.profile.has_in(Feature::RetainedMessages, version) {
                true => self.retained.met_by(fits),
                false => Vec::new(),
            };
            for met in &mut retained {
                // What is on its way once more may come as either: one PUBLISH cannot tell.
                met.certain &= !self.tracks.values().flat_map(Track::under_way).any(|message| message == met.message);
            }
            let inherited = self.inherited(sender, filter);
            requests.push(FilterRequest { filter, options: request.options, identifier, retained, inherited, offence });
        }
        let protocol_error = requests.iter().any(|request| request.offence == Some(Offence::ProtocolError));
        if protocol_error {
            return self.client_offends(at, connection, sender, Offence::ProtocolError);
        }
        self.push(at, connection, sender, Input::Subscribe { id: subscribe.packet_id, requests });
    }

    fn client_publishes(
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
        if of_device == Some(Offence::TopicNotPermitted)
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
                let connected = self.readings.get(&connection).map_or(0, |reading| reading.connected);
                self.vocabulary.repeat(unanswered.message, connected);
                unanswered.message
            }
            None => self.publish_message(at, connection, sender, publish, topic, size),
        };
        self.device_is_heard(connection, message, publish, &content_topic);
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

    /// Whether a message of this connection can be retained.
    fn retains(&self, connection: ConnectionId) -> bool {
        let version = self.readings.get(&connection).and_then(Reading::version);
        version.is_some_and(|version| self.profile.has_in(Feature::RetainedMessages, version))
    }

    /// Whether a PUBLISH with DUP is this message: it may be one whose first copy had no effect.
    fn is_repetition(&self, message: MessageKey, publish: &Publish, topic: &str) -> bool {
        let known = self.vocabulary.of(message);
        let content = self.vocabulary.content_of(known.content_5);
        known.qos == publish.qos() && content.topic == topic && content.payload == publish.payload
    }

    /// A message with RETAIN is on its way.
    pub(super) fn retain(&mut self, message: MessageKey, clears: bool, in_doubt: bool) {
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        self.retained.sent(self.vocabulary.of(message).topic, message, clears, in_doubt);
        self.tracks.values_mut().for_each(|track| track.retain(&context, message));
    }

    /// Whether a server may deliver what offends like this.
    fn may_be_served(&self, connection: ConnectionId, offence: Offence) -> bool {
        let version = self.readings.get(&connection).and_then(Reading::version);
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
