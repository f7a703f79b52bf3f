//! What the application sends and receives.

use model::packet::{Delivery, PacketId, Publish, PublishProperties, Qos, TextError, Utf8String};

/// An Application Message to publish.
///
/// ```
/// use reference_client::{Message, Qos};
///
/// let message = Message::new("lamp/1/state", "on")?.at(Qos::AtLeastOnce).retained();
/// assert_eq!(message.qos, Qos::AtLeastOnce);
/// # Ok::<(), reference_client::TextError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Topic Name; checked when the message is published.
    pub topic: Utf8String,
    /// The content.
    pub payload: Vec<u8>,
    /// Quality of Service.
    pub qos: Qos,
    /// RETAIN.
    pub retain: bool,
    /// 5.0 only. A Topic Alias and Subscription Identifiers are refused.
    pub properties: PublishProperties,
}

impl Message {
    /// A message of QoS 0, not retained, without properties.
    ///
    /// # Errors
    /// When the topic is no UTF-8 Encoded String.
    pub fn new(topic: impl Into<String>, payload: impl Into<Vec<u8>>) -> Result<Message, TextError> {
        Ok(Message {
            topic: Utf8String::new(topic)?,
            payload: payload.into(),
            qos: Qos::AtMostOnce,
            retain: false,
            properties: PublishProperties::default(),
        })
    }

    /// The same message at this QoS.
    #[must_use]
    pub fn at(self, qos: Qos) -> Message {
        Message { qos, ..self }
    }

    /// The same message with RETAIN set.
    #[must_use]
    pub fn retained(self) -> Message {
        Message { retain: true, ..self }
    }

    /// The PUBLISH that carries it.
    pub(crate) fn publish(&self, delivery: Delivery) -> Publish {
        Publish {
            delivery,
            retain: self.retain,
            topic: self.topic.clone(),
            properties: self.properties.clone(),
            payload: self.payload.clone(),
        }
    }

    /// How it is delivered above QoS 0 under this identifier.
    pub(crate) fn delivery(&self, packet_id: PacketId, dup: bool) -> Delivery {
        match self.qos {
            Qos::AtMostOnce => Delivery::AtMostOnce,
            Qos::AtLeastOnce => Delivery::AtLeastOnce { packet_id, dup },
            Qos::ExactlyOnce => Delivery::ExactlyOnce { packet_id, dup },
        }
    }
}

/// An Application Message that the Server delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Topic Name, a Topic Alias already resolved.
    pub topic: Utf8String,
    /// The content.
    pub payload: Vec<u8>,
    /// The QoS of this delivery.
    pub qos: Qos,
    /// RETAIN as the Server set it.
    pub retain: bool,
    /// DUP: the Server says that this may be a repetition.
    pub dup: bool,
    /// 5.0 only.
    pub properties: PublishProperties,
}
