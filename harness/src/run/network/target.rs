//! Where the broker is, and what starts it.

use crate::run::run_error::RunError;
use crate::target::{Route, StartCommand, to_free_port};
use model::device::{Registry, Transport};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long it may take to find out whether somebody listens already where a command is to listen.
const OCCUPIED_SHOWS_WITHIN: Duration = Duration::from_secs(1);

/// A broker in a network, which is started by a command or runs already.
#[derive(Debug, Clone)]
pub struct NetworkTarget {
    /// The way to it.
    pub route: Route,
    /// What carries the connections in the end: devices say it in their logins.
    pub transport: Transport,
    /// It is started at a free port of this machine, wherever the route leads.
    pub free_port: bool,
    /// What starts it.
    pub start: Option<StartCommand>,
    /// How long it may take from its start until it answers.
    pub ready_within: Duration,
    /// The devices that it knows, if a tester knows them too: then everybody logs in as one.
    pub devices: Option<Arc<Registry>>,
}

impl NetworkTarget {
    /// The way to where a command is to listen.
    pub(crate) fn route_to_start(&self) -> io::Result<Route> {
        match self.free_port {
            true => to_free_port(&self.route),
            false => Ok(self.route.clone()),
        }
    }

    /// Makes sure that nobody else listens where a command is to listen.
    pub(crate) async fn check_free(&self) -> Result<(), RunError> {
        // Where a transport command leads, nobody knows.
        if self.start.is_some()
            && !self.free_port
            && self.route.command().is_none()
            && let Ok(Ok(_)) = timeout(OCCUPIED_SHOWS_WITHIN, TcpStream::connect(self.route.address.socket())).await
        {
            return Err(RunError::Occupied(self.route.address.clone()));
        }
        Ok(())
    }
}
