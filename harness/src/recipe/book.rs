//! All recipes, from the program itself or from a folder.

use super::data::Recipe;
use crate::run::KnownFailing;
use crate::text_file;
use include_dir::{Dir, include_dir};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

static BROKERS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/brokers");

/// A recipe or a list of more bytes is none.
const LARGEST_TEXT: u64 = 1 << 20;

/// All recipes, in the order of their names.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// The recipes.
    pub recipes: Vec<Recipe>,
}

/// Why a recipe cannot be used. It prints as `file: message`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {message}")]
pub struct BookError {
    /// The file as it was named.
    pub file: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Book {
    /// The recipes that come with the program. Their files are named `harness/brokers/...`.
    ///
    /// # Errors
    /// Never in a program that has passed its tests, which load them.
    pub fn embedded() -> Result<Book, Vec<BookError>> {
        let files = BROKERS.files().filter_map(|file| {
            let name = file.path().to_str()?.to_owned();
            Some((name, String::from_utf8_lossy(file.contents()).into_owned()))
        });
        Book::bind("harness/brokers", &files.collect())
    }

    /// The recipes of a folder: `NAME.yaml`, with `NAME.known-failing` beside it.
    ///
    /// # Errors
    /// When the folder cannot be read, on each file that is wrong, and when there is no recipe.
    pub fn from_folder(folder: &Path) -> Result<Book, Vec<BookError>> {
        let shown = folder.display().to_string();
        let unreadable = |error: std::io::Error| {
            vec![BookError { file: shown.clone(), message: format!("it cannot be read: {error}") }]
        };
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let is_ours = |extension| extension == "yaml" || extension == "known-failing";
            if path.extension().is_some_and(is_ours)
                && let Some(name) = path.file_name().and_then(|name| name.to_str())
            {
                files.insert(name.to_owned(), text_file::read(&path, LARGEST_TEXT).map_err(unreadable)?);
            }
        }
        let book = Book::bind(&shown, &files)?;
        if book.recipes.is_empty() {
            return Err(vec![BookError {
                file: shown,
                message: "there is no recipe (NAME.yaml) in this folder".to_owned(),
            }]);
        }
        Ok(book)
    }

    fn bind(folder: &str, files: &BTreeMap<String, String>) -> Result<Book, Vec<BookError>> {
        let mut book = Book::default();
        let mut errors = Vec::new();
        for (file, text) in files {
            let Some(name) = file.strip_suffix(".yaml") else { continue };
            match recipe(folder, name, text, files.get(&format!("{name}.known-failing"))) {
                Ok(recipe) => book.recipes.push(recipe),
                Err(more) => errors.extend(more),
            }
        }
        if errors.is_empty() { Ok(book) } else { Err(errors) }
    }

    /// The recipe of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Recipe> {
        self.recipes.iter().find(|recipe| recipe.name == name)
    }
}

fn recipe(folder: &str, name: &str, text: &str, list: Option<&String>) -> Result<Recipe, Vec<BookError>> {
    let known_failing = match list {
        None => KnownFailing::default(),
        Some(list) => KnownFailing::parse(&format!("{folder}/{name}.known-failing"), list).map_err(|errors| {
            let told = |error: crate::run::ListError| BookError {
                file: format!("{}:{}", error.file, error.line),
                message: error.message,
            };
            errors.into_iter().map(told).collect::<Vec<_>>()
        })?,
    };
    Recipe::parse(&format!("{folder}/{name}.yaml"), name, text, known_failing).map_err(|error| vec![error])
}

#[cfg(test)]
mod tests {
    use super::Book;
    use crate::report::split_link;
    use crate::run::Known;

    #[test]
    fn the_recipes_that_come_with_it_can_be_used() {
        let book = Book::embedded().expect("all are in order");
        assert!(book.find("mosquitto").is_some());
        for recipe in &book.recipes {
            let name = &recipe.name;
            let texts = || recipe.files.values().chain(recipe.parts.iter().flat_map(|part| part.files.values()));
            assert!(texts().chain([&recipe.start]).any(|text| text.contains("{port}")), "{name} takes a port");
            assert!(!texts().any(|text| text.contains("0.0.0.0")), "{name} is not for the world");
            assert!(recipe.about.ends_with('.'), "{name} is told about in a sentence");
        }
    }

    #[test]
    fn what_the_lists_excuse_the_page_shows() {
        let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/brokers.md"));
        for recipe in Book::embedded().expect("all are in order").recipes {
            for entry in recipe.known_failing.entries().iter().filter(|entry| entry.known == Known::Fails) {
                let heading = |line: &str| {
                    let rest = line.strip_prefix(&format!("### {}.", recipe.name))?;
                    rest.split_once(' ').map(|(_, reason)| reason.to_owned())
                };
                let is_shown = page.lines().filter_map(heading).any(|reason| reason == split_link(&entry.reason).0);
                let (file, line) = (&entry.file, entry.line);
                assert!(
                    is_shown,
                    "{file}:{line} is not in docs/brokers.md: `mqttspec brokers --document` writes it anew"
                );
            }
        }
    }
}
