//! What the fault matrix proves: which faults are caught, and by whom.

use crate::case::Variant;
use model::packet::ProtocolVersion;
use model::statement::StatementId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A fault that was planted, and who caught it.
#[derive(Debug, Clone)]
pub struct Caught {
    /// Its name.
    pub fault: String,
    /// What it breaks.
    pub breaks: Vec<(ProtocolVersion, StatementId)>,
    /// The variants that fail under it.
    pub by: Vec<Arc<Variant>>,
}

/// The statements that faults show to be watched, each with the faults: a fault that breaks it makes a variant fail that
/// cites it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guards(BTreeMap<(ProtocolVersion, StatementId), BTreeSet<String>>);

impl Guards {
    /// What these faults prove.
    #[must_use]
    pub fn new(matrix: &[Caught]) -> Guards {
        let mut guards = Guards::default();
        for Caught { fault, breaks, by } in matrix {
            for (version, id) in breaks {
                let is_watched = |variant: &Arc<Variant>| variant.version == *version && variant.cites.contains(id);
                if by.iter().any(is_watched) {
                    guards.0.entry((*version, id.clone())).or_default().insert(fault.clone());
                }
            }
        }
        guards
    }

    /// The faults that guard a statement of `version`.
    pub fn of(&self, version: ProtocolVersion, id: &StatementId) -> impl Iterator<Item = &str> {
        self.0.get(&(version, id.clone())).into_iter().flatten().map(String::as_str)
    }
}
