//! AUTH exchanges.

use crate::trace::*;
use model::judge::Observation;
use model::packet::{Auth, AuthProperties, Connack, ConnackCode, Connect, Packet, ReasonCode};

fn auth(reason: ReasonCode, method: &str) -> Packet {
    let properties =
        AuthProperties { authentication_method: Some(method.try_into().unwrap()), ..AuthProperties::default() };
    Packet::Auth(Auth { reason, properties })
}

/// A client that names its method has sent CONNECT.
fn named() -> Trace {
    let mut connect = Connect { keep_alive: 0, ..connect("dev") };
    connect.properties.authentication_method = Some("scram".try_into().unwrap());
    Trace::new("standard", V5).see(1, Observation::Opened).send(1, &Packet::Connect(connect))
}

fn accepted(method: &str) -> Packet {
    let Packet::Connack(mut connack) = connack(V5, false) else { unreachable!("it is a CONNACK") };
    connack.properties.authentication_method = Some(method.try_into().unwrap());
    Packet::Connack(connack)
}

fn refused(reason: ReasonCode) -> Packet {
    Packet::Connack(Connack {
        session_present: false,
        code: ConnackCode::Reason(reason),
        properties: Default::default(),
    })
}

#[test]
fn the_two_sides_take_turns() {
    let challenged = || named().receive(1, &auth(ReasonCode::ContinueAuthentication, "scram"));
    let answered = || challenged().send(1, &auth(ReasonCode::ContinueAuthentication, "scram"));
    named().receive(1, &accepted("scram")).conforms();
    named().violates("connect-is-accepted", "");
    challenged().conforms();
    challenged().receive(1, &accepted("scram")).violates("authentication-is-answered", "MQTT-4.12.0-2");
    answered().receive(1, &accepted("scram")).conforms();
    answered().receive(1, &refused(ReasonCode::NotAuthorized)).see(1, Observation::ClosedByServer).conforms();
    answered().see(1, Observation::ClosedByServer).conforms();
    answered().violates("connect-is-accepted", "");
}

#[test]
fn the_method_stays() {
    named()
        .receive(1, &auth(ReasonCode::ContinueAuthentication, "other"))
        .violates("authentication-method-stays", "MQTT-4.12.0-5");
    named().receive(1, &accepted("other")).violates("authentication-method-stays", "MQTT-4.12.0-5");
}

#[test]
fn an_open_connection_authenticates_again() {
    let again = || named().receive(1, &accepted("scram")).send(1, &auth(ReasonCode::ReAuthenticate, "scram"));
    again().receive(1, &auth(ReasonCode::Success, "scram")).conforms();
    again().see(1, Observation::ClosedByServer).conforms();
    again().violates("authentication-is-answered", "");
}
