//! What is on the stage: the server, its connections, and what it does when the player waits.

use super::{Cut, Deed, Question};
use crate::case::Location;
use crate::target::Attention;
use crate::trace::ConnectionId;
use model::cloud::{Answer, PlatformMessage};
use model::judge::Observation;
use model::permitted::{Move, PermittedServer, Said};
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::task::Waker;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Scene {
    pub(super) start: Instant,
    pub(super) links: BTreeMap<ConnectionId, Link>,
    /// What is played again; the last of it is new to the server.
    given: VecDeque<Deed>,
    /// All deeds so far.
    done: Vec<Deed>,
    pub(super) server: PermittedServer,
    /// The steps that the player has begun, and when the last one began.
    script: DefaultHasher,
    step_began: u64,
    /// What has become of all that came in before.
    standing: u64,
    watched: BTreeSet<ConnectionId>,
    /// The session that the server does something for which nobody sees yet.
    preparing: Option<Move>,
    rested_at: Option<u64>,
    pub(super) wake_at: Option<u64>,
    pub(super) cut: Option<Cut>,
}

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Link {
    pub(super) to_client: VecDeque<u8>,
    /// The client sends nothing more, and waits for the server's end.
    pub(super) is_half_closed: bool,
    pub(super) is_over: bool,
    pub(super) reader: Option<Waker>,
    /// What came from the server that the player had not looked at when it began its step, and when.
    pub(super) received: DefaultHasher,
    /// Who waits for the answer to a request, if this is one.
    pub(super) asking: Option<oneshot::Sender<Answer>>,
    /// Who gets messages of devices, if this is for them.
    pub(super) consuming: Option<mpsc::UnboundedSender<PlatformMessage>>,
    /// It is one of an actor's: the player tells what has become of what it has read.
    pub(super) carries_packets: bool,
}

impl Link {
    /// The player tells how it stands, with all that it has read.
    fn is_looked_at(&mut self) {
        if self.carries_packets {
            self.received = DefaultHasher::new();
            self.to_client.hash(&mut self.received);
        }
    }
}

/// The most deeds of one run: no script needs so many, but a server might talk for ever.
const MOST_DEEDS: usize = 600;

impl Scene {
    /// A server that has done all of `tape` but the last deed.
    pub(super) fn new(server: PermittedServer, tape: &[Deed]) -> Scene {
        Scene {
            start: Instant::now(),
            links: BTreeMap::new(),
            given: tape.iter().cloned().collect(),
            done: Vec::new(),
            server,
            script: DefaultHasher::new(),
            step_began: 0,
            standing: 0,
            watched: BTreeSet::new(),
            preparing: None,
            rested_at: None,
            wake_at: None,
            cut: None,
        }
    }

    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether the server is to learn what happens: what is played again it knows.
    fn is_live(&self) -> bool {
        self.given.is_empty()
    }

    /// A connection begins.
    pub(super) fn open(&mut self, link: Link) -> ConnectionId {
        let connection = ConnectionId(u32::try_from(self.links.len()).unwrap_or(u32::MAX));
        self.links.insert(connection, link);
        connection
    }

    /// The player begins a step.
    pub(super) fn attend(&mut self, step: &Location, attention: Attention) {
        (step.line, step.column).hash(&mut self.script);
        self.step_began = self.now();
        self.watched = attention.watched;
        self.standing = attention.standing;
        self.preparing = None;
        self.links.values_mut().for_each(Link::is_looked_at);
    }

    /// A client does something.
    pub(super) fn hear(&mut self, connection: ConnectionId, what: Observation<'_>) {
        let now = self.now();
        self.rested_at = None;
        self.preparing = None;
        if self.is_live() {
            self.server.observe(now, connection, what);
        }
    }

    pub(super) fn act(&mut self) {
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
        let moves = self.server.moves(now);
        if let Some(deed) = self.farewell(&moves) {
            self.tell_server(&deed);
            self.perform(deed);
            return;
        }
        if self.done.len() >= MOST_DEEDS {
            self.cut = Some(Cut::Lost(format!("the server does more than {MOST_DEEDS} things in one run")));
            return;
        }
        let mut options: Vec<Deed> = self.in_turn(moves).into_iter().map(Deed::Move).collect();
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
    fn farewell(&self, moves: &[Move]) -> Option<Deed> {
        let mut waiting = self.links.iter().filter(|(_, link)| link.is_half_closed && !link.is_over);
        let close = |connection: ConnectionId| {
            moves.iter().find(|one| one.connection == connection && one.said == Said::Close).cloned()
        };
        waiting.find_map(|(connection, _)| close(*connection)).map(Deed::Move)
    }

    /// Of what commutes only what comes first.
    fn in_turn(&self, mut moves: Vec<Move>) -> Vec<Move> {
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
        (now, self.script.finish(), self.step_began, self.standing, &self.watched).hash(&mut all);
        self.preparing.as_ref().map(|before| before.session).hash(&mut all);
        for (connection, link) in &self.links {
            (connection, link.received.finish(), link.is_half_closed, link.is_over).hash(&mut all);
        }
        self.server.fingerprint(&mut all);
        all.finish()
    }
}
