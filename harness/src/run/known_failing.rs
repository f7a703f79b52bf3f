//! Lists of known failures: a glob and a reason a line; `!` before the glob of what passes although a later line names it,
//! `?` before the glob of what fails at times, because the peer races with itself. What they name is run all the same.

use super::pattern::Pattern;

/// A list of known failures.
#[derive(Debug, Clone, Default)]
pub struct KnownFailing {
    entries: Vec<Entry>,
}

/// One line of the list.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The file as it was named.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// Which variants.
    pub pattern: Pattern,
    /// What is known of them.
    pub known: Known,
    /// Why.
    pub reason: String,
}

/// What is known of the variants that a line names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// They fail: one that passes makes the line stale.
    Fails,
    /// They fail or pass, as the peer's own race goes. `?` in the list.
    FailsAtTimes,
    /// They pass, although a later line names them. `!` in the list.
    Passes,
}

impl Known {
    /// Takes the mark off a glob.
    fn of(glob: &str) -> (Known, &str) {
        let marked = |mark, known| glob.strip_prefix(mark).map(|glob| (known, glob));
        marked('!', Known::Passes).or_else(|| marked('?', Known::FailsAtTimes)).unwrap_or((Known::Fails, glob))
    }
}

/// What is wrong with a line of a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct ListError {
    /// The file as it was named.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

impl KnownFailing {
    /// Reads a list: `glob  # reason` a line, the glob marked with `!` or `?` or not at all; empty lines and lines that
    /// begin with `#` are skipped.
    ///
    /// # Errors
    /// One for each line that is not of this form.
    pub fn parse(file: &str, text: &str) -> Result<KnownFailing, Vec<ListError>> {
        let mut entries = Vec::new();
        let mut errors = Vec::new();
        for (index, content) in text.lines().enumerate() {
            let content = content.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let line = index + 1;
            let mut fail = |message| errors.push(ListError { file: file.to_owned(), line, message });
            let (glob, reason) = content.split_once('#').unwrap_or((content, ""));
            let (glob, reason) = (glob.trim(), reason.trim());
            if reason.is_empty() {
                fail(format!("`{glob}` has no reason: write `{glob}  # why it fails`"));
                continue;
            }
            let (known, glob) = Known::of(glob);
            match glob.parse() {
                Ok(pattern) => {
                    entries.push(Entry { file: file.to_owned(), line, pattern, known, reason: reason.to_owned() });
                }
                Err(message) => fail(message),
            }
        }
        if errors.is_empty() { Ok(KnownFailing { entries }) } else { Err(errors) }
    }

    /// Adds the entries of another list.
    pub fn extend(&mut self, other: KnownFailing) {
        self.entries.extend(other.entries);
    }

    /// Its lines, in their order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry because of which this variant fails, always or at times: the first that names it counts.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.pattern.matches(name)).filter(|entry| entry.known != Known::Passes)
    }

    /// An error for each entry that names none of `names`: a list that only grows hides regressions.
    #[must_use]
    pub fn stale<'a>(&self, names: impl Iterator<Item = &'a str> + Clone) -> Vec<ListError> {
        let stale = self.entries.iter().filter(|entry| !names.clone().any(|name| entry.pattern.matches(name)));
        stale
            .map(|entry| ListError {
                file: entry.file.clone(),
                line: entry.line,
                message: format!("`{}` matches no variant that applies: remove the line or mend it", entry.pattern),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, KnownFailing};

    #[test]
    fn a_line_needs_a_reason_and_a_sound_glob() {
        let text = "# a list\n\nstandard/a/**  # broker issue 12\nstandard/b\nc//d # why\n";
        let errors = KnownFailing::parse("list", text).expect_err("two lines are wrong");
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            errors,
            [
                "list:4: `standard/b` has no reason: write `standard/b  # why it fails`",
                "list:5: `c//d` has an empty part: write parts of names with `/` between them",
            ]
        );
    }

    #[test]
    fn the_first_line_that_names_a_variant_counts() {
        let list =
            KnownFailing::parse("list", "!a/*/x  # it knows x\na/*/*  # knows nothing\n").expect("the list is sound");
        assert!(list.find("a/one/x").is_none());
        assert_eq!(list.find("a/one/y").map(|entry| entry.reason.as_str()), Some("knows nothing"));
    }

    #[test]
    fn marks_tell_what_is_known() {
        let text = "!a  # passes\n?b  # at times\nc  # always\n";
        let list = KnownFailing::parse("list", text).expect("the list is sound");
        let known: Vec<Known> = list.entries().iter().map(|entry| entry.known).collect();
        assert_eq!(known, [Known::Passes, Known::FailsAtTimes, Known::Fails]);
        assert!(list.find("b").is_some());
    }

    #[test]
    fn stale_lines_are_named() {
        let list = KnownFailing::parse("list", "a/*  # x\nb/* # y").expect("the list is sound");
        assert_eq!(list.find("a/one").map(|entry| entry.reason.as_str()), Some("x"));
        assert!(list.find("c/one").is_none());
        let stale: Vec<String> = list.stale(["a/one", "c"].into_iter()).iter().map(ToString::to_string).collect();
        assert_eq!(stale, ["list:2: `b/*` matches no variant that applies: remove the line or mend it"]);
    }
}
