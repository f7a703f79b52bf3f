//! Where a script and a permitted server meet: streams in memory, and the moments at which the server may act.
//!
//! ```text
//!   player ◄── `client_end`: streams ──► `scene`: what has come and gone ◄──► permitted server
//!                                           │
//!                                           └── `Cut`: which of these next?
//! ```
//!
//! The server acts when nothing else can happen: the runtime is about to park, so the player waits for something. It may do
//! one of its moves, or rest; after a rest time goes on to the next timer, the player's or the server's own.
//!
//! **One order of what commutes.** While the player looks at some connections, what the server does on those ends its turn:
//! the player may go on. What it does for other sessions nobody sees yet. It could as well be done later, so such
//! deeds only prepare a rest, which needs them, and they come in the order of the sessions.

mod client_end;
mod scene;

use crate::case::Location;
use crate::target::{Attention, Counterpart};
use crate::trace::ConnectionId;
use crate::wire::Stream;
use client_end::ClientEnd;
use model::cloud::{Answer, PlatformMessage, Request};
use model::device::Transport;
use model::judge::Observation;
use model::permitted::{Move, PermittedServer};
use scene::{Link, Scene};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

/// What a server does at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Deed {
    /// It says something, or closes.
    Move(Move),
    /// It leaves it at that, until its own time comes or the client does something.
    Rest {
        /// When time alone changes what it may do, in milliseconds.
        until: Option<u64>,
    },
}

/// Why a run was cut.
#[derive(Debug)]
pub(super) enum Cut {
    /// The server may do any of these.
    Question(Box<Question>),
    /// There is nothing that it may do, nor may it rest: it has broken its word before.
    DeadEnd,
    /// Nobody can say what it may do, and why.
    Lost(String),
}

/// What the server may do, at a moment that can be told from others.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) fingerprint: u64,
    /// All that it has done so far.
    pub(super) tape: Vec<Deed>,
    pub(super) server: PermittedServer,
    /// Two at least.
    pub(super) options: Vec<Deed>,
}

/// Where a run takes place.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    scene: Arc<Mutex<Scene>>,
    /// Something has changed that the director should know: the run is cut, or the server wants to be woken.
    pub(super) changed: Arc<Notify>,
}

impl Stage {
    /// A stage on which `server` has done all of `tape` but the last deed. Needs a running runtime whose clock is paused.
    pub(super) fn new(server: PermittedServer, tape: &[Deed]) -> Stage {
        Stage { scene: Arc::new(Mutex::new(Scene::new(server, tape))), changed: Arc::new(Notify::new()) }
    }

    /// The player waits: the server may act.
    pub(super) fn idle(&self) {
        let mut scene = self.scene();
        if scene.cut.is_some() {
            return;
        }
        scene.act();
        if scene.cut.is_some() || scene.wake_at.is_some() {
            self.changed.notify_one();
        }
    }

    /// Why the run was cut, if it was.
    pub(super) fn take_cut(&self) -> Option<Cut> {
        self.scene().cut.take()
    }

    /// When the server wants to be woken.
    pub(super) fn take_alarm(&self) -> Option<Instant> {
        let mut scene = self.scene();
        let at = scene.wake_at.take()?;
        Some(scene.start + Duration::from_millis(at))
    }

    /// The server, and all that it has done.
    pub(super) fn outcome(&self) -> (PermittedServer, u64) {
        let scene = self.scene();
        (scene.server.clone(), scene.now())
    }

    fn scene(&self) -> MutexGuard<'_, Scene> {
        // Every change leaves the scene whole: a panic elsewhere cannot have left it half changed.
        self.scene.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counterpart for Stage {
    fn connect(&self, transport: Transport) -> Box<dyn Stream> {
        let mut scene = self.scene();
        let connection = scene.open(Link { carries_packets: true, ..Link::default() });
        scene.hear(connection, Observation::Opened);
        scene.hear(connection, Observation::Carried(transport));
        Box::new(ClientEnd { stage: self.clone(), connection, is_closed: false })
    }

    fn ask(&self, request: &Request, in_order: bool) -> oneshot::Receiver<Answer> {
        let mut scene = self.scene();
        let (sender, receiver) = oneshot::channel();
        let connection = scene.open(Link { asking: Some(sender), ..Link::default() });
        scene.hear(connection, Observation::Asked { request, in_order });
        receiver
    }

    fn consume(&self) -> mpsc::UnboundedReceiver<PlatformMessage> {
        let mut scene = self.scene();
        let (sender, receiver) = mpsc::unbounded_channel();
        let connection = scene.open(Link { consuming: Some(sender), ..Link::default() });
        scene.hear(connection, Observation::Consumes);
        receiver
    }

    fn settle(&self, connection: ConnectionId, message_id: &str, is_accepted: bool) {
        self.scene().hear(connection, Observation::Settled { message_id, is_accepted });
    }

    fn stop_consuming(&self, connection: ConnectionId) {
        self.scene().hear(connection, Observation::ClosedByClient);
    }

    fn attend(&self, step: &Location, attention: Attention) {
        self.scene().attend(step, attention);
    }
}
