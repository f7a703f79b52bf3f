//! Grants, overlap, and messages that meet a subscription on its way.

use crate::trace::{Trace, V5, V311, connack, connect, id, lasting, pair, puback, qos0, qos1, suback, subscribe};
use model::judge::Observation;
use model::packet::{
    Packet, Qos, ReasonCode, Subscribe, SubscribeProperties, SubscriptionOptions, SubscriptionRequest,
};

#[test]
fn a_message_between_subscribe_and_suback_may_come_or_not() {
    Trace::new("standard", V311)
        .connected(1, "sub")
        .connected(2, "pub")
        .send(1, &subscribe(1, "t/a", Qos::AtLeastOnce))
        .send(2, &qos1("t/a", "m1", 1, false))
        .receive(2, &puback(1))
        .receive(1, &suback(1, &[ReasonCode::GrantedQos1]))
        .conforms();
}

#[test]
fn qos_is_the_lower_one_in_the_standard_and_the_publishers_on_the_platform() {
    let subscribed = |profile, granted: Qos| {
        Trace::new(profile, V311)
            .connected(1, "device")
            .send(1, &subscribe(1, "t/a", Qos::AtMostOnce))
            .receive(1, &suback(1, &[ReasonCode::from_value(granted.value()).unwrap()]))
            .send(1, &qos1("t/a", "m1", 1, false))
            .receive(1, &puback(1))
    };
    subscribed("standard", Qos::AtMostOnce)
        .receive(1, &qos1("t/a", "m1", 1, false))
        .violates("delivery-qos", "MQTT-3.8.4-6");
    subscribed("standard", Qos::AtMostOnce).receive(1, &qos0("t/a", "m1")).conforms();
    subscribed("platform", Qos::AtLeastOnce).receive(1, &qos1("t/a", "m1", 1, false)).conforms();
    subscribed("platform", Qos::AtLeastOnce).receive(1, &qos0("t/a", "m1")).violates("delivery-qos", "");
    subscribed("standard", Qos::AtLeastOnce).violates("suback-grants", "MQTT-3.9.3-1");
}

#[test]
fn a_refused_request_may_leave_the_subscription_that_it_would_replace() {
    let request = |filter: &str| SubscriptionRequest {
        filter: filter.try_into().unwrap(),
        options: SubscriptionOptions::default(),
    };
    let refused = || {
        let too_many = Subscribe {
            packet_id: id(2),
            properties: SubscribeProperties::default(),
            requests: "12345678t".chars().map(|filter| request(&filter.to_string())).collect(),
        };
        let mut codes = vec![ReasonCode::Success; 8];
        codes.push(ReasonCode::UnspecifiedError);
        Trace::new("platform", V311)
            .connected(1, "sub")
            .subscribed(1, 1, "t", Qos::AtLeastOnce)
            .send(1, &Packet::Subscribe(too_many))
            .receive(1, &suback(2, &codes))
            .send(1, &qos1("t", "m1", 3, false))
            .receive(1, &puback(3))
    };
    refused().receive(1, &qos1("t", "m1", 1, false)).conforms();
    refused().conforms();
}

#[test]
fn overlapping_subscriptions_give_one_copy_or_several() {
    let overlapping = || {
        pair(V311).subscribed(1, 2, "t/#", Qos::AtMostOnce).send(2, &qos1("t/a", "m1", 1, false)).receive(2, &puback(1))
    };
    overlapping().receive(1, &qos1("t/a", "m1", 1, false)).conforms();
    overlapping().receive(1, &qos1("t/a", "m1", 1, false)).receive(1, &qos0("t/a", "m1")).conforms();
    overlapping().receive(1, &qos0("t/a", "m1")).receive(1, &qos1("t/a", "m1", 1, false)).conforms();
    overlapping().receive(1, &qos0("t/a", "m1")).violates("delivery-is-made", "MQTT-3.3.5-1");
    overlapping()
        .receive(1, &qos1("t/a", "m1", 1, false))
        .receive(1, &qos0("t/a", "m1"))
        .receive(1, &qos0("t/a", "m1"))
        .violates("delivery-once", "MQTT-4.3.2-1");
}

#[test]
fn a_request_that_is_refused_twice_may_leave_what_it_would_have_replaced() {
    let filters = ["/p/d/user/a"; 10];
    let request = |filter: &&str| SubscriptionRequest {
        filter: (*filter).try_into().unwrap(),
        options: SubscriptionOptions::default(),
    };
    let mut codes = vec![ReasonCode::Success; 8];
    codes.extend([ReasonCode::QuotaExceeded; 2]);
    Trace::new("platform", V5)
        .connected(1, "device")
        .send(
            1,
            &Packet::Subscribe(Subscribe {
                packet_id: id(1),
                properties: SubscribeProperties::default(),
                requests: filters.iter().map(request).collect(),
            }),
        )
        .receive(1, &suback(1, &codes))
        .send(1, &qos1("/p/d/user/a", "m1", 1, false))
        .receive(1, &puback(1))
        .receive(1, &qos1("/p/d/user/a", "m1", 1, false))
        .conforms();
}

#[test]
fn a_message_may_meet_a_session_that_begins_before_it() {
    for version in [V311, V5] {
        // Both CONNECT packets are under way when the message is, and the publisher hears first.
        let published = |packet: Packet, heard: Trace| {
            heard
                .see(1, Observation::Opened)
                .send(1, &Packet::Connect(connect("pub")))
                .send(1, &packet)
                .see(2, Observation::Opened)
                .send(2, &Packet::Connect(connect("sub")))
                .send(2, &subscribe(1, "t/a", Qos::AtLeastOnce))
                .send(1, &qos1("t/b", "m2", 2, false))
                .receive(1, &connack(version, false))
        };
        let subscribed = |trace: Trace| {
            let granted = [ReasonCode::GrantedQos1];
            trace.receive(1, &puback(2)).receive(2, &connack(version, false)).receive(2, &suback(1, &granted))
        };
        for resumable in [false, true] {
            // In place of nothing, or of a session that the client does not take up.
            let before = || match Trace::new("standard", version) {
                trace if resumable => {
                    trace.connected_with(3, lasting("sub", version), false).see(3, Observation::ClosedByClient)
                }
                trace => trace,
            };
            let of_qos_0 = || subscribed(published(qos0("t/a", "m1"), before()));
            of_qos_0().conforms();
            of_qos_0().receive(2, &qos0("t/a", "m1")).conforms();
            of_qos_0()
                .receive(2, &qos0("t/a", "m1"))
                .receive(2, &qos0("t/a", "m1"))
                .violates("delivery-was-subscribed", "");
            let of_qos_1 = || subscribed(published(qos1("t/a", "m1", 1, false), before()).receive(1, &puback(1)));
            of_qos_1().conforms();
            of_qos_1().receive(2, &qos1("t/a", "m1", 1, false)).send(2, &puback(1)).conforms();
        }
    }
}
