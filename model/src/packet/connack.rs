//! CONNACK: the Server answers CONNECT.

use super::{ConnackProperties, ReasonCode};

/// The CONNACK packet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Connack {
    /// Session Present (3.1 has no such flag: always false there).
    pub session_present: bool,
    /// What the Server answers.
    pub code: ConnackCode,
    /// 5.0 only.
    pub properties: ConnackProperties,
}

/// The answer to CONNECT in the terms of the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnackCode {
    /// 3.1 and 3.1.1.
    Return(ConnectReturnCode),
    /// 5.0.
    Reason(ReasonCode),
}

impl ConnackCode {
    /// Whether the connection is accepted.
    #[must_use]
    pub fn is_accepted(self) -> bool {
        self.value() == 0
    }

    /// The byte on the wire.
    #[must_use]
    pub fn value(self) -> u8 {
        match self {
            ConnackCode::Return(code) => code as u8,
            ConnackCode::Reason(code) => code.value(),
        }
    }
}

/// Connect Return Codes of 3.x; 6 to 255 are reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the standard's")]
pub enum ConnectReturnCode {
    Accepted = 0,
    UnacceptableProtocolVersion = 1,
    IdentifierRejected = 2,
    ServerUnavailable = 3,
    BadUserNameOrPassword = 4,
    NotAuthorized = 5,
}

impl ConnectReturnCode {
    /// All codes in order.
    pub const ALL: [ConnectReturnCode; 6] = [
        ConnectReturnCode::Accepted,
        ConnectReturnCode::UnacceptableProtocolVersion,
        ConnectReturnCode::IdentifierRejected,
        ConnectReturnCode::ServerUnavailable,
        ConnectReturnCode::BadUserNameOrPassword,
        ConnectReturnCode::NotAuthorized,
    ];

    /// The code with this value, unless it is reserved.
    #[must_use]
    pub fn from_value(value: u8) -> Option<ConnectReturnCode> {
        ConnectReturnCode::ALL.get(usize::from(value)).copied()
    }
}
