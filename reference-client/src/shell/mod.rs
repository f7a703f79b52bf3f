//! The shell: a [`Connection`](crate::connection::Connection) on a tokio stream.
//!
//! `client` and `events` are the two handles of the application; `driver` is the task between them and the core; `link` is
//! the stream with its buffers. Nothing here knows the protocol.

mod client;
mod driver;
mod events;
mod link;

pub use client::{Client, Granted, Published};
pub use events::Events;
