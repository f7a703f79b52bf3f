//! Walks of devices: clients that log in with signatures, on a platform that knows them, and own their topics.
//!
//! A login is written as in case files: what a [`Manner`] says is put into a step, which the case language builds and signs.
//! So a command, the step that it becomes, and what goes over the wire cannot differ.

mod bursts;
mod company;
mod generate;
mod login;
mod manner;
mod steps;
mod wording;

pub(super) use bursts::REST;
pub(super) use company::services;
pub use company::{Company, Devices};
pub(super) use generate::DeviceKind;
pub(super) use login::{answer_of, is_answer};
pub use manner::{Manner, Purpose};
