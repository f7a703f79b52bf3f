//! Statements on a particular case of a rule: a server that breaks one is found, and by the rule that cites it.

use crate::trace::*;
use model::judge::Observation;
use model::packet::{
    Acknowledgement, Connack, ConnackCode, ConnackProperties, Connect, ConnectReturnCode, Disconnect, Packet,
    ProtocolVersion, Publish, Qos, ReasonCode, RetainHandling, SubscriptionOptions, Will, WillProperties,
};
use model::server::Rule;
use std::num::{NonZeroU16, NonZeroU32};

const BOTH: [ProtocolVersion; 2] = [V311, V5];

/// The two ids of what 3.1.1 and 5.0 demand alike.
fn either<'a>(version: ProtocolVersion, v3_1_1: &'a str, v5_0: &'a str) -> &'a str {
    if version == V5 { v5_0 } else { v3_1_1 }
}

fn publish(packet: Packet, change: impl FnOnce(&mut Publish)) -> Packet {
    let Packet::Publish(mut publish) = packet else { panic!("a PUBLISH") };
    change(&mut publish);
    Packet::Publish(publish)
}

fn retained(packet: Packet) -> Packet {
    publish(packet, |publish| publish.retain = true)
}

/// Connection 2 publishes, connection 1 subscribes later.
fn store(version: ProtocolVersion) -> Trace {
    Trace::new("standard", version).connected(1, "sub").connected(2, "pub")
}

fn published(trace: Trace, packet: &Packet, packet_id: u16) -> Trace {
    trace.send(2, packet).receive(2, &puback(packet_id))
}

fn met(trace: Trace) -> Trace {
    trace.subscribed(1, 1, "t/a", Qos::AtLeastOnce)
}

fn with_will(version: ProtocolVersion, retain: bool) -> Trace {
    let pair = |value: &str| ("a".try_into().unwrap(), value.try_into().unwrap());
    let user_properties = if version == V5 { vec![pair("1"), pair("2")] } else { Vec::new() };
    let will = Will {
        topic: "t/w".try_into().unwrap(),
        payload: b"gone".to_vec(),
        qos: Qos::AtLeastOnce,
        retain,
        properties: WillProperties { user_properties, ..WillProperties::default() },
    };
    Trace::new("standard", version)
        .connected(1, "sub")
        .subscribed(1, 1, "t/+", Qos::AtLeastOnce)
        .connected_with(2, Connect { will: Some(will), ..connect("dev") }, false)
        .see(2, Observation::ClosedByClient)
        .later(10_000)
}

fn gone(values: &[&str], packet_id: u16) -> Packet {
    publish(qos1("t/w", "gone", packet_id, false), |publish| {
        let pairs = values.iter().map(|value| ("a".try_into().unwrap(), (*value).try_into().unwrap()));
        publish.properties.user_properties = pairs.collect();
    })
}

#[test]
fn a_will_is_published_as_it_was_given() {
    for version in BOTH {
        let values: &[&str] = if version == V5 { &["1", "2"] } else { &[] };
        with_will(version, false).receive(1, &gone(values, 1)).conforms();
        with_will(version, false).breaks(Rule::DeliveryIsMade, "MQTT-3.1.2-8");
        let marked = retained(gone(values, 1));
        let statement = either(version, "MQTT-3.1.2-16", "MQTT-3.1.2-14");
        with_will(version, false).receive(1, &marked).breaks(Rule::LiveDeliveryIsNotRetained, statement);
        let later = |retain| {
            let trace = with_will(version, retain).receive(1, &gone(values, 1)).send(1, &puback(1));
            trace.connected(3, "late").subscribed(3, 1, "t/w", Qos::AtLeastOnce)
        };
        later(true).receive(3, &marked).conforms();
        later(true).breaks(Rule::DeliveryIsMade, either(version, "MQTT-3.1.2-17", "MQTT-3.1.2-15"));
        later(false).conforms();
        later(false).receive(3, &marked).breaks(Rule::WillHasItsTime, statement);
    }
    with_will(V5, false).breaks(Rule::DeliveryIsMade, "MQTT-3.1.2-7");
    with_will(V5, false).receive(1, &gone(&["2", "1"], 1)).breaks(Rule::DeliveryIsUnchanged, "MQTT-3.1.3-10");
}

#[test]
fn of_what_is_retained_the_last_one_counts() {
    for version in BOTH {
        let one = |trace| published(trace, &retained(qos1("t/a", "m1", 1, false)), 1);
        let two = |trace| published(trace, &retained(qos1("t/a", "m2", 2, false)), 2);
        let came = |payload| retained(qos1("t/a", payload, 1, false));
        met(two(one(store(version)))).receive(1, &came("m2")).conforms();
        met(two(one(store(version)))).breaks(Rule::DeliveryIsMade, "MQTT-3.3.1-5");
        met(two(one(store(version)))).receive(1, &came("m1")).breaks(Rule::DeliveryWasSubscribed, "MQTT-3.3.1-5");
        let cleared = |trace| published(trace, &retained(qos1("t/a", "", 2, false)), 2);
        met(cleared(one(store(version)))).conforms();
        let statement = either(version, "MQTT-3.3.1-10", "MQTT-3.3.1-6");
        met(cleared(one(store(version)))).receive(1, &came("m1")).breaks(Rule::DeliveryWasSubscribed, statement);
        let statement = either(version, "MQTT-3.3.1-11", "MQTT-3.3.1-7");
        met(cleared(store(version))).receive(1, &came("")).breaks(Rule::DeliveryWasSubscribed, statement);
        let passing = |trace| published(trace, &qos1("t/a", "m2", 2, false), 2);
        let statement = either(version, "MQTT-3.3.1-12", "MQTT-3.3.1-8");
        met(passing(one(store(version)))).receive(1, &came("m1")).conforms();
        met(passing(one(store(version)))).breaks(Rule::DeliveryIsMade, statement);
        met(passing(one(store(version)))).receive(1, &came("m2")).breaks(Rule::DeliveryWasSubscribed, statement);
    }
    // 3.1.1 on its own: a QoS 0 message takes the place of the earlier one, and may be dropped itself.
    let lower = || published(store(V311), &retained(qos1("t/a", "m1", 1, false)), 1);
    let lower =
        || lower().send(2, &retained(qos0("t/a", "m2"))).send(2, &Packet::Pingreq).receive(2, &Packet::Pingresp);
    met(lower()).conforms();
    met(lower()).receive(1, &retained(qos1("t/a", "m1", 1, false))).breaks(Rule::DeliveryWasSubscribed, "MQTT-3.3.1-7");
    // The publisher leaves: what it has retained stays.
    let left = || published(store(V311), &retained(qos1("t/a", "m1", 1, false)), 1).see(2, Observation::ClosedByClient);
    met(left()).breaks(Rule::DeliveryIsMade, "MQTT-3.1.2-7");
    met(left()).breaks(Rule::DeliveryIsMade, "MQTT-3.3.1-6");
}

#[test]
fn retain_handling_is_obeyed() {
    let asking = |retain_handling| {
        let options = SubscriptionOptions { qos: Qos::AtLeastOnce, retain_handling, ..SubscriptionOptions::default() };
        move |trace: Trace, packet_id| {
            let granted = suback(packet_id, &[ReasonCode::GrantedQos1]);
            trace.send(1, &subscribe_with(packet_id, "t/a", options)).receive(1, &granted)
        }
    };
    let one = || published(store(V5), &retained(qos1("t/a", "m1", 1, false)), 1);
    let came = |packet_id| retained(qos1("t/a", "m1", packet_id, false));
    let always = asking(RetainHandling::Send);
    let twice = || always(always(one(), 1).receive(1, &came(1)).send(1, &puback(1)), 2);
    twice().breaks(Rule::DeliveryIsMade, "MQTT-3.3.1-9");
    twice().breaks(Rule::DeliveryIsMade, "MQTT-3.8.4-4");
    let if_new = asking(RetainHandling::SendIfNew);
    if_new(one(), 1).breaks(Rule::DeliveryIsMade, "MQTT-3.3.1-10");
    let again = || if_new(if_new(one(), 1).receive(1, &came(1)).send(1, &puback(1)), 2);
    again().conforms();
    again().receive(1, &came(1)).breaks(Rule::DeliveryWasSubscribed, "MQTT-3.3.1-10");
    let never = asking(RetainHandling::DoNotSend);
    never(one(), 1).receive(1, &came(1)).breaks(Rule::DeliveryWasSubscribed, "MQTT-3.3.1-11");
}

/// `sub` holds a subscription at QoS 2, `pub` is connected.
fn exactly_once(version: ProtocolVersion) -> Trace {
    Trace::new("standard", version)
        .connected_with(1, lasting("sub", version), false)
        .subscribed(1, 1, "t/a", Qos::ExactlyOnce)
        .connected(2, "pub")
}

fn taken_twice(trace: Trace, packet: &Packet, packet_id: u16) -> Trace {
    trace
        .send(2, packet)
        .receive(2, &pubrec(packet_id))
        .send(2, &pubrel(packet_id))
        .receive(2, &pubcomp(packet_id, ReasonCode::Success))
}

#[test]
fn an_identifier_that_is_free_again_stands_for_a_new_message() {
    for version in BOTH {
        let first = taken_twice(exactly_once(version), &qos2("t/a", "m", 7, false), 7);
        let first = first.receive(1, &qos2("t/a", "m", 1, false)).send(1, &pubrec(1)).receive(1, &pubrel(1));
        let both = taken_twice(first.send(1, &pubcomp(1, ReasonCode::Success)), &qos2("t/a", "m", 7, false), 7);
        both.breaks(Rule::DeliveryIsMade, either(version, "MQTT-4.3.3-2", "MQTT-4.3.3-12"));
        let again = pair(version).send(2, &qos1("t/a", "m", 7, false)).receive(2, &puback(7));
        let again = again.receive(1, &qos1("t/a", "m", 1, false)).send(1, &puback(1));
        let again = again.send(2, &qos1("t/a", "m", 7, true)).receive(2, &puback(7));
        again.breaks(Rule::DeliveryIsMade, either(version, "MQTT-4.3.2-2", "MQTT-4.3.2-5"));
    }
    let refused = Acknowledgement { reason: ReasonCode::QuotaExceeded, ..Acknowledgement::success(id(7)) };
    let refused = exactly_once(V5).send(2, &qos2("t/a", "m", 7, false)).receive(2, &Packet::Pubrec(refused));
    taken_twice(refused, &qos2("t/a", "m", 7, false), 7).breaks(Rule::DeliveryIsMade, "MQTT-4.3.3-9");
}

#[test]
fn what_has_begun_is_finished_on_resume() {
    for version in BOTH {
        let begun = || {
            let trace = taken_twice(exactly_once(version), &qos2("t/a", "m", 7, false), 7);
            trace.receive(1, &qos2("t/a", "m", 1, false))
        };
        let resumed =
            |trace: Trace| trace.see(1, Observation::ClosedByClient).connected_with(3, lasting("sub", version), true);
        let statement = either(version, "MQTT-4.3.3-1", "MQTT-4.3.3-3");
        resumed(begun()).breaks(Rule::UnacknowledgedIsRepeated, statement);
        let released = || begun().send(1, &pubrec(1)).receive(1, &pubrel(1));
        let statement = either(version, "MQTT-4.3.3-1", "MQTT-4.3.3-5");
        resumed(released()).breaks(Rule::UnacknowledgedIsRepeated, statement);
        let ended = || begun().send(1, &unsubscribe(2, "t/a")).receive(1, &unsuback(2, success(version)));
        resumed(ended()).breaks(Rule::UnacknowledgedIsRepeated, "MQTT-3.10.4-3");
        let reused = taken_twice(released(), &qos2("t/a", "n", 8, false), 8).receive(1, &qos2("t/a", "n", 1, false));
        reused.breaks(Rule::IdentifierIsFree, either(version, "MQTT-4.3.3-1", "MQTT-4.3.3-5"));
    }
    let expiring = publish(qos2("t/a", "m", 7, false), |publish| publish.properties.message_expiry_interval = Some(2));
    let seen = publish(qos2("t/a", "m", 1, false), |publish| publish.properties.message_expiry_interval = Some(2));
    let begun = taken_twice(exactly_once(V5), &expiring, 7).receive(1, &seen).see(1, Observation::ClosedByClient);
    let late = begun.later(10_000).connected_with(3, lasting("sub", V5), true);
    late.breaks(Rule::UnacknowledgedIsRepeated, "MQTT-4.3.3-7");
}

fn success(version: ProtocolVersion) -> &'static [ReasonCode] {
    if version == V5 { &[ReasonCode::Success] } else { &[] }
}

#[test]
fn a_share_is_its_members() {
    let members = || {
        Trace::new("standard", V5)
            .connected_with(1, lasting("one", V5), false)
            .subscribed(1, 1, "$share/g/t/a", Qos::ExactlyOnce)
            .connected(3, "two")
            .subscribed(3, 1, "$share/g/t/a", Qos::AtMostOnce)
            .connected(2, "pub")
    };
    let sent = || members().send(2, &qos1("t/a", "m", 1, false)).receive(2, &puback(1));
    sent().receive(3, &qos0("t/a", "m")).conforms();
    sent().receive(3, &qos1("t/a", "m", 1, false)).breaks(Rule::DeliveryQos, "MQTT-4.8.2-3");
    let refused = Acknowledgement { reason: ReasonCode::UnspecifiedError, ..Acknowledgement::success(id(1)) };
    let refused = sent().receive(1, &qos1("t/a", "m", 1, false)).send(1, &Packet::Puback(refused));
    refused.receive(3, &qos0("t/a", "m")).breaks(Rule::SharedDeliveryIsMadeOnce, "MQTT-4.8.2-6");
    let begun = || taken_twice(members(), &qos2("t/a", "m", 7, false), 7).receive(1, &qos2("t/a", "m", 1, false));
    let cut = || begun().see(1, Observation::ClosedByClient);
    cut().receive(3, &qos0("t/a", "m")).breaks(Rule::SharedDeliveryIsMadeOnce, "MQTT-4.8.2-5");
    let resumed = cut().connected_with(4, lasting("one", V5), true);
    resumed.breaks(Rule::UnacknowledgedIsRepeated, "MQTT-4.8.2-4");
}

#[test]
fn a_full_window_holds_back_deliveries_and_nothing_else() {
    let mut narrow = connect("sub");
    narrow.properties.receive_maximum = NonZeroU16::new(1);
    let full = || {
        let trace = Trace::new("standard", V5).connected_with(1, narrow.clone(), false);
        let trace = trace.subscribed(1, 1, "t/a", Qos::AtLeastOnce).connected(2, "pub");
        published(trace, &qos1("t/a", "m", 1, false), 1).receive(1, &qos1("t/a", "m", 1, false))
    };
    full().send(1, &Packet::Pingreq).breaks(Rule::PingreqIsAnswered, "MQTT-3.3.4-10");
    full().send(1, &subscribe(2, "t/b", Qos::AtMostOnce)).breaks(Rule::SubscribeIsAnswered, "MQTT-3.3.4-10");
    full().send(1, &qos1("t/b", "m", 5, false)).breaks(Rule::PublishIsAnswered, "MQTT-4.9.0-3");
    full().send(1, &qos2("t/b", "m", 5, false)).breaks(Rule::PublishIsReceived, "MQTT-4.9.0-3");
    published(full().send(1, &puback(1)), &qos1("t/a", "n", 2, false), 2).breaks(Rule::DeliveryIsMade, "MQTT-4.9.0-1");
}

#[test]
fn topics_match_character_by_character() {
    for version in BOTH {
        let held = |filter: &str| {
            let trace = Trace::new("standard", version).connected(1, "sub");
            trace.subscribed(1, 1, filter, Qos::AtLeastOnce).connected(2, "pub")
        };
        let came = |filter: &str, topic: &str| {
            let trace = published(held(filter), &qos1(topic, "m", 1, false), 1);
            trace.receive(1, &qos1(topic, "m", 1, false))
        };
        came("#", "$t/x").breaks(Rule::DeliveryWasSubscribed, "MQTT-4.7.2-1");
        came("+/x", "$t/x").breaks(Rule::DeliveryWasSubscribed, "MQTT-4.7.2-1");
        came("$t/#", "$t/x").conforms();
        let (composed, decomposed) = ("\u{e9}", "e\u{301}");
        came(composed, composed).conforms();
        came(composed, decomposed).breaks(Rule::DeliveryWasSubscribed, "MQTT-4.7.3-4");
        let missing = published(held(decomposed), &qos1(decomposed, "m", 1, false), 1);
        missing.breaks(Rule::DeliveryIsMade, "MQTT-4.7.3-4");
        let marked = published(held("#"), &qos1("\u{feff}t", "m", 1, false), 1);
        let statement = either(version, "MQTT-1.5.3-3", "MQTT-1.5.4-3");
        marked.receive(1, &qos1("t", "m", 1, false)).breaks(Rule::DeliveryIsUnchanged, statement);
        let kept = || held("a/+").send(1, &unsubscribe(2, "a/b")).receive(1, &unsuback(2, not_held(version)));
        published(kept(), &qos1("a/b", "m", 1, false), 1).receive(1, &qos1("a/b", "m", 1, false)).conforms();
        let ended = || held("a/+").send(1, &unsubscribe(2, "a/+")).receive(1, &unsuback(2, success(version)));
        let after = published(ended(), &qos1("a/b", "m", 1, false), 1).receive(1, &qos1("a/b", "m", 1, false));
        after.breaks(Rule::DeliveryWasSubscribed, "MQTT-3.10.4-1");
    }
}

fn not_held(version: ProtocolVersion) -> &'static [ReasonCode] {
    if version == V5 { &[ReasonCode::NoSubscriptionExisted] } else { &[] }
}

#[test]
fn subscriptions_are_replaced_and_kept() {
    for version in BOTH {
        let lowered = || pair(version).subscribed(1, 2, "t/+", Qos::AtMostOnce);
        let sent = || published(lowered(), &qos1("t/a", "m", 1, false), 1);
        sent().receive(1, &qos0("t/a", "m")).conforms();
        let twice = sent().receive(1, &qos0("t/a", "m")).receive(1, &qos0("t/a", "m"));
        twice.violates("delivery-was-subscribed", "MQTT-3.3.2-3");
        let raised = || pair(version).subscribed(1, 2, "t/+", Qos::AtLeastOnce);
        let statement = either(version, "MQTT-3.8.4-3", "MQTT-3.8.4-4");
        published(raised(), &qos1("t/a", "m", 1, false), 1).breaks(Rule::DeliveryIsMade, statement);
        let away = pair(version).see(1, Observation::ClosedByClient);
        let back = published(away, &qos1("t/a", "m", 1, false), 1).connected_with(3, lasting("sub", version), true);
        back.breaks(Rule::DeliveryIsMade, "MQTT-3.1.2-5");
        let statement = either(version, "MQTT-4.1.0-2", "MQTT-4.1.0-1");
        let idle = (0..4).fold(pair(version), |trace, _| {
            let alive = trace.later(50_000).send(1, &Packet::Pingreq).receive(1, &Packet::Pingresp);
            alive.send(2, &Packet::Pingreq).receive(2, &Packet::Pingresp)
        });
        published(idle, &qos1("t/a", "m", 1, false), 1).breaks(Rule::DeliveryIsMade, statement);
    }
    let own = SubscriptionOptions { qos: Qos::AtLeastOnce, no_local: true, ..SubscriptionOptions::default() };
    let local = Trace::new("standard", V5).connected(2, "both").send(2, &subscribe_with(1, "t/a", own));
    let local = published(local.receive(2, &suback(1, &[ReasonCode::GrantedQos1])), &qos1("t/a", "m", 1, false), 1);
    local.receive(2, &qos1("t/a", "m", 1, false)).breaks(Rule::DeliveryWasSubscribed, "MQTT-3.8.3-3");
}

#[test]
fn a_message_that_does_not_fit_holds_nothing_up() {
    let mut small = connect("sub");
    small.properties.maximum_packet_size = NonZeroU32::new(100);
    small.properties.receive_maximum = NonZeroU16::new(1);
    let large = "x".repeat(200);
    let both = || {
        let trace = Trace::new("standard", V5).connected_with(1, small.clone(), false);
        let trace = trace.subscribed(1, 1, "t/a", Qos::AtLeastOnce).connected(2, "pub");
        let trace = published(trace, &qos1("t/a", &large, 1, false), 1);
        published(trace, &qos1("t/a", "m", 2, false), 2)
    };
    both().receive(1, &qos1("t/a", "m", 1, false)).conforms();
    both().breaks(Rule::DeliveryIsMade, "MQTT-3.1.2-25");
}

#[test]
fn what_follows_a_refused_connect_has_no_effect() {
    for version in BOTH {
        let trace = Trace::new("standard", version).connected(1, "sub").subscribed(1, 1, "t/a", Qos::AtLeastOnce);
        let mut wrong = Connect { clean_start: version == V5, ..connect("") };
        wrong.properties.authentication_method = (version == V5).then(|| "unknown".try_into().unwrap());
        let code = match version {
            V5 => ConnackCode::Reason(ReasonCode::BadAuthenticationMethod),
            _ => ConnackCode::Return(ConnectReturnCode::IdentifierRejected),
        };
        let connack = Connack { session_present: false, code, properties: ConnackProperties::default() };
        let refused = trace
            .see(3, Observation::Opened)
            .send(3, &Packet::Connect(wrong))
            .send(3, &qos1("t/a", "m", 1, false))
            .receive(3, &Packet::Connack(connack))
            .see(3, Observation::ClosedByServer)
            .receive(1, &qos1("t/a", "m", 1, false));
        refused.breaks(Rule::DeliveryWasSubscribed, either(version, "MQTT-3.1.4-5", "MQTT-3.1.4-6"));
    }
}

#[test]
fn no_disconnect_comes_before_connack() {
    let sent = Trace::new("standard", V5).see(1, Observation::Opened).send(1, &Packet::Connect(connect("sub")));
    let disconnect = Packet::Disconnect(Disconnect::because(ReasonCode::NotAuthorized));
    sent.receive(1, &disconnect).breaks(Rule::ConnackComesFirst, "MQTT-3.14.0-1");
}

#[test]
fn aliases_within_the_offer_are_served_and_forgotten_with_the_connection() {
    let offered = |connection, trace: Trace| {
        let properties = ConnackProperties { topic_alias_maximum: Some(2), ..ConnackProperties::default() };
        let code = ConnackCode::Reason(ReasonCode::Success);
        trace
            .see(connection, Observation::Opened)
            .send(connection, &Packet::Connect(connect("pub")))
            .receive(connection, &Packet::Connack(Connack { session_present: false, code, properties }))
    };
    let aliased = |packet, alias| publish(packet, |publish| publish.properties.topic_alias = NonZeroU16::new(alias));
    let held = || Trace::new("standard", V5).connected(1, "sub").subscribed(1, 1, "t/a", Qos::AtLeastOnce);
    let named = || {
        let trace = offered(2, held()).send(2, &aliased(qos1("t/a", "m", 1, false), 2)).receive(2, &puback(1));
        trace.receive(1, &qos1("t/a", "m", 1, false)).send(1, &puback(1))
    };
    let short = || named().send(2, &aliased(qos1("", "n", 2, false), 2));
    short().receive(2, &puback(2)).breaks(Rule::DeliveryIsMade, "MQTT-3.3.2-12");
    short().see(2, Observation::ClosedByServer).breaks(Rule::UnprovokedClose, "MQTT-3.3.2-12");
    let again =
        || offered(3, named().see(2, Observation::ClosedByClient)).send(3, &aliased(qos1("", "n", 1, false), 2));
    again().see(3, Observation::ClosedByServer).conforms();
    again().receive(3, &puback(1)).violates("offence-is-refused", "MQTT-3.3.2-7");
}
