//! A server that does what the model permits, all of it, and nothing else.
//!
//! ```text
//!   bytes of the clients ──► judge ──► what might come next (representatives)
//!                              │                │ each in a form of the server's character
//!                              └──── does it let this pass? ────► moves
//! ```
//!
//! The [`PermittedServer`] is the [judge](crate::judge) turned round: it may send whatever the judge would let pass, and may
//! be silent whenever the judge would hold nothing to be missing. So there is one reading of what a server may do, and what is
//! proved with this server is proved for every server that the judge finds nothing against. Which of its moves it makes is
//! for others to decide: it has no will of its own.
//!
//! What is open-ended is represented. A [`Character`] says how a server numbers its deliveries, what it announces in CONNACK
//! and how much it explains; codes have a few that stand for all. It goes without saying that the server takes
//! packets of any size that a case sends, grants the Session Expiry Interval and has QoS 1.

mod character;
mod packets;
mod server;

pub use character::Character;
pub use packets::packet;
pub use server::{Move, PermittedServer, Said};
