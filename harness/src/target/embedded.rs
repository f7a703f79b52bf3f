//! The reference broker in this process.

use super::peer::IN_MEMORY_WINDOW;
use reference_broker::Broker;
use std::sync::OnceLock;
use tokio::io::duplex;
use transport::tls::{ClientTls, ServerTls};
use transport::{Address, ConnectError, Entrance, NotMade, Opened, Route, Scheme, TestAuthority, Tls};

/// A reference broker in memory, and what carries the connections to it.
#[derive(Debug, Clone)]
pub struct Embedded {
    broker: Broker,
    scheme: Scheme,
}

/// Both ends of TLS with a test authority.
#[derive(Debug, Clone)]
struct TestTls {
    client: ClientTls,
    server: ServerTls,
}

impl Embedded {
    /// This broker, over this.
    #[must_use]
    pub fn new(broker: Broker, scheme: Scheme) -> Embedded {
        Embedded { broker, scheme }
    }

    /// The broker itself.
    pub(crate) fn broker(&self) -> &Broker {
        &self.broker
    }

    /// What carries the connections.
    pub(super) fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Opens a connection over this scheme. Needs a running tokio runtime.
    pub(super) async fn connect(&self, scheme: Scheme) -> Result<Opened, ConnectError> {
        let (ours, theirs) = duplex(IN_MEMORY_WINDOW);
        let made = |error: &NotMade| ConnectError::Tcp(std::io::Error::other(error.to_string()));
        let tls = if scheme.has_tls() { Some(test_tls().map_err(made)?) } else { None };
        let entrance =
            Entrance { tls: tls.map(|tls| Tls::Modern(tls.server.clone())), web_socket: scheme.has_web_socket() };
        self.broker.admit(theirs, &entrance);
        // Nobody listens at this address: it is what certificates and requests for a WebSocket name.
        let address = Address::loopback(scheme, scheme.default_port());
        let route = match tls {
            Some(tls) => Route::over_tls(address, tls.client.clone()),
            None => Route::plain(address),
        };
        route.over(Box::new(ours)).await
    }
}

/// Made once: keys are dear.
fn test_tls() -> Result<&'static TestTls, &'static NotMade> {
    static TLS: OnceLock<Result<TestTls, NotMade>> = OnceLock::new();
    let tls = TLS.get_or_init(|| {
        let authority = TestAuthority::new()?;
        Ok(TestTls { client: authority.client(None), server: authority.server()? })
    });
    tls.as_ref()
}
