//! The core: one connection as a state machine, without socket, clock or task.
//!
//! ```text
//!   bytes from the server ── received() ──▶ ┌────────────┐ ── poll() ──▶ Output::Send(bytes)
//!   publish(), subscribe(), disconnect() ─▶ │ Connection │              Output::Event(message)
//!   time ───────────────────── tick() ────▶ └────────────┘              Output::Settled(..), ..
//!                        deadline() ◀── when tick() is due next
//! ```
//!
//! Time is given from outside as the time since the connection was opened. After any call, [`Connection::poll`] until it
//! returns `None`. It takes one packet at a time from what was received, so outputs do not pile up; after an
//! [`Output::Event`] it takes none until [`Connection::event_taken`], which is also when the message is acknowledged.
//!
//! Files: `state` holds the state and the way out; `opening` is CONNECT to CONNACK; `receiving` sorts what the Server
//! sends; `delivery` is the Server's messages, `publishing` our own, `requests` SUBSCRIBE and UNSUBSCRIBE; `timing` holds
//! Keep Alive and all deadlines.

mod delivery;
mod opening;
mod publishing;
mod receiving;
mod requests;
mod state;
mod timing;

pub use opening::Accepted;
pub use state::{Answer, Connection, Event, Output, Settled};
