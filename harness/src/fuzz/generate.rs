//! What clients do next: drawn at random from what applies, as often as the dialect makes it interesting.

use super::avoided::Avoided;
use super::cloud::CloudKind;
use super::command::{Client, Command, Deed};
use super::device::{DeviceKind, Manner};
use super::frames::{FRAMES, TEXT};
use super::link::Link;
use super::walk::Walker;
use super::wording::Wording;
use model::packet::{PacketId, PacketType};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// How often it is tried to find something that applies.
const TRIES: usize = 64;

/// Bytes that no version takes for packets of a client.
const MALFORMED: &[&[u8]] = &[
    b"\xC1\x00",                      // PINGREQ with a flag
    b"\x80\x06\x00\x09\x00\x01a\x00", // SUBSCRIBE without its flag
    b"\x82\x02\x00\x09",              // SUBSCRIBE without filters
    b"\x36\x05\x00\x01a\x00\x09",     // PUBLISH at QoS 3
    b"\x32\x06\x00\x01a\x00\x00\x00", // PUBLISH with identifier 0
    b"\x30\x04\x00\x02\xC3\x28",      // PUBLISH to no UTF-8
    b"\x60\x02\x00\x09",              // PUBREL without its flag
    b"\x20\x02\x00\x00",              // CONNACK
    b"\xC0\x80\x80\x80\x80\x01",      // a length of five bytes
    b"\x00\x00",                      // no packet type
];

const ACKNOWLEDGEMENTS: &[PacketType] =
    &[PacketType::Puback, PacketType::Pubrec, PacketType::Pubrel, PacketType::Pubcomp];

/// What can be done, before it is known to whom and with what.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Connect {
        held: bool,
    },
    SecondConnect,
    Reauthenticate,
    Disconnect,
    Cut,
    CutWithin,
    Malformed,
    Subscribe {
        many: bool,
    },
    Unsubscribe,
    Publish,
    Resend,
    Release,
    Acknowledge,
    Misacknowledge,
    AcknowledgeUnknown,
    Ping,
    StopReading,
    Stall,
    Resume,
    Elapse,
    /// Frames of a WebSocket that do not end where packets do.
    Frames,
    TextFrame,
    /// What only devices do.
    Device(DeviceKind),
    /// What the cloud side does, where there is one.
    Cloud(CloudKind),
}

/// The source of commands.
#[derive(Debug)]
pub(super) struct Generator {
    runner: TestRunner,
    pub(super) clients: usize,
    pub(super) wording: Wording,
    /// Messages so far: each has a number.
    pub(super) messages: u32,
}

impl Generator {
    /// A source that follows from its seed.
    pub(super) fn new(seed: u64, clients: usize, wording: Wording) -> Generator {
        let config = Config { rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() };
        Generator { runner: TestRunner::new(config), clients, wording, messages: 0 }
    }

    /// The next command for these clients; `None` if nothing is found that applies.
    pub(super) fn next(&mut self, walker: &Walker) -> Option<Command> {
        (0..TRIES).find_map(|_| self.attempt(walker))
    }

    /// At the end of a walk: half of the clients come home to their sessions, so that it shows what is kept there.
    pub(super) fn come_home(&mut self, client: Client, walker: &Walker) -> Vec<Command> {
        if self.draw(any::<bool>()) {
            return vec![Command::Does(client, Deed::Resume)];
        }
        self.messages += 1;
        let mut terms = self.draw(self.wording.terms(client, self.clients, self.messages));
        (terms.client_id, terms.clean_start, terms.will) = (client.client_id(), false, None);
        terms.manner = Manner::PLAIN;
        let connect = Deed::Connect { terms, held: false };
        if self.wording.avoids(Avoided::TakenOverWills) && takes_will_over(client, &connect, walker) {
            return vec![Command::Does(client, Deed::Resume)];
        }
        let leaves = walker.link(client).map(|_| Command::Does(client, Deed::Cut));
        leaves.into_iter().chain([Command::Does(client, connect)]).collect()
    }

    /// Then everybody finishes what waits for him, so that what waits behind it has to come.
    pub(super) fn finish(&self, walker: &Walker) -> Option<Command> {
        Client::first(self.clients).find_map(|client| {
            let link = walker.link(client).filter(|link| !link.left)?;
            let waiting = link.deliveries.waiting().into_iter().next();
            let deed = match waiting {
                Some(payload) => Deed::Acknowledge { payload, refused: false },
                None => Deed::Release(walker.memory(link.client_id?)?.received().into_iter().next()?),
            };
            Some(Command::Does(client, deed))
        })
    }

    pub(super) fn draw<S: Strategy>(&mut self, strategy: S) -> S::Value {
        // The strategies here reject nothing.
        strategy.new_tree(&mut self.runner).expect("it has a value").current()
    }

    pub(super) fn choose<T: Copy + std::fmt::Debug>(&mut self, among: &[T]) -> Option<T> {
        if among.is_empty() {
            return None;
        }
        let index = self.draw(0..among.len());
        Some(among[index])
    }

    fn attempt(&mut self, walker: &Walker) -> Option<Command> {
        if self.wording.is_of_devices {
            return self.attempt_of_devices(walker);
        }
        let kind = match self.wording.has_frames {
            true => self.draw(prop_oneof![15 => kinds(), 1 => frames()]),
            false => self.draw(kinds()),
        };
        if matches!(kind, Kind::Elapse) {
            let choice = self.wording.elapses();
            return Some(Command::Elapse(self.draw(select(choice))));
        }
        let client = Client(self.draw(0..self.clients));
        let deed = match (kind, walker.link(client)) {
            (Kind::Connect { held }, None) => {
                self.messages += 1;
                let terms = self.draw(self.wording.terms(client, self.clients, self.messages));
                let connect = Deed::Connect { terms, held };
                if self.wording.avoids(Avoided::TakenOverWills) && takes_will_over(client, &connect, walker) {
                    return None;
                }
                connect
            }
            (Kind::Malformed, _) if self.wording.avoids(Avoided::MalformedPackets) => return None,
            (Kind::Malformed, _) => Deed::Malformed(self.draw(select(MALFORMED))),
            (Kind::Connect { .. }, Some(_)) | (_, None) => return None,
            (kind, Some(link)) => self.deed(kind, client, link, walker)?,
        };
        Some(Command::Does(client, deed))
    }

    /// Something to do on an open connection.
    pub(super) fn deed(&mut self, kind: Kind, client: Client, link: &Link, walker: &Walker) -> Option<Deed> {
        let memory = link.client_id.and_then(|client_id| walker.memory(client_id));
        let deed = match kind {
            Kind::Cut => Deed::Cut,
            Kind::StopReading => link.reading.then_some(Deed::StopReading)?,
            Kind::Stall => (!link.stalled).then_some(Deed::Stall)?,
            Kind::Resume => (link.stalled || !link.reading).then_some(Deed::Resume)?,
            _ if link.left || link.client_id.is_none() => return None,
            Kind::SecondConnect if self.wording.avoids(Avoided::SecondConnect) => return None,
            Kind::SecondConnect => {
                self.messages += 1;
                Deed::SecondConnect(self.draw(self.wording.terms(client, self.clients, self.messages)))
            }
            Kind::Subscribe { many } => {
                let id = memory?.next_id();
                let requests = self.draw(self.wording.requests(if many { 7..=10 } else { 1..=3 }, link.version));
                let identifier = self.draw(self.wording.identifiers());
                Deed::Subscribe { id, requests, identifier }
            }
            Kind::Unsubscribe => {
                let id = memory?.next_id();
                Deed::Unsubscribe { id, filters: self.draw(self.wording.filters_to_leave()) }
            }
            Kind::Publish => {
                self.messages += 1;
                let content = self.draw(self.wording.contents(self.messages, link.version));
                // With DUP an identifier that is used again would mean its old message.
                let id: PacketId = if content.dup { memory?.fresh_id() } else { memory?.next_id() };
                Deed::Publish { id, content }
            }
            Kind::Resend if self.wording.avoids(Avoided::Retransmissions) => return None,
            Kind::Resend => Deed::Resend(self.choose(&memory?.unfinished(link.version))?),
            Kind::Release => Deed::Release(self.choose(&memory?.received())?),
            Kind::Acknowledge => {
                let waiting = link.deliveries.waiting();
                let index = self.choose(&Vec::from_iter(0..waiting.len()))?;
                let refused = self.draw(prop_oneof![7 => Just(false), 1 => Just(true)]);
                Deed::Acknowledge { payload: waiting.into_iter().nth(index)?, refused }
            }
            Kind::Misacknowledge => {
                let all = link.deliveries.all();
                let index = self.choose(&Vec::from_iter(0..all.len()))?;
                let packet = self.draw(select(ACKNOWLEDGEMENTS));
                Deed::Misacknowledge { payload: all.into_iter().nth(index)?, packet }
            }
            Kind::AcknowledgeUnknown => Deed::AcknowledgeUnknown(self.draw(select(ACKNOWLEDGEMENTS))),
            Kind::Reauthenticate => Deed::Reauthenticate,
            Kind::Ping => Deed::Ping,
            Kind::Disconnect => {
                let session_expiry = self.draw(self.wording.expiries_at_the_end());
                Deed::Disconnect { session_expiry, with_will: self.draw(any::<bool>()) }
            }
            Kind::CutWithin => Deed::CutWithin(self.draw(1_usize..12)),
            Kind::Frames => Deed::Frames(self.draw(select(FRAMES))),
            Kind::TextFrame => Deed::TextFrame(TEXT),
            Kind::Connect { .. } | Kind::Malformed | Kind::Elapse | Kind::Device(_) | Kind::Cloud(_) => return None,
        };
        Some(deed)
    }
}

/// Whether a connection that has a Will is taken over when a client does this now.
fn takes_will_over(client: Client, deed: &Deed, walker: &Walker) -> bool {
    let mut commands = walker.applied();
    commands.push(Command::Does(client, deed.clone()));
    Avoided::TakenOverWills.is_in(&commands)
}

/// What only a WebSocket has.
fn frames() -> impl Strategy<Value = Kind> {
    prop_oneof![3 => Just(Kind::Frames), 1 => Just(Kind::TextFrame)]
}

/// How often clients try to do what.
fn kinds() -> impl Strategy<Value = Kind> {
    let connections = prop_oneof![
        26 => Just(Kind::Connect { held: false }),
        2 => Just(Kind::Connect { held: true }),
        1 => Just(Kind::SecondConnect),
        1 => Just(Kind::Reauthenticate),
        6 => Just(Kind::Disconnect),
        6 => Just(Kind::Cut),
        2 => Just(Kind::CutWithin),
        1 => Just(Kind::Malformed),
    ];
    let subscriptions = prop_oneof![
        15 => Just(Kind::Subscribe { many: false }),
        1 => Just(Kind::Subscribe { many: true }),
        4 => Just(Kind::Unsubscribe),
    ];
    let exchanges = prop_oneof![
        30 => Just(Kind::Publish),
        4 => Just(Kind::Resend),
        12 => Just(Kind::Release),
        20 => Just(Kind::Acknowledge),
        1 => Just(Kind::Misacknowledge),
        1 => Just(Kind::AcknowledgeUnknown),
        3 => Just(Kind::Ping),
    ];
    let transport = prop_oneof![
        3 => Just(Kind::StopReading),
        3 => Just(Kind::Stall),
        6 => Just(Kind::Resume),
        5 => Just(Kind::Elapse),
    ];
    prop_oneof![45 => connections, 20 => subscriptions, 65 => exchanges, 14 => transport]
}
