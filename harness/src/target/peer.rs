//! Where connections go.

use super::Address;
use super::prompt::Prompt;
use crate::case::Location;
use crate::trace::ConnectionId;
use crate::wire::Stream;
use model::cloud::{Answer, PlatformMessage, Request};
use model::profile::Profile;
use reference_broker::{Broker, Settings, Switch};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::io;
use std::sync::Arc;
use tokio::io::duplex;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

/// Bytes that may be under way in one direction of an in-memory connection.
const IN_MEMORY_WINDOW: usize = 64 << 10;

/// A peer in memory that is no broker: it takes connections, and is told how the script goes on.
pub trait Counterpart: Debug + Send + Sync {
    /// Opens a connection. Connections have numbers in the order of their opening.
    fn connect(&self) -> Box<dyn Stream>;

    /// Takes a request to the platform's API, on a connection of its own that counts like the others, and answers it.
    fn ask(&self, request: &Request, in_order: bool) -> oneshot::Receiver<Answer>;

    /// Gives out messages of devices, on a connection of its own that counts like the others.
    fn consume(&self) -> mpsc::UnboundedReceiver<PlatformMessage>;

    /// One of them is settled: it is done with, or has to come again.
    fn settle(&self, connection: ConnectionId, message_id: &str, is_accepted: bool);

    /// Nobody wants more of them.
    fn stop_consuming(&self, connection: ConnectionId);

    /// The script begins with a step, and looks at these connections.
    fn attend(&self, step: &Location, watched: BTreeSet<ConnectionId>);
}

/// The peer of one variant.
#[derive(Debug, Clone)]
pub enum Peer {
    /// Somebody who plays a broker, in memory and in virtual time; nothing counts behind the last step.
    Counterpart(Arc<dyn Counterpart>),
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

    /// The same, with a broker that misbehaves on purpose.
    #[must_use]
    pub fn misbehaving(profile: &Profile, switch: Switch) -> Peer {
        Peer::Embedded(Broker::new(Settings { misbehaviour: Some(switch), ..Settings::from_profile(profile) }))
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// When a network target does not accept it.
    pub async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Peer::Counterpart(counterpart) => Ok(counterpart.connect()),
            Peer::Embedded(broker) => {
                let (ours, theirs) = duplex(IN_MEMORY_WINDOW);
                broker.attach(theirs);
                Ok(Box::new(ours))
            }
            Peer::Network(address) => {
                let stream = TcpStream::connect(address.socket()).await.map_err(with_way_out)?;
                // Small packets must leave at once: a fence waits for their answers.
                Ok(Box::new(Prompt::new(stream)?))
            }
        }
    }

    /// Whether time is virtual: it stands still as long as anything can happen, and costs nothing.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        matches!(self, Peer::Embedded(_) | Peer::Counterpart(_))
    }

    /// Whether the end of the script is the end of all that matters.
    #[must_use]
    pub fn ends_with_script(&self) -> bool {
        matches!(self, Peer::Counterpart(_))
    }

    /// The script begins with a step, and looks at what `watched` names.
    pub fn attend(&self, step: &Location, watched: impl FnOnce() -> BTreeSet<ConnectionId>) {
        if let Peer::Counterpart(counterpart) = self {
            counterpart.attend(step, watched());
        }
    }
}

/// Our own limits are not the peer's fault: says what to do about them.
fn with_way_out(error: io::Error) -> io::Error {
    #[cfg(unix)]
    if rustix::io::Errno::from_io_error(&error) == Some(rustix::io::Errno::MFILE) {
        return io::Error::other(format!("{error}; fewer --jobs need fewer, `ulimit -n` allows more"));
    }
    error
}

#[cfg(all(test, unix))]
mod tests {
    use super::with_way_out;
    use std::io;

    #[test]
    fn too_many_open_files_come_with_a_way_out() {
        let error = with_way_out(rustix::io::Errno::MFILE.into());
        assert!(error.to_string().ends_with("; fewer --jobs need fewer, `ulimit -n` allows more"), "{error}");
        let error = with_way_out(io::ErrorKind::ConnectionRefused.into());
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
