//! What is said in every case on the embedded broker, as snapshots: one file for each suite, in `snapshots/`; and which
//! statements the cases cover: `snapshots/coverage.snap`, `snapshots/guards.snap`.
//!
//! A case that changes, a broker that answers otherwise, and coverage that is lost show as differences to be reviewed. To see and take it:
//! `INSTA_UPDATE=always cargo test -p mqttspec-harness --test snapshots`, then `git diff`; or `cargo insta review` after a
//! failing run. A file without a suite fails too.

use harness::case::{Library, Variant};
use harness::coverage::{Guards, Ledger, gather};
use harness::fault::{Fault, Matrix};
use harness::report::transcript;
use harness::run::{Conditions, KnownFailing, Plan, Recorded, Selection, record_embedded};
use libtest_mimic::{Arguments, Failed, Trial};
use model::profile::Profile;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// The snapshot of the ledger.
const COVERAGE: &str = "coverage";

/// The snapshot of the faults that guard each statement. It takes every case under every fault: minutes, so it is compared
/// only when asked for (`-- --ignored`).
const GUARDS: &str = "guards";

/// The variants of a suite that apply to a built-in profile, with the profile.
type Suites = BTreeMap<String, Vec<(Arc<Variant>, Arc<Profile>)>>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let library = match Library::embedded() {
        Ok(library) => library,
        Err(errors) => {
            errors.iter().for_each(|error| eprintln!("error: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let suites = suites(&library);
    let mut names: BTreeSet<String> = suites.keys().cloned().collect();
    names.extend([COVERAGE, GUARDS].map(str::to_owned));
    let mut trials = vec![
        Trial::test("every-snapshot-has-its-suite", move || nothing_is_left_over(&names)),
        Trial::test(COVERAGE, {
            let library = library.clone();
            move || coverage(&library)
        }),
        Trial::test(GUARDS, move || guards(&library)).with_ignored_flag(true),
    ];
    for (name, variants) in suites {
        let snapshot = name.clone();
        trials.push(Trial::test(name, move || compare(&snapshot, &variants)));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The plans of all built-in profiles.
fn plans(library: &Library) -> Vec<Plan> {
    let builtin = Profile::builtin_names().into_iter().filter_map(Profile::builtin);
    let (everything, nothing_known) = (Selection::default(), KnownFailing::default());
    builtin.map(|profile| Plan::new(library, Arc::new(profile.clone()), &everything, &nothing_known)).collect()
}

/// All suites with something to play, by the name of their snapshot: `standard__publish__qos1`.
fn suites(library: &Library) -> Suites {
    let mut suites = Suites::new();
    let files: BTreeMap<&str, &str> =
        library.suites.iter().map(|suite| (&*suite.name, &*suite.location.file)).collect();
    for plan in plans(library) {
        for planned in plan.played() {
            let file = files[&*planned.variant.suite];
            let name = file.trim_start_matches("cases/").trim_end_matches(".yaml").replace('/', "__");
            let variants = suites.entry(name).or_default();
            variants.push((Arc::clone(&planned.variant), Arc::clone(&plan.profile)));
        }
    }
    suites
}

fn compare(name: &str, variants: &[(Arc<Variant>, Arc<Profile>)]) -> Result<(), Failed> {
    let conditions = conditions();
    let recorded: Vec<Recorded> =
        variants.iter().map(|(variant, profile)| record_embedded(variant, profile, &conditions)).collect();
    assert_snapshot(name, &transcript(&recorded, &conditions.credentials));
    Ok(())
}

fn coverage(library: &Library) -> Result<(), Failed> {
    let plans = plans(library);
    let processors = std::thread::available_parallelism()?;
    let evidence = gather(&plans, &conditions(), processors);
    let profiles: Vec<Arc<Profile>> = plans.into_iter().map(|plan| plan.profile).collect();
    assert_snapshot(COVERAGE, &Ledger::new(&profiles, &evidence, None).to_string());
    Ok(())
}

fn guards(library: &Library) -> Result<(), Failed> {
    let plans = plans(library);
    let processors = std::thread::available_parallelism()?;
    let evidence = gather(&plans, &conditions(), processors);
    let faults: Vec<_> = Fault::all().collect();
    let guards = Guards::in_matrix(&Matrix::play(&plans, &faults, &conditions(), processors, &mut |_| {}));
    let profiles: Vec<Arc<Profile>> = plans.into_iter().map(|plan| plan.profile).collect();
    assert_snapshot(GUARDS, &Ledger::new(&profiles, &evidence, Some(&guards)).guards());
    Ok(())
}

fn conditions() -> Conditions {
    Conditions::default()
}

/// Compares with the file of this name. A difference panics, and the trial fails.
fn assert_snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots")
}

/// A snapshot whose suite is gone is compared with nothing, and would stay for ever.
fn nothing_is_left_over(suites: &BTreeSet<String>) -> Result<(), Failed> {
    let updates = std::env::var_os("INSTA_UPDATE") == Some(OsString::from("always"));
    let mut left_over = Vec::new();
    for entry in std::fs::read_dir(folder())? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // What a failing run left for `cargo insta review` is no snapshot yet, and old when all are written anew.
        let (suite, is_proposal) = match name.strip_suffix(".new") {
            Some(name) => (name, true),
            None => (name, false),
        };
        if suites.contains(suite.trim_end_matches(".snap")) && !(is_proposal && updates) {
            continue;
        }
        match updates {
            true => std::fs::remove_file(&path)?,
            false => left_over.push(path.display().to_string()),
        }
    }
    match left_over.is_empty() {
        true => Ok(()),
        false => Err(format!("no suite says what is in {}: remove the file", left_over.join(", ")).into()),
    }
}
