//! Arbitrary packets that a side of a version may send.

use model::packet::{
    Acknowledgement, Auth, AuthProperties, Connack, ConnackCode, Connect, ConnectReturnCode, Delivery, Disconnect,
    Packet, PacketId, PacketType, Property, PropertyId, PropertySet, ProtocolVersion, Publish, Qos, ReasonCode,
    ReasonProperties, RetainHandling, Suback, Subscribe, SubscriptionIdentifier, SubscriptionOptions,
    SubscriptionRequest, Unsuback, Unsubscribe, Utf8String, Will,
};
use model::wire::Sender;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;
use std::num::{NonZeroU16, NonZeroU32};

/// The same cases in every run: a failure here is a failure everywhere.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(5), ..ProptestConfig::default() }
}

pub(crate) fn version() -> impl Strategy<Value = ProtocolVersion> {
    select(&ProtocolVersion::ALL[..])
}

pub(crate) fn sender() -> impl Strategy<Value = Sender> {
    select(&[Sender::Client, Sender::Server][..])
}

/// A version, a sender, and packets that this sender may send in it.
pub(crate) fn traffic(count: usize) -> impl Strategy<Value = (ProtocolVersion, Sender, Vec<Packet>)> {
    (version(), sender())
        .prop_flat_map(move |(version, sender)| (Just(version), Just(sender), vec(packet(version, sender), 1..=count)))
}

/// A packet that `sender` may send.
pub(crate) fn packet(version: ProtocolVersion, sender: Sender) -> BoxedStrategy<Packet> {
    let types: Vec<PacketType> =
        PacketType::ALL.into_iter().filter(|packet_type| sender.may_send(*packet_type, version)).collect();
    select(types).prop_flat_map(move |packet_type| packet_of_type(packet_type, version, sender)).boxed()
}

fn packet_of_type(packet_type: PacketType, version: ProtocolVersion, sender: Sender) -> BoxedStrategy<Packet> {
    match packet_type {
        PacketType::Connect => connect(version).prop_map(Packet::Connect).boxed(),
        PacketType::Connack => connack(version).prop_map(Packet::Connack).boxed(),
        PacketType::Publish => publish(version, sender).prop_map(Packet::Publish).boxed(),
        PacketType::Puback => acknowledgement(packet_type, version).prop_map(Packet::Puback).boxed(),
        PacketType::Pubrec => acknowledgement(packet_type, version).prop_map(Packet::Pubrec).boxed(),
        PacketType::Pubrel => acknowledgement(packet_type, version).prop_map(Packet::Pubrel).boxed(),
        PacketType::Pubcomp => acknowledgement(packet_type, version).prop_map(Packet::Pubcomp).boxed(),
        PacketType::Subscribe => subscribe(version).prop_map(Packet::Subscribe).boxed(),
        PacketType::Suback => suback(version).prop_map(Packet::Suback).boxed(),
        PacketType::Unsubscribe => unsubscribe(version).prop_map(Packet::Unsubscribe).boxed(),
        PacketType::Unsuback => unsuback(version).prop_map(Packet::Unsuback).boxed(),
        PacketType::Pingreq => Just(Packet::Pingreq).boxed(),
        PacketType::Pingresp => Just(Packet::Pingresp).boxed(),
        PacketType::Disconnect => disconnect(version, sender).prop_map(Packet::Disconnect).boxed(),
        PacketType::Auth => auth(sender).prop_map(Packet::Auth).boxed(),
    }
}

/// Texts of 0 to 12 characters from all of Unicode, with U+FEFF and the ASCII of topics more often than by chance.
pub(crate) fn text() -> impl Strategy<Value = Utf8String> {
    let character = prop_oneof![
        6 => select(&['a', 'b', '/', '+', '#', '$', ' ', '\u{FEFF}', 'é', '語'][..]),
        1 => any::<char>().prop_filter("strings hold no U+0000", |c| *c != '\0'),
    ];
    vec(character, 0..12).prop_map(|characters| Utf8String::new(characters.into_iter().collect::<String>()).unwrap())
}

fn topic() -> impl Strategy<Value = Utf8String> {
    text().prop_filter_map("a topic has a character", |text| (!text.is_empty()).then_some(text))
}

fn binary() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..20)
}

/// Payloads, some long enough for a Remaining Length of two and three bytes.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![8 => binary(), 2 => vec(any::<u8>(), 100..400), 1 => Just(vec![7; 20_000])]
}

fn packet_id() -> impl Strategy<Value = PacketId> {
    prop_oneof![
        Just(PacketId::FIRST),
        any::<NonZeroU16>().prop_map(PacketId),
        Just(PacketId::new(u16::MAX).expect("not zero")),
    ]
}

fn qos() -> impl Strategy<Value = Qos> {
    select(&Qos::ALL[..])
}

fn connect(version: ProtocolVersion) -> impl Strategy<Value = Connect> {
    let will = (topic(), binary(), qos(), any::<bool>(), properties(version, &[]))
        .prop_map(|(topic, payload, qos, retain, properties)| Will { topic, payload, qos, retain, properties });
    let session = (any::<bool>(), any::<u16>(), text());
    (session, properties(version, &[]), option::of(will), option::of(text()), option::of(binary())).prop_map(
        move |((clean_start, keep_alive, client_id), properties, will, user_name, mut password)| {
            if user_name.is_none() && version != ProtocolVersion::V5_0 {
                password = None;
            }
            let mut connect = Connect { clean_start, keep_alive, properties, client_id, will, user_name, password };
            if connect.properties.authentication_method.is_none() {
                connect.properties.authentication_data = None;
            }
            connect
        },
    )
}

fn connack(version: ProtocolVersion) -> impl Strategy<Value = Connack> {
    let code = match version {
        ProtocolVersion::V5_0 => {
            select(codes(PacketType::Connack, Sender::Server)).prop_map(ConnackCode::Reason).boxed()
        }
        _ => select(&ConnectReturnCode::ALL[..]).prop_map(ConnackCode::Return).boxed(),
    };
    (any::<bool>(), code, properties(version, &[])).prop_map(move |(session_present, code, properties)| Connack {
        session_present: session_present && code.is_accepted() && version != ProtocolVersion::V3_1,
        code,
        properties,
    })
}

fn publish(version: ProtocolVersion, sender: Sender) -> impl Strategy<Value = Publish> {
    let delivery = (qos(), packet_id(), any::<bool>()).prop_map(|(qos, packet_id, dup)| match qos {
        Qos::AtMostOnce => Delivery::AtMostOnce,
        Qos::AtLeastOnce => Delivery::AtLeastOnce { packet_id, dup },
        Qos::ExactlyOnce => Delivery::ExactlyOnce { packet_id, dup },
    });
    let barred: &'static [PropertyId] = match sender {
        Sender::Client => &[PropertyId::SubscriptionIdentifier],
        Sender::Server => &[],
    };
    (delivery, any::<bool>(), topic(), properties(version, barred), payload(), any::<bool>()).prop_map(
        |(delivery, retain, topic, properties, payload, alias_only)| {
            let mut publish = Publish { delivery, retain, topic, properties, payload };
            if alias_only && publish.properties.topic_alias.is_some() {
                publish.topic = Utf8String::default();
            }
            publish
        },
    )
}

fn acknowledgement(packet: PacketType, version: ProtocolVersion) -> impl Strategy<Value = Acknowledgement> {
    (packet_id(), reason(packet, version, Sender::Server), properties(version, &[]))
        .prop_map(|(packet_id, reason, properties)| Acknowledgement { packet_id, reason, properties })
}

fn subscribe(version: ProtocolVersion) -> impl Strategy<Value = Subscribe> {
    let retain_handling = select(&[RetainHandling::Send, RetainHandling::SendIfNew, RetainHandling::DoNotSend][..]);
    let options = (qos(), any::<bool>(), any::<bool>(), retain_handling).prop_map(
        move |(qos, no_local, retain_as_published, retain_handling)| match version {
            ProtocolVersion::V5_0 => SubscriptionOptions { qos, no_local, retain_as_published, retain_handling },
            _ => SubscriptionOptions { qos, ..SubscriptionOptions::default() },
        },
    );
    let request = (text(), options).prop_map(|(filter, options)| SubscriptionRequest { filter, options });
    (packet_id(), properties(version, &[]), vec(request, 1..4))
        .prop_map(|(packet_id, properties, requests)| Subscribe { packet_id, properties, requests })
}

fn suback(version: ProtocolVersion) -> impl Strategy<Value = Suback> {
    let all = match version {
        ProtocolVersion::V3_1 => vec![ReasonCode::Success, ReasonCode::GrantedQos1, ReasonCode::GrantedQos2],
        ProtocolVersion::V3_1_1 => {
            vec![ReasonCode::Success, ReasonCode::GrantedQos1, ReasonCode::GrantedQos2, ReasonCode::UnspecifiedError]
        }
        ProtocolVersion::V5_0 => codes(PacketType::Suback, Sender::Server),
    };
    (packet_id(), properties(version, &[]), vec(select(all), 1..4)).prop_map(|(packet_id, properties, codes)| Suback {
        packet_id,
        properties,
        codes,
    })
}

fn unsubscribe(version: ProtocolVersion) -> impl Strategy<Value = Unsubscribe> {
    (packet_id(), properties(version, &[]), vec(text(), 1..4))
        .prop_map(|(packet_id, properties, filters)| Unsubscribe { packet_id, properties, filters })
}

fn unsuback(version: ProtocolVersion) -> impl Strategy<Value = Unsuback> {
    let count = if version == ProtocolVersion::V5_0 { 1..4 } else { 0..1 };
    let codes = vec(select(codes(PacketType::Unsuback, Sender::Server)), count);
    (packet_id(), properties::<ReasonProperties>(version, &[]), codes)
        .prop_map(|(packet_id, properties, codes)| Unsuback { packet_id, properties, codes })
}

fn disconnect(version: ProtocolVersion, sender: Sender) -> impl Strategy<Value = Disconnect> {
    let barred: &'static [PropertyId] = match sender {
        Sender::Client => &[],
        Sender::Server => &[PropertyId::SessionExpiryInterval],
    };
    (reason(PacketType::Disconnect, version, sender), properties(version, barred))
        .prop_map(|(reason, properties)| Disconnect { reason, properties })
}

fn auth(sender: Sender) -> impl Strategy<Value = Auth> {
    let version = ProtocolVersion::V5_0;
    (reason(PacketType::Auth, version, sender), properties(version, &[]), text(), any::<bool>()).prop_map(
        |(reason, properties, method, short)| {
            if short && reason == ReasonCode::Success {
                return Auth { reason, properties: AuthProperties::default() };
            }
            Auth { reason, properties: AuthProperties { authentication_method: Some(method), ..properties } }
        },
    )
}

fn reason(packet: PacketType, version: ProtocolVersion, sender: Sender) -> BoxedStrategy<ReasonCode> {
    match version {
        ProtocolVersion::V5_0 => select(codes(packet, sender)).boxed(),
        _ => Just(ReasonCode::Success).boxed(),
    }
}

fn codes(packet: PacketType, sender: Sender) -> Vec<ReasonCode> {
    ReasonCode::ALL.iter().copied().filter(|code| sender.may_give(*code, packet)).collect()
}

/// A set with some of the properties that it may have, without the barred ones; empty before 5.0.
fn properties<S>(version: ProtocolVersion, barred: &'static [PropertyId]) -> BoxedStrategy<S>
where
    S: PropertySet + std::fmt::Debug + Clone + 'static,
{
    if !version.has_properties() {
        return Just(S::default()).boxed();
    }
    let permitted: Vec<PropertyId> = PropertyId::ALL
        .iter()
        .copied()
        .filter(|id| !barred.contains(id) && S::default().add(example(*id)).is_ok())
        .collect();
    vec(select(permitted).prop_flat_map(property), 0..6)
        .prop_map(|properties| {
            let mut set = S::default();
            for property in properties {
                // What may come only once stays as it came first.
                let _ = set.add(property);
            }
            set
        })
        .boxed()
}

fn example(id: PropertyId) -> Property {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    property(id).new_tree(&mut runner).expect("no filter can exhaust it").current()
}

/// A property with any value that it may have.
pub(crate) fn property(id: PropertyId) -> BoxedStrategy<Property> {
    match id {
        PropertyId::PayloadFormatIndicator => any::<bool>().prop_map(Property::PayloadFormatIndicator).boxed(),
        PropertyId::MessageExpiryInterval => any::<u32>().prop_map(Property::MessageExpiryInterval).boxed(),
        PropertyId::ContentType => text().prop_map(Property::ContentType).boxed(),
        PropertyId::ResponseTopic => text().prop_map(Property::ResponseTopic).boxed(),
        PropertyId::CorrelationData => binary().prop_map(Property::CorrelationData).boxed(),
        PropertyId::SubscriptionIdentifier => prop_oneof![1..200u32, 1..=SubscriptionIdentifier::MAXIMUM]
            .prop_map(|value| SubscriptionIdentifier::new(value).expect("in range"))
            .prop_map(Property::SubscriptionIdentifier)
            .boxed(),
        PropertyId::SessionExpiryInterval => any::<u32>().prop_map(Property::SessionExpiryInterval).boxed(),
        PropertyId::AssignedClientIdentifier => text().prop_map(Property::AssignedClientIdentifier).boxed(),
        PropertyId::ServerKeepAlive => any::<u16>().prop_map(Property::ServerKeepAlive).boxed(),
        PropertyId::AuthenticationMethod => text().prop_map(Property::AuthenticationMethod).boxed(),
        PropertyId::AuthenticationData => binary().prop_map(Property::AuthenticationData).boxed(),
        PropertyId::RequestProblemInformation => any::<bool>().prop_map(Property::RequestProblemInformation).boxed(),
        PropertyId::WillDelayInterval => any::<u32>().prop_map(Property::WillDelayInterval).boxed(),
        PropertyId::RequestResponseInformation => any::<bool>().prop_map(Property::RequestResponseInformation).boxed(),
        PropertyId::ResponseInformation => text().prop_map(Property::ResponseInformation).boxed(),
        PropertyId::ServerReference => text().prop_map(Property::ServerReference).boxed(),
        PropertyId::ReasonString => text().prop_map(Property::ReasonString).boxed(),
        PropertyId::ReceiveMaximum => any::<NonZeroU16>().prop_map(Property::ReceiveMaximum).boxed(),
        PropertyId::TopicAliasMaximum => any::<u16>().prop_map(Property::TopicAliasMaximum).boxed(),
        PropertyId::TopicAlias => any::<NonZeroU16>().prop_map(Property::TopicAlias).boxed(),
        PropertyId::MaximumQos => {
            select(&[Qos::AtMostOnce, Qos::AtLeastOnce][..]).prop_map(Property::MaximumQos).boxed()
        }
        PropertyId::RetainAvailable => any::<bool>().prop_map(Property::RetainAvailable).boxed(),
        PropertyId::UserProperty => (text(), text()).prop_map(Property::UserProperty).boxed(),
        PropertyId::MaximumPacketSize => any::<NonZeroU32>().prop_map(Property::MaximumPacketSize).boxed(),
        PropertyId::WildcardSubscriptionAvailable => {
            any::<bool>().prop_map(Property::WildcardSubscriptionAvailable).boxed()
        }
        PropertyId::SubscriptionIdentifierAvailable => {
            any::<bool>().prop_map(Property::SubscriptionIdentifierAvailable).boxed()
        }
        PropertyId::SharedSubscriptionAvailable => {
            any::<bool>().prop_map(Property::SharedSubscriptionAvailable).boxed()
        }
    }
}
