//! The case language: YAML files that read like sequence charts, and what they become.
//!
//! ```text
//! file --yaml--> nodes with marks --suite, step, fields--> Library --expand(profile)--> variants of steps
//! ```
//!
//! Everything here is pure. A player takes the steps of a [`Variant`] one by one: it builds what is to be sent from a
//! [`PacketTemplate`] or [`BytesTemplate`], compares what came with a [`PacketPattern`], and keeps the variables of the
//! script in a [`Scope`].

mod answer;
mod binding;
mod body;
mod bytes;
mod check;
mod cite;
mod code;
mod compile;
mod data;
mod decode;
mod duration;
mod error;
mod fields;
mod file;
mod form;
mod library;
mod line;
mod lint;
mod located;
mod login;
mod nullable;
mod pattern;
mod property;
mod raw;
mod read;
mod request;
mod roster;
mod schema;
mod scope;
mod step;
mod step_fields;
mod substitute;
mod template;
mod transport;
mod value;
mod variant;
mod yaml;

#[cfg(test)]
mod tests;

pub use answer::{AnswerPattern, MessagePattern};
pub(crate) use binding::property_value;
pub use bytes::BytesTemplate;
pub(crate) use cite::Cite;
pub(crate) use code::name as code_name;
pub(crate) use data::{LARGEST_FILLER, filler};
pub use error::{LoadError, Location};
pub use library::{Case, Library, Script, Suite};
pub(crate) use line::{Line, line, spell};
pub use lint::{Finding, lint};
pub(crate) use model::nearest::suggestion;
pub use pattern::{Mismatch, PacketPattern};
pub(crate) use property::name as property_name;
pub use request::{Prepared, RequestTemplate};
pub use roster::Roster;
pub(crate) use roster::{DISABLED, STRANGERS, UNKNOWN, UNREGISTERED};
pub use schema::schema;
pub use scope::{Credentials, Identity, Scope};
pub use step::{AMQP, API, Action, Elapse, Expectation, FrameKind, Settlement, Step, Window};
pub use template::{BuildError, Built, PacketTemplate};
pub use transport::Transport;
pub(crate) use value::Bound;
pub use variant::{Applicability, Variant, expand};
