//! Message Expiry Interval.

use crate::trace::*;
use model::judge::Observation;
use model::packet::Packet;

fn expiring(packet: Packet, interval: u32) -> Packet {
    let Packet::Publish(mut publish) = packet else { unreachable!("a PUBLISH expires") };
    publish.properties.message_expiry_interval = Some(interval);
    Packet::Publish(publish)
}

/// `m1` with an expiry of 30 s waits for `sub`, which is away for so long.
fn waiting(milliseconds: u64) -> Trace {
    pair(V5)
        .see(1, Observation::ClosedByClient)
        .send(2, &expiring(qos1("t/a", "m1", 1, false), 30))
        .receive(2, &puback(1))
        .later(milliseconds)
        .connected_with(3, lasting("sub", V5), true)
}

#[test]
fn what_has_expired_is_not_delivered() {
    let came = |waited, left| waiting(waited).receive(3, &expiring(qos1("t/a", "m1", 1, false), left));
    came(10_000, 20).conforms();
    came(10_000, 30).violates("expiry-is-forwarded", "MQTT-3.3.2-6");
    came(10_000, 5).violates("expiry-is-forwarded", "MQTT-3.3.2-6");
    came(40_000, 0).violates("expired-is-not-delivered", "MQTT-3.3.2-5");
    waiting(40_000).conforms();
}

#[test]
fn an_interval_is_forwarded_and_not_invented() {
    let published = || pair(V5).send(2, &expiring(qos1("t/a", "m1", 1, false), 30)).receive(2, &puback(1));
    published().receive(1, &expiring(qos1("t/a", "m1", 1, false), 30)).conforms();
    published().receive(1, &qos1("t/a", "m1", 1, false)).violates("expiry-is-forwarded", "MQTT-3.3.2-6");
    let plain = pair(V5).send(2, &qos1("t/a", "m1", 1, false)).receive(2, &puback(1));
    plain.receive(1, &expiring(qos1("t/a", "m1", 1, false), 30)).violates("expiry-is-forwarded", "");
}
