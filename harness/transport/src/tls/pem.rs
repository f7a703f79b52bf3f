//! PEM files, with errors that name the file.

use std::fmt;
use std::path::{Path, PathBuf};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Why a file gives no certificate or key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    path: PathBuf,
    why: String,
}

impl FileError {
    pub(super) fn new(path: &Path, why: impl Into<String>) -> FileError {
        FileError { path: path.to_owned(), why: why.into() }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for FileError {}

/// The certificates in a PEM file: one at least.
///
/// # Errors
/// When it cannot be read, or holds none.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, FileError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = read.map_err(|error| FileError::new(path, describe(&error)))?;
    match certificates.is_empty() {
        true => Err(FileError::new(path, "no certificate in it: it must be PEM, `-----BEGIN CERTIFICATE-----`")),
        false => Ok(certificates),
    }
}

/// The first private key in a PEM file.
///
/// # Errors
/// When it cannot be read, or holds none that needs no passphrase.
pub fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, FileError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| match error {
        pem::Error::NoItemsFound => {
            let why = "no private key in it: it must be PEM and without a passphrase, `-----BEGIN PRIVATE KEY-----`";
            FileError::new(path, why)
        }
        error => FileError::new(path, describe(&error)),
    })
}

fn describe(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => format!("it cannot be read: {error}"),
        error => format!("it is no PEM: {error}"),
    }
}
