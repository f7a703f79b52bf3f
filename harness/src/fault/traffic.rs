//! What passed on the connections of a variant: a fault that waits for something else can do nothing there.

use super::proxy_fault::{On, Rule};
use model::packet::PacketType;
use std::collections::BTreeSet;

/// What a proxy saw pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    pub(super) from_server: BTreeSet<PacketType>,
    pub(super) from_client: BTreeSet<PacketType>,
    /// Rules of the format that the client broke.
    pub(super) refused: BTreeSet<&'static str>,
    /// The server ended a connection.
    pub(super) server_closed: bool,
}

impl Traffic {
    /// Whether any of these rules has something to wait for. What an alarm waits for, another rule has asked for.
    pub(super) fn meets(&self, rules: &[Rule]) -> bool {
        rules.iter().any(|rule| match rule.on {
            On::Server(packet_type) => self.from_server.contains(&packet_type),
            On::Client(packet_type) => self.from_client.contains(&packet_type),
            On::AnyFromServer => !self.from_server.is_empty(),
            On::AnyFromClient => !self.from_client.is_empty(),
            On::Refused(names) => names.iter().any(|name| self.refused.contains(name)),
            On::ServerCloses => self.server_closed,
            On::Alarm => false,
        })
    }
}
