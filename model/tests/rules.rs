//! Each rule of the model has a name of its own and is enforced; the rows of the platform that it cites exist. Its statements are
//! looked at in `citations`.

use model::packet::ProtocolVersion;
use model::profile::Profile;
use model::server::Rule;
use model::statement::catalogue;
use std::path::Path;

#[test]
fn every_row_is_one_of_a_platforms_server() {
    let rows: Vec<_> = catalogue().of_platform().filter(|row| row.role.includes_server()).collect();
    for rule in Rule::ALL {
        for cited in rule.rows() {
            assert!(rows.iter().any(|row| row.id.as_str() == *cited), "{rule} cites {cited}, which is no row");
        }
    }
}

#[test]
fn rows_are_named_where_a_profile_is_held_to_them() {
    let [standard, platform, newer] =
        ["standard", "platform", "platform-2026"].map(|name| Profile::builtin(name).unwrap());
    let cites = |profile, version| Rule::DeliveryIsUnchanged.cites(profile, version);
    assert!(!cites(standard, ProtocolVersion::V5_0).iter().any(|id| id.starts_with("P-")));
    assert!(cites(platform, ProtocolVersion::V5_0).contains(&"P-V5-13"));
    assert!(!cites(platform, ProtocolVersion::V5_0).contains(&"N-RRT-1"));
    assert!(!cites(platform, ProtocolVersion::V3_1_1).contains(&"P-V5-13"));
    assert!(cites(newer, ProtocolVersion::V5_0).contains(&"N-RRT-1"));
}

#[test]
fn names_are_unique_and_sentences_short() {
    for (index, rule) in Rule::ALL.iter().enumerate() {
        assert!(Rule::ALL[..index].iter().all(|other| other.name() != rule.name()), "{rule} twice");
        assert!(rule.says().len() <= 130, "{rule}: {}", rule.says());
    }
}

/// All source text of the model below `folder`.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    let entries = std::fs::read_dir(folder).expect("the sources are there");
    for path in entries.map(|entry| entry.expect("the folder can be read").path()) {
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &std::fs::read_to_string(path).expect("a source is text");
        }
    }
    text
}

#[test]
fn every_rule_is_enforced_somewhere() {
    let text = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    for rule in Rule::ALL {
        let named = text.matches(&format!("Rule::{rule:?}")).count();
        assert!(named > 0, "no code enforces {rule}");
    }
}
