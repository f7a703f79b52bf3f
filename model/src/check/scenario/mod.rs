//! The worlds that are explored, one file a theme.

mod catalogue;
mod deliveries;
mod dialects;
mod retained;
mod sessions;
mod subscriptions;
mod wills;
mod world;

pub use catalogue::{scenario, scenarios};
pub use deliveries::broken_link_of;
pub(super) use world::{Role, Step};
pub use world::{Scale, Scenario};
