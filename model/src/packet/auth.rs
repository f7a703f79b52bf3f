//! AUTH: enhanced authentication, 5.0 only.

use super::{AuthProperties, ReasonCode};

/// The AUTH packet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Auth {
    /// Success, Continue authentication or Re-authenticate.
    pub reason: ReasonCode,
    /// Authentication Method and what belongs to it.
    pub properties: AuthProperties,
}
