//! Named misbehaviours of a peer, to prove that cases can fail; and harmless ones, to prove that they do not fail for
//! nothing.
//!
//! ```text
//!            +-- Fault: Proxy | Switch      Transform --+
//!            |   theme/*.rs   reference broker          |
//!            +----------- Interference ----------------+
//!                              |
//!  Player -- Connection == Passage ==> Peer        one Passage a connection, one Proxy a variant:
//!     trace, judge            |                    what the harness records is what the proxy has made of it
//!                           Proxy -- Scene         sessions, subscriptions, identifiers, aliases
//!                             |
//!                           Rule: On -> Moment     when it acts, and what it can do then
//! ```
//!
//! A fault is a name, the statements that it breaks, and a few rules: at this packet, do that. [`Matrix`] plays every variant
//! under every fault that can touch it and tells which fault fails which case.
//!
//! Read next: `theme/acknowledge.rs` for what faults look like, `moment.rs` for what a rule can do, `proxy.rs` for how it
//! comes to that.

mod catalogue;
mod gaps;
mod interference;
mod link;
mod matrix;
mod moment;
mod outlet;
mod passage;
mod proxy;
mod proxy_fault;
mod reading;
mod scene;
mod theme;
mod traffic;
mod transform;

pub use catalogue::{Fault, Theme};
pub use gaps::Gaps;
pub use interference::Interference;
pub use matrix::{Caught, Cell, Guards, Matrix, Row, Transformed, transformed};
pub(crate) use proxy::Proxy;
pub use proxy_fault::{ProxyFault, Side};
pub use traffic::Traffic;
pub use transform::{TRANSFORMS, Transform};
