//! What came of a proof.

use crate::case::Variant;
use crate::concealing::ConcealedTrace;
use crate::run::Finding;
use model::permitted::Character;
use std::sync::Arc;

/// What is known of a variant now.
#[derive(Debug, Clone)]
pub struct Proved {
    /// The variant.
    pub variant: Arc<Variant>,
    /// Whether it is sound.
    pub proof: Proof,
    /// Different moments at which the server had a choice, and ends.
    pub states: usize,
    /// How often the script was played.
    pub runs: usize,
}

/// Whether a variant is sound.
#[derive(Debug, Clone)]
pub enum Proof {
    /// No server that the model permits fails it.
    Sound,
    /// One does.
    Refuted(Box<Refutation>),
    /// Nobody knows, and why.
    Unproved(String),
}

/// A permitted run that fails.
#[derive(Debug, Clone)]
pub struct Refutation {
    /// What the server is like.
    pub character: Character,
    /// What the case holds against it.
    pub findings: Vec<Finding>,
    /// What was sent and received.
    pub trace: ConcealedTrace,
}
