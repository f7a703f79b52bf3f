//! What business servers get over AMQP, and what the log of a device says, of a server that serves whatever is in order.

use crate::trace::{Trace, at_qos1, device, disconnect, puback, qos0};
use model::cloud::{Answer, LogLine, PlatformMessage, Request};
use model::judge::Observation;
use model::packet::ProtocolVersion::V5_0;
use model::packet::{Packet, PublishProperties};
use model::profile::{Feature, Profile};
use std::collections::BTreeSet;

const TOPIC: &str = "/pk/lamp/user/update";

/// A lamp that is online, and a business server that listens.
fn lamp_and_ear() -> Trace {
    let served = BTreeSet::from([Feature::FullService, Feature::Qos0Arrives]);
    let profile = Profile::builtin("platform").unwrap().counting_on(&served);
    Trace::new(&profile, V5_0).connected(1, device("lamp")).open(2).see(2, Observation::Consumes)
}

fn properties() -> PublishProperties {
    PublishProperties {
        response_topic: Some("/pk/lamp/user/get".try_into().unwrap()),
        correlation_data: Some(vec![0, 1]),
        user_properties: vec![("k".try_into().unwrap(), "v1".try_into().unwrap())],
        ..PublishProperties::default()
    }
}

fn message(payload: &str, message_id: &str) -> PlatformMessage {
    PlatformMessage {
        topic: TOPIC.to_owned(),
        message_id: message_id.to_owned(),
        generate_time: None,
        qos: Some(1),
        response_topic: None,
        correlation_data: None,
        user_properties: None,
        payload: payload.as_bytes().to_vec(),
    }
}

fn delivered(trace: Trace, message: &PlatformMessage) -> Trace {
    trace.see(2, Observation::Delivered(message))
}

#[test]
fn a_message_that_offends_is_not_owed_to_business_servers() {
    lamp_and_ear().send(1, &qos0("/pk/lamp/user/+", "m1")).receive(1, &disconnect(0x90)).closed(1).conforms();
    lamp_and_ear().send(1, &qos0(TOPIC, "m1")).alive(1).violates("amqp-message-arrives", "P-AMQ-7");
}

#[test]
fn what_was_given_back_comes_again_under_its_number() {
    let settle = |trace: Trace, message_id, is_accepted| trace.see(2, Observation::Settled { message_id, is_accepted });
    let both = lamp_and_ear().published(1, 1, TOPIC, "m1").published(1, 2, TOPIC, "m1");
    let both = delivered(delivered(both, &message("m1", "1")), &message("m1", "2"));
    let given_back = settle(settle(both, "1", true), "2", false).later(60_000);
    delivered(given_back, &message("m1", "2")).later(40_000).alive(1).conforms();
}

#[test]
fn of_two_messages_that_are_alike_the_right_one_comes() {
    let foreign = "/pk/tv/user/update";
    let both = || {
        let twice = lamp_and_ear().connected(4, device("tv")).send(1, &qos0(foreign, "m1")).alive(1);
        twice.published(4, 1, foreign, "m1")
    };
    let message = PlatformMessage { topic: foreign.to_owned(), ..message("m1", "1") };
    delivered(both(), &message).conforms();
    both().violates("amqp-message-arrives", "P-AMQ-7");
}

#[test]
fn what_a_device_says_beside_its_message_comes_with_it() {
    // P-AMQ-7, under the reference broker's names.
    let sent = || {
        let publish = model::packet::Publish { properties: properties(), ..at_qos1(TOPIC, "m1", 1) };
        lamp_and_ear().send(1, &Packet::Publish(publish)).receive(1, &puback(1, 0))
    };
    let whole = PlatformMessage {
        response_topic: Some("/pk/lamp/user/get".to_owned()),
        correlation_data: Some("AAE=".to_owned()),
        user_properties: Some("k=v1".to_owned()),
        ..message("m1", "77")
    };
    delivered(sent(), &whole).conforms();
    let missing = [
        PlatformMessage { response_topic: None, ..whole.clone() },
        PlatformMessage { correlation_data: None, ..whole.clone() },
        PlatformMessage { user_properties: Some("k".to_owned()), ..whole.clone() },
    ];
    for message in missing {
        delivered(sent(), &message).violates("amqp-message-is-the-devices", "P-AMQ-7");
    }
}

#[test]
fn a_message_that_is_given_back_is_known_by_the_platforms_name() {
    // P-AMQ-9. The names are the platform's: that "2" comes first is its own affair.
    let heard = || {
        let both = lamp_and_ear().published(1, 1, TOPIC, "m1").published(1, 2, TOPIC, "m2");
        let both = delivered(delivered(both, &message("m1", "2")), &message("m2", "1"));
        both.see(2, Observation::Settled { message_id: "2", is_accepted: false })
            .see(2, Observation::Settled { message_id: "1", is_accepted: true })
            .later(100_000)
    };
    delivered(heard(), &message("m1", "2")).conforms();
    delivered(heard(), &message("m2", "1")).violates("amqp-message-arrives", "P-AMQ-8");
}

#[test]
fn the_log_holds_what_a_device_has_published() {
    // P-LOG-2, P-LOG-6.
    let request = Request {
        parameters: [("ProductKey", "pk"), ("DeviceName", "lamp")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        ..Request::new("QueryDeviceLog")
    };
    let read = |lines: Vec<LogLine>| {
        let publish = model::packet::Publish { properties: properties(), ..at_qos1(TOPIC, "m1", 1) };
        let sent = lamp_and_ear().send(1, &Packet::Publish(publish)).receive(1, &puback(1, 0));
        let whole = PlatformMessage {
            response_topic: Some("/pk/lamp/user/get".to_owned()),
            correlation_data: Some("AAE=".to_owned()),
            user_properties: Some("k=v1".to_owned()),
            ..message("m1", "77")
        };
        let asked = delivered(sent, &whole).open(3).see(3, Observation::Asked { request: &request, in_order: true });
        asked.see(3, Observation::Answered(&Answer { log: lines, ..Answer::done() }))
    };
    let content = format!("Device publish message to topic:{TOPIC},QoS=1,protocolMessageId:1");
    let line = LogLine { content, user_properties: vec![("k".to_owned(), "v1".to_owned())], ..LogLine::default() };
    read(vec![line.clone()]).conforms();
    read(Vec::new()).violates("device-log-is-kept", "P-LOG-2");
    read(vec![LogLine { user_properties: Vec::new(), ..line }]).violates("device-log-is-kept", "P-LOG-6");
}
