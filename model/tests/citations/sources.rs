//! Ids of statements in the comments and strings of the sources.
//!
//! An id stands in full. Where 3.1.1 and 5.0 mean different things by it, the version stands before it, for it and those
//! that follow after a comma or `and`: `(3.1.1: MQTT-3.8.4-4; 5.0: MQTT-3.8.4-5)`. Between quotes an id is data, and only has
//! to exist.

use model::packet::ProtocolVersion;
use model::statement::{StatementId, catalogue};
use std::path::Path;

/// What is wrong in the sources below `folder`, each with file and line.
pub(crate) fn complaints(folder: &Path) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .expect("the sources are there")
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    entries.sort();
    for path in entries {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
        if path.is_dir() {
            complaints.extend(self::complaints(&path));
        } else if ["rs", "yaml"].contains(&extension) {
            let text = std::fs::read_to_string(&path).expect("a source is text");
            let found = in_text(&text).into_iter();
            complaints.extend(found.map(|(line, what)| format!("{}:{line}: {what}", path.display())));
        }
    }
    complaints
}

/// What is wrong in a source, with the line. Its unit tests may say what they like.
fn in_text(text: &str) -> Vec<(usize, String)> {
    let source = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    // A comment may go on in the next line, and its versions with it.
    let flat: String = source.lines().map(|line| format!("{}\n", blank_marker(line))).collect();
    let mut complaints = Vec::new();
    let mut label = None;
    let mut end = 0;
    for (start, token) in tokens(&flat) {
        let gap = &flat[end..start];
        let after_id = end > 0 && [",", "and", ", and"].contains(&gap.trim());
        let is_data = flat[..start].ends_with('"');
        if is_id(token) {
            label = stated(&flat[..start]).or(label.filter(|_| after_id));
            if let Some(what) = complaint(token, label, is_data) {
                complaints.push((line_of(&flat, start), what));
            }
            end = start + token.len();
        } else if is_bare(token) || (after_id && token.strip_prefix('-').is_some_and(is_number)) {
            let what = format!("`{token}`: write the whole id, such as MQTT-3.3.1-2");
            complaints.push((line_of(&flat, start), what));
        }
    }
    complaints
}

/// The line with its comment marker blanked, so that a sentence runs on.
fn blank_marker(line: &str) -> String {
    let body = line.trim_start();
    let marker = ["///", "//!", "//", "#"].into_iter().find(|marker| body.starts_with(marker)).unwrap_or("");
    let indent = line.len() - body.len();
    format!("{}{}", " ".repeat(indent + marker.len()), &body[marker.len()..])
}

/// Runs of the characters that ids are made of, with their places.
fn tokens(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    text.split(move |c| !is_part(c)).filter(|token| !token.is_empty()).map(move |token| {
        let start = token.as_ptr() as usize - text.as_ptr() as usize;
        (start, token.trim_end_matches(['.', '-']))
    })
}

/// The version before an id: `5.0: `.
fn stated(before: &str) -> Option<ProtocolVersion> {
    let words = before.trim_end().strip_suffix(':')?;
    let label = words.rsplit([' ', '(', '\n']).next()?;
    ProtocolVersion::ALL.into_iter().find(|version| version.to_string() == label)
}

fn complaint(id: &str, label: Option<ProtocolVersion>, is_data: bool) -> Option<String> {
    let versions = catalogue().versions_of(id);
    if versions.is_empty() {
        return Some(format!("{id} does not exist"));
    }
    match label {
        Some(version) if catalogue().find(version, id).is_none() => Some(format!("{version} has no {id}")),
        None if !is_data && is_ambiguous(id, &versions) => {
            Some(format!("3.1.1 and 5.0 mean different things by {id}: write `5.0: {id}` or `3.1.1: {id}`"))
        }
        _ => None,
    }
}

fn is_ambiguous(id: &str, versions: &[ProtocolVersion]) -> bool {
    let both = versions.contains(&ProtocolVersion::V3_1_1) && versions.contains(&ProtocolVersion::V5_0);
    both && id.starts_with("MQTT-") && !catalogue().is_alike(id)
}

fn is_id(token: &str) -> bool {
    token.parse::<StatementId>().is_ok()
}

/// `3.14.0-1`: an id that has lost its first word.
fn is_bare(token: &str) -> bool {
    token.split('.').count() == 3 && is_id(&format!("MQTT-{token}"))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn line_of(text: &str, position: usize) -> usize {
    text[..position].matches('\n').count() + 1
}

#[test]
fn a_wrong_id_in_a_comment_is_found() {
    let one = |text: &str| {
        let found = in_text(text);
        assert!(found.len() <= 1, "{found:?}");
        found.into_iter().next().map(|(line, what)| format!("{line}: {what}")).unwrap_or_default()
    };
    assert_eq!(one("/// DUP of a first delivery (MQTT-3.3.1-2).\n"), "");
    assert_eq!(one("// one\n// (MQTT-3.3.1-99)\n"), "2: MQTT-3.3.1-99 does not exist");
    assert_eq!(one("# X-99\n"), "1: X-99 does not exist");
    assert_eq!(one("/// (V31-3, P-QOS-2)\n"), "");
    let ambiguous = "3.1.1 and 5.0 mean different things by MQTT-3.8.4-4: write `5.0: MQTT-3.8.4-4` or";
    assert!(one("// (MQTT-3.8.4-4)").contains(ambiguous));
    assert_eq!(one("// (3.1.1: MQTT-3.8.4-4; 5.0: MQTT-3.8.4-5)"), "");
    assert_eq!(one("// (5.0: MQTT-3.8.4-4, MQTT-3.8.4-5 and\n/// MQTT-3.8.4-6)"), "");
    assert!(one("// (5.0: MQTT-3.8.4-5; MQTT-3.8.4-4)").contains(ambiguous));
    assert_eq!(one("// (5.0: MQTT-1.5.3-1)"), "1: 5.0 has no MQTT-1.5.3-1");
    assert_eq!(one("const ID: &str = \"MQTT-3.8.4-4\";"), "");
    assert_eq!(one("const ID: &str = \"MQTT-3.8.4-44\";"), "1: MQTT-3.8.4-44 does not exist");
    assert!(one("// (MQTT-3.3.1-2 and -3)").contains("`-3`: write the whole id"));
    assert!(one("// 3.14.0-1: no DISCONNECT").contains("`3.14.0-1`: write the whole id"));
    assert_eq!(one("#[cfg(test)]\nmod tests { /* MQTT-9.9.9-9 */ }"), "");
}
