//! Recipes for brokers that others wrote: how each is installed, configured and started.
//!
//! ```text
//! harness/brokers/NAME.yaml ----------> Recipe --Shelf--> shell scripts in a cache folder --sh--> a broker under test
//! harness/brokers/NAME.known-failing -> KnownFailing
//! ```
//!
//! A [`Recipe`] is data. What it says is carried out by two shell scripts that a [`Shelf`] writes, `install` and `start`:
//! a person can read them, and start the same broker without `mqttspec`. A [`Part`] is a share of the cases that gets a
//! broker of its own.

mod book;
mod data;
mod script;
mod shelf;

pub use book::{Book, BookError};
pub use data::{Part, Recipe};
pub use shelf::{Shelf, ShelfError};
