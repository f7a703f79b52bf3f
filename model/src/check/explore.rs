//! stateright's explorer for a scenario.

use super::scenario::Scenario;
use super::system::System;
use crate::server::SeededBug;
use stateright::Model;
use std::net::{SocketAddr, TcpListener};

/// Why the explorer cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {reason}")]
pub struct ExploreError {
    /// Where it was to listen.
    pub address: SocketAddr,
    /// Why it cannot.
    pub reason: std::io::Error,
}

/// Serves the explorer until the process ends. `ready` hears the address, with the port that was chosen for port 0.
///
/// # Errors
/// When the address cannot be listened on.
pub fn explore(
    scenario: Scenario,
    bug: Option<SeededBug>,
    address: SocketAddr,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), ExploreError> {
    // stateright panics where it cannot listen, and does not tell the port: so the address is tried first.
    let fail = |reason| ExploreError { address, reason };
    let listener = TcpListener::bind(address).map_err(fail)?;
    let address = listener.local_addr().map_err(fail)?;
    drop(listener);
    ready(address);
    System::new(scenario, bug).checker().serve(address);
    Ok(())
}
