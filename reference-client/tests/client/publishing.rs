//! Messages to the server.

use crate::scripted::{
    ALL, V3_1_1, V5_0, acknowledgement, connected, connected_to, id, keeping, message, options, publish, qos1, qos2,
    text,
};
use model::packet::{
    Acknowledgement, ConnackProperties, Delivery, Packet, PublishProperties, Qos, ReasonCode, ReasonProperties, Suback,
    SubscribeProperties, SubscriptionIdentifier,
};
use reference_client::{Cause, ConnectOptions, Message, NotSendable, ProtocolVersion, PublishError, Published};
use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn qos_0_is_sent_and_not_answered() {
    for version in ALL {
        let (client, _events, mut server) = connected(options(version)).await;
        assert_eq!(client.publish(message("m1", Qos::AtMostOnce)).await, Ok(Published::Unconfirmed));
        assert_eq!(server.publish().await, publish("m1", Delivery::AtMostOnce));
    }
}

#[tokio::test(start_paused = true)]
async fn qos_1_resolves_on_puback() {
    for version in ALL {
        let (client, _events, mut server) = connected(options(version)).await;
        let published = tokio::spawn(async move { client.publish(message("m1", Qos::AtLeastOnce)).await });
        assert_eq!(server.publish().await, publish("m1", qos1(1, false)));
        server.silence(Duration::from_secs(5)).await;
        assert!(!published.is_finished());
        server.puback(1).await;
        assert_eq!(published.await.unwrap(), Ok(Published::Acknowledged(ReasonCode::Success)));
    }
}

#[tokio::test(start_paused = true)]
async fn qos_2_resolves_on_pubcomp() {
    for version in ALL {
        let (client, _events, mut server) = connected(options(version)).await;
        let published = tokio::spawn(async move { client.publish(message("m1", Qos::ExactlyOnce)).await });
        assert_eq!(server.publish().await, publish("m1", qos2(1, false)));
        server.send(&Packet::Pubrec(acknowledgement(1))).await;
        assert_eq!(server.expect().await, Packet::Pubrel(acknowledgement(1)));
        assert!(!published.is_finished());
        server.send(&Packet::Pubcomp(acknowledgement(1))).await;
        assert_eq!(published.await.unwrap(), Ok(Published::Acknowledged(ReasonCode::Success)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejection_is_told_and_frees_the_identifier() {
    let (client, _events, mut server) = connected(options(V5_0)).await;
    for (qos, packet) in
        [(Qos::AtLeastOnce, Packet::Puback as fn(Acknowledgement) -> Packet), (Qos::ExactlyOnce, Packet::Pubrec)]
    {
        let publishing = client.clone();
        let published = tokio::spawn(async move { publishing.publish(message("m1", qos)).await });
        let packet_id = server.publish().await.packet_id().unwrap();
        let properties = ReasonProperties { reason_string: Some(text("no")), ..ReasonProperties::default() };
        server.send(&packet(Acknowledgement { packet_id, reason: ReasonCode::NotAuthorized, properties })).await;
        assert_eq!(
            published.await.unwrap(),
            Err(PublishError::Rejected { reason: ReasonCode::NotAuthorized, reason_string: Some(text("no")) })
        );
    }
    // No PUBREL followed the PUBREC: the next packet is another message.
    client.publish(message("m2", Qos::AtMostOnce)).await.unwrap();
    assert_eq!(server.publish().await.payload, b"m2");
}

#[tokio::test(start_paused = true)]
async fn at_receive_maximum_messages_wait_and_nothing_else() {
    let properties = ConnackProperties { receive_maximum: NonZeroU16::new(2), ..ConnackProperties::default() };
    let (client, _events, mut server) = connected_to(options(V5_0), false, properties).await;
    for payload in ["m1", "m2", "m3"] {
        let client = client.clone();
        tokio::spawn(async move { client.publish(message(payload, Qos::AtLeastOnce)).await });
    }
    assert_eq!(server.publish().await, publish("m1", qos1(1, false)));
    assert_eq!(server.publish().await, publish("m2", qos1(2, false)));
    server.silence(Duration::from_secs(5)).await;
    let subscribed = {
        let client = client.clone();
        tokio::spawn(async move { client.subscribe("t/#", Qos::AtLeastOnce).await })
    };
    let Packet::Subscribe(subscribe) = server.expect().await else { panic!("SUBSCRIBE does not wait") };
    let packet_id = subscribe.packet_id;
    let codes = vec![ReasonCode::GrantedQos1];
    server.send(&Packet::Suback(Suback { packet_id, properties: ReasonProperties::default(), codes })).await;
    assert_eq!(subscribed.await.unwrap(), Ok(Qos::AtLeastOnce));
    // Any of the two frees a place.
    server.puback(2).await;
    let third = server.publish().await;
    assert_eq!((third.payload.as_slice(), third.dup()), (b"m3".as_slice(), false));
    assert_ne!(third.packet_id(), Some(id(1)), "identifier 1 is in use");
}

#[tokio::test(start_paused = true)]
async fn what_the_server_does_not_offer_is_not_sent() {
    let properties = ConnackProperties {
        maximum_qos: Some(Qos::AtMostOnce),
        retain_available: Some(false),
        maximum_packet_size: NonZeroU32::new(20),
        wildcard_subscription_available: Some(false),
        shared_subscription_available: Some(false),
        subscription_identifier_available: Some(false),
        ..ConnackProperties::default()
    };
    let (client, _events, mut server) = connected_to(options(V5_0), false, properties).await;
    assert_eq!(
        client.publish(message("m1", Qos::AtLeastOnce)).await,
        Err(NotSendable::QosNotSupported { asked: Qos::AtLeastOnce, maximum: Qos::AtMostOnce }.into())
    );
    assert_eq!(
        client.publish(message("m1", Qos::AtMostOnce).retained()).await,
        Err(NotSendable::RetainNotAvailable.into())
    );
    // Fixed header 2, topic 5, Property Length 1: 12 bytes of payload fit.
    assert_eq!(
        client.publish(message(&"x".repeat(13), Qos::AtMostOnce)).await,
        Err(NotSendable::PacketTooLarge { size: 21, maximum: 20 }.into())
    );
    assert_eq!(
        client.subscribe("t/#", Qos::AtMostOnce).await,
        Err(NotSendable::WildcardNotAvailable(text("t/#")).into())
    );
    assert_eq!(
        client.subscribe("$share/g/t", Qos::AtMostOnce).await,
        Err(NotSendable::SharedNotAvailable(text("$share/g/t")).into())
    );
    let properties = SubscribeProperties {
        subscription_identifier: SubscriptionIdentifier::new(1),
        ..SubscribeProperties::default()
    };
    assert_eq!(
        client.subscribe_to(Vec::new(), properties).await,
        Err(NotSendable::SubscriptionIdentifierNotAvailable.into())
    );
    // The first packet that the server sees is the one that fits exactly.
    let fitting = "x".repeat(12);
    client.publish(message(&fitting, Qos::AtMostOnce)).await.unwrap();
    assert_eq!(server.publish().await.payload, fitting.as_bytes());
}

#[tokio::test(start_paused = true)]
async fn what_the_standard_forbids_is_not_sent() {
    let (client, _events, mut server) = connected(options(V5_0)).await;
    let with = |properties: PublishProperties| Message { properties, ..message("m1", Qos::AtMostOnce) };
    for wrong in [
        Message::new("", "m1").unwrap(),
        Message::new("t/+", "m1").unwrap(),
        with(PublishProperties { topic_alias: NonZeroU16::new(1), ..PublishProperties::default() }),
        with(PublishProperties { response_topic: Some(text("t/#")), ..PublishProperties::default() }),
        with(PublishProperties {
            subscription_identifiers: vec![SubscriptionIdentifier::new(1).unwrap()],
            ..PublishProperties::default()
        }),
    ] {
        let outcome = client.publish(wrong.clone()).await;
        assert!(matches!(outcome, Err(PublishError::NotSendable(_))), "{wrong:?}: {outcome:?}");
    }
    client.disconnect().await.unwrap();
    assert!(matches!(server.expect().await, Packet::Disconnect(_)));
}

#[tokio::test(start_paused = true)]
async fn version_3_has_no_properties_and_3_1_shorter_topics() {
    let (client, _events, _server) = connected(options(V3_1_1)).await;
    let properties = PublishProperties { content_type: Some(text("x")), ..PublishProperties::default() };
    let outcome = client.publish(Message { properties, ..message("m1", Qos::AtMostOnce) }).await;
    assert!(matches!(outcome, Err(PublishError::NotSendable(NotSendable::Unencodable(_)))), "{outcome:?}");
    let long = Message::new("a".repeat(32_768), "").unwrap();
    assert_eq!(client.publish(long.clone()).await, Ok(Published::Unconfirmed));
    let (client, _events, _server) = connected(options(ProtocolVersion::V3_1)).await;
    assert_eq!(client.publish(long).await, Err(NotSendable::TopicTooLong(32_768).into()));
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_of_nothing_ends_it() {
    for version in ALL {
        let (_client, events, mut server) = connected(options(version)).await;
        server.puback(9).await;
        server.closed_because(ReasonCode::ProtocolError).await;
        let cause = events.ended().await.cause.to_string();
        assert!(cause.contains("PUBACK has identifier 9"), "{cause}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_connection_ends_waiting() {
    for (asked, kept) in
        [(keeping(V3_1_1), true), (options(V3_1_1), false), (keeping(V5_0), true), (options(V5_0), false)]
    {
        let maximum_in_flight = NonZeroU16::new(1).unwrap();
        let (client, events, mut server) = connected(ConnectOptions { maximum_in_flight, ..asked }).await;
        let publish = |payload: &'static str| {
            let client = client.clone();
            tokio::spawn(async move { client.publish(message(payload, Qos::AtLeastOnce)).await })
        };
        let (sent, queued) = (publish("m1"), publish("m2"));
        server.publish().await;
        drop(server);
        assert_eq!(sent.await.unwrap(), Err(PublishError::Unacknowledged { kept }));
        assert_eq!(queued.await.unwrap(), Err(PublishError::NotSent));
        let ended = events.ended().await;
        assert!(matches!(ended.cause, Cause::ServerClosed));
        assert_eq!(ended.session.map(|session| session.unacknowledged().count()), kept.then_some(1));
        assert_eq!(client.publish(message("m3", Qos::AtMostOnce)).await, Err(PublishError::NotSent));
    }
}
