//! The cases and profiles that a command line names.

use crate::output::{complain, remark};
use clap::Args;
use harness::case::Library;
use harness::run::{KnownFailing, Pattern, Plan, Selection};
use model::packet::ProtocolVersion;
use model::profile::Profile;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A profile or target file of more bytes is none.
pub(crate) const LARGEST_TEXT: u64 = 1 << 20;

/// What to play.
#[derive(Debug, Args)]
pub(crate) struct Sources {
    /// The dialect: a built-in profile (standard, platform, platform-2026) or a profile file
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) profile: Option<String>,
    /// Only variants that match; `*` is one part of a name, `**` any number (repeatable)
    #[arg(long = "run", value_name = "GLOB")]
    pub(crate) run: Vec<Pattern>,
    /// Not the variants that match (repeatable)
    #[arg(long, value_name = "GLOB")]
    pub(crate) skip: Vec<Pattern>,
    /// Only this protocol version: 3.1, 3.1.1 or 5.0 (repeatable)
    #[arg(long, value_name = "VERSION")]
    pub(crate) mqtt: Vec<ProtocolVersion>,
    /// Cases from this file or folder instead of those that come with mqttspec (repeatable)
    #[arg(long, value_name = "PATH")]
    pub(crate) cases: Vec<PathBuf>,
}

/// Something that the user has to mend was told to him.
#[derive(Debug)]
pub(crate) struct Told;

/// Tells it.
pub(crate) fn told(what: &dyn Display) -> Told {
    complain(what);
    Told
}

impl Sources {
    /// The cases.
    pub(crate) fn library(&self) -> Result<Library, Told> {
        self.library_with([])
    }

    /// The cases, those from `more` files among them.
    pub(crate) fn library_with<'a>(&'a self, more: impl IntoIterator<Item = &'a PathBuf>) -> Result<Library, Told> {
        let paths: Vec<PathBuf> = self.cases.iter().chain(more).cloned().collect();
        load(&paths)
    }

    /// The profile that is named; without a name, `default` or all built-in ones.
    pub(crate) fn profiles(&self, default: Option<&str>) -> Result<Vec<Arc<Profile>>, Told> {
        match self.profile.as_deref().or(default) {
            Some(name) => Ok(vec![Arc::new(profile(name)?)]),
            None => {
                let builtin = Profile::builtin_names().into_iter().filter_map(Profile::builtin);
                Ok(builtin.map(|profile| Arc::new(profile.clone())).collect())
            }
        }
    }

    /// The plans for these profiles. A profile that no case is written for is left out, unless it is the only one.
    pub(crate) fn plans(
        &self,
        library: &Library,
        profiles: &[Arc<Profile>],
        known_failing: &KnownFailing,
    ) -> Vec<Plan> {
        let selection = Selection {
            run: self.run.clone(),
            skip: self.skip.clone(),
            versions: self.mqtt.iter().copied().collect(),
            // Under several profiles a case stands with those that it is about.
            foreign: profiles.len() == 1,
        };
        let plans = profiles.iter().map(|profile| Plan::new(library, Arc::clone(profile), &selection, known_failing));
        plans.filter(|plan| profiles.len() == 1 || plan.applies()).collect()
    }

    /// Says which globs match nothing: a slip of the finger would go unnoticed beside others that match.
    pub(crate) fn remark_idle_globs(&self, plans: &[Plan]) {
        let options = [("--run", &self.run), ("--skip", &self.skip)];
        for (option, pattern) in options.into_iter().flat_map(|(option, list)| list.iter().map(move |it| (option, it)))
        {
            let mut variants = plans.iter().flat_map(|plan| &plan.variants);
            if !variants.any(|planned| pattern.matches(&planned.variant.name)) {
                remark(&format_args!("warning: {option} `{pattern}` matches no variant"));
            }
        }
    }

    /// Says that nothing was selected, and what can be.
    pub(crate) fn complain_of_nothing(&self, plans: &[Plan]) {
        let named: Vec<String> = self.run.iter().map(|pattern| format!("`{pattern}`")).collect();
        let about = if named.is_empty() { String::new() } else { format!(" by --run {}", named.join(", ")) };
        let mut variants = plans.iter().flat_map(|plan| &plan.variants);
        let Some(example) = variants.clone().next().map(|planned| planned.variant.name.as_str()) else {
            complain(&format_args!("nothing is selected{about}: there are no cases for this profile"));
            return;
        };
        let is_named = |name: &str| self.run.is_empty() || self.run.iter().any(|pattern| pattern.matches(name));
        if variants.any(|planned| is_named(&planned.variant.name)) {
            complain(&format_args!(
                "nothing is selected{about}: what is named does not apply to the profile, or --skip and --mqtt leave it \
                 out; see `mqttspec list --verbose`"
            ));
        } else {
            complain(&format_args!(
                "nothing is selected{about}: names look like `{example}`, and a glob must match all of one; see \
                 `mqttspec list`"
            ));
        }
    }
}

/// Cases from paths, or those that come with the program.
pub(crate) fn load(paths: &[PathBuf]) -> Result<Library, Told> {
    let library = if paths.is_empty() { Library::embedded() } else { Library::from_paths(paths) };
    library.map_err(|errors| {
        errors.iter().for_each(|error| complain(error));
        Told
    })
}

/// The built-in profile of this name, or the one in this file.
pub(crate) fn profile(name: &str) -> Result<Profile, Told> {
    if let Some(profile) = Profile::builtin(name) {
        return Ok(profile.clone());
    }
    let path = Path::new(name);
    let is_file = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") || path.exists();
    if !is_file {
        let known = Profile::builtin_names().join(", ");
        complain(&format_args!("there is no profile `{name}`: the built-in ones are {known}; a file ends in .yaml"));
        return Err(Told);
    }
    let text = read_text(path)?;
    Profile::load(name, &text).map_err(|error| {
        complain(&error);
        Told
    })
}

/// A text file of reasonable size.
pub(crate) fn read_text(path: &Path) -> Result<String, Told> {
    harness::text_file::read(path, LARGEST_TEXT).map_err(|error| {
        complain(&format_args!("cannot read {}: {error}", path.display()));
        Told
    })
}
