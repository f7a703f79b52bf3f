//! Random testing: clients do what comes to their minds, and the judge reads along.
//!
//! ```text
//!           seed                        +-- commands --+
//!            |                          v              |
//!         Generator ---- command ---> Walker ------> Walked --judge--> violation?
//!            ^                          |  ^                              |
//!            +--- what applies now -----+  +---- Peer                     v
//!                                          |                           shrink: fewer commands, the same peer
//!                                          |                              |
//!                                          +-------- played again ----- case file
//! ```
//!
//! A [`Command`] is concrete and skipped where it does not apply, so any part of a walk can be walked again. What fails is
//! shortened against the live peer, written as a case of the case language, and played as such: what is saved is what was
//! seen to fail.
//!
//! Read next: `command.rs` for what clients can do, `generate.rs` and `wording.rs` for how often, `walk.rs` for how it is
//! played.

mod avoided;
mod campaign;
mod case_file;
mod command;
mod connections;
mod deeds;
mod explore;
mod finding;
mod generate;
mod host;
mod link;
mod memory;
mod names;
mod notation;
mod packets;
mod plainer;
mod script;
mod settle;
mod shrink;
mod walk;
mod wording;

pub use avoided::Avoided;
pub use campaign::{Campaign, Network, Report, Target, names_of};
pub use command::{Client, Command};
pub use explore::{Shrunk, Terrain};
pub use finding::{CONFIRMATIONS, Finding, SHORT};
pub use host::Host;
pub use shrink::MOST_WALKS;
pub use walk::Walked;
pub use wording::{Ground, Versions};
