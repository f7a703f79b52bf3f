//! TLS 1.2 and 1.3 by rustls.
//!
//! ```text
//! ClientTls (Trust, Identity?) --connect--> handshake --> stream, or a Failure that says what is wrong and what to do
//! ServerTls (Identity, client authorities?) --accept--> handshake --> stream
//! ```
//!
//! A [`Failure`] speaks of certificates and names, not of libraries. [`pem`] reads the files, and says which one is wrong.

mod client;
mod failure;
mod identity;
#[cfg(feature = "legacy-tls")]
mod legacy;
pub mod pem;
mod server;

pub use client::{ClientTls, Trust};
pub use failure::Failure;
pub use identity::Identity;
#[cfg(feature = "legacy-tls")]
pub use legacy::LegacyServerTls;
pub use server::ServerTls;
