//! A client connects: whose session it is, and what its CONNECT asks for.

use super::offences;
use super::{Judge, Track};
use crate::packet::{Connect, ProtocolVersion};
use crate::profile::{Feature, Offence};
use crate::server::identity::Identity;
use crate::server::session::{Connection, Session};
use crate::server::vocabulary::SenderKey;
use crate::server::{ConnectTerms, ConnectionId, Context, Input, Lifetime, MessageKey, Millis};

impl Judge {
    pub(super) fn client_connects(&mut self, at: Millis, connection: ConnectionId, connect: &Connect) {
        let Some(reading) = self.readings.get_mut(&connection) else { return };
        let Some(version) = reading.from_client.version() else { return };
        reading.speak(version);
        if let Some(maximum) = self.profile.limits().maximum_packet_size.filter(|_| !version.has_properties()) {
            // P-LIM-8: what CONNACK of 5.0 announces holds for all.
            reading.from_client.set_maximum_packet_size(maximum);
        }
        reading.connect = Some(connect.clone());
        let disabled = &self.cloud.disabled;
        let login = self.devices.connects(&self.profile, disabled, at, connection, connect, version);
        if let Some(device) = login.identity.device().filter(|device| self.cloud.is_online(device)) {
            self.cloud.logs.offline(device, "Kicked by the same device");
        }
        self.device_asks(connection);
        let offences = offences::of_connect(&self.profile, connect, version, &login);
        let sender = self.sender(match login.identity {
            Identity::Client(id) => id,
            Identity::Device(device) => format!("\0device {device}"),
            // The server makes one up, or none: nobody else can have it.
            Identity::Assigned => format!("\0assigned {connection}"),
            Identity::Registration(_) => format!("\0registration {connection}"),
        });
        let under_way: Vec<MessageKey> = match self.tracks.contains_key(&sender) {
            true => Vec::new(),
            false => self.tracks.values().flat_map(|track| track.under_way()).chain(self.floating_wills()).collect(),
        };
        let track = self.tracks.entry(sender).or_insert_with(|| Track::new(sender).into());
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
            offences: offences.clone(),
        };
        let Some(track) = self.tracks.get_mut(&sender) else { return };
        if terms.clean_start && offences.is_empty() {
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
        for offence in offences {
            self.stop_listening_after(connection, offence);
        }
        for other in self.devices.sharing(connection) {
            if let Some(sender) = self.readings.get(&other).filter(|reading| reading.is_open()).and_then(|r| r.sender) {
                self.push(at, other, sender, Input::Offence(Offence::ClientIdentifierShared));
            }
        }
    }

    /// An offence before there is a session. As long as no version is known, a server may answer in any that it has.
    pub(super) fn nobody_offends(
        &mut self,
        connection: ConnectionId,
        version: Option<ProtocolVersion>,
        offence: Offence,
    ) {
        let versions = self.profile.versions.iter().copied().filter(|known| version.is_none_or(|it| it == *known));
        let condemned = |version| Session {
            link: Some(Connection::condemned(connection, version, offence).into()),
            ..Session::default()
        };
        let sessions = versions.map(condemned).collect();
        let sender = self.sender(format!("\0connection {connection}"));
        self.tracks.insert(sender, Track::starting_with(sender, sessions).into());
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
}
