//! Enhanced authentication: AUTH, and what is said of the method.

use crate::fault::moment::Moment;
use crate::fault::proxy_fault::{On, ProxyFault, client, fault, server, when};
use crate::fault::theme::connect::text;
use model::packet::PacketType::{Auth, Connack, Connect, Disconnect};
use model::packet::{Auth as AuthPacket, AuthProperties, Packet, ReasonCode};

pub(super) static FAULTS: &[ProxyFault] = &[
    fault(
        "unasked-authentication-method",
        "CONNACK names an Authentication Method though CONNECT named none.",
        &["5.0:MQTT-4.12.0-6"],
        &[server(Connack, |moment| {
            if let Some(connack) = moment.accepting() {
                connack.properties.authentication_method = Some(text("x"));
            }
        })],
    ),
    fault(
        "unasked-auth",
        "An AUTH comes though CONNECT named no Authentication Method.",
        &["5.0:MQTT-4.12.0-6"],
        &[server(Connack, |moment| {
            if moment.accepting().is_some() {
                let properties = AuthProperties { authentication_method: Some(text("x")), ..AuthProperties::default() };
                moment
                    .follow_with(&Packet::Auth(AuthPacket { reason: ReasonCode::ContinueAuthentication, properties }));
            }
        })],
    ),
    fault(
        "unknown-authentication-method-served",
        "A CONNECT with an Authentication Method that the server lacks is served without.",
        &["5.0:MQTT-4.12.0-1"],
        &[client(Connect, |moment| {
            if let Some(Packet::Connect(connect)) = &mut moment.packet {
                connect.properties.authentication_method = None;
                connect.properties.authentication_data = None;
            }
        })],
    ),
    fault(
        "auth-with-unknown-code",
        "AUTH carries a code that is none of its own.",
        &["5.0:MQTT-3.15.2-1"],
        &[server(Auth, |moment| {
            moment.rewrite(|bytes| {
                if let Some(code) = bytes.get_mut(2) {
                    *code = 0x01;
                }
            });
        })],
    ),
    fault(
        "auth-asks-for-more-with-success",
        "An AUTH that asks for more data has the code of one that needs none.",
        &["5.0:MQTT-4.12.0-2"],
        &[server(Auth, |moment| {
            if let Some(Packet::Auth(auth)) = &mut moment.packet
                && auth.reason == ReasonCode::ContinueAuthentication
            {
                auth.reason = ReasonCode::Success;
            }
        })],
    ),
    fault(
        "auth-of-another-method",
        "AUTH names another method than CONNECT.",
        &["5.0:MQTT-4.12.0-5"],
        &[server(Auth, |moment| {
            if let Some(Packet::Auth(auth)) = &mut moment.packet {
                auth.properties.authentication_method = Some(text("another"));
            }
        })],
    ),
    fault(
        "method-untold-by-connack",
        "A CONNACK that ends an authentication does not name its method.",
        &["5.0:MQTT-4.12.0-5"],
        &[server(Connack, |moment| {
            if let Some(connack) = moment.accepting() {
                connack.properties.authentication_method = None;
            }
        })],
    ),
    fault(
        "failed-authentication-left-hanging",
        "A client whose answer is wrong is neither refused nor closed.",
        &["5.0:MQTT-4.12.0-4"],
        &[
            server(Connack, |moment| {
                if moment.accepting().is_none() && has_answered(moment) {
                    moment.lose();
                }
            }),
            when(On::ServerCloses, |moment| {
                if moment.it().connack.is_none() && has_answered(moment) {
                    moment.lose();
                }
            }),
        ],
    ),
    fault(
        "failed-re-authentication-tolerated",
        "A client that authenticates again and fails stays connected.",
        &["5.0:MQTT-4.12.1-2"],
        &[server(Disconnect, tolerate_failure), when(On::ServerCloses, tolerate_failure)],
    ),
];

/// Whether the client has answered in an authentication.
fn has_answered(moment: &mut Moment<'_>) -> bool {
    moment.it().authenticates
}

/// The end of a connection whose client has authenticated again does not get through.
fn tolerate_failure(moment: &mut Moment<'_>) {
    let it = moment.it();
    if it.connack.is_some() && it.authenticates && !it.client_said_disconnect {
        moment.lose();
    }
}
