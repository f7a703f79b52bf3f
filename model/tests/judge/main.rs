//! The judge alone finds what a server does wrong, and nothing else.
#![expect(clippy::unwrap_used, reason = "a test may panic, helpers of tests too")]

mod announced;
mod answers;
mod connections;
mod deliveries;
mod offences;
mod sessions;
mod subscriptions;
mod trace;
