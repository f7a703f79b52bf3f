//! The judge alone finds what a server does wrong, and nothing else.
#![expect(clippy::unwrap_used, reason = "a test may panic, helpers of tests too")]

mod announced;
mod answers;
mod authentication;
mod connections;
mod deliveries;
mod exactly_once;
mod expiry;
mod identifiers;
mod offences;
mod particular;
mod retained;
mod sessions;
mod shares;
mod subscriptions;
mod trace;
mod wills;
