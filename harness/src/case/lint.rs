//! What is permitted in a case file, but not good.

use super::error::Location;
use super::library::{Case, Library, Suite};
use super::step::{Action, Step};
use model::statement::{Side, catalogue};
use std::collections::BTreeSet;
use std::fmt;

/// The longest `about`, in characters: it stands in lists.
const LONGEST_ABOUT: usize = 150;

/// Something that could be better.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where.
    pub location: Location,
    /// What, and what to do.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.message)
    }
}

/// All findings in a library, in the order of files and places.
#[must_use]
pub fn lint(library: &Library) -> Vec<Finding> {
    let mut findings = BTreeSet::new();
    for suite in &library.suites {
        about(&suite.about, &suite.about_location, &mut findings);
        for case in &suite.cases {
            lint_case(suite, case, &mut findings);
        }
    }
    findings.into_iter().collect()
}

fn lint_case(suite: &Suite, case: &Case, findings: &mut BTreeSet<Finding>) {
    let mut find = |location: &Location, message: String| {
        findings.insert(Finding { location: location.clone(), message });
    };
    if is_position(&case.id) {
        find(&case.location, format!("the id `{}` is a position: say in words what happens", case.id));
    }
    for script in &case.scripts {
        if let Some(row) = script.row.as_ref().filter(|row| is_position(row)) {
            find(&case.location, format!("the id `{row}` of a row is a position: say in words what is in it"));
        }
        if !script.steps.iter().any(expects) {
            let message =
                format!("{}/{} expects nothing in {}, so it cannot fail", suite.name, case.id, script.version);
            find(&case.location, message);
        }
        for id in &script.cites {
            let statement = catalogue().find(script.version, id.as_str());
            if statement.is_some_and(|statement| !statement.observable.is_some_and(Side::includes_server)) {
                let message = format!("{id} of {} cannot be observed at a server: cite another one", script.version);
                find(&case.location, message);
            }
        }
    }
    for (location, name) in &case.unused {
        find(location, format!("`as: {name}` is never used"));
    }
    about(&case.about, &case.about_location, findings);
}

fn about(text: &str, location: &Location, findings: &mut BTreeSet<Finding>) {
    let mut find = |message: String| findings.insert(Finding { location: location.clone(), message });
    if !text.ends_with('.') {
        find("`about` is a sentence: it ends with a full stop".to_owned());
    }
    let length = text.chars().count();
    if length > LONGEST_ABOUT {
        find(format!("`about` has {length} characters, the limit is {LONGEST_ABOUT}"));
    }
    let lower = text.to_lowercase();
    for phrase in ["should", "test that", "tests that", "check that", "checks that", "verify that", "verifies that"] {
        if lower.split(|c: char| !c.is_alphanumeric() && c != ' ').any(|part| contains_words(part, phrase)) {
            find(format!("`about` says \"{phrase}\": say what happens"));
        }
    }
}

fn contains_words(text: &str, phrase: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let phrase: Vec<&str> = phrase.split(' ').collect();
    words.windows(phrase.len()).any(|window| window == phrase)
}

/// Whether an id is a number, or a number with a word that says nothing.
fn is_position(id: &str) -> bool {
    let number = ["case-", "test-", "row-", "step-", "n-"].iter().find_map(|word| id.strip_prefix(word)).unwrap_or(id);
    number.bytes().all(|b| b.is_ascii_digit() || b == b'-')
}

fn expects(step: &Step) -> bool {
    matches!(step.action, Action::Expect { .. } | Action::AnyOrder(_) | Action::Either(_))
}
