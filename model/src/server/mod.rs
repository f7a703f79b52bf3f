//! **The model**: what a server may and must do, seen from one session.
//!
//! ```text
//!   packets of the client             what may arrive at others
//!          │ input                        ▲ the router: checker or judge
//!          ▼                              │ (routing, retained, will)
//!   ┌──────────────────── Session ────────┴──────────┐
//!   │ connect   authenticate   keep_alive   will     │   one file a theme,
//!   │ subscribe   unsubscribe   routing   retained   │   each rule once, in `rule`
//!   │ publish   alias   expiry                       │
//!   │ deliver   candidate   order   marks   due      │
//!   │ acknowledge   response                         │
//!   │ offence   at_stake                             │
//!   │ identity   permission   rate   rrpc            │   the platform's own
//!   └───┬──────────────┬────────────────┬────────────┘
//!       │ accept       │ outputs        │ owed           asked in `questions`
//!       ▼              ▼                ▼
//!   may exactly this   what a server    what must
//!   come now? (judge)  would send       still come? (silence)
//!                      (checker)
//! ```
//!
//! A [`Session`] is a value without clock, socket or randomness. The checker composes several of them with links that
//! break; the judge keeps a set of them for each client identifier and drops those that cannot explain what was seen.
//! Both ask the same three questions of the drawing. What a session handles are small tokens ([`vocabulary`]): topics,
//! filters and message contents are interned where bytes are read.
//!
//! Where to read next: [`rule`] lists the rules with their statements, [`session`] the state, then one theme after the
//! other.

mod acknowledge;
pub mod alias;
pub mod alphabet;
pub mod at_stake;
pub mod authenticate;
mod breach;
mod candidate;
mod connect;
mod cover;
mod deliver;
pub mod delivery;
mod due;
pub mod exempt;
pub mod expiry;
pub mod identity;
mod keep_alive;
mod marks;
pub mod mentions;
pub mod off_the_wire;
pub mod offence;
mod order;
pub mod permission;
mod publish;
pub mod qos_set;
mod questions;
pub mod rate;
mod representatives;
pub mod response;
pub mod retained;
pub mod routing;
pub mod rrpc;
pub mod rule;
pub mod session;
pub mod shared;
mod subscribe;
pub(crate) mod turns;
mod unsubscribe;
pub mod vocabulary;
pub mod will;

pub use alphabet::{AliasUse, Announcement, ConnectTerms, FilterRequest, Input, Lifetime, Output, Will};
pub use breach::Breach;
pub(crate) use breach::binds_server;
pub use delivery::Routing;
pub use qos_set::QosSet;
pub use representatives::Representative;
pub use retained::RetainedMessages;
pub use routing::Shares;
pub use rule::{Context, Rule, SeededBug};
pub use session::{Moment, Session};
pub use vocabulary::{ContentKey, FilterKey, Message, MessageKey, TopicKey, Vocabulary};

/// Milliseconds on the clock of whoever drives the model.
pub type Millis = u64;

/// A connection: every one that was ever opened has its own number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u32);

impl std::fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{}", self.0)
    }
}
