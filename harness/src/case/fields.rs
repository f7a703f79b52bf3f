//! The fields of packets as they are written in YAML, one type for each form of step.
//!
//! Fields that are left out take a default when the packet is sent, and are not compared when it is expected.

use super::code::{Code, CodePattern};
use super::data::Data;
use super::login::LoginFields;
use super::nullable::Nullable;
use super::property::Properties;
use super::schema::OrColumn;
use super::value::{Text, Value};
use model::packet::{
    AuthProperties, ConnackProperties, ConnectProperties, DisconnectProperties, PacketId, PublishProperties, Qos,
    ReasonProperties, RetainHandling, SubscribeProperties, UnsubscribeProperties, WillProperties,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// `-> CONNECT`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ConnectFields {
    /// How a device logs in, on a target that knows its devices; by default as it should.
    #[schemars(with = "Option<OrColumn<LoginFields>>")]
    pub(super) login: Option<Box<LoginFields>>,
    /// Client Identifier; by default the actor's own. Without `|` it is what a device puts before its parameters.
    pub(super) client_id: Option<Text>,
    /// Clean Start of 5.0, Clean Session of 3.x; by default true.
    pub(super) clean: Option<Value<bool>>,
    /// Keep Alive in seconds; by default 60.
    pub(super) keep_alive: Option<Value<u16>>,
    /// User Name; by default the target's; null for none.
    pub(super) user_name: Option<Nullable<Text>>,
    /// Password; by default the target's; null for none.
    pub(super) password: Option<Nullable<Data>>,
    /// The Will; by default none.
    pub(super) will: Option<WillFields>,
    /// Properties of 5.0.
    pub(super) properties: Properties<ConnectProperties>,
}

/// The Will of a CONNECT.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WillFields {
    /// Will Topic.
    pub(super) topic: Text,
    /// Will Payload; by default empty.
    pub(super) payload: Option<Data>,
    /// Will QoS; by default 0.
    pub(super) qos: Option<Value<Qos>>,
    /// Will Retain; by default false.
    pub(super) retain: Option<Value<bool>>,
    /// Properties of 5.0.
    #[serde(default)]
    pub(super) properties: Properties<WillProperties>,
}

/// `<- CONNACK`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ConnackFields {
    /// Session Present.
    pub(super) session_present: Option<Value<bool>>,
    /// Return Code of 3.x or Reason Code of 5.0; their names are interchangeable.
    pub(super) code: Option<CodePattern>,
    /// Properties of 5.0.
    pub(super) properties: Properties<ConnackProperties>,
}

/// `-> PUBLISH` and `<- PUBLISH`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PublishFields {
    /// Topic Name; by default empty, for a Topic Alias.
    pub(super) topic: Option<Text>,
    /// QoS; by default 0.
    pub(super) qos: Option<Value<Qos>>,
    /// RETAIN; by default false.
    pub(super) retain: Option<Value<bool>>,
    /// DUP; by default false.
    pub(super) dup: Option<Value<bool>>,
    /// Packet Identifier; by default the actor's next one.
    pub(super) id: Option<Value<PacketId>>,
    /// The message; by default empty.
    pub(super) payload: Option<Data>,
    /// Properties of 5.0.
    pub(super) properties: Properties<PublishProperties>,
}

/// PUBACK, PUBREC, PUBREL and PUBCOMP in both directions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AcknowledgementFields<C> {
    /// Packet Identifier; by default the oldest that waits for this acknowledgement.
    pub(super) id: Option<Value<PacketId>>,
    /// Reason Code of 5.0; by default success.
    pub(super) code: Option<C>,
    /// Properties of 5.0.
    #[serde(default)]
    pub(super) properties: Properties<ReasonProperties>,
}

/// `-> SUBSCRIBE`: one filter with its options, or a list of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SubscribeFields {
    /// Packet Identifier; by default the actor's next one.
    pub(super) id: Option<Value<PacketId>>,
    /// The only Topic Filter.
    pub(super) filter: Option<Text>,
    /// Its QoS; by default 0.
    pub(super) qos: Option<Value<Qos>>,
    /// Its No Local of 5.0; by default false.
    pub(super) no_local: Option<Value<bool>>,
    /// Its Retain As Published of 5.0; by default false.
    pub(super) retain_as_published: Option<Value<bool>>,
    /// Its Retain Handling of 5.0; by default 0.
    pub(super) retain_handling: Option<Value<RetainHandling>>,
    /// Several Topic Filters.
    pub(super) filters: Option<Vec<FilterFields>>,
    /// Properties of 5.0.
    pub(super) properties: Properties<SubscribeProperties>,
}

/// A Topic Filter of a SUBSCRIBE with its options.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FilterFields {
    /// Topic Filter.
    pub(super) filter: Text,
    /// QoS; by default 0.
    pub(super) qos: Option<Value<Qos>>,
    /// No Local of 5.0; by default false.
    pub(super) no_local: Option<Value<bool>>,
    /// Retain As Published of 5.0; by default false.
    pub(super) retain_as_published: Option<Value<bool>>,
    /// Retain Handling of 5.0; by default 0.
    pub(super) retain_handling: Option<Value<RetainHandling>>,
}

/// `-> UNSUBSCRIBE`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct UnsubscribeFields {
    /// Packet Identifier; by default the actor's next one.
    pub(super) id: Option<Value<PacketId>>,
    /// The only Topic Filter.
    pub(super) filter: Option<Text>,
    /// Several Topic Filters.
    pub(super) filters: Option<Vec<Text>>,
    /// Properties of 5.0.
    pub(super) properties: Properties<UnsubscribeProperties>,
}

/// `<- SUBACK` and `<- UNSUBACK`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SubackFields {
    /// Packet Identifier.
    pub(super) id: Option<Value<PacketId>>,
    /// A code for each filter, in their order. An UNSUBACK of 3.x has none.
    pub(super) codes: Option<Vec<CodePattern>>,
    /// Properties of 5.0.
    pub(super) properties: Properties<ReasonProperties>,
}

/// DISCONNECT in both directions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DisconnectFields<C> {
    /// Reason Code of 5.0; by default success.
    pub(super) code: Option<C>,
    /// Properties of 5.0.
    #[serde(default)]
    pub(super) properties: Properties<DisconnectProperties>,
}

/// AUTH in both directions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthFields<C> {
    /// Reason Code of 5.0; by default continue-authentication.
    pub(super) code: Option<C>,
    /// Properties of 5.0.
    #[serde(default)]
    pub(super) properties: Properties<AuthProperties>,
}

/// PINGREQ and PINGRESP: nothing to say.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoFields {}

/// The packets that a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outgoing {
    Connect(Box<ConnectFields>),
    Publish(PublishFields),
    Puback(AcknowledgementFields<Code>),
    Pubrec(AcknowledgementFields<Code>),
    Pubrel(AcknowledgementFields<Code>),
    Pubcomp(AcknowledgementFields<Code>),
    Subscribe(SubscribeFields),
    Unsubscribe(UnsubscribeFields),
    Pingreq,
    Disconnect(DisconnectFields<Code>),
    Auth(AuthFields<Code>),
}

/// The packets that a server sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Incoming {
    Connack(ConnackFields),
    Publish(PublishFields),
    Puback(AcknowledgementFields<CodePattern>),
    Pubrec(AcknowledgementFields<CodePattern>),
    Pubrel(AcknowledgementFields<CodePattern>),
    Pubcomp(AcknowledgementFields<CodePattern>),
    Suback(SubackFields),
    Unsuback(SubackFields),
    Pingresp,
    Disconnect(DisconnectFields<CodePattern>),
    Auth(AuthFields<CodePattern>),
}

impl SubscribeFields {
    /// Whether it has options of the only filter.
    pub(super) fn has_options(&self) -> bool {
        self.qos.is_some()
            || self.no_local.is_some()
            || self.retain_as_published.is_some()
            || self.retain_handling.is_some()
    }
}
