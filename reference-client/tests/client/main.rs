//! The client against scripted servers and the reference broker, in memory and in virtual time; a file a theme.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod core;
mod device;
mod end_to_end;
mod faults;
mod opening;
mod program;
mod publishing;
mod receiving;
mod resuming;
mod scripted;
mod subscribing;
mod timing;
