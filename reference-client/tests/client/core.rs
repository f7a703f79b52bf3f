//! The core without stream and task: what only shows between two of its outputs.

use crate::scripted::{V5_0, keeping, message};
use model::packet::{Connack, ConnackCode, ConnackProperties, Packet, Qos, ReasonCode};
use model::wire::encode;
use reference_client::connection::{Connection, Event, Output};
use reference_client::{ConnectOptions, NotSendable, PublishError, Session};
use std::num::NonZeroU32;
use std::time::Duration;

const START: Duration = Duration::ZERO;

fn accepted(options: ConnectOptions, session_present: bool, properties: ConnackProperties) -> Connection {
    let mut connection = Connection::open(options, START).unwrap();
    assert!(matches!(connection.poll(START), Some(Output::Send(_))));
    let code = ConnackCode::Reason(ReasonCode::Success);
    let connack = Packet::Connack(Connack { session_present, code, properties });
    connection.received(&encode(&connack, V5_0).unwrap());
    assert!(matches!(connection.poll(START), Some(Output::Accepted(_))));
    connection
}

/// A session with these messages unacknowledged.
fn interrupted(payloads: &[&str]) -> Session {
    let mut connection = accepted(keeping(V5_0), false, ConnackProperties::default());
    for payload in payloads {
        connection.publish(message(payload, Qos::AtLeastOnce), START).unwrap();
        assert!(matches!(connection.poll(START), Some(Output::Send(_))));
    }
    connection.transport_ended(None);
    match connection.poll(START) {
        Some(Output::Ended(ended)) => ended.session.unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_new_message_goes_before_one_that_is_to_be_sent_again() {
    let options = keeping(V5_0).resuming(interrupted(&["a message of some length", "m2"]));
    let properties = ConnackProperties { maximum_packet_size: NonZeroU32::new(20), ..ConnackProperties::default() };
    let mut connection = accepted(options, true, properties);
    assert!(!connection.can_publish());
    assert!(matches!(connection.poll(START), Some(Output::Event(Event::ResentSettled { .. }))));
    // The application has the event; "m2" is still to come.
    assert!(connection.poll(START).is_none());
    assert!(!connection.can_publish());
    assert_eq!(connection.publish(message("m3", Qos::AtLeastOnce), START), Err(NotSendable::NoQuota));
    connection.event_taken(START);
    assert!(matches!(connection.poll(START), Some(Output::Send(_))));
    assert!(connection.can_publish());
}

#[test]
fn a_resumed_message_above_the_new_maximum_qos_is_given_up() {
    let options = keeping(V5_0).resuming(interrupted(&["m1"]));
    let properties = ConnackProperties { maximum_qos: Some(Qos::AtMostOnce), ..ConnackProperties::default() };
    let mut connection = accepted(options, true, properties);
    let error = NotSendable::QosNotSupported { asked: Qos::AtLeastOnce, maximum: Qos::AtMostOnce };
    match connection.poll(START) {
        Some(Output::Event(Event::ResentSettled { outcome, .. })) => {
            assert_eq!(outcome, Err(PublishError::NotSendable(error)));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn when_it_is_over_nothing_follows() {
    let mut connection = accepted(keeping(V5_0), false, ConnackProperties::default());
    connection.received(&[0x00, 0x00]);
    assert!(matches!(connection.poll(START), Some(Output::Send(_))), "DISCONNECT");
    assert!(matches!(connection.poll(START), Some(Output::Ended(_))));
    let later = Duration::from_secs(3600);
    connection.received(&[0xD0, 0x00]);
    connection.tick(later);
    connection.event_taken(later);
    connection.transport_ended(None);
    assert!(connection.is_over() && connection.poll(later).is_none() && connection.deadline().is_none());
    assert_eq!(connection.publish(message("m", Qos::AtMostOnce), later), Err(NotSendable::NotConnected));
}
