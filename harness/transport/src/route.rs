//! The way to a server.

use crate::address::{Address, Scheme};
use crate::command::{Complaint, TransportCommand};
use crate::stream::{PromptTcp, Stream};
use crate::tls::{ClientTls, Failure};
use crate::web_socket::{self, Frames, UpgradeError};
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;

/// The way to a server: where it is, and all that lies between. Clones share all of it.
#[derive(Debug, Clone)]
pub struct Route {
    /// Where it leads.
    pub address: Address,
    /// How to speak TLS, where the scheme has it.
    tls: Option<ClientTls>,
    /// What carries the bytes in the place of TCP.
    command: Option<Arc<TransportCommand>>,
    /// Whether that encrypts them by itself.
    command_encrypts: bool,
}

/// An open connection.
#[derive(Debug)]
pub struct Opened {
    /// It.
    pub stream: Box<dyn Stream>,
    /// A handle of its frames, if it is a WebSocket.
    pub frames: Option<Frames>,
    /// What the command that carries it says beside it.
    pub aside: Aside,
}

/// Why a server cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// TCP does not get there.
    #[error("{0}")]
    Tcp(io::Error),
    /// The command cannot be started.
    #[error("cannot start `{command}`: {error}")]
    Command {
        /// The command line.
        command: String,
        /// What the system said.
        error: io::Error,
    },
    /// TLS does not come about.
    #[error("no TLS with it: {0}{1}")]
    Tls(Failure, Aside),
    /// WebSocket does not come about.
    #[error("{0}{1}")]
    WebSocket(UpgradeError, Aside),
}

/// What a command said beside it.
#[derive(Debug, Clone, Default)]
pub struct Aside(Option<Complaint>);

impl Route {
    /// The way to `address`. `tls` is asked for only where the scheme has it.
    ///
    /// # Errors
    /// Those of `tls`.
    pub fn new<E>(
        address: Address,
        tls: impl FnOnce() -> Result<ClientTls, E>,
        command: Option<TransportCommand>,
    ) -> Result<Route, E> {
        let tls = if address.scheme.has_tls() { Some(tls()?) } else { None };
        Ok(Route { address, tls, command: command.map(Arc::new), command_encrypts: false })
    }

    /// The way over TCP and nothing else.
    #[must_use]
    pub fn plain(address: Address) -> Route {
        Route { address, tls: None, command: None, command_encrypts: false }
    }

    /// The way over TLS like this, where the scheme has it.
    #[must_use]
    pub fn over_tls(address: Address, tls: ClientTls) -> Route {
        Route { tls: address.scheme.has_tls().then_some(tls), address, command: None, command_encrypts: false }
    }

    /// The same way to another address of the same scheme.
    #[must_use]
    pub fn to(&self, address: Address) -> Route {
        Route { address, ..self.clone() }
    }

    /// The same way, by a command that does what TLS does.
    #[must_use]
    pub fn by_a_command_that_encrypts(self) -> Route {
        Route { command_encrypts: true, ..self }
    }

    /// The scheme that the server sees in the end.
    #[must_use]
    pub fn arrives_by(&self) -> Scheme {
        Scheme::of(self.address.scheme.has_tls() || self.command_encrypts, self.address.scheme.has_web_socket())
    }

    /// The command that carries it, if one does.
    #[must_use]
    pub fn command(&self) -> Option<&TransportCommand> {
        self.command.as_deref()
    }

    /// Opens a connection. It has no bound of its own: whoever waits sets one.
    ///
    /// # Errors
    /// When something on the way does not come about.
    pub async fn connect(&self) -> Result<Opened, ConnectError> {
        let Some(command) = &self.command else {
            let stream = TcpStream::connect(self.address.socket()).await.and_then(PromptTcp::new);
            return self.over(Box::new(stream.map_err(ConnectError::Tcp)?)).await;
        };
        let started = command.start(&self.address.host, self.address.port);
        let stream = started.map_err(|error| ConnectError::Command { command: command.to_string(), error })?;
        let complaint = stream.complaint();
        let aside = Aside(Some(complaint));
        match self.over(Box::new(stream)).await {
            Ok(opened) => Ok(Opened { aside, ..opened }),
            Err(error) => {
                aside.settle().await;
                Err(match error {
                    ConnectError::Tls(failure, _) => ConnectError::Tls(failure, aside),
                    ConnectError::WebSocket(failure, _) => ConnectError::WebSocket(failure, aside),
                    other => other,
                })
            }
        }
    }

    /// Puts TLS and WebSocket on a stream to the server, as the scheme says.
    ///
    /// # Errors
    /// When one of them does not come about.
    pub async fn over(&self, stream: Box<dyn Stream>) -> Result<Opened, ConnectError> {
        match &self.tls {
            None => self.frame(stream).await,
            Some(tls) => {
                let connected = tls.connect(&self.address.host, stream).await;
                let encrypted = connected.map_err(|failure| ConnectError::Tls(failure, Aside::default()))?;
                self.frame(Box::new(encrypted)).await
            }
        }
    }

    async fn frame(&self, stream: Box<dyn Stream>) -> Result<Opened, ConnectError> {
        if !self.address.scheme.has_web_socket() {
            return Ok(Opened { stream, frames: None, aside: Aside::default() });
        }
        let connected = web_socket::connect(stream, &self.address).await;
        let framed = connected.map_err(|error| ConnectError::WebSocket(error, Aside::default()))?;
        let frames = Some(framed.frames());
        Ok(Opened { stream: Box::new(framed), frames, aside: Aside::default() })
    }
}

impl Aside {
    /// Waits until the command has said its last word, at most a moment: when the connection is over.
    pub async fn settle(&self) {
        if let Some(complaint) = &self.0 {
            complaint.settle().await;
        }
    }
}

/// As the end of a message.
impl std::fmt::Display for Aside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said = self.0.as_ref().map(ToString::to_string).unwrap_or_default();
        if said.is_empty() { Ok(()) } else { write!(f, "; the transport command says: {said}") }
    }
}
