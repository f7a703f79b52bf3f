//! The profiles that come with the crate.

use super::Profile;
use std::sync::LazyLock;

const SOURCES: [(&str, &str); 3] = [
    ("standard", include_str!("standard.yaml")),
    ("platform", include_str!("platform.yaml")),
    ("platform-2026", include_str!("platform-2026.yaml")),
];

static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    SOURCES
        .iter()
        .map(|(name, text)| {
            // The files are part of the crate, and a test loads each of them.
            Profile::load(&format!("{name}.yaml"), text).expect("a built-in profile loads")
        })
        .collect()
});

impl Profile {
    /// The built-in profile of this name.
    #[must_use]
    pub fn builtin(name: &str) -> Option<&'static Profile> {
        let index = SOURCES.iter().position(|(known, _)| *known == name)?;
        PROFILES.get(index)
    }

    /// The names of the built-in profiles.
    #[must_use]
    pub fn builtin_names() -> [&'static str; 3] {
        SOURCES.map(|(name, _)| name)
    }

    /// The YAML text of a built-in profile: what `extends` builds upon.
    pub(super) fn builtin_source(name: &str) -> Option<&'static str> {
        SOURCES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }
}
