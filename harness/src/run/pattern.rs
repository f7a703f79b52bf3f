//! Globs over variant names: `*` is one part or a piece of one, `**` any number of parts.

use std::fmt;
use std::str::FromStr;

/// A glob over the parts of a name, e.g. `standard/publish/**/mqtt:5.0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// `**`: any number of parts, also none.
    Any,
    /// One part, in which each `*` stands for any text.
    One(String),
}

impl Pattern {
    /// Whether the whole name fits.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let parts: Vec<&str> = name.split('/').collect();
        // Wildcard matching by a table instead of recursion: a pattern of many `**` stays quadratic.
        let mut reached = vec![false; parts.len() + 1];
        reached[0] = true;
        for part in &self.parts {
            let mut next = vec![false; parts.len() + 1];
            match part {
                Part::Any => {
                    let first = reached.iter().position(|at| *at).unwrap_or(next.len());
                    next[first.min(parts.len() + 1)..].fill(true);
                }
                Part::One(glob) => {
                    for (index, text) in parts.iter().enumerate() {
                        next[index + 1] = reached[index] && part_matches(glob, text);
                    }
                }
            }
            reached = next;
        }
        reached[parts.len()]
    }
}

/// Whether one part fits a glob of `*` and plain text: each piece is taken at its first place behind the one before.
fn part_matches(glob: &str, text: &str) -> bool {
    let Some((head, rest)) = glob.split_once('*') else {
        return glob == text;
    };
    let Some(mut text) = text.strip_prefix(head) else {
        return false;
    };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let tail = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match text.find(piece) {
            Some(at) => text = &text[at + piece.len()..],
            None => return false,
        }
    }
    text.ends_with(tail)
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Pattern, String> {
        if text.is_empty() || text.split('/').any(str::is_empty) {
            return Err(format!("`{text}` has an empty part: write parts of names with `/` between them"));
        }
        let parts = text.split('/').map(|part| if part == "**" { Part::Any } else { Part::One(part.to_owned()) });
        Ok(Pattern { text: text.to_owned(), parts: parts.collect() })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    fn matches(pattern: &str, name: &str) -> bool {
        pattern.parse::<Pattern>().expect("the pattern is sound").matches(name)
    }

    #[test]
    fn one_star_is_one_part_or_a_piece_of_it() {
        let name = "standard/publish/qos1/acknowledged/mqtt:5.0";
        assert!(matches("standard/*/qos1/acknowledged/mqtt:5.0", name));
        assert!(matches("standard/pub*/q*1/*know*ed/mqtt:*", name));
        assert!(!matches("standard/*/acknowledged/mqtt:5.0", name));
        assert!(!matches("standard/publish/qos1/acknowledged", name));
        assert!(!matches("standard/publish/qos1/acknowledged/mqtt:5.0/more", name));
        assert!(!matches("standard/publish/qos1/*acknowledgedly/mqtt:5.0", name));
    }

    #[test]
    fn two_stars_are_any_number_of_parts() {
        let name = "standard/publish/qos1/acknowledged/mqtt:5.0";
        for pattern in ["**", "**/mqtt:5.0", "standard/**", "**/qos1/**", "standard/**/publish/**/mqtt:5.0", "**/**"] {
            assert!(matches(pattern, name), "{pattern}");
        }
        for pattern in ["**/mqtt:3.1", "platform/**", "**/qos2/**", "**/publish"] {
            assert!(!matches(pattern, name), "{pattern}");
        }
    }

    #[test]
    fn a_star_pattern_needs_its_pieces_apart() {
        assert!(!matches("ab*ba", "aba"));
        assert!(matches("ab*ba", "abba"));
        assert!(matches("*", "anything"));
        assert!(!matches("a*b*c", "acb"));
    }

    #[test]
    fn many_stars_stay_quick() {
        let pattern = vec!["**"; 200].join("/") + "/never";
        let name = vec!["part"; 200].join("/");
        assert!(!matches(&pattern, &name));
    }

    #[test]
    fn empty_parts_are_refused() {
        for text in ["", "/a", "a//b", "a/"] {
            assert!(text.parse::<Pattern>().is_err(), "{text:?}");
        }
    }
}
