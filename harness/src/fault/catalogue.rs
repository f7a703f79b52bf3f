//! All faults under one roof: those of the proxy and the switches of the reference broker.

use super::proxy_fault::{ProxyFault, Side, statements};
use super::theme::THEMES;
use crate::case::suggestion;
use model::packet::ProtocolVersion;
use model::statement::Statement;
use reference_broker::Switch;

/// A named misbehaviour of a peer.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// A proxy makes it, in front of any peer.
    Proxy(&'static ProxyFault),
    /// The embedded reference broker has it.
    Switch(Switch),
}

/// Faults about one thing.
#[derive(Debug)]
pub struct Theme {
    /// What they are about: a word or two.
    pub name: &'static str,
    pub(super) faults: &'static [ProxyFault],
}

/// The theme of the switches.
const SWITCHES: &str = "reference broker";

impl Fault {
    /// All faults with their themes, in the order of the catalogue.
    pub fn all() -> impl Iterator<Item = (&'static str, Fault)> {
        let proxy = THEMES.iter().flat_map(|theme| theme.faults.iter().map(|fault| (theme.name, Fault::Proxy(fault))));
        proxy.chain(Switch::ALL.iter().map(|switch| (SWITCHES, Fault::Switch(*switch))))
    }

    /// The fault of this name.
    ///
    /// # Errors
    /// When there is none: what was probably meant.
    pub fn named(name: &str) -> Result<Fault, String> {
        Fault::all().map(|(_, fault)| fault).find(|fault| fault.name() == name).ok_or_else(|| {
            let near = suggestion(name, Fault::all().map(|(_, fault)| fault.name()));
            format!("there is no fault `{name}`{near}; `mqttspec faults` lists them")
        })
    }

    /// Its name in words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Fault::Proxy(fault) => fault.name,
            Fault::Switch(switch) => switch.name(),
        }
    }

    /// What happens, in a sentence.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Fault::Proxy(fault) => fault.about,
            Fault::Switch(switch) => switch.about(),
        }
    }

    /// Whose misbehaviour it looks like.
    #[must_use]
    pub fn side(self) -> Side {
        match self {
            Fault::Proxy(fault) => fault.side,
            Fault::Switch(_) => Side::Server,
        }
    }

    /// The statements that it breaks, as cases cite them.
    #[must_use]
    pub fn breaks(self) -> &'static [&'static str] {
        match self {
            Fault::Proxy(fault) => fault.breaks,
            Fault::Switch(switch) => switch.statements(),
        }
    }

    /// The statements of this version that it breaks.
    #[must_use]
    pub fn statements(self, version: ProtocolVersion) -> Vec<&'static Statement> {
        statements(self.breaks(), version)
    }
}
