//! What is tested: the embedded reference broker, a broker at an address, or one that a command starts.
//!
//! [`Address`] is where a network target listens, [`StartCommand`] starts one and always stops it again, [`probe`] asks
//! whether MQTT is spoken there at all. [`Peer`] is what the player opens its connections on.

mod address;
mod command;
mod log;
mod peer;
mod pool;
mod probe;
mod prompt;

pub use address::Address;
pub use command::{CommandError, StartCommand, Started};
pub use log::{Log, LogTail};
pub use peer::{Counterpart, Peer};
pub use pool::{Pool, Shortage};
pub use probe::{Unreachable, probe};
