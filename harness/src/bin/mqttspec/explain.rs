//! `mqttspec explain`: what a case does, or what a statement says.

use crate::output::{complain, print_and_end};
use crate::sources::load;
use clap::Args;
use harness::case::{Library, Step, Suite, Variant};
use harness::concealing::Secrets;
use harness::exit_code;
use harness::run::{Fate, KnownFailing, Pattern, Plan, Planned, Selection};
use model::packet::ProtocolVersion;
use model::profile::Profile;
use model::statement::{Statement, catalogue};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments of `mqttspec explain`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A statement such as MQTT-3.3.1-2, a suite (publish/qos1) or a folder of them (publish), a case of a suite, a variant as
    /// `list` names it, or a glob
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
    let suites = suites(&library, subject);
    match suites[..] {
        [] => {}
        [suite] if names_suite(subject, suite) => {
            return print_and_end(exit_code::AS_EXPECTED, |out| explain_suite(suite, &planned, out));
        }
        _ => return print_and_end(exit_code::AS_EXPECTED, |out| list_suites(&suites, out)),
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

/// What stands behind a profile's name, if one stands there: a suite's name has none.
fn without_profile(subject: &str) -> &str {
    let subject = subject.trim_end_matches('/');
    let known = Profile::builtin_names().into_iter().find_map(|name| subject.strip_prefix(name)?.strip_prefix('/'));
    known.unwrap_or(subject)
}

fn names_suite(subject: &str, suite: &Suite) -> bool {
    *suite.name == *without_profile(subject)
}

/// The suite of this name, or else those in the folder of this name.
fn suites<'a>(library: &'a Library, subject: &str) -> Vec<&'a Suite> {
    if let Some(suite) = library.suites.iter().find(|suite| names_suite(subject, suite)) {
        return vec![suite];
    }
    let folder = format!("{}/", without_profile(subject));
    library.suites.iter().filter(|suite| suite.name.starts_with(&folder)).collect()
}

fn list_suites(suites: &[&Suite], out: &mut dyn Write) -> io::Result<()> {
    for suite in suites {
        let count = suite.cases.len();
        let cases = if count == 1 { "case" } else { "cases" };
        writeln!(out, "{} ({count} {cases})\n  {}", suite.name, suite.about)?;
    }
    writeln!(out, "\n`mqttspec explain SUITE` tells the cases of one.")
}

/// Each case of a suite: what happens, where it is played, and what it stands for.
fn explain_suite(suite: &Suite, planned: &[Planned], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}\n  {}\n  {}\n", suite.name, suite.about, suite.location)?;
    for case in &suite.cases {
        let is_its = |variant: &Variant| variant.suite == suite.name && variant.case == case.id;
        let its: Vec<&Planned> = planned.iter().filter(|planned| is_its(&planned.variant)).collect();
        writeln!(out, "{}/{}\n  {}", suite.name, case.id, case.about)?;
        let mut rows: Vec<&str> = Vec::new();
        for row in its.iter().filter_map(|planned| planned.variant.row.as_deref()) {
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
        if !rows.is_empty() {
            writeln!(out, "  rows: {}", rows.join(", "))?;
        }
        for (profile, versions) in played(&its) {
            writeln!(out, "  played in {profile}: {}", versions.into_iter().collect::<Vec<_>>().join(", "))?;
        }
        let mut told = BTreeSet::new();
        for Planned { variant, .. } in its {
            for id in variant.cites.iter().filter(|id| told.insert(id.as_str())) {
                if let Some(statement) = catalogue().find(variant.version, id.as_str()) {
                    writeln!(out, "  {id} ({}): {}", statement.level, statement.gist)?;
                }
            }
        }
        writeln!(out)?;
    }
    writeln!(out, "`mqttspec explain {}/CASE` tells a case step by step.", suite.name)
}

/// In which versions variants are played, by profile.
fn played<'a>(planned: &[&'a Planned]) -> BTreeMap<&'a str, BTreeSet<&'static str>> {
    let mut played: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for Planned { variant, fate } in planned {
        if !matches!(fate, Fate::NotApplicable(_)) {
            played.entry(&variant.profile).or_default().insert(variant.version.number());
        }
    }
    played
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
