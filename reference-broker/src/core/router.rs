//! From a message to the sessions that get a copy.

use super::broker::Core;
use super::connection::Connection;
use super::delivery::Copy;
use super::message::Message;
use super::session::SessionId;
use super::subscriptions::Subscription;
use crate::settings::DeliveredQos;
use crate::switch::Switch;
use model::packet::{self, Qos, SubscriptionIdentifier};
use model::topic::TopicFilter;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Who gets a copy, and for what.
#[derive(Debug, Default)]
struct Receiver {
    /// The highest that was granted.
    qos: Qos,
    /// Whether any of the subscriptions asked for it.
    retain_as_published: bool,
    /// One for each subscription that has one, even if it is the same (MQTT-3.3.4-4).
    identifiers: Vec<SubscriptionIdentifier>,
    /// The filter of the Shared Subscription that it is a member of.
    share: Option<Arc<TopicFilter>>,
}

impl Receiver {
    /// A receiver by this subscription, and by those that join it.
    fn by(subscription: Subscription) -> Receiver {
        Receiver { qos: subscription.qos, ..Receiver::default() }
    }

    fn join(&mut self, subscription: Subscription, decide: impl Fn(Qos, Qos) -> Qos) {
        self.qos = decide(self.qos, subscription.qos);
        self.retain_as_published |= subscription.retain_as_published;
        self.identifiers.extend(subscription.identifier);
    }
}

impl Core {
    /// Sends a message on: one copy to every session with a matching subscription, at the highest QoS that its overlapping
    /// subscriptions were granted (MQTT-3.3.4-2), and one copy to one member of every matching Shared Subscription. If it
    /// is to be retained, it is.
    pub(super) fn route(&mut self, message: Message) {
        let message = Arc::new(message);
        self.retain(&message);
        let sessions = &self.sessions;
        let publisher = sessions.of_owner(&message.origin.owner);
        let mut receivers: BTreeMap<SessionId, Receiver> = BTreeMap::new();
        let mut members = Vec::new();
        let is_connected = |session| sessions.is_connected(session);
        let settings = &self.settings;
        let decide = if settings.misbehaves(Switch::LowestQosOfOverlap) { Qos::min } else { Qos::max };
        self.subscriptions.matching(&message.topic, is_connected, |found| {
            let is_own = Some(found.session) == publisher;
            if found.subscription.no_local && is_own && !settings.misbehaves(Switch::NoLocalIgnored) {
                return; // MQTT-3.8.3-3
            }
            let receiver = || Receiver::by(found.subscription);
            match found.share {
                None => receivers.entry(found.session).or_insert_with(receiver).join(found.subscription, decide),
                Some(share) => {
                    let mut member = Receiver { share: Some(share), ..receiver() };
                    member.join(found.subscription, decide);
                    members.push((found.session, member));
                }
            }
        });
        if self.settings.misbehaves(Switch::SharedToTwoMembers) {
            self.choose_others(&mut members);
        }
        for (session, receiver) in receivers.into_iter().chain(members) {
            let qos = self.delivered_qos(&message, receiver.qos);
            let retain = message.retain && receiver.retain_as_published;
            let Receiver { identifiers, share, .. } = receiver;
            let message = Arc::clone(&message);
            self.deliver(session, Copy { message, qos, retain, identifiers, share, since: self.now });
        }
    }

    /// A second member for each message of a Shared Subscription.
    fn choose_others(&mut self, members: &mut Vec<(SessionId, Receiver)>) {
        for index in 0..members.len() {
            let Some(share) = members[index].1.share.clone() else { continue };
            let sessions = &self.sessions;
            let other = self.subscriptions.choose(&share, |session| sessions.is_connected(session));
            if let Some((session, subscription)) = other.filter(|(session, _)| *session != members[index].0) {
                let mut member = Receiver { share: Some(share), ..Receiver::by(subscription) };
                member.join(subscription, Qos::max);
                members.push((session, member));
            }
        }
    }

    /// The QoS at which a subscription gets a message.
    pub(super) fn delivered_qos(&self, message: &Message, granted: Qos) -> Qos {
        match self.settings.delivered_qos {
            DeliveredQos::LowerOfBoth => message.qos.min(granted),
            DeliveredQos::Publisher => message.qos.min(self.settings.maximum_qos),
        }
    }

    /// Sends a copy to a session, or has it wait there.
    pub(super) fn deliver(&mut self, id: SessionId, copy: Copy) {
        let Some(session) = self.sessions.find_mut(id) else { return };
        if session.connection.is_none() && self.settings.misbehaves(Switch::StoredMessageLost) {
            return;
        }
        if copy.qos == Qos::AtMostOnce {
            let Some(connection) = session.connection else { return }; // QoS 0 is for those who are there.
            // Order is kept by the publisher's QoS (MQTT-4.6.0-5): what was published at QoS 1 overtakes nothing, even if
            // it is delivered at QoS 0.
            if copy.message.qos == Qos::AtMostOnce || session.delivery.is_idle() {
                let Some(Connection::Established(link)) = self.connections.get(&connection) else { return };
                let publish = copy.to_publish(packet::Delivery::AtMostOnce, link.peer.version, self.now);
                self.send_publish(connection, publish);
                return;
            }
        }
        session.delivery.enqueue(copy, &self.settings);
        self.send_waiting(id);
    }

    /// Sends what waits in a session, as far as its Client is connected and takes it.
    pub(super) fn send_waiting(&mut self, id: SessionId) {
        loop {
            let Some(session) = self.sessions.find_mut(id) else { return };
            let Some(connection) = session.connection else { return };
            let Some(Connection::Established(link)) = self.connections.get(&connection) else { return };
            let Some(publish) = session.delivery.next(self.now, link.peer.version, &self.settings) else { return };
            let packet_id = publish.packet_id();
            let taken = self.send_publish(connection, publish);
            if !taken
                && let Some(packet_id) = packet_id
                && let Some(session) = self.sessions.find_mut(id)
            {
                // Too large for this Client: as if it had been delivered (MQTT-3.1.2-25).
                session.delivery.settle(packet_id);
            }
        }
    }
}
