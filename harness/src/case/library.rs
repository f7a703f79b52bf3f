//! The suites of case files, from the program itself or from the disk.

use super::compile;
use super::error::{LoadError, Location};
use super::step::Step;
use super::transport::Transport;
use super::yaml::LARGEST_FILE;
use crate::text_file;
use include_dir::{Dir, include_dir};
use model::packet::ProtocolVersion;
use model::profile::Feature;
use model::statement::StatementId;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

static CASES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../cases");

/// How deep folders are searched: more is a loop of links.
const DEEPEST_FOLDER: usize = 16;

/// All suites, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Library {
    /// The suites.
    pub suites: Vec<Suite>,
}

/// One file of cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// Its name: `publish/qos1`.
    pub name: Arc<str>,
    /// What it is about, in a sentence.
    pub about: Arc<str>,
    /// Its cases, in the order of the file.
    pub cases: Vec<Case>,
    /// Where it stands.
    pub location: Location,
    pub(super) about_location: Location,
}

/// One case: a script for each row and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its id in words, unique in the suite.
    pub id: Arc<str>,
    /// What happens, in a sentence.
    pub about: Arc<str>,
    /// The dialects that it is written for.
    pub profiles: BTreeSet<String>,
    /// What a profile must have.
    pub needs: BTreeSet<Feature>,
    /// It must be alone on the broker.
    pub exclusive: bool,
    /// What has to carry its connections.
    pub transport: Option<Transport>,
    /// The scripts: rows in the order of the file, versions from old to new.
    pub scripts: Vec<Script>,
    /// Where it stands.
    pub location: Location,
    pub(super) about_location: Location,
    /// Packets that are bound and never used.
    pub(super) unused: Vec<(Location, String)>,
}

/// A case for one row and one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The id of the row, if the case has rows.
    pub row: Option<Arc<str>>,
    /// The protocol version.
    pub version: ProtocolVersion,
    /// The statements of this version that it stands for.
    pub cites: Vec<StatementId>,
    /// The steps.
    pub steps: Arc<[Step]>,
}

impl Suite {
    /// Reads a suite from the text of a file; `file` is named in errors and locations.
    ///
    /// # Errors
    /// All that is wrong in it, in the order of the text.
    pub fn parse(file: &str, text: &str) -> Result<Suite, Vec<LoadError>> {
        compile::suite(file, text)
    }
}

impl Library {
    /// The cases that come with the program. Their files are named `cases/...`.
    ///
    /// # Errors
    /// Never in a program that has passed its tests, which load them.
    pub fn embedded() -> Result<Library, Vec<LoadError>> {
        let mut texts = Vec::new();
        embedded_texts(&CASES, &mut texts);
        load(texts)
    }

    /// Cases from files, and from all `.yaml` files in folders and the folders below them.
    ///
    /// # Errors
    /// All that is wrong in these files; and when there are none, for an empty selection proves nothing.
    pub fn from_paths(paths: &[PathBuf]) -> Result<Library, Vec<LoadError>> {
        let mut files = BTreeSet::new();
        let mut errors = Vec::new();
        for path in paths {
            let before = files.len();
            match collect(path, DEEPEST_FOLDER, &mut files) {
                Err(error) => errors.push(LoadError::file(&path.display().to_string(), error)),
                Ok(()) if files.len() == before && path.is_dir() => {
                    errors.push(LoadError::file(&path.display().to_string(), "there is no .yaml file in this folder"));
                }
                Ok(()) => {}
            }
        }
        let mut texts = Vec::new();
        for file in files {
            let name = file.display().to_string();
            match text_file::read(&file, LARGEST_FILE as u64) {
                Ok(text) => texts.push((name, text)),
                Err(error) => errors.push(LoadError::file(&name, format!("the file cannot be read: {error}"))),
            }
        }
        match load(texts) {
            Ok(library) if errors.is_empty() => Ok(library),
            Ok(_) => Err(errors),
            Err(more) => {
                errors.extend(more);
                Err(errors)
            }
        }
    }
}

fn embedded_texts(folder: &Dir<'_>, texts: &mut Vec<(String, String)>) {
    for file in folder.files() {
        let path = file.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let text = String::from_utf8_lossy(file.contents()).into_owned();
            texts.push((format!("cases/{}", path.display()), text));
        }
    }
    folder.dirs().for_each(|folder| embedded_texts(folder, texts));
}

fn collect(path: &Path, depth: usize, files: &mut BTreeSet<PathBuf>) -> Result<(), String> {
    let unreadable = |error: io::Error| format!("it cannot be read: {error}");
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        files.insert(path.to_owned());
        return Ok(());
    }
    if depth == 0 {
        return Err(format!("folders nest deeper than {DEEPEST_FOLDER}"));
    }
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            collect(&path, depth - 1, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.insert(path);
        }
    }
    Ok(())
}

fn load(texts: Vec<(String, String)>) -> Result<Library, Vec<LoadError>> {
    let mut suites: BTreeMap<Arc<str>, Suite> = BTreeMap::new();
    let mut errors = Vec::new();
    for (file, text) in texts {
        match Suite::parse(&file, &text) {
            Ok(suite) => {
                if let Some(first) = suites.get(&suite.name) {
                    let message = format!("the suite `{}` stands twice: first in {}", suite.name, first.location.file);
                    errors.push(LoadError::at(&suite.location, message));
                } else {
                    suites.insert(Arc::clone(&suite.name), suite);
                }
            }
            Err(more) => errors.extend(more),
        }
    }
    if errors.is_empty() { Ok(Library { suites: suites.into_values().collect() }) } else { Err(errors) }
}
