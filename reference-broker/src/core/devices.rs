//! What the broker keeps of devices beside their sessions: how often they connect and publish, who is disabled, and what
//! was given out by registration.

use super::broker::{Core, Milliseconds};
use super::disconnect::Violation;
use super::login::Owner;
use model::device::{Device, Registry, Secret};
use model::packet::{ProtocolVersion, Qos, ReasonCode};
use std::collections::{BTreeMap, VecDeque};

const MINUTE: Milliseconds = 60_000;
const SECOND: Milliseconds = 1_000;

/// More devices than that are looked through for those that have not been there for long.
const KEPT: usize = 10_000;

/// All devices that have been there.
#[derive(Debug, Default)]
pub(super) struct Devices {
    records: BTreeMap<Device, Record>,
    /// What was given out so far, for the next to be another one.
    given_out: u64,
    /// How many records there were when they were looked through last.
    swept: usize,
}

/// What a device has done, and what was done to it.
#[derive(Debug, Default)]
struct Record {
    connects: Recent,
    /// At QoS 0 and above.
    uplink: [Recent; 2],
    has_used_5_0: bool,
    is_activated: bool,
    is_disabled: bool,
    /// The secret it registered for, in place of that in the registry (P-REG-7).
    secret: Option<Secret>,
    /// Client Identifier and token (P-REG-5).
    token: Option<(String, Secret)>,
}

/// Moments that are not long past.
#[derive(Debug, Default)]
struct Recent(VecDeque<Milliseconds>);

impl Recent {
    /// Counts a moment, unless there were as many as the limit within the time before.
    fn admits(&mut self, now: Milliseconds, limit: usize, within: Milliseconds) -> bool {
        while self.0.front().is_some_and(|&at| at + within <= now) {
            self.0.pop_front();
        }
        let admits = self.0.len() < limit;
        if admits && limit < usize::MAX {
            self.0.push_back(now);
        }
        admits
    }
}

impl Record {
    /// Whether nothing would be different without it.
    fn is_past(&self, now: Milliseconds) -> bool {
        let is_idle = self.connects.0.back().is_none_or(|&at| at + MINUTE <= now);
        let is_plain = !self.has_used_5_0 && !self.is_disabled && self.secret.is_none() && self.token.is_none();
        is_idle && is_plain && !self.is_activated
    }
}

impl Devices {
    /// The devices as a registry has them.
    pub(super) fn of(registry: &Registry) -> Devices {
        let mut devices = Devices::default();
        for (device, _) in registry.devices().filter(|(_, registered)| registered.is_disabled) {
            devices.records.entry(device).or_default().is_disabled = true;
        }
        devices
    }

    /// Counts a login; `false` if it is one too many.
    pub(super) fn connects(
        &mut self,
        device: &Device,
        version: ProtocolVersion,
        now: Milliseconds,
        limit: usize,
    ) -> bool {
        if self.records.len() > KEPT.max(2 * self.swept) {
            self.records.retain(|_, record| !record.is_past(now));
            self.swept = self.records.len();
        }
        let record = self.records.entry(device.clone()).or_default();
        if !record.connects.admits(now, limit, MINUTE) {
            return false;
        }
        record.is_activated = true;
        record.has_used_5_0 |= version.has_properties();
        true
    }

    /// Counts a PUBLISH; `false` if it is one too many (P-LIM-1).
    fn publishes(&mut self, device: &Device, qos: Qos, now: Milliseconds, limits: [usize; 2]) -> bool {
        let Some(record) = self.records.get_mut(device) else { return true };
        let kind = usize::from(qos > Qos::AtMostOnce);
        record.uplink[kind].admits(now, limits[kind], SECOND)
    }

    pub(super) fn has_used_5_0(&self, device: &Device) -> bool {
        self.records.get(device).is_some_and(|record| record.has_used_5_0)
    }

    pub(super) fn is_disabled(&self, device: &Device) -> bool {
        self.records.get(device).is_some_and(|record| record.is_disabled)
    }

    /// Whether it has logged in ever: then it cannot register again (P-REG-7).
    pub(super) fn is_activated(&self, device: &Device) -> bool {
        self.records.get(device).is_some_and(|record| record.is_activated)
    }

    /// The secret it registered for.
    pub(super) fn secret(&self, device: &Device) -> Option<&Secret> {
        self.records.get(device)?.secret.as_ref()
    }

    /// Whether this is the token of the device, with the Client Identifier that goes with it.
    pub(super) fn token_is(&self, device: &Device, client_id: &str, password: &[u8]) -> bool {
        let known = self.records.get(device).and_then(|record| record.token.as_ref());
        known.is_some_and(|(known, token)| token.is(password) && known == client_id)
    }

    /// A number that none had before.
    pub(super) fn next_number(&mut self) -> u64 {
        self.given_out += 1;
        self.given_out
    }

    /// From now on this is the secret of the device.
    pub(super) fn give_secret(&mut self, device: &Device, secret: Secret) {
        self.records.entry(device.clone()).or_default().secret = Some(secret);
    }

    /// From now on this is the token of the device.
    pub(super) fn give_token(&mut self, device: &Device, client_id: String, token: Secret) {
        self.records.entry(device.clone()).or_default().token = Some((client_id, token));
    }
}

impl Core {
    /// Takes the right to log in from a device, and ends its connection (P-RC-9).
    pub fn disable(&mut self, device: &Device) {
        self.devices.records.entry(device.clone()).or_default().is_disabled = true;
        let session = self.sessions.of_owner(&Owner::Device(device.clone()));
        if let Some(connection) = session.and_then(|id| self.sessions.find(id)?.connection) {
            self.disconnect(connection, &Violation::new(ReasonCode::AdministrativeAction, "device is disabled"));
        }
    }

    /// Gives a device the right back to log in.
    pub fn enable(&mut self, device: &Device) {
        if let Some(record) = self.devices.records.get_mut(device) {
            record.is_disabled = false;
        }
    }

    /// Whether a device keeps within its uplink rate with one more PUBLISH.
    pub(super) fn admits_uplink(&mut self, owner: &Owner, qos: Qos) -> bool {
        let limits = self.settings.limits.uplink_per_second;
        owner.device().is_none_or(|device| self.devices.publishes(device, qos, self.now, limits))
    }
}
