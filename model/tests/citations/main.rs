//! The rules cite statements that exist, of their own version and their own side; what no rule cites is listed.
//!
//! `uncited.txt` is the list. It may shrink with any commit; where it grows, a reviewer sees the line. To write it anew,
//! together with the counts in the guide:
//! `UPDATE_UNCITED=1 cargo test -p mqttspec-model --test citations`.

mod ledger;
mod sources;

use ledger::Ledger;
use model::citation::{Citation, Citing, citations};
use model::packet::ProtocolVersion;
use model::server::exempt::EXEMPT;
use model::statement::{Side, catalogue};
use std::collections::BTreeSet;
use std::path::Path;

/// What is wrong with a citation, if something is. A rule binds the server, so its statements do. Offences and bytes are what
/// a client may get wrong: there its own statements are right too.
fn complaint(citation: &Citation) -> Option<String> {
    let Citation { version, statement: id, citing } = citation;
    let Some(statement) = catalogue().find(*version, id) else {
        let others: Vec<String> = catalogue().versions_of(id).iter().map(ToString::to_string).collect();
        return Some(match others.is_empty() {
            true => format!("{citing} cites {id}, which does not exist"),
            false => format!("{citing} cites {id} for {version}; it is one of {}", others.join(" and ")),
        });
    };
    match (citing, statement.observable) {
        (_, None) => Some(format!("{citing} cites {id} of {version}, which nobody can see")),
        (Citing::Rule(_), _) if !statement.role.includes_server() => {
            Some(format!("{citing} cites {id} of {version}, which binds a client"))
        }
        (Citing::Rule(_), Some(Side::Client)) => {
            Some(format!("{citing} cites {id} of {version}, which nobody can see at a server"))
        }
        _ => None,
    }
}

#[test]
fn every_citation_is_of_its_version_and_side() {
    let all = ProtocolVersion::ALL.into_iter().flat_map(citations);
    let complaints: Vec<String> = all.filter_map(|citation| complaint(&citation)).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn no_table_cites_twice() {
    for version in ProtocolVersion::ALL {
        let mut seen = BTreeSet::new();
        for citation in citations(version) {
            // A macro row of `wire` stands for several columns, but for each version once.
            assert!(seen.insert(citation), "{} cites {} of {version} twice", citation.citing, citation.statement);
        }
    }
}

#[test]
fn exemptions_have_a_reason_and_are_needed() {
    let mut seen = BTreeSet::new();
    for exemption in EXEMPT {
        assert!(exemption.reason.split(' ').count() > 8, "say more than `{}`", exemption.reason);
        for (version, ids) in exemption.statements {
            for id in *ids {
                assert!(Ledger::obligations(*version).any(|s| s.id.as_str() == *id), "{id} of {version} is none");
                assert!(seen.insert((version, id)), "{id} of {version} is exempt twice");
                let cited = citations(*version).into_iter().find(|citation| citation.statement == *id);
                assert!(cited.is_none(), "{id} of {version} is exempt, and cited: {cited:?}");
            }
        }
    }
}

#[test]
fn comments_name_statements_that_exist() {
    let complaints = sources::complaints(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn what_no_rule_cites_is_listed() {
    let ledger = Ledger::now();
    println!("{}", ledger.summary());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/citations/uncited.txt");
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/model.md");
    let read_guide = || std::fs::read_to_string(&guide).expect("the guide is there");
    if std::env::var_os("UPDATE_UNCITED").is_some() {
        std::fs::write(&file, ledger.to_string()).expect("the list can be written");
        std::fs::write(&guide, ledger.counted_in(&read_guide())).expect("the guide can be written");
    }
    assert_eq!(
        read_guide(),
        ledger.counted_in(&read_guide()),
        "its counts are old: run this test with UPDATE_UNCITED=1"
    );
    let listed = std::fs::read_to_string(&file).expect("the list is there");
    if let Err(difference) = ledger.agrees_with(&listed) {
        panic!("{difference}\nIf this is right, run this test with UPDATE_UNCITED=1");
    }
}

#[test]
fn a_wrong_citation_is_found() {
    let rule = Citing::Rule(model::server::Rule::PingreqIsAnswered);
    let complaint =
        |version, statement, citing| complaint(&Citation { version, statement, citing }).unwrap_or_default();
    let (v3, v5) = (ProtocolVersion::V3_1_1, ProtocolVersion::V5_0);
    assert_eq!(complaint(v5, "MQTT-3.12.4-1", rule), "");
    assert_eq!(
        complaint(v5, "MQTT-3.12.4-2", rule),
        "rule pingreq-is-answered cites MQTT-3.12.4-2, which does not exist"
    );
    assert!(complaint(v5, "MQTT-1.5.3-1", rule).ends_with("cites MQTT-1.5.3-1 for 5.0; it is one of 3.1 and 3.1.1"));
    assert!(complaint(v3, "V31-3", rule).ends_with("it is one of 3.1"));
    assert!(complaint(v5, "MQTT-3.1.0-1", rule).ends_with("which binds a client"));
    assert!(complaint(v3, "MQTT-7.1.1-1", rule).ends_with("which nobody can see"));
    let offence = Citing::Offence(model::profile::Offence::FirstPacketNotConnect);
    assert_eq!(complaint(v5, "MQTT-3.1.0-1", offence), "");
}
