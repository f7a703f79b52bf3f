//! What the cloud does with devices and hears of them.

use crate::world::{V3_1_1, V5_0, World, clean, publish, text};
use model::device::Device;
use model::packet::Qos::{AtLeastOnce, AtMostOnce};
use model::packet::{Connect, Packet, PublishProperties, Qos};
use reference_broker::core::log::Line;
use reference_broker::core::{
    CallOutcome, CallRequest, CloudEvent, CloudMessage, ConnectionId, MessageId, NotPublished, Presence,
};
use std::num::NonZeroU16;

fn lamp() -> Device {
    Device::new("pk", "lamp")
}

/// The CONNECT of a device; `ext` is its wish for calls and notices.
fn login(name: &str, ext: u8) -> Connect {
    let user_name = Some(text(&format!("{name}&pk")));
    Connect { user_name, password: Some(b"p".to_vec()), ..clean(&format!("{name}|securemode=3,ext={ext}|")) }
}

fn device(world: &mut World, name: &str, ext: u8) -> ConnectionId {
    let id = world.connect(V3_1_1, login(name, ext));
    assert_eq!(world.seen(id), ["CONNACK 0x00"]);
    id
}

fn call(world: &mut World, topic: Option<&str>) -> MessageId {
    let (device, topic) = (lamp(), topic.map(str::to_owned));
    world.cloud(|core, now| core.call(now, CallRequest { device, topic, payload: b"on?".to_vec(), timeout: 5_000 }))
}

/// How calls have ended since this was asked last.
fn ends(world: &mut World) -> Vec<(MessageId, CallOutcome)> {
    let next = |world: &mut World| world.cloud(|core, _| core.next_cloud_event());
    let mut ends = Vec::new();
    while let Some(event) = next(world) {
        if let CloudEvent::CallEnded { id, outcome } = event {
            ends.push((id, outcome));
        }
    }
    ends
}

fn pub_(world: &mut World, topic: &str, qos: Qos) -> Result<MessageId, NotPublished> {
    let properties = PublishProperties::default();
    let message =
        CloudMessage { topic: text(topic), payload: b"m".to_vec(), qos, retain: false, properties, topic_alias: None };
    world.cloud(|core, now| core.publish_from_cloud(now, message))
}

#[test]
fn an_alias_that_the_cloud_asks_for_is_used_as_far_as_the_device_takes_it() {
    let asked = [("get", 2), ("get", 2), ("set", 2), ("get", 2), ("get", 0), ("get", 1)];
    for (maximum, expected) in [
        (Some(2), [("get", 2), ("", 2), ("set", 2), ("get", 2), ("", 2), ("get", 1)]),
        (Some(1), [("get", 0), ("get", 0), ("set", 0), ("get", 0), ("get", 0), ("get", 1)]),
        (None, [("get", 0), ("get", 0), ("set", 0), ("get", 0), ("get", 0), ("get", 0)]),
    ] {
        let mut world = World::platform();
        let mut connect = login("lamp", 0);
        connect.properties.topic_alias_maximum = maximum;
        let lamp = world.connect(V5_0, connect);
        world.subscribe(lamp, &[("/pk/lamp/user/+", AtMostOnce)]);
        let mut seen = Vec::new();
        for (name, alias) in asked {
            let message = CloudMessage {
                topic: text(&format!("/pk/lamp/user/{name}")),
                payload: b"m".to_vec(),
                qos: AtMostOnce,
                retain: false,
                properties: PublishProperties::default(),
                topic_alias: NonZeroU16::new(alias),
            };
            world.cloud(|core, now| core.publish_from_cloud(now, message)).unwrap();
            let publish = world.last_publish(lamp).unwrap();
            let alias = publish.properties.topic_alias.map_or(0, NonZeroU16::get);
            seen.push((publish.topic.rsplit('/').next().unwrap_or_default().to_owned(), alias));
        }
        assert_eq!(seen, expected.map(|(name, alias)| (name.to_owned(), alias)), "{maximum:?}");
    }
}

#[test]
fn a_call_brings_the_first_answer_and_no_other() {
    let mut world = World::platform();
    let lamp = device(&mut world, "lamp", 0);
    let tv = device(&mut world, "tv", 0);
    let (first, second) = (call(&mut world, None), call(&mut world, None));
    let request = |id: MessageId| format!("PUBLISH /sys/pk/lamp/rrpc/request/{id} on? qos0");
    assert_eq!(world.seen(lamp), [request(first), request(second)]);
    let response = |id: MessageId| format!("/sys/pk/lamp/rrpc/response/{id}");
    world.publish(tv, &response(first), AtMostOnce, "forged");
    world.publish(lamp, &response(MessageId(7)), AtMostOnce, "unknown");
    assert_eq!(ends(&mut world), []);
    world.publish(lamp, &response(second), AtLeastOnce, "2");
    world.publish(lamp, &response(second), AtMostOnce, "more");
    world.publish(lamp, &response(first), AtMostOnce, "1");
    let answered = |text: &str| CallOutcome::Answered(text.into());
    assert_eq!(ends(&mut world), [(second, answered("2")), (first, answered("1"))]);
    world.elapse(10_000);
    assert_eq!(ends(&mut world), []);
}

#[test]
fn a_call_without_answer_times_out_on_time() {
    let mut world = World::platform();
    let lamp = device(&mut world, "lamp", 0);
    let id = call(&mut world, None);
    world.elapse(4_999);
    assert_eq!(ends(&mut world), []);
    world.elapse(1);
    assert_eq!(ends(&mut world), [(id, CallOutcome::Timeout)]);
    world.publish(lamp, &format!("/sys/pk/lamp/rrpc/response/{id}"), AtMostOnce, "late");
    assert_eq!(ends(&mut world), []);
}

#[test]
fn calls_on_custom_topics_go_to_who_asked_for_them() {
    for (ext, is_sent) in [(0, false), (1, true), (2, false), (3, true)] {
        let mut world = World::platform();
        let lamp = device(&mut world, "lamp", ext);
        let id = call(&mut world, Some("/pk/lamp/user/get"));
        let topic = format!("/ext/rrpc/{id}/pk/lamp/user/get");
        let request = format!("PUBLISH {topic} on? qos0");
        assert_eq!(world.seen(lamp), if is_sent { vec![request] } else { Vec::new() }, "{ext}");
        world.subscribe(lamp, &[("/ext/rrpc/+/pk/lamp/user/get", AtMostOnce)]);
        assert_eq!(world.seen(lamp), ["SUBACK 1 01"]);
        if is_sent {
            // The answer is the platform's alone: it does not come back.
            world.publish(lamp, &topic, AtMostOnce, "done");
            assert_eq!(ends(&mut world), [(id, CallOutcome::Answered(b"done".to_vec()))]);
            assert!(world.seen(lamp).is_empty());
        }
    }
}

#[test]
fn who_is_not_there_is_offline_or_half_connected() {
    let mut world = World::platform();
    let presence = |world: &mut World| world.cloud(|core, _| core.presence(&lamp()));
    let outcome = |world: &mut World| {
        let id = call(world, None);
        let [(ended, outcome)] = &ends(world)[..] else { panic!("it ends at once") };
        assert_eq!(*ended, id);
        outcome.clone()
    };
    assert_eq!((presence(&mut world), outcome(&mut world)), (Presence::Offline, CallOutcome::Offline));
    let lamp = device(&mut world, "lamp", 0);
    assert_eq!(presence(&mut world), Presence::Online);
    world.cut(lamp);
    assert_eq!((presence(&mut world), outcome(&mut world)), (Presence::HalfConnected, CallOutcome::HalfConnected));
    world.elapse(60_000);
    assert_eq!(outcome(&mut world), CallOutcome::Offline);
    let lamp = device(&mut world, "lamp", 0);
    world.disconnect(lamp);
    assert_eq!(outcome(&mut world), CallOutcome::Offline);
}

#[test]
fn a_message_of_the_cloud_goes_to_subscribers_at_its_own_qos() {
    let mut world = World::platform();
    let lamp = device(&mut world, "lamp", 0);
    assert!(pub_(&mut world, "/pk/lamp/user/get", AtLeastOnce).is_ok());
    assert!(world.seen(lamp).is_empty());
    world.subscribe(lamp, &[("/pk/lamp/user/get", AtMostOnce)]);
    world.seen(lamp);
    assert!(pub_(&mut world, "/pk/lamp/user/get", AtLeastOnce).is_ok());
    assert!(pub_(&mut world, "/pk/lamp/user/get", AtMostOnce).is_ok());
    world.puback(lamp, 1);
    assert_eq!(world.seen(lamp), ["PUBLISH /pk/lamp/user/get m qos1 id1", "PUBLISH /pk/lamp/user/get m qos0"]);
    let refused = (0..60).filter(|_| pub_(&mut world, "/pk/lamp/user/get", AtMostOnce).is_err()).count();
    assert_eq!(refused, 13, "of 63 in a second 50 are sent");
    world.elapse(1_000);
    assert!(pub_(&mut world, "/pk/lamp/user/get", AtMostOnce).is_ok());
}

#[test]
fn a_broadcast_needs_no_subscription_and_no_other_product() {
    let mut world = World::platform();
    let (lamp, tv) = (device(&mut world, "lamp", 0), device(&mut world, "tv", 0));
    let other = world.connect(V5_0, Connect { user_name: Some(text("tv&other")), ..login("other", 0) });
    world.seen(other);
    let (id, count) = world.cloud(|core, now| core.push_to_online(now, "pk", b"news"));
    assert_eq!(count, 2);
    assert_eq!(world.seen(lamp), [format!("PUBLISH /sys/pk/lamp/broadcast/request/{id} news qos0")]);
    assert_eq!(world.seen(tv), [format!("PUBLISH /sys/pk/tv/broadcast/request/{id} news qos0")]);
    assert!(world.seen(other).is_empty());
}

#[test]
fn a_disabled_device_is_dropped_and_kept_out_until_it_is_enabled() {
    let mut world = World::platform();
    let lamp_ = device(&mut world, "lamp", 0);
    world.cloud(|core, _| core.disable(&lamp()));
    assert_eq!(world.seen(lamp_), ["closed"]);
    let again = world.connect(V3_1_1, login("lamp", 0));
    assert_eq!(world.seen(again), ["CONNACK 0x05", "closed"]);
    device(&mut world, "tv", 0);
    world.cloud(|core, _| core.enable(&lamp()));
    device(&mut world, "lamp", 0);
}

#[test]
fn what_a_device_publishes_is_heard_and_logged_with_its_user_properties() {
    let mut world = World::platform();
    let id = world.connect(V5_0, login("lamp", 0));
    let properties = PublishProperties {
        user_properties: vec![(text("key1"), text("value1"))],
        correlation_data: Some(vec![0, 255]),
        ..PublishProperties::default()
    };
    let message = publish("/pk/lamp/user/update", AtLeastOnce, "21.5");
    world.send(id, Packet::Publish(model::packet::Publish { properties: properties.clone(), ..message }));
    let event = world.cloud(|core, _| core.next_cloud_event());
    let Some(CloudEvent::Published(heard)) = event else { panic!("{event:?}") };
    assert_eq!((heard.device, heard.topic, heard.payload), (lamp(), text("/pk/lamp/user/update"), b"21.5".to_vec()));
    assert_eq!((heard.qos, heard.properties), (AtLeastOnce, properties));
    world.disconnect(id);
    let lines: Vec<Line> = world.cloud(|core, _| core.device_log().of(&lamp()).cloned().collect());
    let texts: Vec<&str> = lines.iter().map(|line| line.entry.content.as_str()).collect();
    let uplink = "Device publish message to topic:/pk/lamp/user/update,QoS=1,protocolMessageId:1";
    assert_eq!(texts, ["Device connect", uplink, "Device disconnect"]);
    assert_eq!(lines[1].entry.user_properties, [(text("key1"), text("value1"))]);
    assert_eq!(lines[1].entry.message_id, Some(heard.id));
    // A client that is no device leaves no trace.
    let client = world.client(V5_0, "sub");
    world.publish(client, "t", AtMostOnce, "m");
    assert_eq!(world.cloud(|core, _| core.next_cloud_event()), None);
}
