//! The model checked exhaustively: sessions, links that break, and clients, explored by stateright.
//!
//! A [`Scenario`] is a small world: a few clients with scripts, one server made of [`Session`](crate::server::Session)s, and
//! messages on the way. [`check`] explores all that can happen in it; [`explore`] serves stateright's explorer for looking
//! around by hand. Properties are judged where a person would judge them, at the clients: faults are noted as they are seen
//! (`ghost`), so that a property is a question about one state. Liveness is a question about rest: when nothing more can
//! happen, everything that had to arrive has arrived.
//!
//! stateright stays in this folder: the model knows nothing of it. Its version is pinned, since releases have changed what a
//! discovery means: in 0.31 later hits overwrite earlier ones, so a short counterexample needs a search that stops at the
//! first failure; `eventually` is unsound on joins, so it is not used; hash maps of its own hash without length, so states
//! are made of plain vectors.

mod budget;
mod drawing;
mod explore;
mod ghost;
mod intern;
mod label;
mod party;
mod properties;
mod router;
mod run;
mod scenario;
mod system;

pub use explore::{ExploreError, explore};
pub use properties::Expected;
pub use run::{Finding, Order, Outcome, Search, ShownPath, Verdict, check, shortest_path};
pub use scenario::{Scale, Scenario, broken_link_of, scenario, scenarios};
