//! What a simulated world is like.

use super::client::Deed;
use model::packet::{ProtocolVersion, Qos};
use model::profile::Profile;
use model::server::SeededBug;
use std::collections::BTreeMap;

/// Something that happens in a world beside QoS 0, 1 and 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    Offences,
    Retained,
    Wills,
    Shares,
    Identifiers,
    Aliases,
    Expiry,
}

impl Theme {
    pub(crate) const ALL: &'static [Theme] = &[
        Theme::Offences,
        Theme::Retained,
        Theme::Wills,
        Theme::Shares,
        Theme::Identifiers,
        Theme::Aliases,
        Theme::Expiry,
    ];
}

/// What a world is like.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) profile: &'static Profile,
    /// The versions of the clients, in turn.
    pub(crate) versions: &'static [ProtocolVersion],
    pub(crate) clients: usize,
    pub(crate) topics: &'static [&'static str],
    pub(crate) filters: &'static [&'static str],
    pub(crate) qos: &'static [Qos],
    /// Session Expiry Intervals and Receive Maximums (5.0); 0 for none.
    pub(crate) intervals: &'static [u32],
    pub(crate) windows: &'static [u16],
    /// How often Clean Start is 1; 0 for never.
    pub(crate) clean_once_in: usize,
    pub(crate) themes: &'static [Theme],
    /// In how many steps everything comes to rest once, and time passes.
    pub(crate) calm: usize,
    /// How often a client may do something; without an entry as often as it likes.
    pub(crate) limits: BTreeMap<(usize, Deed), usize>,
    /// Packets of a direction that may be on their way at once.
    pub(crate) capacity: usize,
    /// Whether identifiers, codes, payloads and options vary.
    pub(crate) inventive: bool,
    /// A fault of the server, to see that its traces raise an alarm.
    pub(crate) bug: Option<SeededBug>,
}

impl Terms {
    pub(crate) fn has(&self, theme: Theme) -> bool {
        self.themes.contains(&theme)
    }
}
