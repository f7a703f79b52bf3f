//! Is a case sound? No server that does what the model permits may fail it.
//!
//! ```text
//!             ┌────────────────────────── a run ──────────────────────────┐
//!   script ──►│ player ◄── bytes, virtual time ──► stage ◄── permitted server │──► passed, failed,
//!             └──────────────────────────────────────▲────────────────────┘    or: which of these next?
//!                                                    │ one more deed                     │
//!                                             stateright ◄───────────────────────────────┘
//! ```
//!
//! The [player](crate::run) that decides about real brokers plays the script against a
//! [server that may do all that the model permits](model::permitted), in memory and in virtual time. Whenever the player
//! waits, the `stage` asks what the server may do; where it may do several things, the run is cut, and stateright goes on
//! with each of them (`search`): the run is played again from the start, with one deed more. What is proved is so the very
//! code that decides.
//!
//! **When two runs are the same.** The player is deterministic: what it does from some moment on depends on the steps that it
//! has begun, on how it stood when it began the last of them, on what came in since and when, and on the time. How it stands
//! is what it remembers and has not looked at: in which order answers came that it is done with is forgotten. The server's
//! future depends on the state of its judge. Two cut runs that agree in all of this have the same future, and only one is
//! followed. They are told apart by 64 bits, like all states of stateright.
//!
//! **What is left out.** A server acts only when the player waits: what it could have done before comes as well then, for a
//! judge takes what a client sent as late as it can. Outputs on connections that the player does not look at commute
//! with those that it looks at, and with each other: they come in one order only (`stage` says which). Time goes on when
//! the server leaves it at what it has done, to the player's next timer or to the moment at which time alone changes what
//! the server may do: between two such moments nothing can be told apart.
//!
//! **What is taken for granted.** A server answers within the patience of the player; one of 3.x that repeats a packet gives
//! the client a second; the far side of the platform is at rest; and what a case names in its `needs`. What is open-ended is
//! represented, as [`model::permitted`] says.
//!
//! A counterexample must be one that a right server can bring to an end: what the judge finds only later, such as a message
//! that can never come any more, is looked for before anything is refuted. That is why the judge may be lazy here too; where
//! it is more lenient than the standard, a case that is right may be refuted, but none that is wrong is proved.

mod run;
mod search;
mod stage;
mod verdict;

pub use run::{Bounds, prove, prove_variant};
pub use verdict::{Proof, Proved, Refutation};
