//! The actors' connections: opened, written to, listened to, and left.

use super::{Halt, Player};
use crate::case::{Step, Transport};
use crate::run::expect::{End, unreadable};
use crate::run::fence::DISCONNECT;
use crate::run::misframed::misframed;
use crate::run::verdict::Finding;
use crate::trace::{ConnectionId, What};
use crate::wire::{Connection, Inbox, SendError};
use model::packet::Packet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a peer may take over the ends of connections whose variant is decided: nothing depends on it.
pub(super) const PARTING: Duration = Duration::from_secs(1);

/// How long a server has to show that it has taken a DISCONNECT.
const TAKEN_WITHIN: Duration = Duration::from_millis(250);

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
pub(in crate::run) struct Actor {
    pub(in crate::run) connection: Connection,
    /// The server accepted its CONNECT.
    pub(in crate::run) accepted: bool,
    /// The script knows that the connection is closed.
    pub(in crate::run) knows_closed: bool,
}

impl Player<'_> {
    /// Opens a connection for `actor`.
    pub(in crate::run) async fn open(
        &mut self,
        actor: &str,
        over: Option<model::device::Transport>,
    ) -> Result<(), Halt> {
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

    /// The number of a connection that is opened now.
    pub(in crate::run) fn next_connection(&mut self) -> ConnectionId {
        let id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        id
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
    pub(super) async fn let_disconnect_arrive(&mut self, actor: &str) {
        if self.is_virtual() {
            return;
        }
        let actor = actor.to_owned();
        let deadline = Instant::now() + TAKEN_WITHIN;
        self.wait(deadline, |player| player.actors.get(&actor).is_none_or(|it| it.connection.is_over()).then_some(()))
            .await;
    }

    pub(in crate::run) async fn write(&mut self, actor: &str, bytes: &[u8]) -> Result<(), SendError> {
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
    pub(in crate::run) async fn leave(&mut self, actor: &str) {
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
    pub(super) async fn part(&mut self) {
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

    /// Takes note of what came in: the scope needs it in the order of arrival.
    pub(in crate::run) fn note(&mut self) {
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

    /// Runs `read` on what came in for `actor`.
    pub(in crate::run) fn inbox<T>(&self, actor: &str, read: impl FnOnce(&mut Inbox) -> T) -> Option<T> {
        self.actors.get(actor).map(|actor| read(&mut actor.connection.inbox()))
    }
}
