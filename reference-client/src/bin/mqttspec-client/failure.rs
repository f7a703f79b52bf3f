//! What went wrong, and the exit code that says so.

use reference_client::{Cause, ConnectError, ConnectFailure, NotSendable, PublishError, RequestError};
use std::io;
use std::process::ExitCode;

/// Why the program leaves with another code than 0.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Code 1.
    #[error("{0}")]
    Refused(String),
    /// Code 2.
    #[error("{0}")]
    Usage(String),
    /// Code 3.
    #[error("{0}")]
    Unreachable(String),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::Refused(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Unreachable(_) => 3,
        })
    }

    pub(crate) fn runtime(error: io::Error) -> Failure {
        Failure::Unreachable(format!("failed to start: {error}"))
    }
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Failure {
        let text = cause.to_string();
        match cause {
            Cause::Disconnected
            | Cause::Refused(_)
            | Cause::ServerDisconnected(_)
            | Cause::ServerClosed
            | Cause::Malformed(_)
            | Cause::ProtocolError { .. }
            | Cause::SessionStateMissing
            | Cause::CannotAnswer(_) => Failure::Refused(text),
            Cause::Unanswered { .. } | Cause::EventsNotTaken(_) | Cause::Transport(_) | Cause::TaskStopped => {
                Failure::Unreachable(text)
            }
        }
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Failure {
        match error.failure {
            ConnectFailure::Options(error) => Failure::Usage(error.to_string()),
            ConnectFailure::Ended(cause) => cause.into(),
        }
    }
}

impl From<NotSendable> for Failure {
    /// What the user wrote is at fault, unless the server does not offer it.
    fn from(error: NotSendable) -> Failure {
        let text = error.to_string();
        match error {
            NotSendable::TopicName { .. }
            | NotSendable::TopicTooLong(_)
            | NotSendable::ResponseTopic { .. }
            | NotSendable::TopicAlias
            | NotSendable::SubscriptionIdentifierInPublish
            | NotSendable::NoFilter
            | NotSendable::TopicFilter { .. }
            | NotSendable::NoLocalShared(_)
            | NotSendable::Text(_)
            | NotSendable::Disconnect(_)
            | NotSendable::Unencodable(_) => Failure::Usage(text),
            NotSendable::QosNotSupported { .. }
            | NotSendable::RetainNotAvailable
            | NotSendable::PacketTooLarge { .. }
            | NotSendable::WildcardNotAvailable(_)
            | NotSendable::SharedNotAvailable(_)
            | NotSendable::SubscriptionIdentifierNotAvailable
            | NotSendable::NoQuota
            | NotSendable::NotConnected => Failure::Refused(text),
        }
    }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Failure {
        match error {
            PublishError::NotSendable(error) => error.into(),
            PublishError::NotSent | PublishError::Unacknowledged { .. } | PublishError::Rejected { .. } => {
                Failure::Refused(error.to_string())
            }
        }
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Failure {
        match error {
            RequestError::NotSendable(error) => error.into(),
            RequestError::ConnectionEnded | RequestError::Refused(_) => Failure::Refused(error.to_string()),
        }
    }
}
