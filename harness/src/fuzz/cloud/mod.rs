//! The cloud side of a walk of devices: the business server that asks the API, and listens over AMQP.
//!
//! A request is written as in case files, like a login: the case language builds it, the player's own hands sign and send it.

mod calls;
mod command;
mod generate;
mod side;
mod steps;

pub(super) use calls::written_topic;
pub use command::CloudDeed;
pub(super) use generate::{CloudKind, kinds};
pub(super) use side::CloudSide;
pub(super) use steps::Listening;
