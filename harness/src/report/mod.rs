//! What people and machines get to see of a run.
//!
//! A [`Run`] collects what was decided; each reporter renders it in a file of its own and looks nowhere else.

mod exchange;
mod file;
mod json;
mod junit;
mod matrix;
mod progress;
mod proof;
mod run;
mod survey;
mod terminal;
mod transcript;

pub use exchange::{Line, Told, exchange};
pub use file::ReportFile;
pub use json::json;
pub use junit::junit;
pub use matrix::{MatrixDetail, matrix, matrix_json};
pub use progress::Progress;
pub use proof::{Proofs, proofs};
pub use run::{Header, Product, Run};
pub use survey::{Report, read_report, split_link, survey};
pub use terminal::{Detail, chart, terminal, whole_chart};
pub use transcript::transcript;
