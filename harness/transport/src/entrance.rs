//! What a server asks of a connection before MQTT begins on it.

use crate::stream::Stream;
use crate::tls::{self, ServerTls};
use crate::web_socket::{self, Manners};
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// How long a client may take until MQTT can begin.
const WITHIN: Duration = Duration::from_secs(10);

/// What stands between a server's TCP and its MQTT. The default is nothing.
#[derive(Debug, Clone, Default)]
pub struct Entrance {
    /// TLS, if clients have to speak it.
    pub tls: Option<Tls>,
    /// Whether clients have to speak WebSocket.
    pub web_socket: bool,
}

/// Whose TLS it is.
#[derive(Debug, Clone)]
pub enum Tls {
    /// 1.2 and 1.3, by rustls.
    Modern(ServerTls),
    /// From 1.0 on, by OpenSSL.
    #[cfg(feature = "legacy-tls")]
    Legacy(tls::LegacyServerTls),
}

/// A connection on which MQTT can begin.
#[derive(Debug)]
pub struct Admitted {
    /// It.
    pub stream: Box<dyn Stream>,
    /// Whether it is encrypted.
    pub is_encrypted: bool,
}

/// Why MQTT cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum NotAdmitted {
    /// The client's TLS is not to be had.
    #[error("no TLS: {0}")]
    Tls(#[from] tls::Failure),
    /// It asked for no WebSocket that carries MQTT.
    #[error("no WebSocket: {0}")]
    WebSocket(io::Error),
    /// It took too long.
    #[error("no end of its handshakes within {} s", WITHIN.as_secs())]
    TooSlow,
}

impl Entrance {
    /// Whether MQTT begins at once.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.tls.is_none() && !self.web_socket
    }

    /// Does what comes before MQTT with the client at the other end of `stream`, in bounded time; `manners` are those of the
    /// server.
    ///
    /// # Errors
    /// When the client does not do its part.
    pub async fn admit(&self, stream: Box<dyn Stream>, manners: Manners) -> Result<Admitted, NotAdmitted> {
        timeout(WITHIN, self.shake_hands(stream, manners)).await.unwrap_or(Err(NotAdmitted::TooSlow))
    }

    async fn shake_hands(&self, stream: Box<dyn Stream>, manners: Manners) -> Result<Admitted, NotAdmitted> {
        let is_encrypted = self.tls.is_some();
        let stream = match &self.tls {
            None => self.frame(stream, manners).await?,
            Some(Tls::Modern(tls)) => self.frame(Box::new(tls.accept(stream).await?), manners).await?,
            #[cfg(feature = "legacy-tls")]
            Some(Tls::Legacy(tls)) => self.frame(Box::new(tls.accept(stream).await?), manners).await?,
        };
        Ok(Admitted { stream, is_encrypted })
    }

    async fn frame(&self, stream: Box<dyn Stream>, manners: Manners) -> Result<Box<dyn Stream>, NotAdmitted> {
        if !self.web_socket {
            return Ok(stream);
        }
        Ok(Box::new(web_socket::accept(stream, manners).await.map_err(NotAdmitted::WebSocket)?))
    }
}
