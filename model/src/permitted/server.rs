//! The judge turned round: what it would let pass, a server may do.

use super::character::{Character, Terms};
use super::packets::packet;
use crate::cloud::{Answer, PlatformMessage};
use crate::device::{self, Registration, Secret};
use crate::judge::{CloudOffer, Judge, Observation, Offer, Timing, Unanswered};
use crate::packet::{Delivery, Packet, PacketId, ProtocolVersion, Publish, PublishProperties, Qos};
use crate::profile::{Feature, Profile};
use crate::server::vocabulary::SenderKey;
use crate::server::{ConnectionId, ContentKey, Millis, Output};
use crate::wire::encode;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

/// What a server says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Said {
    /// A packet, in bytes.
    Packet(Vec<u8>),
    /// It closes the connection.
    Close,
    /// Its cloud side answers a request.
    Answer(Box<Answer>),
    /// It sends a message of a device to a business server.
    Message(Box<PlatformMessage>),
}

/// Something that the server may do now.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Move {
    /// For whose session.
    pub session: SenderKey,
    /// On which connection.
    pub connection: ConnectionId,
    /// What.
    pub said: Said,
}

/// A server that may do what the model permits.
#[derive(Debug, Clone)]
pub struct PermittedServer {
    judge: Judge,
    character: Character,
    needs: BTreeSet<Feature>,
    /// Connections on which it has said its last word.
    silenced: BTreeSet<ConnectionId>,
    /// The packets of exchanges that it has sent on a connection; true for PUBREL.
    exchanges: BTreeMap<(ConnectionId, PacketId, bool), Sent>,
    /// Deliveries that it has begun.
    begun: u16,
}

/// A packet of an exchange that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Sent {
    at: Millis,
    /// How often: what may come twice may come for ever.
    times: u8,
}

/// How often a packet of an exchange is sent on one connection.
const MOST_TIMES: u8 = 2;

/// How long a server of 3.x waits for an answer before it repeats a packet on a connection that lasts. Without a word of the
/// standard on it, it would have to be reckoned with before anybody could answer.
const REPEATS_AFTER: Millis = 1_000;

impl Sent {
    fn may_be_repeated_from(self) -> Option<Millis> {
        (self.times < MOST_TIMES).then_some(self.at + REPEATS_AFTER)
    }
}

impl PermittedServer {
    /// A server of this dialect that does all that a case needs, and nothing more than it must.
    #[must_use]
    pub fn new(profile: &Profile, needs: &BTreeSet<Feature>, character: Character) -> PermittedServer {
        PermittedServer {
            judge: Judge::new(&profile.counting_on(needs), Timing::virtual_time()),
            character,
            needs: needs.clone(),
            silenced: BTreeSet::new(),
            exchanges: BTreeMap::new(),
            begun: 0,
        }
    }

    /// Something happened on a client's side.
    pub fn observe(&mut self, at: Millis, connection: ConnectionId, what: Observation<'_>) {
        self.judge.observe(at, connection, what);
    }

    /// Time has come to `at`.
    pub fn pass_time(&mut self, at: Millis) {
        self.judge.pass_time(at);
    }

    /// What it may do at `at`, in an order that is always the same.
    pub fn moves(&mut self, at: Millis) -> Vec<Move> {
        let mut moves: Vec<Move> = Vec::new();
        for offer in self.judge.offers(at) {
            if let Some(one) = self.wording(at, &offer).filter(|one| !moves.contains(one)) {
                moves.push(one);
            }
        }
        moves.extend(self.judge.unanswered().filter_map(|unanswered| self.answer(at, &unanswered)));
        for offer in self.judge.cloud_offers(at) {
            let one = match offer {
                CloudOffer::Answer(connection, answer) => Some(Move {
                    // No session: after all of them.
                    session: SenderKey(u32::MAX - connection.0),
                    connection,
                    said: Said::Answer(answer),
                }),
                CloudOffer::Push(connection, content) => self.push(connection, content),
                CloudOffer::Message(connection, message) => {
                    Some(Move { session: SenderKey(u32::MAX - connection.0), connection, said: Said::Message(message) })
                }
            };
            moves.extend(one.filter(|one| !moves.contains(one) && self.permits(at, one)));
        }
        moves
    }

    /// What needs no subscription, at QoS 0.
    fn push(&self, connection: ConnectionId, content: ContentKey) -> Option<Move> {
        if !self.judge.is_open(connection) || self.silenced.contains(&connection) {
            return None;
        }
        let session = self.judge.session_on(connection)?;
        let version = self.judge.version_of(connection)?;
        let output = Output::Publish {
            content,
            qos: Qos::AtMostOnce,
            id: None,
            dup: false,
            retain: false,
            identifiers: Vec::new(),
            expiry: None,
        };
        let packet = packet(&output, version, |content| self.judge.content_of(content))?;
        let said = Said::Packet(encode(&packet, version).ok()?);
        Some(Move { session, connection, said })
    }

    /// The answer to who registers: this server makes secrets up.
    fn answer(&self, at: Millis, unanswered: &Unanswered) -> Option<Move> {
        let Unanswered { connection, session, registration, device } = unanswered;
        let (secret, device) = (Secret::new(format!("secret for {connection}")), device.clone());
        let answer = match registration {
            Registration::Secret => device::Answer::Secret { device, secret },
            Registration::Token => {
                device::Answer::Token { device, client_id: format!("connection {}", connection.0), token: secret }
            }
        };
        let publish = Publish {
            delivery: Delivery::AtMostOnce,
            retain: false,
            topic: registration.topic().try_into().ok()?,
            properties: PublishProperties::default(),
            payload: answer.to_json().into_bytes(),
        };
        let bytes = encode(&Packet::Publish(publish), self.judge.version_of(*connection)?).ok()?;
        let one = Move { session: *session, connection: *connection, said: Said::Packet(bytes) };
        Some(one).filter(|one| self.permits(at, one))
    }

    /// Makes a move that it may make.
    pub fn make(&mut self, at: Millis, one: &Move) {
        let Move { connection, said, .. } = one;
        match said {
            Said::Packet(bytes) => {
                self.note(at, *connection, bytes);
                self.judge.observe(at, *connection, Observation::Received(bytes));
            }
            Said::Close => self.judge.observe(at, *connection, Observation::ClosedByServer),
            Said::Answer(answer) => self.judge.observe(at, *connection, Observation::Answered(answer)),
            Said::Message(message) => self.judge.observe(at, *connection, Observation::Delivered(message)),
        }
    }

    /// Whether it may leave it at what it has said; if it may, it does.
    pub fn rest(&mut self, at: Millis) -> bool {
        let mut rested = self.judge.clone();
        let may_rest = rested.come_to_rest(at) && rested.violations().is_empty();
        if may_rest {
            self.judge = rested;
        }
        may_rest
    }

    /// Whether it can come to rest at all from here: if not, it has broken its word already, and only nobody has seen it yet.
    /// `None` if that cannot be said within so many moves.
    #[must_use]
    pub fn can_finish(&self, at: Millis, mut budget: usize) -> Option<bool> {
        let mut last = vec![self.clone()];
        let mut known = BTreeSet::new();
        while let Some(mut server) = last.pop() {
            let mut fingerprint = DefaultHasher::new();
            server.fingerprint(&mut fingerprint);
            if !known.insert(fingerprint.finish()) {
                continue;
            }
            if server.clone().rest(at) {
                return Some(true);
            }
            budget = budget.checked_sub(1)?;
            last.extend(server.moves(at).iter().rev().map(|one| {
                let mut next = server.clone();
                next.make(at, one);
                next
            }));
        }
        Some(false)
    }

    /// The first moment after `at` at which time alone changes what it may do.
    #[must_use]
    pub fn next_turn(&self, at: Millis) -> Option<Millis> {
        let repetitions = self.exchanges.iter().filter(|((connection, ..), _)| !self.has_properties(*connection));
        let repeats = repetitions.filter_map(|(_, sent)| sent.may_be_repeated_from()).filter(|turn| *turn > at);
        self.judge.next_turn(at).into_iter().chain(repeats).min()
    }

    fn has_properties(&self, connection: ConnectionId) -> bool {
        self.judge.version_of(connection).is_some_and(ProtocolVersion::has_properties)
    }

    /// Why nobody can say what it may do, if so.
    #[must_use]
    pub fn overflow(&self) -> Option<String> {
        self.judge.overflow()
    }

    /// All that has a bearing on what it may do.
    pub fn fingerprint<H: Hasher>(&self, state: &mut H) {
        let PermittedServer { judge, character, needs: _, silenced, exchanges, begun } = self;
        judge.fingerprint(state);
        (character, silenced, exchanges, begun).hash(state);
    }

    /// The offer in the first of this server's wordings that is permitted.
    fn wording(&self, at: Millis, offer: &Offer) -> Option<Move> {
        let representative = &offer.representative;
        let connection = representative.connection;
        if !self.judge.is_open(connection) {
            return None;
        }
        let one = |said| Move { session: offer.session, connection, said };
        if representative.output == Output::Close {
            return Some(one(Said::Close)).filter(|close| self.permits(at, close));
        }
        if self.silenced.contains(&connection) {
            return None;
        }
        let version = representative.version.or(self.judge.version_of(connection))?;
        let packet = packet(&representative.output, version, |content| self.judge.content_of(content))?;
        self.wordings(at, connection, version, packet).map(one).find(|one| self.permits(at, one))
    }

    fn wordings(
        &self,
        at: Millis,
        connection: ConnectionId,
        version: ProtocolVersion,
        packet: Packet,
    ) -> impl Iterator<Item = Said> {
        let connect = self.judge.connect_of(connection);
        let mut wordings = match version.has_properties() {
            true => self.character.wordings(
                packet.clone(),
                connect,
                &Terms { profile: self.judge.profile(), needs: &self.needs },
            ),
            false => vec![packet.clone()],
        };
        wordings.splice(0..0, self.numbered(packet));
        let is_due = |packet: &Packet| {
            let sent = exchange(packet).and_then(|(id, released)| self.exchanges.get(&(connection, id, released)));
            let is_first = matches!(packet, Packet::Publish(publish) if !publish.dup());
            is_first || sent.is_none_or(|sent| sent.may_be_repeated_from().is_some_and(|from| at >= from))
        };
        let encoded = wordings.into_iter().filter(is_due).filter_map(|packet| encode(&packet, version).ok());
        encoded.map(Said::Packet).collect::<Vec<Said>>().into_iter()
    }

    /// A delivery with the identifier that this server would choose for a new one.
    fn numbered(&self, mut packet: Packet) -> Option<Packet> {
        let Packet::Publish(publish) = &mut packet else { return None };
        let id = self.character.identifier(publish.packet_id()?, self.begun);
        publish.delivery = publish.delivery.with_id(id);
        Some(packet)
    }

    /// Whether the model permits it now.
    fn permits(&self, at: Millis, one: &Move) -> bool {
        let mut judge = self.judge.clone();
        let seen = match &one.said {
            Said::Packet(bytes) => Observation::Received(bytes),
            Said::Close => Observation::ClosedByServer,
            Said::Answer(answer) => Observation::Answered(answer),
            Said::Message(message) => Observation::Delivered(message),
        };
        judge.observe(at, one.connection, seen);
        judge.violations().is_empty()
    }

    /// Takes note of what it says.
    fn note(&mut self, at: Millis, connection: ConnectionId, bytes: &[u8]) {
        let version = self.judge.version_of(connection).unwrap_or(ProtocolVersion::V5_0);
        let mut decoder = crate::wire::Decoder::from_server(version);
        decoder.feed(bytes);
        let Ok(Some(decoded)) = decoder.next_packet() else { return };
        if matches!(decoded.packet, Packet::Disconnect(_)) {
            self.silenced.insert(connection);
        }
        let Some((id, released)) = exchange(&decoded.packet) else { return };
        let begins = matches!(&decoded.packet, Packet::Publish(publish) if !publish.dup());
        if begins {
            self.begun = self.begun.saturating_add(1);
            self.exchanges.retain(|(other, used, _), _| *other != connection || *used != id);
        }
        let times = self.exchanges.get(&(connection, id, released)).map_or(0, |sent| sent.times);
        self.exchanges.insert((connection, id, released), Sent { at, times: times.saturating_add(1) });
    }
}

/// The identifier of a packet that may be sent again, and whether it is PUBREL.
fn exchange(packet: &Packet) -> Option<(PacketId, bool)> {
    match packet {
        Packet::Publish(publish) => Some((publish.packet_id()?, false)),
        Packet::Pubrel(pubrel) => Some((pubrel.packet_id, true)),
        _ => None,
    }
}
