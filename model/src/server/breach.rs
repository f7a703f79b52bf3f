//! A breach of a rule: what was permitted instead, and which statements are broken.

use super::at_stake::at_stake;
use super::rule::Rule;
use crate::packet::{PacketType, ProtocolVersion};
use crate::profile::{Offence, Profile};
use crate::statement::catalogue;

/// Why an output cannot come now: the rule, and what it permits instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The rule that is broken.
    pub rule: Rule,
    /// What was permitted or owed instead.
    pub expected: String,
    occasion: Occasion,
}

/// What was permitted or owed, and to what it was the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    text: String,
    occasion: Occasion,
}

/// What a breach is about, where that says more than its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occasion {
    /// Nothing more.
    Rule,
    /// What the client did.
    Offence(Offence),
    /// Of all that the rule says of several packets, this one.
    Packet(PacketType),
}

impl Expected {
    /// What should have followed upon an offence.
    pub(crate) fn upon(offence: Offence, text: String) -> Expected {
        Expected { text, occasion: Occasion::Offence(offence) }
    }
}

impl From<String> for Expected {
    fn from(text: String) -> Expected {
        Expected { text, occasion: Occasion::Rule }
    }
}

impl From<&str> for Expected {
    fn from(text: &str) -> Expected {
        text.to_owned().into()
    }
}

impl Breach {
    /// A breach of `rule`.
    pub(crate) fn of(rule: Rule, expected: impl Into<Expected>) -> Breach {
        let Expected { text, occasion } = expected.into();
        Breach { rule, expected: text, occasion }
    }

    /// The same breach, seen in a packet of this type.
    pub(crate) fn seen_in(self, packet: PacketType) -> Breach {
        Breach { occasion: Occasion::Packet(packet), ..self }
    }

    /// The statements of `version` that are broken, the nearest first, and the rows that the dialect is held to.
    #[must_use]
    pub fn statements(&self, profile: &Profile, version: ProtocolVersion) -> Vec<&'static str> {
        let of_rule = self.rule.cites(profile, version).into_iter();
        match self.occasion {
            Occasion::Rule => of_rule.collect(),
            Occasion::Offence(offence) => {
                let own = at_stake(offence).of(version).iter().copied();
                let own = own.filter(|id| binds_server(version, id));
                own.chain(offence.rows_in(profile, version)).chain(of_rule).collect()
            }
            // Section 3.n of the standards is about the packet type with code n.
            Occasion::Packet(packet) => {
                let section = format!("MQTT-3.{}.", packet.code());
                of_rule.filter(|id| id.starts_with(&section)).collect()
            }
        }
    }
}

/// Whether a server can break this statement: a client's own duty may be at stake beside it.
pub(crate) fn binds_server(version: ProtocolVersion, id: &str) -> bool {
    catalogue().find(version, id).is_some_and(|statement| statement.role.includes_server())
}
