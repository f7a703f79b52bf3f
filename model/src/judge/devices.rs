//! What the judge knows of devices: who is on which connection, what is theirs, and how often they connect and publish.

use super::Judge;
use super::secrets::Secrets;
use crate::device::{Device, Extras, Registration, Transport};
use crate::packet::{Connect, ProtocolVersion, Publish, Qos};
use crate::profile::{Feature, Offence, Profile, Reaction};
use crate::server::identity::{Identity, Login};
use crate::server::permission;
use crate::server::rate::Rate;
use crate::server::rrpc;
use crate::server::{Breach, ConnectionId, Millis};
use crate::topic::TopicFilter;
use std::collections::{BTreeMap, BTreeSet};

/// Who sends what the platform pushes.
const PLATFORM: &str = "\0platform";
const MINUTE: Millis = 60_000;
const SECOND: Millis = 1000;

/// The devices of a trace. Clients that are none pass through without a trace.
#[derive(Debug, Clone, Default, Hash)]
pub(super) struct Devices {
    logins: BTreeMap<ConnectionId, Known>,
    /// What carries the connections of which that is known.
    transports: BTreeMap<ConnectionId, Transport>,
    devices: BTreeMap<Device, History>,
    secrets: Secrets,
    /// Connections that are there to register a device, and were right to ask.
    registering: BTreeMap<ConnectionId, (Registration, Device)>,
}

/// A connection and its login.
#[derive(Debug, Clone, Hash)]
struct Known {
    identity: Identity,
    extras: Extras,
    client_id: String,
}

/// What a device has done.
#[derive(Debug, Clone, Default, Hash)]
struct History {
    connects: Rate,
    /// At QoS 0 and at QoS 1.
    uplink: [Rate; 2],
    has_used_5_0: bool,
}

impl Judge {
    /// A PUBLISH that needs no subscription comes: it is a message of the platform, for this client alone.
    pub(super) fn offer_pushed(&mut self, at: Millis, connection: ConnectionId, publish: &Publish, topic: &str) {
        let Some(client) = self.readings.get(&connection).and_then(|reading| reading.sender) else { return };
        let platform = self.sender(PLATFORM.to_owned());
        let message = self.publish_message(at, connection, platform, publish, topic.to_owned(), 0);
        if let Some(track) = self.tracks.get_mut(&client) {
            track.offer(message, publish.qos());
        }
    }
}

impl Devices {
    /// This carries a connection, so a login that says otherwise is wrong.
    pub(super) fn carried(&mut self, connection: ConnectionId, transport: Transport) {
        self.transports.insert(connection, transport);
    }

    /// Who a CONNECT is, and what is wrong with that; `disabled` are those that the cloud side has disabled. Of several things a
    /// server may name any; the first of these is what servers look at first: who it is, before how often it comes.
    pub(super) fn connects(
        &mut self,
        profile: &Profile,
        disabled: &BTreeSet<Device>,
        at: Millis,
        connection: ConnectionId,
        connect: &Connect,
        version: ProtocolVersion,
    ) -> Login {
        let mut login = Login::read(profile, connect, version, self.transports.get(&connection).copied());
        if let Some(registry) = profile.registry() {
            login.offence = login.offence.or_else(|| self.secrets.check(registry, connect, &login.identity));
        }
        if let Some(device) = login.identity.device() {
            login.offence = login.offence.or(disabled.contains(device).then_some(Offence::DeviceDisabled));
            if login.offence.is_none() {
                self.secrets.logs_in(device);
            }
            let history = self.devices.entry(device.clone()).or_default();
            let limit = profile.limits().connects_per_minute;
            let is_hasty = limit.is_some_and(|limit| history.connects.exceeds(at, limit, MINUTE));
            // N-VER-1.
            let steps_back = history.has_used_5_0 && !version.has_properties();
            history.has_used_5_0 |= version.has_properties() && login.offence.is_none();
            let may_step_back = profile.reactions(Offence::VersionSteppedBack, version).contains(&Reaction::Accept);
            login.offence = login
                .offence
                .or((steps_back && !may_step_back).then_some(Offence::VersionSteppedBack))
                .or(is_hasty.then_some(Offence::ConnectRateExceeded));
        }
        if let (Identity::Registration(device), None, Some(_)) = (&login.identity, login.offence, profile.registry())
            && let Some(registration) = connect.client_id.parse().ok().as_ref().and_then(Registration::of)
        {
            self.registering.insert(connection, (registration, device.clone()));
        }
        let known =
            Known { identity: login.identity.clone(), extras: login.extras, client_id: connect.client_id.to_string() };
        self.logins.insert(connection, known);
        login
    }

    /// The connections of other devices that have the Client Identifier of this one.
    pub(super) fn sharing(&self, connection: ConnectionId) -> Vec<ConnectionId> {
        let Some(known) = self.logins.get(&connection) else { return Vec::new() };
        let name = |known: &Known| known.client_id.split('|').next().unwrap_or_default().to_owned();
        let own = name(known);
        if own.is_empty() || known.identity.device().is_none() {
            return Vec::new();
        }
        let is_other = |other: &Known| other.identity.device().is_some() && other.identity != known.identity;
        let shares = |(_, other): &(&ConnectionId, &Known)| is_other(other) && name(other) == own;
        self.logins.iter().filter(shares).map(|(connection, _)| *connection).collect()
    }

    /// What is wrong with a PUBLISH because of who sends it, and how often. What is refused counts like all others: a server may
    /// look at the rate first.
    pub(super) fn publishes(
        &mut self,
        profile: &Profile,
        at: Millis,
        connection: ConnectionId,
        publish: &Publish,
        topic: &str,
    ) -> Vec<Offence> {
        let Some(Known { identity, .. }) = self.logins.get(&connection) else { return Vec::new() };
        let is_foreign = !permission::may_publish(profile, identity, topic);
        let is_answer = !is_foreign && publish.qos() == Qos::AtLeastOnce && rrpc::is_answer(profile, identity, topic);
        let history = identity.device().and_then(|device| self.devices.get_mut(device));
        let is_hurried = history.zip(profile.limits().uplink_per_second).is_some_and(|(history, limits)| {
            let kind = usize::from(publish.qos() > Qos::AtMostOnce);
            history.uplink[kind].exceeds(at, limits[kind], SECOND)
        });
        let offences = [
            is_foreign.then_some(Offence::TopicNotPermitted),
            is_answer.then_some(Offence::RrpcAnswerQos),
            is_hurried.then_some(Offence::UplinkRateExceeded),
        ];
        offences.into_iter().flatten().collect()
    }

    /// What is wrong with a filter because of who subscribes.
    pub(super) fn subscribes(&self, profile: &Profile, connection: ConnectionId, filter: &str) -> Option<Offence> {
        let identity = &self.logins.get(&connection)?.identity;
        let filter: TopicFilter = filter.parse().ok()?;
        (!permission::may_subscribe(profile, identity, &filter)).then_some(Offence::TopicNotPermitted)
    }

    /// Whether what is published to this topic may be taken by the platform itself, so that no subscriber gets it.
    pub(super) fn may_be_consumed(&self, profile: &Profile, connection: ConnectionId, topic: &str) -> bool {
        let is_device = self.logins.get(&connection).is_some_and(|known| known.identity.device().is_some());
        is_device && profile.has(Feature::DeviceLogin) && permission::is_consumed(profile, topic)
    }

    /// A PUBLISH comes to this connection: it may bring a device what it registered for.
    pub(super) fn learns(&mut self, connection: ConnectionId, topic: &str, payload: &[u8]) {
        if let Some(Known { identity: Identity::Registration(_), .. }) = self.logins.get(&connection) {
            self.secrets.learn(topic, payload);
            self.registering.remove(&connection);
        }
    }

    /// The connections that were right to ask for a secret or token, and have none yet.
    pub(super) fn registering(&self) -> impl Iterator<Item = (ConnectionId, Registration, &Device)> {
        self.registering.iter().map(|(connection, (registration, device))| (*connection, *registration, device))
    }

    /// The device on a connection, and what it asked for at its login.
    pub(super) fn on(&self, connection: ConnectionId) -> Option<(&Device, Extras)> {
        let known = self.logins.get(&connection)?;
        known.identity.device().map(|device| (device, known.extras))
    }

    /// Whether a PUBLISH to this connection may have been pushed: it needs no subscription.
    ///
    /// # Errors
    /// When nothing on this topic may come to the device at all.
    pub(super) fn receives(&self, profile: &Profile, connection: ConnectionId, topic: &str) -> Result<bool, Breach> {
        let Some(Known { identity, .. }) = self.logins.get(&connection) else { return Ok(false) };
        permission::check_delivery(profile, identity, topic)?;
        Ok(permission::may_be_pushed(profile, identity, topic))
    }
}
