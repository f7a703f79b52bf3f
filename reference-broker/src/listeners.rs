//! Where the broker listens, as the command line says it.

use clap::Args;
use reference_broker::Broker;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use transport::tls::pem::FileError;
use transport::tls::{Identity, ServerTls};
use transport::{Entrance, FILES, Scheme, TestAuthority, Tls};

/// Where to listen, and behind what.
#[derive(Debug, Args)]
pub(crate) struct ListenOptions {
    /// Address and port for MQTT over TCP; port 0 takes a free one [default: 127.0.0.1:1883, if nothing else is asked for]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// The same for MQTT over TLS; needs --cert and --key, or --test-certificates
    #[arg(long, value_name = "ADDRESS:PORT")]
    tls: Option<SocketAddr>,
    /// The same for MQTT over WebSocket
    #[arg(long, value_name = "ADDRESS:PORT")]
    ws: Option<SocketAddr>,
    /// The same for MQTT over WebSocket over TLS
    #[arg(long, value_name = "ADDRESS:PORT")]
    wss: Option<SocketAddr>,
    /// The broker's certificate, PEM, with those that lead to its authority
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// The private key of --cert
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Take only clients with a certificate of an authority in this PEM file
    #[arg(long, value_name = "FILE")]
    cafile: Option<PathBuf>,
    /// Use the test certificates in this folder; make them, and an authority of their own, where there are none: ca.pem for
    /// clients to trust, server.pem for localhost, client.pem, and their keys
    #[arg(long, value_name = "FOLDER", conflicts_with = "cert")]
    test_certificates: Option<PathBuf>,
    /// Offer TLS 1.0 and 1.1 too: old devices speak no better, and everybody can break it
    #[cfg(feature = "legacy-tls")]
    #[arg(long, conflicts_with = "cafile")]
    legacy_tls: bool,
}

/// Why nobody listens.
#[derive(Debug)]
pub(crate) enum ListenError {
    /// The address cannot be had.
    Address(SocketAddr, io::Error),
    /// A file cannot be used.
    File(FileError),
    /// Test certificates cannot be made.
    TestCertificates(io::Error),
    /// TLS without a certificate.
    NoCertificate,
}

/// Sockets that listen.
#[derive(Debug)]
pub(crate) struct Listeners(Vec<(Scheme, SocketAddr, TcpListener, Entrance)>);

impl ListenOptions {
    /// Listens everywhere.
    pub(crate) async fn bind(&self) -> Result<Listeners, ListenError> {
        let files = self.certificate_files()?;
        let mut asked = vec![
            (Scheme::Mqtt, self.listen),
            (Scheme::Mqtts, self.tls),
            (Scheme::Ws, self.ws),
            (Scheme::Wss, self.wss),
        ];
        if asked.iter().all(|(_, address)| address.is_none()) {
            asked = vec![(Scheme::Mqtt, Some(SocketAddr::from((Ipv4Addr::LOCALHOST, Scheme::Mqtt.default_port()))))];
        }
        let mut listeners = Vec::new();
        for (scheme, address) in asked {
            let Some(address) = address else { continue };
            let failed = |error| ListenError::Address(address, error);
            let entrance = Entrance {
                tls: if scheme.has_tls() { Some(self.server_tls(files.as_ref())?) } else { None },
                web_socket: scheme.has_web_socket(),
            };
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            let bound = listener.local_addr().map_err(failed)?;
            listeners.push((scheme, bound, listener, entrance));
        }
        Ok(Listeners(listeners))
    }

    /// The way in for who gets messages over AMQP: through TLS, if there is a certificate.
    pub(crate) fn amqp_entrance(&self) -> Result<Entrance, ListenError> {
        match self.certificate_files()? {
            Some(_) => self.tls_entrance(),
            None => Ok(Entrance::default()),
        }
    }

    /// The way in through TLS.
    pub(crate) fn tls_entrance(&self) -> Result<Entrance, ListenError> {
        let tls = self.server_tls(self.certificate_files()?.as_ref())?;
        Ok(Entrance { tls: Some(tls), web_socket: false })
    }

    /// What a person has to be told about them, if anything.
    pub(crate) fn warning(&self) -> Option<&'static str> {
        #[cfg(feature = "legacy-tls")]
        if self.legacy_tls {
            return Some("warning: --legacy-tls offers TLS 1.0 and 1.1, which everybody can break: for tests only");
        }
        None
    }

    /// The files of the broker's certificate and of its key.
    fn certificate_files(&self) -> Result<Option<(PathBuf, PathBuf)>, ListenError> {
        if let Some(folder) = &self.test_certificates {
            make_missing(folder).map_err(ListenError::TestCertificates)?;
            return Ok(Some((folder.join("server.pem"), folder.join("server.key"))));
        }
        Ok(self.cert.clone().zip(self.key.clone()))
    }

    fn server_tls(&self, files: Option<&(PathBuf, PathBuf)>) -> Result<Tls, ListenError> {
        let (certificate, key) = files.ok_or(ListenError::NoCertificate)?;
        #[cfg(feature = "legacy-tls")]
        if self.legacy_tls {
            let legacy = transport::tls::LegacyServerTls::from_files(certificate, key);
            return legacy.map(Tls::Legacy).map_err(ListenError::File);
        }
        let identity = Identity::from_files(certificate, key).map_err(ListenError::File)?;
        let tls = match &self.cafile {
            Some(authorities) => ServerTls::for_clients_of(authorities, identity).map_err(ListenError::File)?,
            None => ServerTls::new(identity),
        };
        Ok(Tls::Modern(tls))
    }
}

/// Makes test certificates in a folder where there are none yet. Half of them are a mistake that writing tells of.
fn make_missing(folder: &Path) -> io::Result<()> {
    if FILES.iter().all(|name| folder.join(name).exists()) {
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    TestAuthority::new().map_err(io::Error::other)?.write(folder)
}

impl Listeners {
    /// Serves clients at all of them, until the future is dropped.
    pub(crate) async fn serve(self, broker: &Broker) {
        let mut serving = JoinSet::new();
        for (_, _, listener, entrance) in self.0 {
            let broker = broker.clone();
            serving.spawn(async move { broker.listen_behind(listener, entrance).await });
        }
        while serving.join_next().await.is_some() {}
    }
}

/// `127.0.0.1:1883` over TCP, an URL for all else.
impl fmt::Display for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (scheme, address, _, _)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            match scheme {
                Scheme::Mqtt => write!(f, "{comma}{address}")?,
                _ => write!(f, "{comma}{scheme}://{address}")?,
            }
        }
        Ok(())
    }
}

impl ListenError {
    /// Whether the command line is to blame.
    pub(crate) fn is_usage(&self) -> bool {
        !matches!(self, ListenError::Address(..))
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenError::Address(address, error) if error.kind() == io::ErrorKind::AddrInUse => {
                write!(f, "cannot listen on {address}: {error}; --listen with port 0 takes a free port")
            }
            ListenError::Address(address, error) => write!(f, "cannot listen on {address}: {error}"),
            ListenError::File(error) => write!(f, "{error}"),
            ListenError::TestCertificates(error) => write!(f, "--test-certificates: {error}"),
            ListenError::NoCertificate => {
                f.write_str("--tls, --wss and --api-tls need --cert FILE --key FILE, or --test-certificates FOLDER")
            }
        }
    }
}
