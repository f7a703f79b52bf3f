//! Properties of 5.0: one table of all properties, one set of them for each packet.
//!
//! A set is a struct with one field for each property that its packet may carry, so a packet with a foreign property
//! cannot be built. Sets and wire meet in [`Property`], a single property as it stands in a packet.

use super::{Qos, Utf8String};
use std::fmt;
use std::num::{NonZeroU16, NonZeroU32};

/// A User Property: name and value.
pub type UserProperty = (Utf8String, Utf8String);

/// A Subscription Identifier: 1 to 268,435,455.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionIdentifier(NonZeroU32);

impl SubscriptionIdentifier {
    /// The largest value that a Variable Byte Integer can hold.
    pub const MAXIMUM: u32 = 268_435_455;

    /// `value` as an identifier, if it is in range.
    #[must_use]
    pub fn new(value: u32) -> Option<SubscriptionIdentifier> {
        NonZeroU32::new(value).filter(|v| v.get() <= Self::MAXIMUM).map(SubscriptionIdentifier)
    }

    /// The number on the wire.
    #[must_use]
    pub fn value(self) -> u32 {
        self.0.get()
    }
}

macro_rules! properties {
    ($($id:literal $variant:ident($type:ty) $name:literal;)*) => {
        /// The identifier of a property.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum PropertyId { $(#[doc = $name] $variant = $id,)* }

        impl PropertyId {
            /// All identifiers in order.
            pub const ALL: &'static [PropertyId] = &[$(PropertyId::$variant,)*];

            /// The name as the standard prints it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(PropertyId::$variant => $name,)* }
            }
        }

        /// One property with its value.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum Property { $(#[doc = $name] $variant($type),)* }

        impl Property {
            /// Its identifier.
            #[must_use]
            pub fn id(&self) -> PropertyId {
                match self { $(Property::$variant(_) => PropertyId::$variant,)* }
            }
        }
    };
}

properties! {
    0x01 PayloadFormatIndicator(bool) "Payload Format Indicator";
    0x02 MessageExpiryInterval(u32) "Message Expiry Interval";
    0x03 ContentType(Utf8String) "Content Type";
    0x08 ResponseTopic(Utf8String) "Response Topic";
    0x09 CorrelationData(Vec<u8>) "Correlation Data";
    0x0B SubscriptionIdentifier(SubscriptionIdentifier) "Subscription Identifier";
    0x11 SessionExpiryInterval(u32) "Session Expiry Interval";
    0x12 AssignedClientIdentifier(Utf8String) "Assigned Client Identifier";
    0x13 ServerKeepAlive(u16) "Server Keep Alive";
    0x15 AuthenticationMethod(Utf8String) "Authentication Method";
    0x16 AuthenticationData(Vec<u8>) "Authentication Data";
    0x17 RequestProblemInformation(bool) "Request Problem Information";
    0x18 WillDelayInterval(u32) "Will Delay Interval";
    0x19 RequestResponseInformation(bool) "Request Response Information";
    0x1A ResponseInformation(Utf8String) "Response Information";
    0x1C ServerReference(Utf8String) "Server Reference";
    0x1F ReasonString(Utf8String) "Reason String";
    0x21 ReceiveMaximum(NonZeroU16) "Receive Maximum";
    0x22 TopicAliasMaximum(u16) "Topic Alias Maximum";
    0x23 TopicAlias(NonZeroU16) "Topic Alias";
    0x24 MaximumQos(Qos) "Maximum QoS";
    0x25 RetainAvailable(bool) "Retain Available";
    0x26 UserProperty(UserProperty) "User Property";
    0x27 MaximumPacketSize(NonZeroU32) "Maximum Packet Size";
    0x28 WildcardSubscriptionAvailable(bool) "Wildcard Subscription Available";
    0x29 SubscriptionIdentifierAvailable(bool) "Subscription Identifier Available";
    0x2A SharedSubscriptionAvailable(bool) "Shared Subscription Available";
}

impl PropertyId {
    /// The property with this identifier, if 5.0 defines one.
    #[must_use]
    pub fn from_value(value: u8) -> Option<PropertyId> {
        PropertyId::ALL.iter().copied().find(|id| *id as u8 == value)
    }
}

impl fmt::Display for PropertyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Why a property cannot join a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyMisuse {
    /// The packet may not carry it.
    NotPermittedHere,
    /// The packet may carry it once, and has it already.
    Repeated,
}

/// The properties of one kind of packet.
pub trait PropertySet: Default {
    /// Its properties, in order of their identifiers; repeated ones in the order given.
    fn to_properties(&self) -> Vec<Property>;

    /// Adds a property.
    ///
    /// # Errors
    /// When the packet may not carry it, or not twice.
    fn add(&mut self, property: Property) -> Result<(), PropertyMisuse>;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.to_properties().is_empty()
    }
}

/// A field of a set: one value at most, or a list.
trait Slot<T> {
    fn fill(&mut self, value: T) -> Result<(), PropertyMisuse>;
    fn values(&self) -> Vec<T>;
}

impl<T: Clone> Slot<T> for Option<T> {
    fn fill(&mut self, value: T) -> Result<(), PropertyMisuse> {
        match self {
            Some(_) => Err(PropertyMisuse::Repeated),
            None => {
                *self = Some(value);
                Ok(())
            }
        }
    }

    fn values(&self) -> Vec<T> {
        self.iter().cloned().collect()
    }
}

impl<T: Clone> Slot<T> for Vec<T> {
    fn fill(&mut self, value: T) -> Result<(), PropertyMisuse> {
        self.push(value);
        Ok(())
    }

    fn values(&self) -> Vec<T> {
        self.clone()
    }
}

macro_rules! property_sets {
    ($($(#[$doc:meta])* $set:ident { $($field:ident: $type:ty = $variant:ident,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each field is the property of its name")]
        pub struct $set { $(pub $field: $type,)* }

        impl PropertySet for $set {
            fn to_properties(&self) -> Vec<Property> {
                let mut all = Vec::new();
                $(all.extend(self.$field.values().into_iter().map(Property::$variant));)*
                all
            }

            fn add(&mut self, property: Property) -> Result<(), PropertyMisuse> {
                match property {
                    $(Property::$variant(value) => self.$field.fill(value),)*
                    _ => Err(PropertyMisuse::NotPermittedHere),
                }
            }
        }
    )*};
}

property_sets! {
    /// Properties of CONNECT.
    ConnectProperties {
        session_expiry_interval: Option<u32> = SessionExpiryInterval,
        authentication_method: Option<Utf8String> = AuthenticationMethod,
        authentication_data: Option<Vec<u8>> = AuthenticationData,
        request_problem_information: Option<bool> = RequestProblemInformation,
        request_response_information: Option<bool> = RequestResponseInformation,
        receive_maximum: Option<NonZeroU16> = ReceiveMaximum,
        topic_alias_maximum: Option<u16> = TopicAliasMaximum,
        user_properties: Vec<UserProperty> = UserProperty,
        maximum_packet_size: Option<NonZeroU32> = MaximumPacketSize,
    }
    /// Properties of the Will in CONNECT.
    WillProperties {
        payload_format_indicator: Option<bool> = PayloadFormatIndicator,
        message_expiry_interval: Option<u32> = MessageExpiryInterval,
        content_type: Option<Utf8String> = ContentType,
        response_topic: Option<Utf8String> = ResponseTopic,
        correlation_data: Option<Vec<u8>> = CorrelationData,
        will_delay_interval: Option<u32> = WillDelayInterval,
        user_properties: Vec<UserProperty> = UserProperty,
    }
    /// Properties of CONNACK.
    ConnackProperties {
        session_expiry_interval: Option<u32> = SessionExpiryInterval,
        assigned_client_identifier: Option<Utf8String> = AssignedClientIdentifier,
        server_keep_alive: Option<u16> = ServerKeepAlive,
        authentication_method: Option<Utf8String> = AuthenticationMethod,
        authentication_data: Option<Vec<u8>> = AuthenticationData,
        response_information: Option<Utf8String> = ResponseInformation,
        server_reference: Option<Utf8String> = ServerReference,
        reason_string: Option<Utf8String> = ReasonString,
        receive_maximum: Option<NonZeroU16> = ReceiveMaximum,
        topic_alias_maximum: Option<u16> = TopicAliasMaximum,
        maximum_qos: Option<Qos> = MaximumQos,
        retain_available: Option<bool> = RetainAvailable,
        user_properties: Vec<UserProperty> = UserProperty,
        maximum_packet_size: Option<NonZeroU32> = MaximumPacketSize,
        wildcard_subscription_available: Option<bool> = WildcardSubscriptionAvailable,
        subscription_identifier_available: Option<bool> = SubscriptionIdentifierAvailable,
        shared_subscription_available: Option<bool> = SharedSubscriptionAvailable,
    }
    /// Properties of PUBLISH.
    PublishProperties {
        payload_format_indicator: Option<bool> = PayloadFormatIndicator,
        message_expiry_interval: Option<u32> = MessageExpiryInterval,
        content_type: Option<Utf8String> = ContentType,
        response_topic: Option<Utf8String> = ResponseTopic,
        correlation_data: Option<Vec<u8>> = CorrelationData,
        subscription_identifiers: Vec<SubscriptionIdentifier> = SubscriptionIdentifier,
        topic_alias: Option<NonZeroU16> = TopicAlias,
        user_properties: Vec<UserProperty> = UserProperty,
    }
    /// Properties of SUBSCRIBE.
    SubscribeProperties {
        subscription_identifier: Option<SubscriptionIdentifier> = SubscriptionIdentifier,
        user_properties: Vec<UserProperty> = UserProperty,
    }
    /// Properties of UNSUBSCRIBE.
    UnsubscribeProperties {
        user_properties: Vec<UserProperty> = UserProperty,
    }
    /// Properties of PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK and UNSUBACK.
    ReasonProperties {
        reason_string: Option<Utf8String> = ReasonString,
        user_properties: Vec<UserProperty> = UserProperty,
    }
    /// Properties of DISCONNECT.
    DisconnectProperties {
        session_expiry_interval: Option<u32> = SessionExpiryInterval,
        server_reference: Option<Utf8String> = ServerReference,
        reason_string: Option<Utf8String> = ReasonString,
        user_properties: Vec<UserProperty> = UserProperty,
    }
    /// Properties of AUTH.
    AuthProperties {
        authentication_method: Option<Utf8String> = AuthenticationMethod,
        authentication_data: Option<Vec<u8>> = AuthenticationData,
        reason_string: Option<Utf8String> = ReasonString,
        user_properties: Vec<UserProperty> = UserProperty,
    }
}
