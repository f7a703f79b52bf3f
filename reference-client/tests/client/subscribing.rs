//! SUBSCRIBE and UNSUBSCRIBE.

use crate::scripted::{ALL, Server, V3_1_1, V5_0, connected, options, text};
use model::packet::{
    Packet, PacketId, ReasonCode, ReasonProperties, Suback, SubscribeProperties, SubscriptionOptions,
    SubscriptionRequest, Unsuback, UnsubscribeProperties,
};
use reference_client::{Cause, NotSendable, Qos, RequestError};

fn request(filter: &str, qos: Qos) -> SubscriptionRequest {
    SubscriptionRequest { filter: text(filter), options: SubscriptionOptions { qos, ..SubscriptionOptions::default() } }
}

impl Server {
    async fn suback(&mut self, packet_id: PacketId, codes: &[ReasonCode]) {
        let suback = Suback { packet_id, properties: ReasonProperties::default(), codes: codes.to_vec() };
        self.send(&Packet::Suback(suback)).await;
    }

    async fn unsuback(&mut self, packet_id: PacketId, codes: &[ReasonCode]) {
        let codes = if self.version == V5_0 { codes.to_vec() } else { Vec::new() };
        self.send(&Packet::Unsuback(Unsuback { packet_id, properties: ReasonProperties::default(), codes })).await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_filter_has_its_answer() {
    for version in [V3_1_1, V5_0] {
        let (client, _events, mut server) = connected(options(version)).await;
        let requests =
            vec![request("t/a", Qos::AtLeastOnce), request("t/+", Qos::ExactlyOnce), request("#", Qos::AtMostOnce)];
        let asked = requests.clone();
        let granted = tokio::spawn(async move { client.subscribe_to(asked, SubscribeProperties::default()).await });
        let Packet::Subscribe(subscribe) = server.expect().await else { panic!("SUBSCRIBE expected") };
        assert_eq!(subscribe.requests, requests);
        let codes = [ReasonCode::GrantedQos1, ReasonCode::Success, ReasonCode::UnspecifiedError];
        server.suback(subscribe.packet_id, &codes).await;
        assert_eq!(
            granted.await.unwrap(),
            Ok(vec![Ok(Qos::AtLeastOnce), Ok(Qos::AtMostOnce), Err(ReasonCode::UnspecifiedError)])
        );
    }
}

#[tokio::test(start_paused = true)]
async fn unsubscribing_is_answered() {
    for version in ALL {
        let (client, _events, mut server) = connected(options(version)).await;
        let gone = tokio::spawn(async move {
            let filters = vec![text("t/a"), text("t/b")];
            client.unsubscribe_from(filters, UnsubscribeProperties::default()).await
        });
        let Packet::Unsubscribe(unsubscribe) = server.expect().await else { panic!("UNSUBSCRIBE expected") };
        assert_eq!(unsubscribe.filters, [text("t/a"), text("t/b")]);
        let codes = [ReasonCode::Success, ReasonCode::NoSubscriptionExisted];
        server.unsuback(unsubscribe.packet_id, &codes).await;
        let expected = if version == V5_0 { codes } else { [ReasonCode::Success; 2] };
        assert_eq!(gone.await.unwrap(), Ok(expected.to_vec()));
    }
}

#[tokio::test(start_paused = true)]
async fn answers_may_come_in_any_order() {
    let (client, _events, mut server) = connected(options(V3_1_1)).await;
    let mut ids = Vec::new();
    let mut granted = Vec::new();
    for filter in ["t/1", "t/2"] {
        let client = client.clone();
        granted.push(tokio::spawn(async move { client.subscribe(filter, Qos::ExactlyOnce).await }));
        ids.push(server.expect().await.packet_id().unwrap());
    }
    server.suback(ids[1], &[ReasonCode::GrantedQos1]).await;
    server.suback(ids[0], &[ReasonCode::Success]).await;
    let mut granted = granted.into_iter();
    assert_eq!(granted.next().unwrap().await.unwrap(), Ok(Qos::AtMostOnce));
    assert_eq!(granted.next().unwrap().await.unwrap(), Ok(Qos::AtLeastOnce));
}

#[tokio::test(start_paused = true)]
async fn wrong_filters_are_not_sent() {
    let (client, _events, mut server) = connected(options(V5_0)).await;
    for filter in ["", "t/#/a", "t+", "$share/g", "a\0b"] {
        let outcome = client.subscribe(filter, Qos::AtMostOnce).await;
        assert!(matches!(outcome, Err(RequestError::NotSendable(_))), "{filter}: {outcome:?}");
        assert!(matches!(client.unsubscribe(filter).await, Err(RequestError::NotSendable(_))), "{filter}");
    }
    assert_eq!(
        client.subscribe_to(Vec::new(), SubscribeProperties::default()).await,
        Err(NotSendable::NoFilter.into())
    );
    let mut shared = request("$share/g/t", Qos::AtMostOnce);
    shared.options.no_local = true;
    assert_eq!(
        client.subscribe_to(vec![shared], SubscribeProperties::default()).await,
        Err(NotSendable::NoLocalShared(text("$share/g/t")).into())
    );
    client.disconnect().await.unwrap();
    assert!(matches!(server.expect().await, Packet::Disconnect(_)));
}

#[tokio::test(start_paused = true)]
async fn options_of_5_0_are_not_lost_in_3_x() {
    let (client, _events, _server) = connected(options(V3_1_1)).await;
    let mut wanted = request("t", Qos::AtMostOnce);
    wanted.options.no_local = true;
    let outcome = client.subscribe_to(vec![wanted], SubscribeProperties::default()).await;
    assert!(matches!(outcome, Err(RequestError::NotSendable(NotSendable::Unencodable(_)))), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn wrong_answers_end_it() {
    // As many codes as filters; the kind of packet that was asked for; an identifier in use.
    for (kind, codes, offset) in [
        (Packet::Suback as fn(Suback) -> Packet, 2, 0),
        (
            |s: Suback| Packet::Unsuback(Unsuback { packet_id: s.packet_id, properties: s.properties, codes: s.codes }),
            1,
            0,
        ),
        (Packet::Suback, 1, 5),
    ] {
        let (client, events, mut server) = connected(options(V5_0)).await;
        let subscribed = tokio::spawn(async move { client.subscribe("t/a", Qos::AtMostOnce).await });
        let asked = server.expect().await.packet_id().unwrap().value();
        let packet_id = PacketId::new(asked + offset).unwrap();
        let codes = vec![ReasonCode::Success; codes];
        server.send(&kind(Suback { packet_id, properties: ReasonProperties::default(), codes })).await;
        server.closed_because(ReasonCode::ProtocolError).await;
        assert_eq!(subscribed.await.unwrap(), Err(RequestError::ConnectionEnded));
        assert!(matches!(events.ended().await.cause, Cause::ProtocolError { .. }));
    }
}
