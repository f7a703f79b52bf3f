//! TLS from 1.0 on, by OpenSSL: what old devices speak, and what nobody should offer without need.

use super::failure::Failure;
use super::pem::FileError;
use crate::stream::Stream;
use openssl::ssl::{Ssl, SslAcceptor, SslFiletype, SslMethod, SslVersion};
use std::path::Path;
use std::pin::Pin;
use tokio_openssl::SslStream;

/// Level 0 lets SHA-1 sign again, without which there is no TLS 1.0 and 1.1.
const CIPHERS: &str = "DEFAULT:@SECLEVEL=0";

/// How a server speaks TLS 1.0 to 1.3. Clones share all of it.
#[derive(Clone)]
pub struct LegacyServerTls(SslAcceptor);

impl LegacyServerTls {
    /// A server that shows the certificate in one PEM file, whose key is in the other.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<LegacyServerTls, FileError> {
        let wrong = |path: &Path| {
            let path = path.to_owned();
            move |error: openssl::error::ErrorStack| FileError::new(&path, format!("OpenSSL cannot use it: {error}"))
        };
        let mut builder = SslAcceptor::mozilla_intermediate(SslMethod::tls()).map_err(wrong(certificate))?;
        builder.set_min_proto_version(Some(SslVersion::TLS1)).map_err(wrong(certificate))?;
        builder.set_max_proto_version(None).map_err(wrong(certificate))?;
        builder.clear_options(
            openssl::ssl::SslOptions::NO_TLSV1
                | openssl::ssl::SslOptions::NO_TLSV1_1
                | openssl::ssl::SslOptions::NO_TLSV1_3,
        );
        builder.set_cipher_list(CIPHERS).map_err(wrong(certificate))?;
        builder.set_certificate_chain_file(certificate).map_err(wrong(certificate))?;
        builder.set_private_key_file(key, SslFiletype::PEM).map_err(wrong(key))?;
        builder.check_private_key().map_err(wrong(key))?;
        Ok(LegacyServerTls(builder.build()))
    }

    /// Shakes hands with the client at the other end of `stream`.
    ///
    /// # Errors
    /// When no connection comes of it: why.
    pub async fn accept(&self, stream: Box<dyn Stream>) -> Result<SslStream<Box<dyn Stream>>, Failure> {
        let other = |error: &dyn std::fmt::Display| Failure::Other(error.to_string());
        let ssl = Ssl::new(self.0.context()).map_err(|error| other(&error))?;
        let mut stream = SslStream::new(ssl, stream).map_err(|error| other(&error))?;
        Pin::new(&mut stream).accept().await.map_err(|error| other(&error))?;
        Ok(stream)
    }
}

impl std::fmt::Debug for LegacyServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LegacyServerTls")
    }
}
