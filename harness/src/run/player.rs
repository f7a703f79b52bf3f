//! Plays the script of one variant.

use super::cloud::Asked;
use super::consume::Consuming;
use super::expect::{End, unreadable};
use super::fence::DISCONNECT;
use super::misframed::misframed;
use super::verdict::{Finding, SilenceMeans, StepReference};
use crate::case::{
    AMQP, Action, Credentials, Elapse, Expectation, FrameKind, Roster, Scope, Step, Transport, Variant, Window,
};
use crate::cloud::{Business, CloudTarget, Signer};
use crate::fault::{Interference, Proxy, Traffic};
use crate::target::{Peer, Scheme};
use crate::trace::{ConnectionId, Recorder, Trace, What};
use crate::wire::{Connection, Inbox, SendError};
use model::packet::{Packet, PacketType};
use model::profile::Profile;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// How late something may come in real time after its window: the machine, not the peer, is to blame then.
pub(super) const LATE: Duration = Duration::from_millis(500);

/// How early: clocks count in steps. MQTT's timers count whole seconds.
pub(super) const EARLY: Duration = Duration::from_millis(100);

/// How long a peer may take over the ends of connections whose variant is decided: nothing depends on it.
const PARTING: Duration = Duration::from_secs(1);

/// How long a server has to show that it has taken a DISCONNECT.
const TAKEN_WITHIN: Duration = Duration::from_millis(250);

/// Under what conditions variants are played.
#[derive(Debug, Clone)]
pub struct Conditions {
    /// User name and password of all actors.
    pub credentials: Credentials,
    /// How long an answer may take if the script says nothing else.
    pub timeout: Duration,
    /// What stands between the harness and its peer.
    pub interference: Interference,
    /// The cloud side of a peer in a network, if it has one.
    pub cloud: Option<CloudTarget>,
    /// What carries the connections to an embedded broker.
    pub scheme: Scheme,
}

/// How long an answer may take if nobody says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

impl Default for Conditions {
    fn default() -> Conditions {
        Conditions {
            credentials: Credentials::default(),
            timeout: DEFAULT_TIMEOUT,
            interference: Interference::None,
            scheme: Scheme::Mqtt,
            cloud: None,
        }
    }
}

/// What playing a script brought.
#[derive(Debug)]
pub(super) struct Played {
    /// How it ended.
    pub(super) ending: Result<(), Halt>,
    /// What else was wrong with what the peer sent.
    pub(super) findings: Vec<Finding>,
    pub(super) silence: BTreeSet<SilenceMeans>,
    pub(super) trace: Trace,
    /// How many events of the trace there were when the script had ended and nothing was under way any more.
    pub(super) scripted: usize,
    /// What `$t` stood for, for one actor or another.
    pub(super) topics: Vec<String>,
    /// The peer got bytes that no client may send, or ended a connection that the client had not ended.
    pub(super) suspicious: bool,
    /// Whether what stood in between did anything; none if nothing did.
    pub(super) interfered: Option<bool>,
    /// What it saw pass.
    pub(super) traffic: Traffic,
}

/// Why a script cannot go on.
#[derive(Debug)]
pub(super) enum Halt {
    /// An expectation does not hold.
    Finding(Box<Finding>),
    /// It cannot be decided.
    Inconclusive(String),
    /// The harness or its surroundings failed.
    Error(String),
}

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

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    /// CONNECT: on a new connection, if the client is done with the old one; over this, if the script says so.
    Connect(Option<model::device::Transport>),
    /// Another packet, or bytes.
    Bytes,
    /// A WebSocket text frame.
    Text,
}

/// An actor with its connection.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) connection: Connection,
    /// The server accepted its CONNECT.
    pub(super) accepted: bool,
    /// The script knows that the connection is closed.
    pub(super) knows_closed: bool,
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

    /// More time than a step can take if all of its waits use up their own: a net that nothing should fall into.
    fn bound(&self, step: &Step) -> Duration {
        // A silence is the longest of all: two rounds of other connections, a fresh one and its own.
        let waits = 8 * self.timeout;
        match &step.action {
            Action::Elapse(elapse) => elapse.duration(self.keep_alive) + waits,
            Action::Expect { within: Some(window), .. } => window.latest + LATE + waits,
            Action::AnyOrder(steps) => steps.iter().map(|step| self.bound(step)).sum::<Duration>() + waits,
            Action::Either(branches) => {
                branches.iter().flatten().map(|step| self.bound(step)).sum::<Duration>() + waits
            }
            _ => waits,
        }
    }

    pub(super) fn steps<'b>(
        &'b mut self,
        steps: &'b [Step],
    ) -> Pin<Box<dyn Future<Output = Result<(), Halt>> + Send + 'b>> {
        Box::pin(async move {
            for step in steps {
                let bound = self.bound(step);
                let began = Instant::now();
                self.peer.attend(&step.location, || self.watched(step));
                match timeout(bound, self.step(step)).await {
                    Ok(done) => done?,
                    Err(_) => return Err(self.error(step, &format!("it took more than {} s", bound.as_secs()))),
                }
                self.mark = Instant::now();
                match step.action {
                    Action::Expect { .. } | Action::AnyOrder(_) | Action::Either(_) => {}
                    Action::Elapse(_) => self.deed = self.mark,
                    _ => self.deed = began,
                }
            }
            Ok(())
        })
    }

    /// The connections that a step looks at before it lets time pass.
    fn watched(&self, step: &Step) -> BTreeSet<ConnectionId> {
        let of = |actor: &str| self.actors.get(actor).map(|actor| actor.connection.id());
        match &step.action {
            Action::Expect { expectation: Expectation::Silence, .. } => BTreeSet::new(),
            Action::Expect { expectation: Expectation::Answer(_), .. } => self.asked.open().collect(),
            Action::Expect { expectation: Expectation::Message(_), .. } => {
                self.consuming.connection().into_iter().collect()
            }
            Action::Expect { actor, .. } => of(actor).into_iter().collect(),
            Action::AnyOrder(steps) => steps.iter().flat_map(|step| self.watched(step)).collect(),
            Action::Either(branches) => branches.iter().flatten().flat_map(|step| self.watched(step)).collect(),
            Action::Opens { .. }
            | Action::Drops { .. }
            | Action::Ask { .. }
            | Action::Settle { .. }
            | Action::Send { .. }
            | Action::SendBytes { .. }
            | Action::Elapse(_) => BTreeSet::new(),
        }
    }

    async fn step(&mut self, step: &Step) -> Result<(), Halt> {
        match &step.action {
            Action::Opens { actor } if actor == AMQP => self.consume().await,
            Action::Drops { actor } if actor == AMQP => {
                self.stop_consuming();
                Ok(())
            }
            Action::Opens { actor } => {
                self.leave(actor).await;
                self.open(actor, None).await
            }
            Action::Drops { actor } => {
                self.leave(actor).await;
                Ok(())
            }
            Action::Send { actor, template } => {
                self.note();
                let built = template
                    .build(&mut self.scope, actor, self.variant.version)
                    .map_err(|error| self.error(step, &error))?;
                self.suspicious |= built.packet.is_none();
                self.keep_alive = built.keep_alive.unwrap_or(self.keep_alive);
                let sending = match template.packet_type() {
                    PacketType::Connect => Sending::Connect(template.transport()),
                    _ => Sending::Bytes,
                };
                self.send(step, actor, &built.bytes, sending).await?;
                if template.packet_type() == PacketType::Disconnect {
                    self.let_disconnect_arrive(actor).await;
                }
                Ok(())
            }
            Action::SendBytes { actor, bytes, frame } => {
                self.note();
                self.scope.acts(actor);
                let bytes = bytes.build(&self.scope).map_err(|error| self.error(step, &error))?;
                self.suspicious = true;
                match frame {
                    FrameKind::Binary => self.send(step, actor, &bytes, Sending::Bytes).await,
                    FrameKind::Text => self.send(step, actor, &bytes, Sending::Text).await,
                }
            }
            Action::Ask { template, bind } => {
                self.note();
                self.ask(step, template, bind.as_deref())
            }
            Action::Settle { message, settlement } => self.settle_message(step, message.as_deref(), *settlement),
            Action::Expect { actor, expectation, within, bind } => {
                self.expect(step, actor, expectation, *within, bind.as_deref()).await
            }
            Action::Elapse(elapse) => {
                self.elapse(*elapse).await;
                Ok(())
            }
            Action::AnyOrder(steps) => self.any_order(step, steps).await,
            Action::Either(branches) => self.either(step, branches).await,
        }
    }

    async fn elapse(&mut self, elapse: Elapse) {
        self.note();
        sleep(elapse.duration(self.keep_alive)).await;
    }

    async fn expect(
        &mut self,
        step: &Step,
        actor: &str,
        expectation: &Expectation,
        within: Option<Window>,
        bind: Option<&str>,
    ) -> Result<(), Halt> {
        self.scope.acts(actor);
        match expectation {
            Expectation::Packet(pattern) => self.expect_packet(step, actor, pattern, within, bind).await,
            Expectation::Silence => self.expect_silence(step, actor).await,
            Expectation::Closed => self.expect_closed(step, actor, within).await,
            Expectation::Rejected(offence) => self.expect_rejected(step, actor, *offence, within).await,
            Expectation::Answer(pattern) => self.expect_answer(step, pattern, within, bind).await,
            Expectation::Message(pattern) => self.expect_message(step, pattern, within, bind).await,
        }
    }

    /// The number of a connection that is opened now.
    pub(super) fn next_connection(&mut self) -> ConnectionId {
        let id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        id
    }

    pub(super) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// What is notified when something comes in.
    pub(super) fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }

    /// Opens a connection for `actor`.
    pub(super) async fn open(&mut self, actor: &str, over: Option<model::device::Transport>) -> Result<(), Halt> {
        let deadline = Instant::now() + self.timeout;
        let wanted: Vec<Transport> = self.variant.transport.into_iter().chain(over.map(Transport::from)).collect();
        let opened = match timeout_at(deadline, self.peer.connect(&wanted)).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) => return Err(Halt::Error(format!("cannot open a connection for `{actor}`: {error}"))),
            Err(_) => return Err(Halt::Error(format!("cannot open a connection for `{actor}` in time"))),
        };
        let stream = match &self.proxy {
            Some(proxy) => {
                if opened.frames.is_some() {
                    proxy.note_web_socket();
                }
                proxy.interpose(opened.stream)
            }
            None => opened.stream,
        };
        let id = self.next_connection();
        let (recorder, changed) = (self.recorder.clone(), Arc::clone(&self.changed));
        let connection = Connection::open(stream, opened.frames, id, actor, self.variant.version, recorder, changed);
        self.recorder.record(id, What::Carried(self.peer.carries(&wanted)));
        self.actors.insert(actor.to_owned(), Actor { connection, accepted: false, knows_closed: false });
        Ok(())
    }

    /// Sends on the actor's connection; opens one if there is none, or if the client or the script is done with it.
    pub(super) async fn send(&mut self, step: &Step, actor: &str, bytes: &[u8], what: Sending) -> Result<(), Halt> {
        let needs_connection = self.actors.get(actor).is_none_or(|actor| {
            let is_over = actor.connection.is_over();
            actor.knows_closed && is_over
                || matches!(what, Sending::Connect(_)) && (is_over || actor.connection.said_disconnect())
        });
        if needs_connection {
            self.leave(actor).await;
            let over = if let Sending::Connect(over) = what { over } else { None };
            self.open(actor, over).await?;
        }
        let written = match what {
            Sending::Connect(_) | Sending::Bytes => self.write(actor, bytes).await,
            Sending::Text => self.write_text(actor, bytes).await,
        };
        match written {
            // What the closed connection means, the next expectation says.
            Ok(()) | Err(SendError::Closed(_)) => Ok(()),
            Err(error @ SendError::NotRead) => {
                let seen = format!("{error} within {} s", self.timeout.as_secs_f64());
                Err(self.finding(step, Some(actor), "the peer does not read", &step.text, &seen))
            }
        }
    }

    /// Gives the server a moment to take a DISCONNECT, which its close shows: what others send meanwhile could still go to
    /// this connection, and what came of the case would be an accident. No server owes the close.
    async fn let_disconnect_arrive(&mut self, actor: &str) {
        if self.is_virtual() {
            return;
        }
        let actor = actor.to_owned();
        let deadline = Instant::now() + TAKEN_WITHIN;
        self.wait(deadline, |player| player.actors.get(&actor).is_none_or(|it| it.connection.is_over()).then_some(()))
            .await;
    }

    pub(super) async fn write(&mut self, actor: &str, bytes: &[u8]) -> Result<(), SendError> {
        let deadline = Instant::now() + self.timeout;
        match self.actors.get_mut(actor) {
            Some(actor) if !actor.connection.is_over() => actor.connection.send(bytes, deadline).await,
            _ => Ok(()),
        }
    }

    async fn write_text(&mut self, actor: &str, bytes: &[u8]) -> Result<(), SendError> {
        let deadline = Instant::now() + self.timeout;
        match self.actors.get_mut(actor) {
            Some(actor) if !actor.connection.is_over() => actor.connection.send_text(bytes, deadline).await,
            _ => Ok(()),
        }
    }

    /// Ends the actor's connection, if it has one.
    pub(super) async fn leave(&mut self, actor: &str) {
        if let Some(actor) = self.actors.remove(actor) {
            self.examine(&actor.connection);
            if actor.connection.said_disconnect() {
                actor.connection.close(Instant::now() + PARTING).await;
            } else {
                actor.connection.abort().await;
            }
        }
    }

    /// Says DISCONNECT and closes, so that the judge sees a settled end.
    async fn part(&mut self) {
        self.stop_consuming();
        let names: Vec<String> = self.actors.keys().cloned().collect();
        for name in &names {
            let can_part = self.actors.get(name).is_some_and(|actor| actor.connection.can_ping(actor.accepted));
            if can_part {
                // A peer that is quicker, or does not read, is left without a word.
                let _ = self.write(name, &DISCONNECT).await;
            }
        }
        for name in &names {
            self.leave(name).await;
        }
    }

    /// Waits until `look` finds something, at most until `deadline`.
    pub(super) async fn wait<T>(
        &mut self,
        deadline: Instant,
        mut look: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let changed = Arc::clone(&self.changed);
        loop {
            let mut notified = pin!(changed.notified());
            // From here on nothing is missed, also what comes while we look.
            notified.as_mut().enable();
            self.note();
            let found = look(self);
            if found.is_some() || Instant::now() >= deadline {
                return found;
            }
            // When time is up we look once more: time passes in the middle of events.
            let _ = timeout_at(deadline, notified).await;
        }
    }

    /// Takes note of what came in: the scope needs it in the order of arrival.
    pub(super) fn note(&mut self) {
        for (name, actor) in &mut self.actors {
            let mut accepted = actor.accepted;
            for arrived in actor.connection.inbox().packets.iter_mut().filter(|arrived| !arrived.noted) {
                arrived.noted = true;
                self.scope.received(name, &arrived.packet);
                if let Packet::Connack(connack) = &arrived.packet {
                    accepted |= connack.code.is_accepted();
                    // A Server Keep Alive replaces the client's own (MQTT-3.1.2-21 of 5.0).
                    self.keep_alive = connack.properties.server_keep_alive.unwrap_or(self.keep_alive);
                }
            }
            actor.accepted = accepted;
        }
    }

    /// Reports bytes that are no MQTT, and floods, if no expectation has met them: they fail a variant by themselves. And
    /// frames that carry no MQTT.
    fn examine(&mut self, connection: &Connection) {
        self.findings.extend(misframed(connection, self.recorder.elapsed()));
        let inbox = connection.inbox();
        self.suspicious |= inbox.closed.is_some() && !connection.said_disconnect();
        self.findings.extend(unreadable(&inbox).map(|End { what, statements }| Finding {
            statements,
            step: None,
            at: self.recorder.elapsed(),
            connection: Some(connection.id()),
            what: what.clone(),
            expected: format!("packets of MQTT {}", self.variant.version),
            seen: what,
            bytes: Vec::new(),
        }));
    }

    /// The time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.recorder.elapsed()
    }

    /// The moment from which windows count.
    pub(super) fn mark(&self) -> Instant {
        self.mark
    }

    /// The same for what must not come too early. In real time nobody knows how long an answer was under way, while a clock of
    /// the peer was running already.
    pub(super) fn earliest_mark(&self) -> Instant {
        if self.is_virtual() { self.mark } else { self.deed }
    }

    /// Whether time is virtual, so that it goes on only when nothing is under way any more.
    pub(super) fn is_virtual(&self) -> bool {
        self.peer.is_virtual() && !self.delays
    }

    /// Runs `read` on what came in for `actor`.
    pub(super) fn inbox<T>(&self, actor: &str, read: impl FnOnce(&mut Inbox) -> T) -> Option<T> {
        self.actors.get(actor).map(|actor| read(&mut actor.connection.inbox()))
    }

    /// An expectation that does not hold. It is about the statements that the variant cites.
    pub(super) fn finding(&self, step: &Step, actor: Option<&str>, what: &str, expected: &str, seen: &str) -> Halt {
        Halt::Finding(Box::new(Finding {
            statements: super::verdict::cited(&self.variant.cites),
            step: Some(reference(step)),
            at: self.recorder.elapsed(),
            connection: actor.and_then(|actor| self.actors.get(actor)).map(|actor| actor.connection.id()),
            what: what.to_owned(),
            expected: expected.to_owned(),
            seen: seen.to_owned(),
            bytes: Vec::new(),
        }))
    }

    pub(super) fn error(&self, step: &Step, error: &dyn std::fmt::Display) -> Halt {
        Halt::Error(format!("{}: {}: {error}", step.location, step.text))
    }
}

/// A step as reports name it.
pub(super) fn reference(step: &Step) -> StepReference {
    StepReference { location: step.location.clone(), text: step.text.clone() }
}
