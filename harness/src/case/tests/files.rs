//! The files that come with the program, and their schema.

use crate::case::{Library, lint, schema};
use std::path::{Path, PathBuf};

#[test]
fn the_cases_of_the_program_load_and_are_clean() {
    let library = Library::embedded().unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert!(!library.suites.is_empty());
    let findings: Vec<String> = lint(&library).iter().map(ToString::to_string).collect();
    assert_eq!(findings, [""; 0]);
}

#[test]
fn the_folder_holds_what_the_program_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases");
    let names = |library: Library| library.suites.iter().map(|suite| suite.name.to_string()).collect::<Vec<_>>();
    let from_disk = Library::from_paths(&[folder]).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert_eq!(names(from_disk), names(Library::embedded().unwrap()));
}

#[test]
fn a_path_without_cases_is_an_error() {
    let message = |path: &str| {
        let errors = Library::from_paths(&[PathBuf::from(path)]).unwrap_err();
        errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    assert_eq!(message(source), format!("{source}: there is no .yaml file in this folder"));
    assert!(message("no/such/file.yaml").starts_with("no/such/file.yaml: it cannot be read: "));
}

/// To write the schema anew: `UPDATE_SCHEMA=1 cargo test -p mqttspec-harness schema`.
#[test]
fn the_schema_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases/schema.json");
    let current = format!("{:#}\n", schema());
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == current, "cases/schema.json is not current: run this test with UPDATE_SCHEMA=1");
}

#[test]
fn the_guide_shows_the_example_that_runs() {
    let guide = include_str!("../../../../cases/README.md");
    let example = include_str!("../../../../cases/standard/readme.yaml");
    // Further blocks are steps by themselves.
    let block = guide.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next());
    assert_eq!(block, Some(example));
}
