//! What the Server offers, and the refusal to send anything else.

use crate::Message;
use model::packet::{
    ConnackProperties, Packet, ProtocolVersion, Qos, SubscribeProperties, SubscriptionRequest, TextError, Utf8String,
};
use model::topic::{TopicError, TopicFilter, TopicName};
use model::wire::{Unencodable, encode};

/// What CONNACK told of the Server, absent properties replaced by what their absence means; in 3.x all is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    version: ProtocolVersion,
    /// Maximum QoS.
    pub maximum_qos: Qos,
    /// Retain Available.
    pub retain_available: bool,
    /// Receive Maximum.
    pub receive_maximum: u16,
    /// Maximum Packet Size in bytes; `None`: what the protocol can say.
    pub maximum_packet_size: Option<u32>,
    /// Wildcard Subscription Available.
    pub wildcard_subscriptions: bool,
    /// Shared Subscription Available.
    pub shared_subscriptions: bool,
    /// Subscription Identifiers Available.
    pub subscription_identifiers: bool,
}

/// Why something was not sent: the standard forbids it, or the Server does not offer it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSendable {
    /// Above Maximum QoS (MQTT-3.2.2-11).
    #[error("QoS {asked} is not offered: the server's Maximum QoS is {maximum}")]
    QosNotSupported {
        /// What was asked for.
        asked: Qos,
        /// What the Server announced.
        maximum: Qos,
    },
    /// RETAIN with Retain Available 0 (MQTT-3.2.2-14).
    #[error("retained messages are not offered: the server's Retain Available is 0")]
    RetainNotAvailable,
    /// Beyond Maximum Packet Size (MQTT-3.2.2-15).
    #[error("the packet has {size} bytes, the server's Maximum Packet Size is {maximum}")]
    PacketTooLarge {
        /// Bytes of the whole packet.
        size: usize,
        /// What the Server announced.
        maximum: u32,
    },
    /// The topic cannot be published to.
    #[error("`{topic}` is no topic name: {error}")]
    TopicName {
        /// As given.
        topic: Utf8String,
        /// What is wrong.
        error: TopicError,
    },
    /// More than 32,767 characters in 3.1 (V31-20).
    #[error("the topic name has {0} characters, MQTT 3.1 allows 32767")]
    TopicTooLong(usize),
    /// The Response Topic holds a wildcard or nothing (MQTT-3.3.2-14).
    #[error("the response topic `{topic}` is no topic name: {error}")]
    ResponseTopic {
        /// As given.
        topic: Utf8String,
        /// What is wrong.
        error: TopicError,
    },
    /// This client uses no Topic Alias.
    #[error("this client uses no topic alias: leave the property out")]
    TopicAlias,
    /// MQTT-3.3.4-6.
    #[error("a client's PUBLISH carries no subscription identifier")]
    SubscriptionIdentifierInPublish,
    /// MQTT-3.8.3-2, MQTT-3.10.3-2; 3.1.1: MQTT-3.8.3-3, MQTT-3.10.3-2.
    #[error("at least one topic filter is needed")]
    NoFilter,
    /// The filter breaks the syntax.
    #[error("`{filter}` is no topic filter: {error}")]
    TopicFilter {
        /// As given.
        filter: Utf8String,
        /// What is wrong.
        error: TopicError,
    },
    /// Wildcard Subscription Available is 0.
    #[error("`{0}` has a wildcard, which the server does not offer")]
    WildcardNotAvailable(Utf8String),
    /// Shared Subscription Available is 0.
    #[error("`{0}` is a shared subscription, which the server does not offer")]
    SharedNotAvailable(Utf8String),
    /// No Local on a Shared Subscription (MQTT-3.8.3-4).
    #[error("`{0}` is a shared subscription, which cannot be No Local")]
    NoLocalShared(Utf8String),
    /// Subscription Identifiers Available is 0.
    #[error("the server does not offer subscription identifiers")]
    SubscriptionIdentifierNotAvailable,
    /// A filter that is no UTF-8 Encoded String.
    #[error(transparent)]
    Text(TextError),
    /// A DISCONNECT that a Client may not send.
    #[error("{0}")]
    Disconnect(&'static str),
    /// As many packets await their answers as may; ask `can_publish` or `can_request` first.
    #[error("too many packets await their answers")]
    NoQuota,
    /// CONNACK has not come, or the connection is over.
    #[error("there is no connection")]
    NotConnected,
    /// The version cannot say it.
    #[error(transparent)]
    Unencodable(#[from] Unencodable),
}

impl Offer {
    /// The offer that CONNACK makes.
    pub(crate) fn of(version: ProtocolVersion, properties: &ConnackProperties) -> Offer {
        Offer {
            version,
            maximum_qos: properties.maximum_qos.unwrap_or(Qos::ExactlyOnce),
            retain_available: properties.retain_available.unwrap_or(true),
            receive_maximum: properties.receive_maximum.map_or(u16::MAX, |maximum| maximum.get()),
            maximum_packet_size: properties.maximum_packet_size.map(|maximum| maximum.get()),
            wildcard_subscriptions: properties.wildcard_subscription_available.unwrap_or(true),
            shared_subscriptions: properties.shared_subscription_available.unwrap_or(true),
            subscription_identifiers: properties.subscription_identifier_available.unwrap_or(true),
        }
    }

    /// Encodes a packet, unless it is too large for the Server.
    pub(crate) fn encode(&self, packet: &Packet) -> Result<Vec<u8>, NotSendable> {
        let bytes = encode(packet, self.version)?;
        match self.maximum_packet_size {
            Some(maximum) if bytes.len() as u64 > u64::from(maximum) => {
                Err(NotSendable::PacketTooLarge { size: bytes.len(), maximum })
            }
            _ => Ok(bytes),
        }
    }

    /// Whether this message may be published.
    pub(crate) fn check_message(&self, message: &Message) -> Result<(), NotSendable> {
        if let Err(error) = message.topic.parse::<TopicName>() {
            return Err(NotSendable::TopicName { topic: message.topic.clone(), error });
        }
        let characters = message.topic.chars().count();
        if self.version == ProtocolVersion::V3_1 && characters > 32_767 {
            return Err(NotSendable::TopicTooLong(characters));
        }
        if message.qos > self.maximum_qos {
            return Err(NotSendable::QosNotSupported { asked: message.qos, maximum: self.maximum_qos });
        }
        if message.retain && !self.retain_available {
            return Err(NotSendable::RetainNotAvailable);
        }
        if message.properties.topic_alias.is_some() {
            return Err(NotSendable::TopicAlias);
        }
        if !message.properties.subscription_identifiers.is_empty() {
            return Err(NotSendable::SubscriptionIdentifierInPublish);
        }
        match &message.properties.response_topic {
            Some(topic) => match topic.parse::<TopicName>() {
                Err(error) => Err(NotSendable::ResponseTopic { topic: topic.clone(), error }),
                Ok(_) => Ok(()),
            },
            None => Ok(()),
        }
    }

    /// Whether these subscriptions may be asked for.
    pub(crate) fn check_subscriptions(
        &self,
        requests: &[SubscriptionRequest],
        properties: &SubscribeProperties,
    ) -> Result<(), NotSendable> {
        if properties.subscription_identifier.is_some() && !self.subscription_identifiers {
            return Err(NotSendable::SubscriptionIdentifierNotAvailable);
        }
        self.check_filters(requests.iter().map(|request| &request.filter))?;
        for request in requests {
            let filter = self.parse(&request.filter)?;
            if filter.has_wildcard() && !self.wildcard_subscriptions {
                return Err(NotSendable::WildcardNotAvailable(request.filter.clone()));
            }
            if filter.share().is_some() && !self.shared_subscriptions {
                return Err(NotSendable::SharedNotAvailable(request.filter.clone()));
            }
            if filter.share().is_some() && request.options.no_local {
                return Err(NotSendable::NoLocalShared(request.filter.clone()));
            }
        }
        Ok(())
    }

    /// Whether these are Topic Filters, and at least one.
    pub(crate) fn check_filters<'a>(
        &self,
        filters: impl ExactSizeIterator<Item = &'a Utf8String>,
    ) -> Result<(), NotSendable> {
        if filters.len() == 0 {
            return Err(NotSendable::NoFilter);
        }
        for filter in filters {
            self.parse(filter)?;
        }
        Ok(())
    }

    /// 3.x knows no Shared Subscriptions: there `$share/..` is a topic like any other.
    fn parse(&self, filter: &Utf8String) -> Result<TopicFilter, NotSendable> {
        let parsed = match self.version {
            ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1 => TopicFilter::plain(filter),
            ProtocolVersion::V5_0 => filter.parse(),
        };
        parsed.map_err(|error| NotSendable::TopicFilter { filter: filter.clone(), error })
    }
}
