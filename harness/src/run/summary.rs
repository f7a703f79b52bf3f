//! What comes of a run as a whole.

use super::verdict::{Class, Outcome, VerdictKind};
use crate::exit_code;
use std::collections::BTreeMap;
use std::fmt;

/// Hears what comes of each variant, as soon as it is known.
pub trait Listener {
    /// A variant is decided: played, or not and why.
    fn decided(&mut self, outcome: Outcome);
}

impl<F: FnMut(Outcome)> Listener for F {
    fn decided(&mut self, outcome: Outcome) {
        self(outcome);
    }
}

/// The counts of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    counts: BTreeMap<VerdictKind, usize>,
}

impl Summary {
    /// Counts a verdict.
    pub fn count(&mut self, kind: VerdictKind) {
        *self.counts.entry(kind).or_default() += 1;
    }

    /// How many verdicts there were of this kind.
    #[must_use]
    pub fn of(&self, kind: VerdictKind) -> usize {
        self.counts.get(&kind).copied().unwrap_or_default()
    }

    /// How many verdicts the last line counts in this class.
    #[must_use]
    pub fn of_class(&self, class: Class) -> usize {
        self.counts.iter().filter(|(kind, _)| kind.class() == class).map(|(_, count)| count).sum()
    }

    /// The exit code that these verdicts ask for.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.of(VerdictKind::Error) > 0 {
            exit_code::NO_JUDGEMENT
        } else if self.of(VerdictKind::Fail) + self.of(VerdictKind::UnexpectedPass) > 0 {
            exit_code::NOT_AS_EXPECTED
        } else if self.of(VerdictKind::Inconclusive) > 0 {
            exit_code::NO_JUDGEMENT
        } else {
            exit_code::AS_EXPECTED
        }
    }

    /// The finer counts behind the last line: `pass 3, lenient 1`.
    #[must_use]
    pub fn details(&self) -> String {
        let details: Vec<String> = self.counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        details.join(", ")
    }
}

/// The last line of a run.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [passed, failed, skipped] =
            [Class::Passed, Class::Failed, Class::Skipped].map(|class| self.of_class(class));
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::{Summary, VerdictKind};

    #[test]
    fn the_exit_code_follows_the_worst() {
        for (kinds, code, line) in [
            (
                vec![VerdictKind::Pass, VerdictKind::Lenient, VerdictKind::ExpectedFail],
                0,
                "3 passed, 0 failed, 0 skipped",
            ),
            (vec![VerdictKind::NotApplicable, VerdictKind::NotRun], 0, "0 passed, 0 failed, 2 skipped"),
            (vec![VerdictKind::Pass, VerdictKind::Fail], 1, "1 passed, 1 failed, 0 skipped"),
            (vec![VerdictKind::UnexpectedPass], 1, "0 passed, 1 failed, 0 skipped"),
            (vec![VerdictKind::Inconclusive], 3, "0 passed, 1 failed, 0 skipped"),
            (vec![VerdictKind::Inconclusive, VerdictKind::Fail], 1, "0 passed, 2 failed, 0 skipped"),
            (vec![VerdictKind::Error, VerdictKind::Fail], 3, "0 passed, 2 failed, 0 skipped"),
        ] {
            let mut summary = Summary::default();
            kinds.iter().for_each(|kind| summary.count(*kind));
            assert_eq!((summary.exit_code(), summary.to_string()), (code, line.to_owned()), "{kinds:?}");
        }
    }
}
