//! A message of a device as the business server gets it over AMQP.

use std::fmt;

/// A message of a device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PlatformMessage {
    /// `topic` (P-AMQ-6).
    pub topic: String,
    /// `messageId` (P-AMQ-6): who gets it twice knows it by this (P-AMQ-11).
    pub message_id: String,
    /// `generateTime` in milliseconds since 1970 (P-AMQ-6).
    pub generate_time: Option<u64>,
    /// `qos`.
    pub qos: Option<u8>,
    /// `responseTopic`.
    pub response_topic: Option<String>,
    /// `correlationData`: Base64 (P-V5-14).
    pub correlation_data: Option<String>,
    /// `userProperties`.
    pub user_properties: Option<String>,
    /// The body.
    pub payload: Vec<u8>,
}

/// Without what is different each time: number and time.
impl fmt::Display for PlatformMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message {} {:?}", self.topic, String::from_utf8_lossy(&self.payload))?;
        if let Some(qos) = self.qos {
            write!(f, " qos{qos}")?;
        }
        if let Some(topic) = &self.response_topic {
            write!(f, " response-topic {topic}")?;
        }
        if let Some(data) = &self.correlation_data {
            write!(f, " correlation-data {data}")?;
        }
        if let Some(properties) = &self.user_properties {
            write!(f, " user-properties {properties}")?;
        }
        Ok(())
    }
}
