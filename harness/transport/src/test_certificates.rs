//! Certificates for tests: an authority of its own, and what it signs. Nobody else trusts it, and nobody should.

use crate::tls::{ClientTls, Identity, ServerTls};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Under these names a test server is reached.
pub const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The files that [`TestAuthority::write`] makes.
pub const FILES: [&str; 5] = ["ca.pem", "server.pem", "server.key", "client.pem", "client.key"];

/// When a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// In this century.
    Valid,
    /// It ended in 2021.
    Expired,
}

/// An authority that signs test certificates.
pub struct TestAuthority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, as PEM and for use.
#[derive(Clone)]
pub struct TestCertificate {
    /// The certificate, PEM.
    pub certificate: String,
    /// Its private key, PEM.
    key: String,
    /// Both, for use.
    pub identity: Identity,
}

/// Why a certificate cannot be made: no randomness, or a name that no certificate can hold.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a certificate: {0}")]
pub struct NotMade(#[from] rcgen::Error);

impl TestAuthority {
    /// A new one.
    ///
    /// # Errors
    /// When there is no randomness for its key.
    pub fn new() -> Result<TestAuthority, NotMade> {
        let mut params = params(&[], "mqttspec test authority", Validity::Valid)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Ok(TestAuthority(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// Its own certificate, PEM.
    #[must_use]
    pub fn certificate(&self) -> String {
        self.0.pem()
    }

    /// A client that trusts it and nobody else.
    #[must_use]
    pub fn client(&self, identity: Option<Identity>) -> ClientTls {
        ClientTls::trusting(self.0.der().clone(), identity)
    }

    /// A server for [`LOCAL_NAMES`].
    ///
    /// # Errors
    /// When there is no randomness for its key.
    pub fn server(&self) -> Result<ServerTls, NotMade> {
        Ok(ServerTls::new(self.for_server(&LOCAL_NAMES, Validity::Valid)?.identity))
    }

    /// A certificate for a server of these names.
    ///
    /// # Errors
    /// When no certificate can hold a name.
    pub fn for_server(&self, names: &[&str], validity: Validity) -> Result<TestCertificate, NotMade> {
        self.sign(params(names, names.first().unwrap_or(&"nobody"), validity)?, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A certificate for a client of this name.
    ///
    /// # Errors
    /// When no certificate can hold the name.
    pub fn for_client(&self, name: &str) -> Result<TestCertificate, NotMade> {
        self.sign(params(&[], name, Validity::Valid)?, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn sign(&self, mut params: CertificateParams, usage: ExtendedKeyUsagePurpose) -> Result<TestCertificate, NotMade> {
        params.extended_key_usages = vec![usage];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.0)?;
        let secret = PrivateKeyDer::try_from(key.serialize_der()).expect("rcgen writes keys as PKCS #8");
        Ok(TestCertificate {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            identity: Identity::new(vec![certificate.der().clone()], secret),
        })
    }

    /// Writes its certificate, one for a local server and one for a client, and their keys, into `folder`, which must be
    /// there. Keys can be read by their owner alone. Files of these names must not be there.
    ///
    /// # Errors
    /// When they cannot be made or written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let server = self.for_server(&LOCAL_NAMES, Validity::Valid).map_err(io::Error::other)?;
        let client = self.for_client("mqttspec test client").map_err(io::Error::other)?;
        let contents = [&self.certificate(), &server.certificate, &server.key, &client.certificate, &client.key];
        for (name, content) in FILES.iter().zip(contents) {
            write_new(&folder.join(name), content)?;
        }
        Ok(())
    }
}

impl TestCertificate {
    /// Writes `NAME.pem` and `NAME.key` into `folder`.
    ///
    /// # Errors
    /// When they are there, or cannot be written.
    pub fn write(&self, folder: &Path, name: &str) -> io::Result<()> {
        write_new(&folder.join(format!("{name}.pem")), &self.certificate)?;
        write_new(&folder.join(format!("{name}.key")), &self.key)
    }
}

fn params(names: &[&str], subject: &str, validity: Validity) -> Result<CertificateParams, NotMade> {
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
    params.distinguished_name.push(DnType::CommonName, subject);
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = match validity {
        Validity::Valid => (date_time_ymd(2020, 1, 1), date_time_ymd(2100, 1, 1)),
        Validity::Expired => (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1)),
    };
    Ok(params)
}

fn write_new(path: &Path, content: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if path.extension().is_some_and(|extension| extension == "key") {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    options.open(path).and_then(|mut file| file.write_all(content.as_bytes())).map_err(named)
}

/// Without its key.
impl fmt::Debug for TestAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TestAuthority")
    }
}

/// Without its key.
impl fmt::Debug for TestCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TestCertificate({:?})", self.identity)
    }
}
