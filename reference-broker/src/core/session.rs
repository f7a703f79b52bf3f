//! What outlives a connection: the session, and how long it does.

use super::broker::{ConnectionId, Core, Milliseconds};
use super::delivery::Delivery;
use super::disconnect::WillFate;
use super::incoming::Incoming;
use super::login::Owner;
use super::timers::Timer;
use super::will::PendingWill;
use crate::switch::Switch;
use model::packet::Utf8String;
use model::topic::TopicFilter;
use std::collections::{BTreeMap, BTreeSet};

/// A session, numbered in order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SessionId(pub(super) u64);

/// The state kept for a Client or device (section 4.1).
#[derive(Debug)]
pub(super) struct Session {
    pub(super) owner: Owner,
    /// The connection that is using it.
    pub(super) connection: Option<ConnectionId>,
    pub(super) expiry: Expiry,
    /// When it ends, while no connection is using it.
    pub(super) ends: Option<Milliseconds>,
    /// Filters of its subscriptions; what was granted for them is in the index.
    pub(super) filters: BTreeSet<TopicFilter>,
    pub(super) delivery: Delivery,
    pub(super) incoming: Incoming,
    pub(super) will: Option<PendingWill>,
}

/// How long a session outlives its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry {
    /// Not at all: Session Expiry Interval 0, or Clean Session 1 of 3.x.
    AtClose,
    /// So many seconds.
    After(u32),
    /// For ever: Session Expiry Interval 0xFFFFFFFF, or Clean Session 0 of 3.x.
    Never,
}

impl Expiry {
    /// The meaning of a Session Expiry Interval.
    pub(super) fn from_seconds(seconds: u32) -> Expiry {
        match seconds {
            0 => Expiry::AtClose,
            u32::MAX => Expiry::Never,
            seconds => Expiry::After(seconds),
        }
    }
}

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_id: BTreeMap<SessionId, Session>,
    by_owner: BTreeMap<Owner, SessionId>,
    created: u64,
    assigned: u64,
}

impl Sessions {
    pub(super) fn find(&self, id: SessionId) -> Option<&Session> {
        self.by_id.get(&id)
    }

    pub(super) fn find_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.by_id.get_mut(&id)
    }

    /// The session of a Client or device.
    pub(super) fn of_owner(&self, owner: &Owner) -> Option<SessionId> {
        self.by_owner.get(owner).copied()
    }

    /// Whether a connection is using the session.
    pub(super) fn is_connected(&self, id: SessionId) -> bool {
        self.find(id).is_some_and(|session| session.connection.is_some())
    }

    pub(super) fn count(&self) -> usize {
        self.by_id.len()
    }

    /// A new session for one who has none.
    pub(super) fn create(&mut self, owner: Owner) -> SessionId {
        self.created += 1;
        let id = SessionId(self.created);
        self.by_owner.insert(owner.clone(), id);
        let session = Session {
            owner,
            connection: None,
            expiry: Expiry::AtClose,
            ends: None,
            filters: BTreeSet::new(),
            delivery: Delivery::default(),
            incoming: Incoming::default(),
            will: None,
        };
        self.by_id.insert(id, session);
        id
    }

    fn remove(&mut self, id: SessionId) -> Option<Session> {
        let session = self.by_id.remove(&id)?;
        self.by_owner.remove(&session.owner);
        Some(session)
    }

    /// A Client Identifier that no session has (MQTT-3.1.3-6, MQTT-3.2.2-16).
    pub(super) fn assign_client_id(&mut self) -> Utf8String {
        loop {
            self.assigned += 1;
            // Letters and digits, at most 23 of them: what every server must accept when the Client returns.
            let assigned = Utf8String::new(format!("assigned{:015}", self.assigned)).expect("digits hold no U+0000");
            if self.of_owner(&Owner::Client(assigned.clone())).is_none() {
                return assigned;
            }
        }
    }
}

impl Core {
    /// The connection that was using a session has ended.
    pub(super) fn leave_session(&mut self, id: SessionId, will: WillFate) {
        let Some(session) = self.sessions.find_mut(id) else { return };
        session.connection = None;
        session.delivery.interrupt();
        session.incoming.interrupt();
        let expiry = match session.expiry {
            _ if self.settings.misbehaves(Switch::SessionLost) => Expiry::AtClose,
            Expiry::AtClose if self.settings.misbehaves(Switch::SessionKeptAfterClose) => Expiry::Never,
            Expiry::After(_) if self.settings.misbehaves(Switch::SessionKeptAfterExpiry) => Expiry::Never,
            expiry => expiry,
        };
        self.will_after_connection(id, will);
        match expiry {
            Expiry::AtClose => self.end_session(id),
            Expiry::Never => {}
            Expiry::After(seconds) => {
                let ends = self.now + Milliseconds::from(seconds) * 1_000;
                if let Some(session) = self.sessions.find_mut(id) {
                    session.ends = Some(ends);
                    self.timers.set(ends, Timer::SessionExpiry(id));
                }
            }
        }
    }

    /// Ends a session that no connection is using; a Will that still waits is published now.
    pub(super) fn end_session(&mut self, id: SessionId) {
        self.will_is_due(id);
        let Some(session) = self.sessions.remove(id) else { return };
        for filter in &session.filters {
            self.subscriptions.remove(filter, id);
        }
        if let Some(ends) = session.ends {
            self.timers.cancel(ends, Timer::SessionExpiry(id));
        }
        self.hand_on(session.delivery);
    }

    /// Hands a session to a new connection of its Client; a Will that still waits is deleted (MQTT-3.1.3-9).
    pub(super) fn resume_session(&mut self, id: SessionId) {
        if self.settings.misbehaves(Switch::WillSentThoughResumed) {
            self.will_is_due(id);
        }
        self.delete_will(id);
        let Some(session) = self.sessions.find_mut(id) else { return };
        if let Some(ends) = session.ends.take() {
            self.timers.cancel(ends, Timer::SessionExpiry(id));
        }
        if self.settings.misbehaves(Switch::SubscriptionsLost) {
            std::mem::take(&mut session.filters).iter().for_each(|filter| {
                self.subscriptions.remove(filter, id);
            });
        }
        if self.settings.misbehaves(Switch::UnacknowledgedNotSentAgain) {
            session.delivery.forget_sent();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Input;
    use crate::settings::Settings;
    use model::device::Transport;
    use model::packet::{
        Connect, ConnectProperties, Packet, PacketId, ProtocolVersion, Qos, Subscribe, SubscribeProperties,
        SubscriptionOptions, SubscriptionRequest, Will, WillProperties,
    };
    use model::profile::Profile;

    #[test]
    fn a_session_that_ends_leaves_nothing_behind() {
        let mut core = Core::new(Settings::from_profile(Profile::builtin("standard").unwrap()));
        let text = |text: &str| Utf8String::new(text).unwrap();
        let will = Will {
            topic: text("w"),
            payload: Vec::new(),
            qos: Qos::AtMostOnce,
            retain: false,
            properties: WillProperties { will_delay_interval: Some(5), ..WillProperties::default() },
        };
        let connect = |clean_start, seconds| Connect {
            clean_start,
            keep_alive: 60,
            properties: ConnectProperties { session_expiry_interval: Some(seconds), ..ConnectProperties::default() },
            client_id: text("c"),
            will: Some(will.clone()),
            ..Connect::default()
        };
        let request = SubscriptionRequest { filter: text("a/+/#"), options: SubscriptionOptions::default() };
        let subscribe = Subscribe {
            packet_id: PacketId::FIRST,
            properties: SubscribeProperties::default(),
            requests: vec![request],
        };
        // A session that waits and is resumed, then one that is cleaned away, then one that ends with its connection.
        for (number, connect) in [connect(false, 60), connect(false, 60), connect(true, 0)].into_iter().enumerate() {
            let id = ConnectionId(number as u64);
            core.handle(0, id, Input::Opened(Transport::Plain));
            for packet in [Packet::Connect(connect), Packet::Subscribe(subscribe.clone())] {
                core.handle(0, id, Input::Packet(ProtocolVersion::V5_0, packet));
            }
            core.handle(0, id, Input::Closed);
        }
        assert_eq!(core.sessions.count(), 0);
        assert!(core.connections.is_empty() && core.sessions.by_owner.is_empty());
        assert!(core.subscriptions.is_empty());
        assert_eq!(core.next_deadline(), None);
    }
}
