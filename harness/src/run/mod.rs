//! From a selection of variants to verdicts.
//!
//! ```text
//! Library, Profile --plan--> variants --player--> trace --judge--> verdict --events--> reporters
//! ```
//!
//! A [`Plan`] says for each variant whether it is played, or why not. [`run_embedded`] plays a plan against reference
//! brokers in virtual time, [`run_network`] against a broker somewhere; both tell a [`Listener`] what comes of each
//! variant, in the order in which it is known.

mod block;
mod cloud;
mod consume;
mod devices;
mod embedded;
mod expect;
mod fence;
mod interrupt;
mod judging;
mod known_failing;
mod misframed;
mod network;
mod pattern;
mod plan;
mod play_variant;
mod player;
mod rehearse;
mod rejected;
mod run_error;
mod side_by_side;
mod summary;
mod unique;
mod verdict;

pub(crate) use devices::provide;
pub use embedded::{play_embedded, play_on, record_embedded, run_embedded};
pub use interrupt::Interrupt;
pub(crate) use judging::{finding, follow};
pub use known_failing::{Entry, Known, KnownFailing, ListError};
pub(crate) use misframed::misframed_by;
pub use network::{NetworkTarget, run_network};
pub use pattern::Pattern;
pub use plan::{Fate, Plan, Planned, Selection, stale};
pub use play_variant::{DOES_NOT_SURVIVE, Recorded};
pub use player::Conditions;
pub(crate) use rehearse::{Rehearsed, rehearse};
pub use run_error::RunError;
pub use side_by_side::{in_order, side_by_side};
pub use summary::{Listener, Summary};
pub(crate) use unique::{UNIQUE, base_36, nonce};
pub use verdict::{Class, Finding, Outcome, SilenceMeans, StepReference, Verdict, VerdictKind, cited};
