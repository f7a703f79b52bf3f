//! What stands between the harness and its peer, if anything does.

use super::catalogue::Fault;
use super::proxy_fault::Rule;
use super::transform::Transform;
use model::packet::ProtocolVersion;
use model::profile::Profile;

/// What stands between the harness and its peer.
#[derive(Debug, Clone, Copy, Default)]
pub enum Interference {
    /// Nothing: the harness talks to its peer itself.
    #[default]
    None,
    /// A fault: the peer seems to misbehave, or does.
    Fault(Fault),
    /// A transform: the peer seems to use a freedom that it has.
    Transform(&'static Transform),
    /// A proxy that only looks on.
    Onlooker,
}

/// How bytes are put on their way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Style {
    /// A packet at a time, as it comes.
    #[default]
    AsItComes,
    /// Every byte by itself.
    EachByte,
    /// Nothing for a moment, then all of it at once.
    Coalesced,
    /// Each packet a moment late.
    Late,
}

impl Interference {
    /// Whether something may be under way between harness and peer although nothing is left to do in virtual time.
    pub(crate) fn delays(self) -> bool {
        matches!(self, Interference::Transform(transform) if transform.delays())
    }

    /// What a proxy has to do on connections of this version under this profile; none if there is no need of a proxy.
    pub(super) fn orders(self, version: ProtocolVersion, profile: &Profile) -> Option<(&'static [Rule], Style)> {
        match self {
            Interference::None | Interference::Fault(Fault::Switch(_)) => None,
            Interference::Fault(it @ Fault::Proxy(fault)) if it.concerns(version, profile) => {
                Some((fault.rules, Style::AsItComes))
            }
            Interference::Transform(transform) => Some((transform.rules, transform.style)),
            Interference::Fault(Fault::Proxy(_)) | Interference::Onlooker => Some((&[], Style::AsItComes)),
        }
    }
}
