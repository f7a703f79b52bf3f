//! Why a handshake failed, in words for people.

use std::fmt;
use std::io;
use std::time::Duration;
use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::{AlertDescription, CertificateError, Error, OtherError};

/// Why TLS is not to be had with a peer: what failed, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The certificate does not lead to an authority that is trusted.
    UnknownAuthority,
    /// The certificate is for others.
    WrongName {
        /// Who was asked for.
        host: String,
        /// Whom it is for.
        certificate: Vec<String>,
    },
    /// The time of the certificate is over: for how long, if that is known.
    Expired(Option<Duration>),
    /// Its time has not begun.
    NotYetValid,
    /// It is the certificate of an authority.
    IsAuthority,
    /// Something else is wrong with it.
    BadCertificate(String),
    /// The peer has ended the handshake.
    Alert(AlertDescription),
    /// The peer does not speak TLS.
    NotTls,
    /// The peer closed in the middle of the handshake.
    Closed,
    /// The host can be in no certificate.
    NoName(String),
    /// Anything else.
    Other(String),
}

impl Failure {
    /// What an error of a handshake with `host` means.
    #[must_use]
    pub(super) fn of(error: &io::Error, host: &str) -> Failure {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(error) => Failure::of_library(error, host),
            None if is_end(error.kind()) => Failure::Closed,
            None => Failure::Other(error.to_string()),
        }
    }

    /// What an error on an open stream means, if it is one of TLS: a server of 1.3 refuses a client's certificate when the
    /// client believes that all is done.
    #[must_use]
    pub fn on_open_stream(error: &io::Error) -> Option<Failure> {
        let error = error.get_ref()?.downcast_ref::<Error>()?;
        Some(Failure::of_library(error, ""))
    }

    fn of_library(error: &Error, host: &str) -> Failure {
        match error {
            Error::InvalidCertificate(error) => Failure::of_certificate(error, host),
            Error::AlertReceived(alert) => Failure::Alert(*alert),
            Error::InvalidMessage(_) => Failure::NotTls,
            other => Failure::Other(other.to_string()),
        }
    }

    fn of_certificate(error: &CertificateError, host: &str) -> Failure {
        let since = |now: &UnixTime, end: &UnixTime| Duration::from_secs(now.as_secs().saturating_sub(end.as_secs()));
        match error {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Failure::UnknownAuthority,
            CertificateError::NotValidForName => Failure::WrongName { host: host.to_owned(), certificate: Vec::new() },
            CertificateError::NotValidForNameContext { presented, .. } => {
                Failure::WrongName { host: host.to_owned(), certificate: presented.clone() }
            }
            CertificateError::Expired => Failure::Expired(None),
            CertificateError::ExpiredContext { time, not_after } => Failure::Expired(Some(since(time, not_after))),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Failure::NotYetValid,
            CertificateError::Other(OtherError(other)) if other.to_string().contains("CaUsedAsEndEntity") => {
                Failure::IsAuthority
            }
            other => Failure::BadCertificate(other.to_string()),
        }
    }
}

/// Whether a connection is over.
fn is_end(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::UnknownAuthority => f.write_str(
                "its certificate is signed by an authority that is not trusted here: --cafile FILE names the one to trust",
            ),
            Failure::WrongName { host, certificate } => {
                write!(f, "its certificate is not for `{host}`")?;
                if !certificate.is_empty() {
                    write!(f, ", but for {}", certificate.join(", "))?;
                }
                f.write_str(": write the name that it is for into the URL, or have it made for this one")
            }
            Failure::Expired(since) => {
                f.write_str("its certificate has expired")?;
                if let Some(days) = since.map(|since| since.as_secs() / 86_400).filter(|days| *days > 0) {
                    write!(f, " {days} days ago")?;
                }
                f.write_str(": the server needs a new one")
            }
            Failure::NotYetValid => {
                f.write_str("its certificate is not valid yet: look at the clocks, or have a new one made")
            }
            Failure::IsAuthority => f.write_str(
                "its certificate is that of an authority (CA:TRUE), which is not for servers: have one signed by it; \
                 `mqttspec-broker --test-certificates DIR` makes a pair",
            ),
            Failure::BadCertificate(why) => write!(f, "its certificate cannot be used: {why}"),
            Failure::Alert(alert) => {
                write!(f, "it refuses the handshake with the alert {alert:?}")?;
                match alert {
                    AlertDescription::CertificateRequired | AlertDescription::CertificateUnknown => {
                        f.write_str(": it asks for a certificate; --cert FILE --key FILE give it one")
                    }
                    AlertDescription::UnknownCA
                    | AlertDescription::BadCertificate
                    | AlertDescription::CertificateExpired
                    | AlertDescription::AccessDenied
                    | AlertDescription::DecryptError => f.write_str(": it does not like the certificate of --cert"),
                    AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure => f.write_str(
                        ": it has no version or cipher suite of TLS 1.2 and 1.3 that we have; \
                         `mqttspec probe --tls HOST:PORT` tells which versions it has",
                    ),
                    _ => Ok(()),
                }
            }
            Failure::NotTls => f.write_str("what it says is no TLS: is it the port with TLS?"),
            Failure::Closed => f.write_str("it closes during the handshake: is it the port with TLS?"),
            Failure::NoName(host) => write!(f, "`{host}` is no name that a certificate can be for"),
            Failure::Other(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Failure {}
