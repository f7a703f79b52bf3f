//! How connections and operations end.

use crate::{NotSendable, OptionsError, Session};
use model::packet::{Connack, Disconnect, PacketType, ReasonCode, Utf8String};
use model::wire::Refusal;
use std::io;
use std::time::Duration;

/// The end of a connection.
#[derive(Debug)]
pub struct Ended {
    /// Why it is over.
    pub cause: Cause,
    /// The session, if it outlives the connection: for [`ConnectOptions::resuming`](crate::ConnectOptions::resuming).
    pub session: Option<Session>,
}

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// This side asked for it.
    #[error("disconnected as asked")]
    Disconnected,
    /// The Server answered CONNECT with a code other than 0.
    #[error("the server refused the connection: {}", refused(.0))]
    Refused(Box<Connack>),
    /// The Server sent DISCONNECT (5.0).
    #[error("the server disconnected: {}{}", .0.reason, because(.0.properties.reason_string.as_ref()))]
    ServerDisconnected(Box<Disconnect>),
    /// The Server closed without a word.
    #[error("the server closed the connection")]
    ServerClosed,
    /// The Server sent bytes that are no packet.
    #[error("the server sent bytes that cannot be accepted: {0}")]
    Malformed(Refusal),
    /// The Server sent a packet that has no place here.
    #[error("the server broke the protocol: {what}")]
    ProtocolError {
        /// What a 5.0 Server was told.
        reason: ReasonCode,
        /// What it did.
        what: String,
    },
    /// Session Present 1 for a session that this side does not have (MQTT-3.2.2-4).
    #[error("the server resumed a session of which there is no state here: connect with a clean start")]
    SessionStateMissing,
    /// No answer within the response timeout.
    #[error("the server did not answer {packet} within {waited:?}")]
    Unanswered {
        /// What was not answered.
        packet: PacketType,
        /// How long it had.
        waited: Duration,
    },
    /// The application left an event untaken for the response timeout while an answer was awaited behind it.
    #[error("no event was taken for {0:?} while an answer was awaited: take events beside other calls")]
    EventsNotTaken(Duration),
    /// An acknowledgement that is due does not fit the Server's Maximum Packet Size.
    #[error("the server's limits leave no room for the answer that is due: {0}")]
    CannotAnswer(NotSendable),
    /// The transport failed, or took no bytes for the response timeout.
    #[error("the transport failed: {0}")]
    Transport(#[from] io::Error),
    /// The runtime dropped the client's task.
    #[error("the runtime stopped the client's task")]
    TaskStopped,
}

fn refused(connack: &Connack) -> String {
    use model::packet::ConnackCode;
    match connack.code {
        ConnackCode::Return(code) => format!("0x{:02X} {code:?}", code as u8),
        ConnackCode::Reason(code) => format!("{code}{}", because(connack.properties.reason_string.as_ref())),
    }
}

fn because(reason_string: Option<&Utf8String>) -> String {
    // Quoted with escapes: the text is the server's, and may hold anything.
    reason_string.map(|text| format!(" ({:?})", text.as_str())).unwrap_or_default()
}

/// No connection came about.
#[derive(Debug, thiserror::Error)]
#[error("{failure}")]
pub struct ConnectError {
    /// Why.
    #[source]
    pub failure: ConnectFailure,
    /// The session that was to be resumed, untouched: try again with it.
    pub session: Option<Box<Session>>,
}

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub enum ConnectFailure {
    /// Nothing was sent: the options break a rule.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The connection ended before it was accepted.
    #[error(transparent)]
    Ended(#[from] Cause),
}

/// A message that was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Nothing was sent: the message cannot be, or the Server does not offer it.
    #[error(transparent)]
    NotSendable(#[from] NotSendable),
    /// The connection ended before the message was sent.
    #[error("the connection ended before the message was sent")]
    NotSent,
    /// The message was sent, and the connection ended before it was acknowledged.
    #[error("the connection ended before the message was acknowledged{}", if *.kept { ": it is kept in the session" } else { "" })]
    Unacknowledged {
        /// Whether the session keeps it, so that the resumed session sends it again.
        kept: bool,
    },
    /// The Server took the message and answered that it failed (5.0).
    #[error("the server rejected the message: {reason}{}", because(.reason_string.as_ref()))]
    Rejected {
        /// 0x80 or above.
        reason: ReasonCode,
        /// Reason String of the acknowledgement.
        reason_string: Option<Utf8String>,
    },
}

/// A subscription that did not come about, or did not go.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Nothing was sent: the request cannot be, or the Server does not offer it.
    #[error(transparent)]
    NotSendable(#[from] NotSendable),
    /// The connection ended before the answer came.
    #[error("the connection ended before the server answered")]
    ConnectionEnded,
    /// The Server answered that it failed.
    #[error("the server refused: {0}")]
    Refused(ReasonCode),
}
