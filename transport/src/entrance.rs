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
    /// WebSocket, if clients have to speak it, and how the server keeps to its rules.
    pub web_socket: Option<Manners>,
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
    /// Does what comes before MQTT with the client at the other end of `stream`, in bounded time.
    ///
    /// # Errors
    /// When the client does not do its part.
    pub async fn admit(&self, stream: impl Stream + 'static) -> Result<Admitted, NotAdmitted> {
        timeout(WITHIN, self.shake_hands(stream)).await.unwrap_or(Err(NotAdmitted::TooSlow))
    }

    async fn shake_hands(&self, stream: impl Stream + 'static) -> Result<Admitted, NotAdmitted> {
        let is_encrypted = self.tls.is_some();
        let stream = match &self.tls {
            None => self.frame(stream).await?,
            Some(Tls::Modern(tls)) => self.frame(tls.accept(stream).await?).await?,
            #[cfg(feature = "legacy-tls")]
            Some(Tls::Legacy(tls)) => self.frame(tls.accept(stream).await?).await?,
        };
        Ok(Admitted { stream, is_encrypted })
    }

    async fn frame(&self, stream: impl Stream + 'static) -> Result<Box<dyn Stream>, NotAdmitted> {
        match self.web_socket {
            None => Ok(Box::new(stream)),
            Some(manners) => {
                let framed = web_socket::accept(stream, manners).await.map_err(NotAdmitted::WebSocket)?;
                Ok(Box::new(framed))
            }
        }
    }
}
