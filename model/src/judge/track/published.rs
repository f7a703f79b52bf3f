//! Messages that this client sends itself: whether one is new, what the server may hold of it, when it is decided.

use super::Track;
use super::hypothesis::Hypothesis;
use super::under_way::{Decided, Fate, Sent};
use crate::packet::{PacketId, Qos};
use crate::server::{ConnectionId, Context, MessageKey, Session};

/// A message above QoS 0 whose exchange is not complete.
#[derive(Debug, Clone, Copy, Hash)]
pub(in crate::judge) struct Unanswered {
    pub(in crate::judge) message: MessageKey,
    /// How often it was sent, and may be taken for a new one each time.
    pub(in crate::judge) times: u8,
    /// Whether PUBREC has come.
    pub(in crate::judge) received: bool,
    /// The connection on which it was sent first, or again as a new one: its ordinal.
    pub(in crate::judge) first: u32,
}

/// Whether a message that is on its way has been sent before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::judge) enum Sending {
    /// It has not.
    First,
    /// It has, and a server that has taken the first copy takes this one for no new message.
    Repetition,
    /// It has, and may be taken for a new message.
    Another,
}

impl Track {
    /// What a PUBLISH that was sent before is: at QoS 1 a server may take each for a new message (4.3.2), at QoS 2 only one
    /// whose session has ended meanwhile.
    pub(in crate::judge) fn sending(
        &self,
        context: &Context<'_>,
        connection: ConnectionId,
        qos: Qos,
        again: Option<Unanswered>,
    ) -> Sending {
        // Connections that are open at once are read in any order.
        let is_forgotten = |first: u32| {
            let begins = |ordinal| {
                self.hypotheses.iter().any(|hypothesis| hypothesis.may_begin_after(context, &self.queue, ordinal))
            };
            begins(first) || begins(self.ordinal(connection))
        };
        match again {
            None => Sending::First,
            Some(known) if qos == Qos::ExactlyOnce && !is_forgotten(known.first) => Sending::Repetition,
            Some(_) => Sending::Another,
        }
    }

    /// Whether the server may hold a QoS 2 message of the client with this identifier, or be about to. Its client may have
    /// forgotten it: with a Clean Session whose CONNECT the server has never read.
    pub(in crate::judge) fn may_hold(&self, context: &Context<'_>, id: PacketId) -> bool {
        let holds = |session: &Session| session.kept.as_ref().is_some_and(|kept| kept.incoming.contains(&id));
        self.open.contains_key(&id)
            || self.hypotheses.iter().any(|hypothesis| holds(&hypothesis.session))
            || self.under_way.with_id(id).any(|message| context.vocabulary.of(message).qos == Qos::ExactlyOnce)
    }

    /// Whether the session may have begun after this connection: what it had then of QoS 2 may be lost with its predecessor.
    pub(in crate::judge) fn may_have_begun_after(&self, ordinal: u32) -> bool {
        self.hypotheses.iter().any(|hypothesis| hypothesis.has_begun_after(ordinal))
    }

    /// Whether the session has begun after this connection.
    pub(in crate::judge) fn has_begun_after(&self, ordinal: u32) -> bool {
        self.hypotheses.iter().all(|hypothesis| hypothesis.has_begun_after(ordinal))
    }

    /// Messages that may not have reached other sessions yet, each as often as it was sent.
    pub(in crate::judge) fn under_way(&self) -> impl Iterator<Item = MessageKey> {
        self.under_way.messages()
    }

    /// The server has answered a message.
    pub(in crate::judge) fn answered(&mut self, message: MessageKey) {
        self.under_way.answered(message);
    }

    /// A PUBCOMP has come, and the exchange of this message is over on its connection. Tells whether a copy is on its way on
    /// another one: there it is new.
    pub(in crate::judge) fn completed(&mut self, connection: ConnectionId, message: MessageKey) -> bool {
        let Track { hypotheses, queue, under_way, .. } = self;
        let waits = |sent: &Sent| hypotheses.iter().any(|hypothesis| hypothesis.taken(sent.connection) <= sent.number);
        under_way.completed(message, |sent| {
            sent.connection != connection && queue.lane(sent.connection).is_some() && waits(sent)
        });
        self.under_way().any(|other| other == message)
    }

    /// A PUBACK has come: what it acknowledges, and whether that is on its way once more. A server of QoS 1 may take the
    /// other copy for a new message (4.3.2). What has the identifier at QoS 2 is not meant, though its client may have begun it
    /// before: with a Clean Session that it took for its own.
    pub(in crate::judge) fn acknowledged(
        &mut self,
        context: &Context<'_>,
        connection: ConnectionId,
        id: PacketId,
    ) -> Option<(MessageKey, bool)> {
        let is_of_qos_1 = |message| context.vocabulary.of(message).qos == Qos::AtLeastOnce;
        let message = self.under_way.acknowledged(connection, id, is_of_qos_1)?;
        if self.open.get(&id).is_some_and(|open| open.message == message) {
            self.open.remove(&id);
        }
        Some((message, self.under_way().any(|other| other == message)))
    }

    /// Messages on which the server has decided without an answer: those of QoS 0 when every hypothesis has taken them, others
    /// when their connection is gone. A QoS 2 message that the session knows may still be passed on. Of a session that is
    /// followed no more nobody knows what the server has taken: what it has not answered stays open.
    pub(in crate::judge) fn decided(&mut self) -> Decided {
        if self.is_left() {
            return Decided::default();
        }
        let Track { hypotheses, queue, open, .. } = self;
        let comes_again = |sent: &Sent| open.values().any(|unanswered| unanswered.message == sent.message);
        let knows = |hypothesis: &Hypothesis, sent: &Sent, id: PacketId| {
            let kept = hypothesis.session.kept.as_ref();
            kept.is_some_and(|kept| kept.incoming.contains(&id) || comes_again(sent))
        };
        let is_taken =
            |sent: &Sent| hypotheses.iter().all(|hypothesis| hypothesis.taken(sent.connection) > sent.number);
        // What a session has left behind with its connection it has not read.
        let is_read = |sent: &Sent| hypotheses.iter().all(|hypothesis| hypothesis.is_link(sent.connection));
        self.under_way.decide(|sent| match (queue.lane(sent.connection), sent.id) {
            (Some(_), None) if is_taken(sent) && is_read(sent) => Fate::Taken,
            (Some(_), None) if is_taken(sent) => Fate::Doubtful,
            (Some(_), _) => Fate::Open,
            (None, Some(id)) if hypotheses.iter().any(|hypothesis| knows(hypothesis, sent, id)) => Fate::Open,
            (None, _) => Fate::Doubtful,
        })
    }
}
