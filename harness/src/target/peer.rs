//! Where connections go.

use super::embedded::Embedded;
use crate::case::{Location, Transport};
use crate::trace::ConnectionId;
use crate::wire::Stream;
use model::cloud::{Answer, PlatformMessage, Request};
use model::device;
use model::profile::Profile;
use reference_broker::{Broker, Settings, Switch};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::io;
use std::sync::Arc;
use tokio::io::{copy_bidirectional, duplex};
use tokio::sync::{mpsc, oneshot};
use transport::web_socket::{self, Manners};
use transport::{Address, ConnectError, Opened, Route, Scheme};

/// Bytes that may be under way in one direction of an in-memory connection.
pub(super) const IN_MEMORY_WINDOW: usize = 64 << 10;

/// A peer in memory that is no broker: it takes connections, and is told how the script goes on.
pub trait Counterpart: Debug + Send + Sync {
    /// Opens a connection that passes for one over this. Connections have numbers in the order of their opening.
    fn connect(&self, carried: device::Transport) -> Box<dyn Stream>;

    /// Takes a request to the platform's API, on a connection of its own that counts like the others, and answers it.
    fn ask(&self, request: &Request, in_order: bool) -> oneshot::Receiver<Answer>;

    /// Gives out messages of devices, on a connection of its own that counts like the others.
    fn consume(&self) -> mpsc::UnboundedReceiver<PlatformMessage>;

    /// One of them is settled: it is done with, or has to come again.
    fn settle(&self, connection: ConnectionId, message_id: &str, is_accepted: bool);

    /// Nobody wants more of them.
    fn stop_consuming(&self, connection: ConnectionId);

    /// The script begins with a step.
    fn attend(&self, step: &Location, attention: Attention);
}

/// How a script begins with a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attention {
    /// The connections that it looks at.
    pub watched: BTreeSet<ConnectionId>,
    /// All that was, as far as anything that the player does from now on depends on it; what came over the API and over
    /// AMQP excepted. Two that stand alike go on alike.
    pub standing: u64,
}

/// The peer of one variant.
#[derive(Debug, Clone)]
pub enum Peer {
    /// Somebody who plays a broker, in memory and in virtual time; nothing counts behind the last step.
    Counterpart(Arc<dyn Counterpart>),
    /// A reference broker of its own, in memory and in virtual time.
    Embedded(Embedded),
    /// A broker somewhere, in real time.
    Network(Route),
}

impl Peer {
    /// A fresh reference broker of this profile, without TLS and WebSocket.
    #[must_use]
    pub fn embedded(profile: &Profile) -> Peer {
        Peer::embedded_over(Scheme::Mqtt, Settings::from_profile(profile))
    }

    /// The same, with a broker that misbehaves on purpose.
    #[must_use]
    pub fn misbehaving(profile: &Profile, switch: Switch) -> Peer {
        let settings = Settings { misbehaviour: Some(switch), ..Settings::from_profile(profile) };
        Peer::embedded_over(Scheme::Mqtt, settings)
    }

    /// A fresh reference broker with these settings, over this.
    #[must_use]
    pub fn embedded_over(scheme: Scheme, settings: Settings) -> Peer {
        Peer::Embedded(Embedded::new(Broker::new(settings), scheme))
    }

    /// Opens a connection over what the peer has; where that is for us to choose, over what is `wanted`. Needs a running
    /// tokio runtime.
    ///
    /// # Errors
    /// When a network target does not accept it.
    pub async fn connect(&self, wanted: &[Transport]) -> Result<Opened, ConnectError> {
        match self {
            Peer::Counterpart(counterpart) => {
                let stream = counterpart.connect(as_logins_say(applied(wanted, Scheme::Mqtt)));
                match wanted.contains(&Transport::Ws) {
                    true => in_frames(stream).await,
                    false => Ok(Opened { stream, frames: None, aside: Default::default() }),
                }
            }
            Peer::Embedded(embedded) => embedded.connect(applied(wanted, embedded.scheme())).await,
            Peer::Network(route) => route.connect().await.map_err(|error| match error {
                ConnectError::Tcp(error) => ConnectError::Tcp(with_way_out(error)),
                other => other,
            }),
        }
    }

    /// What carries a connection that is opened like that. A command does what whoever gave it said.
    #[must_use]
    pub fn carries(&self, wanted: &[Transport]) -> device::Transport {
        as_logins_say(match self {
            Peer::Counterpart(_) => applied(wanted, Scheme::Mqtt),
            Peer::Embedded(embedded) => applied(wanted, embedded.scheme()),
            Peer::Network(route) => route.arrives_by(),
        })
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

    /// The script begins with a step.
    pub fn attend(&self, step: &Location, attention: impl FnOnce() -> Attention) {
        if let Peer::Counterpart(counterpart) = self {
            counterpart.attend(step, attention());
        }
    }
}

/// The scheme, changed as little as is wanted.
fn applied(wanted: &[Transport], scheme: Scheme) -> Scheme {
    wanted.iter().fold(scheme, |scheme, wanted| wanted.applied_to(scheme))
}

/// A scheme as logins tell of it.
pub(crate) fn as_logins_say(scheme: Scheme) -> device::Transport {
    if scheme.has_tls() { device::Transport::Encrypted } else { device::Transport::Plain }
}

/// Puts a WebSocket in front of a stream in memory, whose other end keeps to the rules of frames.
async fn in_frames(mut to_server: Box<dyn Stream>) -> Result<Opened, ConnectError> {
    let (ours, theirs) = duplex(IN_MEMORY_WINDOW);
    tokio::spawn(async move {
        if let Ok(mut framed) = web_socket::accept(Box::new(theirs), Manners::Proper).await {
            // An error is the end of both: a text frame is one.
            let _ = copy_bidirectional(&mut framed, &mut to_server).await;
        }
    });
    Route::plain(Address::loopback(Scheme::Ws, Scheme::Ws.default_port())).over(Box::new(ours)).await
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
