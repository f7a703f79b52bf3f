//! Benign transforms: what a proxy does with the freedoms that a peer and a network have. No verdict may change.

use super::interference::Style;
use super::proxy_fault::Rule;
use crate::case::suggestion;
use std::fmt;

/// A change of the traffic that breaks nothing.
pub struct Transform {
    /// Its name in words: `each-byte-alone`.
    pub name: &'static str,
    /// What happens, in a sentence.
    pub about: &'static str,
    pub(super) style: Style,
    pub(super) rules: &'static [Rule],
}

/// All transforms.
pub static TRANSFORMS: &[Transform] = &[
    Transform {
        name: "each-byte-alone",
        about: "Every byte arrives by itself, in both directions.",
        style: Style::EachByte,
        rules: &[],
    },
    Transform {
        name: "coalesced",
        about: "Packets wait for each other and arrive together, in both directions.",
        style: Style::Coalesced,
        rules: &[],
    },
    Transform { name: "late", about: "Every packet arrives a moment late.", style: Style::Late, rules: &[] },
];

impl Transform {
    /// The transform of this name.
    ///
    /// # Errors
    /// When there is none: what was probably meant.
    pub fn named(name: &str) -> Result<&'static Transform, String> {
        TRANSFORMS.iter().find(|transform| transform.name == name).ok_or_else(|| {
            let near = suggestion(name, TRANSFORMS.iter().map(|transform| transform.name));
            format!("there is no transform `{name}`{near}; `mqttspec faults` lists them")
        })
    }
}

impl fmt::Debug for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transform({})", self.name)
    }
}
