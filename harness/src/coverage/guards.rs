//! What the fault matrix proves: which statements are watched.

use crate::fault::Matrix;
use model::packet::ProtocolVersion;
use model::statement::StatementId;
use std::collections::{BTreeMap, BTreeSet};

/// The statements that faults show to be watched, each with the faults: a fault that breaks it makes a variant fail that
/// cites it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guards(BTreeMap<(ProtocolVersion, StatementId), BTreeSet<&'static str>>);

impl Guards {
    /// What a matrix proves.
    #[must_use]
    pub fn in_matrix(matrix: &Matrix) -> Guards {
        let mut guards = Guards::default();
        let variants: BTreeMap<&str, _> =
            matrix.variants.iter().map(|variant| (variant.name.as_str(), variant)).collect();
        for row in &matrix.rows {
            for variant in row.caught().filter_map(|(name, _)| variants.get(name)) {
                let broken = row.fault.statements(variant.version).iter().map(|statement| &statement.id);
                for id in broken.filter(|id| variant.cites.contains(id)) {
                    guards.0.entry((variant.version, id.clone())).or_default().insert(row.fault.name());
                }
            }
        }
        guards
    }

    /// The faults that guard a statement of `version`.
    pub fn of(&self, version: ProtocolVersion, id: &StatementId) -> impl Iterator<Item = &'static str> {
        self.0.get(&(version, id.clone())).into_iter().flatten().copied()
    }
}
