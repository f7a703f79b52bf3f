//! What walks can leave alone. Where a broker is known to be wrong, nearly every walk meets that, and what else may be wrong
//! stands behind it.

use super::wording::Wording;
use std::fmt;

/// Something that walks leave alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Avoided {
    /// Filters of which several match one topic.
    OverlappingFilters,
    /// Shared Subscriptions.
    SharedSubscriptions,
    /// No Local.
    NoLocal,
    /// Retain As Published.
    RetainAsPublished,
    /// A Keep Alive that may be over within a walk.
    ShortKeepAlive,
    /// Message Expiry Interval.
    MessageExpiry,
    /// A Receive Maximum of a client.
    ReceiveMaximum,
    /// A PUBLISH or PUBREL that is sent again.
    Retransmissions,
    /// A second CONNECT on a connection.
    SecondConnect,
    /// Bytes that are no packet.
    MalformedPackets,
    /// A Response Topic that is a filter.
    WildcardResponseTopics,
}

impl Avoided {
    /// All of them.
    pub const ALL: [Avoided; 11] = [
        Avoided::OverlappingFilters,
        Avoided::SharedSubscriptions,
        Avoided::NoLocal,
        Avoided::RetainAsPublished,
        Avoided::ShortKeepAlive,
        Avoided::MessageExpiry,
        Avoided::ReceiveMaximum,
        Avoided::Retransmissions,
        Avoided::SecondConnect,
        Avoided::MalformedPackets,
        Avoided::WildcardResponseTopics,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Avoided::OverlappingFilters => "overlapping-filters",
            Avoided::SharedSubscriptions => "shared-subscriptions",
            Avoided::NoLocal => "no-local",
            Avoided::RetainAsPublished => "retain-as-published",
            Avoided::ShortKeepAlive => "short-keep-alive",
            Avoided::MessageExpiry => "message-expiry",
            Avoided::ReceiveMaximum => "receive-maximum",
            Avoided::Retransmissions => "retransmissions",
            Avoided::SecondConnect => "second-connect",
            Avoided::MalformedPackets => "malformed-packets",
            Avoided::WildcardResponseTopics => "wildcard-response-topics",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Avoided> {
        Avoided::ALL.into_iter().find(|avoided| avoided.name() == name)
    }
}

impl fmt::Display for Avoided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Wording {
    /// Whether walks leave this alone.
    pub(super) fn avoids(&self, avoided: Avoided) -> bool {
        self.avoided.contains(&avoided)
    }
}

#[cfg(test)]
mod tests {
    use super::Avoided;
    use crate::fuzz::command::{Command, Deed, Extras};
    use crate::fuzz::{Ground, Terrain};
    use crate::target::Peer;
    use model::profile::Profile;
    use std::collections::BTreeSet;

    /// Whether a command does what is to be avoided. What overlaps shows in filters that match two topics.
    fn does(command: &Command, avoided: Avoided) -> bool {
        let Command::Does(_, deed) = command else { return false };
        match (avoided, deed) {
            (Avoided::OverlappingFilters, Deed::Subscribe { requests, .. }) => {
                requests.iter().any(|request| ["#", "$t/#", "$t/a/#", "$t/+"].contains(&request.filter))
            }
            (Avoided::SharedSubscriptions, Deed::Subscribe { requests, .. }) => {
                requests.iter().any(|request| request.filter.starts_with("$$share"))
            }
            (Avoided::NoLocal, Deed::Subscribe { requests, .. }) => {
                requests.iter().any(|request| request.options.no_local)
            }
            (Avoided::RetainAsPublished, Deed::Subscribe { requests, .. }) => {
                requests.iter().any(|request| request.options.retain_as_published)
            }
            (Avoided::ShortKeepAlive, Deed::Connect { terms, .. }) => (1..60).contains(&terms.keep_alive),
            (Avoided::MessageExpiry, Deed::Publish { content, .. }) => content.expiry.is_some(),
            (Avoided::ReceiveMaximum, Deed::Connect { terms, .. }) => terms.receive_maximum.is_some(),
            (Avoided::Retransmissions, Deed::Resend(_))
            | (Avoided::SecondConnect, Deed::SecondConnect(_))
            | (Avoided::MalformedPackets, Deed::Malformed(_)) => true,
            (Avoided::WildcardResponseTopics, Deed::Publish { content, .. }) => {
                content.extras == Extras::WildcardResponseTopic
            }
            _ => false,
        }
    }

    #[test]
    fn walks_do_everything_but_what_they_avoid() {
        let profile = Profile::builtin("standard").unwrap();
        let walk = |seed, avoided: BTreeSet<Avoided>| {
            let terrain = Terrain { avoided, ..Terrain::of(profile, Ground::Embedded) };
            terrain.explore(Peer::embedded(profile), seed, "m").unwrap().applied()
        };
        for avoided in Avoided::ALL {
            let shows = |avoided_there: BTreeSet<Avoided>| {
                (0..20).any(|seed| walk(seed, avoided_there.clone()).iter().any(|command| does(command, avoided)))
            };
            assert!(shows(BTreeSet::new()), "{avoided} never occurs");
            assert!(!shows(BTreeSet::from([avoided])), "{avoided} occurs");
            assert_eq!(Avoided::named(avoided.name()), Some(avoided));
        }
    }
}
