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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    /// The snapshot is taken anew with the cases; what it lacks no fault guards.
    #[test]
    fn every_obligation_of_a_server_of_the_standard_is_guarded() {
        let snapshot = include_str!("../../tests/snapshots/guards.snap");
        let mut guarded: BTreeMap<&str, usize> = BTreeMap::new();
        for (obligation, faults) in snapshot.lines().filter_map(|line| line.split_once(": ")) {
            if let Some((document, _)) = obligation.split_once(" server ").filter(|it| !it.0.starts_with("platform")) {
                *guarded.entry(document).or_default() += usize::from(faults != "-");
            }
        }
        assert_eq!(guarded, BTreeMap::from([("5.0", 200), ("3.1.1", 100), ("3.1", 16)]));
    }
}
