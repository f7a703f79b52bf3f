//! What is tested: the embedded reference broker, a broker at an address, or one that a command starts.
//!
//! [`Address`] is where a network target listens, [`StartCommand`] starts one and always stops it again, [`probe`] asks
//! whether MQTT is spoken there at all. A [`TargetFile`] says all
//! of it at once. [`Peer`] is what the player opens its connections on.

mod command;
mod embedded;
mod file;
mod log;
mod offer;
mod peer;
mod pool;
mod probe;
mod tls_versions;

pub use command::{CommandError, StartCommand, Started, to_free_port};
pub use embedded::Embedded;
pub use file::{Endpoint, TargetFile};
pub use log::{Log, LogTail};
pub use offer::Offer;
pub(crate) use peer::as_logins_say;
pub use peer::{Attention, Counterpart, Peer};
pub use pool::{Pool, Shortage};
pub use probe::{Unreachable, probe};
pub use tls_versions::{Reply, TlsVersion, TlsVersions};
pub use transport::{Address, Route, Scheme};
