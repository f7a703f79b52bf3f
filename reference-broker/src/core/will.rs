//! Wills: checked, kept, published.

use super::broker::{Core, Milliseconds};
use super::connect::Refused;
use super::disconnect::WillFate;
use super::message::Message;
use super::publish::has_wildcard;
use super::session::SessionId;
use super::timers::Timer;
use crate::switch::Switch;
use model::packet::{Connect, ProtocolVersion, ReasonCode, Will};
use model::topic::TopicName;

/// The Will of a session.
#[derive(Debug)]
pub(super) struct PendingWill {
    will: Will,
    /// When it is published, once its connection has ended.
    due: Option<Milliseconds>,
}

impl Core {
    /// 5.0 refuses a Will that asks for what CONNACK does not offer (MQTT-3.2.2-12 and -13). 3.x cannot say so: there a
    /// Will is delivered at no QoS above the highest that is served, and a retained one to those who listen.
    pub(super) fn check_will(&self, version: ProtocolVersion, connect: &Connect) -> Result<(), Refused> {
        let Some(will) = &connect.will else { return Ok(()) };
        if will.topic.parse::<TopicName>().is_err() {
            return Err(Refused::silently_in_3x(ReasonCode::TopicNameInvalid, "will topic is no topic name"));
        }
        if has_wildcard(will.properties.response_topic.as_ref()) {
            return Err(Refused::silently_in_3x(ReasonCode::ProtocolError, "response topic with wildcard"));
        }
        let maximum_qos = self.settings.maximum_qos;
        if version == ProtocolVersion::V5_0 && will.qos > maximum_qos {
            let says = format!("maximum qos is {maximum_qos}");
            return Err(Refused::silently_in_3x(ReasonCode::QosNotSupported, says));
        }
        let retain_available = self.settings.retained_messages.contains(&version);
        if version == ProtocolVersion::V5_0 && will.retain && !retain_available {
            return Err(Refused::silently_in_3x(ReasonCode::RetainNotSupported, "retain is not available"));
        }
        Ok(())
    }

    /// Keeps the Will of an accepted CONNECT, if Wills of its version are published.
    pub(super) fn keep_will(&mut self, id: SessionId, version: ProtocolVersion, will: Option<Will>) {
        let retain_available = self.settings.retained_messages.contains(&version);
        if self.settings.wills.contains(&version)
            && let Some(session) = self.sessions.find_mut(id)
        {
            session.will = will.map(|will| {
                let will = Will { retain: will.retain && retain_available, ..will };
                PendingWill { will, due: None }
            });
        }
    }

    /// The connection of the Will has ended.
    pub(super) fn will_after_connection(&mut self, id: SessionId, fate: WillFate) {
        let Some(pending) = self.sessions.find_mut(id).and_then(|session| session.will.as_mut()) else { return };
        match (fate, pending.will.properties.will_delay_interval.unwrap_or(0)) {
            (WillFate::Deleted, _) => self.delete_will(id),
            (WillFate::Due, _) if self.settings.misbehaves(Switch::WillLost) => self.delete_will(id),
            (WillFate::Due, _) if self.settings.misbehaves(Switch::WillDelayIgnored) => self.will_is_due(id),
            (WillFate::Due, 0) => self.will_is_due(id),
            (WillFate::Due, seconds) => {
                let due = self.now + Milliseconds::from(seconds) * 1_000;
                pending.due = Some(due);
                self.timers.set(due, Timer::Will(id));
            }
        }
    }

    /// Publishes the Will of a session, if it has one. It is gone then (MQTT-3.1.2-10).
    pub(super) fn will_is_due(&mut self, id: SessionId) {
        if let Some(pending) = self.take_will(id)
            && let Some(origin) = self.origin(id)
        {
            if self.settings.misbehaves(Switch::WillKeptOnceSent) {
                self.keep_sent_will(id, &pending.will);
            }
            // P-TOP-6: a Will is published like anything else.
            if self.may_publish(&origin.owner, &pending.will.topic) {
                self.route(Message::from_will(pending.will, origin));
            }
        }
    }

    /// Has the session keep a Will as if it had not been published.
    fn keep_sent_will(&mut self, id: SessionId, will: &Will) {
        if let Some(session) = self.sessions.find_mut(id) {
            session.will = Some(PendingWill { will: will.clone(), due: None });
        }
    }

    pub(super) fn delete_will(&mut self, id: SessionId) {
        self.take_will(id);
    }

    fn take_will(&mut self, id: SessionId) -> Option<PendingWill> {
        let pending = self.sessions.find_mut(id)?.will.take()?;
        if let Some(due) = pending.due {
            self.timers.cancel(due, Timer::Will(id));
        }
        Some(pending)
    }
}
