//! The server's side.

use super::failure::Failure;
use super::identity::Identity;
use super::pem::{self, FileError};
use crate::stream::Stream;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

/// How a server speaks TLS. Clones share all of it.
#[derive(Clone)]
pub struct ServerTls(TlsAcceptor);

impl ServerTls {
    /// A server that shows `identity` to everybody.
    #[must_use]
    pub fn new(identity: Identity) -> ServerTls {
        let builder = builder().with_no_client_auth();
        ServerTls::with(builder.with_single_cert(identity.chain, identity.key))
    }

    /// A server that takes only clients whose certificate leads to an authority in this PEM file.
    ///
    /// # Errors
    /// When that file cannot be used.
    pub fn for_clients_of(authorities: &Path, identity: Identity) -> Result<ServerTls, FileError> {
        let mut roots = RootCertStore::empty();
        let unusable = |why: String| FileError::new(authorities, format!("a certificate in it cannot be used: {why}"));
        for certificate in pem::certificates(authorities)? {
            roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
        }
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let verifier = verifier.map_err(|error| unusable(error.to_string()))?;
        let builder = builder().with_client_cert_verifier(verifier);
        Ok(ServerTls::with(builder.with_single_cert(identity.chain, identity.key)))
    }

    fn with(config: Result<ServerConfig, tokio_rustls::rustls::Error>) -> ServerTls {
        ServerTls(TlsAcceptor::from(Arc::new(config.expect("an identity's key fits its certificate"))))
    }

    /// Shakes hands with the client at the other end of `stream`.
    ///
    /// # Errors
    /// When no connection comes of it: why.
    pub async fn accept(&self, stream: Box<dyn Stream>) -> Result<TlsStream<Box<dyn Stream>>, Failure> {
        self.0.accept(stream).await.map_err(|error| Failure::of(&error, ""))
    }
}

/// Without secrets.
impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerTls")
    }
}

fn builder() -> tokio_rustls::rustls::ConfigBuilder<ServerConfig, tokio_rustls::rustls::WantsVerifier> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    builder.expect("ring has suites of 1.2 and 1.3")
}
