//! What can be taken out of a packet that is bound to a variable: `$m.id`, `$m.payload`, `$m.receive_maximum`.

use super::answer::correlation_data;
use super::property::{full, named};
use super::value::Bound;
use model::cloud::{Answer, PlatformMessage};
use model::packet::{
    Acknowledgement, Auth, Connack, ConnackCode, Connect, Delivery, Disconnect, Packet, PacketId, PacketType, Property,
    PropertySet, Publish, ReasonCode, Suback, Subscribe, Unsuback, Unsubscribe, Utf8String,
};

/// What a variable can stand for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Thing {
    Packet(Box<Packet>),
    /// A request to the API: its answer names it.
    Request,
    Answer(Box<Answer>),
    Message(Box<PlatformMessage>),
}

impl Thing {
    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Thing::Packet(packet) => packet.packet_type().name(),
            Thing::Request => "request",
            Thing::Answer(_) => "answer",
            Thing::Message(_) => "message",
        }
    }
}

/// What a packet says about a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    /// It has the field.
    Is(Bound),
    /// It might have, but has not.
    Absent,
    /// No packet of its type has such a field.
    Unknown,
}

impl From<Option<Bound>> for Field {
    fn from(bound: Option<Bound>) -> Self {
        bound.map_or(Field::Absent, Field::Is)
    }
}

/// The field of what a variable stands for.
pub(super) fn field(thing: &Thing, name: &str) -> Field {
    let words = |value: &Option<String>| value.clone().map(Bound::Text).into();
    match thing {
        Thing::Packet(packet) => of_packet(packet, name),
        Thing::Request => Field::Unknown,
        Thing::Answer(answer) => match name {
            "success" => Field::Is(Bound::Flag(answer.success)),
            "code" => words(&answer.code),
            "message_id" => words(&answer.message_id),
            "payload" => answer.payload.clone().map(Bound::Bytes).into(),
            _ => Field::Unknown,
        },
        Thing::Message(message) => match name {
            "topic" => Field::Is(Bound::Text(message.topic.clone())),
            "message_id" => Field::Is(Bound::Text(message.message_id.clone())),
            "payload" => Field::Is(Bound::Bytes(message.payload.clone())),
            "qos" => message.qos.map(|qos| Bound::Number(qos.into())).into(),
            "response_topic" => words(&message.response_topic),
            "correlation_data" => correlation_data(message).map(Bound::Bytes).into(),
            _ => Field::Unknown,
        },
    }
}

/// An answer and a message that have all fields, to check scripts that are not being played.
pub(super) fn samples() -> (Answer, PlatformMessage) {
    let some = || Some(String::new());
    let answer = Answer { code: some(), message_id: some(), payload: Some(Vec::new()), ..Answer::done() };
    let message = PlatformMessage {
        qos: Some(0),
        response_topic: some(),
        correlation_data: some(),
        user_properties: some(),
        ..PlatformMessage::default()
    };
    (answer, message)
}

/// The field of a packet.
fn of_packet(packet: &Packet, name: &str) -> Field {
    let number = |number: u16| Bound::Number(number.into());
    if name == "id" && may_have_id(packet.packet_type()) {
        return packet.packet_id().map(|id| number(id.value())).into();
    }
    match (packet, name) {
        (Packet::Connect(connect), "client_id") => Field::Is(text(&connect.client_id)),
        (Packet::Connect(connect), "keep_alive") => Field::Is(number(connect.keep_alive)),
        (Packet::Connect(connect), _) => property(&connect.properties, name),
        (Packet::Connack(connack), "session_present") => Field::Is(Bound::Flag(connack.session_present)),
        (Packet::Connack(connack), "code") => Field::Is(number(connack.code.value().into())),
        (Packet::Connack(connack), _) => property(&connack.properties, name),
        (Packet::Publish(publish), "topic") => Field::Is(text(&publish.topic)),
        (Packet::Publish(publish), "call") => call_number(&publish.topic).map(|id| Bound::Text(id.to_owned())).into(),
        (Packet::Publish(publish), "payload") => Field::Is(Bound::Bytes(publish.payload.clone())),
        (Packet::Publish(publish), "qos") => Field::Is(number(publish.qos().value().into())),
        (Packet::Publish(publish), "dup") => Field::Is(Bound::Flag(publish.dup())),
        (Packet::Publish(publish), "retain") => Field::Is(Bound::Flag(publish.retain)),
        (Packet::Publish(publish), _) => property(&publish.properties, name),
        (Packet::Puback(a) | Packet::Pubrec(a) | Packet::Pubrel(a) | Packet::Pubcomp(a), "code") => {
            Field::Is(number(a.reason.value().into()))
        }
        (Packet::Puback(a) | Packet::Pubrec(a) | Packet::Pubrel(a) | Packet::Pubcomp(a), _) => {
            property(&a.properties, name)
        }
        (Packet::Subscribe(subscribe), _) => property(&subscribe.properties, name),
        (Packet::Suback(suback), _) => property(&suback.properties, name),
        (Packet::Unsubscribe(unsubscribe), _) => property(&unsubscribe.properties, name),
        (Packet::Unsuback(unsuback), _) => property(&unsuback.properties, name),
        (Packet::Disconnect(disconnect), "code") => Field::Is(number(disconnect.reason.value().into())),
        (Packet::Disconnect(disconnect), _) => property(&disconnect.properties, name),
        (Packet::Auth(auth), "code") => Field::Is(number(auth.reason.value().into())),
        (Packet::Auth(auth), _) => property(&auth.properties, name),
        (Packet::Pingreq | Packet::Pingresp, _) => Field::Unknown,
    }
}

/// The number of the call whose request has this topic (P-RPC-2, P-RPC-3).
fn call_number(topic: &str) -> Option<&str> {
    let system = || topic.strip_prefix("/sys/")?.split_once("/rrpc/request/").map(|(_, id)| id);
    let custom = || topic.strip_prefix("/ext/rrpc/")?.split_once('/').map(|(id, _)| id);
    system().or_else(custom)
}

fn text(text: &Utf8String) -> Bound {
    Bound::Text(text.as_str().to_owned())
}

fn may_have_id(packet: PacketType) -> bool {
    !matches!(
        packet,
        PacketType::Connect
            | PacketType::Connack
            | PacketType::Pingreq
            | PacketType::Pingresp
            | PacketType::Disconnect
            | PacketType::Auth
    )
}

/// The first property of this name.
fn property<S: PropertySet>(set: &S, name: &str) -> Field {
    let Some(id) = named::<S>(name) else { return Field::Unknown };
    match set.to_properties().iter().find(|property| property.id() == id) {
        Some(property) => property_value(property).map_or(Field::Unknown, Field::Is),
        None => Field::Absent,
    }
}

/// The value of a property; a User Property is no single value.
pub(crate) fn property_value(property: &Property) -> Option<Bound> {
    Some(match property {
        Property::PayloadFormatIndicator(flag)
        | Property::RequestProblemInformation(flag)
        | Property::RequestResponseInformation(flag)
        | Property::RetainAvailable(flag)
        | Property::WildcardSubscriptionAvailable(flag)
        | Property::SubscriptionIdentifierAvailable(flag)
        | Property::SharedSubscriptionAvailable(flag) => Bound::Flag(*flag),
        Property::MessageExpiryInterval(number)
        | Property::SessionExpiryInterval(number)
        | Property::WillDelayInterval(number) => Bound::Number((*number).into()),
        Property::ServerKeepAlive(number) | Property::TopicAliasMaximum(number) => Bound::Number((*number).into()),
        Property::ReceiveMaximum(number) | Property::TopicAlias(number) => Bound::Number(number.get().into()),
        Property::MaximumPacketSize(number) => Bound::Number(number.get().into()),
        Property::SubscriptionIdentifier(identifier) => Bound::Number(identifier.value().into()),
        Property::MaximumQos(qos) => Bound::Number(qos.value().into()),
        Property::ContentType(value)
        | Property::ResponseTopic(value)
        | Property::AssignedClientIdentifier(value)
        | Property::AuthenticationMethod(value)
        | Property::ResponseInformation(value)
        | Property::ServerReference(value)
        | Property::ReasonString(value) => text(value),
        Property::CorrelationData(bytes) | Property::AuthenticationData(bytes) => Bound::Bytes(bytes.clone()),
        Property::UserProperty(_) => return None,
    })
}

/// A packet that has all fields, to check scripts that are not being played.
pub(super) fn sample(packet_type: PacketType) -> Packet {
    let packet_id = PacketId::FIRST;
    let reason = ReasonCode::Success;
    let acknowledgement = || Acknowledgement { packet_id, reason, properties: full() };
    match packet_type {
        PacketType::Connect => Packet::Connect(Connect { properties: full(), ..Connect::default() }),
        PacketType::Connack => {
            Packet::Connack(Connack { session_present: false, code: ConnackCode::Reason(reason), properties: full() })
        }
        PacketType::Publish => Packet::Publish(Publish {
            delivery: Delivery::AtLeastOnce { packet_id, dup: false },
            retain: false,
            // The request of a call has all that can be said of a topic.
            topic: Utf8String::new("/ext/rrpc/1/t").unwrap_or_default(),
            properties: full(),
            payload: Vec::new(),
        }),
        PacketType::Puback => Packet::Puback(acknowledgement()),
        PacketType::Pubrec => Packet::Pubrec(acknowledgement()),
        PacketType::Pubrel => Packet::Pubrel(acknowledgement()),
        PacketType::Pubcomp => Packet::Pubcomp(acknowledgement()),
        PacketType::Subscribe => Packet::Subscribe(Subscribe { packet_id, properties: full(), requests: Vec::new() }),
        PacketType::Suback => Packet::Suback(Suback { packet_id, properties: full(), codes: Vec::new() }),
        PacketType::Unsubscribe => {
            Packet::Unsubscribe(Unsubscribe { packet_id, properties: full(), filters: Vec::new() })
        }
        PacketType::Unsuback => Packet::Unsuback(Unsuback { packet_id, properties: full(), codes: Vec::new() }),
        PacketType::Pingreq => Packet::Pingreq,
        PacketType::Pingresp => Packet::Pingresp,
        PacketType::Disconnect => Packet::Disconnect(Disconnect { reason, properties: full() }),
        PacketType::Auth => Packet::Auth(Auth { reason, properties: full() }),
    }
}
