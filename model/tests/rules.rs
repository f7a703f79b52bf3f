//! The rules of the model cite statements that exist, bind a server and can be seen at one; and each rule is enforced.

use model::packet::ProtocolVersion;
use model::server::Rule;
use model::statement::{Side, catalogue};
use std::path::Path;

#[test]
fn every_citation_is_a_servers_statement_of_that_version() {
    for rule in Rule::ALL {
        for version in ProtocolVersion::ALL {
            for id in rule.statements(version) {
                let statement = catalogue().find(version, id);
                let statement = statement.unwrap_or_else(|| panic!("{rule} cites {id}, which {version} does not have"));
                assert!(statement.role.includes_server(), "{rule} cites {id} of {version}, which binds a client");
                let observable = statement.observable.is_some_and(Side::includes_server);
                assert!(observable, "{rule} cites {id} of {version}, which nobody can see at a server");
            }
        }
    }
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
