//! Sets of QoS levels: what a session may not know yet about a grant or a delivery.

use crate::packet::Qos;
use std::fmt;

/// A set of QoS levels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QosSet(u8);

impl QosSet {
    /// No level.
    pub const EMPTY: QosSet = QosSet(0);

    /// Just this level.
    #[must_use]
    pub fn only(qos: Qos) -> QosSet {
        QosSet(1 << qos.value())
    }

    /// Every level from 0 to `highest`.
    #[must_use]
    pub fn up_to(highest: Qos) -> QosSet {
        QosSet((2 << highest.value()) - 1)
    }

    /// Whether it holds no level.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `qos` is in it.
    #[must_use]
    pub fn contains(self, qos: Qos) -> bool {
        self.0 & (1 << qos.value()) != 0
    }

    /// All that is in one or the other.
    #[must_use]
    pub fn union(self, other: QosSet) -> QosSet {
        QosSet(self.0 | other.0)
    }

    /// The same without one level.
    #[must_use]
    pub fn without(self, qos: Qos) -> QosSet {
        QosSet(self.0 & !(1 << qos.value()))
    }

    /// Its levels, lowest first.
    pub fn iter(self) -> impl Iterator<Item = Qos> {
        Qos::ALL.into_iter().filter(move |qos| self.contains(*qos))
    }

    /// Each level passed through `change`.
    #[must_use]
    pub fn map(self, change: impl Fn(Qos) -> Qos) -> QosSet {
        self.iter().fold(QosSet::EMPTY, |set, qos| set.union(QosSet::only(change(qos))))
    }

    /// Every level that can be the highest of two picks, one from each set.
    #[must_use]
    pub fn maxima(self, other: QosSet) -> QosSet {
        self.iter().fold(QosSet::EMPTY, |set, qos| set.union(other.map(|level| level.max(qos))))
    }
}

impl fmt::Display for QosSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let levels: Vec<String> = self.iter().map(|qos| format!("QoS {qos}")).collect();
        f.write_str(&levels.join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_behave_like_sets() {
        let all = QosSet::up_to(Qos::ExactlyOnce);
        let one = QosSet::only(Qos::AtLeastOnce);
        assert_eq!(all.iter().count(), 3);
        assert_eq!(QosSet::up_to(Qos::AtMostOnce), QosSet::only(Qos::AtMostOnce));
        assert_eq!(all.map(|qos| qos.min(Qos::AtLeastOnce)), QosSet::up_to(Qos::AtLeastOnce));
        assert_eq!(one.maxima(all), one.union(QosSet::only(Qos::ExactlyOnce)));
        assert!(QosSet::EMPTY.is_empty() && !one.is_empty());
        assert_eq!(QosSet::up_to(Qos::AtLeastOnce).to_string(), "QoS 0 or QoS 1");
    }
}
