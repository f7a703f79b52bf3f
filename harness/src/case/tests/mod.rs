//! Tests of the language as a whole; what one file does alone is tested in that file.

mod errors;
mod expansion;
mod files;
mod patterns;
mod templates;

use super::{Action, Scope, Step, Suite};
use crate::case::Credentials;
use std::fmt::Write as _;

/// A suite around one case: `head` holds its keys but `id`, `about` and `steps`.
fn file(head: &str, steps: &[&str]) -> String {
    let mut text = "suite: s\nabout: A.\ntarget: broker\nprofiles: [standard]\ncases:\n".to_owned();
    text.push_str("  - id: c\n    about: B.\n");
    for line in head.lines() {
        writeln!(text, "    {line}").unwrap();
    }
    text.push_str("    steps:\n");
    for step in steps {
        writeln!(text, "      - {step}").unwrap();
    }
    text
}

/// The head of most cases here: 5.0 only, which has all fields.
const V5: &str = "cites: [MQTT-3.3.4-1]\nmqtt: [\"5.0\"]";

/// The steps of a script that is right.
fn steps(head: &str, steps: &[&str]) -> Vec<Step> {
    let suite = Suite::parse("s.yaml", &file(head, steps)).unwrap_or_else(|errors| panic!("{errors:#?}"));
    suite.cases[0].scripts[0].steps.to_vec()
}

/// A scope as a player makes it.
fn scope() -> Scope {
    Scope::new("p/1", "c1", Credentials::default())
}

fn template(step: &Step) -> (&str, &super::PacketTemplate) {
    match &step.action {
        Action::Send { actor, template } => (actor, template),
        other => panic!("{other:?} sends no packet"),
    }
}
