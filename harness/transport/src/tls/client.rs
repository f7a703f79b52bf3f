//! The client's side.

use super::failure::Failure;
use super::identity::Identity;
use super::pem::{self, FileError};
use crate::stream::Stream;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// Which servers a client believes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trust {
    /// Those whose certificate leads to an authority that the system trusts.
    #[default]
    System,
    /// Those whose certificate leads to an authority in this PEM file.
    Authorities(PathBuf),
    /// All.
    Anybody,
}

/// How a client speaks TLS. Clones share all of it.
#[derive(Debug, Clone)]
pub struct ClientTls(Arc<ClientConfig>);

impl ClientTls {
    /// For servers of this trust; a server that asks who the client is learns `identity`.
    ///
    /// # Errors
    /// When the file of the authorities cannot be used.
    pub fn new(trust: &Trust, identity: Option<Identity>) -> Result<ClientTls, FileError> {
        let roots = match trust {
            Trust::System => system_authorities(),
            Trust::Authorities(path) => {
                let mut roots = RootCertStore::empty();
                for certificate in pem::certificates(path)? {
                    let added = roots.add(certificate);
                    added.map_err(|error| {
                        FileError::new(path, format!("a certificate in it cannot be used: {error}"))
                    })?;
                }
                roots
            }
            Trust::Anybody => RootCertStore::empty(),
        };
        let verifier = matches!(trust, Trust::Anybody).then(|| Arc::new(Credulous(Arc::new(ring::default_provider()))));
        Ok(ClientTls::with(roots, verifier, identity))
    }

    /// For servers whose certificate leads to this authority.
    pub(crate) fn trusting(authority: CertificateDer<'static>, identity: Option<Identity>) -> ClientTls {
        let mut roots = RootCertStore::empty();
        // An authority that cannot be used is one that nobody is trusted by: the handshake says so.
        let _ = roots.add(authority);
        ClientTls::with(roots, None, identity)
    }

    fn with(roots: RootCertStore, verifier: Option<Arc<Credulous>>, identity: Option<Identity>) -> ClientTls {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has suites of 1.2 and 1.3");
        let builder = match verifier {
            Some(verifier) => builder.dangerous().with_custom_certificate_verifier(verifier),
            None => builder.with_root_certificates(roots),
        };
        let config = match identity {
            Some(Identity { chain, key }) => {
                builder.with_client_auth_cert(chain, key).expect("an identity's key fits its certificate")
            }
            None => builder.with_no_client_auth(),
        };
        ClientTls(Arc::new(config))
    }

    /// Shakes hands with the server at the other end of `stream`, which goes by the name `host`: it is told the name (SNI),
    /// and its certificate has to be for it.
    ///
    /// # Errors
    /// When no connection comes of it: why.
    pub async fn connect(&self, host: &str, stream: Box<dyn Stream>) -> Result<TlsStream<Box<dyn Stream>>, Failure> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Failure::NoName(host.to_owned()))?;
        let connector = TlsConnector::from(Arc::clone(&self.0));
        connector.connect(name, stream).await.map_err(|error| Failure::of(&error, host))
    }
}

/// What the system trusts. An authority that cannot be read is like one that is not there; without any, no server is
/// believed, and the failure says what to do.
fn system_authorities() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// Believes every certificate: whoever asked for it was told.
#[derive(Debug)]
struct Credulous(Arc<CryptoProvider>);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
