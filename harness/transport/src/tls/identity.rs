//! Who an end of a connection is.

use super::pem::{self, FileError};
use std::fmt;
use std::path::Path;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;

/// A certificate with those that lead to its authority, and its private key.
pub struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Out of two PEM files.
    ///
    /// # Errors
    /// When one of them cannot be used, or the key is not that of the certificate.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Identity, FileError> {
        let identity = Identity { chain: pem::certificates(certificate)?, key: pem::private_key(key)? };
        match CertifiedKey::from_der(identity.chain.clone(), identity.key.clone_key(), &ring::default_provider()) {
            Ok(_) => Ok(identity),
            Err(error) => {
                let why = format!("it is not the key of the certificate in {}: {error}", certificate.display());
                Err(FileError::new(key, why))
            }
        }
    }

    pub(crate) fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Identity {
        Identity { chain, key }
    }
}

impl Clone for Identity {
    fn clone(&self) -> Identity {
        Identity { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

/// Without the key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({} certificates)", self.chain.len())
    }
}
