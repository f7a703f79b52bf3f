//! Where a script and a permitted server meet: streams in memory, and the moments at which the server may act.
//!
//! The server acts when nothing else can happen: the runtime is about to park, so the player waits for something. It may do
//! one of its moves, or rest; after a rest time goes on to the next timer, the player's or the server's own.
//!
//! **One order of what commutes.** While the player looks at some connections, what the server does on those ends its turn:
//! the player may go on. What it does for other sessions nobody sees yet. It could as well be done later, so such
//! deeds only prepare a rest, which needs them, and they come in the order of the sessions.

use crate::case::Location;
use crate::target::Counterpart;
use crate::trace::ConnectionId;
use crate::wire::Stream;
use model::cloud::{Answer, PlatformMessage, Request};
use model::device::Transport;
use model::judge::Observation;
use model::permitted::{Move, PermittedServer, Said};
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
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

#[derive(Debug)]
struct Scene {
    start: Instant,
    links: BTreeMap<ConnectionId, Link>,
    /// What is played again; the last of it is new to the server.
    given: VecDeque<Deed>,
    /// All deeds so far.
    done: Vec<Deed>,
    server: PermittedServer,
    /// The steps that the player has begun, and when the last one began.
    script: DefaultHasher,
    step_began: u64,
    watched: BTreeSet<ConnectionId>,
    /// The session that the server does something for which nobody sees yet.
    preparing: Option<Move>,
    rested_at: Option<u64>,
    wake_at: Option<u64>,
    cut: Option<Cut>,
}

/// One connection.
#[derive(Debug, Default)]
struct Link {
    to_client: VecDeque<u8>,
    /// The client sends nothing more, and waits for the server's end.
    is_half_closed: bool,
    is_over: bool,
    reader: Option<Waker>,
    /// What came from the server, and when.
    received: DefaultHasher,
    /// Who waits for the answer to a request, if this is one.
    asking: Option<oneshot::Sender<Answer>>,
    /// Who gets messages of devices, if this is for them.
    consuming: Option<mpsc::UnboundedSender<PlatformMessage>>,
}

/// The most deeds of one run: no script needs so many, but a server might talk for ever.
const MOST_DEEDS: usize = 600;

impl Stage {
    /// A stage on which `server` has done all of `tape` but the last deed. Needs a running runtime whose clock is paused.
    pub(super) fn new(server: PermittedServer, tape: &[Deed]) -> Stage {
        let scene = Scene {
            start: Instant::now(),
            links: BTreeMap::new(),
            given: tape.iter().cloned().collect(),
            done: Vec::new(),
            server,
            script: DefaultHasher::new(),
            step_began: 0,
            watched: BTreeSet::new(),
            preparing: None,
            rested_at: None,
            wake_at: None,
            cut: None,
        };
        Stage { scene: Arc::new(Mutex::new(scene)), changed: Arc::new(Notify::new()) }
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
        let connection = ConnectionId(u32::try_from(scene.links.len()).unwrap_or(u32::MAX));
        scene.links.insert(connection, Link::default());
        scene.hear(connection, Observation::Opened);
        scene.hear(connection, Observation::Carried(transport));
        Box::new(ClientEnd { stage: self.clone(), connection, is_closed: false })
    }

    fn ask(&self, request: &Request, in_order: bool) -> oneshot::Receiver<Answer> {
        let mut scene = self.scene();
        let (sender, receiver) = oneshot::channel();
        let connection = ConnectionId(u32::try_from(scene.links.len()).unwrap_or(u32::MAX));
        scene.links.insert(connection, Link { asking: Some(sender), ..Link::default() });
        scene.hear(connection, Observation::Asked { request, in_order });
        receiver
    }

    fn consume(&self) -> mpsc::UnboundedReceiver<PlatformMessage> {
        let mut scene = self.scene();
        let (sender, receiver) = mpsc::unbounded_channel();
        let connection = ConnectionId(u32::try_from(scene.links.len()).unwrap_or(u32::MAX));
        scene.links.insert(connection, Link { consuming: Some(sender), ..Link::default() });
        scene.hear(connection, Observation::Consumes);
        receiver
    }

    fn settle(&self, connection: ConnectionId, message_id: &str, is_accepted: bool) {
        self.scene().hear(connection, Observation::Settled { message_id, is_accepted });
    }

    fn stop_consuming(&self, connection: ConnectionId) {
        self.scene().hear(connection, Observation::ClosedByClient);
    }

    fn attend(&self, step: &Location, watched: BTreeSet<ConnectionId>) {
        let mut scene = self.scene();
        (step.line, step.column).hash(&mut scene.script);
        scene.step_began = scene.now();
        scene.watched = watched;
        scene.preparing = None;
    }
}

impl Scene {
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether the server is to learn what happens: what is played again it knows.
    fn is_live(&self) -> bool {
        self.given.is_empty()
    }

    /// A client does something.
    fn hear(&mut self, connection: ConnectionId, what: Observation<'_>) {
        let now = self.now();
        self.rested_at = None;
        self.preparing = None;
        if self.is_live() {
            self.server.observe(now, connection, what);
        }
    }

    fn act(&mut self) {
        let now = self.now();
        if self.rested_at == Some(now) {
            return;
        }
        if let Some(deed) = self.given.pop_front() {
            if self.is_live() {
                self.server.pass_time(now);
                self.tell_server(&deed);
            }
            self.perform(deed);
            return;
        }
        self.server.pass_time(now);
        if let Some(deed) = self.farewell(now) {
            self.tell_server(&deed);
            self.perform(deed);
            return;
        }
        if self.done.len() >= MOST_DEEDS {
            self.cut = Some(Cut::Lost(format!("the server does more than {MOST_DEEDS} things in one run")));
            return;
        }
        let mut options: Vec<Deed> = self.moves(now).into_iter().map(Deed::Move).collect();
        let mut rested = self.server.clone();
        if rested.rest(now) {
            options.push(Deed::Rest { until: rested.next_turn(now) });
        }
        if let Some(why) = self.server.overflow() {
            self.cut = Some(Cut::Lost(why));
            return;
        }
        match options.len() {
            0 => self.cut = Some(Cut::DeadEnd),
            1 => {
                for deed in options {
                    self.tell_server(&deed);
                    self.perform(deed);
                }
            }
            _ => {
                let question = Question {
                    fingerprint: self.fingerprint(now),
                    tape: std::mem::take(&mut self.done),
                    server: self.server.clone(),
                    options,
                };
                self.cut = Some(Cut::Question(Box::new(question)));
            }
        }
    }

    /// A client that has said DISCONNECT has ended its direction of a connection: a server that may close does.
    fn farewell(&self, now: u64) -> Option<Deed> {
        let mut waiting = self.links.iter().filter(|(_, link)| link.is_half_closed && !link.is_over).peekable();
        waiting.peek()?;
        let moves = self.server.moves(now);
        let close = |connection: ConnectionId| {
            moves.iter().find(|one| one.connection == connection && one.said == Said::Close).cloned()
        };
        waiting.find_map(|(connection, _)| close(*connection)).map(Deed::Move)
    }

    /// What the server may do, of what commutes only what comes first.
    fn moves(&self, now: u64) -> Vec<Move> {
        let mut moves = self.server.moves(now);
        if let Some(before) = &self.preparing {
            moves.retain(|one| !self.watched.contains(&one.connection) && one.session >= before.session);
        }
        moves
    }

    fn tell_server(&mut self, deed: &Deed) {
        let now = self.now();
        match deed {
            Deed::Move(one) => self.server.make(now, one),
            Deed::Rest { .. } => drop(self.server.rest(now)),
        }
    }

    fn perform(&mut self, deed: Deed) {
        let now = self.now();
        match &deed {
            Deed::Rest { until } => {
                self.rested_at = Some(now);
                self.wake_at = *until;
                self.preparing = None;
            }
            Deed::Move(one) => {
                self.rested_at = None;
                self.preparing = (!self.watched.contains(&one.connection)).then(|| one.clone());
                if let Some(link) = self.links.get_mut(&one.connection) {
                    (now, &one.said).hash(&mut link.received);
                    match &one.said {
                        Said::Packet(bytes) => link.to_client.extend(bytes),
                        Said::Close => link.is_over = true,
                        Said::Message(message) => {
                            if let Some(consuming) = &link.consuming {
                                let _ = consuming.send(PlatformMessage::clone(message));
                            }
                        }
                        Said::Answer(answer) => {
                            if let Some(asking) = link.asking.take() {
                                // A player that has gone on does not wait for it any more.
                                let _ = asking.send(Answer::clone(answer));
                            }
                        }
                    }
                    if let Some(reader) = link.reader.take() {
                        reader.wake();
                    }
                }
            }
        }
        self.done.push(deed);
    }

    fn fingerprint(&self, now: u64) -> u64 {
        let mut all = DefaultHasher::new();
        (now, self.script.finish(), self.step_began, &self.watched).hash(&mut all);
        self.preparing.as_ref().map(|before| before.session).hash(&mut all);
        for (connection, link) in &self.links {
            (connection, link.received.finish()).hash(&mut all);
        }
        self.server.fingerprint(&mut all);
        all.finish()
    }
}

/// The client's end of a connection.
#[derive(Debug)]
struct ClientEnd {
    stage: Stage,
    connection: ConnectionId,
    is_closed: bool,
}

impl ClientEnd {
    /// The client ends the connection, in both directions: what the server may still send is not seen.
    fn close(&mut self) {
        if !std::mem::replace(&mut self.is_closed, true) {
            let mut scene = self.stage.scene();
            let Some(link) = scene.links.get_mut(&self.connection) else { return };
            let was_open = !std::mem::replace(&mut link.is_over, true);
            if let Some(reader) = link.reader.take() {
                reader.wake();
            }
            if was_open {
                scene.hear(self.connection, Observation::ClosedByClient);
            }
        }
    }
}

impl AsyncRead for ClientEnd {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut scene = self.stage.scene();
        let Some(link) = scene.links.get_mut(&self.connection) else { return Poll::Ready(Ok(())) };
        if link.to_client.is_empty() && !link.is_over {
            link.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let length = link.to_client.len().min(buffer.remaining());
        let bytes: Vec<u8> = link.to_client.drain(..length).collect();
        buffer.put_slice(&bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClientEnd {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut scene = self.stage.scene();
        if scene.links.get(&self.connection).is_none_or(|link| link.is_over) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        scene.hear(self.connection, Observation::Sent(bytes));
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(link) = self.stage.scene().links.get_mut(&self.connection) {
            link.is_half_closed = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for ClientEnd {
    fn drop(&mut self) {
        self.close();
    }
}
