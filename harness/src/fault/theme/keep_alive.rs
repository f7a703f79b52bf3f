//! Keep Alive and PINGREQ.

use crate::fault::moment::{Moment, lost, twice};
use crate::fault::proxy_fault::{On, ProxyFault, client, fault, server, when};
use model::packet::Packet;
use model::packet::PacketType::{Connack, Connect, Disconnect, Pingreq, Pingresp};
use std::time::Duration;
use tokio::time::Instant;

const SILENT: &[&str] = &["3.1.1:MQTT-3.1.2-24", "5.0:MQTT-3.1.2-22", "5.0:MQTT-3.2.2-22", "P-KA-4", "P-KA-8"];

pub(super) static FAULTS: &[ProxyFault] = &[
    fault("pingresp-lost", "PINGREQ is not answered.", &["MQTT-3.12.4-1"], &[server(Pingresp, lost)]),
    fault("pingresp-twice", "PINGREQ is answered twice.", &["MQTT-3.12.4-1"], &[server(Pingresp, twice)]),
    fault(
        "pings-taken-together",
        "Of PINGREQ packets that come at once only the first is answered.",
        &["MQTT-3.12.4-1"],
        &[client(Pingreq, |moment| {
            let now = Instant::now();
            let last = moment.it().pinged.replace(now);
            if last == Some(now) {
                moment.lose();
            }
        })],
    ),
    fault(
        "ping-refused",
        "PINGREQ ends the connection.",
        &["MQTT-3.12.4-1"],
        &[client(Pingreq, |moment| {
            moment.lose();
            moment.close();
        })],
    ),
    fault(
        "silent-client-stays",
        "A client that is silent for longer than one and a half Keep Alive stays connected.",
        SILENT,
        &[server(Disconnect, if_silent), when(On::ServerCloses, if_silent)],
    ),
    fault(
        "silent-client-is-closed-late",
        "A client that is silent is closed after three times its Keep Alive.",
        SILENT,
        &[
            client(Connect, |moment| {
                if let Some(Packet::Connect(connect)) = &mut moment.packet {
                    connect.keep_alive = connect.keep_alive.saturating_mul(2);
                }
            }),
            server(Connack, |moment| {
                let told = moment.it().connect.as_ref().map(|connect| connect.keep_alive);
                if let Some(connack) = moment.accepting()
                    && let Some(keep_alive) = &mut connack.properties.server_keep_alive
                {
                    *keep_alive = told.unwrap_or(*keep_alive);
                }
            }),
        ],
    ),
    fault(
        "keep-alive-counts-from-connack",
        "A client is closed one and a half Keep Alive after CONNACK, whatever it sends.",
        SILENT,
        &[server(Connack, |moment| after_keep_alive(moment, 1500)), when(On::Alarm, |moment| moment.close())],
    ),
    fault(
        "keep-alive-halved",
        "A client that is silent for half its Keep Alive is closed.",
        SILENT,
        &[
            server(Connack, |moment| after_keep_alive(moment, 500)),
            when(On::AnyFromClient, |moment| {
                if moment.it().connack.is_some() {
                    after_keep_alive(moment, 500);
                }
            }),
            when(On::Alarm, |moment| moment.close()),
        ],
    ),
    fault(
        "only-pings-keep-the-connection",
        "Only PINGREQ counts for Keep Alive.",
        &["3.1.1:MQTT-3.1.2-24", "5.0:MQTT-3.1.2-22", "P-KA-3"],
        &[
            server(Connack, |moment| after_keep_alive(moment, 1500)),
            client(Pingreq, |moment| after_keep_alive(moment, 1500)),
            when(On::Alarm, |moment| moment.close()),
        ],
    ),
];

/// Wakes the rule after so many milliseconds for each second of Keep Alive.
fn after_keep_alive(moment: &mut Moment<'_>, milliseconds: u64) {
    let keep_alive = moment.it().connect.as_ref().map_or(0, |connect| connect.keep_alive);
    if keep_alive > 0 {
        moment.wake_after(Duration::from_millis(milliseconds * u64::from(keep_alive)));
    }
}

fn if_silent(moment: &mut Moment<'_>) {
    let it = moment.it();
    let keep_alive = it.connect.as_ref().map_or(0, |connect| connect.keep_alive);
    let silent = it.heard.elapsed();
    if keep_alive > 0 && silent > Duration::from_secs(u64::from(keep_alive)) {
        moment.lose();
    }
}
