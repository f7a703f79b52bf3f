//! What a recipe says.

use super::book::BookError;
use crate::run::{KnownFailing, Pattern};
use model::packet::ProtocolVersion;
use model::profile::Profile;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// How long a broker may take from its start until it answers, if its recipe does not say.
const READY_WITHIN: u64 = 10;

/// A broker that somebody else wrote, and how it is installed, configured and started.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// Its name: that of the file.
    pub name: String,
    /// What it is, in a sentence.
    pub about: String,
    /// The version that the list of known failures is about.
    pub version: String,
    /// Where it comes from: Debian, npm, PyPI, crates.io.
    pub registry: String,
    /// Its home in the web.
    pub home: String,
    /// What it costs to install, in words.
    pub cost: String,
    /// Programs, or files with their whole path, that have to be there, with the Debian package that brings each.
    pub needs: BTreeMap<String, String>,
    /// Shell commands that put it into the folder `{installed}`; nothing if its packages are all.
    pub install: Option<String>,
    /// Its configuration files, by name.
    pub files: BTreeMap<String, String>,
    /// Shell commands that become the broker.
    pub start: String,
    /// How long it may take from its start until it answers.
    pub ready_within: Duration,
    /// How many variants it can bear side by side; none: as many as usual.
    pub jobs: Option<NonZeroUsize>,
    /// Shares of the cases that get a broker of their own: at least one.
    pub parts: Vec<Part>,
    /// The dialect that it is held to.
    pub profile: Arc<Profile>,
    /// The dialect as a file, if it is none of the built-in ones.
    pub profile_text: Option<String>,
    /// What it is known to do otherwise.
    pub known_failing: KnownFailing,
    /// Variants that tell nothing about this broker, and why: they are not played.
    pub not_played: Vec<(Pattern, String)>,
}

/// A share of the cases that gets a broker of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// Its name; empty if there is only one.
    pub name: String,
    /// Only variants that one of these matches; all if there is none.
    pub run: Vec<Pattern>,
    /// Not those that one of these matches.
    pub skip: Vec<Pattern>,
    /// Only these versions; all if there is none.
    pub versions: BTreeSet<ProtocolVersion>,
    /// How many variants it can bear side by side, if not as many as the recipe says.
    pub jobs: Option<NonZeroUsize>,
    /// Configuration files of this part alone.
    pub files: BTreeMap<String, String>,
}

impl Part {
    /// Whether a variant is played in this part.
    #[must_use]
    pub fn includes(&self, name: &str, version: ProtocolVersion) -> bool {
        let is_run = self.run.is_empty() || self.run.iter().any(|pattern| pattern.matches(name));
        let is_skipped = self.skip.iter().any(|pattern| pattern.matches(name));
        is_run && !is_skipped && (self.versions.is_empty() || self.versions.contains(&version))
    }
}

/// A file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Sheet {
    about: String,
    version: String,
    registry: String,
    home: String,
    cost: String,
    #[serde(default)]
    needs: BTreeMap<String, String>,
    install: Option<String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    start: String,
    ready_within: Option<u64>,
    jobs: Option<NonZeroUsize>,
    #[serde(default)]
    parts: Vec<PartSheet>,
    #[serde(default)]
    not_played: BTreeMap<Word<Pattern>, String>,
    /// What differs from `standard`.
    profile: Option<serde_yaml::Mapping>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PartSheet {
    name: String,
    #[serde(default)]
    run: Vec<Word<Pattern>>,
    #[serde(default)]
    skip: Vec<Word<Pattern>>,
    #[serde(default)]
    mqtt: Vec<Word<ProtocolVersion>>,
    jobs: Option<NonZeroUsize>,
    #[serde(default)]
    files: BTreeMap<String, String>,
}

/// A value that stands as a word in YAML.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Word<T>(T);

impl<'de, T: FromStr<Err: std::fmt::Display>> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Word).map_err(D::Error::custom)
    }
}

impl Recipe {
    /// Reads a recipe. `file` is named in errors, and its stem is the name of the broker.
    ///
    /// # Errors
    /// On YAML that is wrong or no recipe.
    pub(super) fn parse(file: &str, name: &str, text: &str, known_failing: KnownFailing) -> Result<Recipe, BookError> {
        let fail = |message: String| BookError { file: file.to_owned(), message };
        let sheet: Sheet = serde_yaml::from_str(text).map_err(|error| fail(error.to_string()))?;
        let profile_text = sheet.profile.map(|differs| profile_text(name, &sheet.about, differs)).transpose();
        let profile_text = profile_text.map_err(|error| fail(error.to_string()))?;
        let profile = match &profile_text {
            Some(text) => {
                Profile::load(&format!("the profile in {file}"), text).map_err(|error| fail(error.to_string()))?
            }
            None => Profile::builtin("standard").expect("it is built in: a test of the model loads it").clone(),
        };
        let mut parts: Vec<Part> = sheet.parts.into_iter().map(Part::from).collect();
        if parts.is_empty() {
            parts.push(Part::default());
        }
        Ok(Recipe {
            name: name.to_owned(),
            about: sheet.about,
            version: sheet.version,
            registry: sheet.registry,
            home: sheet.home,
            cost: sheet.cost,
            needs: sheet.needs,
            install: sheet.install,
            files: sheet.files,
            start: sheet.start,
            ready_within: Duration::from_secs(sheet.ready_within.unwrap_or(READY_WITHIN)),
            jobs: sheet.jobs,
            parts,
            profile: Arc::new(profile),
            profile_text,
            known_failing,
            not_played: sheet.not_played.into_iter().map(|(Word(pattern), why)| (pattern, why)).collect(),
        })
    }
}

impl From<PartSheet> for Part {
    fn from(sheet: PartSheet) -> Part {
        Part {
            name: sheet.name,
            run: sheet.run.into_iter().map(|Word(pattern)| pattern).collect(),
            skip: sheet.skip.into_iter().map(|Word(pattern)| pattern).collect(),
            versions: sheet.mqtt.into_iter().map(|Word(version)| version).collect(),
            jobs: sheet.jobs,
            files: sheet.files,
        }
    }
}

/// What differs from `standard`, as a profile of the broker's name.
fn profile_text(name: &str, about: &str, differs: serde_yaml::Mapping) -> Result<String, serde_yaml::Error> {
    let mut profile = serde_yaml::Mapping::new();
    for (key, value) in [("name", name), ("about", about), ("extends", "standard")] {
        profile.insert(key.into(), value.into());
    }
    profile.extend(differs);
    serde_yaml::to_string(&profile)
}
