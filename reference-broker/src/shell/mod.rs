//! The core on tokio: streams in, streams out, a clock.
//!
//! One lock guards the core; nobody waits for the network while holding it. A connection is two tasks: one reads, decodes
//! and hands packets to the core; the other writes what the core put into the connection's outbox. One more task calls
//! the core when its next deadline has come.
//!
//! | file | theme |
//! |---|---|
//! | `admit.rs` | listening; TLS and WebSocket, before MQTT begins |
//! | `broker.rs` | [`Broker`]: the handle; from the core's outputs to outboxes; the clock |
//! | `connection.rs` | the two tasks of a connection, and how it is closed |
//! | `outbox.rs` | bytes that wait to be written |

mod admit;
mod broker;
mod connection;
mod outbox;

pub(crate) use admit::each_connection;
pub use broker::Broker;
