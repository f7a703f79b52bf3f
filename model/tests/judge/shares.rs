//! Shared Subscriptions.

use crate::trace::*;
use model::judge::Observation;
use model::packet::{Packet, Qos, ReasonCode, SubscriptionIdentifier, SubscriptionOptions};

/// Two members of one group, and a publisher whose message was taken.
fn group() -> Trace {
    Trace::new("standard", V5)
        .connected(1, "one")
        .subscribed(1, 1, "$share/g/t/a", Qos::AtLeastOnce)
        .connected(2, "two")
        .subscribed(2, 1, "$share/g/t/a", Qos::AtLeastOnce)
        .connected(3, "pub")
        .send(3, &qos1("t/a", "m1", 1, false))
        .receive(3, &puback(1))
}

#[test]
fn a_message_goes_to_one_member() {
    group().receive(1, &qos1("t/a", "m1", 1, false)).conforms();
    group().receive(2, &qos1("t/a", "m1", 1, false)).conforms();
    group()
        .receive(1, &qos1("t/a", "m1", 1, false))
        .receive(2, &qos1("t/a", "m1", 1, false))
        .violates("shared-delivery-is-made-once", "");
}

#[test]
fn a_member_whose_end_is_under_way_may_be_replaced() {
    // A reserved flag: its server ends the connection, which shows later there than the delivery does elsewhere.
    group()
        .receive(1, &qos1("t/a", "m1", 1, false))
        .see(1, Observation::Sent(&[0xC1, 0]))
        .receive(2, &qos1("t/a", "m1", 1, false))
        .see(1, Observation::ClosedByServer)
        .conforms();
}

#[test]
fn a_member_that_leaves_may_be_replaced() {
    group()
        .receive(1, &qos1("t/a", "m1", 1, false))
        .see(1, Observation::ClosedByClient)
        .receive(2, &qos1("t/a", "m1", 1, false))
        .conforms();
}

#[test]
fn no_local_has_no_place_there() {
    let options = SubscriptionOptions { no_local: true, ..SubscriptionOptions::default() };
    let offended =
        || Trace::new("standard", V5).connected(1, "sub").send(1, &subscribe_with(1, "$share/g/t/a", options));
    offended().see(1, Observation::ClosedByServer).conforms();
    offended().violates("offence-is-refused", "MQTT-4.13.1-1");
}

#[test]
fn a_member_that_joins_may_inherit_what_waits_for_another() {
    let left = || {
        Trace::new("standard", V5)
            .connected_with(1, lasting("one", V5), false)
            .subscribed(1, 1, "$share/g/t/a", Qos::AtLeastOnce)
            .see(1, Observation::ClosedByClient)
            .connected(3, "pub")
            .send(3, &qos1("t/a", "m1", 1, false))
            .receive(3, &puback(1))
            .connected(2, "two")
    };
    left().subscribed(2, 1, "$share/g/t/a", Qos::AtLeastOnce).receive(2, &qos1("t/a", "m1", 1, false)).conforms();
    // Not of another group.
    left()
        .subscribed(2, 1, "$share/h/t/a", Qos::AtLeastOnce)
        .receive(2, &qos1("t/a", "m1", 1, false))
        .violates("delivery-was-subscribed", "");
}

#[test]
fn what_a_member_inherits_has_nothing_to_do_with_its_own_subscriptions() {
    let retained = |mut packet: Packet| {
        if let Packet::Publish(publish) = &mut packet {
            publish.retain = true;
        }
        packet
    };
    Trace::new("standard", V5)
        .connected(1, "one")
        .subscribed(1, 2, "$share/g/t/#", Qos::AtLeastOnce)
        .send(1, &qos1("t/b", "", 1, false))
        .receive(1, &qos1("t/b", "", 1, false))
        .receive(1, &puback(1))
        .connected(2, "two")
        .send(1, &retained(qos1("t/b", "m0", 2, false)))
        .receive(1, &qos1("t/b", "m0", 2, false))
        .receive(1, &puback(2))
        .subscribed(2, 1, "$share/g/t/#", Qos::ExactlyOnce)
        .subscribed(2, 2, "t/+", Qos::ExactlyOnce)
        .receive(2, &retained(qos1("t/b", "m0", 1, false)))
        .send(1, &Packet::Disconnect(model::packet::Disconnect::normal()))
        .see(1, Observation::ClosedByServer)
        .receive(2, &qos1("t/b", "", 2, false))
        .receive(2, &qos1("t/b", "m0", 3, false))
        .conforms();
}

#[test]
fn no_order_is_promised_among_members() {
    Trace::new("standard", V5)
        .connected(1, "one")
        .subscribed(1, 1, "$share/g/t/a", Qos::AtLeastOnce)
        .connected(2, "two")
        .subscribed(2, 1, "$share/g/t/a", Qos::AtMostOnce)
        .connected(3, "pub")
        .send(3, &qos1("t/a", "m1", 1, false))
        .receive(1, &qos1("t/a", "m1", 1, false))
        .receive(3, &puback(1))
        .send(3, &qos1("t/a", "m2", 2, false))
        .receive(2, &qos0("t/a", "m2"))
        .receive(3, &puback(2))
        .see(1, Observation::ClosedByClient)
        .receive(2, &qos0("t/a", "m1"))
        .conforms();
}

#[test]
fn what_a_member_was_chosen_for_it_leaves_also_when_it_has_unsubscribed() {
    group_of_one()
        .receive(1, &qos1("t/a", "m1", 1, false))
        .send(1, &unsubscribe(2, "$share/g/t/a"))
        .receive(1, &unsuback(2, &[ReasonCode::Success]))
        .connected(2, "two")
        .subscribed(2, 1, "$share/g/t/a", Qos::AtMostOnce)
        .see(1, Observation::ClosedByClient)
        .receive(2, &qos0("t/a", "m1"))
        .conforms();
}

#[test]
fn a_member_may_leave_what_it_was_not_known_to_be_chosen_for() {
    // The server has not answered the SUBSCRIBE when the next member joins.
    Trace::new("standard", V5)
        .connected(1, "one")
        .connected(3, "pub")
        .send(1, &subscribe(1, "$share/g/t/a", Qos::AtLeastOnce))
        .send(3, &qos1("t/a", "m1", 1, false))
        .receive(3, &puback(1))
        .see(1, Observation::ClosedByClient)
        .connected(2, "two")
        .subscribed(2, 1, "$share/g/t/a", Qos::AtMostOnce)
        .receive(2, &qos0("t/a", "m1"))
        .conforms();
}

#[test]
fn a_message_that_was_taken_twice_may_be_left_twice() {
    let twice = || {
        Trace::new("standard", V5)
            .connected(1, "one")
            .subscribed(1, 1, "$share/g/t/a", Qos::AtLeastOnce)
            .connected(3, "pub")
            .send(3, &qos1("t/a", "m1", 1, false))
            .send(3, &qos1("t/a", "m1", 1, true))
            .receive(3, &puback(1))
            .receive(3, &puback(1))
            .receive(1, &qos1("t/a", "m1", 1, false))
            .receive(1, &qos1("t/a", "m1", 2, false))
            .connected(2, "two")
            .subscribed(2, 1, "$share/g/t/a", Qos::AtMostOnce)
            .see(1, Observation::ClosedByClient)
            .receive(2, &qos0("t/a", "m1"))
            .receive(2, &qos0("t/a", "m1"))
    };
    twice().conforms();
    let m1 = || qos0("t/a", "m1");
    twice().receive(2, &m1()).receive(2, &m1()).receive(2, &m1()).violates("delivery-was-subscribed", "");
}

/// One member, and a message for it.
fn group_of_one() -> Trace {
    Trace::new("standard", V5)
        .connected(1, "one")
        .subscribed(1, 1, "$share/g/t/a", Qos::AtLeastOnce)
        .connected(3, "pub")
        .send(3, &qos1("t/a", "m1", 1, false))
        .receive(3, &puback(1))
}

#[test]
fn each_group_has_its_copy_though_the_connection_breaks() {
    let identified = |mut packet: Packet| {
        match &mut packet {
            Packet::Subscribe(subscribe) => {
                subscribe.properties.subscription_identifier = SubscriptionIdentifier::new(2)
            }
            Packet::Publish(publish) => {
                publish.properties.subscription_identifiers = SubscriptionIdentifier::new(2).into_iter().collect();
            }
            _ => panic!("nothing else has a Subscription Identifier"),
        }
        packet
    };
    let broken = || {
        Trace::new("standard", V5)
            .connected_with(1, lasting("one", V5), false)
            .subscribed(1, 1, "t/a", Qos::ExactlyOnce)
            .send(1, &identified(subscribe(2, "$share/h/t/#", Qos::ExactlyOnce)))
            .receive(1, &suback(2, &[ReasonCode::GrantedQos2]))
            .send(1, &identified(subscribe(3, "$share/g/t/a", Qos::AtLeastOnce)))
            .receive(1, &suback(3, &[ReasonCode::GrantedQos1]))
            .send(1, &qos1("t/a", "m1", 1, false))
            .receive(1, &qos1("t/a", "m1", 1, false))
            .receive(1, &identified(qos1("t/a", "m1", 2, false)))
            .receive(1, &puback(1))
            .see(1, Observation::ClosedByClient)
            .connected_with(2, lasting("one", V5), true)
            .receive(2, &qos1("t/a", "m1", 1, true))
            .receive(2, &identified(qos1("t/a", "m1", 2, true)))
            .receive(2, &identified(qos1("t/a", "m1", 3, false)))
    };
    broken().conforms();
    broken().receive(2, &identified(qos1("t/a", "m1", 4, false))).violates("delivery-once", "MQTT-4.3.2-1");
}

#[test]
fn messages_alike_take_few_states() {
    let joined = Trace::new("standard", V5).connected(1, "one").subscribed(1, 1, "$share/g/t/a", Qos::AtLeastOnce);
    let joined = joined.connected(2, "two").subscribed(2, 1, "$share/g/t/a", Qos::AtLeastOnce).connected(3, "pub");
    let same = |id| qos1("t/a", "same", id, false);
    let sent = (1..=12).fold(joined, |trace, id| trace.send(3, &same(id)));
    let came = (1..=6).fold(sent, |trace, id| trace.receive(1, &same(id)).receive(2, &same(id)));
    assert!(came.states() < 10, "{}", came.states());
    let taken = |trace: Trace| (1..=12).fold(trace, |trace, id| trace.receive(3, &puback(id)));
    taken(came).conforms();
}
