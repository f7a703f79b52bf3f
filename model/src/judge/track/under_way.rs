//! Messages of one client that may not have reached other sessions yet.

use crate::packet::PacketId;
use crate::server::{ConnectionId, MessageKey};

/// What a client has published and the server has not certainly decided on.
#[derive(Debug, Clone, Default, Hash)]
pub(super) struct UnderWay {
    sent: Vec<Sent>,
}

/// A PUBLISH and its place in the queue of its session.
#[derive(Debug, Clone, Copy, Hash)]
pub(super) struct Sent {
    pub(super) message: MessageKey,
    pub(super) id: Option<PacketId>,
    pub(super) connection: ConnectionId,
    pub(super) number: usize,
}

/// What has become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The server may still take it.
    Open,
    /// It has.
    Taken,
    /// It may have, and will not any more.
    Doubtful,
}

/// What has become of messages.
#[derive(Debug, Default)]
pub(in crate::judge) struct Decided {
    /// The server has taken them over.
    pub(in crate::judge) taken: Vec<MessageKey>,
    /// It may have, and will not any more.
    pub(in crate::judge) doubtful: Vec<MessageKey>,
}

impl UnderWay {
    pub(super) fn sent(&mut self, sent: Sent) {
        self.sent.push(sent);
    }

    /// The server has answered.
    pub(super) fn answered(&mut self, message: MessageKey) {
        self.sent.retain(|sent| sent.message != message);
    }

    /// The exchange of this message is over, but for the copies that are on their way beyond it.
    pub(super) fn completed(&mut self, message: MessageKey, is_beyond: impl Fn(&Sent) -> bool) {
        self.sent.retain(|sent| sent.message != message || is_beyond(sent));
    }

    /// The server has acknowledged what came first with this identifier on a connection, among those that PUBACK can mean.
    /// Copies on other connections are still on their way.
    pub(super) fn acknowledged(
        &mut self,
        connection: ConnectionId,
        id: PacketId,
        can_be_meant: impl Fn(MessageKey) -> bool,
    ) -> Option<MessageKey> {
        let is_it = |sent: &Sent| sent.connection == connection && sent.id == Some(id) && can_be_meant(sent.message);
        let position = self.sent.iter().position(is_it)?;
        Some(self.sent.remove(position).message)
    }

    /// Each message, as often as it was sent.
    pub(super) fn messages(&self) -> impl Iterator<Item = MessageKey> {
        self.sent.iter().map(|sent| sent.message)
    }

    /// Those that were sent with this identifier.
    pub(super) fn with_id(&self, id: PacketId) -> impl Iterator<Item = MessageKey> {
        self.sent.iter().filter(move |sent| sent.id == Some(id)).map(|sent| sent.message)
    }

    /// Those on which the server has decided without an answer, as `fate` says.
    pub(super) fn decide(&mut self, fate: impl Fn(&Sent) -> Fate) -> Decided {
        let mut decided = Decided::default();
        self.sent.retain(|sent| {
            match fate(sent) {
                Fate::Open => return true,
                Fate::Taken => decided.taken.push(sent.message),
                Fate::Doubtful => decided.doubtful.push(sent.message),
            }
            false
        });
        // One that was sent once more is decided with its last copy.
        decided.doubtful.retain(|message| !self.sent.iter().any(|sent| sent.message == *message));
        decided
    }
}
