//! The judge against all that a permitted server may do: small worlds, every choice, no alarm.
//!
//! The walks of `tests/simulated` go far by chance; here nothing is left to it. The worlds are the same, and small enough
//! that every order of what clients do, of what the server takes and sends and of what is lost is followed, with a judge
//! beside each of them. What stays canonical is the form of a packet: full grants, the lowest free identifier, code 0; and
//! no time passes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod decisions;
mod faults;
mod search;
mod themes;
mod worlds;

#[path = "../simulated"]
#[expect(dead_code, reason = "what only walks by chance need")]
mod simulated {
    pub(crate) mod choice;
    pub(crate) mod client;
    mod packets;
    pub(crate) mod server;
    pub(crate) mod terms;
    pub(crate) mod world;
}
