//! Where each row of the fact sheet lives: in a rule, an offence or a file of the model, or why in none.

use model::profile::Offence;
use model::server::Rule;
use model::server::off_the_wire::{NOT_ON_THE_WIRE, is_about_mqtt};
use model::statement::catalogue;
use std::collections::BTreeMap;
use std::path::Path;

fn sources(folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("the folder can be read").path();
        let known = path.extension().is_some_and(|extension| extension == "rs" || extension == "yaml")
            // There the rows stand that have no place.
            && !path.ends_with("server/off_the_wire.rs");
        if path.is_dir() {
            sources(&path, found);
        } else if known {
            let text = std::fs::read_to_string(&path).expect("a source is text");
            found.insert(path.display().to_string(), text);
        }
    }
}

/// Whether a text names a row, and not one whose number only begins alike.
fn names(text: &str, row: &str) -> bool {
    text.match_indices(row).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + row.len()..].chars().next();
        !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-') && !after.is_some_and(|c| c.is_ascii_digit())
    })
}

#[test]
fn every_row_has_its_place_or_a_reason() {
    let mut texts = BTreeMap::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
    let mut missing = Vec::new();
    let mut idle = Vec::new();
    for row in catalogue().of_platform().map(|row| row.id.as_str()).filter(|row| is_about_mqtt(row)) {
        let ruled = Rule::ALL.iter().any(|rule| rule.rows().contains(&row));
        let answered = Offence::ALL.iter().any(|offence| offence.rows().contains(&row));
        let placed = ruled || answered || texts.values().any(|text| names(text, row));
        let excused = NOT_ON_THE_WIRE.iter().any(|(known, _)| *known == row);
        if !placed && !excused {
            missing.push(row);
        }
        if placed && excused {
            idle.push(row);
        }
    }
    let known: Vec<&str> = catalogue().of_platform().map(|row| row.id.as_str()).collect();
    assert!(NOT_ON_THE_WIRE.iter().all(|(row, why)| known.contains(row) && !why.is_empty()));
    assert!(missing.is_empty(), "no place and no reason: {missing:?}");
    assert!(idle.is_empty(), "a place and a reason not to have one: {idle:?}");
}
