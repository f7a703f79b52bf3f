//! What passed on the connections of a variant: a fault that waits for something else can do nothing there.

use super::proxy_fault::{On, Rule};
use model::packet::{Packet, PacketType, Qos};
use reference_broker::{Occasion, Switch};
use std::collections::BTreeSet;

/// What a proxy saw pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    pub(super) from_server: BTreeSet<PacketType>,
    pub(super) from_client: BTreeSet<PacketType>,
    /// Rules of the format that the client broke.
    pub(super) refused: BTreeSet<&'static str>,
    /// A client ended a connection.
    pub(super) client_ended: bool,
    /// The server ended a connection.
    pub(super) server_closed: bool,
    /// What else came up.
    pub(super) occasions: BTreeSet<Occasion>,
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
            On::ClientEnds => self.client_ended,
            On::ServerCloses => self.server_closed,
            On::Alarm => false,
        })
    }

    /// Whether a switch of the reference broker can show.
    pub(super) fn shows(&self, switch: Switch) -> bool {
        switch.occasions().iter().all(|occasion| match occasion {
            Occasion::Close => self.server_closed,
            // What the cloud does passes no proxy.
            Occasion::Cloud => true,
            seen => self.occasions.contains(seen),
        })
    }

    /// Takes note of what a packet of the client brings up.
    pub(super) fn note(&mut self, packet: &Packet, came_back: bool) {
        self.from_client.insert(packet.packet_type());
        let mut note = |occasion, comes_up: bool| {
            if comes_up {
                self.occasions.insert(occasion);
            }
        };
        match packet {
            Packet::Connect(connect) => {
                note(Occasion::Return, came_back);
                note(Occasion::Login, connect.user_name.as_deref().is_some_and(|name| name.contains('&')));
                note(Occasion::Registration, connect.client_id.contains("authType="));
                note(Occasion::Will, connect.will.is_some());
            }
            Packet::Publish(publish) => {
                note(Occasion::Publish, true);
                note(Occasion::Topic, true);
                note(Occasion::Retain, publish.retain);
                note(Occasion::Qos2, publish.qos() == Qos::ExactlyOnce);
                note(Occasion::Alias, publish.properties.topic_alias.is_some());
                note(Occasion::MessageExpiry, publish.properties.message_expiry_interval.is_some());
            }
            Packet::Subscribe(subscribe) => {
                note(Occasion::Subscribe, true);
                note(Occasion::Topic, true);
                note(Occasion::Shared, subscribe.requests.iter().any(|request| request.filter.starts_with("$share/")));
            }
            Packet::Unsubscribe(_) => note(Occasion::Unsubscribe, true),
            _ => {}
        }
    }
}
