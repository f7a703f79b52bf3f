//! What the broker can be told not to offer, whatever its dialect has.

use crate::settings::Settings;
use clap::ValueEnum;
use model::packet::Qos;

/// Something that a server need not have: without it, CONNACK of 5.0 says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Offer {
    /// QoS 2
    #[value(name = "qos-2")]
    Qos2,
    /// Retained messages
    RetainedMessages,
    /// Subscription Identifiers
    SubscriptionIdentifiers,
    /// Shared Subscriptions
    SharedSubscriptions,
    /// Topic Aliases that Clients set
    TopicAliases,
    /// Topic Aliases that the broker sets where Clients allow them
    SentTopicAliases,
    /// The Authentication Method `mqttspec-challenge`: the answer is the data of the challenge, reversed; the challenge is
    /// what the Client began with, if it did
    Authentication,
}

impl Settings {
    /// The same broker without this.
    #[must_use]
    pub fn without(mut self, offer: Offer) -> Settings {
        match offer {
            Offer::Qos2 => self.maximum_qos = self.maximum_qos.min(Qos::AtLeastOnce),
            Offer::RetainedMessages => self.retained_messages.clear(),
            Offer::SubscriptionIdentifiers => self.subscription_identifiers = false,
            Offer::SharedSubscriptions => self.shared_subscriptions = false,
            Offer::TopicAliases => self.topic_alias_maximum = 0,
            Offer::SentTopicAliases => self.sent_topic_aliases = 0,
            Offer::Authentication => self.authentication = false,
        }
        self
    }
}
