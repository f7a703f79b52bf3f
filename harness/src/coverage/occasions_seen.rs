//! Which occasions a trace shows.

use super::occasion::Occasion;
use crate::concealing::{ConcealedTrace, Secrets};
use crate::report::{Line, Told, exchange};
use crate::trace::Trace;
use model::packet::{
    Acknowledgement, Connack, Connect, Packet, PacketId, ProtocolVersion, Publish, PublishProperties, Qos, Will,
};
use model::statement::{StatementId, catalogue};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What a trace shows. It counts only if the judge has found nothing wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    occasions: BTreeSet<Occasion>,
    /// What the bytes broke that a client sent on purpose, and that made the server end the connection.
    refused: BTreeSet<&'static str>,
}

/// One connection while it is followed.
#[derive(Default)]
struct Connection {
    connect: Option<Connect>,
    connack: Option<Connack>,
    /// When its client was last heard.
    heard: Duration,
    /// Deliveries that wait for an acknowledgement.
    open: BTreeSet<PacketId>,
    /// Topics and QoS of deliveries.
    delivered: BTreeSet<(String, Qos)>,
    /// The client has asked for RETAIN as published.
    retain_as_published: bool,
    requests: BTreeMap<PacketId, usize>,
    refused: &'static [&'static str],
    connected_again: bool,
    disconnected: bool,
    closed: bool,
}

/// A trace while it is followed.
struct Follower {
    seen: Seen,
    version: ProtocolVersion,
    connections: BTreeMap<String, Connection>,
    /// Topics published with RETAIN 1.
    retained: BTreeSet<String>,
    wills: Vec<Will>,
}

impl Seen {
    /// What a trace of this version shows.
    #[must_use]
    pub fn in_trace(trace: &Trace, version: ProtocolVersion) -> Seen {
        let mut follower = Follower {
            seen: Seen::default(),
            version,
            connections: BTreeMap::new(),
            retained: BTreeSet::new(),
            wills: Vec::new(),
        };
        let concealed = ConcealedTrace::of(trace.clone(), Secrets::default());
        exchange(&concealed, version).iter().for_each(|line| follower.follow(line));
        follower.seen
    }

    /// The occasions.
    #[must_use]
    pub fn occasions(&self) -> &BTreeSet<Occasion> {
        &self.occasions
    }

    /// The statements of `version` that were put to the test, as far as they oblige a server.
    #[must_use]
    pub fn statements(&self, version: ProtocolVersion) -> BTreeSet<StatementId> {
        let on_occasion = self.occasions.iter().flat_map(|occasion| occasion.statements(version));
        let all = on_occasion.chain(&self.refused).filter_map(|id| catalogue().find(version, id));
        all.filter(|statement| statement.role.includes_server()).map(|statement| statement.id.clone()).collect()
    }

    fn note(&mut self, occasion: Occasion) {
        self.occasions.insert(occasion);
    }

    fn note_if(&mut self, is_it: bool, occasion: Occasion) {
        if is_it {
            self.note(occasion);
        }
    }
}

impl Follower {
    fn follow(&mut self, line: &Line) {
        if line.told == Told::Opening {
            self.connections.insert(line.actor.clone(), Connection::default());
        }
        match (&line.told, line.arrow) {
            (Told::Packet(packet), "->") => self.sent(line, packet),
            (Told::Packet(packet), "<-") => self.received(line, packet),
            (Told::Refused(_, refusal), "->") => {
                if let Some(connection) = self.connections.get_mut(&line.actor) {
                    (connection.heard, connection.refused) = (line.at, refusal.statements);
                }
            }
            (Told::ClosedByPeer, _) => self.closed(line),
            _ => {}
        }
    }

    fn sent(&mut self, line: &Line, packet: &Packet) {
        let Some(connection) = self.connections.get_mut(&line.actor) else { return };
        connection.heard = line.at;
        match packet {
            Packet::Connect(_) if connection.connect.is_some() => connection.connected_again = true,
            Packet::Connect(connect) => {
                self.wills.extend(connect.will.clone());
                connection.connect = Some(connect.clone());
            }
            Packet::Publish(publish) if publish.retain => {
                self.retained.insert(publish.topic.to_string());
            }
            Packet::Puback(Acknowledgement { packet_id, .. }) | Packet::Pubcomp(Acknowledgement { packet_id, .. }) => {
                connection.open.remove(packet_id);
            }
            Packet::Subscribe(subscribe) => {
                connection.requests.insert(subscribe.packet_id, subscribe.requests.len());
                connection.retain_as_published |=
                    subscribe.requests.iter().any(|request| request.options.retain_as_published);
            }
            _ => {}
        }
    }

    fn received(&mut self, line: &Line, packet: &Packet) {
        let Follower { seen, connections, .. } = self;
        let Some(connection) = connections.get_mut(&line.actor) else { return };
        seen.note(Occasion::Packet);
        seen.note_if(connection.connack.is_some(), Occasion::PacketAfterConnack);
        let connect = connection.connect.as_ref();
        let silenced = connect.is_some_and(|connect| connect.properties.request_problem_information == Some(false));
        match packet {
            Packet::Connack(connack) => {
                if let Some(connect) = connect {
                    connack_on(connack, connect, seen);
                }
                connection.connack = Some(connack.clone());
            }
            Packet::Suback(suback) => {
                seen.note(Occasion::Suback);
                let filters = connection.requests.get(&suback.packet_id).copied().unwrap_or_default();
                seen.note_if(filters > 1, Occasion::SubackForSeveral);
                seen.note_if(silenced, Occasion::NoProblemInformation);
            }
            Packet::Unsuback(_) => {
                seen.note(Occasion::Unsuback);
                seen.note_if(silenced, Occasion::NoProblemInformation);
            }
            Packet::Puback(_) => {
                seen.note(Occasion::Puback);
                seen.note_if(silenced, Occasion::NoProblemInformation);
            }
            Packet::Pubrec(_) => seen.note(Occasion::Pubrec),
            Packet::Pubrel(_) => seen.note(Occasion::Pubrel),
            Packet::Pubcomp(_) => seen.note(Occasion::Pubcomp),
            Packet::Pingresp => seen.note(Occasion::Pingresp),
            Packet::Auth(_) => seen.note(Occasion::Auth),
            Packet::Disconnect(_) => connection.disconnected = true,
            Packet::Publish(publish) => self.delivered(&line.actor, publish),
            // A decoder of what servers send refuses them.
            Packet::Connect(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::Pingreq => {}
        }
    }

    fn delivered(&mut self, actor: &str, publish: &Publish) {
        let Some(connection) = self.connections.get_mut(actor) else { return };
        let seen = &mut self.seen;
        seen.note(Occasion::Delivery);
        seen.note(Occasion::Text);
        let topic = publish.topic.to_string();
        let is_will = |will: &Will| will.topic == publish.topic && will.payload == publish.payload;
        seen.note_if(self.wills.iter().any(is_will), Occasion::Will);
        let first = connection.delivered.insert((topic.clone(), publish.qos()));
        seen.note_if(!first && !topic.is_empty(), Occasion::SecondOfATopic);
        seen.note_if(publish.dup(), Occasion::RepeatedDelivery);
        match publish.qos() {
            Qos::AtMostOnce => seen.note(Occasion::DeliveryAtQos0),
            Qos::AtLeastOnce => seen.note_if(!publish.dup(), Occasion::FirstDeliveryAtQos1),
            Qos::ExactlyOnce => seen.note_if(!publish.dup(), Occasion::FirstDeliveryAtQos2),
        }
        if let Some(id) = publish.packet_id() {
            seen.note_if(
                !connection.open.is_empty() && publish.qos() == Qos::AtLeastOnce && !publish.dup(),
                Occasion::SecondOpenDelivery,
            );
            connection.open.insert(id);
        }
        if !connection.retain_as_published {
            seen.note_if(publish.retain, Occasion::RetainedDelivery);
            seen.note_if(!publish.retain && self.retained.contains(&topic), Occasion::LiveDelivery);
        }
        if self.version.has_properties() {
            properties_on(&publish.properties, seen);
            let Some(Connect { properties, .. }) = &connection.connect else { return };
            let window = properties.receive_maximum.map(|maximum| usize::from(maximum.get()));
            seen.note_if(window == Some(connection.open.len()), Occasion::FullWindow);
            let aliases = properties.topic_alias_maximum.unwrap_or(0);
            seen.note_if(publish.properties.topic_alias.is_some(), Occasion::TopicAlias);
            seen.note_if(aliases == 0, Occasion::NoTopicAlias);
        }
    }

    /// The server has ended a connection.
    fn closed(&mut self, line: &Line) {
        let newer = |(actor, other): (&String, &Connection), id: &str| {
            *actor != line.actor && !other.closed && other.connect.as_ref().is_some_and(|it| &*it.client_id == id)
        };
        let its = |actor: &str| self.connections.get(actor).and_then(|connection| connection.connect.as_ref());
        let id = its(&line.actor).map(|connect| connect.client_id.to_string()).filter(|id| !id.is_empty());
        let is_replaced = id.is_some_and(|id| self.connections.iter().any(|other| newer(other, &id)));
        let seen = &mut self.seen;
        let Some(connection) = self.connections.get_mut(&line.actor).filter(|connection| !connection.closed) else {
            return;
        };
        connection.closed = true;
        let is_accepted = connection.connack.as_ref().is_some_and(|connack| connack.code.is_accepted());
        seen.note_if(connection.connack.is_some() && !is_accepted, Occasion::Refused);
        seen.note_if(connection.disconnected, Occasion::Disconnect);
        seen.note_if(connection.connected_again, Occasion::SecondConnect);
        if !connection.refused.is_empty() {
            seen.note(Occasion::MalformedPacket);
            seen.refused.extend(connection.refused);
        }
        seen.note_if(is_accepted && is_replaced, Occasion::TakenOver);
        let announced = connection.connack.as_ref().and_then(|connack| connack.properties.server_keep_alive);
        let own = connection.connect.as_ref().map_or(0, |connect| connect.keep_alive);
        let keep_alive = Duration::from_secs(u64::from(announced.unwrap_or(own)));
        let is_silent = !keep_alive.is_zero() && line.at.saturating_sub(connection.heard) > keep_alive;
        seen.note_if(is_accepted && is_silent, Occasion::Silence);
    }
}

fn connack_on(connack: &Connack, connect: &Connect, seen: &mut Seen) {
    if !connack.code.is_accepted() {
        return;
    }
    seen.note(Occasion::Accepted);
    seen.note_if(connect.clean_start, Occasion::AcceptedClean);
    seen.note_if(connack.session_present, Occasion::SessionPresent);
    seen.note_if(!connect.clean_start && !connack.session_present, Occasion::SessionAbsent);
    seen.note_if(connect.client_id.is_empty(), Occasion::EmptyIdentifier);
    let asked = connect.properties.request_response_information == Some(true);
    seen.note_if(!asked, Occasion::NoResponseInformation);
    seen.note_if(connect.properties.authentication_method.is_none(), Occasion::NoAuthenticationMethod);
}

fn properties_on(properties: &PublishProperties, seen: &mut Seen) {
    seen.note_if(properties.payload_format_indicator.is_some(), Occasion::PayloadFormatIndicator);
    seen.note_if(properties.message_expiry_interval.is_some(), Occasion::MessageExpiryInterval);
    seen.note_if(properties.content_type.is_some(), Occasion::ContentType);
    seen.note_if(properties.response_topic.is_some(), Occasion::ResponseTopic);
    seen.note_if(properties.correlation_data.is_some(), Occasion::CorrelationData);
    seen.note_if(!properties.user_properties.is_empty(), Occasion::UserProperty);
    seen.note_if(properties.user_properties.len() > 1, Occasion::UserProperties);
    seen.note_if(!properties.subscription_identifiers.is_empty(), Occasion::SubscriptionIdentifier);
    seen.note_if(properties.subscription_identifiers.len() > 1, Occasion::SubscriptionIdentifiers);
}
