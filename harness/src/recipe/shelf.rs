//! The cache folder in which brokers are installed.

use super::data::{Part, Recipe};
use super::script;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// A folder with one folder for each broker.
#[derive(Debug, Clone)]
pub struct Shelf {
    folder: PathBuf,
}

/// Why a broker is not there.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// There is nowhere to put it.
    #[error("there is no HOME and no XDG_CACHE_HOME: name a folder with --cache")]
    NoHome,
    /// Packages of the system are missing, and nobody said that they may be installed.
    #[error(
        "{name} needs packages of the system: run `apt-get install --no-install-recommends {}`, or give --system and let \
         mqttspec do it (both for the whole machine, as root)",
        packages.join(" ")
    )]
    PackagesMissing {
        /// The broker.
        name: String,
        /// The packages.
        packages: Vec<String>,
    },
    /// A command failed. What it said stands before on stderr.
    #[error("cannot install {name}: `{command}` ended with {status}")]
    Failed {
        /// The broker.
        name: String,
        /// The command.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// Something in the folder cannot be written or run.
    #[error("{}: {error}", path.display())]
    Unusable {
        /// What.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl Shelf {
    /// The user's cache folder.
    ///
    /// # Errors
    /// When the user has none.
    pub fn of_user() -> Result<Shelf, ShelfError> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
        Ok(Shelf { folder: cache.ok_or(ShelfError::NoHome)?.join("mqttspec") })
    }

    /// This folder.
    ///
    /// # Errors
    /// When it has no whole path.
    pub fn at(folder: &Path) -> Result<Shelf, ShelfError> {
        let folder = std::path::absolute(folder).map_err(unusable(folder))?;
        Ok(Shelf { folder })
    }

    /// The folder of a broker in this version.
    #[must_use]
    pub fn folder(&self, recipe: &Recipe) -> PathBuf {
        self.folder.join("brokers").join(format!("{}-{}", recipe.name, recipe.version))
    }

    /// Where the report of its last run is kept.
    #[must_use]
    pub fn report(&self, recipe: &Recipe) -> PathBuf {
        self.folder.join("reports").join(format!("{}.json", recipe.name))
    }

    /// The packages of the system that are missing.
    #[must_use]
    pub fn missing(&self, recipe: &Recipe) -> Vec<String> {
        let mut packages: Vec<String> =
            recipe.needs.iter().filter(|(program, _)| !is_there(program)).map(|(_, package)| package.clone()).collect();
        packages.sort();
        packages.dedup();
        packages
    }

    /// Whether nothing is left to install.
    #[must_use]
    pub fn has(&self, recipe: &Recipe) -> bool {
        let is_whole = match script::install(recipe, &self.folder(recipe)) {
            Some(script) => fs::read_to_string(self.done(recipe)).is_ok_and(|done| done == script),
            None => true,
        };
        is_whole && self.missing(recipe).is_empty()
    }

    /// The script that installs it, if packages of the system are not all.
    #[must_use]
    pub fn install_script(&self, recipe: &Recipe) -> Option<String> {
        script::install(recipe, &self.folder(recipe))
    }

    /// The script that starts it.
    #[must_use]
    pub fn start_script(&self, recipe: &Recipe, part: &Part) -> String {
        script::start(recipe, part, &self.folder(recipe))
    }

    /// Makes sure that a broker is there. What its installers print goes to stderr; packages of the system are installed
    /// only if `system` says so.
    ///
    /// # Errors
    /// When it cannot be installed.
    pub fn install(&self, recipe: &Recipe, system: bool) -> Result<(), ShelfError> {
        let packages = self.missing(recipe);
        if !packages.is_empty() {
            if !system {
                return Err(ShelfError::PackagesMissing { name: recipe.name.clone(), packages });
            }
            apt_get(recipe, &["update", "-q"])?;
            let words = ["install", "-q", "-y", "--no-install-recommends"].into_iter();
            apt_get(recipe, &words.chain(packages.iter().map(String::as_str)).collect::<Vec<_>>())?;
        }
        if self.has(recipe) {
            return Ok(());
        }
        let Some(text) = self.install_script(recipe) else { return Ok(()) };
        let folder = self.folder(recipe);
        let path = write(&folder, "install", &text)?;
        run(recipe, Command::new("sh").arg(&path))?;
        // Written last: what was interrupted is done again.
        fs::copy(&path, self.done(recipe)).map(|_| ()).map_err(unusable(&folder))
    }

    /// Writes the script that starts it, and its profile, if it has one of its own; returns both.
    ///
    /// # Errors
    /// When its folder cannot be written.
    pub fn lay_out(&self, recipe: &Recipe, part: &Part) -> Result<(PathBuf, Option<PathBuf>), ShelfError> {
        let folder = self.folder(recipe);
        let name = if part.name.is_empty() { "start".to_owned() } else { format!("start-{}", part.name) };
        let start = write(&folder, &name, &self.start_script(recipe, part))?;
        let profile = recipe.profile_text.as_ref().map(|text| write(&folder, "profile.yaml", text)).transpose()?;
        Ok((start, profile))
    }

    /// The copy of the script that was carried out.
    fn done(&self, recipe: &Recipe) -> PathBuf {
        self.folder(recipe).join("installed-by")
    }
}

/// Whether there is such a file, or such a program in the PATH or where Debian keeps servers.
fn is_there(program: &str) -> bool {
    if program.starts_with('/') {
        return Path::new(program).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let servers = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(servers).any(|folder| folder.join(program).is_file())
}

fn apt_get(recipe: &Recipe, words: &[&str]) -> Result<(), ShelfError> {
    let mut command = Command::new("apt-get");
    // At this run level Debian starts no server that it installs: it would take a port of the whole machine.
    run(recipe, command.args(words).env("RUNLEVEL", "1").env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Runs a command; what it prints goes to stderr.
fn run(recipe: &Recipe, command: &mut Command) -> Result<(), ShelfError> {
    let shown = {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    };
    let program = PathBuf::from(command.get_program());
    let status = command.stdin(Stdio::null()).stdout(io::stderr()).status().map_err(unusable(&program))?;
    if status.success() {
        Ok(())
    } else {
        Err(ShelfError::Failed { name: recipe.name.clone(), command: shown, status })
    }
}

fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf, ShelfError> {
    let path = folder.join(name);
    fs::create_dir_all(folder).and_then(|()| fs::write(&path, text)).map_err(unusable(&path))?;
    Ok(path)
}

fn unusable(path: &Path) -> impl FnOnce(io::Error) -> ShelfError {
    let path = path.to_owned();
    |error| ShelfError::Unusable { path, error }
}
