//! Where connections go.

use super::Address;
use crate::wire::Stream;
use model::profile::Profile;
use reference_broker::{Broker, Settings};
use std::io;
use tokio::io::duplex;
use tokio::net::TcpStream;

/// Bytes that may be under way in one direction of an in-memory connection.
const IN_MEMORY_WINDOW: usize = 64 << 10;

/// The peer of one variant.
#[derive(Debug, Clone)]
pub enum Peer {
    /// A reference broker of its own, in memory and in virtual time.
    Embedded(Broker),
    /// A broker at an address, in real time.
    Network(Address),
}

impl Peer {
    /// A fresh reference broker of this profile. Needs a running tokio runtime.
    #[must_use]
    pub fn embedded(profile: &Profile) -> Peer {
        Peer::Embedded(Broker::new(Settings::from_profile(profile)))
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// When a network target does not accept it.
    pub async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Peer::Embedded(broker) => {
                let (ours, theirs) = duplex(IN_MEMORY_WINDOW);
                broker.attach(theirs);
                Ok(Box::new(ours))
            }
            Peer::Network(address) => {
                let stream = TcpStream::connect(address.socket()).await?;
                // Small packets must leave at once: a fence waits for their answers.
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
        }
    }

    /// Whether time is virtual: it stands still as long as anything can happen, and costs nothing.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        matches!(self, Peer::Embedded(_))
    }
}
