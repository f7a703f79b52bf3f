//! What a proxy knows of all connections of a variant.

use super::interference::Style;
use super::link::{Link, LinkId};
use super::outlet::Parcel;
use super::traffic::Traffic;
use model::packet::{Connack, Packet, ProtocolVersion, Publish, SubscriptionOptions, Utf8String};
use model::profile::{Feature, Profile};
use model::topic::TopicFilter;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How late a late packet is. Far below what any case takes for lateness.
const MOMENT: Duration = Duration::from_millis(20);

/// How many messages of a client are remembered: cases have far fewer, a flood must not eat the memory.
const MOST: usize = 256;

/// All connections of a variant, and the sessions behind them.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) version: ProtocolVersion,
    /// What the dialect has.
    pub(super) has_qos_2: bool,
    pub(super) has_retained_messages: bool,
    pub(super) links: Vec<Link>,
    /// Subscriptions by session and filter, as the server granted them.
    pub(super) sessions: BTreeMap<String, BTreeMap<Utf8String, Subscription>>,
    /// The last message that was published with RETAIN on each topic.
    pub(super) retained: BTreeMap<Utf8String, Publish>,
    /// Whether a rule has done anything.
    pub(super) acted: bool,
    /// What passed so far.
    pub(super) traffic: Traffic,
    /// How bytes are put on their way.
    style: Style,
    start: Instant,
}

/// A subscription that the server granted.
#[derive(Debug, Clone)]
pub(super) struct Subscription {
    pub(super) options: SubscriptionOptions,
    /// How often it was asked for.
    pub(super) requests: usize,
}

impl Scene {
    pub(super) fn new(version: ProtocolVersion, profile: &Profile, style: Style) -> Scene {
        Scene {
            version,
            has_qos_2: profile.has_in(Feature::Qos2, version),
            has_retained_messages: profile.has_in(Feature::RetainedMessages, version),
            links: Vec::new(),
            sessions: BTreeMap::new(),
            retained: BTreeMap::new(),
            acted: false,
            traffic: Traffic::default(),
            style,
            start: Instant::now(),
        }
    }

    /// A new connection.
    pub(super) fn open(&mut self) -> LinkId {
        self.links.push(Link::new(self.version));
        self.links.len() - 1
    }

    /// Puts a parcel on its way to the client.
    pub(super) fn send_to_client(&mut self, link: LinkId, parcel: Parcel) {
        let due = self.due();
        let link = &mut self.links[link];
        link.to_client.put(due, parcel);
        link.changed.notify_one();
    }

    /// Puts a parcel on its way to the server.
    pub(super) fn send_to_server(&mut self, link: LinkId, parcel: Parcel) {
        let due = self.due();
        let link = &mut self.links[link];
        link.to_server.put(due, parcel);
        link.changed.notify_one();
    }

    /// When something may leave that is ready now.
    fn due(&self) -> Instant {
        let at = Instant::now();
        match self.style {
            Style::AsItComes | Style::EachByte => at,
            Style::Late => at + MOMENT,
            Style::Coalesced => {
                // A bus that leaves every moment.
                let late = (at - self.start).as_nanos() % MOMENT.as_nanos();
                at + MOMENT - Duration::from_nanos(u64::try_from(late).unwrap_or_default())
            }
        }
    }

    /// The subscriptions behind a connection.
    pub(super) fn subscriptions(&self, link: LinkId) -> impl Iterator<Item = (&Utf8String, &Subscription)> {
        self.sessions.get(&self.links[link].session).into_iter().flatten()
    }

    /// The subscriptions behind a connection that match a topic.
    pub(super) fn matching(&self, link: LinkId, topic: &str) -> Vec<(Utf8String, Subscription)> {
        let matches = |filter: &str| parse(filter).is_some_and(|filter| filter.matches(topic));
        let matching = self.subscriptions(link).filter(|(filter, _)| matches(filter));
        matching.map(|(filter, subscription)| (filter.clone(), subscription.clone())).collect()
    }

    /// Whether the client of a connection has given up a filter that matches a topic, and holds no other that does.
    pub(super) fn has_given_up(&self, link: LinkId, topic: &str) -> bool {
        let session = &self.links[link].session;
        let mut own = self.links[..=link].iter().filter(|it| it.session == *session);
        own.any(|it| it.given_up.iter().any(|filter| filter.matches(topic))) && self.matching(link, topic).is_empty()
    }

    /// The connections on which a client is served.
    pub(super) fn served(&self) -> Vec<LinkId> {
        (0..self.links.len()).filter(|link| self.links[*link].is_served()).collect()
    }

    /// The last delivery that was acknowledged on an earlier connection of the same session.
    pub(super) fn acknowledged_before(&self, link: LinkId) -> Option<Publish> {
        let session = &self.links[link].session;
        let earlier = self.links[..link].iter().rev().filter(|earlier| earlier.session == *session);
        earlier.filter_map(|earlier| earlier.acknowledged.clone()).next()
    }

    /// Takes note of a packet that the client sent.
    pub(super) fn note_from_client(&mut self, link: LinkId, packet: &Packet) {
        let came_back = match packet {
            // Without a client id of its own it may be anybody.
            Packet::Connect(connect) => {
                link > 0 && self.links[..link].iter().any(|it| it.session == connect.client_id.as_str())
            }
            _ => false,
        };
        self.traffic.note(packet, came_back);
        let it = &mut self.links[link];
        it.heard = Instant::now();
        it.authenticates = matches!(packet, Packet::Auth(_));
        match packet {
            Packet::Connect(connect) if it.connect.is_none() => {
                it.connect = Some(connect.clone());
                it.session = connect.client_id.as_str().to_owned();
            }
            Packet::Subscribe(subscribe) => {
                it.subscribes.insert(subscribe.packet_id, subscribe.clone());
                it.asked.insert(subscribe.packet_id, subscribe.clone());
                it.given_up.retain(|given_up| {
                    !subscribe.requests.iter().any(|request| given_up.to_string() == *request.filter)
                });
            }
            Packet::Unsubscribe(unsubscribe) => {
                it.unsubscribes.insert(unsubscribe.packet_id, unsubscribe.clone());
                it.given_up.extend(unsubscribe.filters.iter().filter_map(|filter| parse(filter)));
            }
            Packet::Publish(publish) => {
                if let Some(alias) = publish.properties.topic_alias.filter(|_| !publish.topic.is_empty()) {
                    it.client_aliases.insert(alias.get(), publish.topic.clone());
                }
                if let Some(id) = publish.packet_id() {
                    it.uploads.insert(id, publish.clone());
                }
                let topic = it.topic_from_client(publish);
                if it.published.len() < MOST {
                    it.published.push(Publish { topic: topic.clone(), ..publish.clone() });
                }
                if publish.retain && publish.payload.is_empty() {
                    self.retained.remove(&topic);
                } else if publish.retain {
                    self.retained.insert(topic, publish.clone());
                }
            }
            Packet::Disconnect(_) => it.client_said_disconnect = true,
            _ => {}
        }
    }

    /// Takes note of a packet that the server sent.
    pub(super) fn note_from_server(&mut self, link: LinkId, packet: &Packet) {
        self.traffic.from_server.insert(packet.packet_type());
        let it = &mut self.links[link];
        match packet {
            Packet::Connack(connack) if connack.code.is_accepted() => {
                if let Some(assigned) = &connack.properties.assigned_client_identifier {
                    it.session = assigned.as_str().to_owned();
                }
                it.connack = Some(connack.clone());
                if begins_anew(it, connack) {
                    let session = it.session.clone();
                    self.sessions.remove(&session);
                }
            }
            Packet::Connack(_) => it.is_refused = true,
            Packet::Suback(suback) => {
                if let Some(subscribe) = it.subscribes.remove(&suback.packet_id) {
                    let subscriptions = self.sessions.entry(it.session.clone()).or_default();
                    for (request, code) in subscribe.requests.iter().zip(&suback.codes) {
                        if !code.is_error() {
                            let requests = subscriptions.get(&request.filter).map_or(0, |held| held.requests) + 1;
                            let subscription = Subscription { options: request.options, requests };
                            subscriptions.insert(request.filter.clone(), subscription);
                        }
                    }
                }
            }
            Packet::Unsuback(unsuback) => {
                if let Some(unsubscribe) = it.unsubscribes.remove(&unsuback.packet_id)
                    && let Some(subscriptions) = self.sessions.get_mut(&it.session)
                {
                    for filter in &unsubscribe.filters {
                        subscriptions.remove(filter);
                    }
                }
            }
            Packet::Publish(publish) => {
                if let Some(alias) = publish.properties.topic_alias.filter(|_| !publish.topic.is_empty()) {
                    it.server_aliases.insert(alias.get(), publish.topic.clone());
                }
            }
            Packet::Puback(acknowledgement) | Packet::Pubcomp(acknowledgement) => {
                it.uploads.remove(&acknowledgement.packet_id);
            }
            Packet::Disconnect(_) => it.server_said_disconnect = true,
            _ => {}
        }
    }
}

/// Whether no older subscriptions are behind an accepted connection. 3.1 does not tell, so there Clean Session decides.
fn begins_anew(link: &Link, connack: &Connack) -> bool {
    match link.version {
        ProtocolVersion::V3_1 => link.connect.as_ref().is_none_or(|connect| connect.clean_start),
        ProtocolVersion::V3_1_1 | ProtocolVersion::V5_0 => !connack.session_present,
    }
}

/// A filter, if it is one.
pub(super) fn parse(filter: &str) -> Option<TopicFilter> {
    filter.parse().ok()
}
