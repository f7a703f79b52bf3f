//! What the client sent: bytes to inputs of the model, each fault of the client named as an offence.

use super::Judge;
use super::cloud::Departure;
use super::offences;
use crate::packet::{Disconnect, Packet, ProtocolVersion, Qos, ReasonCode, Subscribe};
use crate::profile::{Feature, Offence};
use crate::server::offence::always_ends;
use crate::server::vocabulary::SenderKey;
use crate::server::{ConnectionId, Context, FilterRequest, Input, Lifetime, Millis};
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
                    reading.largest = reading.largest.max(size);
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
                let invalid = version.and_then(|version| offences::first_invalid(unsubscribe, version));
                self.push(at, connection, sender, Input::Unsubscribe { id: unsubscribe.packet_id, filters, invalid });
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
    pub(super) fn client_offends(&mut self, at: Millis, connection: ConnectionId, sender: SenderKey, offence: Offence) {
        self.push(at, connection, sender, Input::Offence(offence));
        self.stop_listening_after(connection, offence);
    }

    /// After an offence that always ends the connection nothing more has an effect.
    pub(super) fn stop_listening_after(&mut self, connection: ConnectionId, offence: Offence) {
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
            let offences = match (too_many, whole.or(of_filter)) {
                (true, _) => [Some(Offence::TooManyFilters), None],
                // A filter for topics of others is not granted, whatever QoS it asks for.
                (false, Some(Offence::SubscriptionQosNotSupported)) => [of_device().or(of_filter), None],
                // A server may look first at how long a filter is, or at whose topics it is for.
                (false, long @ Some(Offence::TopicTooLong)) => [long, of_device()],
                (false, found) => [found.or_else(of_device), None],
            };
            self.shared.any |= self.vocabulary.is_shared(filter);
            let fits = |topic| self.vocabulary.matches(filter, topic);
            let mut retained = match self.profile.has_in(Feature::RetainedMessages, version) {
                true => self.retained.met_by(fits),
                false => Vec::new(),
            };
            for met in &mut retained {
                // What is on its way once more may come as either: one PUBLISH cannot tell.
                met.certain &=
                    !self.tracks.values().flat_map(|track| track.under_way()).any(|message| message == met.message);
            }
            let inherited = self.inherited(sender, filter);
            requests.push(FilterRequest {
                filter,
                options: request.options,
                identifier,
                retained,
                inherited,
                offences,
            });
        }
        let protocol_error = requests.iter().any(|request| request.offences.contains(&Some(Offence::ProtocolError)));
        if protocol_error {
            return self.client_offends(at, connection, sender, Offence::ProtocolError);
        }
        self.push(at, connection, sender, Input::Subscribe { id: subscribe.packet_id, requests });
    }
}
