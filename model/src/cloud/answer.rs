//! What the API answers.

use super::request_fault::Refusal;
use std::fmt;
use std::str::FromStr;

/// An answer of the API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Answer {
    /// `Success`. The front door's refusals have no such field: they are none.
    pub success: bool,
    /// `Code` of what went wrong.
    pub code: Option<String>,
    /// `ErrorMessage` or, at the front door, `Message`.
    pub message: Option<String>,
    /// `MessageId`, as text.
    pub message_id: Option<String>,
    /// `RrpcCode` of a call.
    pub rrpc_code: Option<RrpcCode>,
    /// `PayloadBase64Byte` of a call, decoded.
    pub payload: Option<Vec<u8>>,
    /// Lines of the device log.
    pub log: Vec<LogLine>,
}

/// How a call ended (P-RPC-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RrpcCode {
    /// The device has answered.
    Success,
    /// It has not, in time.
    Timeout,
    /// It is not connected.
    Offline,
    /// Nobody is sure whether it is.
    HalfConnected,
    /// Nobody knows.
    Unknown,
}

/// A line of the device log (P-LOG-1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct LogLine {
    /// `Operation`.
    pub operation: String,
    /// `Content`.
    pub content: String,
    /// `Status`: 200 if it was done.
    pub status: String,
    /// `MessageId`.
    pub message_id: Option<String>,
    /// User Properties of the message (P-V5-10).
    pub user_properties: Vec<(String, String)>,
}

impl Answer {
    /// It has been done.
    #[must_use]
    pub fn done() -> Answer {
        Answer { success: true, ..Answer::default() }
    }

    /// It has not been done.
    #[must_use]
    pub fn refused(refusal: Refusal) -> Answer {
        Answer { code: Some(refusal.code), message: Some(refusal.message), ..Answer::default() }
    }

    /// How a call ended: some answers say it in RrpcCode, some in Code (P-RPC-11, P-RPC-13).
    #[must_use]
    pub fn call_code(&self) -> Option<RrpcCode> {
        let in_code = || self.code.as_deref()?.strip_prefix("iot.messagebroker.")?.parse().ok();
        self.rrpc_code.or_else(in_code)
    }
}

impl RrpcCode {
    /// All of them.
    pub const ALL: [RrpcCode; 5] =
        [RrpcCode::Success, RrpcCode::Timeout, RrpcCode::Offline, RrpcCode::HalfConnected, RrpcCode::Unknown];

    /// As the API spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RrpcCode::Success => "SUCCESS",
            RrpcCode::Timeout => "TIMEOUT",
            RrpcCode::Offline => "OFFLINE",
            RrpcCode::HalfConnected => "HALFCONN",
            RrpcCode::Unknown => "UNKNOWN",
        }
    }
}

/// The text is no code of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected SUCCESS, TIMEOUT, OFFLINE, HALFCONN or UNKNOWN")]
pub struct NoRrpcCode;

impl FromStr for RrpcCode {
    type Err = NoRrpcCode;

    fn from_str(text: &str) -> Result<RrpcCode, NoRrpcCode> {
        RrpcCode::ALL.into_iter().find(|code| code.name() == text).ok_or(NoRrpcCode)
    }
}

impl fmt::Display for RrpcCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// `success, SUCCESS "on"` or `refused: iot.messagebroker.NullTopicName`.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.success { "success" } else { "refused" })?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        if let Some(code) = self.rrpc_code {
            write!(f, " {code}")?;
        }
        if let Some(payload) = &self.payload {
            write!(f, " {:?}", String::from_utf8_lossy(payload))?;
        }
        if let Some(id) = &self.message_id {
            write!(f, " message {id}")?;
        }
        for LogLine { operation, content, status, user_properties, .. } in &self.log {
            write!(f, "; {operation} {status} {content:?}")?;
            for (name, value) in user_properties {
                write!(f, " {name}={value}")?;
            }
        }
        Ok(())
    }
}
