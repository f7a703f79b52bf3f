//! What walks can leave alone, and what they have done otherwise. Where a broker is known to be wrong, nearly every walk
//! meets that, and what else may be wrong stands behind it.

use super::command::{Client, Command, Deed, Extras, Request};
use super::wording::{Wording, overlaps};
use std::collections::BTreeMap;
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
    /// A Maximum Packet Size of a client.
    MaximumPacketSize,
    /// A PUBLISH or PUBREL that is sent again.
    Retransmissions,
    /// A second CONNECT on a connection.
    SecondConnect,
    /// Bytes that are no packet.
    MalformedPackets,
    /// A Response Topic that is a filter.
    WildcardResponseTopics,
    /// A takeover of a connection that has a Will.
    TakenOverWills,
}

impl Avoided {
    /// All of them.
    pub const ALL: [Avoided; 13] = [
        Avoided::OverlappingFilters,
        Avoided::SharedSubscriptions,
        Avoided::NoLocal,
        Avoided::RetainAsPublished,
        Avoided::ShortKeepAlive,
        Avoided::MessageExpiry,
        Avoided::ReceiveMaximum,
        Avoided::MaximumPacketSize,
        Avoided::Retransmissions,
        Avoided::SecondConnect,
        Avoided::MalformedPackets,
        Avoided::WildcardResponseTopics,
        Avoided::TakenOverWills,
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
            Avoided::MaximumPacketSize => "maximum-packet-size",
            Avoided::Retransmissions => "retransmissions",
            Avoided::SecondConnect => "second-connect",
            Avoided::MalformedPackets => "malformed-packets",
            Avoided::WildcardResponseTopics => "wildcard-response-topics",
            Avoided::TakenOverWills => "taken-over-wills",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Avoided> {
        Avoided::ALL.into_iter().find(|avoided| avoided.name() == name)
    }

    /// Those that occur in these commands.
    #[must_use]
    pub fn all_in(commands: &[Command]) -> Vec<Avoided> {
        Avoided::ALL.into_iter().filter(|avoided| avoided.is_in(commands)).collect()
    }

    /// Whether it occurs in these commands.
    pub(super) fn is_in(self, commands: &[Command]) -> bool {
        match self {
            Avoided::TakenOverWills => takes_will_over(commands),
            _ => commands.iter().any(|command| self.is_done_by(command)),
        }
    }

    /// Whether a command does this by itself.
    fn is_done_by(self, command: &Command) -> bool {
        let Command::Does(_, deed) = command else { return false };
        match (deed, self) {
            (Deed::Subscribe { requests, .. }, _) => requests.iter().any(|request| self.is_asked_by(request)),
            (Deed::Connect { terms, .. } | Deed::SecondConnect(terms), Avoided::ShortKeepAlive) => {
                (1..60).contains(&terms.keep_alive)
            }
            (Deed::Connect { terms, .. } | Deed::SecondConnect(terms), Avoided::ReceiveMaximum) => {
                terms.receive_maximum.is_some()
            }
            (Deed::Connect { terms, .. } | Deed::SecondConnect(terms), Avoided::MaximumPacketSize) => {
                terms.maximum_packet_size.is_some()
            }
            (Deed::Publish { content, .. }, Avoided::MessageExpiry) => content.expiry.is_some(),
            (Deed::Publish { content, .. }, Avoided::WildcardResponseTopics) => {
                content.extras == Extras::WildcardResponseTopic
            }
            (Deed::Resend(_), Avoided::Retransmissions)
            | (Deed::SecondConnect(_), Avoided::SecondConnect)
            | (Deed::Malformed(_), Avoided::MalformedPackets) => true,
            _ => false,
        }
    }

    /// Whether a subscription asks for this.
    fn is_asked_by(self, request: &Request) -> bool {
        match self {
            Avoided::OverlappingFilters => overlaps(request.filter),
            Avoided::SharedSubscriptions => request.filter.starts_with("$$share"),
            Avoided::NoLocal => request.options.no_local,
            Avoided::RetainAsPublished => request.options.retain_as_published,
            _ => false,
        }
    }
}

/// Whether a client connects as another one that has a Will, and has not left since.
fn takes_will_over(commands: &[Command]) -> bool {
    let mut willed: BTreeMap<Client, &str> = BTreeMap::new();
    for command in commands {
        let Command::Does(client, deed) = command else { continue };
        match deed {
            Deed::Connect { terms, .. } => {
                if willed.iter().any(|(other, id)| other != client && *id == terms.client_id) {
                    return true;
                }
                willed.remove(client);
                if terms.will.is_some() {
                    willed.insert(*client, terms.client_id);
                }
            }
            Deed::Cut | Deed::CutWithin(_) | Deed::Disconnect { .. } => drop(willed.remove(client)),
            _ => {}
        }
    }
    false
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
    use crate::fuzz::{Ground, Terrain};
    use crate::target::Peer;
    use model::profile::Profile;
    use std::collections::BTreeSet;

    #[test]
    fn walks_do_everything_but_what_they_avoid() {
        let profile = Profile::builtin("standard").unwrap();
        let walk = |seed, avoided: BTreeSet<Avoided>| {
            let terrain = Terrain { avoided, ..Terrain::of(profile, Ground::Embedded) };
            terrain.explore(Peer::embedded(profile), seed, "m").unwrap().applied()
        };
        for avoided in Avoided::ALL {
            let shows = |avoided_there: BTreeSet<Avoided>| {
                (0..20).any(|seed| avoided.is_in(&walk(seed, avoided_there.clone())))
            };
            assert!(shows(BTreeSet::new()), "{avoided} never occurs");
            assert!(!shows(BTreeSet::from([avoided])), "{avoided} occurs");
            assert_eq!(Avoided::named(avoided.name()), Some(avoided));
        }
    }
}
