//! SUBSCRIBE and UNSUBSCRIBE.

use super::broker::Core;
use super::connection::{Established, reason_properties};
use super::disconnect::Violation;
use super::limits;
use super::subscriptions::Subscription;
use crate::settings::DeliveredQos;
use crate::switch::Switch;
use model::packet::{
    Packet, ProtocolVersion, Qos, ReasonCode, ReasonProperties, RetainHandling, Suback, Subscribe,
    SubscriptionIdentifier, SubscriptionOptions, SubscriptionRequest, Unsuback, Unsubscribe,
};
use model::topic::{TopicError, TopicFilter};

/// Why one filter of a SUBSCRIBE is refused, in the terms of 5.0.
struct Denied {
    reason: ReasonCode,
    says: String,
}

impl Denied {
    fn new(reason: ReasonCode, says: impl Into<String>) -> Denied {
        Denied { reason, says: says.into() }
    }
}

/// One filter of a SUBSCRIBE that is granted.
struct Granted {
    filter: TopicFilter,
    subscription: Subscription,
    /// Whether it gets the retained messages.
    wants_retained: bool,
}

impl Granted {
    fn code(&self) -> ReasonCode {
        match self.subscription.qos {
            Qos::AtMostOnce => ReasonCode::Success, // 0x00: "Granted QoS 0"
            Qos::AtLeastOnce => ReasonCode::GrantedQos1,
            Qos::ExactlyOnce => ReasonCode::GrantedQos2,
        }
    }
}

impl Core {
    pub(super) fn subscribe(&mut self, from: Established, subscribe: Subscribe) -> Result<(), Violation> {
        let identifier = subscribe.properties.subscription_identifier;
        if identifier.is_some() && !self.settings.subscription_identifiers {
            let reason = ReasonCode::SubscriptionIdentifiersNotSupported;
            return Err(Violation::new(reason, "subscription identifiers are not available"));
        }
        if subscribe.requests.iter().any(|request| request.options.no_local && request.filter.starts_with("$share/")) {
            let says = "no local in a shared subscription"; // MQTT-3.8.3-4
            return Err(Violation::new(ReasonCode::ProtocolError, says));
        }
        if from.version == ProtocolVersion::V3_1 {
            // A SUBACK of 3.1 cannot refuse (V31-14): closing is all that is left, and then nothing may be granted.
            for (index, request) in subscribe.requests.iter().enumerate() {
                self.check_request(from, index, request)
                    .map_err(|denied| Violation::new(denied.reason, denied.says))?;
            }
        }
        let mut codes = Vec::with_capacity(subscribe.requests.len());
        let mut properties = ReasonProperties::default();
        let mut all_granted = Vec::new();
        for (index, request) in subscribe.requests.iter().enumerate() {
            match self.check_request(from, index, request) {
                Ok(filter) => {
                    let granted = self.grant(from, filter, request.options, identifier);
                    codes.push(granted.code());
                    all_granted.push(granted);
                }
                // There was room for each of them, but not for all.
                Err(denied) if from.version == ProtocolVersion::V3_1 => {
                    return Err(Violation::new(denied.reason, denied.says));
                }
                Err(denied) => {
                    codes.push(match from.version {
                        ProtocolVersion::V5_0 => denied.reason,
                        _ => ReasonCode::UnspecifiedError, // 0x80: "Failure" of 3.1.1
                    });
                    // There is one Reason String for all filters: it explains the first refusal.
                    if properties.reason_string.is_none() {
                        properties = reason_properties(from.version, &denied.says);
                    }
                }
            }
        }
        let is_forbidden = from.version == ProtocolVersion::V5_0 && codes.contains(&ReasonCode::NotAuthorized);
        self.send(from.connection, Packet::Suback(Suback { packet_id: subscribe.packet_id, properties, codes }));
        if is_forbidden && self.settings.forbidden_filter_ends {
            return Err(Violation::new(ReasonCode::NotAuthorized, "a filter for topics of others"));
        }
        for granted in all_granted.into_iter().filter(|granted| granted.wants_retained) {
            self.send_retained(from.session, &granted.filter, granted.subscription);
        }
        Ok(())
    }

    fn check_request(
        &self,
        from: Established,
        index: usize,
        request: &SubscriptionRequest,
    ) -> Result<TopicFilter, Denied> {
        let limits = &self.settings.limits;
        if index >= limits.filters_per_subscribe && !self.settings.misbehaves(Switch::FiltersNotCounted) {
            let says = format!("at most {} filters in a SUBSCRIBE", limits.filters_per_subscribe);
            return Err(Denied::new(ReasonCode::QuotaExceeded, says));
        }
        let filter = self
            .parse_filter(from.version, &request.filter)
            .map_err(|error| Denied::new(ReasonCode::TopicFilterInvalid, error.to_string()))?;
        let may_share = self.settings.shared_subscriptions && from.version == ProtocolVersion::V5_0;
        if filter.share().is_some() && !may_share {
            let reason = ReasonCode::SharedSubscriptionsNotSupported;
            return Err(Denied::new(reason, "shared subscriptions are not available"));
        }
        let owner = self.sessions.find(from.session).map(|session| &session.owner);
        if !owner.is_some_and(|owner| self.may_subscribe(owner, &filter)) {
            return Err(Denied::new(ReasonCode::NotAuthorized, "not a filter for topics of this device"));
        }
        if !self.admits_topic(&request.filter) {
            return Err(Denied::new(ReasonCode::TopicFilterInvalid, "topic filter too long"));
        }
        if limits::separators(&request.filter) >= limits.filter_levels {
            return Err(Denied::new(ReasonCode::QuotaExceeded, "too many levels in a topic filter"));
        }
        let full = self
            .sessions
            .find(from.session)
            .is_some_and(|session| session.filters.len() >= limits.subscriptions && !session.filters.contains(&filter));
        if full && !self.settings.misbehaves(Switch::SubscriptionsNotCounted) {
            let says = format!("at most {} subscriptions", limits.subscriptions);
            return Err(Denied::new(ReasonCode::QuotaExceeded, says));
        }
        Ok(filter)
    }

    fn parse_filter(&self, version: ProtocolVersion, filter: &str) -> Result<TopicFilter, TopicError> {
        if version != ProtocolVersion::V5_0 && self.settings.share_means_nothing_in_3x {
            TopicFilter::plain(filter)
        } else {
            filter.parse()
        }
    }

    /// Subscribes, at no QoS above the highest that is served (MQTT-3.2.2-10).
    fn grant(
        &mut self,
        from: Established,
        filter: TopicFilter,
        options: SubscriptionOptions,
        identifier: Option<SubscriptionIdentifier>,
    ) -> Granted {
        let qos = match self.settings.delivered_qos {
            DeliveredQos::LowerOfBoth => options.qos.min(self.settings.maximum_qos),
            DeliveredQos::Publisher => self.settings.maximum_qos,
        };
        let SubscriptionOptions { no_local, retain_as_published, .. } = options;
        let subscription = Subscription { qos, no_local, retain_as_published, identifier };
        let mut is_new = false;
        if let Some(session) = self.sessions.find_mut(from.session) {
            is_new = session.filters.insert(filter.clone());
            if is_new || !self.settings.misbehaves(Switch::SubscriptionNotReplaced) {
                self.subscriptions.insert(&filter, from.session, subscription);
            }
        }
        let wanted = match options.retain_handling {
            _ if self.settings.misbehaves(Switch::RetainHandlingIgnored) => true,
            RetainHandling::Send => true,
            RetainHandling::SendIfNew => is_new,
            RetainHandling::DoNotSend => false,
        };
        // Nobody gets them for a Shared Subscription (section 4.8.2).
        let wanted = wanted && filter.share().is_none();
        let wants_retained = wanted && self.settings.retained_messages.contains(&from.version);
        Granted { filter, subscription, wants_retained }
    }

    pub(super) fn unsubscribe(&mut self, from: Established, unsubscribe: Unsubscribe) -> Result<(), Violation> {
        let mut codes: Vec<ReasonCode> = unsubscribe.filters.iter().map(|filter| self.withdraw(from, filter)).collect();
        if from.version != ProtocolVersion::V5_0 {
            codes.clear();
        }
        let unsuback = Unsuback { packet_id: unsubscribe.packet_id, properties: ReasonProperties::default(), codes };
        self.send(from.connection, Packet::Unsuback(unsuback));
        Ok(())
    }

    fn withdraw(&mut self, from: Established, filter: &str) -> ReasonCode {
        let Ok(filter) = self.parse_filter(from.version, filter) else { return ReasonCode::TopicFilterInvalid };
        let Some(session) = self.sessions.find_mut(from.session) else { return ReasonCode::NoSubscriptionExisted };
        if !session.filters.remove(&filter) {
            return ReasonCode::NoSubscriptionExisted;
        }
        if !self.settings.misbehaves(Switch::UnsubscribeIgnored) {
            self.subscriptions.remove(&filter, from.session);
        }
        ReasonCode::Success
    }
}
