//! Devices in the judge: one session a device, its own topics, and what is pushed to it.

use crate::trace::{Trace, at_qos1, connack, device, disconnect, login, puback, qos0, qos1, suback, subscribe};
use model::packet::ProtocolVersion::{V3_1, V3_1_1, V5_0};
use model::packet::{Connect, Packet, ProtocolVersion, Qos};
use model::profile::{Feature, Profile};

/// Two devices, the first with a subscription to a custom topic of its own.
fn lamp_and_tv(version: ProtocolVersion) -> Trace {
    Trace::platform(version)
        .connected(1, device("lamp"))
        .subscribed(1, 1, "/pk/lamp/user/get")
        .connected(2, device("tv"))
}

#[test]
fn the_user_name_makes_the_session() {
    // P-CON-3, P-CON-4: the same device under another client identifier takes its connection over.
    let again = || {
        let other = login("another|securemode=3|", "lamp&pk");
        Trace::platform(V3_1_1).connected(1, device("lamp")).connected(2, other)
    };
    again().closed(1).alive(2).conforms();
    again().alive(2).violates("older-connection-closes", "P-CON-4");
    // X-38: the notice comes first, where the device has asked for it.
    let notice = r#"{"title":"kick","content":"Kicked by the same device"}"#;
    again().receive(1, &qos0("/ext/notify", notice)).closed(1).conforms();
}

#[test]
fn a_device_that_is_taken_over_hears_why_in_5_0() {
    let again = || Trace::platform(V5_0).connected(1, device("lamp")).connected(2, device("lamp"));
    for code in [0x8E, 0x98] {
        again().receive(1, &disconnect(code)).closed(1).alive(2).conforms();
    }
}

#[test]
fn what_finds_no_room_fails_whatever_qos_it_asks_for() {
    // P-TOP-14 before X-12.
    let filters: Vec<String> = (0..100).map(|number| format!("/pk/lamp/user/s{number}")).collect();
    let lamp = || Trace::platform(V3_1_1).connected(1, device("lamp"));
    let full =
        || filters.iter().zip(1..).fold(lamp(), |lamp, (filter, packet_id)| lamp.subscribed(1, packet_id, filter));
    let one_more = subscribe(101, &["/pk/lamp/user/one-more"], Qos::ExactlyOnce);
    full().send(1, &one_more).receive(1, &suback(101, &[0x80])).alive(1).conforms();
    // Nor does it find room the second time.
    let twice = subscribe(101, &["/pk/lamp/user/one-more", "/pk/lamp/user/one-more"], Qos::AtLeastOnce);
    full().send(1, &twice).receive(1, &suback(101, &[0x80, 0x80])).alive(1).conforms();
}

#[test]
fn a_filter_of_others_is_refused_for_that_whatever_qos_it_asks_for() {
    // X-22 before X-12.
    lamp_and_tv(V5_0)
        .send(2, &subscribe(7, &["/pk/lamp/user/get"], Qos::ExactlyOnce))
        .receive(2, &suback(7, &[0x87]))
        .alive(2)
        .conforms();
}

#[test]
fn of_two_things_that_are_wrong_a_server_may_name_either() {
    // A filter that is too long, and for topics of others.
    let filter = format!("/pk/lamp/user/{}", "x".repeat(128));
    for code in [0x87, 0x8F] {
        let asked = lamp_and_tv(V5_0).send(2, &subscribe(7, &[&filter], Qos::AtLeastOnce));
        asked.receive(2, &suback(7, &[code])).alive(2).conforms();
    }
    // A way to sign that nobody knows, and a Keep Alive that is too low.
    let unknown = Connect { keep_alive: 10, ..login("lamp|securemode=3,signmethod=hmacsha7|", "lamp&pk") };
    let connects = || Trace::platform(V3_1_1).open(1).send(1, &Packet::Connect(unknown.clone()));
    for code in [4, 5] {
        connects().receive(1, &connack(V3_1_1, code)).closed(1).conforms();
    }
    connects().receive(1, &connack(V3_1_1, 1)).closed(1).violates("offence-is-refused", "X-1");
}

#[test]
fn an_answer_at_a_wrong_qos_counts_like_other_messages() {
    let topic = "/pk/lamp/user/get";
    let answered =
        || Trace::platform(V3_1_1).connected(1, device("lamp")).send(1, &qos1("/sys/pk/lamp/rrpc/response/7", "m", 1));
    let often = || (2..=10).fold(answered(), |trace, id| trace.published(1, id, topic, "m"));
    often().send(1, &qos1(topic, "m", 11)).alive(1).conforms();
    let seldom = || (2..=9).fold(answered(), |trace, id| trace.published(1, id, topic, "m"));
    seldom().send(1, &qos1(topic, "m", 11)).alive(1).violates("publish-is-answered", "MQTT-4.3.2-2");
}

#[test]
fn who_ends_a_connection_behind_its_suback_need_not_look_for_retained_messages() {
    let lasting = || {
        let mut connect = Connect { clean_start: false, ..device("lamp") };
        connect.properties.session_expiry_interval = Some(100);
        connect
    };
    let mut kept = at_qos1("/pk/lamp/user/get", "m", 1);
    kept.retain = true;
    let served = std::collections::BTreeSet::from([Feature::FullService]);
    let profile = Profile::builtin("platform-2026").unwrap().counting_on(&served);
    let ended = |filters: &[&str], codes: &[u8]| {
        let asked = Trace::new(&profile, V5_0)
            .connected(1, lasting())
            .send(1, &Packet::Publish(kept.clone()))
            .receive(1, &puback(1, 0))
            .send(1, &subscribe(2, filters, Qos::AtLeastOnce))
            .receive(1, &suback(2, codes));
        let Packet::Connack(mut connack) = connack(V5_0, 0) else { panic!("no CONNACK") };
        connack.session_present = true;
        let again = asked.receive(1, &disconnect(0x87)).closed(1).open(2).send(2, &Packet::Connect(lasting()));
        again.receive(2, &Packet::Connack(connack)).alive(2)
    };
    ended(&["/pk/tv/user/get", "/pk/lamp/user/get"], &[0x87, 1]).conforms();
}

#[test]
fn one_client_identifier_may_be_two_devices() {
    // X-41: the first device may be left alone, or thrown out.
    let both = || {
        let id = "same|securemode=3|";
        Trace::platform(V3_1_1).connected(1, login(id, "lamp&pk")).connected(2, login(id, "tv&pk"))
    };
    both().alive(1).alive(2).conforms();
    both().closed(1).alive(2).conforms();
    both().closed(2).violates("unprovoked-close", "");
}

#[test]
fn a_session_is_handed_over_to_the_device() {
    // P-SES-3, X-40; X-37: Session Present may be 0 all the same.
    let kept = |name| Connect { clean_start: false, ..device(name) };
    let resumed = |payload| {
        Trace::platform(V3_1_1)
            .connected(1, kept("lamp"))
            .subscribed(1, 1, "/pk/lamp/user/get")
            .left(1)
            .connected(2, kept("lamp"))
            .published(2, 7, "/pk/lamp/user/get", payload)
    };
    resumed("m").receive(2, &qos1("/pk/lamp/user/get", "m", 1)).conforms();
    resumed("m").violates("delivery-is-made", "P-SES-3");
    let told = Trace::new(Profile::builtin("standard").unwrap(), V3_1_1).connected(1, kept("lamp")).left(1);
    told.connected(2, kept("lamp")).violates("stored-session-is-present", "MQTT-3.2.2-2");
}

#[test]
fn own_messages_come_back_at_the_publishers_qos() {
    // P-TOP-19, P-QOS-2.
    let own = || lamp_and_tv(V3_1_1).published(1, 9, "/pk/lamp/user/get", "m");
    own().receive(1, &qos1("/pk/lamp/user/get", "m", 1)).conforms();
    own().receive(1, &qos0("/pk/lamp/user/get", "m")).violates("delivery-qos", "P-QOS-2");
}

#[test]
fn nothing_comes_from_anothers_topics() {
    // X-21 and X-22: never delivered, never received, whatever the server has answered.
    for version in [V3_1_1, V5_0] {
        let code = if version == V5_0 { 0x87 } else { 0 };
        let foreign = || {
            let publish = qos1("/pk/lamp/user/get", "m", 5);
            lamp_and_tv(version).send(2, &publish).receive(2, &puback(5, code))
        };
        foreign().conforms();
        foreign().receive(1, &qos1("/pk/lamp/user/get", "m", 1)).violates("delivery-was-subscribed", "");
        let code = if version == V5_0 { 0x87 } else { 0x80 };
        let foreign = || {
            let subscribe = subscribe(5, &["/pk/lamp/user/get"], Qos::AtLeastOnce);
            lamp_and_tv(version).send(2, &subscribe).receive(2, &suback(5, &[code])).published(
                1,
                9,
                "/pk/lamp/user/get",
                "m",
            )
        };
        let delivered = |trace: Trace| trace.receive(1, &qos1("/pk/lamp/user/get", "m", 1));
        delivered(foreign()).conforms();
        let violation =
            foreign().receive(2, &qos1("/pk/lamp/user/get", "m", 1)).violates("delivery-is-permitted", "X-22");
        assert_eq!(violation.expected, "nothing but topics of tv&pk");
        let granted = lamp_and_tv(version).send(2, &subscribe(5, &["/pk/lamp/user/get"], Qos::AtLeastOnce));
        granted.receive(2, &suback(5, &[1])).violates("suback-grants", "");
    }
}

#[test]
fn what_is_pushed_needs_no_subscription() {
    // P-TOP-18, P-RPC-6.
    for topic in ["/sys/pk/lamp/rrpc/request/123", "/ext/rrpc/123/pk/lamp/user/get", "/sys/pk/lamp/broadcast/request/9"]
    {
        Trace::platform(V3_1_1).connected(1, device("lamp")).receive(1, &qos0(topic, "ask")).conforms();
        // X-42: at QoS 1 it is acknowledged, and its identifier is in use until then.
        let pushed = || Trace::platform(V3_1_1).connected(1, device("lamp")).receive(1, &qos1(topic, "ask", 1));
        pushed().send(1, &puback(1, 0)).receive(1, &qos1(topic, "again", 1)).conforms();
        pushed().receive(1, &qos1(topic, "again", 1)).violates("identifier-is-free", "");
        let other = Trace::platform(V3_1_1).connected(1, device("tv")).receive(1, &qos0(topic, "ask"));
        // P-TOP-6 leaves the topics below /ext to every device: there the missing subscription tells.
        let is_named = topic.starts_with("/sys/");
        other.violates(if is_named { "delivery-is-permitted" } else { "delivery-was-subscribed" }, "P-TOP-18");
    }
    let custom = Trace::platform(V3_1_1).connected(1, device("lamp")).receive(1, &qos0("/pk/lamp/user/get", "ask"));
    custom.violates("delivery-was-subscribed", "P-TOP-18");
}

#[test]
fn what_the_platform_consumes_need_not_come() {
    let topic = "/sys/pk/lamp/thing/event/property/post";
    let post =
        || Trace::platform(V3_1_1).connected(1, device("lamp")).subscribed(1, 1, topic).published(1, 9, topic, "{}");
    post().conforms();
    post().receive(1, &qos1(topic, "{}", 1)).conforms();
}

#[test]
fn a_registration_gets_its_secret_and_nothing_else() {
    let id = "lamp.pk|securemode=2,authType=register,random=567345,signmethod=hmacsha256|";
    // P-REG-1: its keep alive is not looked at.
    let registering = || {
        let connect = Connect { keep_alive: 5, ..login(id, "lamp&pk") };
        Trace::platform(V3_1_1).connected(1, connect)
    };
    registering().receive(1, &qos0("/ext/register", "{}")).left(1).connected(2, device("lamp")).conforms();
    registering().receive(1, &qos0("/ext/regnwl", "{}")).conforms();
    registering().receive(1, &qos0("/pk/lamp/user/get", "m")).violates("delivery-is-permitted", "P-REG-4");
    // The device's own connection goes on beside it.
    let beside = Trace::platform(V3_1_1).connected(2, device("lamp")).connected(1, login(id, "lamp&pk"));
    beside.alive(2).alive(1).conforms();
}

#[test]
fn a_device_that_has_used_5_0_stays_there_in_the_newer_dialect() {
    let back = |profile: &str| {
        Trace::new(Profile::builtin(profile).unwrap(), V5_0).connected(1, device("lamp")).left(1).speaking(V3_1_1)
    };
    back("platform").connected(2, device("lamp")).conforms();
    back("platform-2026").connected(2, device("lamp")).violates("offence-is-refused", "N-VER-1");
    let refused = back("platform-2026").open(2).send(2, &Packet::Connect(device("lamp")));
    refused.receive(2, &connack(V3_1_1, 1)).closed(2).conforms();
    // Another device is free.
    back("platform-2026").connected(2, device("tv")).conforms();
}

#[test]
fn no_more_than_fifty_deliveries_are_open() {
    // P-SES-8, though the device would take more.
    let open = |count: u16| {
        let mut trace = lamp_and_tv(V3_1_1);
        for number in 1..=count {
            let text = number.to_string();
            trace = trace.later(100).published(1, number, "/pk/lamp/user/get", &text);
        }
        for number in 1..=count {
            trace = trace.receive(1, &qos1("/pk/lamp/user/get", &number.to_string(), number));
        }
        trace
    };
    open(50).conforms();
    open(51).violates("receive-maximum-is-obeyed", "P-SES-8");
}

#[test]
fn a_receiver_never_sees_more_than_the_limits() {
    // X-30, X-31, X-33: the message may come without what is too much, never with it.
    let text = |characters: usize| "x".repeat(characters);
    let mut much = at_qos1("/pk/lamp/user/get", "m", 9);
    let property = |name: &str, value: &str| (name.try_into().unwrap(), value.try_into().unwrap());
    much.properties.user_properties = vec![property("_hidden", "1"), property("long", &text(125)), property("k", "v")];
    much.properties.response_topic = Some(text(129).try_into().unwrap());
    much.properties.correlation_data = Some(vec![0; 129]);
    let mut permitted = at_qos1("/pk/lamp/user/get", "m", 1);
    permitted.properties.user_properties = vec![property("k", "v")];
    let sent = || lamp_and_tv(V5_0).send(1, &Packet::Publish(much.clone())).receive(1, &puback(9, 0));
    sent().receive(1, &Packet::Publish(permitted)).conforms();
    sent().conforms();
    let mut untouched = much.clone();
    untouched.delivery = at_qos1("t", "", 1).delivery;
    sent().receive(1, &Packet::Publish(untouched)).violates("delivery-was-subscribed", "");
}

#[test]
fn a_twenty_first_property_may_be_left_out() {
    let property = |number: usize| (format!("k{number}").try_into().unwrap(), "v".try_into().unwrap());
    let with = |count: usize, packet_id| {
        let mut publish = at_qos1("/pk/lamp/user/get", "m", packet_id);
        publish.properties.user_properties = (0..count).map(property).collect();
        Packet::Publish(publish)
    };
    let sent = |count| lamp_and_tv(V5_0).send(1, &with(count, 9)).receive(1, &puback(9, 0));
    sent(20).receive(1, &with(20, 1)).conforms();
    sent(20).violates("delivery-is-made", "");
    sent(21).receive(1, &with(20, 1)).conforms();
    sent(21).receive(1, &with(21, 1)).violates("delivery-is-unchanged", "");
}

#[test]
fn plain_logins_stay_plain_clients() {
    for version in [V3_1, V3_1_1, V5_0] {
        Trace::platform(version)
            .connected(1, login("sub", "mqttspec"))
            .subscribed(1, 1, "/mqttspec/device/user/t")
            .connected(2, login("pub", "mqttspec"))
            .published(2, 1, "/mqttspec/device/user/t", "m")
            .receive(1, &qos1("/mqttspec/device/user/t", "m", 1))
            .conforms();
    }
}

/// Platform, where a case counts on it that all is served.
fn served() -> Profile {
    let served = std::collections::BTreeSet::from([Feature::FullService, Feature::Qos0Arrives]);
    Profile::builtin("platform").unwrap().counting_on(&served)
}

#[test]
fn of_messages_alike_at_qos_0_the_one_that_must_come_has_come() {
    let profile = served();
    let (topic, same, next) = ("/pk/lamp/user/get", qos0("/pk/lamp/user/get", "m1"), qos0("/pk/lamp/user/get", "m2"));
    let twice = || {
        let before = Trace::new(&profile, V3_1_1).connected(1, device("lamp")).send(1, &same);
        before.subscribed(1, 1, topic).send(1, &same)
    };
    twice().receive(1, &same).alive(1).send(1, &next).receive(1, &next).conforms();
    twice().alive(1).send(1, &next).receive(1, &next).violates("order-is-kept", "");
}

#[test]
fn of_messages_beyond_the_rate_a_server_may_drop_any() {
    // P-LIM-2, X-27: ten a second, and these are fifteen.
    let topic = "/pk/lamp/user/get";
    for version in [V3_1, V3_1_1, V5_0] {
        for is_alike in [true, false] {
            let payload = |id: u16| if is_alike { "same".to_owned() } else { format!("m{id}") };
            let message = |id| qos1(topic, &payload(id), id);
            let lamp = Trace::new(&served(), version).connected(1, device("lamp"));
            let lamp = (101..=103).fold(lamp, |lamp, id| lamp.published(1, id, topic, "before"));
            let sent = (1..=12).fold(lamp.subscribed(1, 200, topic), |lamp, id| lamp.send(1, &message(id)));
            let came =
                |sent: Trace| (1..=7).fold(sent, |lamp, id| lamp.receive(1, &message(id)).receive(1, &puback(id, 0)));
            let done = (1..=7).fold(came(sent).later(1000), |lamp, id| lamp.send(1, &puback(id, 0)));
            assert!(done.states() < 10, "{version}: {}", done.states());
            done.alive(1).conforms();
        }
    }
}

#[test]
fn messages_alike_at_qos_0_take_few_states() {
    // P-LIM-1: thirty a second must come, three may.
    let (topic, same) = ("/pk/lamp/user/get", qos0("/pk/lamp/user/get", "same"));
    let lamp = Trace::new(&served(), V3_1_1).connected(1, device("lamp")).subscribed(1, 1, topic);
    let sent = (0..33).fold(lamp, |lamp, _| lamp.send(1, &same));
    let came = (0..30).fold(sent, |lamp, _| lamp.receive(1, &same));
    assert!(came.states() < 10, "{}", came.states());
    came.alive(1).conforms();
}
