//! The devices of a network target, lent to variants so that no two use one at the same time.

use crate::case::{DISABLED, Roster, STRANGERS, UNKNOWN, UNREGISTERED, Variant};
use model::device::{Device, Registry, Transport};
use model::profile::Profile;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a device rests after a variant: connects are counted by the minute (P-LIM-4).
const REST: Duration = Duration::from_secs(61);

/// The devices that are lent.
#[derive(Debug)]
pub struct Pool {
    registry: Arc<Registry>,
    transport: Transport,
    /// Those with a secret, and from when on they may be used, the longest free first.
    free: VecDeque<(Device, Option<Instant>)>,
    rests: bool,
    count: usize,
    disabled: Option<Device>,
    unregistered: Vec<Device>,
}

/// Why a variant has no devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shortage {
    /// Others have them; from then on some are free, if that is known.
    Later(Option<Instant>),
    /// The target has none of the kind: what it lacks.
    Never(String),
}

impl Pool {
    /// The devices of a target, which its connections reach over this transport.
    #[must_use]
    pub fn new(registry: Arc<Registry>, transport: Transport, profile: &Profile) -> Pool {
        let mut pool = Pool {
            transport,
            free: VecDeque::new(),
            rests: profile.limits().connects_per_minute.is_some(),
            count: 0,
            disabled: None,
            unregistered: Vec::new(),
            registry: Arc::clone(&registry),
        };
        for (device, known) in registry.devices() {
            match (&known.secret, known.is_disabled) {
                (_, true) => pool.disabled = Some(device),
                (Some(_), false) => pool.free.push_back((device, None)),
                (None, false) => pool.unregistered.push(device),
            }
        }
        pool.count = pool.free.len();
        pool
    }

    /// What keeps a variant from ever being played on this target, if something does.
    #[must_use]
    pub fn lacks(&self, variant: &Variant) -> Option<String> {
        let needed = variant.actors().len() + 1;
        let strangers = variant.strangers();
        let other = variant.transports().into_iter().find(|transport| *transport != self.transport);
        if let Some(transport) = other {
            let over = if transport == Transport::Encrypted { "TLS" } else { "plain TCP" };
            return Some(format!("a login is over {over}, and the target is not"));
        }
        if strangers.contains(DISABLED) && self.disabled.is_none() {
            return Some("the target file has no device that is disabled".to_owned());
        }
        if strangers.contains(UNREGISTERED) && self.unregistered.is_empty() {
            return Some("the target file has no device left that has no secret yet".to_owned());
        }
        if needed > self.count {
            return Some(format!("the target file has {} devices, and {needed} are needed", self.count));
        }
        None
    }

    /// Devices for the actors of a variant, and one more that shows silence.
    ///
    /// # Errors
    /// When there are none now, or none at all.
    pub fn lend(&mut self, variant: &Variant, fence: &str, topics: &str, unique: &str) -> Result<Roster, Shortage> {
        if let Some(why) = self.lacks(variant) {
            return Err(Shortage::Never(why));
        }
        let names: BTreeSet<&str> = variant.actors().into_iter().chain([fence]).collect();
        let now = Instant::now();
        let ready = self.free.iter().take_while(|(_, from)| from.is_none_or(|from| from <= now)).count();
        if ready < names.len() {
            return Err(Shortage::Later(self.free.get(names.len() - 1).and_then(|(_, from)| *from)));
        }
        let mut devices: BTreeMap<String, Device> = names
            .iter()
            .zip(self.free.drain(..names.len()))
            .map(|(name, (device, _))| ((*name).to_owned(), device))
            .collect();
        for stranger in STRANGERS {
            let device = match stranger {
                UNKNOWN => self.registry.products().next().map(|(key, _)| Device::new(key, format!("{unique}unknown"))),
                DISABLED => self.disabled.clone(),
                // Once it has registered it has a secret that nobody else knows.
                _ if variant.strangers().contains(UNREGISTERED) => self.unregistered.pop(),
                _ => None,
            };
            devices.extend(device.map(|device| (stranger.to_owned(), device)));
        }
        Ok(Roster::of_target(Arc::clone(&self.registry), devices, self.transport, topics, unique))
    }

    /// Takes the devices of a variant back.
    pub fn take_back(&mut self, roster: &Roster) {
        let from = self.rests.then(|| Instant::now() + REST);
        for device in roster.lent() {
            self.free.push_back((device.clone(), from));
        }
    }
}
