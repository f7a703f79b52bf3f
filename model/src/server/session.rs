//! The state of one session as a server keeps it, and the questions that are asked of it.
//!
//! A value of [`Session`] is one hypothesis of what the server knows. Where the server has a free hand, or where the one
//! who watches cannot know, one input leads to several sessions; a grant that is not stated yet is a set of levels, and a
//! delivery that may have been lost with its connection says so. States are kept in a normal form (sorted lists), so that
//! two hypotheses that mean the same are equal.

use super::alphabet::{Input, Lifetime, Output};
use super::qos_set::QosSet;
use super::rule::{Breach, Context, Rule, SeededBug};
use super::vocabulary::{FilterKey, MessageKey};
use super::{ConnectionId, Millis};
use crate::packet::{PacketId, ProtocolVersion, Qos};
use crate::profile::Offence;

/// What a server holds for one client identifier.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session {
    /// The connection, if there is one.
    pub link: Option<Connection>,
    /// Connections that a newer one has replaced and that are still open.
    pub older: Vec<ConnectionId>,
    /// Connections whose CONNECT the server refuses: they leave all else as it is (MQTT-3.1.4-1).
    pub refused: Vec<Connection>,
    /// The session state, if there is any.
    pub kept: Option<Kept>,
    /// Messages that others have sent and that may or may not have reached this session yet.
    pub floating: Vec<Floating>,
}

/// The session state: what outlives a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kept {
    /// When it ends, once the connection is gone; `None`: not by itself.
    pub ends_at: Option<Millis>,
    /// The subscriptions, sorted by filter.
    pub subscriptions: Vec<Subscription>,
    /// Messages for the client, sorted.
    pub deliveries: Vec<Delivery>,
}

/// A connection that has sent CONNECT.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Connection {
    /// Which one.
    pub id: ConnectionId,
    /// Its protocol version.
    pub version: ProtocolVersion,
    /// How far it is.
    pub phase: Phase,
    /// How long the session outlives it.
    pub lifetime: Lifetime,
    /// Keep Alive in force; 0 is off.
    pub keep_alive: Millis,
    /// Deliveries above QoS 0 that may be open at once.
    pub receive_maximum: u16,
    /// The largest packet that the client takes, in bytes; `None`: no limit.
    pub maximum_packet_size: Option<u32>,
    /// The highest QoS that the server takes, as announced.
    pub maximum_qos: Qos,
    /// Answers that the server owes, sorted.
    pub responses: Vec<Response>,
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// CONNACK is owed.
    Connecting {
        /// Clean Start.
        clean_start: bool,
        /// Whether session state was there.
        session_present: bool,
    },
    /// CONNACK has accepted.
    Connected,
    /// The client has offended, and the server ends the connection.
    Condemned {
        /// How it has offended.
        offence: Offence,
        /// Whether an accepting CONNACK has been sent: before that there is no DISCONNECT (MQTT-3.14.0-1).
        greeted: bool,
    },
    /// The server has said its last word: only the close is missing.
    Ending,
    /// The client has sent DISCONNECT: the close may come, or is left to the client.
    Left,
}

/// An answer that the server owes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Response {
    /// PUBACK, with the offence that its code may tell of.
    Puback(PacketId, Option<Offence>),
    /// SUBACK, with what is permitted for each filter.
    Suback(PacketId, Vec<Grant>),
    /// UNSUBACK, with whether each filter was subscribed.
    Unsuback(PacketId, Vec<bool>),
    /// PINGRESP.
    Pingresp,
}

/// What a SUBACK code may state for one filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    /// The filter.
    pub filter: FilterKey,
    /// The grants that are permitted.
    pub granted: QosSet,
    /// What was wrong with the request: its SUBACK reactions are permitted.
    pub offence: Option<Offence>,
    /// Whether the server may refuse without any reason of the client's.
    pub may_refuse: bool,
}

/// A subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subscription {
    /// Its filter.
    pub filter: FilterKey,
    /// What it may have been granted: one level once the SUBACK was seen.
    pub granted: QosSet,
    /// The SUBSCRIBE whose SUBACK has not been seen yet.
    pub pending: Option<PacketId>,
    /// No Local.
    pub no_local: bool,
    /// What it replaces with the grant of that, as long as SUBACK may refuse it; the flag is No Local.
    pub before: Option<(QosSet, bool)>,
}

/// A message that the server has for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Delivery {
    /// The message.
    pub message: MessageKey,
    /// The levels at which it may be delivered.
    pub qos: QosSet,
    /// Whether it must be delivered.
    pub owed: bool,
    /// Whether it is a further copy, for an overlapping subscription.
    pub further: bool,
    /// How far it is.
    pub progress: Progress,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Progress {
    /// Never sent.
    Waiting,
    /// Perhaps sent on a connection that broke, and not seen.
    PerhapsSent,
    /// Sent on this connection and not acknowledged.
    Open(PacketId),
    /// Sent on an earlier connection and not acknowledged.
    Unacknowledged(PacketId),
}

/// A message that may or may not have reached the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Floating {
    /// The message.
    pub message: MessageKey,
    /// Where it may have met the subscriptions of this session.
    pub routing: Routing,
    /// How often it was sent: a message with DUP may be taken for a new one (4.3.2).
    pub times: u8,
    /// Whether a connection has broken meanwhile on which it may have been sent.
    pub perhaps_sent: bool,
}

/// What the subscriptions of a session make of a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Routing {
    /// Whether it may have met none.
    pub missed: bool,
    /// Levels of the copy that is due.
    pub qos: QosSet,
    /// Levels of further copies.
    pub further: QosSet,
    /// How many further copies there may be.
    pub further_copies: u8,
}

impl Routing {
    /// What one or the other may have been.
    #[must_use]
    pub fn or(self, other: Routing) -> Routing {
        Routing {
            missed: self.missed || other.missed,
            qos: self.qos.union(other.qos),
            further: self.further.union(other.further),
            further_copies: self.further_copies.max(other.further_copies),
        }
    }
}

/// When an output comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moment {
    /// The time.
    pub now: Millis,
    /// How long the client has been silent on this connection.
    pub silence: Millis,
}

impl Session {
    /// Whether the server holds anything for this client identifier.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.link.is_none()
            && self.kept.is_none()
            && self.older.is_empty()
            && self.refused.is_empty()
            && self.floating.is_empty()
    }

    /// The sessions that may follow when `input` is taken at `now`. There is always one.
    #[must_use]
    pub fn input(&self, context: &Context<'_>, now: Millis, input: &Input) -> Vec<Session> {
        match input {
            Input::Connect(terms) => self.connect(context, now, terms),
            Input::Lost => vec![self.lose(context, now)],
            _ if !self.is_listening() => vec![self.clone()],
            Input::Subscribe { id, requests } => self.subscribe(context, *id, requests),
            Input::Unsubscribe { id, filters } => vec![self.unsubscribe(context, *id, filters)],
            Input::Publish { id, offence, .. } => self.publish(context, *id, *offence),
            Input::Puback { id } => self.acknowledged(context, *id),
            Input::Pingreq => vec![self.responding(Response::Pingresp)],
            Input::Disconnect { lifetime } => vec![self.leave(*lifetime)],
            Input::Offence(offence) => self.offend(context, *offence, &[]),
        }
    }

    /// The sessions that may follow when exactly `output` comes on `connection`.
    ///
    /// # Errors
    /// When it may not come now: the rule that forbids it.
    pub fn accept(
        &self,
        context: &Context<'_>,
        moment: Moment,
        connection: ConnectionId,
        output: &Output,
    ) -> Result<Vec<Session>, Breach> {
        if self.older.contains(&connection) {
            return Ok(vec![self.on_older(connection, output)]);
        }
        if let Some(position) = self.refused.iter().position(|refused| refused.id == connection) {
            let mut rest = self.clone();
            let alone = Session { link: Some(rest.refused.remove(position)), ..Session::default() };
            let next = |after: Session| {
                let mut next = rest.clone();
                next.refused.extend(after.link);
                next.refused.sort();
                next
            };
            return Ok(alone.accept(context, moment, connection, output)?.into_iter().map(next).collect());
        }
        let Some(link) = self.link.as_ref().filter(|link| link.id == connection) else {
            return Err(Breach::of(Rule::ConnackComesFirst, "nothing: this connection has sent no CONNECT"));
        };
        match (link.phase, output) {
            (_, Output::Close) => self.close(context, moment).map(|session| vec![session]),
            (_, Output::Disconnect { code }) => self.disconnect(context, moment, *code).map(|session| vec![session]),
            (_, Output::Connack { session_present, code, announced }) => {
                self.connack(context, *session_present, *code, *announced).map(|session| vec![session])
            }
            (Phase::Connecting { .. }, _) => Err(Breach::of(Rule::ConnackComesFirst, "CONNACK")),
            (Phase::Condemned { offence, .. }, _) => {
                Err(Breach::of(Rule::OffenceIsRefused, self.permitted_reactions(context, offence)))
            }
            (Phase::Ending, _) => Err(Breach::of(Rule::NothingAfterDisconnect, "the close of the connection")),
            (Phase::Left, _) => {
                Err(Breach::of(Rule::DeliveryWasSubscribed, "nothing more after the client's DISCONNECT"))
            }
            (Phase::Connected, Output::Suback { id, codes }) => self.suback(context, *id, codes),
            (Phase::Connected, Output::Unsuback { id, codes }) => self.unsuback(*id, codes),
            (Phase::Connected, Output::Puback { id, code }) => self.puback(context, *id, *code),
            (Phase::Connected, Output::Pingresp) => self.pingresp(),
            (Phase::Connected, Output::Publish { content, qos, id, dup, retain }) => {
                let seen = super::deliver::Seen { content: *content, qos: *qos, id: *id, dup: *dup, retain: *retain };
                self.deliver(context, &seen)
            }
        }
    }

    /// What a server in this state would send, in canonical form: the lowest free identifier, each lane's next message.
    #[must_use]
    pub fn outputs(&self, context: &Context<'_>) -> Vec<(ConnectionId, Output)> {
        let mut outputs: Vec<(ConnectionId, Output)> =
            self.older.iter().map(|connection| (*connection, Output::Close)).collect();
        outputs.extend(self.refused.iter().map(|refused| (refused.id, Output::Close)));
        let Some(link) = &self.link else { return outputs };
        let mut on_link = |output| outputs.push((link.id, output));
        match link.phase {
            Phase::Connecting { session_present, .. } => {
                let denied = context.has_bug(SeededBug::DeniesSession);
                on_link(Output::Connack {
                    session_present: session_present && !denied && link.version != ProtocolVersion::V3_1,
                    code: 0,
                    announced: super::Announcement::default(),
                });
            }
            Phase::Condemned { .. } | Phase::Ending | Phase::Left => on_link(Output::Close),
            Phase::Connected => {
                for response in &link.responses {
                    on_link(response.as_output(link.version));
                }
                self.possible_deliveries(context).into_iter().for_each(on_link);
            }
        }
        outputs
    }

    /// What must still come although everything has come to rest; the rule that would be broken by silence.
    #[must_use]
    pub fn owed(&self, context: &Context<'_>) -> Option<Breach> {
        if let Some(connection) = self.older.first() {
            return Some(Breach::of(Rule::OlderConnectionCloses, format!("the close of connection {connection}")));
        }
        let refused = self.refused.first().map(|refused| Session { link: Some(refused.clone()), ..Session::default() });
        if let Some(refused) = refused {
            return refused.owed(context);
        }
        let link = self.link.as_ref()?;
        match link.phase {
            Phase::Connecting { .. } => Some(Breach::of(Rule::ConnectIsAccepted, "CONNACK")),
            Phase::Condemned { offence, .. } => {
                Some(Breach::of(Rule::OffenceIsRefused, self.permitted_reactions(context, offence)))
            }
            Phase::Ending => Some(Breach::of(Rule::RefusalCloses, "the close of the connection")),
            Phase::Left => None,
            Phase::Connected => link
                .responses
                .first()
                .map(|response| Breach::of(response.rule(), response.to_string()))
                .or_else(|| self.owed_delivery(context)),
        }
    }

    /// Whether what the client sends still counts.
    fn is_listening(&self) -> bool {
        self.link.as_ref().is_some_and(|link| {
            matches!(link.phase, Phase::Connecting { .. } | Phase::Connected | Phase::Condemned { .. })
        })
    }

    /// An output on a connection that a newer one has replaced. It was sent before the server noticed, or it is the end.
    fn on_older(&self, connection: ConnectionId, output: &Output) -> Session {
        match output {
            Output::Close => self.without(connection),
            _ => self.clone(),
        }
    }

    /// A connection that was replaced or refused is gone.
    #[must_use]
    pub fn without(&self, connection: ConnectionId) -> Session {
        let mut next = self.clone();
        next.older.retain(|older| *older != connection);
        next.refused.retain(|refused| refused.id != connection);
        next
    }

    /// This session with one more answer owed.
    pub(super) fn responding(&self, response: Response) -> Session {
        let mut next = self.clone();
        if let Some(link) = &mut next.link {
            link.responses.push(response);
            link.responses.sort();
        }
        next
    }

    /// The same session with its connection changed.
    pub(super) fn with_link(&self, change: impl FnOnce(&mut Connection)) -> Session {
        let mut next = self.clone();
        if let Some(link) = &mut next.link {
            change(link);
        }
        next
    }

    /// The protocol version of the connection; the model asks only where there is one.
    pub(super) fn version(&self) -> ProtocolVersion {
        self.link.as_ref().map_or(ProtocolVersion::V5_0, |link| link.version)
    }
}

impl Response {
    /// The rule that demands it.
    fn rule(&self) -> Rule {
        match self {
            Response::Puback(..) => Rule::PublishIsAnswered,
            Response::Suback(..) => Rule::SubscribeIsAnswered,
            Response::Unsuback(..) => Rule::UnsubscribeIsAnswered,
            Response::Pingresp => Rule::PingreqIsAnswered,
        }
    }

    /// The canonical form: full grants, success.
    fn as_output(&self, version: ProtocolVersion) -> Output {
        match self {
            Response::Puback(id, _) => Output::Puback { id: *id, code: 0 },
            Response::Pingresp => Output::Pingresp,
            Response::Suback(id, grants) => Output::Suback {
                id: *id,
                codes: grants.iter().map(|grant| grant.granted.iter().last().map_or(0x80, Qos::value)).collect(),
            },
            Response::Unsuback(id, existed) => Output::Unsuback {
                id: *id,
                codes: match version.has_properties() {
                    true => existed.iter().map(|existed| if *existed { 0 } else { 0x11 }).collect(),
                    false => Vec::new(),
                },
            },
        }
    }
}

impl std::fmt::Display for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Response::Puback(id, _) => write!(f, "PUBACK id{id}"),
            Response::Suback(id, grants) => write!(f, "SUBACK id{id} with {} codes", grants.len()),
            Response::Unsuback(id, _) => write!(f, "UNSUBACK id{id}"),
            Response::Pingresp => f.write_str("PINGRESP"),
        }
    }
}

impl std::fmt::Display for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Progress::Waiting => f.write_str("waiting"),
            Progress::PerhapsSent => f.write_str("perhaps sent"),
            Progress::Open(id) => write!(f, "open as id{id}"),
            Progress::Unacknowledged(id) => write!(f, "unacknowledged as id{id}"),
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Phase::Connecting { .. } => f.write_str("connecting"),
            Phase::Connected => f.write_str("connected"),
            Phase::Condemned { offence, .. } => write!(f, "condemned for {offence}"),
            Phase::Ending => f.write_str("ending"),
            Phase::Left => f.write_str("left by the client"),
        }
    }
}
