//! The core in virtual time: what Clients send, and the lines of what they see.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod authenticate;
mod cloud;
mod connect;
mod delivery;
mod devices;
mod disconnect;
mod exactly_once;
mod platform;
mod publish;
mod retained;
mod session;
mod shared;
mod subscribe;
mod will;
mod world;
