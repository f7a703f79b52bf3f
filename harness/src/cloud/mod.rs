//! The business server that the harness plays: what the actors `api` and `amqp` do.
//!
//! ```text
//!   Prepared ──sign──► HTTP ──► Answer            Business: the embedded broker's cloud side, one in a network
//!                      on a stream                (the reference broker's or the platform's own), or a counterpart
//! ```
//!
//! Keys and signatures stay in here: what goes into a trace is the request without them.

mod address;
mod api;
mod business;
mod consumer;
mod signing;

pub use address::{amqp_address, api_address};
pub use business::{Business, CloudTarget};
pub(crate) use consumer::{Arrived, Consumer, Told, lock};
pub use signing::Signer;
