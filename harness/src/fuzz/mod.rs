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
//! Who takes part follows from the seed, the dialect and the fault that is looked for (`furnish.rs`): clients as the standard
//! has them, over TCP or WebSocket (`frames.rs`), or devices (`device`) with the cloud side at their back (`cloud`). What
//! devices say of themselves and what the cloud asks is written as in cases, and built by the case language.
//!
//! Read next: `command.rs` for what clients can do, `generate.rs` and `wording.rs` for how often, `walk.rs` for how it is
//! played.

mod avoided;
mod campaign;
mod case_file;
mod cloud;
mod command;
mod connections;
mod deeds;
mod device;
mod explore;
mod finding;
mod frames;
mod furnish;
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
mod walked;
mod wording;

pub use avoided::Avoided;
pub use campaign::{Campaign, Network, Report, Target, names_of};
pub use cloud::CloudDeed;
pub use command::{Client, Command};
pub use device::{Company, Devices, Manner, Purpose};
pub use explore::{Shrunk, Terrain};
pub use finding::{CONFIRMATIONS, Finding, SHORT};
pub use host::Host;
pub use shrink::MOST_WALKS;
pub use walked::Walked;
pub use wording::{Ground, Versions};
