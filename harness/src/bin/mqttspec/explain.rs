//! `mqttspec explain`: what a case does, or what a statement says.

use crate::output::{complain, print_and_end};
use crate::sources::load;
use clap::Args;
use harness::case::{Library, Step, Variant};
use harness::concealing::Secrets;
use harness::exit_code;
use harness::run::{Fate, KnownFailing, Pattern, Plan, Planned, Selection};
use model::packet::ProtocolVersion;
use model::profile::Profile;
use model::statement::{Statement, catalogue};
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments of `mqttspec explain`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A variant as `list` names it, a glob, a case (publish/qos1/...), or a statement such as MQTT-3.3.1-2
    #[arg(value_name = "NAME|STATEMENT")]
    subject: String,
    /// Cases from this file or folder instead of those that come with mqttspec (repeatable)
    #[arg(long, value_name = "PATH")]
    cases: Vec<PathBuf>,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let Ok(library) = load(&arguments.cases) else {
        return exit_code::USAGE;
    };
    let subject = arguments.subject.as_str();
    let planned = all_variants(&library);
    let meanings = meanings(subject);
    if !meanings.is_empty() {
        return print_and_end(exit_code::AS_EXPECTED, |out| {
            meanings.iter().try_for_each(|meaning| explain_meaning(meaning, &planned, out))
        });
    }
    let pattern = subject.parse::<Pattern>().ok();
    let is_meant = |variant: &Variant| {
        let case = format!("{}/{}", variant.suite, variant.case);
        variant.name == subject || case == subject || pattern.as_ref().is_some_and(|it| it.matches(&variant.name))
    };
    let meant: Vec<&Planned> = planned.iter().filter(|planned| is_meant(&planned.variant)).collect();
    if meant.is_empty() {
        complain(&format_args!("`{subject}` is neither a statement nor a case: see `mqttspec list`"));
        return exit_code::NOTHING_SELECTED;
    }
    print_and_end(exit_code::AS_EXPECTED, |out| meant.iter().try_for_each(|planned| explain_variant(planned, out)))
}

fn all_variants(library: &Library) -> Vec<Planned> {
    let profiles = Profile::builtin_names().into_iter().filter_map(Profile::builtin);
    let (everything, nothing_known) = (Selection::default(), KnownFailing::default());
    profiles
        .flat_map(|profile| Plan::new(library, Arc::new(profile.clone()), &everything, &nothing_known).variants)
        .collect()
}

/// What a statement says, and in which versions it says so.
struct Meaning {
    versions: Vec<ProtocolVersion>,
    statement: &'static Statement,
}

/// What an id means: one number can stand for different things in 3.1.1 and 5.0. As in cases, `5.0:` before it means one.
fn meanings(subject: &str) -> Vec<Meaning> {
    let (only, id) = match subject.split_once(':') {
        Some((version, id)) => (version.parse::<ProtocolVersion>().ok(), id),
        None => (None, subject),
    };
    let id = id.to_ascii_uppercase();
    let mut meanings: Vec<Meaning> = Vec::new();
    for version in ProtocolVersion::ALL.into_iter().filter(|version| only.is_none_or(|only| only == *version)) {
        let Some(statement) = catalogue().find(version, &id) else { continue };
        let is_same = |known: &&mut Meaning| {
            let known = known.statement;
            (&known.gist, known.level, known.role) == (&statement.gist, statement.level, statement.role)
        };
        match meanings.iter_mut().find(is_same) {
            Some(known) => known.versions.push(version),
            None => meanings.push(Meaning { versions: vec![version], statement }),
        }
    }
    meanings
}

fn explain_meaning(meaning: &Meaning, planned: &[Planned], out: &mut dyn Write) -> io::Result<()> {
    let Meaning { versions, statement } = meaning;
    let id = statement.id.as_str();
    let names: Vec<String> = versions.iter().map(ToString::to_string).collect();
    writeln!(out, "{id} of MQTT {} ({}, {})", names.join(", "), statement.level, statement.role)?;
    writeln!(out, "  {}", statement.gist)?;
    let cites = |planned: &&Planned| {
        let variant = &planned.variant;
        versions.contains(&variant.version) && variant.cites.iter().any(|cited| cited.as_str() == id)
    };
    let cases: BTreeSet<String> = planned
        .iter()
        .filter(cites)
        .map(|planned| format!("{}/{}", planned.variant.suite, planned.variant.case))
        .collect();
    if cases.is_empty() {
        return writeln!(out, "  no case cites it");
    }
    writeln!(out, "  cited by")?;
    cases.iter().try_for_each(|case| writeln!(out, "    {case}"))
}

fn explain_variant(planned: &Planned, out: &mut dyn Write) -> io::Result<()> {
    let variant = &planned.variant;
    writeln!(out, "{}", variant.name)?;
    writeln!(out, "  {}", variant.about)?;
    writeln!(out, "  {}", variant.location)?;
    if let Fate::NotApplicable(why) = &planned.fate {
        writeln!(out, "  not applicable: {why}")?;
    }
    for id in &variant.cites {
        if let Some(statement) = catalogue().find(variant.version, id.as_str()) {
            writeln!(out, "  {id} ({}): {}", statement.level, statement.gist)?;
        }
    }
    let secrets = Secrets::of_script(variant);
    variant.steps.iter().try_for_each(|step: &Step| writeln!(out, "    {}", secrets.conceal(&step.text)))?;
    writeln!(out)
}
