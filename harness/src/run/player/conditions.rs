//! Under what conditions variants are played.

use crate::case::Credentials;
use crate::cloud::CloudTarget;
use crate::fault::Interference;
use crate::target::Scheme;
use std::time::Duration;

/// Under what conditions variants are played.
#[derive(Debug, Clone)]
pub struct Conditions {
    /// User name and password of all actors.
    pub credentials: Credentials,
    /// How long an answer may take if the script says nothing else.
    pub timeout: Duration,
    /// What stands between the harness and its peer.
    pub interference: Interference,
    /// The cloud side of a peer in a network, if it has one.
    pub cloud: Option<CloudTarget>,
    /// What carries the connections to an embedded broker.
    pub scheme: Scheme,
}

/// How long an answer may take if nobody says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

impl Default for Conditions {
    fn default() -> Conditions {
        Conditions {
            credentials: Credentials::default(),
            timeout: DEFAULT_TIMEOUT,
            interference: Interference::None,
            scheme: Scheme::Mqtt,
            cloud: None,
        }
    }
}
