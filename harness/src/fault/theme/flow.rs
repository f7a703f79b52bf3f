//! Receive Maximum.

use crate::fault::moment::Moment;
use crate::fault::proxy_fault::{On, ProxyFault, client, fault, server, when};
use model::packet::Packet;
use model::packet::PacketType::{Connect, Pingresp, Puback, Publish, Suback, Unsuback};
use std::num::NonZeroU16;

const KEPT_BACK: &[&str] = &["5.0:MQTT-3.3.4-10", "5.0:MQTT-4.9.0-3"];

pub(super) static FAULTS: &[ProxyFault] = &[
    fault(
        "receive-maximum-taken-for-more",
        "One delivery more is under way than Receive Maximum permits.",
        &["5.0:MQTT-3.3.4-9", "5.0:MQTT-4.9.0-1", "5.0:MQTT-4.9.0-2", "P-V5-4"],
        &[client(Connect, |moment| {
            if let Some(Packet::Connect(connect)) = &mut moment.packet
                && let Some(maximum) = &mut connect.properties.receive_maximum
            {
                *maximum = maximum.saturating_add(1);
            }
        })],
    ),
    fault(
        "receive-maximum-ignored",
        "Receive Maximum has no meaning.",
        &["5.0:MQTT-3.3.4-9", "5.0:MQTT-4.9.0-1", "5.0:MQTT-4.9.0-2", "P-V5-4", "P-V5-3", "X-18"],
        &[client(Connect, |moment| {
            if let Some(Packet::Connect(connect)) = &mut moment.packet {
                connect.properties.receive_maximum = None;
            }
        })],
    ),
    fault(
        "receive-maximum-of-the-first-connection",
        "A session keeps the Receive Maximum of its first connection.",
        &["5.0:MQTT-3.3.4-9", "5.0:MQTT-4.9.0-1"],
        &[client(Connect, |moment| {
            let session = moment.it().session.clone();
            let first =
                moment.scene.links.iter().find(|link| link.session == session).and_then(|link| link.connect.clone());
            if let (Some(Packet::Connect(connect)), Some(first)) = (&mut moment.packet, first) {
                connect.properties.receive_maximum = first.properties.receive_maximum;
            }
        })],
    ),
    fault(
        "nothing-passes-at-receive-maximum",
        "While Receive Maximum is used up nothing is answered.",
        KEPT_BACK,
        &[when(On::AnyFromServer, |moment| {
            if is_used_up(moment) && moment.publish().is_none() {
                moment.lose();
            }
        })],
    ),
    fault(
        "no-ping-at-receive-maximum",
        "While Receive Maximum is used up PINGREQ is not answered.",
        KEPT_BACK,
        &[server(Pingresp, kept_back)],
    ),
    fault(
        "no-suback-at-receive-maximum",
        "While Receive Maximum is used up SUBSCRIBE is not answered.",
        KEPT_BACK,
        &[server(Suback, kept_back)],
    ),
    fault(
        "no-unsuback-at-receive-maximum",
        "While Receive Maximum is used up UNSUBSCRIBE is not answered.",
        KEPT_BACK,
        &[server(Unsuback, kept_back)],
    ),
    fault(
        "no-puback-at-receive-maximum",
        "While Receive Maximum is used up PUBLISH is not acknowledged.",
        KEPT_BACK,
        &[server(Puback, kept_back)],
    ),
    fault(
        "never-more-than-receive-maximum",
        "After as many deliveries as Receive Maximum permits nothing comes any more.",
        &["5.0:MQTT-4.5.0-1", "P-V5-4"],
        &[server(Publish, |moment| {
            if moment.it().deliveries >= usize::from(maximum(moment).map_or(u16::MAX, NonZeroU16::get)) {
                moment.lose_delivery();
            }
        })],
    ),
];

fn kept_back(moment: &mut Moment<'_>) {
    if is_used_up(moment) {
        moment.lose();
    }
}

/// The Receive Maximum of the client, if it named one.
fn maximum(moment: &mut Moment<'_>) -> Option<NonZeroU16> {
    moment.it().connect.as_ref()?.properties.receive_maximum
}

fn is_used_up(moment: &mut Moment<'_>) -> bool {
    maximum(moment).is_some_and(|maximum| moment.it().in_flight.len() >= usize::from(maximum.get()))
}
