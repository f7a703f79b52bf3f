//! Plays the script of one variant.
//!
//! ```text
//!   steps ──`script`──► bytes ──► `actors` ──► connections ──► peer
//!             │                      │ what came in                │
//!             └── expectations ◄─────┴──── `pace`: waits ◄─────────┘
//! ```
//!
//! What each expectation looks for is told beside ([`expect`](super::expect), [`rejected`](super::rejected),
//! [`cloud`](super::cloud), [`consume`](super::consume)), silence in [`fence`](super::fence), steps within steps in
//! [`block`](super::block). What comes of the whole is [`Played`].

mod actors;
mod conditions;
mod pace;
mod played;
mod script;
mod standing;

use super::cloud::Asked;
use super::consume::Consuming;
use super::verdict::{Finding, SilenceMeans};
use crate::case::{Roster, Scope, Variant};
use crate::cloud::{Business, Signer};
use crate::fault::Proxy;
use crate::target::Peer;
use crate::trace::Recorder;
use actors::{Actor, PARTING};
use model::profile::Profile;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

pub use conditions::Conditions;
pub(super) use pace::{EARLY, LATE};
pub(super) use played::{Halt, Played};
pub(super) use script::reference;

/// Plays one variant.
pub(super) struct Player<'a> {
    pub(super) variant: &'a Variant,
    pub(super) profile: &'a Profile,
    peer: Peer,
    proxy: Option<Proxy>,
    /// Something between harness and peer takes its time.
    delays: bool,
    topics: Vec<String>,
    pub(super) timeout: Duration,
    recorder: Recorder,
    changed: Arc<Notify>,
    pub(super) scope: Scope,
    pub(super) actors: BTreeMap<String, Actor>,
    pub(super) asked: Asked,
    pub(super) consuming: Consuming,
    next_connection: u32,
    /// When the step before ended: windows are measured from here.
    mark: Instant,
    /// When the script last began to do something itself: a clock of the peer may have started then.
    deed: Instant,
    /// Keep Alive in the last CONNECT of the script, in seconds.
    keep_alive: u16,
    findings: Vec<Finding>,
    pub(super) silence: BTreeSet<SilenceMeans>,
    suspicious: bool,
}

impl<'a> Player<'a> {
    /// A player of `variant`; `unique` keeps its topics and client ids apart from those of others on the same peer.
    pub(super) fn new(
        variant: &'a Variant,
        profile: &'a Profile,
        peer: Peer,
        conditions: &Conditions,
        unique: &str,
        roster: Option<Roster>,
    ) -> Player<'a> {
        let prefix = profile.topic_prefix(unique);
        let topics = match &roster {
            Some(roster) => roster.all_topics().collect(),
            None => vec![prefix.clone()],
        };
        let (business, key) = Business::of(&peer, conditions.cloud.as_ref(), profile.registry());
        let scope = Scope::new(prefix, unique, conditions.credentials.clone()).with_devices(roster);
        Player {
            variant,
            profile,
            peer,
            proxy: Proxy::new(conditions.interference, variant.version, profile),
            delays: conditions.interference.delays(),
            timeout: conditions.timeout,
            topics,
            recorder: Recorder::start(),
            changed: Arc::new(Notify::new()),
            scope,
            actors: BTreeMap::new(),
            asked: Asked::new(business, Signer::new(key, unique)),
            consuming: Consuming::default(),
            next_connection: 0,
            mark: Instant::now(),
            deed: Instant::now(),
            keep_alive: 0,
            findings: Vec::new(),
            silence: BTreeSet::new(),
            suspicious: false,
        }
    }

    /// Plays the script to its end, shows that nothing is under way any more, and parts politely, whatever happened.
    pub(super) async fn play(mut self) -> Played {
        let steps = Arc::clone(&self.variant.steps);
        let mut ending = self.steps(&steps).await;
        let mut scripted = self.recorder.events();
        if !self.peer.ends_with_script() {
            self.timeout = self.timeout.min(PARTING.max(self.timeout / 4));
            self.await_answers().await;
            let settled = self.settle().await;
            ending = ending.and(settled);
            scripted = self.recorder.events();
            self.part().await;
        }
        Played {
            ending,
            findings: self.findings,
            silence: self.silence,
            trace: self.recorder.take(),
            scripted,
            topics: self.topics,
            suspicious: self.suspicious,
            interfered: self.proxy.as_ref().map(Proxy::acted),
            traffic: self.proxy.as_ref().map(Proxy::traffic).unwrap_or_default(),
        }
    }

    pub(super) fn recorder(&self) -> &Recorder {
        &self.recorder
    }
}
