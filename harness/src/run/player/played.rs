//! What comes of a script.

use crate::fault::Traffic;
use crate::run::verdict::{Finding, SilenceMeans};
use crate::trace::Trace;
use std::collections::BTreeSet;

/// What playing a script brought.
#[derive(Debug)]
pub(in crate::run) struct Played {
    /// How it ended.
    pub(in crate::run) ending: Result<(), Halt>,
    /// What else was wrong with what the peer sent.
    pub(in crate::run) findings: Vec<Finding>,
    pub(in crate::run) silence: BTreeSet<SilenceMeans>,
    pub(in crate::run) trace: Trace,
    /// How many events of the trace there were when the script had ended and nothing was under way any more.
    pub(in crate::run) scripted: usize,
    /// What `$t` stood for, for one actor or another.
    pub(in crate::run) topics: Vec<String>,
    /// The peer got bytes that no client may send, or ended a connection that the client had not ended.
    pub(in crate::run) suspicious: bool,
    /// Whether what stood in between did anything; none if nothing did.
    pub(in crate::run) interfered: Option<bool>,
    /// What it saw pass.
    pub(in crate::run) traffic: Traffic,
}

/// Why a script cannot go on.
#[derive(Debug)]
pub(in crate::run) enum Halt {
    /// An expectation does not hold.
    Finding(Box<Finding>),
    /// It cannot be decided.
    Inconclusive(String),
    /// The harness or its surroundings failed.
    Error(String),
}
