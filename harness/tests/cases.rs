//! Every case as a test: each variant that applies to a built-in profile is played against an embedded reference broker
//! of that profile. `cargo test --test cases -- qos1` plays a part of them.

use harness::case::{Library, Variant};
use harness::report::{Detail, Header, Run, terminal};
use harness::run::{Class, Conditions, KnownFailing, Plan, Selection, play_embedded};
use libtest_mimic::{Arguments, Failed, Trial};
use model::profile::Profile;
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let library = match Library::embedded() {
        Ok(library) => library,
        Err(errors) => {
            errors.iter().for_each(|error| eprintln!("error: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let mut trials = Vec::new();
    let mut left_out = 0;
    for profile in Profile::builtin_names().into_iter().filter_map(Profile::builtin) {
        let profile = Arc::new(profile.clone());
        let plan = Plan::new(&library, Arc::clone(&profile), &Selection::default(), &KnownFailing::default());
        left_out += plan.variants.len() - plan.played().count();
        trials.extend(plan.played().map(|planned| trial(&planned.variant, &profile)));
    }
    if trials.is_empty() {
        eprintln!("error: there is no variant to play");
        return ExitCode::FAILURE;
    }
    if !arguments.list {
        eprintln!("{} variants, and {left_out} left out that do not apply", trials.len());
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(variant: &Arc<Variant>, profile: &Arc<Profile>) -> Trial {
    let name = variant.name.clone();
    let (variant, profile) = (Arc::clone(variant), Arc::clone(profile));
    Trial::test(name, move || {
        let conditions = Conditions::default();
        let outcome = play_embedded(&variant, &profile, None, &conditions);
        if outcome.verdict.kind().class() == Class::Passed {
            return Ok(());
        }
        let header = Header { rerun: "mqttspec run".to_owned(), ..Header::default() };
        let run = Run { header, outcomes: vec![outcome], ..Run::default() };
        let mut report = Vec::new();
        terminal(&run, Detail::Quiet, &mut report)?;
        Err(Failed::from(String::from_utf8_lossy(&report).into_owned()))
    })
}
