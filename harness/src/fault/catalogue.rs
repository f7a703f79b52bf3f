//! All faults under one roof: those of the proxy and the switches of the reference broker.

use super::proxy_fault::{ProxyFault, Side};
use super::theme::THEMES;
use crate::case::{Cite, suggestion};
use model::packet::ProtocolVersion;
use model::profile::Profile;
use model::statement::Statement;
use reference_broker::Switch;
use std::collections::BTreeMap;
use std::sync::LazyLock;

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
    pub fn statements(self, version: ProtocolVersion) -> &'static [&'static Statement] {
        BROKEN.get(&(self.name(), version)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether it can break anything in this version under this profile: a statement that these do not have cannot be
    /// broken there.
    #[must_use]
    pub fn concerns(self, version: ProtocolVersion, profile: &Profile) -> bool {
        let is_of_standard = |id: &str| id.starts_with("MQTT-") || id.starts_with("V31-");
        let holds = |id: &str| is_of_standard(id) || profile.is_held_to(id, version);
        self.statements(version).iter().any(|statement| holds(statement.id.as_str()))
    }
}

/// The statements that each fault breaks in each version.
static BROKEN: LazyLock<BTreeMap<(&str, ProtocolVersion), Vec<&Statement>>> = LazyLock::new(|| {
    let mut broken = BTreeMap::new();
    for (_, fault) in Fault::all() {
        for version in ProtocolVersion::ALL {
            // A test sees to it that all of them can be read.
            let cites = fault.breaks().iter().filter_map(|text| Cite::read(text, &[]).ok());
            broken.insert((fault.name(), version), cites.filter_map(|cite| cite.statement(version)).collect());
        }
    }
    broken
});

#[cfg(test)]
mod tests {
    use super::*;
    use model::statement::catalogue;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_words_and_unique() {
        let mut names = BTreeSet::new();
        for (_, fault) in Fault::all() {
            let name = fault.name();
            assert!(names.insert(name), "{name} is there twice");
            let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            assert!(name.bytes().all(is_word), "{name}");
            assert!(fault.about().ends_with('.'), "{name}: {}", fault.about());
        }
    }

    #[test]
    fn statements_exist_and_bind_the_server() {
        let mut errors = Vec::new();
        for (_, fault) in Fault::all() {
            assert!(!fault.breaks().is_empty(), "{}", fault.name());
            for text in fault.breaks() {
                let id = text.split_once(':').map_or(*text, |(_, id)| id);
                let versions = match text.split_once(':') {
                    Some((version, _)) => vec![version.parse().expect("a version")],
                    None => catalogue().versions_of(id),
                };
                let error = Cite::read(text, &versions).err();
                errors.extend(error.map(|error| format!("{}: {error}", fault.name())));
            }
        }
        assert!(errors.is_empty(), "{errors:#?}");
    }

    #[test]
    fn a_slip_of_the_pen_is_recognised() {
        let error = Fault::named("puback-twise").expect_err("there is no such fault");
        assert_eq!(
            error,
            "there is no fault `puback-twise`, did you mean `puback-twice`?; `mqttspec faults` lists them"
        );
    }

    #[test]
    fn a_fault_acts_where_what_it_breaks_holds() {
        let concerns = |name: &str, version, profile: &str| {
            let profile = Profile::builtin(profile).expect("it is built in");
            Fault::named(name).expect("there is such a fault").concerns(version, profile)
        };
        assert!(concerns("qos-2-taken", ProtocolVersion::V5_0, "platform"));
        assert!(!concerns("qos-2-taken", ProtocolVersion::V5_0, "standard"));
        assert!(concerns("session-present-in-3-1", ProtocolVersion::V3_1, "standard"));
        assert!(!concerns("session-present-in-3-1", ProtocolVersion::V3_1_1, "standard"));
        assert!(concerns("connack-twice", ProtocolVersion::V5_0, "standard"));
        assert!(!concerns("connack-twice", ProtocolVersion::V3_1_1, "standard"));
    }
}
